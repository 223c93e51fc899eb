/* A link's life: warm-up, dial, frames, end. Owns the sockets; what a lost link means for clients
 * is core's. */
#include "shard/io/room_link.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/proto/hop.h"
#include "common/proto/url.h"
#include "shard/core/checks.h"

enum {
    DIAL_TIMEOUT_MS = 5000,
    STANDS_MS = 1000, /* a link that fell later was accepted */
};

enum room_link_state {
    ROOM_LINK_WARMING,
    ROOM_LINK_DIALLING,
    ROOM_LINK_UP,
    ROOM_LINK_CLOSING, /* core has forgotten it */
};

struct room_link {
    struct ws_conn ws;
    struct list node;
    struct room_links *all;
    struct handle handle;
    enum room_link_state state;

    const struct upstream *server;
    struct reached *reached;
    struct http_call *warm_up; /* WARMING */
    struct ws_dial *dial;      /* DIALLING */
    struct buf target, headers;
    int64_t begun_us; /* WARMING and DIALLING since then */
    int64_t up_ms;    /* since when it is UP; 0: it has not been */
    bool heard;       /* the room has said something, or told that it reads */
    struct outq late; /* UP, but its end has begun: texts that no link has been given */
};

static const uint8_t link_next[] = {
    [ROOM_LINK_WARMING] = 1u << ROOM_LINK_DIALLING,
    [ROOM_LINK_DIALLING] = 1u << ROOM_LINK_UP,
    [ROOM_LINK_UP] = 1u << ROOM_LINK_CLOSING,
    [ROOM_LINK_CLOSING] = 0,
};

static void count(struct room_link *l, int by)
{
    struct io_stats *stats = l->all->stats;
    uint64_t add = (uint64_t)(int64_t)by;
    if (l->state == ROOM_LINK_CLOSING)
        stats->links_closing += add;
}

static void room_link_go(struct room_link *l, enum room_link_state next)
{
    assert(link_next[l->state] >> next & 1u);
    count(l, -1);
    l->state = next;
    count(l, 1);
}

static void room_link_free(struct room_link *l)
{
    count(l, -1);
    room_reach_leave(l->reached, ticker_now(l->all->ticker));
    list_remove(&l->node);
    handles_remove(&l->all->table, l->handle);
    buf_clear(&l->target);
    buf_clear(&l->headers);
    outq_clear(&l->late);
    free(l);
}

/* What core is to make of the server. */
static void room_link_tell(const struct room_link *l, enum checks_room what, int status,
                           const char *why)
{
    struct ticker *t = l->all->ticker;
    struct buf origin = {0};
    url_origin_add(&origin, l->server->origin);
    checks_room(node_checks(t->node), buf_span(&origin), what, status, why, ticker_now(t));
    ticker_touch(t);
    buf_clear(&origin);
}

/* The room accepts the link. */
static void room_link_heard(struct room_link *l)
{
    if (l->heard)
        return;
    l->heard = true;
    room_link_tell(l, CHECKS_ROOM_STANDS, 0, NULL);
}

/* It fell, though nobody here closed it. Reference servers without our secret answer 101 all the
 * same, and close then; one that breaks off has died, or something between us. */
static void room_link_fell(struct room_link *l, uint16_t code)
{
    bool ends = code == WS_CODE_RESTART || code == WS_CODE_GOING_AWAY || code == WS_CODE_ABNORMAL;
    if (l->heard || ends)
        return;
    bool stood = l->ws.heard_ms - l->up_ms >= STANDS_MS; /* until its close frame */
    room_link_tell(l, stood ? CHECKS_ROOM_STANDS : CHECKS_ROOM_CUTS, 0, NULL);
}

/* Frees the link and tells core, which may dial anew at once. */
static void room_link_lost(struct room_link *l, size_t lost)
{
    struct ticker *t = l->all->ticker;
    struct handle handle = l->handle;
    room_link_free(l);
    node_link_down(t->node, handle, lost, ticker_now(t));
    ticker_touch(t);
}

/* ---- the link itself */

static void on_message(struct ws_conn *w, char *data, size_t len, bool binary)
{
    struct room_link *l = CONTAINER_OF(w, struct room_link, ws);
    struct ticker *t = l->all->ticker;
    (void)binary; /* core checks that it is JSON, and with that UTF-8 */
    if (l->state != ROOM_LINK_UP)
        return;
    room_link_heard(l);
    node_link_frame(t->node, l->handle, span_of(data, len), ticker_now(t));
    ticker_touch(t);
}

