/* What the settings mean: from the table's values to the settings of each part. */
#include <assert.h>

#include "common/base/log.h"
#include "common/proto/mac.h"
#include "common/proto/session_mark.h"
#include "world/io/process.h"

enum {
    HIGH_WATER = 1024 * 1024,
    ADMIN_CONNECTIONS = 256, /* of ADMIN_LISTEN; from what MAX_CONNECTIONS leaves */
};

static void use_secrets(struct process *p)
{
    struct span text = span_str(p->settings.jwt_secret);
    enum token_alg alg = (enum token_alg)p->settings.jwt_alg;

    p->secrets.list = span_str(p->settings.shard_secret);
    mac_forget();
    session_mark_use(&p->secrets);

    enum err e = p->keys == NULL ? token_keys_new(&p->keys, alg, text)
                                 : token_keys_change(p->keys, alg, text);

    assert(e == ERR_OK); /* settings_table has checked it */
    if (alg == TOKEN_HS256 && token_keys_shortest(p->keys) < PROCESS_JWT_SECRET_MIN)
        log_warn("settings.weak", "name=AUTH_JWT_SECRET wanted_bytes=%d", PROCESS_JWT_SECRET_MIN);
    if (secrets_shortest(&p->secrets) < PROCESS_SHARD_SECRET_MIN)
        log_warn("settings.weak", "name=SHARD_SECRET wanted_bytes=%d", PROCESS_SHARD_SECRET_MIN);
}

static void use_proxies(struct process *p)
{
    struct span bad;
    enum err e;

    addr_set_clear(&p->trusted);
    e = addr_set_parse(&p->trusted, span_str(p->settings.common.trusted_proxies), &bad);
    assert(e == ERR_OK); /* settings_table has checked it */
    addr_set_clear(&p->fronts);
    e = addr_set_parse(&p->fronts, span_str(p->settings.common.proxy_protocol), &bad);
    assert(e == ERR_OK);
}

static void use_limits(struct process *p)
{
    const struct settings *s = &p->settings;

    p->core_settings.strangers =
        (struct strangers_settings){.max = (uint64_t)s->anonymous_create_max,
                                    .per_s = (uint32_t)s->anonymous_create_rate,
                                    .worlds = (uint64_t)s->anonymous_worlds};
    p->server_settings.limits = process_http_limits(&s->common);
    p->server_settings.limits.body_max = (uint64_t)s->body_max;
    p->server_settings.limits.high_water = HIGH_WATER;
    p->server_settings.limits.max_connections =
        process_max_connections(s->common.max_connections, fd_limit_raise());
    p->server_settings.back_limits = p->server_settings.limits;
    if (p->server_settings.back_limits.max_connections > ADMIN_CONNECTIONS)
        p->server_settings.back_limits.max_connections = ADMIN_CONNECTIONS;
    p->ws_settings = process_ws_settings(&s->common);
    p->ws_settings.high_water = HIGH_WATER;
    p->ws_settings.max_queue = (size_t)s->feed_queue;
}

void process_derive(struct process *p)
{
    const struct settings *s = &p->settings;

    p->core_settings = (struct core_settings){
        .secrets = &p->secrets,
        .url_template = span_str(s->url_template),
        .max_room_shards = (uint64_t)s->max_room_shards,
        .seat_ttl_ms = s->seat_ttl_ms,
        .beat_ms = s->beat_interval_ms,
        .room_servers = span_str(settings_room_servers(s)),
        .failover_ms = s->room_failover == ROOM_FAILOVER_MOVE ? 0 : s->room_failover_wait_ms,
        .nodes_packed = s->node_placement == 1,
        .private_rooms = s->private_rooms == PRIVATE_ROOMS_ENFORCE,
        .tickets = s->require_ticket,
    };
    p->server_settings = (struct server_settings){
        .trusted = &p->trusted, .secrets = &p->secrets, .has_back = *s->admin_listen != '\0'};
    process_derive_again(p);
    p->core_settings.keys = p->keys;
}

void process_derive_again(struct process *p)
{
    log_set_level((enum log_level)p->settings.common.log_level);
    use_secrets(p);
    use_proxies(p);
    use_limits(p);
}

void process_underive(struct process *p)
{
    token_keys_free(p->keys);
    addr_set_clear(&p->trusted);
    addr_set_clear(&p->fronts);
}
