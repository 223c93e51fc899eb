/* The client side of an opening handshake: connects, asks, reads the answer's head. */
#include "common/net/ws_dial.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/net/dial.h"
#include "common/proto/ws_handshake.h"

struct ws_dial {
    struct conn conn;
    struct dial dial;
    struct timer deadline;
    const struct ws_dial_ops *ops;
    void *ctx;
    struct buf request; /* until it is sent */
    struct buf head;    /* of the answer, until it is whole */
    size_t scanned;
    char key[WS_KEY_LEN];
    enum err why; /* of a failure that was found before the connection ended */
    int status;   /* of a refusal */
    bool unknown; /* the name has no address */
    bool was_open, cancelled, taken;
};

/* The dial is over and nothing of it is left on the loop. */
static void dial_free(struct ws_dial *d)
{
    wheel_cancel(loop_wheel(d->dial.loop), &d->deadline);
    dial_cancel(&d->dial);
    buf_clear(&d->request);
    buf_clear(&d->head);
    free(d);
}

static void report_failure(struct ws_dial *d)
{
    enum err why = d->why == ERR_OK ? ERR_IO : d->why;
    if (!d->cancelled)
        d->ops->failed(d->ctx, d->was_open ? why : ERR_MISSING, d->status);
    dial_free(d);
}

static void on_unknown(struct dial *dial)
{
    struct ws_dial *d = CONTAINER_OF(dial, struct ws_dial, dial);
    d->unknown = true;
    report_failure(d);
}

/* The end of the attempt; the failure is told from conn's `closed`. */
static void give_up(struct ws_dial *d, enum err why)
{
    d->why = why;
    conn_abort(&d->conn);
}

static void on_deadline(struct timer *t, int64_t now)
{
    (void)now;
    struct ws_dial *d = CONTAINER_OF(t, struct ws_dial, deadline);
    d->why = ERR_TIMEOUT;
    if (d->dial.resolve != NULL)
        report_failure(d);
    else
        conn_abort(&d->conn);
}

static void on_connected(struct conn *c)
{
    struct ws_dial *d = CONTAINER_OF(c, struct ws_dial, conn);
    d->was_open = true;
    conn_write_span(c, buf_span(&d->request));
    buf_clear(&d->request);
}

/* Nothing was offered, so nothing may be chosen (RFC 6455 section 4.1). */
static bool is_opened(const struct ws_dial *d, const struct http_head *head)
{
    return ws_handshake_answered(head, span_of(d->key, sizeof d->key)) &&
           http_head_count(head, SPAN("Sec-WebSocket-Protocol")) == 0;
}

/* The whole head of the answer is in d->head, `len` bytes of it. */
static void on_answer(struct ws_dial *d, size_t len)
{
    struct http_head head;
    if (http_head_parse_response(&head, d->head.data, len) != ERR_OK) {
        give_up(d, ERR_SYNTAX);
        return;
    }
    if (!is_opened(d, &head)) {
        d->status = head.status;
        give_up(d, ERR_DENIED);
        return;
    }
    conn_unread(&d->conn, d->head.data + len, d->head.len - len);
    d->ops->open(d->ctx, d);
    if (d->taken)
        dial_free(d);
    else
        give_up(d, ERR_CLOSED); /* nobody wanted it */
}

static void on_data(struct conn *c, char *data, size_t len)
{
    struct ws_dial *d = CONTAINER_OF(c, struct ws_dial, conn);
    size_t head_len;
    buf_add(&d->head, data, len);
    switch ((int)http_head_find(d->head.data, d->head.len, &d->scanned, &head_len)) {
    case ERR_OK:
        on_answer(d, head_len);
        break;
    case ERR_AGAIN:
        break;
    default:
        give_up(d, ERR_SYNTAX);
    }
}

static void on_closed(struct conn *c, enum conn_end end)
{
    (void)end;
    struct ws_dial *d = CONTAINER_OF(c, struct ws_dial, conn);
    bool over = d->was_open || d->why != ERR_OK || d->cancelled;
    if (over || !dial_next(&d->dial))
        report_failure(d);
}

static const struct conn_ops conn_ops = {
    .connected = on_connected, .data = on_data, .closed = on_closed};

struct ws_dial *ws_dial_start(struct loop *l, const struct url_origin *origin, struct span target,
                              struct span headers, int64_t timeout_ms,
                              const struct ws_dial_ops *ops, void *ctx)
{
    struct ws_dial *d = xcalloc(1, sizeof *d);
    d->ops = ops;
    d->ctx = ctx;
    ws_handshake_key(d->key);
    ws_handshake_request(&d->request, span_str(origin->text), target,
                         span_of(d->key, sizeof d->key), headers);
    d->deadline.fire = on_deadline;
    wheel_set(loop_wheel(l), &d->deadline, loop_now(l) + timeout_ms);
    dial_start(&d->dial, l, origin, &d->conn, &conn_ops, on_unknown);
    return d;
}

void ws_dial_take(struct ws_dial *d, struct ws_conn *w, const struct ws_ops *ops,
                  const struct ws_settings *settings)
{
    d->taken = true;
    ws_conn_start(w, &d->conn, false, ops, settings);
}

const char *ws_dial_fault(const struct ws_dial *d)
{
    if (d->unknown)
        return "unknown host";
    if (d->why == ERR_TIMEOUT)
        return "timed out";
    if (d->status != 0)
        return "no WebSocket";
    if (d->why == ERR_SYNTAX)
        return "answer is not HTTP";
    const char *fault = conn_fault(&d->conn);
    return fault != NULL ? fault : "closed without an answer";
}

void ws_dial_cancel(struct ws_dial *d)
{
    d->cancelled = true;
    if (d->dial.resolve != NULL)
        dial_free(d);
    else
        conn_abort(&d->conn); /* freed from its `closed` */
}
