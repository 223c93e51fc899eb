/* Both directions stand side by side, so that a member is never written under one name and read
 * under another. */
#include "world/core/record.h"

#include "world/core/nodes/nodes.h"
#include "world/core/rooms/shards.h"

const char *const record_kind_names[RECORD_COUNT + 1] = {
    [RECORD_ROOM] = "room",     [RECORD_SHARD] = "shard", [RECORD_NODE] = "node",
    [RECORD_SERVER] = "server", [RECORD_BAN] = "ban",     [RECORD_RETIRED] = "retired",
};

#define STRATEGY        "balancingStrategy"
#define PUBLIC          "public"
#define MAX_PLAYERS     "maxPlayersPerShard"
#define MIN_SHARDS      "minShards"
#define MAX_SHARDS      "maxShards"
#define SERVER          "server"
#define NEXT            "next"
#define REGISTERED      "registered"
#define ROOM_ID         "roomId"
#define URL             "url"
#define MAX_CONNECTIONS "maxConnections"
#define STATUS          "status"
#define NODE            "node"
#define OPEN            "open"
#define LEAVING         "leaving"
#define DRAIN           "drain"
#define DRAIN_HOW       "drainHow"
#define DEADLINE_MS     "deadlineMs"
#define UNTIL           "until"
#define RATE            "rate"
#define RETRY_MIN_MS    "retryMinMs"
#define RETRY_MAX_MS    "retryMaxMs"
#define INTERNAL_URL    "internalUrl"

/* ---- writing: every member but the first brings its comma */

#define ADD_NUMBER(out, key, n)                                                                    \
    do {                                                                                           \
        BUF_ADD_LIT((out), ",\"" key "\":");                                                       \
        buf_add_u64((out), (n));                                                                   \
    } while (0)

/* `next` is there while the room moves. */
static void add_assignment(struct buf *out, const struct assignment *a)
{
    if (a->server != NULL) {
        BUF_ADD_LIT(out, ",\"" SERVER "\":");
        json_add_string(out, a->server->server->origin);
    }
    if (a->state == ASSIGNMENT_CLOSING) {
        BUF_ADD_LIT(out, ",\"" NEXT "\":");
        if (a->next != NULL)
            json_add_string(out, a->next->server->origin);
        else
            BUF_ADD_LIT(out, "\"\"");
    }
}

void record_add_room(struct buf *out, const struct room *room)
{
    const struct room_settings *s = &room->settings;

    BUF_ADD_LIT(out, "{\"" STRATEGY "\":");
    json_add_string(out, span_str(strategy_names[s->strategy]));
    BUF_ADD_LIT(out, ",\"" PUBLIC "\":");
    buf_add_span(out, s->is_public ? SPAN("true") : SPAN("false"));
    ADD_NUMBER(out, MAX_PLAYERS, s->max_players);
    ADD_NUMBER(out, MIN_SHARDS, s->min_shards);
    if (s->max_shards != 0)
        ADD_NUMBER(out, MAX_SHARDS, s->max_shards);
    if (s->leaving)
        BUF_ADD_LIT(out, ",\"" LEAVING "\":true");
    add_assignment(out, &room->assignment);
    buf_add_char(out, '}');
}

static bool drain_is_told(const struct order_drain *d)
{
    return d->deadline_ms != 0 || d->rate != 0 || d->retry_max_ms != 0;
}

/* Behind the member's name. */
static void add_drain(struct buf *out, const struct order_drain *d, int64_t until_ms)
{
    BUF_ADD_LIT(out, "{\"" DEADLINE_MS "\":");
    buf_add_i64(out, d->deadline_ms);
    ADD_NUMBER(out, UNTIL, (uint64_t)until_ms);
    ADD_NUMBER(out, RATE, d->rate);
    ADD_NUMBER(out, RETRY_MIN_MS, (uint64_t)d->retry_min_ms);
    ADD_NUMBER(out, RETRY_MAX_MS, (uint64_t)d->retry_max_ms);
    buf_add_char(out, '}');
}

