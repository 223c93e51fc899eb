/* A link that nobody needs, from its warm-up to its end. What that says of the server is core's. */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/net/upstreams.h"
#include "common/net/ws_dial.h"
#include "common/proto/hop.h"
#include "shard/core/checks.h"
#include "shard/io/checkup.h"
#include "shard/io/probe.h"

enum {
    STANDS_MS = 1000, /* a link that is not closed for so long is accepted */
    MESSAGE_MAX = 1024 * 1024,
};

enum room_probe_state {
    ROOM_PROBE_WARMING, /* or it waits for its turn */
    ROOM_PROBE_DIALLING,
    ROOM_PROBE_OPEN,    /* it may yet be closed by the server */
    ROOM_PROBE_CLOSING, /* core knows */
};

struct room_probe {
    struct probe probe;
    enum room_probe_state state;
    const struct upstream *server;
    struct timer deadline;
    struct http_call *warm_up; /* WARMING */
    struct ws_dial *dial;      /* DIALLING */
    struct ws_conn ws;         /* OPEN, CLOSING */
};

static const struct ws_settings ws_settings = {.max_message = MESSAGE_MAX};

static struct loop *loop_of(const struct room_probe *p)
{
    return p->probe.all->ticker->loop;
}

static void room_probe_free(struct room_probe *p)
{
    list_remove(&p->probe.node);
    wheel_cancel(loop_wheel(loop_of(p)), &p->deadline);
    free(p);
}

static void cancel(struct probe *probe)
{
    struct room_probe *p = CONTAINER_OF(probe, struct room_probe, probe);
    bool open = p->state == ROOM_PROBE_OPEN || p->state == ROOM_PROBE_CLOSING;
    p->state = ROOM_PROBE_CLOSING;
    if (open) {
        ws_abort(&p->ws); /* freed from on_closed */
        return;
    }
    if (p->warm_up != NULL)
        http_call_cancel(p->warm_up);
    if (p->dial != NULL)
        ws_dial_cancel(p->dial);
    room_probe_free(p);
}

static void tell(struct room_probe *p, enum checks_room what, int status, const char *why)
{
    struct ticker *t = p->probe.all->ticker;
    struct buf origin = {0};
    url_origin_add(&origin, p->server->origin);
    checks_room(node_checks(t->node), buf_span(&origin), what, status, why, ticker_now(t));
    ticker_touch(t);
    buf_clear(&origin);
    probe_over(&p->probe);
}

static void tell_and_free(struct room_probe *p, enum checks_room what, int status, const char *why)
{
    tell(p, what, status, why);
    room_probe_free(p);
}

/* ---- the link */

/* One that the server has begun to close may take its time to end. */
static void judge_link(struct room_probe *p)
{
    bool stands = ws_is_open(&p->ws);
    p->state = ROOM_PROBE_CLOSING;
    wheel_cancel(loop_wheel(loop_of(p)), &p->deadline);
    tell(p, stands ? CHECKS_ROOM_STANDS : CHECKS_ROOM_CUTS, 0, NULL);
    ws_close(&p->ws, WS_CODE_NORMAL, SPAN(""));
}

static void on_message(struct ws_conn *w, char *data, size_t len, bool binary)
{
    struct room_probe *p = CONTAINER_OF(w, struct room_probe, ws);
    (void)data, (void)len, (void)binary;
    if (p->state == ROOM_PROBE_OPEN)
        judge_link(p);
}

static void on_closed(struct ws_conn *w, uint16_t code)
{
    struct room_probe *p = CONTAINER_OF(w, struct room_probe, ws);
    (void)code;
    if (p->state == ROOM_PROBE_OPEN)
        tell(p, CHECKS_ROOM_CUTS, 0, NULL);
    room_probe_free(p);
}

static const struct ws_ops ws_ops = {.message = on_message, .closed = on_closed};

