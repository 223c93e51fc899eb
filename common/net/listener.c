/* Listening sockets. Owns the spare descriptor; knows nothing of what is spoken. */
#include "common/net/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/net/socket.h"
#include "common/proto/addr.h"

enum {
    ACCEPTS_PER_TURN = 64,
    BACKLOG = 4096,
    REST_MS = 100,                              /* when not even a spare descriptor is left */
    HOST_MAX = ADDR_TEXT_MAX + 1 + IF_NAMESIZE, /* fe80::1%eth0 */
    ADDRESS_MAX = HOST_MAX + sizeof "[]:65535",
};

struct listener {
    struct event event;
    struct loop *loop;
    void (*accepted)(void *ctx, int fd);
    void *ctx;
    struct timer rest;
    int fd, spare;
    uint16_t port;
    uint64_t refused;
    char address[ADDRESS_MAX];
};

static int spare_open(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Out of descriptors: takes the newcomer with the spare one and closes it. Without a spare one the
 * listener rests, because the socket would stay readable. False: nobody is waiting, or it rests. */
static bool refuse_one(struct listener *l)
{
    if (l->spare < 0)
        l->spare = spare_open();
    if (l->spare < 0) {
        (void)event_del(&l->event);
        wheel_set(loop_wheel(l->loop), &l->rest, loop_now(l->loop) + REST_MS);
        return false;
    }
    (void)close(l->spare);
    int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        (void)close(fd);
        l->refused++;
    }
    l->spare = spare_open();
    return fd >= 0;
}

static void rest_over(struct timer *t, int64_t now)
{
    (void)now;
    struct listener *l = CONTAINER_OF(t, struct listener, rest);
    (void)event_add(&l->event, NULL);
}

/* One newcomer; false when there is none (or no more can be taken now). */
static bool accept_one(struct listener *l)
{
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        socket_set_nodelay(fd);
        l->accepted(l->ctx, fd);
        return true;
    }
    if (errno == EAGAIN)
        return false;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        return refuse_one(l);
    return true; /* that one went away while it waited (ECONNABORTED and its kin) */
}

static void listener_event(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd, (void)what;
    struct listener *l = ctx;
    loop_entered(l->loop);
    for (int i = 0; i < ACCEPTS_PER_TURN && accept_one(l);)
        i++;
}

static int bind_and_listen(const struct addrinfo *ai)
{
    int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int on = 1, off = 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (ai->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

/* What the kernel says that we listen on. */
static void address_read(struct listener *l)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof sa;
    char host[HOST_MAX], port[sizeof "65535"];
    if (getsockname(l->fd, (struct sockaddr *)&sa, &len) != 0 ||
        getnameinfo((struct sockaddr *)&sa, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    if (sa.ss_family == AF_INET6)
        (void)snprintf(l->address, sizeof l->address, "[%s]:%s", host, port);
    else
        (void)snprintf(l->address, sizeof l->address, "%s:%s", host, port);
    l->port = (uint16_t)strtoul(port, NULL, 10);
}

static struct addrinfo *host_look_up(const char *host, uint16_t port, const char **why)
{
    char service[sizeof "65535"];
    (void)snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(host, service, &hints, &found);
    if (rc == 0)
        return found;
    *why = gai_strerror(rc);
    return NULL;
}

enum err listener_open(struct listener **out, struct loop *loop, const char *host, uint16_t port,
                       void (*accepted)(void *ctx, int fd), void *ctx, const char **why)
{
    struct addrinfo *found = host_look_up(host, port, why);
    if (found == NULL)
        return ERR_MISSING;
    int fd = -1;
    for (const struct addrinfo *ai = found; ai != NULL && fd < 0; ai = ai->ai_next)
        fd = bind_and_listen(ai);
    if (fd < 0)
        *why = strerror(errno);
    freeaddrinfo(found);
    if (fd < 0)
        return ERR_IO;
    struct listener *l = xcalloc(1, sizeof *l);
    *l = (struct listener){.loop = loop, .accepted = accepted, .ctx = ctx, .fd = fd};
    l->rest.fire = rest_over;
    l->spare = spare_open();
    address_read(l);
    (void)event_assign(&l->event, loop_base(loop), fd, EV_READ | EV_PERSIST, listener_event, l);
    (void)event_add(&l->event, NULL);
    *out = l;
    return ERR_OK;
}

const char *listener_address(const struct listener *l)
{
    return l->address;
}

uint16_t listener_port(const struct listener *l)
{
    return l->port;
}

uint64_t listener_refused(const struct listener *l)
{
    return l->refused;
}

void listener_close(struct listener *l)
{
    if (l == NULL)
        return;
    (void)event_del(&l->event);
    wheel_cancel(loop_wheel(l->loop), &l->rest);
    (void)close(l->fd);
    if (l->spare >= 0)
        (void)close(l->spare);
    free(l);
}

uint64_t fd_limit_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    if (limit.rlim_cur < limit.rlim_max) {
        rlim_t before = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            limit.rlim_cur = before;
    }
    return (uint64_t)limit.rlim_cur;
}
