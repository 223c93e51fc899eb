/* Requests between the HTTP server and core. Knows no path but that of the probes and of feed
 * sockets; what a request means, core/api decides. */
#include "world/io/server.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/proto/hop_sign.h"
#include "common/proto/url.h"
#include "world/io/moment_now.h"
#include "world/io/probes.h"
#include "world/io/request.h"
#include "world/io/shard_proxy.h"
#include "world/io/streams.h"

/* What the headers say that core wants to know. */
struct heard {
    struct credentials credentials;
    struct span last_event_id;
    bool names_shard;
};

static const struct responder_ops request_ops;

static struct heard hear(const struct http_head *head, struct span query)
{
    struct heard heard = {.credentials.query = query};
    struct credentials *c = &heard.credentials;

    for (size_t i = 0; i < head->header_count; i++) {
        const struct http_header *h = &head->headers[i];
        if (span_ieq(h->name, SPAN("x-access-shard"))) {
            if (c->access_count++ == 0)
                c->access = h->value;
        } else if (span_ieq(h->name, SPAN("authorization"))) {
            if (c->authorization.ptr == NULL)
                c->authorization = h->value;
        } else if (span_ieq(h->name, SPAN("last-event-id"))) {
            heard.last_event_id = h->value;
        } else if (span_ieq(h->name, SPAN("x-shard-id"))) {
            heard.names_shard = true;
        }
    }
    return heard;
}

/* All occurrences of X-Forwarded-For, joined. */
static void join_forwarded(const struct http_head *head, struct buf *out)
{
    for (size_t i = 0; i < head->header_count; i++) {
        if (!span_ieq(head->headers[i].name, SPAN("x-forwarded-for")))
            continue;
        if (out->len > 0)
            buf_add_char(out, ',');
        buf_add_span(out, head->headers[i].value);
    }
}

/* The client's address. What was forwarded is only looked at when its sender is believed. */
static struct addr client_behind(struct server *s, const struct http_exchange *x)
{
    if (!addr_set_has(s->settings->trusted, &x->peer))
        return x->peer;
    buf_reset(&s->text);
    join_forwarded(x->head, &s->text);
    return addr_of_client(s->settings->trusted, &x->peer, buf_span(&s->text));
}

static struct addr client_of(struct server *s, const struct request *r)
{
    return r->has_client ? r->client : client_behind(s, r->x);
}

static void hand_to_core(struct request *r, const struct url_target *target)
{
    struct server *s = r->server;
    struct http_exchange *x = r->x;
    struct heard heard = hear(x->head, target->query);
    struct api_request request = {
        .reply = r->self,
        .method = x->head->method,
        .path = target->path,
        .credentials = heard.credentials,
        .last_event_id = heard.last_event_id,
        .body = buf_span(&r->body),
        .client = client_of(s, r),
        .outside = r->outside,
    };

    api_handle(s->core, &request, moment_now(s->loop));
}

static void count_and_respond(struct request *r, enum route route, int status, struct span headers,
                              struct span body)
{
    stats_count_request(&r->server->core->stats, route, status);
    request_respond(r, status, headers, body);
}

/* Upgraded sockets count beside the connections; each door for itself. */
static bool is_crowded(const struct server_door *door)
{
    size_t feeds = feed_sockets_count_by(door->server->feeds, door->outside);

    return door->limits->max_connections != 0 &&
           http_server_connections(door->http) + feeds > door->limits->max_connections;
}

/* True when the request was an upgrade to a feed socket; then it is over. */
static bool take_feed(struct server_door *door, struct http_exchange *x)
{
    struct server *s = door->server;
    const struct http_head *head = x->head;
    struct url_target target;
    struct heard heard;
    int status;

    if (!head->upgrade || !http_head_has_token(head, SPAN("upgrade"), SPAN("websocket")))
        return false;
    if (url_split_target(head->target, &target) != ERR_OK || !core_feed_wants(s->core, target.path))
        return false;
    if (is_crowded(door)) {
        metrics_count_refusal(s->metrics, 503);
        stats_count_request(&s->core->stats, ROUTE_FEED, 503);
        http_respond(x, 503, SPAN(API_HEADERS_TEXT "Retry-After: 1\r\n"),
                     SPAN("{\"error\":\"Too many connections\"}"));
        return true;
    }
    heard = hear(head, target.query);
    status = feed_sockets_accept(s->feeds, x,
                                 &(struct feed_request){.path = target.path,
                                                        .credentials = heard.credentials,
                                                        .names_shard = heard.names_shard,
                                                        .outside = door->outside});
    stats_count_request(&s->core->stats, ROUTE_FEED, status);
    return true;
}

static void refuse_signature(struct server *s, struct http_exchange *x)
{
    metrics_count_refusal(s->metrics, 403);
    log_debug("http.refused", "reason=signature");
    http_respond(x, 403, API_HEADERS, SPAN("{\"error\":\"Bad internal signature\"}"));
}

/* True when it was for a shard; then it is over. Who was passed on to here once is not passed on
 * again (`hopped` is not NULL). */
static bool take_shard(struct server *s, struct http_exchange *x, const struct addr *hopped)
{
    struct url_target target;
    struct addr client;

    if (s->shards == NULL || span_ieq(x->head->method, SPAN("TRACE")) ||
        url_split_target(x->head->target, &target) != ERR_OK || !shard_proxy_wants(target.path))
        return false;
    if (hopped != NULL) {
        http_respond(x, 421, API_HEADERS, SPAN("{\"error\":\"Shard is elsewhere\"}"));
        return true;
    }
    client = client_behind(s, x);
    shard_proxy_take(s->shards, x, &client, addr_set_has(s->settings->trusted, &x->peer));
    return true;
}

