/* Socket calls that do not belong to one connection's life. */
#include "common/net/socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};

void socket_set_nodelay(int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void socket_set_dead_after(int fd, unsigned ms)
{
    enum { PROBES = 3 };
    int on = 1, count = PROBES, every_s = (int)(ms / 1000 / PROBES);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &every_s, sizeof every_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof every_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

int socket_dial(const struct addr *to, uint16_t port)
{
    bool v4 = memcmp(to->bytes, v4_mapped, sizeof v4_mapped) == 0;
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memcpy(&in4.sin_addr, to->bytes + sizeof v4_mapped, sizeof in4.sin_addr);
    memcpy(&in6.sin6_addr, to->bytes, sizeof in6.sin6_addr);
    int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    socket_set_nodelay(fd);
    int rc = v4 ? connect(fd, (struct sockaddr *)&in4, sizeof in4)
                : connect(fd, (struct sockaddr *)&in6, sizeof in6);
    if (rc == 0 || errno == EINPROGRESS)
        return fd;
    int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

uint32_t socket_unacknowledged(int fd)
{
    int bytes = 0;
    return ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (uint32_t)bytes : 0;
}

int socket_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        return errno;
    return error;
}

const char *socket_fault(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return "connection refused";
    case ETIMEDOUT:
        return "timed out";
    case EHOSTUNREACH:
        return "no route to host";
    case ENETUNREACH:
        return "network unreachable";
    case ECONNRESET:
    case EPIPE:
        return "connection reset";
    case EMFILE:
    case ENFILE:
        return "no descriptor left here";
    case EADDRNOTAVAIL:
        return "no local port left";
    default:
        return "connection failed";
    }
}

bool socket_addr(const struct sockaddr *sa, struct addr *out, uint16_t *port)
{
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in4;
        memcpy(&in4, sa, sizeof in4);
        memcpy(out->bytes, v4_mapped, sizeof v4_mapped);
        memcpy(out->bytes + sizeof v4_mapped, &in4.sin_addr, sizeof in4.sin_addr);
        *port = ntohs(in4.sin_port);
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof in6);
        memcpy(out->bytes, &in6.sin6_addr, sizeof in6.sin6_addr);
        *port = ntohs(in6.sin6_port);
        return true;
    }
    return false;
}

bool socket_peer(int fd, struct addr *out, uint16_t *port)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof sa;
    return getpeername(fd, (struct sockaddr *)&sa, &len) == 0 &&
           socket_addr((struct sockaddr *)&sa, out, port);
}
