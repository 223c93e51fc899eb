/* What the settings mean: from the table's values to the settings of each part. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/version.h"
#include "common/net/listener.h"
#include "common/proto/mac.h"
#include "common/proto/session_mark.h"
#include "shard/io/process.h"

enum {
    ROOM_ID_MAX = 8 * 1024,
    SESSION_ID_MAX = 4 * 1024,
    LINK_FIRST_MS = 3000,
    REPORT_MS = 30000, /* without REPORT_INTERVAL */
    BEAT_MS = 1000,
    LINK_RETRY_MIN_MS = 100,
    LINK_RETRY_MAX_MS = 3000,
    EDGE_HIGH_WATER = 256 * 1024,
};

/* A file may have changed since it was checked, a moment ago. */
static struct routes *read_routes(const struct settings *s)
{
    struct routes *routes;
    struct buf problem = {0};
    if (settings_routes(s, &routes, &problem) != ERR_OK) {
        log_error("settings.routes", "problem=%.*s", SPAN_ARG(buf_span(&problem)));
        exit(EXIT_FAILURE);
    }
    buf_clear(&problem);
    return routes;
}

/* Parses what settings_table has checked. */
static void read_settings(struct process *p)
{
    const struct settings *s = &p->settings;
    struct span bad;
    enum err worlds_read = origins_parse(&p->world_urls, span_str(s->world_urls), &bad);
    enum err rooms_read = origins_parse(&p->room_urls, span_str(settings_room_servers(s)), &bad);
    assert(worlds_read == ERR_OK && rooms_read == ERR_OK);
    p->routes = read_routes(s);
}

static void say_what_stays(struct process *p)
{
    const struct settings *s = &p->settings;
    p->node_settings = (struct node_settings){
        .epoch = clock_wall_ms(),
        .version = TERRANE_VERSION,
        .world_ids = s->world_ids,
        .protocol = (enum node_protocol)s->world_protocol,
        .enforce_seats = s->seat_ttl_ms > 0,
        .world_id = s->world_id,
        .has_rooms = p->room_urls.count > 0,
        .report_ms = s->report_ms > 0 ? s->report_ms : REPORT_MS,
        .beat_ms = s->report_ms > 0 ? s->report_ms : BEAT_MS,
        .link_first_ms = LINK_FIRST_MS,
        .link_buffer = (size_t)s->link_buffer,
        .link_retry_min_ms = LINK_RETRY_MIN_MS,
        .link_retry_max_ms = LINK_RETRY_MAX_MS,
        .max_room_id = ROOM_ID_MAX,
        .max_session_id = SESSION_ID_MAX,
    };
}

static void use_secrets(struct process *p)
{
    p->secrets.list = span_str(p->settings.shard_secret);
    mac_forget();
    session_mark_use(&p->secrets);
    if (secrets_shortest(&p->secrets) < PROCESS_SHARD_SECRET_MIN)
        log_warn("settings.weak", "name=SHARD_SECRET wanted_bytes=%d", PROCESS_SHARD_SECRET_MIN);
}

/* Without a secret nobody wants a key: settings_table has checked it. */
static void use_keys(struct process *p)
{
    struct span text = span_str(p->settings.jwt_secret);
    enum token_alg alg = (enum token_alg)p->settings.jwt_alg;
    if (text.len == 0)
        return;
    enum err e = p->keys == NULL ? token_keys_new(&p->keys, alg, text)
                                 : token_keys_change(p->keys, alg, text);
    assert(e == ERR_OK);
    if (alg == TOKEN_HS256 && token_keys_shortest(p->keys) < PROCESS_JWT_SECRET_MIN)
        log_warn("settings.weak", "name=AUTH_JWT_SECRET wanted_bytes=%d", PROCESS_JWT_SECRET_MIN);
}

static void use_proxies(struct process *p)
{
    struct span bad;
    addr_set_clear(&p->trusted);
    enum err e = addr_set_parse(&p->trusted, span_str(p->settings.common.trusted_proxies), &bad);
    assert(e == ERR_OK); /* settings_table has checked it */
    addr_set_clear(&p->fronts);
    e = addr_set_parse(&p->fronts, span_str(p->settings.common.proxy_protocol), &bad);
    assert(e == ERR_OK);
    p->allowed_origins = span_str(p->settings.allowed_origins);
}

unsigned process_descriptors_each(const struct routes *routes)
{
    const struct route_rule *rule;
    for (size_t i = 0; (rule = routes_at(routes, i)) != NULL; i++)
        if (rule->mode == ROUTE_PASS)
            return 2;
    return 1;
}

static size_t allowed_connections(struct process *p)
{
    int64_t wanted = p->settings.common.max_connections;
    uint64_t limit = fd_limit_raise();
    size_t allowed = process_max_connections(wanted, limit / process_descriptors_each(p->routes));
    if (wanted > 0 && (uint64_t)wanted > allowed)
        log_warn("settings.descriptors", "name=MAX_CONNECTIONS value=%lld used=%zu limit=%llu",
                 (long long)wanted, allowed, (unsigned long long)limit);
    return allowed;
}

static void use_limits(struct process *p)
{
    const struct settings *s = &p->settings;
    size_t connections = allowed_connections(p);
    p->node_settings.drain_ms = s->drain_ms;
    p->node_settings.adopt = s->unregistered_shards == UNREGISTERED_ADOPT;
    p->node_settings.strict_envelope = s->strict_envelope;
    p->node_settings.link_wait_ms = s->link_wait_ms;
    p->node_settings.max_connections = connections;
    p->node_settings.max_shards = (size_t)s->max_shards;
    p->client_settings = process_ws_settings(&s->common);
    p->client_settings.high_water = (uint32_t)(s->client_queue / 2);
    p->client_settings.max_queue = (size_t)s->client_queue;
    p->client_settings.drop_oldest = s->slow_client == SLOW_CLIENT_DROP_OLDEST;
    p->client_settings.slow_ms = s->slow_ms;
    p->client_settings.message_ms = s->message_ms;
    p->client_settings.buffers = &p->stats.buffers;
    p->client_settings.deflate = p->clients.packer.deflate; /* NULL: there is none yet */
    p->stats.buffers.max = (size_t)s->buffer_max;
    p->greeter_settings = (struct greeter_settings){
        .ws = p->client_settings,
        .timeout_ms = s->auth_timeout_ms,
        .max = (size_t)s->auth_waiting,
    };
    if (p->greeter_settings.ws.max_message > GREETING_MAX)
        p->greeter_settings.ws.max_message = GREETING_MAX;
    p->link_settings = process_ws_settings(&s->common);
    p->link_settings.max_message = (size_t)s->link_frame_max;
    p->link_settings.high_water = (uint32_t)node_link_high_water(&p->node_settings);
    p->limits = process_http_limits(&s->common);
    p->limits.high_water = EDGE_HIGH_WATER;
    p->limits.max_connections = connections;
}

void process_derive(struct process *p)
{
    read_settings(p);
    say_what_stays(p);
    process_derive_again(p);
}

void process_derive_again(struct process *p)
{
    log_set_level((enum log_level)p->settings.common.log_level);
    use_secrets(p);
    use_keys(p);
    use_proxies(p);
    use_limits(p);
}

void process_underive(struct process *p)
{
    origins_clear(&p->world_urls);
    origins_clear(&p->room_urls);
    addr_set_clear(&p->trusted);
    addr_set_clear(&p->fronts);
    routes_free(p->routes);
    token_keys_free(p->keys);
}
