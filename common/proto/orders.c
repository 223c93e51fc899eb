/* Orders as JSON. What is at its default is not written, and what is not written is at its default.
 */
#include "common/proto/orders.h"

#include "common/base/log.h"
#include "common/proto/member.h"

const char *const order_status_names[ORDER_STATUS_COUNT + 1] = {
    [ORDER_ACTIVE] = "active",
    [ORDER_MAINTENANCE] = "maintenance",
    [ORDER_DRAINING] = "draining",
};

static void add_number(struct buf *out, struct span name, int64_t value)
{
    if (value == 0)
        return;
    if (out->data[out->len - 1] != '{')
        buf_add_char(out, ',');
    buf_add_span(out, name);
    buf_add_i64(out, value);
}

static void add_drain(struct buf *out, const struct order_drain *d)
{
    buf_add_char(out, '{');
    add_number(out, SPAN("\"deadlineMs\":"), d->deadline_ms);
    add_number(out, SPAN("\"rate\":"), (int64_t)d->rate);
    add_number(out, SPAN("\"retryMinMs\":"), d->retry_min_ms);
    add_number(out, SPAN("\"retryMaxMs\":"), d->retry_max_ms);
    buf_add_char(out, '}');
}

static bool drain_is_none(const struct order_drain *d)
{
    return d->deadline_ms == 0 && d->rate == 0 && d->retry_min_ms == 0 && d->retry_max_ms == 0;
}

static void add_bans(struct buf *out, const struct order_ban *bans, size_t count)
{
    BUF_ADD_LIT(out, ",\"bans\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        BUF_ADD_LIT(out, "{\"session\":");
        json_add_string(out, bans[i].session);
        BUF_ADD_LIT(out, ",\"ttlMs\":");
        buf_add_i64(out, bans[i].ttl_ms);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static bool read_drain(const json_t *object, struct order_drain *out)
{
    struct member_reader r = {.object = object};

    *out = (struct order_drain){0};
    return member_time(&r, "deadlineMs", &out->deadline_ms) &&
           member_count(&r, "rate", &out->rate) &&
           member_time(&r, "retryMinMs", &out->retry_min_ms) &&
           member_time(&r, "retryMaxMs", &out->retry_max_ms);
}

static void add_log(struct buf *out, const struct order_log *o)
{
    BUF_ADD_LIT(out, ",\"logLevel\":{\"id\":");
    buf_add_i64(out, o->id);
    buf_addf(out, ",\"level\":\"%s\"", log_level_names[o->level]);
    add_number(out, SPAN("\"ttlMs\":"), o->ttl_ms);
    buf_add_char(out, '}');
}

static bool read_log(const json_t *object, struct order_log *out)
{
    struct member_reader r = {.object = object};

    return object == NULL || (member_time(&r, "id", &out->id) &&
                              member_choice(&r, "level", log_level_names, &out->level) &&
                              member_time(&r, "ttlMs", &out->ttl_ms));
}

static bool read_ban(const json_t *object, struct order_ban *out)
{
    struct member_reader r = {.object = object};

    *out = (struct order_ban){0};
    return member_id(&r, "session", ORDERS_SESSION_MAX, &out->session) &&
           member_time(&r, "ttlMs", &out->ttl_ms);
}

static bool bans_are_good(const json_t *bans)
{
    struct order_ban ban;

    for (size_t i = 0; i < json_array_size(bans); i++) {
        if (!read_ban(json_array_get(bans, i), &ban))
            return false;
    }
    return true;
}

static bool shards_are_good(const json_t *shards)
{
    struct order order;
    const json_t *bans;

    for (size_t i = 0; i < json_array_size(shards); i++) {
        if (!order_read(json_array_get(shards, i), &order, &bans))
            return false;
    }
    return true;
}

static bool ids_are_good(const json_t *ids, size_t max)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const json_t *id = json_array_get(ids, i);
        if (json_string_length(id) == 0 || json_string_length(id) > max)
            return false;
    }
    return true;
}

static bool read_missing(const json_t *object, struct span *shard_id, const json_t **sessions)
{
    struct member_reader r = {.object = object};

    return member_id(&r, "shardId", ORDERS_ID_MAX, shard_id) &&
           member_array(&r, "sessions", sessions) && ids_are_good(*sessions, ORDERS_SESSION_MAX);
}

static bool missing_are_good(const json_t *missing)
{
    struct span shard_id;
    const json_t *sessions;

    for (size_t i = 0; i < json_array_size(missing); i++) {
        if (!read_missing(json_array_get(missing, i), &shard_id, &sessions))
            return false;
    }
    return true;
}