void record_add_shard(struct buf *out, const struct shard *shard)
{
    struct span node = {0};

    if (shard->owner != NULL)
        node = shard->owner->id;
    BUF_ADD_LIT(out, "{\"" ROOM_ID "\":");
    json_add_string(out, shard->room->name);
    BUF_ADD_LIT(out, ",\"" URL "\":");
    json_add_string(out, shard->url);
    ADD_NUMBER(out, MAX_CONNECTIONS, shard->max);
    BUF_ADD_LIT(out, ",\"" STATUS "\":");
    json_add_string(out, span_str(shard_status_names[shard->status]));
    BUF_ADD_LIT(out, ",\"" NODE "\":");
    json_add_string(out, node);
    ADD_NUMBER(out, OPEN, shard->open);
    if (drain_is_told(&shard->drain)) {
        BUF_ADD_LIT(out, ",\"" DRAIN "\":");
        add_drain(out, &shard->drain, shard->drain_until_ms);
    }
    buf_add_char(out, '}');
}

void record_add_node(struct buf *out, const struct node *n)
{
    BUF_ADD_LIT(out, "{\"" URL "\":");
    json_add_string(out, n->url);
    BUF_ADD_LIT(out, ",\"" INTERNAL_URL "\":");
    json_add_string(out, n->internal_url);
    ADD_NUMBER(out, MAX_CONNECTIONS, n->max_connections);
    BUF_ADD_LIT(out, ",\"" DRAIN "\":");
    buf_add_span(out, n->drain_ordered ? SPAN("true") : SPAN("false"));
    if (drain_is_told(&n->drain)) {
        BUF_ADD_LIT(out, ",\"" DRAIN_HOW "\":");
        add_drain(out, &n->drain, n->drain_until_ms);
    }
    buf_add_char(out, '}');
}

void record_add_retired(struct buf *out, int64_t until_ms)
{
    BUF_ADD_LIT(out, "{\"" UNTIL "\":");
    buf_add_i64(out, until_ms);
    buf_add_char(out, '}');
}

void record_add_server(struct buf *out, const struct world_server *at)
{
    BUF_ADD_LIT(out, "{\"" REGISTERED "\":");
    buf_add_span(out, at->registered ? SPAN("true") : SPAN("false"));
    BUF_ADD_LIT(out, ",\"" DRAIN "\":");
    buf_add_span(out, at->draining ? SPAN("true") : SPAN("false"));
    buf_add_char(out, '}');
}

/* ---- reading */

static bool read_number(const json_t *object, const char *key, int64_t min, uint64_t *out)
{
    int64_t number;

    if (!json_get_int(object, key, min, REGISTRY_COUNT_MAX, &number))
        return false;
    *out = (uint64_t)number;
    return true;
}

/* The place of the member's text among `names`, which are NULL-terminated. */
static bool read_name(const json_t *object, const char *key, const char *const *names, int *out)
{
    struct span name;

    if (!json_get_span(object, key, &name))
        return false;
    for (*out = 0; names[*out] != NULL; (*out)++) {
        if (span_eq(name, span_str(names[*out])))
            return true;
    }
    return false;
}

static bool absent(const json_t *object, const char *key)
{
    return json_object_get(object, key) == NULL;
}

enum err record_read_room(struct span value, struct room_settings *out)
{
    json_t *doc = json_decode(value);
    int strategy = 0;
    bool good;

    *out = (struct room_settings){0};
    good = json_is_object(doc) && read_name(doc, STRATEGY, strategy_names, &strategy) &&
           json_get_bool(doc, PUBLIC, &out->is_public) &&
           read_number(doc, MAX_PLAYERS, 1, &out->max_players) &&
           read_number(doc, MIN_SHARDS, 0, &out->min_shards) &&
           (absent(doc, LEAVING) || json_get_bool(doc, LEAVING, &out->leaving)) &&
           (absent(doc, MAX_SHARDS) || read_number(doc, MAX_SHARDS, 1, &out->max_shards));
    out->strategy = (enum strategy)strategy;
    json_decref(doc);
    return good ? ERR_OK : ERR_SYNTAX;
}

