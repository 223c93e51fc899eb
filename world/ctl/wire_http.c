/* Requests: one connection each. */
#include <stdlib.h>

#include "world/ctl/wire_parts.h"

enum { WRITE_MAX = 16384, NO_CONTENT = 204, NOT_MODIFIED = 304 };

struct wire_exchange {
    struct wire_conn conn;
    char *method;
    struct span body; /* owned; of the request */
    size_t written;
    int64_t answer_ms;
    const struct wire_pieces *pieces; /* NULL: the answer is collected */
    struct wire_answer answer;
    wire_done_fn *done;
    void *ctx;
};

static void exchange_free(struct wire_conn *c)
{
    struct wire_exchange *x = CONTAINER_OF(c, struct wire_exchange, conn);

    wire_conn_clear(c);
    wire_answer_clear(&x->answer);
    span_free(x->body);
    free(x->method);
    free(x);
}

void wire_abandon(struct wire_exchange *x)
{
    exchange_free(&x->conn);
}

/* The handle is gone then. */
static void end(struct wire_exchange *x, enum err err, struct span why)
{
    x->answer.err = err;
    if (err != ERR_OK) {
        buf_add_span(&x->answer.why, buf_span(&x->conn.peer));
        if (x->conn.peer.len > 0)
            BUF_ADD_LIT(&x->answer.why, ": ");
        buf_add_span(&x->answer.why, why);
    }
    x->done(x->ctx, &x->answer);
    exchange_free(&x->conn);
}

/* -1: for lws, which closes. */
static int end_inside(struct wire_exchange *x, enum err err, struct span why)
{
    if (x->conn.wsi != NULL)
        lws_set_opaque_user_data(x->conn.wsi, NULL);
    x->conn.wsi = NULL;
    end(x, err, why);
    return -1;
}

/* ---- time */

static void answer_late(lws_sorted_usec_list_t *due)
{
    struct wire_exchange *x = CONTAINER_OF(due, struct wire_exchange, conn.due);

    end(x, ERR_TIMEOUT, SPAN("no answer in time"));
}

static void dial_late(lws_sorted_usec_list_t *due)
{
    struct wire_exchange *x = CONTAINER_OF(due, struct wire_exchange, conn.due);

    if (x->conn.failed)
        end(x, x->conn.peer.len == 0 ? ERR_SYNTAX : ERR_IO, buf_span(&x->conn.why));
    else
        end(x, ERR_IO, SPAN("no connection in time"));
}

static void wait_more(struct wire_exchange *x)
{
    wire_conn_due(&x->conn, x->answer_ms, answer_late);
}

/* ---- what lws tells */