static void on_pong(struct ws_conn *w, struct span payload)
{
    struct room_link *l = CONTAINER_OF(w, struct room_link, ws);
    struct ticker *t = l->all->ticker;
    uint32_t number;
    if (l->state != ROOM_LINK_UP || payload.len != sizeof number)
        return;
    memcpy(&number, payload.ptr, sizeof number);
    room_link_heard(l);
    node_link_pong(t->node, l->handle, number, ticker_now(t));
    ticker_touch(t);
}

static void on_drained(struct ws_conn *w)
{
    struct room_link *l = CONTAINER_OF(w, struct room_link, ws);
    struct ticker *t = l->all->ticker;
    if (l->state != ROOM_LINK_UP)
        return;
    node_link_drained(t->node, l->handle, ticker_now(t));
    ticker_touch(t);
}

static void give_back(void *ctx, struct span text)
{
    const struct room_link *l = ctx;
    struct ticker *t = l->all->ticker;
    node_link_unsent(t->node, l->handle, text, ticker_now(t));
}

static void give_back_all(struct room_link *l)
{
    ws_take_unsent(&l->ws, give_back, l);
    for (struct frame *f; (f = outq_pop(&l->late)) != NULL; frame_unref(f))
        give_back(l, span_of(f->data, f->len));
}

static void on_closed(struct ws_conn *w, uint16_t code)
{
    struct room_link *l = CONTAINER_OF(w, struct room_link, ws);
    if (code == WS_CODE_PROTOCOL || code == WS_CODE_BAD_DATA || code == WS_CODE_TOO_BIG)
        l->all->stats->link_bad_frames++;
    if (l->state != ROOM_LINK_UP) {
        room_link_free(l);
        return;
    }
    if (!w->ours)
        room_link_fell(l, code);
    size_t unacknowledged = conn_unacknowledged(&w->conn);
    give_back_all(l);
    room_link_lost(l, unacknowledged);
}

static const struct ws_ops link_ops = {
    .message = on_message,
    .pong = on_pong,
    .drained = on_drained,
    .closed = on_closed,
};

/* ---- the dial */

static void on_open(void *ctx, struct ws_dial *d)
{
    struct room_link *l = ctx;
    struct ticker *t = l->all->ticker;
    l->dial = NULL;
    ws_dial_take(d, &l->ws, &link_ops, l->all->settings);
    room_link_go(l, ROOM_LINK_UP);
    histogram_add(&l->all->stats->dial, clock_mono_us() - l->begun_us);
    l->up_ms = ticker_now(t);
    room_link_tell(l, CHECKS_ROOM_OPEN, 0, NULL);
    if (room_reach_found(l->reached))
        log_info("room.reachable", "server=%s", l->server->origin->text);
    node_link_up(t->node, l->handle, ticker_now(t));
    ticker_touch(t);
}

static void dial_failed(struct room_link *l, enum checks_room what, const char *fault, int status)
{
    const char *server = l->server->origin->text;
    if (room_reach_missed(l->reached))
        log_warn("room.unreachable", "server=%s why=%s status=%d", server, fault, status);
    log_debug("link.dial_failed", "server=%s why=%s status=%d", server, fault, status);
    room_link_tell(l, what, status, fault);
    room_link_lost(l, 0);
}

static void on_dial_failed(void *ctx, enum err why, int status)
{
    struct room_link *l = ctx;
    const char *fault = ws_dial_fault(l->dial);
    l->dial = NULL;
    dial_failed(l, why == ERR_MISSING ? CHECKS_ROOM_SILENT : CHECKS_ROOM_REFUSES, fault, status);
}

static const struct ws_dial_ops dial_ops = {.open = on_open, .failed = on_dial_failed};

/* ---- the warm-up: any answer will do, it is the asking that makes the room */

static void on_warm_head(void *ctx, const struct http_head *h)
{
    (void)ctx;
    (void)h;
}

static void on_warm_body(void *ctx, struct span part)
{
    (void)ctx;
    (void)part;
}

static void on_warm(void *ctx)
{
    struct room_link *l = ctx;
    l->warm_up = NULL;
    room_link_go(l, ROOM_LINK_DIALLING);
    l->dial = ws_dial_start(l->all->ticker->loop, l->server->origin, buf_span(&l->target),
                            buf_span(&l->headers), DIAL_TIMEOUT_MS, &dial_ops, l);
}

static void on_warm_failed(void *ctx, enum err why)
{
    struct room_link *l = ctx;
    (void)why;
    l->warm_up = NULL;
    dial_failed(l, CHECKS_ROOM_SILENT, http_pool_fault(l->server->errands), 0);
}

static const struct http_call_ops warm_ops = {
    .head = on_warm_head,
    .body = on_warm_body,
    .end = on_warm,
    .failed = on_warm_failed,
};

