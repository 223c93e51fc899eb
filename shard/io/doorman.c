/* Holds exchanges, and answers those that are refused. When and who is core's. */
#include "shard/io/doorman.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/net/responder.h"

#define JSON_TYPE "Content-Type: application/json\r\n"

enum { SECOND_MS = 1000 };

/* An exchange that waits; it has no body. */
struct standing {
    struct responder responder;
    struct admission_wait wait;
    struct doorman *doorman;
    struct http_exchange *x;
};

static struct standing *standing_of(struct admission_wait *w)
{
    return CONTAINER_OF(w, struct standing, wait);
}

static void answer(struct doorman *d, struct http_exchange *x, enum refusal why, int status,
                   int64_t retry_s, struct span body)
{
    struct buf headers = {0};
    io_stats_refuse(d->stats, why);
    BUF_ADD_LIT(&headers, JSON_TYPE "Retry-After: ");
    buf_add_i64(&headers, retry_s);
    BUF_ADD_LIT(&headers, "\r\n");
    x->last = true;
    http_respond(x, status, buf_span(&headers), body);
    buf_clear(&headers);
}

/* Those who come at the same time are told different times. */
static void refuse(struct doorman *d, struct http_exchange *x)
{
    int64_t backlog_ms = admission_backlog_ms(&d->admission, ticker_now(d->ticker));
    int64_t least_s = backlog_ms / SECOND_MS + 1;
    answer(d, x, REFUSED_CONNECT_RATE, 503,
           least_s + (int64_t)rng_below(&d->rng, (uint64_t)least_s + 1),
           SPAN("{\"error\":\"Too many clients are connecting\"}"));
}

/* ---- those who wait */

/* It stands no more: the exchange is somebody else's. */
static struct http_exchange *standing_end(struct standing *s)
{
    struct http_exchange *x = s->x;
    x->user = NULL;
    http_exchange_needs_peer(x, false);
    free(s);
    return x;
}

static void set_timer(struct doorman *d)
{
    struct wheel *wheel = loop_wheel(d->ticker->loop);
    int64_t due = admission_due(&d->admission, ticker_now(d->ticker));
    if (due == INT64_MAX)
        wheel_cancel(wheel, &d->look);
    else if (!timer_is_set(&d->look) || d->look.due_ms != due)
        wheel_set(wheel, &d->look, due);
}

static void on_body(struct responder *r, struct span part)
{
    (void)r; /* upgrades have none */
    (void)part;
}

static void on_nothing(struct responder *r)
{
    (void)r;
}

static void on_gone(struct responder *r)
{
    struct standing *s = CONTAINER_OF(r, struct standing, responder);
    struct doorman *d = s->doorman;
    admission_leave(&d->admission, &s->wait);
    free(s);
    set_timer(d);
}

static const struct responder_ops standing_ops = {
    .body = on_body, .complete = on_nothing, .drained = on_nothing, .gone = on_gone};

static void on_look(struct timer *t, int64_t now)
{
    struct doorman *d = CONTAINER_OF(t, struct doorman, look);
    bool taken;
    if (node_is_draining(d->ticker->node)) {
        doorman_dismiss(d);
        return;
    }
    for (struct admission_wait *w; (w = admission_next(&d->admission, now, &taken)) != NULL;) {
        struct http_exchange *x = standing_end(standing_of(w));
        if (taken)
            d->admitted(d->ctx, x);
        else
            refuse(d, x);
    }
    set_timer(d);
}

/* ---- */

void doorman_init(struct doorman *d, struct rate_limit client_rate, struct rate_limit connect_rate)
{
    address_rates_init(&d->addresses, client_rate, ADDRESS_RATES_MAX);
    admission_init(&d->admission, connect_rate, &d->stats->admission);
    d->look = (struct timer){.fire = on_look};
    rng_init(&d->rng);
}

void doorman_limit(struct doorman *d, struct rate_limit client_rate, struct rate_limit connect_rate)
{
    address_rates_limit(&d->addresses, client_rate);
    admission_limit(&d->admission, connect_rate);
    set_timer(d);
}

bool doorman_lets_connect(struct doorman *d, struct http_exchange *x, const struct sender *from,
                          bool is_upgrade)
{
    int64_t wait_ms;
    bool counts = is_upgrade || x->first;
    if (!counts || from->hopped || addr_is_loopback(&from->client) ||
        addr_set_has(d->trusted, &from->client))
        return true;
    if (address_rates_take(&d->addresses, &from->client, ticker_now(d->ticker), &wait_ms))
        return true;
    answer(d, x, REFUSED_CLIENT_RATE, 429, (wait_ms + SECOND_MS - 1) / SECOND_MS,
           SPAN("{\"error\":\"Too many connections from this address\"}"));
    return false;
}

/* `s` waits, or is refused and freed. */
static void stand(struct doorman *d, struct standing *s)
{
    s->responder.ops = &standing_ops;
    s->x->user = &s->responder;
    http_exchange_needs_peer(s->x, true);
    set_timer(d);
}

bool doorman_admits(struct doorman *d, struct http_exchange *x, const struct sender *from,
                    bool known)
{
    struct admission_wait *pushed = NULL;
    int64_t now = ticker_now(d->ticker);
    if (from->hopped) {
        admission_count(&d->admission, now);
        return true;
    }
    struct standing *s = xcalloc(1, sizeof *s);
    s->doorman = d;
    s->x = x;
    enum admission_verdict v = admission_ask(&d->admission, &s->wait,
                                             known ? ADMISSION_KNOWN : ADMISSION_NEW, now, &pushed);
    if (pushed != NULL)
        refuse(d, standing_end(standing_of(pushed)));
    if (v == ADMISSION_HELD) {
        stand(d, s);
        return false;
    }
    free(s);
    if (v == ADMISSION_OUT)
        refuse(d, x);
    return v == ADMISSION_IN;
}

void doorman_dismiss(struct doorman *d)
{
    for (struct admission_wait *w; (w = admission_dismiss(&d->admission)) != NULL;)
        answer(d, standing_end(standing_of(w)), REFUSED_STOPPING, 503, 1,
               SPAN("{\"error\":\"This node takes no more clients or shards\"}"));
    set_timer(d);
}

void doorman_clear(struct doorman *d)
{
    for (struct admission_wait *w; (w = admission_dismiss(&d->admission)) != NULL;)
        (void)standing_end(standing_of(w));
    wheel_cancel(loop_wheel(d->ticker->loop), &d->look);
    address_rates_clear(&d->addresses);
}
