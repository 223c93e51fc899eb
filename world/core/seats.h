#pragma once
/* The seats of one shard (docs/design.md section 4, "Seats"): used = open + reserved + returning.
 * open: sockets, as reported. reserved: promised by /connect and not yet taken; each promise ends
 * after SEAT_TTL. returning: kept for clients that lost their node or their network; part of it the
 * nodes keep and report, part of it the world keeps for RETURN_MS after a shard lost its node.
 * With a ttl of 0 nothing is reserved or kept: the reference's behaviour. */
#include <stdbool.h>

#include "common/base/wheel.h"
#include "world/core/moment.h"

enum { SEATS_RETURN_MS = 30 * 1000 };

struct registry;
struct shard;

/* Promises that end at the same time. */
struct reservation {
    int64_t due_ms;
    uint64_t count;
};

/* Embedded in a shard. The all-zero struct is valid and empty. */
struct seats {
    struct reservation *ring; /* the oldest first */
    uint32_t first, len, cap;
    uint64_t kept;       /* returning ones that the world itself keeps */
    int64_t kept_due_ms; /* when they end */
    struct timer timer;  /* the next end */
};

/* Promises one seat. The caller has chosen a selectable shard. */
void seats_reserve(struct registry *r, struct shard *s, struct moment now);
/* Clients came in, as a node reports: `fresh` of them took a promised seat or, when none is left,
 * one that the world keeps. */
void seats_admit(struct registry *r, struct shard *s, uint64_t fresh, struct moment now);
/* The shard lost `count` clients that are expected back. */
void seats_keep(struct registry *r, struct shard *s, uint64_t count, struct moment now);
/* `count` of them are not expected any more (their node is back with them). */
void seats_unkeep(struct registry *r, struct shard *s, uint64_t count);
/* Nothing is promised or kept any more; frees. */
void seats_clear(struct registry *r, struct shard *s);
