/* Whether records can come in, one by one and all together. Changes nothing. */
#include <stdlib.h>

#include "common/proto/shard_id.h"
#include "common/proto/url.h"
#include "world/core/api/api_body.h"
#include "world/core/manage/import.h"
#include "world/core/nodes/nodes.h"
#include "world/core/record.h"

/* What there would be of things that are bounded. */
struct room_intake {
    struct span name; /* owned */
    size_t bans;
};

struct intake {
    struct map rooms; /* struct room_intake: those that get bans */
    size_t servers;
};

struct judging {
    struct import *im;
    struct intake intake;
};

/* Whether the room is there, or comes in. */
static bool knows_room(const struct import *im, struct span name)
{
    return world_room(im->m->world, name) != NULL || import_item(im, RECORD_ROOM, name) != NULL;
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

static size_t *bans_of(struct intake *t, const struct room *room, struct span name)
{
    struct room_intake *at = map_get(&t->rooms, name);

    if (at == NULL) {
        at = xcalloc(1, sizeof(*at));
        at->name = span_copy(name);
        at->bans = room == NULL ? 0 : room->bans.count;
        map_add(&t->rooms, at->name, at);
    }
    return &at->bans;
}

static const char *count_ban(struct judging *j, const struct item *it, const struct room *room,
                             const struct ban_record *stored)
{
    if (it->exists || stored->until_ms <= j->im->m->call->now.wall_ms)
        return NULL; /* no new one */
    if (++*bans_of(&j->intake, room, stored->room) > BANS_MAX)
        return "its room would have more than 1000 bans";
    return NULL;
}

static const char *judge_ban(struct judging *j, struct item *it)
{
    const struct import *im = j->im;
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
        why = count_ban(j, it, room, &stored);
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

static const char *judge_server(struct judging *j, struct item *it)
{
    const struct import *im = j->im;
    const struct registry *r = &im->m->call->core->registry;
    struct url_origin origin;
    bool registered, draining;

    if (record_read_server(span_str(it->value), &registered, &draining) != ERR_OK)
        return "its value cannot be read";
    if (url_origin_parse(it->key, &origin) != ERR_OK)
        return "its key is no http origin";
    url_origin_clear(&origin);
    it->exists = im->m->world != NULL && servers_find(im->m->world, it->key) != NULL;
    if (!servers_lists(r, im->m->world, it->key) && ++j->intake.servers > SERVERS_MAX)
        return "the world would have more than 1000 room servers";
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
static const char *judge(struct judging *j, struct item *it)
{
    switch ((enum record_kind)it->kind) {
    case RECORD_ROOM:
        return judge_room(j->im, it);
    case RECORD_SHARD:
        return judge_shard(j->im, it);
    case RECORD_NODE:
        return judge_node(j->im, it);
    case RECORD_SERVER:
        return judge_server(j, it);
    case RECORD_BAN:
        return judge_ban(j, it);
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

static bool judge_all(struct judging *j)
{
    struct import *im = j->im;

    for (size_t i = 0; i < im->count; i++) {
        const char *why = judge(j, &im->items[i]);
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

static void intake_clear(struct intake *t)
{
    size_t at = 0;

    for (struct map_entry *e; (e = map_next(&t->rooms, &at)) != NULL;) {
        struct room_intake *room = e->value;
        span_free(room->name);
        free(room);
    }
    map_clear(&t->rooms);
}

bool import_judge(struct import *im)
{
    struct judging j = {.im = im};
    bool good;

    j.intake.servers = servers_listed(&im->m->call->core->registry, im->m->world);
    good = judge_all(&j);
    intake_clear(&j.intake);
    return good;
}
