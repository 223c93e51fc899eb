/* The loop owns the event base, the timing wheel and the list of what runs at the end of a turn. It
 * knows nothing of sockets. */
#include "common/net/loop.h"

#include <assert.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum { LAG_TIMER_MS = 100 };

struct loop_signal {
    struct list node;
    struct event *event;
    struct loop *loop;
    void (*fn)(void *ctx);
    void *ctx;
};

struct loop {
    struct event_base *base;
    struct evdns_base *dns;
    struct event *timer; /* wakes the wait when the wheel has something due */
    int64_t timer_ms;    /* when it does; INT64_MAX: not set */
    struct wheel wheel;
    struct list turn_end;
    struct list signals;
    int64_t now;
    int64_t began_us; /* when the present turn's wait was over; 0: it is not */
    bool stop;
    struct timer lag;
    struct loop_stats stats;
    int64_t worst_lag_us; /* since it was taken */
    char *read_buffer;
    struct tls_context *tls[2]; /* outside, inside */
};

void loop_entered(struct loop *l)
{
    if (l->began_us != 0)
        return;
    l->began_us = clock_mono_us();
    l->now = l->began_us / 1000;
}

static void timer_fired(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd, (void)what;
    struct loop *l = ctx;
    l->timer_ms = INT64_MAX;
    loop_entered(l);
}

static void lag_set(struct loop *l)
{
    /* On a tick of the wheel, so that only lateness is measured. */
    int64_t due = (l->now + LAG_TIMER_MS) / WHEEL_TICK_MS * WHEEL_TICK_MS;
    wheel_set(&l->wheel, &l->lag, due);
}

static void lag_fired(struct timer *t, int64_t now)
{
    struct loop *l = CONTAINER_OF(t, struct loop, lag);
    (void)now;
    int64_t late_us = clock_mono_us() - t->due_ms * 1000;
    histogram_add(&l->stats.lag, late_us);
    if (late_us > l->worst_lag_us)
        l->worst_lag_us = late_us;
    log_tick(loop_now(l));
    lag_set(l);
}

struct loop *loop_new(void)
{
    struct loop *l = xcalloc(1, sizeof *l);
    struct event_config *config = event_config_new();
    assert(config != NULL);
    /* One thread: no locks. And no EPOLL_USE_CHANGELIST, not from the environment either: libevent
     * 2.1 merges the end of an edge-triggered watch with the start of a level-triggered one into
     * an edge-triggered one, and conn_turn.c would miss input. */
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
    l->base = event_base_new_with_config(config);
    event_config_free(config);
    assert(l->base != NULL);
    l->timer = event_new(l->base, -1, 0, timer_fired, l);
    assert(l->timer != NULL);
    l->timer_ms = INT64_MAX;
    list_init(&l->turn_end);
    list_init(&l->signals);
    l->read_buffer = xmalloc(LOOP_READ_BYTES);
    l->now = clock_mono_ms();
    wheel_init(&l->wheel, l->now);
    l->lag.fire = lag_fired;
    lag_set(l);
    (void)signal(SIGPIPE, SIG_IGN);
    return l;
}

static void run_turn_end(struct loop *l)
{
    for (struct list *it; (it = list_first(&l->turn_end)) != NULL;) {
        list_remove(it);
        struct turn_end *t = CONTAINER_OF(it, struct turn_end, node);
        t->fn(t);
    }
}

void loop_free(struct loop *l)
{
    run_turn_end(l);
    if (l->dns != NULL) {
        evdns_base_free(l->dns, 1);
        (void)event_base_loop(l->base, EVLOOP_NONBLOCK); /* the answers to what it still had */
        run_turn_end(l);
    }
    LIST_EACH_SAFE (&l->signals, it, tmp) {
        struct loop_signal *s = CONTAINER_OF(it, struct loop_signal, node);
        event_free(s->event);
        free(s);
    }
    event_free(l->timer);
    event_base_free(l->base);
    free(l->read_buffer);
    free(l);
}

