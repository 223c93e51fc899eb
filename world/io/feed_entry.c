/* Refuses, accepts or passes on; what the sockets may hear, core decides. */
#include "world/io/feed_entry.h"

#include <assert.h>

#include "common/proto/url.h"
#include "common/proto/ws_handshake.h"
#include "world/io/heard.h"
#include "world/io/moment_now.h"
#include "world/io/passage.h"

static bool is_feed(struct server *s, const struct http_head *head)
{
    struct url_target target;

    return head->upgrade && http_head_has_token(head, SPAN("upgrade"), SPAN("websocket")) &&
           url_split_target(head->target, &target) == ERR_OK &&
           core_feed_wants(s->core, target.path);
}

/* Upgraded sockets count beside the connections; each door for itself. */
static bool is_crowded(const struct server_door *door)
{
    const struct server *s = door->server;
    size_t feeds = feed_sockets_count_by(s->feeds, door->outside);

    if (s->passage != NULL && !door->outside)
        feeds += passage_feeds(s->passage);
    return door->limits->max_connections != 0 &&
           http_server_connections(door->http) + feeds > door->limits->max_connections;
}

static struct feed_request request_of(const struct http_head *head, bool outside)
{
    struct url_target target;
    enum err e = url_split_target(head->target, &target);
    struct heard heard;

    assert(e == ERR_OK); /* is_feed */
    heard = heard_read(head, target.query);
    return (struct feed_request){.path = target.path,
                                 .credentials = heard.credentials,
                                 .names_shard = heard.names_shard,
                                 .outside = outside};
}

static void accept_feed(struct server *s, struct http_exchange *x, bool outside)
{
    struct feed_request request = request_of(x->head, outside);
    int status = feed_sockets_accept(s->feeds, x, &request);

    if (status == 400 || status == 426)
        s->core->stats.refusals[REFUSAL_HANDSHAKE]++;
    stats_count_request(&s->core->stats, ROUTE_FEED, status);
}

/* Only who will be an admin is worth the way. */
static bool pass(struct server *s, struct http_exchange *x, bool outside,
                 const struct hop_signed *from)
{
    struct feed_request request = request_of(x->head, outside);
    struct passage_sender sender = {.hopped = from != NULL && from->by_world};
    struct span world, key;

    if (s->passage == NULL || ws_handshake_check(x->head, &key) != NULL ||
        !core_feed_admits(s->core, &request, &world, moment_now(s->loop)) ||
        passage_is_here(s->passage, world))
        return false;
    sender.client = from != NULL ? from->client : heard_client(x, s->settings->trusted);
    sender.trusted = from != NULL || addr_set_has(s->settings->trusted, &x->peer);
    passage_take_feed(s->passage, x, world, &sender);
    return true;
}

bool feed_entry_take(struct server_door *door, struct http_exchange *x,
                     const struct hop_signed *from)
{
    struct server *s = door->server;
    bool outside = door->outside && !(from != NULL && from->by_world);

    if (!is_feed(s, x->head))
        return false;
    if (is_crowded(door)) {
        s->core->stats.refusals[REFUSAL_CROWDED]++;
        stats_count_request(&s->core->stats, ROUTE_FEED, 503);
        http_respond(x, 503, SPAN(API_HEADERS_TEXT "Retry-After: 1\r\n"),
                     SPAN("{\"error\":\"Too many connections\"}"));
        return true;
    }
    if (!pass(s, x, outside, from))
        accept_feed(s, x, outside);
    return true;
}

void feed_entry_accept(struct server *s, struct http_exchange *x)
{
    accept_feed(s, x, false);
}