/* The text of one that is good. */
static bool next_id(const json_t *ids, size_t *at, struct span *out)
{
    const json_t *id;

    if (*at >= json_array_size(ids))
        return false;
    id = json_array_get(ids, (*at)++);
    *out = span_of(json_string_value(id), json_string_length(id));
    return true;
}

static bool read_lists(struct member_reader *r)
{
    const json_t *shards, *drops, *guests, *missing;

    return member_array(r, "shards", &shards) && shards_are_good(shards) &&
           member_array(r, "drop", &drops) && ids_are_good(drops, ORDERS_ID_MAX) &&
           member_array(r, "guests", &guests) && shards_are_good(guests) &&
           member_array(r, "missing", &missing) && missing_are_good(missing);
}

static bool read_head(struct member_reader *r, struct orders *out)
{
    const json_t *drain, *checkup, *log;

    if (!member_time(r, "epoch", &out->epoch) || !member_time(r, "version", &out->version) ||
        !member_time(r, "intervalMs", &out->interval_ms) ||
        !member_bool(r, "unchanged", &out->unchanged) || !member_bool(r, "full", &out->full) ||
        !member_count(r, "others", &out->others) || !member_bool(r, "renew", &out->renew) ||
        !member_object(r, "drainNode", &drain) || !member_object(r, "checkup", &checkup) ||
        !member_object(r, "logLevel", &log) || !read_log(log, &out->log))
        return false;
    if (checkup != NULL && !checkup_read(checkup, &out->checkup))
        return false;
    out->drain_node = drain != NULL;
    return (drain == NULL || read_drain(drain, &out->drain)) && out->epoch > 0;
}

void orders_open(struct buf *out, const struct orders *o)
{
    BUF_ADD_LIT(out, "{\"epoch\":");
    buf_add_i64(out, o->epoch);
    BUF_ADD_LIT(out, ",\"version\":");
    buf_add_i64(out, o->version);
    BUF_ADD_LIT(out, ",\"intervalMs\":");
    buf_add_i64(out, o->interval_ms);
    BUF_ADD_LIT(out, ",\"others\":");
    buf_add_u64(out, o->others);
    if (o->renew)
        BUF_ADD_LIT(out, ",\"renew\":true");
    if (o->drain_node) {
        BUF_ADD_LIT(out, ",\"drainNode\":");
        add_drain(out, &o->drain);
    }
    if (o->log.id > 0)
        add_log(out, &o->log);
    if (o->checkup.text.len > 0) {
        BUF_ADD_LIT(out, ",\"checkup\":");
        buf_add_span(out, o->checkup.text);
    }
    if (o->unchanged) {
        BUF_ADD_LIT(out, ",\"unchanged\":true,\"drop\":[");
        return;
    }
    if (o->full)
        BUF_ADD_LIT(out, ",\"full\":true");
    BUF_ADD_LIT(out, ",\"shards\":[");
}

void orders_add_shard(struct buf *out, const struct order *o, const struct order_ban *bans,
                      size_t ban_count, bool first)
{
    if (!first)
        buf_add_char(out, ',');
    BUF_ADD_LIT(out, "{\"shardId\":");
    json_add_string(out, o->shard_id);
    BUF_ADD_LIT(out, ",\"roomId\":");
    json_add_string(out, o->room_id);
    BUF_ADD_LIT(out, ",\"status\":\"");
    buf_add_span(out, span_str(order_status_names[o->status]));
    BUF_ADD_LIT(out, "\",\"maxConnections\":");
    buf_add_u64(out, o->max_connections);
    if (o->room_server.len > 0) {
        BUF_ADD_LIT(out, ",\"roomServer\":");
        json_add_string(out, o->room_server);
    }
    if (o->hold)
        BUF_ADD_LIT(out, ",\"hold\":true");
    if (o->is_private)
        BUF_ADD_LIT(out, ",\"private\":true");
    if (!drain_is_none(&o->drain)) {
        BUF_ADD_LIT(out, ",\"drain\":");
        add_drain(out, &o->drain);
    }
    if (ban_count > 0)
        add_bans(out, bans, ban_count);
    buf_add_char(out, '}');
}

void orders_open_drops(struct buf *out)
{
    BUF_ADD_LIT(out, "],\"drop\":[");
}

void orders_add_drop(struct buf *out, struct span shard_id, bool first)
{
    if (!first)
        buf_add_char(out, ',');
    json_add_string(out, shard_id);
}

void orders_open_guests(struct buf *out)
{
    BUF_ADD_LIT(out, "],\"guests\":[");
}

