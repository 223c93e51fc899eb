/* Name to address to socket, one address after the other. */
#include "common/net/dial.h"

#include "common/net/tls.h"

static void resolved(void *ctx, const struct addr *addrs, size_t count)
{
    struct dial *d = ctx;
    d->resolve = NULL;
    d->count = count < DIAL_ADDRS_MAX ? count : DIAL_ADDRS_MAX;
    if (d->count > 0)
        memcpy(d->addrs, addrs, d->count * sizeof *addrs);
    if (!dial_next(d))
        d->unknown(d);
}

void dial_start(struct dial *d, struct loop *l, const struct url_origin *origin, struct conn *conn,
                const struct conn_ops *ops, void (*unknown)(struct dial *d))
{
    *d = (struct dial){.loop = l, .origin = origin, .conn = conn, .ops = ops, .unknown = unknown};
    d->resolve = resolve_start(l, origin->host, resolved, d);
}

bool dial_next(struct dial *d)
{
    if (d->next == d->count)
        return false;
    const struct addr *to = &d->addrs[d->next++];
    conn_dial(d->conn, d->loop, to, d->origin->port, d->ops);
    if (!d->origin->tls)
        return true;
    struct tls_context *tls = loop_tls(d->loop, d->origin->inside);
    if (tls != NULL)
        tls_connect(d->conn, tls, d->origin->host, to, d->origin->port);
    else
        conn_abort(d->conn);
    return true;
}

void dial_cancel(struct dial *d)
{
    if (d->resolve != NULL)
        resolve_cancel(d->resolve);
    d->resolve = NULL;
}
