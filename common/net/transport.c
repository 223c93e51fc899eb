/* The plain transport: the socket itself. */
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/net/conn.h"

static ssize_t plain_read(struct conn *c, void *out, size_t len)
{
    return recv(c->fd, out, len, 0);
}

static ssize_t plain_writev(struct conn *c, const struct iovec *iov, int n)
{
    if (n == 1) /* the usual case, and the cheaper call */
        return send(c->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL);
    return writev(c->fd, iov, n);
}

static bool plain_finish(struct conn *c)
{
    (void)c;
    return true;
}

static void plain_shutdown(struct conn *c)
{
    (void)shutdown(c->fd, SHUT_WR);
}

static void plain_clear(struct conn *c)
{
    (void)c;
}

const struct transport transport_plain = {
    .read = plain_read,
    .writev = plain_writev,
    .finish = plain_finish,
    .shutdown = plain_shutdown,
    .clear = plain_clear,
};
