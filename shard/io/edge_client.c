/* A client's socket, from the 101 to its end. What its messages mean is core's. */
#include "shard/io/edge_client.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "shard/core/checks.h"

struct edge_client {
    struct ws_conn ws;
    struct list node;
    struct edge_clients *all;
    union { /* all-zero: nobody hears it any more */
        struct handle handle;
        struct edge_greeting *greeting; /* while ws.ops is greeting_ops */
    };
    struct rate rate;
    struct traced *traced; /* NULL: it is of no trace */
};

/* What lines on a client have, as long as it stays. */
struct traced {
    struct trace trace;
    struct log_about about;
};

static struct traced *traced_new(const struct trace *t)
{
    if (trace_is_none(t))
        return NULL;
    struct traced *traced = xcalloc(1, sizeof *traced);
    traced->trace = *t;
    traced->about = (struct log_about){.trace = traced->trace.id, .span = traced->trace.span};
    return traced;
}

static void edge_client_free(struct edge_client *c)
{
    free(c->traced);
    free(c);
}

/* A message counts once. Where little can become much, once more for each PART_BYTES of it. */
static bool is_within_rate(struct edge_client *c, size_t len)
{
    enum { PART_BYTES = 64 * 1024 };
    const struct rate_limit *limit = &c->all->rate;
    size_t count = 1 + (c->ws.window_bits != 0 ? len / PART_BYTES : 0);
    if (limit->burst == 0)
        return true;
    if (count > limit->burst)
        count = limit->burst;
    return rate_take(&c->rate, limit, (uint32_t)count, ticker_now(c->all->ticker));
}

static void on_message(struct ws_conn *w, char *data, size_t len, bool binary)
{
    struct edge_client *c = CONTAINER_OF(w, struct edge_client, ws);
    struct ticker *t = c->all->ticker;
    if (handle_is_none(c->handle))
        return;
    if (!is_within_rate(c, len)) {
        ws_fail(w, WS_CODE_RATE_LIMITED, SPAN("rate limited"));
        return;
    }
    node_client_message(t->node, c->handle, span_of(data, len), binary, ticker_now(t));
    ticker_touch(t);
}

/* What ended a socket that core has not closed itself. */
static enum node_reason end_reason(const struct ws_conn *w, uint16_t code)
{
    if (!w->ours)
        return code == WS_CODE_ABNORMAL ? NODE_PEER_GONE : NODE_PEER_CLOSED;
    switch (code) {
    case WS_CODE_HEARTBEAT_TIMEOUT:
        return NODE_PEER_SILENT;
    case WS_CODE_SLOW_CONSUMER:
        return NODE_PEER_SLOW;
    case WS_CODE_RATE_LIMITED:
        return NODE_PEER_FLOODING;
    case WS_CODE_POLICY:
        return NODE_PEER_UNFINISHED;
    case WS_CODE_TRY_LATER:
        return NODE_PEER_UNBUFFERED;
    }
    return NODE_PEER_INVALID;
}

/* The socket is gone, and so is c. */
static void forget(struct edge_client *c, uint16_t code)
{
    log_debug("client.closed", "code=%u", code);
    c->all->stats->closes[close_code_index(code)]++;
    list_remove(&c->node);
    edge_client_free(c);
}

static void end(struct edge_client *c, uint16_t code)
{
    const struct ws_conn *w = &c->ws;
    struct ticker *t = c->all->ticker;
    struct handle handle = c->handle;
    enum node_reason why = end_reason(w, code);
    int64_t now = ticker_now(t), heard_ms = w->heard_ms, ping_ms = w->settings->ping_ms;
    handles_remove(&c->all->table, handle);
    forget(c, code);
    if (handle_is_none(handle))
        return;
    if (why == NODE_PEER_GONE)
        checks_broke_off(node_checks(t->node), now - heard_ms, ping_ms, now);
    node_client_closed(t->node, handle, why, now);
    ticker_touch(t);
}

static void on_closed(struct ws_conn *w, uint16_t code)
{
    struct edge_client *c = CONTAINER_OF(w, struct edge_client, ws);
    struct traced *traced = c->traced;
    struct log_about *before = log_enter(traced == NULL ? NULL : &traced->about);
    c->traced = NULL; /* it outlives the client */
    end(c, code);
    (void)log_enter(before);
    free(traced);
}

static const struct ws_ops client_ops = {.message = on_message, .closed = on_closed};

static void on_greeting(struct ws_conn *w, char *data, size_t len, bool binary)
{
    struct edge_client *c = CONTAINER_OF(w, struct edge_client, ws);
    (void)binary;
    if (c->greeting != NULL)
        c->greeting->ops->heard(c->greeting, span_of(data, len));
}

static void on_greeting_closed(struct ws_conn *w, uint16_t code)
{
    struct edge_client *c = CONTAINER_OF(w, struct edge_client, ws);
    if (c->greeting != NULL)
        c->greeting->ops->gone(c->greeting);
    forget(c, code);
}

