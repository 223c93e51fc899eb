/* Records of an export come in again: all are judged before the first is taken. */
#include <stdlib.h>

#include "common/base/json_out.h"
#include "common/proto/shard_id.h"
#include "common/proto/url.h"
#include "world/core/api/api_body.h"
#include "world/core/manage/manage_body.h"
#include "world/core/manage/manage_verbs.h"
#include "world/core/nodes/nodes.h"
#include "world/core/record.h"
#include "world/core/rooms/shards.h"

/* One record that is to come in. */
struct item {
    unsigned kind; /* enum record_kind */
    struct span key;
    struct span name; /* kind and key: no two have the same; owned */
    char *value;      /* JSON text; owned */
    bool exists;
};

struct import {
    struct manage *m;
    struct item *items;
    size_t count;
    struct map by_name;
    bool replace;
};

/* ---- judging */

static void add_name(struct buf *out, unsigned kind, struct span key)
{
    buf_add_u64(out, kind);
    buf_add_char(out, ' ');
    buf_add_span(out, key);
}

static bool has_item(const struct import *im, unsigned kind, struct span key)
{
    struct buf name = {0};
    bool has;

    add_name(&name, kind, key);
    has = map_get(&im->by_name, buf_span(&name)) != NULL;
    buf_clear(&name);
    return has;
}

/* Whether the room is there, or comes in. */
static bool knows_room(const struct import *im, struct span name)
{
    return world_room(im->m->world, name) != NULL || has_item(im, RECORD_ROOM, name);
}

static const char *judge_shard(const struct import *im, struct item *it)
{
    struct shard_id id = shard_id_parse(it->key);
    const struct shard *s = world_shard(im->m->world, it->key);
    struct shard_record stored;
    const char *why = NULL;

    if (record_read_shard(span_str(it->value), &stored) != ERR_OK)
        return "its value cannot be read";
    if (shard_id_ms(it->key) <= 0 || shard_id_ms(it->key) > CORE_ID_MS_MAX ||
        !span_eq(id.world, im->m->call->world) || !span_eq(id.room, stored.room))
        why = "its key is no id of that room and world";
    else if (!knows_room(im, stored.room))
        why = "there is no such room";
    it->exists = s != NULL;
    shard_record_clear(&stored);
    return why;
}

static const char *judge_ban(const struct import *im, struct item *it)
{
    struct ban_record stored;
    const struct room *room;
    const char *why = NULL;

    if (ban_read_record(span_str(it->value), &stored) != ERR_OK || stored.session.len == 0 ||
        stored.session.len > SESSION_MAX) {
        why = "its value cannot be read";
    } else if (!knows_room(im, stored.room)) {
        why = "there is no such room";
    } else {
        room = world_room(im->m->world, stored.room);
        it->exists = room != NULL && ban_find(room, stored.session) != NULL;
    }
    json_decref(stored.doc);
    return why;
}

static const char *judge_node(const struct import *im, struct item *it)
{
    struct node_record stored;
    bool good = record_read_node(span_str(it->value), &stored) == ERR_OK;

    json_decref(stored.doc);
    if (!good)
        return "its value cannot be read";
    if (it->key.len == 0 || it->key.len > BEAT_NODE_ID_MAX)
        return "its key is no id of a node";
    it->exists = im->m->world != NULL && world_node(im->m->world, it->key) != NULL;
    return NULL;
}

static const char *judge_server(const struct import *im, struct item *it)
{
    struct url_origin origin;
    bool registered, draining;

    if (record_read_server(span_str(it->value), &registered, &draining) != ERR_OK)
        return "its value cannot be read";
    if (url_origin_parse(it->key, &origin) != ERR_OK)
        return "its key is no http origin";
    url_origin_clear(&origin);
    it->exists = im->m->world != NULL && servers_find(im->m->world, it->key) != NULL;
    return NULL;
}

static const char *judge_room(const struct import *im, struct item *it)
{
    struct room_settings settings;

    if (record_read_room(span_str(it->value), &settings) != ERR_OK)
        return "its value cannot be read";
    if (it->key.len > ROOM_ID_MAX)
        return "its key is too long";
    it->exists = world_room(im->m->world, it->key) != NULL;
    return NULL;
}

