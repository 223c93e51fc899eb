/* Requests between the HTTP server and core. Knows no path but those of the probes, of the
 * dashboard and of feed sockets; what a request means, core/api decides. */
#include "world/io/server.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/proto/hop_sign.h"
#include "common/proto/url.h"
#include "world/io/complaint.h"
#include "world/io/console.h"
#include "world/io/elsewhere.h"
#include "world/io/feed_entry.h"
#include "world/io/heard.h"
#include "world/io/moment_now.h"
#include "world/io/openapi.h"
#include "world/io/passage.h"
#include "world/io/probes.h"
#include "world/io/question.h"
#include "world/io/redis/cluster.h"
#include "world/io/request.h"
#include "world/io/shard_proxy.h"
#include "world/io/streams.h"

static const struct responder_ops request_ops;

struct addr request_client(const struct request *r)
{
    return r->has_client ? r->client : heard_client(r->x, r->server->settings->trusted);
}

bool request_peer_is_trusted(const struct request *r)
{
    return r->has_client || addr_set_has(r->server->settings->trusted, &r->x->peer);
}

static void hand_to_core(struct request *r, const struct url_target *target)
{
    struct server *s = r->server;
    struct http_exchange *x = r->x;
    struct heard heard = heard_read(x->head, target->query);
    struct api_request request = {
        .reply = r->self,
        .method = x->head->method,
        .path = target->path,
        .credentials = heard.credentials,
        .last_event_id = heard.last_event_id,
        .body = buf_span(&r->body),
        .client = request_client(r),
        .trace = x->trace,
        .outside = r->outside,
    };

    api_handle(s->core, &request, moment_now(s->loop));
}

/* Of a target, undecoded; one that cannot be read is its own. */
static struct span path_of(struct span text)
{
    struct url_target target;

    return url_split_target(text, &target) == ERR_OK ? target.path : text;
}

struct span request_path(const struct request *r)
{
    return r->question != NULL ? buf_span(&r->question->path) : path_of(r->x->head->target);
}

void request_hand_to_core(struct request *r)
{
    struct url_target target;

    if (r->question != NULL)
        question_hand_to_core(r);
    else if (url_split_target(r->x->head->target, &target) == ERR_OK) /* as before */
        hand_to_core(r, &target);
}

static void count_and_respond(struct request *r, enum route route, int status, struct span headers,
                              struct span body)
{
    struct stats *stats = &r->server->core->stats;

    if (status == 405)
        stats->refusals[REFUSAL_METHOD]++;
    stats_count_request(stats, route, status);
    request_respond(r, status, headers, body);
}

static void refuse_signature(struct server *s, struct http_exchange *x, enum err why)
{
    struct complaint c = {0};

    metrics_count_refusal(s->metrics, 403);
    log_debug("http.refused", "reason=signature");
    complaint_make(&c, path_of(x->head->target), x->trace.id, 403, (struct span){0},
                   why == ERR_EXPIRED ? SPAN(HOP_SIGN_LATE) : SPAN(HOP_SIGN_BAD));
    http_respond(x, 403, buf_span(&c.headers), buf_span(&c.body));
    complaint_clear(&c);
}

/* True when it was for a shard; then it is over. Who was passed on to here once is not passed on
 * again (`hopped` is not NULL). */
static bool take_shard(struct server *s, struct http_exchange *x, const struct addr *hopped)
{
    struct url_target target;
    struct whence whence;

    if (s->shards == NULL || span_ieq(x->head->method, SPAN("TRACE")) ||
        url_split_target(x->head->target, &target) != ERR_OK || !shard_proxy_wants(target.path))
        return false;
    if (hopped != NULL) {
        http_respond(x, 421, API_HEADERS, SPAN("{\"error\":\"Shard is elsewhere\"}"));
        return true;
    }
    whence_read(&whence, x->head, &x->peer, s->settings->trusted);
    whence.https = whence.https || (x->tls && !whence.trusted);
    shard_proxy_take(s->shards, x, &whence);
    return true;
}

/* An owner below what the sender has seen hears of it before it decides. */
static void note_epoch(struct server *s, const struct http_exchange *x,
                       const struct hop_signed *from)
{
    struct url_target target;
    struct span world;

    if (s->passage != NULL && from->epoch > 0 &&
        url_split_target(x->head->target, &target) == ERR_OK &&
        api_world(target.path, &s->text, &world) == ERR_OK)
        passage_saw(s->passage, world, from->epoch);
}