/* Makes the wait end at `due` at the latest. */
static void timer_arm(struct loop *l, int64_t due)
{
    if (due >= l->timer_ms)
        return;
    int64_t now = clock_mono_ms();
    int64_t wait = due > now ? due - now : 0;
    struct timeval tv = {.tv_sec = (time_t)(wait / 1000),
                         .tv_usec = (suseconds_t)(wait % 1000 * 1000)};
    (void)event_add(l->timer, &tv);
    l->timer_ms = due;
}

static void turn(struct loop *l, int64_t until)
{
    int64_t next = wheel_next_ms(&l->wheel);
    timer_arm(l, next < until ? next : until);
    l->began_us = 0;
    /* What was scheduled between two turns does not wait for an event. EVLOOP_ONCE all the same:
     * alone, EVLOOP_NONBLOCK goes on as long as anything is ready. */
    int flags = list_empty(&l->turn_end) ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK;
    (void)event_base_loop(l->base, flags);
    loop_entered(l); /* in case no callback did */
    int64_t began_us = l->began_us;
    l->now = clock_mono_ms();
    wheel_advance(&l->wheel, l->now);
    run_turn_end(l);
    l->stats.turns++;
    histogram_add(&l->stats.turn, clock_mono_us() - began_us);
}

void loop_run(struct loop *l)
{
    while (!l->stop)
        turn(l, INT64_MAX);
    l->stop = false;
}

void loop_stop(struct loop *l)
{
    l->stop = true;
}

void loop_turn(struct loop *l, int64_t wait_ms)
{
    turn(l, clock_mono_ms() + wait_ms);
}

int64_t loop_now(const struct loop *l)
{
    return l->now;
}

struct wheel *loop_wheel(struct loop *l)
{
    return &l->wheel;
}

void loop_at_turn_end(struct loop *l, struct turn_end *t)
{
    assert(t->fn != NULL);
    if (!list_linked(&t->node))
        list_push(&l->turn_end, &t->node);
}

void loop_not_at_turn_end(struct turn_end *t)
{
    list_remove(&t->node);
}

static void signal_came(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd, (void)what;
    const struct loop_signal *s = ctx;
    loop_entered(s->loop);
    s->fn(s->ctx);
}

void loop_on_signal(struct loop *l, int signo, void (*fn)(void *ctx), void *ctx)
{
    struct loop_signal *s = xcalloc(1, sizeof *s);
    *s = (struct loop_signal){.loop = l, .fn = fn, .ctx = ctx};
    s->event = event_new(l->base, signo, EV_SIGNAL | EV_PERSIST, signal_came, s);
    assert(s->event != NULL);
    (void)event_add(s->event, NULL);
    list_push(&l->signals, &s->node);
}

const struct loop_stats *loop_stats(const struct loop *l)
{
    return &l->stats;
}

int64_t loop_take_lag(struct loop *l)
{
    int64_t us = l->worst_lag_us;

    l->worst_lag_us = 0;
    return us / 1000;
}

char *loop_read_buffer(struct loop *l)
{
    return l->read_buffer;
}

void loop_set_tls(struct loop *l, struct tls_context *inside, struct tls_context *outside)
{
    l->tls[0] = outside;
    l->tls[1] = inside;
}

struct tls_context *loop_tls(const struct loop *l, bool inside)
{
    return l->tls[inside ? 1 : 0];
}

struct event_base *loop_base(struct loop *l)
{
    return l->base;
}

struct evdns_base *loop_dns(struct loop *l)
{
    if (l->dns != NULL)
        return l->dns;
    int flags = EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE;
    l->dns = evdns_base_new(l->base, flags);
    if (l->dns == NULL) { /* no resolv.conf: /etc/hosts is all there is */
        l->dns = evdns_base_new(l->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
        assert(l->dns != NULL);
        (void)evdns_base_load_hosts(l->dns, "/etc/hosts");
    }
    return l->dns;
}
