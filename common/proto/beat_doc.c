/* The head is read as a document, the shards as text. */
#include "common/proto/beat_doc.h"

#include <stddef.h>

#include "common/proto/json_text.h"
#include "common/proto/member.h"

enum { DIGITS_MAX = 15 }; /* no such number is beyond MEMBER_NUMBER_MAX */

/* What is being read, and the first thing found wrong with it. */
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

/* One that an operator wrote, not a client. */
static struct span take_text(struct reading *r, const char *key, size_t max)
{
    struct span text = {.ptr = "", .len = 0};
    if (json_object_get(r->object, key) == NULL)
        return text;
    if (!json_get_span(r->object, key, &text) || has_control(text))
        fault(r, ERR_SYNTAX, key);
    else if (text.len > max)
        fault(r, ERR_LIMIT, key);
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
        !json_get_int(r->object, key, 0, MEMBER_NUMBER_MAX, &number))
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

static void read_findings(struct reading *r, struct beat_doc *doc)
{
    const json_t *list = json_object_get(r->object, "findings");
    if (list == NULL)
        return;
    doc->tells_findings = true;
    if (findings_read(&doc->findings, list) != ERR_OK)
        fault(r, ERR_SYNTAX, "findings");
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
    out->now_ms = take_number(r, "nowMs");
    out->checkup = take_number(r, "checkup");
}

/* ---- the shards: read as text, a document would cost ten times as much */

struct shard_reading {
    struct reading r;
    struct beat_doc *doc;
    struct beat_shard out;
    size_t sessions; /* of all shards so far */
};

/* The text of a raw value, from `room` if it has escapes. */
static struct span raw_text(struct reading *r, const char *key, struct span raw, size_t max,
                            struct buf *room)
{
    struct span text = {.ptr = "", .len = 0};
    if (raw.ptr[0] != '"') {
        fault(r, ERR_SYNTAX, key);
        return text;
    }
    text = span_slice(raw, 1, raw.len - 1);
    if (span_index(text, '\\') < text.len) {
        buf_reset(room);
        json_text_unescape(room, text);
        text = buf_span(room);
    }
    if (text.len > max)
        fault(r, ERR_LIMIT, key);
    return text;
}

/* Few digits are what they seem; other forms of whole numbers are rare. */
static uint64_t raw_count(struct reading *r, const char *key, struct span raw)
{
    int64_t number = 0;
    size_t i = 0;
    for (; i < raw.len && i < DIGITS_MAX && raw.ptr[i] >= '0' && raw.ptr[i] <= '9'; i++)
        number = number * 10 + (raw.ptr[i] - '0');
    if (i == raw.len)
        return (uint64_t)number;
    json_t *value = json_decode(raw);
    number = 0;
    if (!json_whole(value, 0, MEMBER_NUMBER_MAX, &number))
        fault(r, ERR_SYNTAX, key);
    json_decref(value);
    return (uint64_t)number;
}

static enum beat_link raw_link(struct reading *r, struct span raw)
{
    struct span name = raw.ptr[0] == '"' ? span_slice(raw, 1, raw.len - 1) : raw;
    for (unsigned link = 0; link < BEAT_LINK_COUNT; link++)
        if (raw.ptr[0] == '"' &&
            (name.len == 0 || json_text_string_is(name, beat_link_names[link])))
            return (enum beat_link)link;
    fault(r, ERR_SYNTAX, "link");
    return BEAT_LINK_IDLE;
}

static bool next_session(struct reading *r, const char *key, struct span list, size_t *at,
                         struct buf *room, struct span *id)
{
    struct span raw;
    if (!json_text_next(list, at, &raw))
        return false;
    *id = raw_text(r, key, raw, BEAT_SESSION_MAX, room);
    return true;
}

static struct span raw_sessions(struct shard_reading *s, const char *key, struct span raw)
{
    struct span id;
    if (raw.ptr[0] != '[') {
        fault(&s->r, ERR_SYNTAX, key);
        return SPAN("");
    }
    for (size_t at = 0; next_session(&s->r, key, raw, &at, &s->doc->session, &id);) {
        (void)must_be(&s->r, key, id);
        if (++s->sessions > BEAT_SESSIONS_MAX)
            fault(&s->r, ERR_LIMIT, key);
        if (s->r.e != ERR_OK)
            break;
    }
    return raw;
}

static void take_count_member(struct shard_reading *s, struct span key, struct span value)
{
    static const struct {
        struct span key;
        size_t at;
    } counts[] = {{SPAN_INIT("open"), offsetof(struct beat_shard, open)},
                  {SPAN_INIT("returning"), offsetof(struct beat_shard, returning)},
                  {SPAN_INIT("admitted"), offsetof(struct beat_shard, admitted)},
                  {SPAN_INIT("readmitted"), offsetof(struct beat_shard, readmitted)},
                  {SPAN_INIT("sessions"), offsetof(struct beat_shard, sessions)}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        if (!span_eq(key, counts[i].key))
            continue;
        uint64_t count = raw_count(&s->r, counts[i].key.ptr, value);
        memcpy((char *)&s->out + counts[i].at, &count, sizeof count);
        return;
    }
}

