/* Reads answers off one connection. Knows nothing of pools and of what is sent. */
#include "common/net/http_wire.h"

/* Of 1xx before an answer. More would keep us busy for as long as the server likes. */
enum { INTERIM_MAX = 16 };

static struct http_wire *wire_of(struct conn *c)
{
    return CONTAINER_OF(c, struct http_wire, conn);
}

static void finish(struct http_wire *w, bool behind)
{
    w->awaiting = w->in_body = false;
    w->behind = behind;
    w->ops->end(w, w->keep_alive);
}

static enum http_body_kind body_kind(const struct http_wire *w, const struct http_head *h)
{
    if (w->no_body || h->status == 204 || h->status == 304)
        return HTTP_BODY_NONE;
    if (h->chunked)
        return HTTP_BODY_CHUNKED;
    return h->content_length >= 0 ? HTTP_BODY_LENGTH : HTTP_BODY_UNTIL_CLOSE;
}

/* A final head; false when the wire has been broken off. */
static bool take_final_head(struct http_wire *w, const struct http_head *h)
{
    enum http_body_kind kind = body_kind(w, h);
    uint64_t length = h->content_length > 0 ? (uint64_t)h->content_length : 0;
    w->keep_alive = h->keep_alive && kind != HTTP_BODY_UNTIL_CLOSE;
    w->in_body = true;
    http_body_start(&w->body, kind, length);
    w->ops->head(w, h);
    return conn_is_open(&w->conn);
}

/* The next head, where it lies when it came whole, else by way of w->head. *data moves behind it;
 * *raw is the head's bytes. */
static enum err next_head(struct http_wire *w, char **data, size_t *len, struct http_head *h,
                          struct span *raw)
{
    size_t held = w->head.len, have = *len, head_len;
    const char *at = *data;
    if (held > 0) {
        buf_add(&w->head, *data, *len);
        at = w->head.data;
        have = w->head.len;
    }
    enum err e = http_head_find(at, have, &w->scanned, &head_len);
    if (e == ERR_AGAIN && held == 0)
        buf_add(&w->head, *data, *len);
    if (e != ERR_OK)
        return e;
    w->scanned = 0;
    *data += head_len - held;
    *len -= head_len - held;
    *raw = span_of(at, head_len);
    return http_head_parse_response(h, at, head_len);
}

/* The connection leaves HTTP, and us. */
static void upgrade(struct http_wire *w, struct span raw, struct span behind)
{
    struct buf head = w->head; /* `raw` may lie in it */
    w->head = (struct buf){0};
    w->awaiting = false;
    w->ops->upgraded(w, raw, behind);
    buf_clear(&head);
}

/* Reads heads until the final one; false: no more for now, broken off, or upgraded. */
static bool read_heads(struct http_wire *w, char **data, size_t *len)
{
    while (!w->in_body) {
        struct http_head h;
        struct span raw;
        enum err e = next_head(w, data, len, &h, &raw);
        if (e == ERR_AGAIN)
            return false;
        if (e == ERR_OK && h.status == 101 && w->ops->upgraded != NULL) {
            upgrade(w, raw, span_of(*data, *len));
            return false;
        }
        if (e != ERR_OK || h.status == 101) {
            http_wire_abort(w, ERR_SYNTAX);
            return false;
        }
        if (h.status < 200 && ++w->interim > INTERIM_MAX) {
            http_wire_abort(w, ERR_LIMIT);
            return false;
        }
        bool alive = h.status < 200 || take_final_head(w, &h);
        buf_clear(&w->head);
        if (!alive)
            return false;
    }
    return true;
}

/* *data moves behind what was read. */
static void read_body(struct http_wire *w, char **data, size_t *len)
{
    while (!w->body.done && conn_is_open(&w->conn)) {
        size_t used;
        struct span part;
        if (w->conn.pauses != 0) {
            conn_unread(&w->conn, *data, *len);
            *len = 0;
            return;
        }
        if (http_body_read(&w->body, *data, *len, &used, &part) != ERR_OK) {
            http_wire_abort(w, ERR_SYNTAX);
            return;
        }
        *data += used;
        *len -= used;
        if (part.len > 0)
            w->ops->body(w, part);
        if (used == 0 || (*len == 0 && !w->body.done))
            return;
    }
    if (conn_is_open(&w->conn))
        finish(w, *len > 0);
}

/* Answer after answer, as many as are here. */
static void on_data(struct conn *c, char *data, size_t len)
{
    struct http_wire *w = wire_of(c);
    do {
        if (!w->awaiting) {
            http_wire_abort(w, ERR_SYNTAX); /* nobody asked */
            return;
        }
        w->got_bytes = true;
        if (!w->in_body && !read_heads(w, &data, &len))
            return;
        read_body(w, &data, &len);
    } while (len > 0 && conn_is_open(&w->conn));
}

static void on_connected(struct conn *c)
{
    struct http_wire *w = wire_of(c);
    w->was_open = true;
    w->ops->connected(w);
}

static void on_drained(struct conn *c)
{
    struct http_wire *w = wire_of(c);
    w->ops->drained(w);
}

static void gone(struct http_wire *w)
{
    struct http_wire_ops ops = *w->ops;
    dial_cancel(&w->dial);
    buf_clear(&w->head);
    if (w->in_body && w->body.kind == HTTP_BODY_UNTIL_CLOSE && w->why == ERR_OK) {
        w->keep_alive = false;
        finish(w, false);
    }
    ops.gone(w, w->why == ERR_OK ? ERR_CLOSED : w->why);
}

static void on_closed(struct conn *c, enum conn_end end)
{
    struct http_wire *w = wire_of(c);
    if (end == CONN_END_ERROR && w->was_open && w->why == ERR_OK)
        w->why = ERR_IO;
    if (w->was_open || w->why != ERR_OK)
        gone(w);
    else if (!dial_next(&w->dial)) {
        w->why = ERR_IO;
        gone(w);
    }
}

static void on_unknown(struct dial *d)
{
    struct http_wire *w = CONTAINER_OF(d, struct http_wire, dial);
    w->why = ERR_IO;
    w->unknown = true;
    gone(w);
}

static const struct conn_ops conn_ops = {
    .connected = on_connected, .data = on_data, .drained = on_drained, .closed = on_closed};

void http_wire_dial(struct http_wire *w, struct loop *l, const struct url_origin *origin,
                    const struct http_wire_ops *ops)
{
    w->ops = ops;
    dial_start(&w->dial, l, origin, &w->conn, &conn_ops, on_unknown);
}

void http_wire_await(struct http_wire *w, bool no_body)
{
    w->awaiting = true;
    w->no_body = no_body;
    w->got_bytes = w->in_body = false;
    w->interim = 0;
}

const char *http_wire_fault(const struct http_wire *w, enum err why)
{
    if (w->unknown)
        return "unknown host";
    if (why == ERR_TIMEOUT)
        return "timed out";
    if (why == ERR_SYNTAX || why == ERR_LIMIT)
        return "answer is not HTTP";
    const char *fault = conn_fault(&w->conn);
    return fault != NULL ? fault : "closed without an answer";
}

void http_wire_abort(struct http_wire *w, enum err why)
{
    if (w->why == ERR_OK)
        w->why = why;
    if (w->dial.resolve == NULL) {
        conn_abort(&w->conn);
        return;
    }
    dial_cancel(&w->dial);
    gone(w);
}