static int write_body(struct wire_exchange *x)
{
    char room[LWS_PRE + WRITE_MAX];
    struct span part = span_slice(x->body, x->written, x->written + WRITE_MAX);
    bool last = x->written + part.len == x->body.len;

    if (part.len > 0)
        memcpy(room + LWS_PRE, part.ptr, part.len);
    if (lws_write(x->conn.wsi, (unsigned char *)room + LWS_PRE, part.len,
                  last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
        return end_inside(x, ERR_CLOSED, SPAN("it closed the connection"));
    x->written += part.len;
    wait_more(x);
    lws_client_http_body_pending(x->conn.wsi, last ? 0 : 1);
    if (!last)
        lws_callback_on_writable(x->conn.wsi);
    return 0;
}

static int connected(struct wire_exchange *x, void *in, size_t len)
{
    wait_more(x);
    if (x->body.len > 0) {
        lws_client_http_body_pending(x->conn.wsi, 1);
        lws_callback_on_writable(x->conn.wsi);
    }
    return wire_conn_add_headers(&x->conn, in, len);
}

static int64_t cert_until_s(struct lws *wsi)
{
    union lws_tls_cert_info_results info;

    return lws_tls_peer_cert_info(wsi, LWS_TLS_CERT_INFO_VALIDITY_TO, &info, 0) == 0
               ? (int64_t)info.time
               : 0;
}

static int answered(struct wire_exchange *x)
{
    x->answer.cert_until_s = cert_until_s(x->conn.wsi);
    x->answer.status = (int)lws_http_client_http_response(x->conn.wsi);
    wait_more(x);
    if (x->answer.status == NO_CONTENT || x->answer.status == NOT_MODIFIED)
        return end_inside(x, ERR_OK, (struct span){0});
    if (x->answer.status != 200)
        x->pieces = NULL;
    if (x->pieces != NULL)
        x->pieces->begin(x->ctx, x->answer.status);
    return 0;
}

/* Has lws call back with the body that has come. */
static int read_body(struct wire_exchange *x)
{
    char room[LWS_PRE + WRITE_MAX];
    char *at = room + LWS_PRE;
    int len = WRITE_MAX;

    return lws_http_client_read(x->conn.wsi, &at, &len);
}

static int take_body(struct wire_exchange *x, struct span data)
{
    wait_more(x);
    if (x->pieces != NULL) {
        x->pieces->piece(x->ctx, data);
        return 0;
    }
    if (x->answer.body.len + data.len > WIRE_BODY_MAX)
        return end_inside(x, ERR_LIMIT, SPAN("the answer is longer than 64 MiB"));
    buf_add_span(&x->answer.body, data);
    return 0;
}

static int on_event(struct wire_conn *c, enum lws_callback_reasons why, void *in, size_t len)
{
    struct wire_exchange *x = CONTAINER_OF(c, struct wire_exchange, conn);

    switch ((int)why) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return connected(x, in, len);
    case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE:
        return x->written < x->body.len ? write_body(x) : 0;
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        return answered(x);
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP:
        return read_body(x);
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
        return take_body(x, span_of(in, len));
    case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
        return end_inside(x, ERR_OK, (struct span){0});
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        wire_conn_fails(c, in, len);
        if (!c->dialling)
            wire_conn_due(c, 0, dial_late);
        return 0;
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
        return end_inside(x, ERR_CLOSED, SPAN("it closed the connection"));
    }
    return 0;
}

/* ---- asking */

struct wire_exchange *wire_begin_pieces(struct wire *w, const struct wire_call *call,
                                        struct span more, const struct wire_pieces *pieces,
                                        wire_done_fn *done, void *ctx)
{
    struct wire_exchange *x = xcalloc(1, sizeof(*x));

    x->conn.on = on_event;
    x->conn.free = exchange_free;
    x->method = xstrdup(call->method == NULL ? "GET" : call->method);
    x->body = span_copy(call->body);
    x->answer_ms = call->answer_ms > 0 ? call->answer_ms : WIRE_ANSWER_MS;
    x->pieces = pieces;
    x->done = done;
    x->ctx = ctx;
    wire_conn_init(&x->conn, w);
    wire_conn_dial(&x->conn, &(struct wire_to){.call = call, .method = x->method, .more = more},
                   dial_late);
    return x;
}

struct wire_exchange *wire_begin(struct wire *w, const struct wire_call *call, wire_done_fn *done,
                                 void *ctx)
{
    return wire_begin_pieces(w, call, (struct span){0}, NULL, done, ctx);
}

/* ---- asking and waiting */

struct waiting {
    struct wire *wire;
    struct wire_answer *out;
    bool done;
};

static void take_answer(void *ctx, const struct wire_answer *a)
{
    struct waiting *waiting = ctx;

    waiting->out->err = a->err;
    waiting->out->status = a->status;
    waiting->out->cert_until_s = a->cert_until_s;
    buf_add_span(&waiting->out->body, buf_span(&a->body));
    buf_add_span(&waiting->out->why, buf_span(&a->why));
    waiting->done = true;
    wire_stop(waiting->wire);
}

bool wire_request(struct wire *w, const struct wire_call *call, struct wire_answer *out)
{
    struct waiting waiting = {.wire = w, .out = out};
    struct wire_exchange *x;

    *out = (struct wire_answer){0};
    if (call->body.len > WIRE_BODY_MAX) {
        out->err = ERR_LIMIT;
        BUF_ADD_LIT(&out->why, "the body is longer than 64 MiB");
        return false;
    }
    x = wire_begin(w, call, take_answer, &waiting);
    (void)wire_run(w);
    if (!waiting.done) {
        wire_abandon(x);
        out->err = ERR_CLOSED;
        BUF_ADD_LIT(&out->why, "interrupted");
    }
    return out->err == ERR_OK;
}

void wire_answer_clear(struct wire_answer *a)
{
    buf_clear(&a->body);
    buf_clear(&a->why);
    *a = (struct wire_answer){0};
}
