/* Writes the heads of requests for worlds and sends them off. */
#include "shard/io/world_proxy.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/proto/hop.h"
#include "shard/io/io_stats.h"

struct attempt {
    struct worlds *worlds;
    struct worlds_walk walk;
};

static void forward_failed(void *ctx, struct forward *f, enum forward_failure why);

static const struct forward_kind to_world = {
    .target = FORWARD_WORLD,
    .name = "world",
    .failed = forward_failed,
    .ended = free,
    .failed_status = 502,
    .timeout_status = 504,
    /* Like all answers of a world: a page of another origin may read why. */
    .failed_headers = SPAN_INIT("Content-Type: application/json\r\n"
                                "Access-Control-Allow-Origin: *\r\n"),
    .failed_body = "{\"error\":\"No world can be reached\"}",
};

/* What says 421 is no world of ours: the next one is tried then, too. */
static void try_forward(struct attempt *attempt, struct forward *f)
{
    const struct upstream *world = worlds_next(attempt->worlds, &attempt->walk);
    if (world == NULL)
        forward_refuse(f, 502, to_world.failed_headers, span_str(to_world.failed_body));
    else
        forward_try(f, world->requests);
}

static void forward_failed(void *ctx, struct forward *f, enum forward_failure why)
{
    (void)why;
    try_forward(ctx, f);
}

static void try_tunnel(struct attempt *attempt, struct tunnel *t)
{
    const struct upstream *world = worlds_next(attempt->worlds, &attempt->walk);
    if (world == NULL)
        tunnel_refuse(t, 502, to_world.failed_headers, span_str(to_world.failed_body));
    else
        tunnel_try(t, world->origin);
}

static void tunnel_failed(void *ctx, struct tunnel *t, enum tunnel_failure why)
{
    (void)why;
    try_tunnel(ctx, t);
}

static void tunnel_ended(void *ctx, enum tunnel_end how)
{
    (void)how;
    free(ctx);
}

static const struct tunnel_ops tunnel_ops = {.failed = tunnel_failed, .ended = tunnel_ended};

static struct attempt *attempt_new(const struct world_proxy *p)
{
    struct attempt *attempt = xmalloc(sizeof *attempt);
    *attempt = (struct attempt){.worlds = p->worlds};
    return attempt;
}

static void add_head(const struct world_proxy *p, struct buf *head, const struct http_exchange *x,
                     const struct sender *from, bool upgrade)
{
    char client[ADDR_TEXT_MAX], peer[ADDR_TEXT_MAX];
    addr_format(&from->client, client);
    addr_format(&x->peer, peer);
    struct hop_peer to = {
        .secrets = p->secrets,
        .entry = span_str(p->node_id),
        .client_ip = span_str(client),
        .peer_ip = span_str(peer),
        .wall_ms = clock_wall_ms(),
        .to_world = true,
        .upgrade = upgrade,
        .trusted_peer = from->trusted,
    };
    hop_add_peer_request(head, x->head, &to);
}

void world_proxy_request(const struct world_proxy *p, struct http_exchange *x,
                         const struct sender *from)
{
    struct buf head = {0};
    struct attempt *attempt = attempt_new(p);
    add_head(p, &head, x, from, false);
    try_forward(attempt, forward_new(p->forwards, x, &head, &to_world, attempt));
}

void world_proxy_upgrade(const struct world_proxy *p, struct http_exchange *x,
                         const struct sender *from)
{
    struct buf head = {0};
    struct attempt *attempt = attempt_new(p);
    add_head(p, &head, x, from, true);
    try_tunnel(attempt, tunnel_new(p->tunnels, x, &head, &tunnel_ops, attempt));
}
