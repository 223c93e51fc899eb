/* Owns the sockets of the load tools. */
#include "tests/bench/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/proto/ws_handshake.h"

enum { EVENTS = 512, READ_BYTES = 256 * 1024, MESSAGE_MAX = 16 << 20 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

void peers_init(struct peers *ps)
{
    ps->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (ps->epoll < 0)
        die("epoll_create1");
}

void peers_use_tls(struct peers *ps)
{
    ps->tls = SSL_CTX_new(TLS_client_method());
    if (ps->tls == NULL)
        die("SSL_CTX_new");
    (void)SSL_CTX_set_mode(ps->tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_read_ahead(ps->tls, 1);
}

/* The descriptor still blocks. */
static struct ssl_st *tls_dial(struct peers *ps, int fd)
{
    SSL *tls = SSL_new(ps->tls);
    if (tls == NULL || SSL_set_fd(tls, fd) != 1 || SSL_connect(tls) != 1)
        die("TLS handshake");
    return tls;
}

/* As read(2) and write(2). */
static ssize_t receive(struct peer *p, void *out, size_t len)
{
    if (p->tls == NULL)
        return read(p->fd, out, len);
    size_t total = 0, n;
    while (total < len && SSL_read_ex(p->tls, (char *)out + total, len - total, &n) == 1)
        total += n;
    if (total > 0)
        return (ssize_t)total;
    errno = EAGAIN;
    return SSL_get_error(p->tls, 0) == SSL_ERROR_WANT_READ ? -1 : 0;
}

static ssize_t transmit(struct peer *p)
{
    size_t n;
    if (p->tls == NULL)
        return write(p->fd, p->out.data, p->out.len);
    return SSL_write_ex(p->tls, p->out.data, p->out.len, &n) == 1 ? (ssize_t)n : -1;
}

static void forget_first(struct buf *b, size_t n)
{
    b->len -= n;
    if (n > 0 && b->len > 0)
        memmove(b->data, b->data + n, b->len);
}

static void watch(struct peers *ps, int op, int fd, uint32_t events, struct peer *p)
{
    struct epoll_event e = {.events = events, .data.ptr = p};
    if (epoll_ctl(ps->epoll, op, fd, &e) != 0)
        die("epoll_ctl");
}

static struct peer *peer_new(struct peers *ps, int fd, bool server)
{
    int on = 1;
    struct peer *p = xcalloc(1, sizeof *p);
    p->fd = fd;
    p->server = server;
    ws_decoder_init(&p->decoder, server, MESSAGE_MAX);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(ps, EPOLL_CTL_ADD, fd, EPOLLIN, p);
    return p;
}

static void peer_free(struct peers *ps, struct peer *p)
{
    for (size_t i = 0; i < ps->dirty_count; i++)
        if (ps->dirty[i] == p)
            ps->dirty[i] = NULL;
    if (ps->closed != NULL)
        ps->closed(p);
    SSL_free(p->tls);
    (void)close(p->fd);
    ws_decoder_clear(&p->decoder);
    buf_clear(&p->in);
    buf_clear(&p->out);
    free(p);
}

static void mark_dirty(struct peers *ps, struct peer *p)
{
    if (p->dirty)
        return;
    p->dirty = true;
    if (ps->dirty_count == ps->dirty_cap) {
        ps->dirty_cap = ps->dirty_cap * 2 + 64;
        ps->dirty = xreallocarray(ps->dirty, ps->dirty_cap, sizeof(struct peer *));
    }
    ps->dirty[ps->dirty_count++] = p;
}

static void set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        die("fcntl");
}

struct peer *peer_dial(struct peers *ps, uint16_t port, const char *target, uint32_t id)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("connect");
    struct ssl_st *tls = ps->tls == NULL ? NULL : tls_dial(ps, fd);
    set_nonblocking(fd);
    struct peer *p = peer_new(ps, fd, false);
    p->tls = tls;
    p->id = id;
    char key[WS_KEY_LEN];
    ws_handshake_key(key);
    ws_handshake_request(&p->out, SPAN("127.0.0.1"), span_str(target), span_of(key, sizeof key),
                         SPAN(""));
    mark_dirty(ps, p);
    return p;
}

