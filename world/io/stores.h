#pragma once
/* Where the registry is kept: in memory, in a file of DATA_DIR, or in Redis beside other processes;
 * and so who decides for its worlds. */
#include "world/io/redis/cluster.h"
#include "world/io/settings.h"
#include "world/io/store_memory.h"
#include "world/io/store_sqlite.h"

enum stores_kind { STORES_MEMORY, STORES_SQLITE, STORES_REDIS };

/* All zero: none is open. */
struct stores {
    struct core *core;
    enum stores_kind kind;
    struct store_memory memory; /* the one of that kind is in use */
    struct store_sqlite sqlite;
    struct cluster_settings cluster_settings;
    struct cluster *cluster; /* NULL: this process is the only one */
};

/* Opens the one that `settings` names. `core` need not be initialised, but must stay where it is;
 * what it has to know of the time before is put into *out. False: a line on stderr says why, and
 * none is open. */
MUST_CHECK bool stores_open(struct stores *s, struct loop *l, struct core *core,
                            const struct settings *settings, struct core_settings *out);
struct store_port stores_port(struct stores *s);
struct owner_port stores_owner_port(struct stores *s);
/* NULL: nothing is written. */
const struct store_stats *stores_stats(const struct stores *s);
/* Hands core all that is kept. False: a line on stderr says why. */
MUST_CHECK bool stores_load(struct stores *s);
/* Writes what core has not stored yet. False: changes that were never acknowledged are lost. */
MUST_CHECK bool stores_close(struct stores *s);