static void add_header(struct buf *out, const char *name, struct span value)
{
    buf_addf(out, "%s: ", name);
    hop_add_value(out, value);
    BUF_ADD_LIT(out, "\r\n");
}

static void warm_up(struct room_link *l)
{
    struct buf head = {0};
    buf_addf(&head, "OPTIONS %.*s HTTP/1.1\r\n", SPAN_ARG(buf_span(&l->target)));
    l->warm_up = http_pool_call(l->server->errands, buf_span(&head), HTTP_BODY_NO, &warm_ops, l);
    buf_clear(&head);
}

void room_links_init(struct room_links *all, struct ticker *t, struct room_servers *rooms,
                     const struct secrets *secrets, const struct ws_settings *settings,
                     struct io_stats *stats)
{
    *all = (struct room_links){
        .ticker = t,
        .rooms = rooms,
        .secrets = secrets,
        .settings = settings,
        .stats = stats,
    };
    list_init(&all->all);
}

void room_link_dial(struct room_links *all, struct handle handle, struct span shard,
                    struct span world, struct span room, struct span server)
{
    struct room_link *l = xcalloc(1, sizeof *l);
    l->all = all;
    l->handle = handle;
    l->begun_us = clock_mono_us();
    l->server = room_servers_find(all->rooms, server, room);
    assert(l->server != NULL); /* core dials only if there is one, and has checked its origin */
    l->reached = room_reach_dial(&all->reach, span_str(l->server->origin->text));
    BUF_ADD_LIT(&l->target, "/parties/main/");
    url_encode(&l->target, room);
    add_header(&l->headers, "x-shard-id", shard);
    add_header(&l->headers, "x-shard-world-id", world);
    add_header(&l->headers, "x-access-shard", secrets_first(all->secrets));
    list_push(&all->all, &l->node);
    handles_set(&all->table, handle, l);
    count(l, 1);
    warm_up(l);
}

void room_link_send(struct room_links *all, struct handle handle, struct span text)
{
    struct room_link *l = handles_get(&all->table, handle);
    if (l == NULL || l->state != ROOM_LINK_UP)
        return;
    if (ws_is_open(&l->ws))
        ws_send(&l->ws, WS_TEXT, text);
    else
        outq_push(&l->late, frame_of(text));
}

void room_link_ping(struct room_links *all, struct handle handle, uint32_t number)
{
    struct room_link *l = handles_get(&all->table, handle);
    if (l != NULL && l->state == ROOM_LINK_UP)
        ws_ping(&l->ws, span_of((const char *)&number, sizeof number));
}

static void give_dial_up(struct room_link *l)
{
    if (l->warm_up != NULL)
        http_call_cancel(l->warm_up);
    if (l->dial != NULL)
        ws_dial_cancel(l->dial);
    room_link_free(l);
}

static void close_link(struct room_link *l, uint16_t code)
{
    switch (l->state) {
    case ROOM_LINK_WARMING:
    case ROOM_LINK_DIALLING:
        give_dial_up(l);
        break;
    case ROOM_LINK_UP:
        handles_remove(&l->all->table, l->handle);
        room_link_go(l, ROOM_LINK_CLOSING);
        ws_close(&l->ws, code, SPAN(""));
        break;
    case ROOM_LINK_CLOSING:
        break;
    }
}

void room_link_finish(struct room_links *all, struct handle handle, uint16_t code)
{
    struct room_link *l = handles_get(&all->table, handle);
    if (l != NULL && l->state == ROOM_LINK_UP)
        ws_close(&l->ws, code, SPAN(""));
}

void room_link_close(struct room_links *all, struct handle handle, uint16_t code)
{
    struct room_link *l = handles_get(&all->table, handle);
    if (l != NULL)
        close_link(l, code);
}

size_t room_link_queued(const struct room_links *all, struct handle handle)
{
    const struct room_link *l = handles_get(&all->table, handle);
    return l == NULL || l->state != ROOM_LINK_UP ? 0 : conn_queued(&l->ws.conn) + l->late.bytes;
}

void room_links_close(struct room_links *all, uint16_t code)
{
    LIST_EACH_SAFE (&all->all, it, next)
        close_link(CONTAINER_OF(it, struct room_link, node), code);
}

bool room_links_are_gone(const struct room_links *all)
{
    return list_empty(&all->all);
}

void room_links_abort(struct room_links *all)
{
    LIST_EACH_SAFE (&all->all, it, next) {
        struct room_link *l = CONTAINER_OF(it, struct room_link, node);
        if (l->state == ROOM_LINK_UP)
            close_link(l, WS_CODE_GOING_AWAY);
        if (l->state == ROOM_LINK_CLOSING)
            ws_abort(&l->ws);
        else
            give_dial_up(l);
    }
    handles_clear(&all->table);
}
