/* All records of a world, as the store has them. */
#include "common/base/json_out.h"
#include "world/core/manage/manage_verbs.h"
#include "world/core/nodes/nodes.h"
#include "world/core/record.h"

/* Appends one; `value` is used up. */
static void add(struct json_out *o, enum record_kind kind, struct span key, struct buf *value)
{
    json_out_open(o, NULL, '{');
    json_out_text(o, "kind", span_str(record_kind_names[kind]));
    json_out_text(o, "key", key);
    json_out_raw(o, "value", buf_span(value));
    json_out_close(o, '}');
    buf_reset(value);
}

static void add_bans(struct json_out *o, const struct room *room, struct buf *value)
{
    struct buf key = {0};

    LIST_EACH (&room->bans.list, it) {
        const struct ban *b = CONTAINER_OF(it, struct ban, in_room);
        buf_reset(&key);
        ban_add_key(&key, b);
        ban_add_record(value, b);
        add(o, RECORD_BAN, buf_span(&key), value);
    }
    buf_clear(&key);
}

static void add_servers(struct json_out *o, const struct world *w, struct buf *value)
{
    LIST_EACH (&w->servers, it) {
        const struct world_server *at = CONTAINER_OF(it, struct world_server, in_world);
        if (!at->registered && !at->draining)
            continue;
        record_add_server(value, at);
        add(o, RECORD_SERVER, at->server->origin, value);
    }
}

/* In the order in which they are to come in again. */
static void add_records(struct json_out *o, const struct world *w)
{
    struct buf value = {0};

    LIST_EACH (&w->room_list, it) {
        const struct room *room = CONTAINER_OF(it, struct room, node);
        record_add_room(&value, room);
        add(o, RECORD_ROOM, room->name, &value);
    }
    LIST_EACH (&w->shard_list, it) {
        const struct shard *s = CONTAINER_OF(it, struct shard, node);
        record_add_shard(&value, s);
        add(o, RECORD_SHARD, s->id, &value);
    }
    LIST_EACH (&w->nodes.list, it) {
        const struct node *n = CONTAINER_OF(it, struct node, in_world);
        record_add_node(&value, n);
        add(o, RECORD_NODE, n->id, &value);
    }
    add_servers(o, w, &value);
    LIST_EACH (&w->room_list, it) {
        add_bans(o, CONTAINER_OF(it, struct room, node), &value);
    }
    buf_clear(&value);
}

void manage_export(struct manage *m)
{
    struct buf *text = &m->call->core->text;
    struct json_out o = {.out = text};

    buf_reset(text);
    json_out_open(&o, NULL, '{');
    json_out_u64(&o, "version", MANAGE_EXPORT_VERSION);
    json_out_text(&o, "world", m->call->world);
    json_out_i64(&o, "exportedAt", m->call->now.wall_ms);
    json_out_open(&o, "records", '[');
    if (m->world != NULL)
        add_records(&o, m->world);
    json_out_close(&o, ']');
    json_out_close(&o, '}');
    call_answer(m->call, buf_span(text));
}
