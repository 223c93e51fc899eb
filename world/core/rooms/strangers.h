#pragma once
/* What may be made by those who bring no credentials: rooms and shards by /connect with autoCreate,
 * and worlds by the names that they use (docs/design.md section 8). A room and its first shard
 * count as two, and more when the room's name is long: orders and feeds repeat it. What is removed
 * does not count any more; worlds are not removed. */
#include "common/base/rate.h"
#include "common/base/span.h"
#include "world/core/refusal.h"

struct shard;
struct world;

enum {
    STRANGERS_WORLDS_PER_S = 10,
    STRANGERS_BURST_S = 2,         /* seconds' worth that may come at once */
    STRANGERS_FULL_MS = 60 * 1000, /* when to come back once a maximum is reached */
    STRANGERS_NAME_BYTES = 1024,   /* of a room's name, which count as a thing more */
};

struct strangers_settings {
    uint64_t max;    /* rooms and shards of a world */
    uint32_t per_s;  /* rooms and shards of a world a second */
    uint64_t worlds; /* in the process's life */
};

/* Embedded in core. The all-zero struct is valid. */
struct strangers {
    uint64_t worlds;
    struct rate worlds_rate;
};

/* Embedded in a world. The all-zero struct is valid. */
struct strangers_share {
    uint64_t count; /* rooms and shards that are there, by weight */
    struct rate rate;
};

struct strangers_wish {
    struct world *world; /* NULL: one that is to be made, or has no room yet */
    uint32_t count;      /* rooms and shards to be made in it, */
    uint32_t weight;     /* each */
    bool local;          /* from this machine: no rate is asked */
};

/* May a stranger make this? REFUSAL_NONE: yes; the rates have been charged, and each thing that is
 * made is to be counted by strangers_made. Else *retry_ms is when another try may be worth while.
 */
enum refusal strangers_ask(struct strangers *all, const struct strangers_settings *settings,
                           const struct strangers_wish *wish, int64_t now_ms, int64_t *retry_ms);
/* What a room of that name, or a shard of it, counts. */
static inline uint32_t strangers_weight(struct span name)
{
    return 1 + (uint32_t)(name.len / STRANGERS_NAME_BYTES);
}
/* A stranger has made a room, or a shard of one, of that name; it keeps the mark. */
void strangers_made(struct world *w, bool *by_stranger, struct span name);
/* A room or shard is removed, whoever made it; `by_stranger` is its mark. */
void strangers_removed(struct world *w, bool by_stranger, struct span name);