/* What is wrong with the record; NULL: nothing. */
static const char *judge(const struct import *im, struct item *it)
{
    switch ((enum record_kind)it->kind) {
    case RECORD_ROOM:
        return judge_room(im, it);
    case RECORD_SHARD:
        return judge_shard(im, it);
    case RECORD_NODE:
        return judge_node(im, it);
    case RECORD_SERVER:
        return judge_server(im, it);
    case RECORD_BAN:
        return judge_ban(im, it);
    case RECORD_RETIRED:
    case RECORD_COUNT:
        break;
    }
    return "its kind is not imported";
}

static void refuse(struct import *im, size_t at, enum refusal why, const char *text)
{
    struct buf message = {0};

    buf_addf(&message, "Record %zu (%s ", at, record_kind_names[im->items[at].kind]);
    buf_add_span(&message, im->items[at].key);
    buf_addf(&message, "): %s", text);
    call_refuse(im->m->call, why, buf_span(&message));
    buf_clear(&message);
}

static bool judge_all(struct import *im)
{
    for (size_t i = 0; i < im->count; i++) {
        const char *why = judge(im, &im->items[i]);
        if (why != NULL) {
            refuse(im, i, REFUSAL_BODY_INVALID, why);
            return false;
        }
        if (im->items[i].exists && !im->replace) {
            refuse(im, i, REFUSAL_EXISTS, "it is there already");
            return false;
        }
    }
    return true;
}

/* ---- taking in */

static void apply_room(struct registry *r, struct world *w, const struct item *it)
{
    struct room *room = world_room(w, it->key);
    struct room_settings settings;

    if (record_read_room(span_str(it->value), &settings) != ERR_OK)
        return; /* it was judged */
    if (room == NULL)
        (void)registry_add_room(r, w, it->key, &settings);
    else
        registry_set_room(r, room, &settings);
}

static void make_shard(struct registry *r, struct room *room, const struct item *it,
                       const struct shard_record *stored, struct moment now)
{
    struct shard_restored as = {
        .id = it->key,
        .url = stored->url,
        .node = stored->node,
        .max = stored->max,
        .status = stored->status,
        .drain = stored->drain,
        .drain_until_ms = stored->drain_until_ms,
    };
    struct shard *s = registry_restore_shard(r, room, &as, now);

    r->watch.shard_changed(r->watch.ctx, s, SHARD_FIELDS);
}

static void apply_shard(struct registry *r, struct world *w, const struct item *it,
                        struct moment now)
{
    struct shard *s = world_shard(w, it->key);
    struct shard_record stored;

    if (record_read_shard(span_str(it->value), &stored) != ERR_OK)
        return;
    if (s == NULL) {
        make_shard(r, world_room(w, stored.room), it, &stored, now);
    } else {
        registry_set_max(r, s, stored.max);
        (void)registry_set_status(r, s, stored.status, &stored.drain, now);
    }
    shard_record_clear(&stored);
}

/* Of a node that is there its own beats know better. */
static void apply_node(struct registry *r, struct world *w, const struct item *it,
                       struct moment now)
{
    struct node_record stored;
    struct node *n;

    if (record_read_node(span_str(it->value), &stored) == ERR_OK && !it->exists) {
        n = nodes_expect(r, w, it->key, now);
        node_restore(n, stored.url, stored.internal_url, stored.max_connections, stored.drain);
        node_keep(r, n);
    }
    json_decref(stored.doc);
}

static void apply_server(struct registry *r, struct world *w, const struct item *it,
                         struct moment now)
{
    struct world_server *at = servers_find(w, it->key);
    bool registered, draining;

    if (record_read_server(span_str(it->value), &registered, &draining) != ERR_OK)
        return;
    if (at == NULL && servers_add(r, w, it->key, now, &at) != ERR_OK)
        return;
    servers_drain(r, at, draining);
}

static void apply_ban(struct registry *r, struct world *w, const struct item *it, struct moment now)
{
    struct ban_record stored;

    if (ban_read_record(span_str(it->value), &stored) == ERR_OK && stored.until_ms > now.wall_ms)
        (void)ban_put(r, world_room(w, stored.room), stored.session, stored.until_ms, now);
    json_decref(stored.doc);
}

static void apply(struct registry *r, struct world *w, const struct item *it, struct moment now)
{
    switch ((enum record_kind)it->kind) {
    case RECORD_ROOM:
        apply_room(r, w, it);
        return;
    case RECORD_SHARD:
        apply_shard(r, w, it, now);
        return;
    case RECORD_NODE:
        apply_node(r, w, it, now);
        return;
    case RECORD_SERVER:
        apply_server(r, w, it, now);
        return;
    case RECORD_BAN:
        apply_ban(r, w, it, now);
        return;
    case RECORD_RETIRED:
    case RECORD_COUNT:
        return;
    }
}

