#pragma once
/* Connecting to an origin, https by what loop_tls believes: its name is resolved, then its
 * addresses are tried in turn. Embedded beside the conn it dials. */
#include "common/net/conn.h"
#include "common/net/resolve.h"
#include "common/proto/url.h"

enum { DIAL_ADDRS_MAX = 8 };

/* Zero it before dial_start. */
struct dial {
    struct loop *loop;
    const struct url_origin *origin;
    struct conn *conn;
    const struct conn_ops *ops;
    struct resolve *resolve; /* NULL: not under way */
    void (*unknown)(struct dial *d);
    struct addr addrs[DIAL_ADDRS_MAX];
    size_t count, next;
};

/* Resolves `origin` (borrowed while it dials) and dials its first address with `conn`, which ends
 * in ops->connected or ops->closed; `unknown` is called instead when the name has no address. Never
 * calls back before it returns. */
void dial_start(struct dial *d, struct loop *l, const struct url_origin *origin, struct conn *conn,
                const struct conn_ops *ops, void (*unknown)(struct dial *d));
/* From ops->closed of a conn that never connected: dials the next address; false when there is none
 * left. */
bool dial_next(struct dial *d);
/* Stops resolving; a conn that was dialled is the owner's to abort. */
void dial_cancel(struct dial *d);
