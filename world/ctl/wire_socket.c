/* A WebSocket: what waits to be said, and what came of a message. */
#include <stdlib.h>

#include <linux/tcp.h>

#include "world/ctl/wire_parts.h"

enum {
    CLOSE_WAIT_MS = 2000,
    PING_MAX = 125,
    REASON_MAX = 123,
    NO_CODE = 1005,
    BROKEN = 1006,
};

struct frame {
    struct list node;
    enum lws_write_protocol how;
    struct buf data; /* LWS_PRE bytes, then the payload */
};

struct wire_socket {
    struct wire_conn conn;
    const struct wire_socket_hear *hear;
    void *ctx;
    struct wire_timer ping;
    int64_t ping_ms;
    struct list frames;
    size_t waiting; /* bytes of messages */
    struct buf message, protocol;
    bool open, closing, close_sent, dropped, hearing;
    uint16_t our_code, code;
    int status; /* of an upgrade that was refused */
    struct buf our_reason, reason;
};

static void frame_free(struct frame *f)
{
    list_remove(&f->node);
    buf_clear(&f->data);
    free(f);
}

static void socket_free(struct wire_conn *c)
{
    struct wire_socket *s = CONTAINER_OF(c, struct wire_socket, conn);

    wire_conn_clear(c);
    wire_timer_clear(&s->ping);
    for (struct list *it; (it = list_first(&s->frames)) != NULL;)
        frame_free(CONTAINER_OF(it, struct frame, node));
    buf_clear(&s->message);
    buf_clear(&s->protocol);
    buf_clear(&s->our_reason);
    buf_clear(&s->reason);
    free(s);
}

void wire_socket_drop(struct wire_socket *s)
{
    s->dropped = true;
    if (!s->hearing)
        socket_free(&s->conn);
}

/* Behind each call of who hears; -1: it is gone. */
static int heard(struct wire_socket *s)
{
    s->hearing = false;
    if (!s->dropped)
        return 0;
    socket_free(&s->conn);
    return -1;
}

/* The handle is gone then. */
static void end(struct wire_socket *s, enum err err, int status)
{
    struct buf why = {0};

    if (err != ERR_OK) {
        buf_add_span(&why, buf_span(&s->conn.peer));
        if (why.len > 0)
            BUF_ADD_LIT(&why, ": ");
        buf_add_span(&why, buf_span(&s->conn.why));
    }
    if (s->conn.wsi != NULL)
        lws_set_opaque_user_data(s->conn.wsi, NULL);
    s->conn.wsi = NULL;
    s->hearing = true;
    s->hear->closed(s->ctx, &(struct wire_socket_end){.err = err,
                                                      .status = status,
                                                      .code = s->code,
                                                      .reason = buf_span(&s->reason),
                                                      .why = buf_span(&why)});
    buf_clear(&why);
    socket_free(&s->conn);
}

static void dial_late(lws_sorted_usec_list_t *due)
{
    struct wire_socket *s = CONTAINER_OF(due, struct wire_socket, conn.due);

    if (!s->conn.failed)
        BUF_ADD_LIT(&s->conn.why, "no connection in time");
    end(s, s->conn.peer.len == 0 ? ERR_SYNTAX : ERR_IO, s->status);
}

static void answer_late(lws_sorted_usec_list_t *due)
{
    struct wire_socket *s = CONTAINER_OF(due, struct wire_socket, conn.due);

    BUF_ADD_LIT(&s->conn.why, "no answer in time");
    end(s, ERR_TIMEOUT, 0);
}

static void close_late(lws_sorted_usec_list_t *due)
{
    struct wire_socket *s = CONTAINER_OF(due, struct wire_socket, conn.due);
    struct lws *wsi = s->conn.wsi;

    end(s, ERR_OK, 0);
    if (wsi != NULL)
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

/* ---- saying */

static void writable(struct wire_socket *s)
{
    if (s->open && s->conn.wsi != NULL)
        lws_callback_on_writable(s->conn.wsi);
}

static void queue(struct wire_socket *s, enum lws_write_protocol how, struct span data)
{
    struct frame *f = xcalloc(1, sizeof(*f));

    f->how = how;
    memset(buf_reserve(&f->data, LWS_PRE), 0, LWS_PRE);
    f->data.len = LWS_PRE;
    buf_add_span(&f->data, data);
    list_push(&s->frames, &f->node);
    s->waiting += data.len;
    writable(s);
}

enum err wire_socket_send(struct wire_socket *s, struct span text)
{
    if (s->waiting + text.len > WIRE_MESSAGE_MAX)
        return ERR_FULL;
    if (!s->closing)
        queue(s, LWS_WRITE_TEXT, text);
    return ERR_OK;
}

void wire_socket_ping(struct wire_socket *s, struct span data)
{
    if (!s->closing)
        queue(s, LWS_WRITE_PING, span_slice(data, 0, PING_MAX));
}

void wire_socket_close(struct wire_socket *s, uint16_t code, struct span reason)
{
    if (s->closing)
        return;
    s->closing = true;
    s->our_code = code;
    buf_add_span(&s->our_reason, span_slice(reason, 0, REASON_MAX));
    wire_conn_due(&s->conn, CLOSE_WAIT_MS, close_late);
    writable(s);
}

static int write_next(struct wire_socket *s)
{
    struct list *first = list_first(&s->frames);
    struct frame *f;
    size_t len;
    int wrote;

    if (first == NULL) {
        if (!s->closing || s->close_sent)
            return 0;
        s->close_sent = true;
        s->code = s->our_code; /* the peer's is the same, by RFC 6455 section 5.5.1 */
        lws_close_reason(s->conn.wsi, (enum lws_close_status)s->our_code,
                         (unsigned char *)s->our_reason.data, s->our_reason.len);
        return -1;
    }
    f = CONTAINER_OF(first, struct frame, node);
    len = f->data.len - LWS_PRE;
    wrote = lws_write(s->conn.wsi, (unsigned char *)f->data.data + LWS_PRE, len, f->how);
    s->waiting -= len;
    frame_free(f);
    if (wrote < 0)
        return -1;
    writable(s);
    return 0;
}

uint64_t wire_socket_heard(const struct wire_socket *s)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);
    int fd = s->conn.wsi == NULL ? -1 : (int)lws_get_socket_fd(s->conn.wsi);

    if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return 0;
    return info.tcpi_bytes_received;
}

