#pragma once
/* The shards of the registry: how they come, change and go. */
#include "world/core/rooms/registry.h"

/* The names on the wire, by enum shard_status; NULL-terminated. */
extern const char *const shard_status_names[SHARD_STATUS_COUNT + 1];

/* A shard as it was before a restart. Spans are borrowed. */
struct shard_restored {
    struct span id, url;
    struct span node; /* its owner; empty: none */
    uint64_t open, max;
    enum shard_status status;
    struct order_drain drain;
    int64_t drain_until_ms; /* wall time */
};

/* A new shard, active and empty. An empty template means the registry's, max 0 the room's
 * capacity. */
struct shard *registry_add_shard(struct registry *r, struct room *room, struct span url_template,
                                 uint64_t max, struct moment now);
/* The same from what was stored, in order of creation. The watch is not told. The id must be free;
 * the shard counts as heard from now. */
struct shard *registry_restore_shard(struct registry *r, struct room *room,
                                     const struct shard_restored *stored, struct moment now);
/* A report has come: `status` is SHARD_STATUS_COUNT when it names none. Of a shard without an owner
 * nothing tells who came in but that the count grew: so many promises are taken as kept. A draining
 * shard that has become empty is removed: true, and the shard is gone. */
bool registry_report(struct registry *r, struct shard *shard, uint64_t open,
                     enum shard_status status, struct moment now);
/* An operator says so. `drain`, only looked at when the status is draining, says how. True: the
 * shard was empty and is gone. */
bool registry_set_status(struct registry *r, struct shard *s, enum shard_status status,
                         const struct order_drain *drain, struct moment now);
/* `max` is above 0; clients beyond it stay. */
void registry_set_max(struct registry *r, struct shard *s, uint64_t max);
/* What nodes hold of the shard has changed, or (`heard`) was confirmed. */
void registry_set_open(struct registry *r, struct shard *s, uint64_t open, bool heard,
                       struct moment now);

/* The shard's seats have changed: brings the index and its owner's sums in line. */
void registry_reindex(struct registry *r, struct shard *s);
/* Removes the shard if it is draining and empty: true, and it is gone. */
bool registry_let_go(struct registry *r, struct shard *s);

/* Removes the shard, and its room if that is leaving and this was the last. */
void registry_remove_shard(struct registry *r, struct shard *s);
/* Frees it with its world: nobody is told, no index is brought in line. */
void registry_drop_shard(struct registry *r, struct shard *s);

/* How the shard is to be drained from now on; all zero unless an operator said so. */
struct order_drain shard_drain(const struct shard *s, struct moment now);
/* Active, with a free seat, and heard of: by its owner if it has one. */
bool shard_is_selectable(const struct shard *s);
/* Brings the index in line, nothing else: its owner takes care of the rest. */
void registry_put_in_index(struct shard *s);
