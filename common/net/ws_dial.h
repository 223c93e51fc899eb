#pragma once
/* Opens a WebSocket to a server (RFC 6455 section 4.1). Nothing is sent in the handshake's packet.
 */
#include "common/net/ws_conn.h"
#include "common/proto/url.h"

struct ws_dial;

struct ws_dial_ops {
    /* The 101 came: call ws_dial_take in here. Frames follow at the end of the turn. */
    void (*open)(void *ctx, struct ws_dial *d);
    /* Not opened; `status` is the HTTP status of a refusal, else 0. ERR_MISSING: no connection
     * could be made. ws_dial_fault says more. */
    void (*failed)(void *ctx, enum err why, int status);
};

/* `headers`: whole lines with CRLF, no subprotocols. Ends in exactly one of the two callbacks,
 * never before it returns; the dial frees itself after it. `origin` is borrowed until then. */
struct ws_dial *ws_dial_start(struct loop *l, const struct url_origin *origin, struct span target,
                              struct span headers, int64_t timeout_ms,
                              const struct ws_dial_ops *ops, void *ctx);
/* Turns the connection into `w` (zeroed). */
void ws_dial_take(struct ws_dial *d, struct ws_conn *w, const struct ws_ops *ops,
                  const struct ws_settings *settings);
/* Inside `failed`: what was wrong, for people; static. */
const char *ws_dial_fault(const struct ws_dial *d);
/* No more callbacks. */
void ws_dial_cancel(struct ws_dial *d);
