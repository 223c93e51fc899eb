/* Writes and reads heartbeats. Members that are missing count as 0, false or empty, but for those
 * that say whose beat it is and which: so a node and a world may be a version apart. */
#include "common/proto/beat.h"

#define COUNT_MAX INT64_C(9007199254740991) /* 2^53 - 1 */

static const struct span link_names[BEAT_LINK_COUNT] = {
    [BEAT_LINK_IDLE] = SPAN_INIT("idle"),
    [BEAT_LINK_DOWN] = SPAN_INIT("down"),
    [BEAT_LINK_UP] = SPAN_INIT("up"),
};

/* ---- writing */

static void add_text(struct buf *out, const char *key, struct span value)
{
    buf_addf(out, "\"%s\":", key);
    json_add_string(out, value);
    buf_add_char(out, ',');
}

static void add_count(struct buf *out, const char *key, uint64_t value)
{
    buf_addf(out, "\"%s\":", key);
    buf_add_u64(out, value);
    buf_add_char(out, ',');
}

static void add_number(struct buf *out, const char *key, int64_t value)
{
    buf_addf(out, "\"%s\":", key);
    buf_add_i64(out, value);
    buf_add_char(out, ',');
}

static void add_flag(struct buf *out, const char *key, bool value)
{
    buf_addf(out, "\"%s\":%s,", key, value ? "true" : "false");
}

/* In place of the comma behind the last member. */
static void end_object(struct buf *out)
{
    out->data[out->len - 1] = '}';
}

void beat_open(struct buf *out, const struct beat *b)
{
    BUF_ADD_LIT(out, "{\"node\":{");
    add_text(out, "id", b->node_id);
    add_number(out, "epoch", b->epoch);
    add_text(out, "url", b->url);
    add_text(out, "internalUrl", b->internal_url);
    add_text(out, "version", b->version);
    add_count(out, "maxConnections", b->max_connections);
    add_count(out, "connections", b->connections);
    add_flag(out, "draining", b->draining);
    if (b->gone)
        add_flag(out, "gone", true);
    add_number(out, "lagMs", b->lag_ms);
    end_object(out);
    buf_add_char(out, ',');
    add_number(out, "seq", b->seq);
    add_flag(out, "full", b->full);
    BUF_ADD_LIT(out, "\"haveOrders\":{");
    add_number(out, "epoch", b->have_epoch);
    add_number(out, "version", b->have_version);
    end_object(out);
    BUF_ADD_LIT(out, ",\"shards\":[");
}

void beat_add_shard(struct buf *out, const struct beat_shard *s, bool first)
{
    if (!first)
        buf_add_char(out, ',');
    buf_add_char(out, '{');
    add_text(out, "shardId", s->shard_id);
    add_count(out, "open", s->open);
    add_count(out, "returning", s->returning);
    add_count(out, "admitted", s->admitted);
    add_count(out, "readmitted", s->readmitted);
    add_count(out, "sessions", s->sessions);
    add_text(out, "link", link_names[s->link]);
    if (s->server.len > 0)
        add_text(out, "server", s->server);
    end_object(out);
}

void beat_close(struct buf *out)
{
    BUF_ADD_LIT(out, "]}");
}

/* ---- reading: what is being read, and the first thing found wrong with it */

struct reading {
    const json_t *object;
    enum err e;
    const char *why;
};

static void fault(struct reading *r, enum err e, const char *key)
{
    if (r->e != ERR_OK)
        return;
    r->e = e;
    r->why = key;
}

static bool has_control(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return true;
    return false;
}

/* Any text. */
static struct span take_any(struct reading *r, const char *key, size_t max)
{
    struct span text = {.ptr = "", .len = 0};
    if (json_object_get(r->object, key) == NULL)
        return text;
    if (!json_get_span(r->object, key, &text))
        fault(r, ERR_SYNTAX, key);
    else if (text.len > max)
        fault(r, ERR_LIMIT, key);
    return text;
}

/* One that an operator wrote, not a client. */
static struct span take_text(struct reading *r, const char *key, size_t max)
{
    struct span text = take_any(r, key, max);
    if (has_control(text))
        fault(r, ERR_SYNTAX, key);
    return text;
}

