#pragma once
/* The owners of other nodes' shards, as worlds have named them: bounded, short-lived, the longest
 * unused forgotten first (docs/design.md section 5.1, "Any entry"). */
#include "common/base/list.h"
#include "common/base/map.h"

enum {
    OWNERS_MAX = 10000,
    OWNERS_KEEP_MS = 30 * 1000, /* since the world said so */
};

struct owner {
    struct span node, url; /* its id, and its internalUrl */
    int64_t epoch;         /* of the world that named it */
    /* Their own: */
    int64_t until_ms;
    struct list in_use;
    struct span shard_id;
};

/* The all-zero struct is valid and empty. */
struct owners {
    struct map by_shard;
    struct list in_use; /* the longest unused first */
};

/* Copies. An entry of a higher epoch stays as it is. */
void owners_put(struct owners *o, struct span shard_id, struct span node, struct span url,
                int64_t epoch, int64_t now);
/* NULL: not known, or known too long, or named in an epoch below `epoch`. Lives until the next
 * call. */
const struct owner *owners_get(struct owners *o, struct span shard_id, int64_t epoch, int64_t now);
void owners_forget(struct owners *o, struct span shard_id);
void owners_clear(struct owners *o);
