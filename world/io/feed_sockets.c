/* Carries core's frames to sockets. Who may hear what, core decides. */
#include "world/io/feed_sockets.h"

#include <assert.h>
#include <stdlib.h>

#include "common/proto/ws_handshake.h"
#include "world/io/moment_now.h"

struct feed_socket {
    struct ws_conn ws;
    struct feed_sockets *all;
    struct handle self;
    struct handle admin; /* core's; none: it hears nothing */
    bool outside;
};

static void ignore(struct ws_conn *w, char *data, size_t len, bool binary)
{
    (void)w;
    (void)data;
    (void)len;
    (void)binary;
}

static void closed(struct ws_conn *w, uint16_t code)
{
    struct feed_socket *socket = CONTAINER_OF(w, struct feed_socket, ws);

    (void)code;
    core_feed_close(socket->all->core, socket->admin);
    slots_remove(&socket->all->sockets, socket->self);
    socket->all->outside_count -= socket->outside;
    free(socket);
}

static const struct ws_ops ops = {.message = ignore, .closed = closed};

/* Upgrading ends the exchange, so what the request says must be kept beyond it. */
static struct span keep(struct buf *store, struct span s)
{
    if (s.ptr == NULL)
        return s;
    buf_add_span(store, s);
    return span_of(store->data + store->len - s.len, s.len);
}

static void keep_request(struct feed_request *r, struct buf *store)
{
    struct credentials *c = &r->credentials;

    /* One byte more than needed: an empty span in an empty store still gets a pointer. */
    buf_reserve(store, r->path.len + c->access.len + c->authorization.len + c->query.len + 1);
    r->path = keep(store, r->path);
    c->access = keep(store, c->access);
    c->authorization = keep(store, c->authorization);
    c->query = keep(store, c->query);
}

static void open_socket(struct feed_socket *socket, struct feed_request *request)
{
    struct feed_sockets *all = socket->all;

    request->socket = socket->self;
    switch (core_feed_open(all->core, request, &socket->admin, moment_now(all->loop))) {
    case FEED_ADMIN:
    case FEED_SILENT:
        return;
    case FEED_CLOSE:
        ws_close(&socket->ws, WS_CODE_NONE, (struct span){0});
        return;
    }
}

void feed_sockets_init(struct feed_sockets *s, struct loop *l, struct core *core,
                       const struct ws_settings *settings)
{
    *s = (struct feed_sockets){.loop = l, .core = core, .settings = settings};
}

int feed_sockets_accept(struct feed_sockets *s, struct http_exchange *x,
                        const struct feed_request *request)
{
    struct feed_request kept = *request;
    struct feed_socket *socket;
    struct buf store = {0};
    struct span key;
    const char *wrong = ws_handshake_check(x->head, &key);

    if (wrong != NULL) {
        http_respond_bad_upgrade(x, wrong);
        return 400;
    }
    keep_request(&kept, &store);
    socket = xcalloc(1, sizeof(*socket));
    socket->all = s;
    socket->outside = request->outside;
    s->outside_count += socket->outside;
    socket->self = slots_add(&s->sockets, socket);
    http_exchange_upgrade(x, &socket->ws, key, ws_handshake_protocol(x->head), SPAN(""), &ops,
                          s->settings);
    open_socket(socket, &kept);
    buf_clear(&store);
    return 101;
}

static void publish(void *ctx, const struct handle *sockets, size_t count, struct span text)
{
    struct feed_sockets *s = ctx;
    struct frame *frame = ws_frame_new(WS_TEXT, text);

    s->core->stats.feed_frames += count;
    for (size_t i = 0; i < count; i++) {
        struct feed_socket *socket = slots_get(&s->sockets, sockets[i]);
        if (socket != NULL && ws_is_open(&socket->ws))
            ws_send_frame(&socket->ws, frame_ref(frame));
    }
    frame_unref(frame);
}

static void close_one(void *ctx, struct handle handle)
{
    struct feed_sockets *s = ctx;
    struct feed_socket *socket = slots_get(&s->sockets, handle);

    if (socket == NULL)
        return;
    socket->admin = (struct handle){.gen = 0}; /* core knows it no more */
    ws_close(&socket->ws, WS_CODE_RESTART, SPAN("restart"));
}

struct feed_port feed_sockets_port(struct feed_sockets *s)
{
    return (struct feed_port){.ctx = s, .publish = publish, .close = close_one};
}

void feed_sockets_close(struct feed_sockets *s, uint16_t code, struct span reason)
{
    for (uint32_t i = 0; i < s->sockets.used; i++) {
        struct feed_socket *socket = s->sockets.slots[i].item;
        if (socket != NULL)
            ws_close(&socket->ws, code, reason);
    }
}

void feed_sockets_abort(struct feed_sockets *s)
{
    for (uint32_t i = 0; i < s->sockets.used; i++) {
        struct feed_socket *socket = s->sockets.slots[i].item;
        if (socket != NULL)
            ws_abort(&socket->ws);
    }
}

void feed_sockets_clear(struct feed_sockets *s)
{
    assert(s->sockets.count == 0);
    slots_clear(&s->sockets);
}
