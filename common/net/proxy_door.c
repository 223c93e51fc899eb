/* Waits for PROXY headers. Owns a descriptor until its header is read, to the byte; bytes that
 * follow stay in the kernel for whoever gets the descriptor. */
#include "common/net/proxy_door.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/socket.h"
#include "common/proto/proxy_header.h"

/* A connection whose header is not all here. */
struct newcomer {
    struct event event;
    struct proxy_door *door;
    struct list node; /* in door->waiting */
    struct timer timer;
    struct addr peer;
    int fd;
    size_t have; /* of the header: taken from the kernel */
    char data[PROXY_HEADER_MAX];
};

/* Frees it; the descriptor is somebody else's business now. */
static void newcomer_free(struct newcomer *n)
{
    struct proxy_door *d = n->door;
    (void)event_del(&n->event);
    wheel_cancel(loop_wheel(d->loop), &n->timer);
    list_remove(&n->node);
    d->stats->waiting--;
    free(n);
}

static void turn_away(struct newcomer *n, const char *why, uint64_t *count)
{
    char peer[ADDR_TEXT_MAX];
    addr_format(&n->peer, peer);
    log_debug("proxy.refused", "peer=%s reason=%s", peer, why);
    ++*count;
    (void)close(n->fd);
    newcomer_free(n);
}

static void timed_out(struct timer *t, int64_t now)
{
    struct newcomer *n = CONTAINER_OF(t, struct newcomer, timer);
    (void)now;
    turn_away(n, "slow", &n->door->stats->slow);
}

static void let_in(struct newcomer *n, const struct proxy_header *h)
{
    struct proxy_door *d = n->door;
    struct addr peer = h->names_peer ? h->from : n->peer;
    int fd = n->fd;
    d->stats->taken++;
    newcomer_free(n);
    d->enter(d->ctx, fd, &peer);
}

/* Takes `len` bytes out of the kernel that were looked at there. */
static bool consume(struct newcomer *n, size_t len)
{
    return recv(n->fd, n->data + n->have, len, MSG_DONTWAIT) == (ssize_t)len;
}

/* Looks at what is here. What cannot be all of a header is taken, so that the event rests until
 * more comes. */
static void look(struct newcomer *n)
{
    struct proxy_header h;
    ssize_t got = recv(n->fd, n->data + n->have, sizeof n->data - n->have, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        turn_away(n, "ended", n->have == 0 ? &n->door->stats->ended : &n->door->stats->bad);
        return;
    }
    enum err e = proxy_header_read(&h, n->data, n->have + (size_t)got);
    if (e == ERR_OK && consume(n, h.len - n->have)) {
        let_in(n, &h);
    } else if (e == ERR_AGAIN && consume(n, (size_t)got)) {
        n->have += (size_t)got;
    } else {
        turn_away(n, "bad_header", &n->door->stats->bad);
    }
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
    struct newcomer *n = ctx;
    (void)fd, (void)what;
    loop_entered(n->door->loop);
    look(n);
}

static void await_header(struct proxy_door *d, int fd, const struct addr *peer)
{
    struct newcomer *n = xcalloc(1, sizeof *n);
    n->door = d;
    n->fd = fd;
    n->peer = *peer;
    n->timer.fire = timed_out;
    list_push(&d->waiting, &n->node);
    d->stats->waiting++;
    (void)event_assign(&n->event, loop_base(d->loop), fd, EV_READ | EV_PERSIST, on_readable, n);
    (void)event_add(&n->event, NULL);
    wheel_set(loop_wheel(d->loop), &n->timer, loop_now(d->loop) + d->limits->header_ms);
}

void proxy_door_init(struct proxy_door *d)
{
    list_init(&d->waiting);
}

void proxy_door_accept(void *ctx, int fd)
{
    struct proxy_door *d = ctx;
    struct addr peer = {.bytes = {0}};
    uint16_t port;
    (void)socket_peer(fd, &peer, &port); /* one that is gone ends at its first read */
    if (!addr_set_has(d->networks, &peer)) {
        d->enter(d->ctx, fd, &peer);
    } else if (d->limits->max_connections == 0 || d->stats->waiting < d->limits->max_connections) {
        await_header(d, fd, &peer);
    } else {
        d->stats->full++;
        (void)close(fd);
    }
}

void proxy_door_clear(struct proxy_door *d)
{
    LIST_EACH_SAFE (&d->waiting, it, next) {
        struct newcomer *n = CONTAINER_OF(it, struct newcomer, node);
        (void)close(n->fd);
        newcomer_free(n);
    }
}