static void take_all(struct import *im)
{
    struct call *call = im->m->call;
    struct registry *r = &call->core->registry;
    struct world *w = manage_make_world(im->m);
    struct json_out o = {.out = &call->core->text};
    size_t counts[RECORD_COUNT] = {0};

    for (unsigned kind = 0; kind < RECORD_COUNT; kind++) {
        for (size_t i = 0; i < im->count; i++) {
            if (im->items[i].kind != kind)
                continue;
            apply(r, w, &im->items[i], call->now);
            counts[kind]++;
        }
    }
    nodes_place_strays(r, w, call->now);
    buf_reset(o.out);
    json_out_open(&o, NULL, '{');
    for (unsigned kind = 0; kind < RECORD_RETIRED; kind++)
        json_out_u64(&o, record_kind_names[kind], counts[kind]);
    json_out_close(&o, '}');
    call_answer_stored_with(call, 200, buf_span(o.out));
}

/* ---- reading */

static bool refuse_item(struct import *im, size_t at, struct span what)
{
    struct buf message = {0};

    buf_addf(&message, "Record %zu: ", at);
    buf_add_span(&message, what);
    call_refuse(im->m->call, REFUSAL_BODY_INVALID, buf_span(&message));
    buf_clear(&message);
    return false;
}

/* Reads one record. False: the request has been answered. */
static bool read_item(struct import *im, size_t at, const json_t *object)
{
    struct item *it = &im->items[im->count];
    const struct field fields[] = {
        {"kind", FIELD_CHOICE, true, .options = record_kind_names, .out = &it->kind},
        {"key", FIELD_TEXT, true, .max = (uint64_t)64 * 1024, .out = &it->key},
    };
    const json_t *value = json_object_get(object, "value");
    struct buf text = {0};
    bool good;

    manage_body_members(object, fields, sizeof(fields) / sizeof(fields[0]), &text);
    good = text.len == 0 && json_is_object(value);
    if (good) {
        buf_reset(&text);
        add_name(&text, it->kind, it->key);
        good = map_get(&im->by_name, buf_span(&text)) == NULL;
        if (good) {
            it->name = span_copy(buf_span(&text));
            it->value = json_dumps(value, JSON_COMPACT);
            map_add(&im->by_name, it->name, it);
            im->count++;
        } else {
            (void)refuse_item(im, at, SPAN("it is there twice"));
        }
    } else {
        (void)refuse_item(im, at, text.len > 0 ? buf_span(&text) : SPAN("value must be an object"));
    }
    buf_clear(&text);
    return good;
}

static bool read_items(struct import *im, const json_t *records)
{
    size_t count = json_array_size(records);

    im->items = xcalloc(count + 1, sizeof(*im->items));
    for (size_t i = 0; i < count; i++) {
        if (!read_item(im, i, json_array_get(records, i)))
            return false;
    }
    return true;
}

static void import_clear(struct import *im)
{
    for (size_t i = 0; i < im->count; i++) {
        span_free(im->items[i].name);
        free(im->items[i].value);
    }
    free(im->items);
    map_clear(&im->by_name);
}

void manage_import(struct manage *m)
{
    struct import im = {.m = m};
    uint64_t version = 0, exported = 0;
    struct span world = {0};
    const json_t *records = NULL;
    json_t *doc = NULL;
    const struct field fields[] = {
        {"version", FIELD_COUNT, true, .min = MANAGE_EXPORT_VERSION, .max = MANAGE_EXPORT_VERSION,
         .out = &version},
        {"world", FIELD_TEXT, true, .min = 1, .max = ROOM_ID_MAX, .out = &world},
        {"exportedAt", FIELD_COUNT, .max = REGISTRY_COUNT_MAX, .out = &exported},
        {"records", FIELD_ARRAY, true, .max = REGISTRY_COUNT_MAX, .out = &records},
        {"replace", FIELD_BOOL, .out = &im.replace},
    };

    if (!manage_body_read(m->call, fields, sizeof(fields) / sizeof(fields[0]), &doc))
        goto out;
    if (!span_eq(world, m->call->world))
        call_refuse(m->call, REFUSAL_BODY_INVALID, SPAN("world must be the world of the path"));
    else if (read_items(&im, records) && judge_all(&im))
        take_all(&im);
out:
    import_clear(&im);
    json_decref(doc);
}
