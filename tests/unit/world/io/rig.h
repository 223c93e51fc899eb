#pragma once
/* A world process in a test: the real server and feed sockets on a loopback port, a store that the
 * test completes, and clients that are plain sockets. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/net/listener.h"
#include "world/io/moment_now.h"
#include "world/io/owner_local.h"
#include "world/io/server.h"
#include "world/io/store_memory.h"
#include "world/io/streams.h"
#include "world/io/ticker.h"

#define RIG_SECRET "shard-secret-of-the-tests"

static const struct secrets rig_secrets = {SPAN_INIT(RIG_SECRET)};

struct rig {
    struct loop *loop;
    struct core core;
    struct core_settings core_settings;
    struct token_keys *keys;
    struct addr_set trusted;
    struct server_settings server_settings;
    struct ws_settings ws_settings;
    struct server server;
    struct feed_sockets feeds;
    struct metrics metrics;
    struct store_memory store;
    struct ticker ticker;
    struct port port;
    struct listener *listener, *back_listener;
    struct doors doors; /* back: NULL when there is none */
    bool hold;          /* syncs wait for rig_store */
    uint64_t tokens[16];
    size_t token_count;
};

static inline void rig_sync(void *ctx, struct span world, uint64_t token)
{
    struct rig *rig = ctx;
    struct store_port real = store_memory_port(&rig->store);

    if (rig->hold)
        rig->tokens[rig->token_count++] = token;
    else
        real.sync(real.ctx, world, token);
}

static inline void rig_store(struct rig *rig, enum err e)
{
    for (size_t i = 0; i < rig->token_count; i++)
        core_stored(&rig->core, rig->tokens[i], e);
    rig->token_count = 0;
}

/* `has_back`: with a listener for management; each takes so many connections, 0: any. */
static inline struct rig *rig_new_doors(size_t max_connections, bool has_back)
{
    struct rig *rig = xcalloc(1, sizeof(*rig));
    struct rng rng;
    const char *why;

    rng_seed(&rng, 3);
    assert_int_equal(token_keys_new(&rig->keys, TOKEN_HS256, SPAN("j")), ERR_OK);
    rig->core_settings =
        (struct core_settings){.secrets = &rig_secrets,
                               .keys = rig->keys,
                               .url_template = SPAN("{shardId}"),
                               .max_room_shards = 100,
                               .strangers = {.max = 1000, .per_s = 100, .worlds = 100}};
    rig->server_settings = (struct server_settings){
        .limits = {.header_ms = 5000,
                   .body_ms = 5000,
                   .idle_ms = 5000,
                   .body_max = 4096,
                   .high_water = 1 << 20,
                   .max_connections = max_connections},
        .has_back = has_back,
        .trusted = &rig->trusted,
        .secrets = &rig_secrets,
    };
    rig->server_settings.back_limits = rig->server_settings.limits;
    rig->ws_settings = (struct ws_settings){.max_message = 4096};
    rig->loop = loop_new();
    ticker_init(&rig->ticker, rig->loop, &rig->core);
    store_memory_init(&rig->store, rig->loop, &rig->core);
    feed_sockets_init(&rig->feeds, rig->loop, &rig->core, &rig->ws_settings);
    server_init(&rig->server, rig->loop, &rig->core, &rig->feeds, &rig->metrics,
                &rig->server_settings);
    struct store_port memory = store_memory_port(&rig->store);
    rig->port = (struct port){
        .reply = server_reply_port(&rig->server),
        .stream = server_stream_port(&rig->server),
        .feed = feed_sockets_port(&rig->feeds),
        .store = {rig, memory.put, memory.remove, rig_sync},
        .owner = owner_local_port(),
        .ticker = {&rig->ticker, ticker_wake},
    };
    core_init(&rig->core, &rig->port, &rig->core_settings, &rng, moment_now(rig->loop));
    assert_int_equal(listener_open(&rig->listener, rig->loop, "127.0.0.1", 0, http_server_accept,
                                   rig->server.front.http, &why),
                     ERR_OK);
    if (has_back)
        assert_int_equal(listener_open(&rig->back_listener, rig->loop, "127.0.0.1", 0,
                                       http_server_accept, rig->server.back.http, &why),
                         ERR_OK);
    rig->doors = (struct doors){.listener = rig->listener};
    rig->metrics = (struct metrics){.loop = rig->loop,
                                    .core = &rig->core,
                                    .http = rig->server.front.http,
                                    .back_http = rig->server.back.http,
                                    .doors = &rig->doors,
                                    .back_listener = rig->back_listener,
                                    .feeds = &rig->feeds};
    return rig;
}

static inline struct rig *rig_new(size_t max_connections)
{
    return rig_new_doors(max_connections, false);
}

static inline void rig_free(struct rig *rig)
{
    listener_close(rig->listener);
    listener_close(rig->back_listener);
    feed_sockets_abort(&rig->feeds);
    server_close(&rig->server);
    loop_turn(rig->loop, 0);
    server_clear(&rig->server);
    feed_sockets_clear(&rig->feeds);
    ticker_stop(&rig->ticker);
    store_memory_clear(&rig->store);
    core_clear(&rig->core);
    metrics_clear(&rig->metrics);
    token_keys_free(rig->keys);
    loop_free(rig->loop);
    free(rig);
}

static inline int rig_dial_at(const struct listener *listener)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(listener_port(listener)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static inline int rig_dial(const struct rig *rig)
{
    return rig_dial_at(rig->listener);
}

static inline void rig_write(int fd, struct span text)
{
    assert_int_equal(send(fd, text.ptr, text.len, MSG_NOSIGNAL), (ssize_t)text.len);
}

/* Turns the loop until what has come ends with `end` (NULL: until the server closes); a NUL is put
 * behind it. Fails after 5 s. */
static inline void rig_read_until(struct rig *rig, int fd, struct buf *out, struct span end)
{
    int64_t deadline = clock_mono_ms() + 5000;

    buf_reset(out);
    for (;;) {
        ssize_t n = recv(fd, buf_reserve(out, 4096), 4096, MSG_DONTWAIT);
        if (n > 0) {
            out->len += (size_t)n;
            if (end.ptr != NULL && span_ends(buf_span(out), end))
                break;
            continue;
        }
        if (n == 0) {
            assert_null(end.ptr);
            break;
        }
        assert_true(errno == EAGAIN);
        if (clock_mono_ms() > deadline)
            fail_msg("only this came: %.*s", SPAN_ARG(buf_span(out)));
        loop_turn(rig->loop, 10);
    }
    buf_add_char(out, '\0');
    out->len--;
}

/* A whole POST to world-a with the shard secret. */
static inline void rig_add_post(struct buf *out, const char *verb, const char *body)
{
    buf_addf(out,
             "POST /parties/world/world-a%s HTTP/1.1\r\nHost: h\r\nX-Access-Shard: " RIG_SECRET
             "\r\nContent-Length: %zu\r\n\r\n%s",
             verb, strlen(body), body);
}