static const struct ws_ops greeting_ops = {.message = on_greeting, .closed = on_greeting_closed};

void edge_clients_init(struct edge_clients *all, struct ticker *t, struct ws_settings *ws,
                       const struct settings *s, struct io_stats *stats)
{
    *all = (struct edge_clients){
        .ticker = t,
        .settings = ws,
        .rate = s->message_rate,
        .deflate = s->compression,
        .stats = stats,
    };
    list_init(&all->all);
    packer_init(&all->packer, t->loop, (size_t)s->compression_min, &stats->packer);
    ws->deflate = all->packer.deflate;
}

/* `deflate`: a rule's. */
static struct edge_client *edge_client_new(struct edge_clients *all, struct http_exchange *x,
                                           struct span key, struct span protocol, int8_t deflate,
                                           const struct ws_ops *ops,
                                           const struct ws_settings *settings)
{
    bool wanted = deflate < 0 ? all->deflate : deflate > 0;
    struct ws_offer offer = wanted ? ws_offer_choose(x->head) : (struct ws_offer){.window_bits = 0};
    struct edge_client *c = xcalloc(1, sizeof *c);
    c->all = all;
    c->traced = traced_new(&x->trace);
    list_push(&all->all, &c->node);
    histogram_add(&all->stats->upgrade, clock_mono_us() - x->begun_us);
    http_exchange_upgrade(x, &c->ws, key, protocol, offer.answer, ops, settings);
    ws_conn_deflate(&c->ws, offer.window_bits);
    return c;
}

void edge_client_open(struct edge_clients *all, struct handle handle, struct http_exchange *x,
                      struct span key, struct span protocol, int8_t deflate)
{
    struct edge_client *c =
        edge_client_new(all, x, key, protocol, deflate, &client_ops, all->settings);
    c->handle = handle;
    handles_set(&all->table, handle, c);
}

struct edge_client *edge_client_greet(struct edge_clients *all, struct edge_greeting *g,
                                      struct http_exchange *x, struct span key,
                                      struct span protocol, int8_t deflate,
                                      const struct ws_settings *settings)
{
    struct edge_client *c =
        edge_client_new(all, x, key, protocol, deflate, &greeting_ops, settings);
    c->greeting = g;
    return c;
}

void edge_client_enter(struct edge_client *c, struct handle handle)
{
    c->handle = handle;
    handles_set(&c->all->table, handle, c);
    ws_conn_turn(&c->ws, &client_ops, c->all->settings);
}

void edge_client_dismiss(struct edge_client *c, uint16_t code, struct span reason)
{
    c->handle = (struct handle){0};
    ws_fail(&c->ws, code, reason);
}

void edge_client_hold(struct edge_client *c)
{
    conn_pause(&c->ws.conn, CONN_PAUSE_CODEC);
}

struct conn *edge_client_leave(struct edge_client *c)
{
    if (!ws_is_open(&c->ws))
        return NULL;
    list_remove(&c->node);
    return ws_conn_leave(&c->ws);
}

void edge_client_bury(struct edge_client *c)
{
    edge_client_free(c);
}

void edge_client_send(struct edge_clients *all, struct handle handle, struct frame *frame)
{
    struct edge_client *c = handles_get(&all->table, handle);
    if (c == NULL)
        return;
    if (c->ws.window_bits != 0)
        frame = packer_pack(&all->packer, frame, c->ws.window_bits);
    ws_send_frame(&c->ws, frame_ref(frame));
}

void edge_client_close(struct edge_clients *all, struct handle handle, uint16_t code,
                       struct span reason)
{
    struct edge_client *c = handles_get(&all->table, handle);
    if (c == NULL)
        return;
    handles_remove(&all->table, handle);
    c->handle = (struct handle){0};
    conn_resume(&c->ws.conn, CONN_PAUSE_LINK); /* its answer to the close frame is wanted */
    ws_close(&c->ws, code, reason);
}

void edge_client_pause(struct edge_clients *all, struct handle handle, bool pause)
{
    struct edge_client *c = handles_get(&all->table, handle);
    if (c == NULL)
        return;
    if (pause)
        conn_pause(&c->ws.conn, CONN_PAUSE_LINK);
    else
        conn_resume(&c->ws.conn, CONN_PAUSE_LINK);
}

bool edge_clients_are_gone(const struct edge_clients *all)
{
    return list_empty(&all->all);
}

void edge_clients_abort(struct edge_clients *all)
{
    LIST_EACH_SAFE (&all->all, it, next) {
        struct edge_client *c = CONTAINER_OF(it, struct edge_client, node);
        if (c->ws.ops == &client_ops)
            c->handle = (struct handle){0};
        ws_abort(&c->ws);
    }
    handles_clear(&all->table);
}

void edge_clients_clear(struct edge_clients *all)
{
    packer_clear(&all->packer);
}