static void take_member(void *ctx, const struct json_member *m)
{
    struct shard_reading *s = ctx;
    struct span key = m->key;
    if (span_index(key, '\\') < key.len) {
        buf_reset(&s->doc->key);
        json_text_unescape(&s->doc->key, key);
        key = buf_span(&s->doc->key);
    }
    if (span_eq(key, SPAN("shardId"))) {
        s->out.shard_id = raw_text(&s->r, "shardId", m->value, BEAT_SHARD_ID_MAX, &s->doc->id);
    } else if (span_eq(key, SPAN("link"))) {
        s->out.link = raw_link(&s->r, m->value);
    } else if (span_eq(key, SPAN("server"))) {
        s->out.server = raw_text(&s->r, "server", m->value, BEAT_URL_MAX, &s->doc->server);
        if (has_control(s->out.server))
            fault(&s->r, ERR_SYNTAX, "server");
    } else if (span_eq(key, SPAN("left"))) {
        s->out.left = raw_sessions(s, "left", m->value);
    } else if (span_eq(key, SPAN("joined"))) {
        s->out.joined = raw_sessions(s, "joined", m->value);
    } else {
        take_count_member(s, key, m->value);
    }
}

/* False at the end; what is wrong with the shard is in *s. */
static bool read_shard(struct shard_reading *s, size_t *at)
{
    struct span raw;
    char kind;
    s->out = (struct beat_shard){.shard_id = SPAN(""), .server = SPAN(""), .all = s->doc->full};
    if (!json_text_next(s->doc->shards, at, &raw))
        return false;
    if (json_text_members(raw, &kind, take_member, s) != ERR_OK || s->out.shard_id.len == 0)
        fault(&s->r, ERR_SYNTAX, "shardId");
    return true;
}

static void read_shards(struct reading *r, struct beat_doc *doc)
{
    struct shard_reading s = {.r = *r, .doc = doc};
    size_t at = 0, count = 0;
    if (doc->shards.len == 0 || doc->shards.ptr[0] != '[') {
        fault(r, ERR_SYNTAX, "shards");
        return;
    }
    while (s.r.e == ERR_OK && read_shard(&s, &at))
        if (++count > BEAT_SHARDS_MAX)
            fault(&s.r, ERR_LIMIT, "shards");
    *r = s.r;
}

static void find_shards(void *ctx, const struct json_member *m)
{
    struct beat_doc *doc = ctx;
    if (json_text_string_is(m->key, SPAN("shards")))
        doc->shards = m->value;
}

/* Finds the shards, and makes a document of the rest. */
static void open_doc(struct beat_doc *doc, struct span text)
{
    struct buf head = {.len = 0};
    char kind;
    *doc = (struct beat_doc){.head = NULL};
    if (json_text_members(text, &kind, find_shards, doc) != ERR_OK)
        return;
    size_t from = doc->shards.ptr == NULL ? text.len : (size_t)(doc->shards.ptr - text.ptr);
    buf_add_span(&head, span_slice(text, 0, from));
    if (doc->shards.ptr != NULL)
        BUF_ADD_LIT(&head, "0");
    buf_add_span(&head, span_slice(text, from + doc->shards.len, text.len));
    doc->head = json_decode(buf_span(&head));
    buf_clear(&head);
}

enum err beat_read(struct beat *out, struct beat_doc *doc, struct span text, const char **why)
{
    open_doc(doc, text);
    *out = (struct beat){.seq = 0};
    struct reading r = {.object = json_object_get(doc->head, "node")};
    if (!json_is_object(r.object))
        fault(&r, ERR_SYNTAX, doc->head == NULL ? "JSON" : "node");
    read_node(&r, out);
    read_findings(&r, doc);
    r.object = json_object_get(doc->head, "haveOrders");
    out->have_epoch = take_number(&r, "epoch");
    out->have_version = take_number(&r, "version");
    r.object = doc->head;
    out->seq = take_mark(&r, "seq");
    out->full = doc->full = take_flag(&r, "full");
    read_shards(&r, doc);
    *why = r.why;
    return r.e;
}

bool beat_next_shard(struct beat_doc *doc, size_t *at, struct beat_shard *out)
{
    struct shard_reading s = {.doc = doc};
    bool found = doc->shards.len > 0 && read_shard(&s, at);
    *out = s.out;
    return found;
}

bool beat_next_session(struct beat_doc *doc, struct span list, size_t *at, struct span *id)
{
    struct reading r = {.e = ERR_OK};
    return list.len > 0 && next_session(&r, "sessions", list, at, &doc->session, id);
}

void beat_doc_clear(struct beat_doc *doc)
{
    json_decref(doc->head);
    findings_clear(&doc->findings);
    buf_clear(&doc->id);
    buf_clear(&doc->server);
    buf_clear(&doc->key);
    buf_clear(&doc->session);
    *doc = (struct beat_doc){.head = NULL};
}
