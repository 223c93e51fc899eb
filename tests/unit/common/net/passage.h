#pragma once
/* A door between a raw client and scripted servers, for tests of what passes traffic on: a real
 * HTTP server whose exchanges are handed to `door.take`. */
#include "scripted.h"
#include "wire.h"

#include "common/net/http_server.h"
#include "common/net/responder.h"

struct door {
    struct loop *loop;
    struct http_limits limits;
    struct http_server *server;
    struct listener *listener;
    void (*take)(struct http_exchange *x);
    struct scripted a, b; /* the servers behind it */
    struct peer client;
    size_t fds;
};

static struct door door;

static inline void door_begin(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    x->user = NULL;
    door.take(x);
}

static const struct http_app door_app = {.begin = door_begin,
                                         .body = responder_body,
                                         .complete = responder_complete,
                                         .drained = responder_drained,
                                         .gone = responder_gone};

static inline void door_open(void (*take)(struct http_exchange *x))
{
    door = (struct door){
        .take = take,
        .fds = open_fds(),
        .limits = {.header_ms = 10000, .body_ms = 10000, .idle_ms = 10000, .high_water = 64 * 1024},
    };
    door.loop = loop_new();
    door.server = http_server_new(door.loop, &door_app, NULL, &door.limits, SPAN(""));
    door.listener = listen_any(door.loop, http_server_accept, door.server);
    scripted_start(&door.a, door.loop);
    scripted_start(&door.b, door.loop);
    door.client = peer_connect(listener_port(door.listener));
}

/* What is under way must be gone or cut off before. */
static inline void door_close(void)
{
    peer_close(&door.client);
    http_server_free(door.server);
    listener_close(door.listener);
    scripted_stop(&door.a);
    scripted_stop(&door.b);
    turn_some(door.loop);
    loop_free(door.loop);
    assert_int_equal(open_fds(), door.fds);
}

static inline void client_hears(const char *text)
{
    TURN_UNTIL(door.loop, peer_has(&door.client, text) || peer_ended(&door.client));
    if (!peer_has(&door.client, text))
        fail_msg("ended without \"%s\": %.*s", text, (int)door.client.in.len, door.client.in.data);
}

/* The newest connection of a server, once it has heard the text. */
static inline struct scripted_conn *server_hears(struct scripted *s, const char *text)
{
    TURN_UNTIL(door.loop, s->count > 0 && scripted_has(&s->conns[s->count - 1], text));
    return &s->conns[s->count - 1];
}

/* An origin at which nobody listens. */
static inline struct url_origin closed_origin(void)
{
    struct url_origin o;
    struct listener *l = listen_any(door.loop, http_server_accept, door.server);
    struct buf text = {0};
    buf_addf(&text, "http://127.0.0.1:%u", listener_port(l));
    listener_close(l);
    assert_int_equal(url_origin_parse(buf_span(&text), &o), ERR_OK);
    buf_clear(&text);
    return o;
}
