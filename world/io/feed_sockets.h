#pragma once
/* The WebSockets of admins: they hear the feed of their world and are never listened to. */
#include "common/net/http_server.h"
#include "world/core/core.h"

struct feed_sockets {
    struct loop *loop;
    struct core *core;
    const struct ws_settings *settings;
    struct slots sockets;
    size_t outside_count; /* those of them that came in outside */
};

/* All are borrowed. */
void feed_sockets_init(struct feed_sockets *s, struct loop *l, struct core *core,
                       const struct ws_settings *settings);
/* Answers an upgrade request, by the handshake or by a refusal; the exchange is not to be used
 * after it. Answers the status. `request` describes it but for the socket; its spans may point into
 * the exchange. */
int feed_sockets_accept(struct feed_sockets *s, struct http_exchange *x,
                        const struct feed_request *request);
/* Sockets that core closes are closed with 1012 and the reason `restart`: admins come again. */
struct feed_port feed_sockets_port(struct feed_sockets *s);
static inline size_t feed_sockets_count(const struct feed_sockets *s)
{
    return s->sockets.count;
}
/* Those that came in outside, or the others. */
static inline size_t feed_sockets_count_by(const struct feed_sockets *s, bool outside)
{
    return outside ? s->outside_count : s->sockets.count - s->outside_count;
}
/* Starts the closing handshake of all. */
void feed_sockets_close(struct feed_sockets *s, uint16_t code, struct span reason);
/* Cuts off what is left; the loop must turn once more before feed_sockets_clear. */
void feed_sockets_abort(struct feed_sockets *s);
void feed_sockets_clear(struct feed_sockets *s);
