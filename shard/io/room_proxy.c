/* Joins what core says about a shard with the headers of a request, and sends it off. */
#include "shard/io/room_proxy.h"

#include "common/proto/hop.h"
#include "shard/io/io_stats.h"

static const struct forward_kind to_room = {
    .target = FORWARD_ROOM,
    .name = "room",
    .failed_status = 500,
    .timeout_status = 500,
    .failed_headers = SPAN_INIT("Content-Type: application/json\r\n"),
    .failed_body = "{\"error\":\"Error forwarding request\"}",
};

static void add_head(const struct room_proxy *p, struct buf *head, const struct arrived *a,
                     struct hop_room to)
{
    bool nested = p->path == PROXY_PATH_NESTED;
    char ip[ADDR_TEXT_MAX];
    addr_format(&a->from->client, ip);
    to.path = nested ? a->route->resolved : a->route->rest;
    to.client_ip = span_str(ip);
    to.subject = buf_span(&a->shown->subject);
    to.claims = buf_span(&a->shown->claims);
    hop_add_room_request(head, a->head, &to);
}

static void send_off(const struct room_proxy *p, const struct arrived *a, struct buf *head,
                     struct http_pool *pool)
{
    struct forward *f = a->forward;
    if (f != NULL) {
        forward_turn(f, head, &to_room, NULL);
    } else {
        f = forward_new(p->forwards, a->x, head, &to_room, NULL);
        struct responder *r = a->x->user;
        if (a->body_complete)
            r->ops->complete(r);
    }
    forward_try(f, pool);
}

enum err room_proxy_take(const struct room_proxy *p, const struct arrived *a)
{
    struct hop_room to = {
        .shard_id = a->route->shard_id,
        .query = a->route->query,
        .secret = secrets_first(p->secrets),
        .trusted_peer = a->from->trusted,
    };
    struct span ordered;
    enum err e = node_http(p->ticker->node, to.shard_id, ticker_now(p->ticker), &to.room, &to.world,
                           &ordered);
    ticker_touch(p->ticker);
    if (e != ERR_OK)
        return e;
    const struct upstream *server = room_servers_find(p->rooms, ordered, to.room);
    if (server == NULL)
        return ERR_MISSING;
    struct buf head = {0};
    add_head(p, &head, a, to);
    send_off(p, a, &head, server->requests);
    return ERR_OK;
}