static void on_begin(void *ctx, struct http_exchange *x)
{
    struct server_door *door = ctx;
    struct server *s = door->server;
    struct hop_signed from;
    enum err e = hop_sign_check(x->head, s->settings->secrets, clock_wall_ms(), &from);

    x->user = NULL;
    if (e != ERR_OK && e != ERR_MISSING) {
        refuse_signature(s, x, e);
        return;
    }
    if (e == ERR_OK && s->cluster != NULL && cluster_take(s->cluster, x))
        return;
    if (e == ERR_OK)
        note_epoch(s, x, &from);
    if (feed_entry_take(door, x, e == ERR_OK ? &from : NULL) ||
        take_shard(s, x, e == ERR_OK ? &from.client : NULL))
        return;
    struct request *r = request_new(s, x, &request_ops);
    r->has_client = e == ERR_OK;
    r->by_world = e == ERR_OK && from.by_world;
    r->outside = door->outside && !r->by_world; /* the world where it came in has judged that */
    if (r->has_client)
        r->client = from.client;
}

static bool is_by_world(const struct server *s, const struct http_head *head)
{
    struct hop_signed from;

    return hop_sign_check(head, s->settings->secrets, clock_wall_ms(), &from) == ERR_OK &&
           from.by_world;
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
    heard = heard_read(head, target.query);
    if (door->outside && api_is_inside(target.path) && !is_by_world(s, head))
        return max;
    return api_takes_bulk(s->core, target.path, &heard.credentials, moment_now(s->loop))
               ? API_BULK_MAX
               : max;
}

static void request_body(struct responder *responder, struct span part)
{
    buf_add_span(&CONTAINER_OF(responder, struct request, responder)->body, part);
}

/* True when it was for a file of the dashboard; then it is over. */
static bool answer_console(struct request *r, struct span path)
{
    struct buf *headers = &r->server->text;
    struct console_answer answer;

    buf_reset(headers);
    if (r->outside || !console_answer(r->x->head, path, headers, &answer))
        return false;
    count_and_respond(r, ROUTE_CONSOLE, answer.status, buf_span(headers), answer.body);
    return true;
}

static void request_complete(struct responder *responder)
{
    struct request *r = CONTAINER_OF(responder, struct request, responder);
    struct server *s = r->server;
    struct probe_answer answer;
    struct url_target target;

    if (url_split_target(r->x->head->target, &target) != ERR_OK) {
        s->core->stats.refusals[REFUSAL_PATH]++;
        stats_count_request(&s->core->stats, ROUTE_UNKNOWN, 400);
        request_refuse(r, 400, (struct span){0}, SPAN("Bad request target"));
        return;
    }
    if (openapi_take(r, target.path))
        return;
    buf_reset(&s->text);
    if (!(r->outside && probes_are_inside(target.path)) &&
        probes_answer(s->metrics, target.path, r->x->head, !s->stopping, &s->text, &answer))
        count_and_respond(r, ROUTE_PROBE, answer.status, answer.headers, buf_span(&s->text));
    else if (!answer_console(r, target.path))
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

/* Core has found a world in its path. */
static void pass(void *ctx, struct handle handle)
{
    struct server *s = ctx;
    struct request *r = slots_get(&s->requests, handle);
    struct span world;

    if (r == NULL)
        return;
    if (s->passage != NULL && api_world(request_path(r), &s->text, &world) == ERR_OK)
        passage_take(s->passage, r, world);
    else
        request_refuse(r, 503, SPAN(NOBODY_LINES), SPAN(NOBODY_TEXT));
}

static bool tells_problems(void *ctx, struct span target)
{
    const struct server_door *door = ctx;
    struct span path = path_of(target);

    return api_tells_problems(path) && !(door->outside && api_is_inside(path));
}

static const struct http_app app = {
    .begin = on_begin,
    .body_max = body_max,
    .body = responder_body,
    .complete = responder_complete,
    .drained = responder_drained,
    .gone = responder_gone,
    .refused = on_refused,
    .tells_problems = tells_problems,
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

void server_dismiss(struct server *s)
{
    s->stopping = true;
    http_server_dismiss(s->front.http);
    if (s->back.http != NULL)
        http_server_dismiss(s->back.http);
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
