/* Lists of bans, their ends and their records. */
#include "world/core/rooms/bans.h"

#include <stdlib.h>

#include "world/core/nodes/nodes.h"

static void free_ban(struct registry *r, struct ban *b)
{
    wheel_cancel(&r->wheel, &b->end);
    list_remove(&b->in_room);
    b->room->bans.count--;
    span_free(b->session);
    free(b);
}

static void keep(struct registry *r, const struct ban *b)
{
    struct buf key = {0}, value = {0};

    ban_add_key(&key, b);
    ban_add_record(&value, b);
    b->room->world->change++;
    r->watch.keep(r->watch.ctx, RECORD_BAN, b->room->world, buf_span(&key), buf_span(&value));
    buf_clear(&key);
    buf_clear(&value);
}

static void forget(struct registry *r, struct ban *b)
{
    struct buf key = {0};

    ban_add_key(&key, b);
    b->room->world->change++;
    r->watch.forget(r->watch.ctx, RECORD_BAN, b->room->world, buf_span(&key));
    buf_clear(&key);
    free_ban(r, b);
}

static void tell_nodes(struct registry *r, const struct room *room)
{
    struct candidate *c;
    uint32_t at = 0;

    while ((c = candidates_next(&room->candidates, &at)) != NULL)
        shard_order_changed(r, shard_of_candidate(c));
}

/* Nodes know when it ends: they need not be told. */
static void end(struct timer *timer, int64_t now)
{
    struct ban *b = CONTAINER_OF(timer, struct ban, end);

    (void)now;
    forget(b->room->world->registry, b);
}

static void set_end(struct registry *r, struct ban *b, int64_t until_ms, struct moment now)
{
    b->until_ms = until_ms;
    b->end.fire = end;
    wheel_set(&r->wheel, &b->end, now.mono_ms + (until_ms - now.wall_ms));
    r->watch.timer_set(r->watch.ctx);
}

static struct ban *add(struct registry *r, struct room *room, struct span session)
{
    struct ban *b = xcalloc(1, sizeof(*b));

    b->session = span_copy(session);
    b->room = room;
    b->serial = ++r->last_serial;
    list_push(&room->bans.list, &b->in_room);
    room->bans.count++;
    return b;
}

void room_init_bans(struct room *room)
{
    list_init(&room->bans.list);
}

void room_clear_bans(struct registry *r, struct room *room)
{
    for (struct list *it; (it = list_first(&room->bans.list)) != NULL;)
        free_ban(r, CONTAINER_OF(it, struct ban, in_room));
}

void bans_forget(struct registry *r, struct room *room)
{
    for (struct list *it; (it = list_first(&room->bans.list)) != NULL;)
        forget(r, CONTAINER_OF(it, struct ban, in_room));
}

void bans_keep(struct registry *r, const struct room *room)
{
    LIST_EACH (&room->bans.list, it)
        keep(r, CONTAINER_OF(it, struct ban, in_room));
}

struct ban *ban_find(const struct room *room, struct span session)
{
    LIST_EACH (&room->bans.list, it) {
        struct ban *b = CONTAINER_OF(it, struct ban, in_room);
        if (span_eq(b->session, session))
            return b;
    }
    return NULL;
}

struct ban *ban_put(struct registry *r, struct room *room, struct span session, int64_t until_ms,
                    struct moment now)
{
    struct ban *b = ban_find(room, session);

    if (b == NULL && room->bans.count == BANS_MAX)
        return NULL;
    if (b == NULL)
        b = add(r, room, session);
    set_end(r, b, until_ms, now);
    keep(r, b);
    tell_nodes(r, room);
    return b;
}

void ban_remove(struct registry *r, struct ban *b)
{
    const struct room *room = b->room;

    forget(r, b);
    tell_nodes(r, room);
}

void ban_restore(struct registry *r, struct room *room, struct span session, int64_t until_ms,
                 struct moment now)
{
    if (until_ms > now.wall_ms && room->bans.count < BANS_MAX && ban_find(room, session) == NULL)
        set_end(r, add(r, room, session), until_ms, now);
}

struct order_ban *bans_order(const struct room *room, struct moment now)
{
    struct order_ban *all, *out;

    if (room->bans.count == 0)
        return NULL;
    all = out = xcalloc(room->bans.count, sizeof(*all));
    LIST_EACH (&room->bans.list, it) {
        const struct ban *b = CONTAINER_OF(it, struct ban, in_room);
        int64_t left = b->until_ms - now.wall_ms;
        *out++ = (struct order_ban){.session = b->session, .ttl_ms = left > 0 ? left : 1};
    }
    return all;
}

/* ---- records */

void ban_add_key(struct buf *out, const struct ban *b)
{
    buf_add_char(out, '[');
    json_add_string(out, b->room->name);
    buf_add_char(out, ',');
    json_add_string(out, b->session);
    buf_add_char(out, ']');
}

void ban_add_record(struct buf *out, const struct ban *b)
{
    BUF_ADD_LIT(out, "{\"roomId\":");
    json_add_string(out, b->room->name);
    BUF_ADD_LIT(out, ",\"session\":");
    json_add_string(out, b->session);
    BUF_ADD_LIT(out, ",\"until\":");
    buf_add_i64(out, b->until_ms);
    buf_add_char(out, '}');
}

enum err ban_read_record(struct span value, struct ban_record *out)
{
    *out = (struct ban_record){.doc = json_decode(value)};
    return json_get_span(out->doc, "roomId", &out->room) &&
                   json_get_span(out->doc, "session", &out->session) &&
                   json_get_int(out->doc, "until", 0, REGISTRY_COUNT_MAX, &out->until_ms)
               ? ERR_OK
               : ERR_SYNTAX;
}