void orders_open_missing(struct buf *out)
{
    BUF_ADD_LIT(out, "],\"missing\":[");
}

void orders_add_missing(struct buf *out, struct span shard_id, struct span sessions, bool first)
{
    if (!first)
        buf_add_char(out, ',');
    BUF_ADD_LIT(out, "{\"shardId\":");
    json_add_string(out, shard_id);
    BUF_ADD_LIT(out, ",\"sessions\":");
    buf_add_span(out, sessions);
    buf_add_char(out, '}');
}

void orders_close(struct buf *out)
{
    BUF_ADD_LIT(out, "]}");
}

enum err orders_read(struct orders *out, json_t **doc, struct span text)
{
    struct member_reader r;

    *out = (struct orders){0};
    *doc = json_decode_max(text, ORDERS_VALUES_MAX);
    r = (struct member_reader){.object = *doc};
    return read_head(&r, out) && read_lists(&r) ? ERR_OK : ERR_SYNTAX;
}

bool orders_next_shard(const json_t *doc, size_t *at, struct order *out, const json_t **bans)
{
    const json_t *shards = json_object_get(doc, "shards");

    return *at < json_array_size(shards) && order_read(json_array_get(shards, (*at)++), out, bans);
}

bool order_next_ban(const json_t *bans, size_t *at, struct order_ban *out)
{
    return *at < json_array_size(bans) && read_ban(json_array_get(bans, (*at)++), out);
}

bool orders_next_guest(const json_t *doc, size_t *at, struct order *out)
{
    const json_t *guests = json_object_get(doc, "guests"), *bans;

    return *at < json_array_size(guests) && order_read(json_array_get(guests, (*at)++), out, &bans);
}

bool orders_next_drop(const json_t *doc, size_t *at, struct span *shard_id)
{
    return next_id(json_object_get(doc, "drop"), at, shard_id);
}

bool orders_next_missing(const json_t *doc, size_t *at, struct span *shard_id,
                         const json_t **sessions)
{
    const json_t *missing = json_object_get(doc, "missing");

    return *at < json_array_size(missing) &&
           read_missing(json_array_get(missing, (*at)++), shard_id, sessions);
}

bool orders_next_session(const json_t *sessions, size_t *at, struct span *id)
{
    return next_id(sessions, at, id);
}

bool order_read(const json_t *object, struct order *out, const json_t **bans)
{
    struct member_reader r = {.object = object};
    const json_t *drain;
    unsigned status = ORDER_ACTIVE;

    *out = (struct order){0};
    if (!member_id(&r, "shardId", ORDERS_ID_MAX, &out->shard_id) ||
        !member_text(&r, "roomId", ORDERS_ID_MAX, &out->room_id) ||
        !member_choice(&r, "status", order_status_names, &status) ||
        !member_count(&r, "maxConnections", &out->max_connections) ||
        !member_text(&r, "roomServer", ORDERS_URL_MAX, &out->room_server) ||
        !member_bool(&r, "hold", &out->hold) || !member_bool(&r, "private", &out->is_private) ||
        !member_object(&r, "drain", &drain) || !member_array(&r, "bans", bans))
        return false;
    out->status = (enum order_status)status;
    return (drain == NULL || read_drain(drain, &out->drain)) && bans_are_good(*bans);
}

void orders_conflict_add(struct buf *out, const struct orders_conflict *c)
{
    BUF_ADD_LIT(out, "{\"error\":\"Another process has this node id\",\"epoch\":");
    buf_add_i64(out, c->epoch);
    BUF_ADD_LIT(out, ",\"ageMs\":");
    buf_add_i64(out, c->age_ms);
    BUF_ADD_LIT(out, ",\"intervalMs\":");
    buf_add_i64(out, c->interval_ms);
    BUF_ADD_LIT(out, ",\"url\":");
    json_add_string(out, c->url);
    buf_add_char(out, '}');
}

enum err orders_conflict_read(struct orders_conflict *out, json_t **doc, struct span text)
{
    struct member_reader r;

    *out = (struct orders_conflict){0};
    *doc = json_decode_max(text, ORDERS_CONFLICT_VALUES_MAX);
    r = (struct member_reader){.object = *doc};
    if (!member_time(&r, "epoch", &out->epoch) || !member_time(&r, "ageMs", &out->age_ms) ||
        !member_time(&r, "intervalMs", &out->interval_ms) ||
        !member_text(&r, "url", ORDERS_URL_MAX, &out->url))
        return ERR_SYNTAX;
    return out->epoch > 0 ? ERR_OK : ERR_SYNTAX;
}
