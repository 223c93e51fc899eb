#pragma once
/* The event loop: libevent, timers, what runs at the end of a turn. One per process, one thread. */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/metrics.h"
#include "common/base/wheel.h"

struct loop;
struct event_base;
struct evdns_base;

struct loop *loop_new(void);
/* Everything that was opened on the loop must be closed before; what waits for the end of the turn
 * is run first. SIGPIPE is ignored from loop_new on. */
void loop_free(struct loop *l);
/* Turns until loop_stop. A turn: wait for events, handle them, fire timers, run what waits for the
 * end of the turn (each connection's writes go out here, in one go). */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* One turn that waits at most `wait_ms` (tests, shutdown). */
void loop_turn(struct loop *l, int64_t wait_ms);

/* Monotonic ms, read once a turn (and again before timers fire). */
int64_t loop_now(const struct loop *l);
struct wheel *loop_wheel(struct loop *l);

/* Runs `fn` once at the end of this turn, after events and timers and in order of scheduling; what
 * is scheduled meanwhile runs in the same turn. */
struct turn_end {
    struct list node;
    void (*fn)(struct turn_end *t);
};
void loop_at_turn_end(struct loop *l, struct turn_end *t); /* no effect when scheduled already */
void loop_not_at_turn_end(struct turn_end *t);             /* takes it back */

/* Calls fn on a signal, in the loop, for as long as the loop lives. */
void loop_on_signal(struct loop *l, int signo, void (*fn)(void *ctx), void *ctx);

struct loop_stats {
    struct histogram lag;  /* how late a 100 ms timer fired */
    struct histogram turn; /* time spent in a turn, without the wait */
    uint64_t turns;
};
const struct loop_stats *loop_stats(const struct loop *l);
/* The worst lateness of that timer since the last call, ms. For one caller a process. */
int64_t loop_take_lag(struct loop *l);

/* For common/net only. The buffer is shared by all connections: bytes in it are theirs until they
 * return to the loop. */
enum { LOOP_READ_BYTES = 128 * 1024 };
char *loop_read_buffer(struct loop *l);
/* The first thing that every libevent callback does: loop_now is fresh after it, however long the
 * wait was. */
void loop_entered(struct loop *l);
struct event_base *loop_base(struct loop *l);
struct tls_context;
/* What dials of https origins believe and show (tls.h): processes of the cluster, and others.
 * Borrowed; NULL (so it begins): such dials fail. */
void loop_set_tls(struct loop *l, struct tls_context *inside, struct tls_context *outside);
struct tls_context *loop_tls(const struct loop *l, bool inside);
struct evdns_base *loop_dns(struct loop *l); /* made at first use */