/* Absent: the all-zero struct stays as it is. */
static bool read_drain(const json_t *object, struct order_drain *d, int64_t *until_ms)
{
    return object == NULL ||
           (json_get_int(object, DEADLINE_MS, 0, REGISTRY_COUNT_MAX, &d->deadline_ms) &&
            json_get_int(object, UNTIL, 0, REGISTRY_COUNT_MAX, until_ms) &&
            read_number(object, RATE, 0, &d->rate) &&
            json_get_int(object, RETRY_MIN_MS, 0, REGISTRY_COUNT_MAX, &d->retry_min_ms) &&
            json_get_int(object, RETRY_MAX_MS, 0, REGISTRY_COUNT_MAX, &d->retry_max_ms));
}

enum err record_read_assignment(struct span value, struct assignment_record *out)
{
    json_t *doc = json_decode(value);

    *out = (struct assignment_record){.doc = doc, .closing = !absent(doc, NEXT)};
    return (absent(doc, SERVER) || json_get_span(doc, SERVER, &out->server)) &&
                   (absent(doc, NEXT) || json_get_span(doc, NEXT, &out->next))
               ? ERR_OK
               : ERR_SYNTAX;
}

enum err record_read_server(struct span value, bool *registered, bool *draining)
{
    json_t *doc = json_decode(value);
    bool good = json_is_object(doc) && json_get_bool(doc, REGISTERED, registered) &&
                json_get_bool(doc, DRAIN, draining);

    json_decref(doc);
    return good ? ERR_OK : ERR_SYNTAX;
}

enum err record_read_shard(struct span value, struct shard_record *out)
{
    json_t *doc = json_decode(value);
    int status = 0;
    bool good;

    *out = (struct shard_record){.doc = doc};
    good = json_is_object(doc) && json_get_span(doc, ROOM_ID, &out->room) &&
           json_get_span(doc, URL, &out->url) && read_number(doc, MAX_CONNECTIONS, 1, &out->max) &&
           read_name(doc, STATUS, shard_status_names, &status) &&
           (absent(doc, NODE) || json_get_span(doc, NODE, &out->node)) &&
           read_drain(json_object_get(doc, DRAIN), &out->drain, &out->drain_until_ms) &&
           (absent(doc, OPEN) || read_number(doc, OPEN, 0, &out->open));
    out->status = (enum shard_status)status;
    if (!good)
        shard_record_clear(out);
    return good ? ERR_OK : ERR_SYNTAX;
}

enum err record_read_node(struct span value, struct node_record *out)
{
    json_t *doc = json_decode(value);

    *out = (struct node_record){.doc = doc};
    return json_is_object(doc) && json_get_span(doc, URL, &out->url) &&
                   json_get_span(doc, INTERNAL_URL, &out->internal_url) &&
                   read_number(doc, MAX_CONNECTIONS, 0, &out->max_connections) &&
                   json_get_bool(doc, DRAIN, &out->is_drained) &&
                   read_drain(json_object_get(doc, DRAIN_HOW), &out->drain, &out->drain_until_ms)
               ? ERR_OK
               : ERR_SYNTAX;
}

enum err record_read_retired(struct span value, int64_t *until_ms)
{
    json_t *doc = json_decode(value);
    bool good = json_get_int(doc, UNTIL, 0, REGISTRY_COUNT_MAX, until_ms);

    json_decref(doc);
    return good ? ERR_OK : ERR_SYNTAX;
}

void shard_record_clear(struct shard_record *r)
{
    json_decref(r->doc);
    *r = (struct shard_record){0};
}