static void on_begin(void *ctx, struct http_exchange *x)
{
    struct server_door *door = ctx;
    struct server *s = door->server;
    struct hop_signed from;
    enum err e = hop_sign_check(x->head, s->settings->secrets, clock_wall_ms(), &from);

    x->user = NULL;
    if (e == ERR_DENIED) {
        refuse_signature(s, x);
        return;
    }
    if (take_feed(door, x) || take_shard(s, x, e == ERR_OK ? &from.client : NULL))
        return;
    struct request *r = request_new(s, x, &request_ops);
    r->outside = door->outside;
    r->has_client = e == ERR_OK;
    if (r->has_client)
        r->client = from.client;
}

/* Who names a length within the limit of all needs no second look. */
static uint64_t body_max(void *ctx, const struct http_head *head)
{
    struct server_door *door = ctx;
    struct server *s = door->server;
    uint64_t max = s->settings->limits.body_max;
    struct url_target target;
    struct heard heard;

    if (!head->chunked && head->content_length <= (int64_t)max)
        return max;
    if (max >= API_BULK_MAX || url_split_target(head->target, &target) != ERR_OK)
        return max;
    heard = hear(head, target.query);
    if (door->outside && api_is_inside(target.path))
        return max;
    return api_takes_bulk(s->core, target.path, &heard.credentials, moment_now(s->loop))
               ? API_BULK_MAX
               : max;
}

static void request_body(struct responder *responder, struct span part)
{
    buf_add_span(&CONTAINER_OF(responder, struct request, responder)->body, part);
}

static void request_complete(struct responder *responder)
{
    struct request *r = CONTAINER_OF(responder, struct request, responder);
    struct server *s = r->server;
    struct probe_answer answer;
    struct url_target target;

    if (url_split_target(r->x->head->target, &target) != ERR_OK) {
        count_and_respond(r, ROUTE_UNKNOWN, 400, API_HEADERS,
                          SPAN("{\"error\":\"Bad request target\"}"));
        return;
    }
    buf_reset(&s->text);
    if (!(r->outside && probes_are_inside(target.path)) &&
        probes_answer(s->metrics, target.path, r->x->head, !s->stopping, &s->text, &answer))
        count_and_respond(r, ROUTE_PROBE, answer.status, answer.headers, buf_span(&s->text));
    else
        hand_to_core(r, &target);
}

static void request_drained(struct responder *responder)
{
    (void)responder;
}

static void request_gone(struct responder *responder)
{
    struct request *r = CONTAINER_OF(responder, struct request, responder);

    if (r->stream)
        core_stream_gone(r->server->core, r->self);
    request_free(r);
}

static const struct responder_ops request_ops = {
    .body = request_body,
    .complete = request_complete,
    .drained = request_drained,
    .gone = request_gone,
};

/* ---- the HTTP server's side */

static void on_refused(void *ctx, int status)
{
    struct server_door *door = ctx;

    metrics_count_refusal(door->server->metrics, status);
}

static void reply(void *ctx, struct handle handle, int status, struct span headers,
                  struct span body)
{
    struct server *s = ctx;
    struct request *r = slots_get(&s->requests, handle);

    if (r != NULL)
        request_respond(r, status, headers, body);
}

/* Nobody is asked yet who it might be. */
static void pass(void *ctx, struct handle handle)
{
    struct server *s = ctx;
    struct request *r = slots_get(&s->requests, handle);

    if (r != NULL)
        request_respond(r, 503, SPAN(API_HEADERS_TEXT "Retry-After: 1\r\n"),
                        SPAN("{\"error\":\"Nobody decides for this world just now\"}"));
}

static const struct http_app app = {
    .begin = on_begin,
    .body_max = body_max,
    .body = responder_body,
    .complete = responder_complete,
    .drained = responder_drained,
    .gone = responder_gone,
    .refused = on_refused,
};

void server_init(struct server *s, struct loop *l, struct core *core, struct feed_sockets *feeds,
                 struct metrics *metrics, const struct server_settings *settings)
{
    *s = (struct server){
        .loop = l,
        .core = core,
        .feeds = feeds,
        .metrics = metrics,
        .settings = settings,
    };
    s->front = (struct server_door){
        .server = s, .limits = &settings->limits, .outside = settings->has_back};
    s->back = (struct server_door){.server = s, .limits = &settings->back_limits};
    s->front.http = http_server_new(l, &app, &s->front, s->front.limits, API_CORS);
    if (settings->has_back)
        s->back.http = http_server_new(l, &app, &s->back, s->back.limits, API_CORS);
}

size_t server_connections(const struct server *s)
{
    return http_server_connections(s->front.http) +
           (s->back.http == NULL ? 0 : http_server_connections(s->back.http));
}

struct reply_port server_reply_port(struct server *s)
{
    return (struct reply_port){.ctx = s, .answer = reply, .pass = pass};
}

void server_drain(struct server *s)
{
    s->stopping = true;
    streams_end(s);
    http_server_drain(s->front.http);
    if (s->back.http != NULL)
        http_server_drain(s->back.http);
}

void server_close(struct server *s)
{
    http_server_free(s->front.http);
    if (s->back.http != NULL)
        http_server_free(s->back.http);
    s->front.http = s->back.http = NULL;
}

void server_clear(struct server *s)
{
    requests_clear(s);
    buf_clear(&s->text);
}