int peers_listen(struct peers *ps, uint16_t port)
{
    int on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 4096) != 0)
        die("listen");
    watch(ps, EPOLL_CTL_ADD, fd, EPOLLIN, NULL);
    return fd;
}

void peers_accept(struct peers *ps, int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        (void)peer_new(ps, fd, true);
    }
}

void peer_send(struct peers *ps, struct peer *p, struct span text)
{
    static const uint8_t mask[4] = {0x12, 0x34, 0x56, 0x78}; /* unpredictable is not needed here */
    uint8_t head[WS_HEAD_MAX];
    size_t n = ws_encode_head(head, WS_TEXT, text.len, p->server ? NULL : mask);
    char *at = buf_reserve(&p->out, n + text.len);
    memcpy(at, head, n);
    if (p->server)
        memcpy(at + n, text.ptr, text.len);
    else
        ws_mask(at + n, text.ptr, text.len, mask, 0);
    p->out.len += n + text.len;
    mark_dirty(ps, p);
}

/* Answers how many bytes of the input were the handshake's; 0: it is not whole yet. */
static size_t handshake(struct peers *ps, struct peer *p)
{
    struct http_head head;
    size_t scanned = 0, len;
    if (http_head_find(p->in.data, p->in.len, &scanned, &len) != ERR_OK)
        return 0;
    if (p->server) {
        struct span key;
        if (http_head_parse_request(&head, p->in.data, len) != ERR_OK)
            die("request");
        if (ws_handshake_check(&head, &key) == NULL) {
            ws_handshake_answer(&p->out, key, (struct span){0}, (struct span){0});
            p->open = true;
        } else { /* a shard's warm-up */
            BUF_ADD_LIT(&p->out, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
        }
        mark_dirty(ps, p);
    } else {
        if (http_head_parse_response(&head, p->in.data, len) != ERR_OK || head.status != 101) {
            (void)fprintf(stderr, "the server refuses the upgrade: %.*s\n", (int)len, p->in.data);
            exit(1);
        }
        p->open = true;
    }
    if (p->open && ps->opened != NULL)
        ps->opened(p, &head);
    return len;
}

static void decode(struct peers *ps, struct peer *p, char *data, size_t len)
{
    while (len > 0) {
        struct ws_event event;
        size_t used;
        enum err e = ws_decode(&p->decoder, data, len, &used, &event);
        data += used;
        len -= used;
        if (e == ERR_OK && (event.opcode == WS_TEXT || event.opcode == WS_BINARY))
            ps->message(p, span_of(event.data, event.len), event.opcode == WS_BINARY);
        else if (e != ERR_OK && e != ERR_AGAIN)
            die("frame");
    }
}

/* False when the peer is gone. */
static bool peer_read(struct peers *ps, struct peer *p)
{
    static char data[READ_BYTES];
    ssize_t n = receive(p, data, sizeof data);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0)
        return false;
    if (p->open) {
        decode(ps, p, data, (size_t)n);
        return true;
    }
    buf_add(&p->in, data, (size_t)n);
    forget_first(&p->in, handshake(ps, p));
    if (p->open) {
        decode(ps, p, p->in.data, p->in.len);
        buf_clear(&p->in);
    }
    return true;
}

static void flush_all(struct peers *ps)
{
    for (size_t i = 0; i < ps->dirty_count; i++) {
        struct peer *p = ps->dirty[i];
        if (p == NULL)
            continue;
        p->dirty = false;
        ssize_t n = transmit(p);
        forget_first(&p->out, n > 0 ? (size_t)n : 0);
        if (p->out.len > 0)
            watch(ps, EPOLL_CTL_MOD, p->fd, EPOLLIN | EPOLLOUT, p);
    }
    ps->dirty_count = 0;
}

void peers_turn(struct peers *ps, int listener, int wait_ms)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(ps->epoll, events, EVENTS, wait_ms);
    for (int i = 0; i < n; i++) {
        struct peer *p = events[i].data.ptr;
        if (p == NULL) {
            peers_accept(ps, listener);
            continue;
        }
        if (events[i].events & EPOLLOUT) {
            watch(ps, EPOLL_CTL_MOD, p->fd, EPOLLIN, p);
            mark_dirty(ps, p);
        }
        if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !peer_read(ps, p))
            peer_free(ps, p);
    }
    flush_all(ps);
}
