#pragma once
/* Leases on a recorder: what goes out through the port is written down as words, Redis and the
 * peers answer when the test says so. This process is "me", others are "p1", "p2". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "world/core/leases/leases.h"

enum { RIG_TTL_MS = 3000, RIG_DEADLINE_MS = 2850, RIG_LOG_MAX = 2048 };

struct rig {
    struct leases *l;
    struct lease_port port;
    struct lease_settings settings;
    struct rng rng;
    int64_t now, sent_ms, asked_ms;
    size_t peer_count;
    char log[RIG_LOG_MAX]; /* since it was read last */
};

static inline void PRINTF_LIKE(2, 3) rig_log(struct rig *r, const char *fmt, ...)
{
    size_t len = strlen(r->log);
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(r->log + len, sizeof r->log - len, fmt, args);
    va_end(args);
}

static inline int64_t rig_clock(void *ctx)
{
    return ((struct rig *)ctx)->now;
}

static inline void rig_tend(void *ctx, const struct lease_wish *wishes, size_t count)
{
    static const char *const names[] = {"keep", "want", "free"};
    struct rig *r = ctx;

    r->sent_ms = r->now;
    rig_log(r, "tend");
    for (size_t i = 0; i < count; i++)
        rig_log(r, "(%s %.*s %d %d)", names[wishes[i].op], SPAN_ARG(wishes[i].world),
                (int)wishes[i].epoch, (int)wishes[i].above);
    rig_log(r, " ");
}

static inline void rig_ask(void *ctx, const struct lease_peer *peers, size_t count)
{
    struct rig *r = ctx;

    r->asked_ms = r->now;
    rig_log(r, "ask");
    for (size_t i = 0; i < count; i++)
        rig_log(r, "(%.*s)", SPAN_ARG(peers[i].url));
    rig_log(r, " ");
}

static inline void rig_load(void *ctx, struct span world, int64_t epoch)
{
    rig_log(ctx, "load(%.*s %d) ", SPAN_ARG(world), (int)epoch);
}

static inline void rig_raise(void *ctx, struct span world, int64_t epoch)
{
    rig_log(ctx, "raise(%.*s %d) ", SPAN_ARG(world), (int)epoch);
}

static inline void rig_close(void *ctx, struct span world)
{
    rig_log(ctx, "close(%.*s) ", SPAN_ARG(world));
}

static inline void rig_drop(void *ctx, struct span world)
{
    rig_log(ctx, "drop(%.*s) ", SPAN_ARG(world));
}

static inline void rig_moved(void *ctx, struct span world)
{
    rig_log(ctx, "moved(%.*s) ", SPAN_ARG(world));
}

static inline void rig_wake(void *ctx, int64_t due_ms)
{
    (void)ctx;
    (void)due_ms;
}

/* At 10 s of its clock, with `peers` other processes; its first call has told it of them. */
static inline struct rig *rig_new(size_t peers);

static inline void rig_free(struct rig *r)
{
    leases_free(r->l);
    free(r);
}

/* What was asked since the last time is this. */
#define rig_said(r, text)                                                                          \
    do {                                                                                           \
        assert_string_equal((r)->log, (text));                                                     \
        (r)->log[0] = '\0';                                                                        \
    } while (0)

static inline void rig_pass(struct rig *r, int64_t ms)
{
    r->now += ms;
    leases_tick(r->l, r->now);
}

static inline void rig_news(struct rig *r, const struct lease_news *news, size_t count)
{
    static const struct lease_peer peers[] = {
        {.id = SPAN_INIT("1"), .url = SPAN_INIT("p1")},
        {.id = SPAN_INIT("2"), .url = SPAN_INIT("p2")},
    };

    leases_tended(r->l, news, count, peers, r->peer_count, r->sent_ms, r->now);
}

/* Redis says that of world "w", and nothing of others. */
static inline void rig_ours(struct rig *r, int64_t epoch)
{
    rig_news(r, &(struct lease_news){.world = SPAN("w"), .said = LEASE_IS_OURS, .epoch = epoch}, 1);
}

static inline void rig_others(struct rig *r, int64_t epoch, int64_t left_ms)
{
    rig_news(r,
             &(struct lease_news){.world = SPAN("w"),
                                  .said = LEASE_IS_OTHERS,
                                  .epoch = epoch,
                                  .left_ms = left_ms,
                                  .id = SPAN("1"),
                                  .url = SPAN("p1")},
             1);
}

static inline void rig_is_free(struct rig *r, int64_t epoch)
{
    rig_news(r, &(struct lease_news){.world = SPAN("w"), .said = LEASE_IS_FREE, .epoch = epoch}, 1);
}

static inline void rig_away(struct rig *r)
{
    leases_tend_failed(r->l, r->now);
}

static inline void rig_peers(struct rig *r, size_t reach, size_t away, int64_t ago_ms)
{
    struct lease_answers said = {.reach = reach, .away = away, .ago_ms = ago_ms};

    said.url = reach > 0 ? SPAN("p1") : (struct span){0};
    leases_peers_said(r->l, &said, r->asked_ms, r->now);
}

static inline enum owner rig_find(struct rig *r)
{
    return leases_find(r->l, SPAN("w"));
}

static inline struct rig *rig_new(size_t peers)
{
    struct rig *r = xcalloc(1, sizeof *r);

    r->port = (struct lease_port){
        .ctx = r,
        .clock = rig_clock,
        .tend = rig_tend,
        .ask_peers = rig_ask,
        .load = rig_load,
        .raise = rig_raise,
        .close = rig_close,
        .drop = rig_drop,
        .moved = rig_moved,
        .wake = rig_wake,
    };
    r->settings = (struct lease_settings){.ttl_ms = RIG_TTL_MS, .id = SPAN("0"), .url = SPAN("me")};
    r->now = 10000;
    r->peer_count = peers;
    rng_seed(&r->rng, 1);
    r->l = leases_new(&r->port, &r->settings, &r->rng, r->now);
    rig_pass(r, 0);
    rig_news(r, NULL, 0);
    r->log[0] = '\0';
    return r;
}

/* The same, and world "w" is ours under epoch 7 since now. */
static inline struct rig *rig_owner(size_t peers)
{
    struct rig *r = rig_new(peers);

    (void)rig_find(r);
    rig_pass(r, 0);
    rig_ours(r, 7);
    leases_loaded(r->l, SPAN("w"), ERR_OK, (struct span){0}, r->now);
    r->log[0] = '\0';
    return r;
}

/* Redis has not answered until the lease ends in `left_ms`; what went out is forgotten. */
static inline void rig_alone_until(struct rig *r, int64_t left_ms)
{
    rig_pass(r, RIG_DEADLINE_MS - left_ms);
    rig_away(r);
    r->log[0] = '\0';
}
