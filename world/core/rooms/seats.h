#pragma once
/* The seats of one shard (docs/design.md section 4, "Seats"): used = open + reserved + returning.
 * open: sockets, as reported. reserved: promised by /connect and not yet taken; each promise ends
 * after SEAT_TTL. returning: kept for clients that lost their node or their network; part of it the
 * nodes keep and report, part of it the world keeps for RETURN_MS after a shard lost its node.
 * With a ttl of 0 nothing is reserved or kept: the reference's behaviour. None of these calls
 * removes the shard, but the end of a promise or of what is kept removes a draining one that has
 * become empty. */
#include "common/base/wheel.h"
#include "world/core/moment.h"
#include "world/core/rooms/reservations.h"

enum {
    SEATS_RETURN_MS = 30 * 1000,
    /* Promises end together at steps of so much, or of a 300th of a SEAT_TTL that is longer: at
     * most so much later than they were made for. */
    SEATS_GRAIN_MS = 50,
    SEATS_GRAINS = 300,
};

struct registry;
struct room;
struct shard;

/* Embedded in a shard. The all-zero struct is valid and empty. */
struct seats {
    struct reservations promised;
    uint64_t kept;       /* returning ones that the world itself keeps */
    int64_t kept_due_ms; /* when they end */
    struct timer timer;  /* set at the latest for the next end */
};

/* Promises one seat. The shard is selectable. */
void seats_reserve(struct registry *r, struct shard *s, struct moment now);
/* Clients came in, as a node reports: `fresh` of them took a promised seat or, when none is left,
 * one that the world keeps. */
void seats_admit(struct registry *r, struct shard *s, uint64_t fresh, struct moment now);
/* The shard lost `count` clients that are expected back. */
void seats_keep(struct registry *r, struct shard *s, uint64_t count, struct moment now);
/* `count` of them are not expected any more (their node is back with them). */
void seats_unkeep(struct registry *r, struct shard *s, uint64_t count);
/* Nothing is promised or kept any more; frees. For a shard that is going: nothing is told. */
void seats_clear(struct registry *r, struct shard *s);
/* When the first promise in the room ends; INT64_MAX: nothing is promised. */
int64_t seats_due_ms(const struct room *room);
/* Asserts that the shard's counts are those of its promises, its kept seats and what its nodes
 * keep. */
void seats_check(const struct shard *s);
