#pragma once
/* The store of one world process: DATA_DIR/world.db (docs/design.md section 7). A commit is in the
 * kernel's hands when it returns, so a killed process loses nothing that was acknowledged; what the
 * last second brought is lost with the power, unless every commit is synced. */
#include "world/io/store_schema.h"
#include "world/io/write_behind.h"

enum { STORE_CHECKPOINT_MS = 1000 }; /* from a commit until it is synced and in the file itself */

struct sqlite3;
struct sqlite3_stmt;

struct store_sqlite_settings {
    const char *dir;
    bool sync_commits;                 /* each commit waits for the disk */
    const struct store_schema *schema; /* borrowed */
};

/* All zero: closed. */
struct store_sqlite {
    struct loop *loop;
    struct core *core;
    struct write_behind behind;
    int dir_fd; /* holds the lock on the folder */
    char *path;
    struct sqlite3 *db;
    struct sqlite3_stmt *put, *remove, *clock;
    int64_t seq;         /* of the youngest record */
    int64_t epoch;       /* higher than that of any process before on this file */
    int64_t id_floor_ms; /* shard ids up to this wall time may have been given out */
    struct timer checkpoint;
};

/* Opens (or makes) folder and file, takes the lock and counts up the epoch. `l` and `core` are
 * borrowed; core may be uninitialised until store_sqlite_load. Anything but ERR_OK: `why` says what
 * is wrong for a person, and nothing stays open. */
MUST_CHECK enum err store_sqlite_open(struct store_sqlite *s, struct loop *l, struct core *core,
                                      const struct store_sqlite_settings *settings,
                                      struct buf *why);
/* Hands every record to core_restore. ERR_SYNTAX: one cannot be used, and `why` names it. */
MUST_CHECK enum err store_sqlite_load(struct store_sqlite *s, struct buf *why);
/* Hands every record to `record`, kind by kind and each in order of creation, until it answers
 * anything but ERR_OK, which is answered then. */
struct store_sqlite_visit {
    void *ctx;
    enum err (*record)(void *ctx, const struct record *record, struct buf *why);
};
MUST_CHECK enum err store_sqlite_each(struct store_sqlite *s,
                                      const struct store_sqlite_visit *visit, struct buf *why);
struct store_port store_sqlite_port(struct store_sqlite *s);
/* Writes what waits and closes the file. ERR_IO: what waited is lost (logged). A closed one stays
 * closed. */
MUST_CHECK enum err store_sqlite_close(struct store_sqlite *s);