static void on_open(void *ctx, struct ws_dial *d)
{
    struct room_probe *p = ctx;
    p->dial = NULL;
    p->state = ROOM_PROBE_OPEN;
    ws_dial_take(d, &p->ws, &ws_ops, &ws_settings);
    wheel_set(loop_wheel(loop_of(p)), &p->deadline, loop_now(loop_of(p)) + STANDS_MS);
}

/* ---- the way there */

static void on_dial_failed(void *ctx, enum err why, int status)
{
    struct room_probe *p = ctx;
    const char *fault = ws_dial_fault(p->dial);
    tell_and_free(p, why == ERR_MISSING ? CHECKS_ROOM_SILENT : CHECKS_ROOM_REFUSES, status, fault);
}

static const struct ws_dial_ops dial_ops = {.open = on_open, .failed = on_dial_failed};

static void on_warm_head(void *ctx, const struct http_head *h)
{
    (void)ctx, (void)h; /* any answer will do */
}

static void on_warm_body(void *ctx, struct span part)
{
    (void)ctx, (void)part;
}

static void on_warm(void *ctx)
{
    struct room_probe *p = ctx;
    const struct checkups *all = p->probe.all;
    struct span world = span_str(all->node->world_id), secret = secrets_first(all->secrets);
    struct buf headers = {0};
    p->warm_up = NULL;
    p->state = ROOM_PROBE_DIALLING;
    buf_addf(&headers, "x-shard-id: %s\r\nx-shard-world-id: ", PROBE_ROOM);
    hop_add_value(&headers, world);
    BUF_ADD_LIT(&headers, "\r\nx-access-shard: ");
    hop_add_value(&headers, secret);
    BUF_ADD_LIT(&headers, "\r\n");
    p->dial = ws_dial_start(loop_of(p), p->server->origin, SPAN("/parties/main/" PROBE_ROOM),
                            buf_span(&headers), CHECKUP_DIAL_MS, &dial_ops, p);
    buf_clear(&headers);
}

static void on_warm_failed(void *ctx, enum err why)
{
    struct room_probe *p = ctx;
    (void)why;
    p->warm_up = NULL;
    tell_and_free(p, CHECKS_ROOM_SILENT, 0, http_pool_fault(p->server->errands));
}

static const struct http_call_ops warm_ops = {
    .head = on_warm_head,
    .body = on_warm_body,
    .end = on_warm,
    .failed = on_warm_failed,
};

/* The time of the dial is over, or that in which a server would have closed the link. */
static void on_deadline(struct timer *t, int64_t now)
{
    struct room_probe *p = CONTAINER_OF(t, struct room_probe, deadline);
    (void)now;
    switch (p->state) {
    case ROOM_PROBE_WARMING:
        http_call_cancel(p->warm_up);
        tell_and_free(p, CHECKS_ROOM_SILENT, 0, "timed out");
        break;
    case ROOM_PROBE_DIALLING:
        ws_dial_cancel(p->dial);
        tell_and_free(p, CHECKS_ROOM_REFUSES, 0, "timed out");
        break;
    case ROOM_PROBE_OPEN:
        judge_link(p);
        break;
    case ROOM_PROBE_CLOSING:
        break;
    }
}

static void start(struct probe *probe)
{
    struct room_probe *p = CONTAINER_OF(probe, struct room_probe, probe);
    p->deadline.fire = on_deadline;
    wheel_set(loop_wheel(loop_of(p)), &p->deadline, loop_now(loop_of(p)) + CHECKUP_DIAL_MS);
    p->warm_up = http_pool_call(p->server->errands,
                                SPAN("OPTIONS /parties/main/" PROBE_ROOM " HTTP/1.1\r\n"),
                                HTTP_BODY_NO, &warm_ops, p);
}

static const struct probe_kind kind = {.start = start, .cancel = cancel};

struct probe *room_probe_new(const struct upstream *server)
{
    struct room_probe *p = xcalloc(1, sizeof *p);
    *p = (struct room_probe){.probe.kind = &kind, .server = server};
    return &p->probe;
}
