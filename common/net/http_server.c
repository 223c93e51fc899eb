/* All connections of one server: taking them in, counting them, draining and freeing. */
#include "common/net/http_server.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/net/http_conn.h"
#include "common/net/socket.h"

/* How many may be told about the limit at a time; others are closed without a word. */
enum { REFUSALS_MAX = 256 };

static void server_destroy(struct http_server *s)
{
    assert(list_empty(&s->conns));
    loop_not_at_turn_end(&s->free_later);
    buf_clear(&s->scratch);
    free(s);
}

static void free_later(struct turn_end *t)
{
    struct http_server *s = CONTAINER_OF(t, struct http_server, free_later);
    if (list_empty(&s->conns))
        server_destroy(s);
}

void http_server_forget(struct http_server *s, struct http_conn *c)
{
    list_remove(&c->node);
    s->count--;
    if (s->freed && list_empty(&s->conns))
        loop_at_turn_end(s->loop, &s->free_later);
}

/* Written by hand: strftime would use the locale's names. */
static void date_write(char out[HTTP_DATE_LEN + 1], int64_t unix_s)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t t = (time_t)unix_s;
    struct tm tm;
    (void)gmtime_r(&t, &tm);
    (void)snprintf(out, HTTP_DATE_LEN + 1, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday],
                   (unsigned)tm.tm_mday % 100, months[tm.tm_mon],
                   (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
                   (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

struct span http_server_date(struct http_server *s)
{
    int64_t now = loop_now(s->loop);
    if (now != s->date_ms) {
        s->date_ms = now;
        int64_t unix_s = clock_wall_ms() / 1000;
        if (unix_s != s->date_s) {
            char text[HTTP_DATE_LEN + 1];
            date_write(text, unix_s);
            memcpy(s->date, text, HTTP_DATE_LEN);
            s->date_s = unix_s;
        }
    }
    return span_of(s->date, HTTP_DATE_LEN);
}

struct http_server *http_server_new(struct loop *l, const struct http_app *app, void *ctx,
                                    const struct http_limits *limits, struct span headers)
{
    struct http_server *s = xcalloc(1, sizeof *s);
    s->loop = l;
    s->app = app;
    s->ctx = ctx;
    s->limits = limits;
    s->headers = headers;
    s->free_later.fn = free_later;
    list_init(&s->conns);
    return s;
}

/* Not even told that there are too many. */
static bool server_is_shut(const struct http_server *s)
{
    size_t max = s->limits->max_connections;
    return s->freed || (max != 0 && s->count >= max + REFUSALS_MAX);
}

static void door_take(const struct http_door *d, int fd, const struct addr *peer)
{
    struct http_server *s = d->server;
    if (server_is_shut(s))
        (void)close(fd);
    else
        http_conn_open(s, fd, d->tls, peer);
}

/* One that is gone ends at its first read. */
static struct addr peer_of(int fd)
{
    struct addr peer = {.bytes = {0}};
    uint16_t port;
    (void)socket_peer(fd, &peer, &port);
    return peer;
}

void http_server_accept(void *ctx, int fd)
{
    struct addr peer = peer_of(fd);
    http_server_accept_from(ctx, fd, &peer);
}

void http_server_accept_from(void *ctx, int fd, const struct addr *peer)
{
    const struct http_door plain = {.server = ctx};
    door_take(&plain, fd, peer);
}

void http_door_accept(void *ctx, int fd)
{
    struct addr peer = peer_of(fd);
    door_take(ctx, fd, &peer);
}

void http_door_enter(void *ctx, int fd, const struct addr *peer)
{
    door_take(ctx, fd, peer);
}

size_t http_server_connections(const struct http_server *s)
{
    return s->count;
}

void http_server_dismiss(struct http_server *s)
{
    s->dismissing = true;
}

void http_server_drain(struct http_server *s)
{
    s->dismissing = true;
    LIST_EACH (&s->conns, it) {
        struct http_conn *c = CONTAINER_OF(it, struct http_conn, node);
        if (c->phase == HTTP_WAITING && !conn_has_input(&c->conn))
            http_conn_over(c, false);
    }
}

void http_server_free(struct http_server *s)
{
    s->freed = true;
    LIST_EACH (&s->conns, it)
        http_conn_drop(CONTAINER_OF(it, struct http_conn, node));
    loop_at_turn_end(s->loop, &s->free_later);
}