/* One that has to be there. */
static struct span must_be(struct reading *r, const char *key, struct span text)
{
    if (text.len == 0)
        fault(r, ERR_SYNTAX, key);
    return text;
}

static int64_t take_number(struct reading *r, const char *key)
{
    int64_t number = 0;
    if (json_object_get(r->object, key) != NULL &&
        !json_get_int(r->object, key, 0, COUNT_MAX, &number))
        fault(r, ERR_SYNTAX, key);
    return number;
}

static uint64_t take_count(struct reading *r, const char *key)
{
    return (uint64_t)take_number(r, key);
}

/* The same for one that has to be there and is not 0. */
static int64_t take_mark(struct reading *r, const char *key)
{
    int64_t number = take_number(r, key);
    if (number == 0)
        fault(r, ERR_SYNTAX, key);
    return number;
}

static bool take_flag(struct reading *r, const char *key)
{
    bool flag = false;
    if (json_object_get(r->object, key) != NULL && !json_get_bool(r->object, key, &flag))
        fault(r, ERR_SYNTAX, key);
    return flag;
}

static enum beat_link take_link(struct reading *r)
{
    struct span name = take_text(r, "link", 8);
    for (unsigned link = 0; link < BEAT_LINK_COUNT; link++)
        if (name.len == 0 || span_eq(name, link_names[link]))
            return (enum beat_link)link;
    fault(r, ERR_SYNTAX, "link");
    return BEAT_LINK_IDLE;
}

static struct beat_shard take_shard(struct reading *r)
{
    return (struct beat_shard){
        .shard_id = must_be(r, "shardId", take_any(r, "shardId", BEAT_SHARD_ID_MAX)),
        .open = take_count(r, "open"),
        .returning = take_count(r, "returning"),
        .admitted = take_count(r, "admitted"),
        .readmitted = take_count(r, "readmitted"),
        .sessions = take_count(r, "sessions"),
        .link = take_link(r),
        .server = take_text(r, "server", BEAT_URL_MAX),
    };
}

static void read_node(struct reading *r, struct beat *out)
{
    out->node_id = must_be(r, "id", take_text(r, "id", BEAT_NODE_ID_MAX));
    out->epoch = take_mark(r, "epoch");
    out->url = take_text(r, "url", BEAT_URL_MAX);
    out->internal_url = take_text(r, "internalUrl", BEAT_URL_MAX);
    out->version = take_text(r, "version", BEAT_NODE_ID_MAX);
    out->max_connections = take_count(r, "maxConnections");
    out->connections = take_count(r, "connections");
    out->draining = take_flag(r, "draining");
    out->gone = take_flag(r, "gone");
    out->lag_ms = take_number(r, "lagMs");
}

static void read_shards(struct reading *r)
{
    const json_t *shards = json_object_get(r->object, "shards");
    size_t count = json_array_size(shards);
    if (!json_is_array(shards))
        fault(r, ERR_SYNTAX, "shards");
    if (count > BEAT_SHARDS_MAX)
        fault(r, ERR_LIMIT, "shards");
    for (size_t i = 0; i < count && r->e == ERR_OK; i++) {
        r->object = json_array_get(shards, i);
        (void)take_shard(r);
    }
}

enum err beat_read(struct beat *out, json_t **doc, struct span text, const char **why)
{
    *doc = json_decode(text);
    *out = (struct beat){.seq = 0};
    struct reading r = {.object = json_object_get(*doc, "node")};
    if (!json_is_object(r.object))
        fault(&r, ERR_SYNTAX, *doc == NULL ? "JSON" : "node");
    read_node(&r, out);
    r.object = json_object_get(*doc, "haveOrders");
    out->have_epoch = take_number(&r, "epoch");
    out->have_version = take_number(&r, "version");
    r.object = *doc;
    out->seq = take_mark(&r, "seq");
    out->full = take_flag(&r, "full");
    read_shards(&r);
    *why = r.why;
    return r.e;
}

bool beat_next_shard(const json_t *doc, size_t *at, struct beat_shard *out)
{
    const json_t *shards = json_object_get(doc, "shards");
    if (*at >= json_array_size(shards))
        return false;
    struct reading r = {.object = json_array_get(shards, (*at)++)};
    *out = take_shard(&r);
    return true;
}