static void on_ping_due(void *ctx)
{
    struct wire_socket *s = ctx;

    wire_socket_ping(s, (struct span){0});
    wire_timer_start(s->conn.wire, &s->ping, s->ping_ms, on_ping_due, s);
}

/* ---- hearing */

/* The last moment at which the answer's headers are there. */
static void note_protocol(struct wire_socket *s)
{
    int len = lws_hdr_total_length(s->conn.wsi, WSI_TOKEN_PROTOCOL);
    char *room = buf_reserve(&s->protocol, (size_t)len + 1);

    len = lws_hdr_copy(s->conn.wsi, room, len + 1, WSI_TOKEN_PROTOCOL);
    s->protocol.len = len > 0 ? (size_t)len : 0;
}

static int opened(struct wire_socket *s)
{
    s->open = true;
    wire_conn_undue(&s->conn);
    if (s->closing)
        wire_conn_due(&s->conn, CLOSE_WAIT_MS, close_late);
    if (s->ping_ms > 0)
        wire_timer_start(s->conn.wire, &s->ping, s->ping_ms, on_ping_due, s);
    writable(s);
    s->hearing = true;
    s->hear->opened(s->ctx, buf_span(&s->protocol));
    return heard(s);
}

static int received(struct wire_socket *s, struct span piece)
{
    struct lws *wsi = s->conn.wsi;

    if (s->message.len + piece.len > WIRE_MESSAGE_MAX) {
        lws_close_reason(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
        return -1;
    }
    buf_add_span(&s->message, piece);
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0)
        return 0;
    s->hearing = true;
    s->hear->message(s->ctx, buf_span(&s->message), !lws_frame_is_binary(wsi));
    buf_reset(&s->message);
    return heard(s);
}

static int ponged(struct wire_socket *s, struct span data)
{
    s->hearing = true;
    if (s->hear->pong != NULL)
        s->hear->pong(s->ctx, data);
    return heard(s);
}

static void peer_closes(struct wire_socket *s, const uint8_t *data, size_t len)
{
    s->code = len < 2 ? NO_CODE : (uint16_t)(((uint32_t)data[0] << 8) + data[1]);
    if (len > 2)
        buf_add(&s->reason, data + 2, len - 2);
}

static void refused(struct wire_socket *s, const char *in, size_t len)
{
    s->status = (int)lws_http_client_http_response(s->conn.wsi); /* 0: there was no answer */
    wire_conn_fails(&s->conn, in, len);
    if (s->status > 0) {
        buf_reset(&s->conn.why);
        buf_addf(&s->conn.why, "the upgrade is refused with %d", s->status);
    }
    if (!s->conn.dialling)
        wire_conn_due(&s->conn, 0, dial_late);
}

static int on_event(struct wire_conn *c, enum lws_callback_reasons why, void *in, size_t len)
{
    struct wire_socket *s = CONTAINER_OF(c, struct wire_socket, conn);

    switch ((int)why) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        wire_conn_due(c, WIRE_ANSWER_MS, answer_late);
        return wire_conn_add_headers(c, in, len);
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
        note_protocol(s);
        return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        return opened(s);
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        refused(s, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return received(s, span_of(in, len));
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        return ponged(s, span_of(in, len));
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return write_next(s);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        peer_closes(s, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        end(s, ERR_OK, 0);
        return 0;
    }
    return 0;
}

struct wire_socket *wire_socket_open(struct wire *w, const struct wire_dial *dial,
                                     const struct wire_socket_hear *hear, void *ctx)
{
    struct wire_socket *s = xcalloc(1, sizeof(*s));

    s->conn.on = on_event;
    s->conn.free = socket_free;
    s->hear = hear;
    s->ctx = ctx;
    s->ping_ms = dial->ping_ms;
    s->code = BROKEN;
    list_init(&s->frames);
    wire_conn_init(&s->conn, w);
    wire_conn_dial(&s->conn,
                   &(struct wire_to){
                       .call = &dial->call, .protocols = dial->protocols, .origin = dial->origin},
                   dial_late);
    return s;
}
