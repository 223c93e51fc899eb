#pragma once
/* For tests of common/net: a raw peer on a loopback socket, and waiting for a condition by turning
 * the loop, with a deadline. Nothing here sleeps. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/net/listener.h"
#include "common/net/loop.h"
#include "tests/unit/common/net/turn_until.h"

/* Lets things happen that should not: a few turns. */
static inline void turn_some(struct loop *l)
{
    for (int i = 0; i < 20; i++)
        loop_turn(l, 1);
}

struct peer {
    int fd;
    struct buf in;
    bool ended, reset;
};

static inline struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static inline struct peer peer_of(int fd)
{
    return (struct peer){.fd = fd};
}

/* Small buffers, so that back-pressure comes early. */
static inline struct peer peer_connect_small(uint16_t port, int buffer)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    assert_true(fd >= 0);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (buffer > 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    struct sockaddr_in to = loopback(port);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return peer_of(fd);
}

static inline struct peer peer_connect(uint16_t port)
{
    return peer_connect_small(port, 0);
}

/* A raw peer and the descriptor of the other end, non-blocking with small buffers. */
static inline struct peer peer_pair(int *other)
{
    int on = 1, buffer = 4096, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = loopback(0);
    socklen_t len = sizeof at;
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    struct peer p = peer_connect_small(ntohs(at.sin_port), buffer);
    *other = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(*other >= 0);
    (void)setsockopt(*other, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(*other, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    (void)close(fd);
    return p;
}

static inline void peer_send_bytes(struct peer *p, const void *data, size_t len)
{
    assert_int_equal(send(p->fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static inline void peer_send(struct peer *p, const char *text)
{
    peer_send_bytes(p, text, strlen(text));
}

/* Reads what is here. */
static inline void peer_pump(struct peer *p)
{
    while (!p->ended) {
        char *at = buf_reserve(&p->in, 65536);
        ssize_t n = recv(p->fd, at, 65536, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            p->reset = true;
        if (n <= 0)
            p->ended = true;
        else
            p->in.len += (size_t)n;
    }
}

static inline size_t peer_len(struct peer *p)
{
    peer_pump(p);
    return p->in.len;
}

static inline bool peer_ended(struct peer *p)
{
    peer_pump(p);
    return p->ended;
}

static inline size_t peer_count(struct peer *p, const char *text)
{
    peer_pump(p);
    size_t count = 0;
    const char *end = p->in.data + p->in.len;
    for (const char *at = p->in.data; at != NULL; count += at != NULL) {
        at = memmem(at, (size_t)(end - at), text, strlen(text));
        at = at == NULL ? NULL : at + 1;
    }
    return count;
}

static inline bool peer_has(struct peer *p, const char *text)
{
    return peer_count(p, text) > 0;
}

static inline void peer_forget(struct peer *p)
{
    buf_reset(&p->in);
}

static inline void peer_close(struct peer *p)
{
    if (p->fd >= 0)
        (void)close(p->fd);
    buf_clear(&p->in);
    *p = (struct peer){.fd = -1};
}

/* The other side sees a reset. */
static inline void peer_reset(struct peer *p)
{
    struct linger now = {.l_onoff = 1};
    (void)setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    peer_close(p);
}

static inline size_t open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    size_t count = 0;
    while (readdir(dir) != NULL)
        count++;
    (void)closedir(dir);
    return count;
}

static inline struct listener *listen_any(struct loop *l, void (*accepted)(void *ctx, int fd),
                                          void *ctx)
{
    struct listener *listener;
    const char *why;
    assert_int_equal(listener_open(&listener, l, "127.0.0.1", 0, accepted, ctx, &why), ERR_OK);
    return listener;
}
