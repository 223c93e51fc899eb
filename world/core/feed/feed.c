/* Who hears of changes, and when. The text of the frames is feed_text's. */
#include "world/core/feed/feed.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "world/core/feed/feed_text.h"

static void publish(struct feed_hub *hub, const struct feed *f)
{
    hub->port->publish(hub->port->ctx, f->sockets, f->count, buf_span(&hub->text));
}

static bool is_quiet(const struct feed *f)
{
    return !list_linked(&f->node);
}

/* A frame goes out now, the next one not before due_ms. All spells are equally long, so the list
 * stays in order. */
static void throttle(struct feed_hub *hub, struct feed *f, int64_t now_ms)
{
    f->due_ms = now_ms + FEED_THROTTLE_MS;
    list_push(&hub->throttled, &f->node);
}

static unsigned lowest_bit(unsigned fields)
{
    return fields & (~fields + 1u);
}

static void note(struct list *changed, struct feed_item *item, unsigned fields)
{
    if (fields == 0)
        return;
    item->fields |= fields;
    if (!list_linked(&item->node))
        list_push(changed, &item->node);
}

static void forget(struct feed_item *item)
{
    list_remove(&item->node);
    item->fields = 0;
}

static void forget_all(struct list *changed)
{
    for (struct list *it; (it = list_first(changed)) != NULL;)
        forget(CONTAINER_OF(it, struct feed_item, node));
}

static bool has_news(const struct feed *f)
{
    return !list_empty(&f->rooms) || !list_empty(&f->shards) || f->removed.len > 0 ||
           f->removed_rooms.len > 0;
}

static void render_news(struct feed_hub *hub, const struct feed *f)
{
    struct feed_text t;

    buf_reset(&hub->text);
    feed_text_open(&t, &hub->text);
    /* A room that came back stands behind its removal. */
    feed_text_removed(&t, "rooms", buf_span(&f->removed_rooms));
    LIST_EACH (&f->rooms, it) {
        const struct room *room = CONTAINER_OF(it, struct room, feed.node);
        feed_text_room(&t, room, room->feed.fields);
    }
    LIST_EACH (&f->shards, it) {
        const struct shard *shard = CONTAINER_OF(it, struct shard, feed.node);
        feed_text_shard(&t, shard, shard->feed.fields);
    }
    feed_text_removed(&t, "shards", buf_span(&f->removed));
    feed_text_close(&t);
}

/* The end of a spell. */
static void flush(struct feed_hub *hub, struct feed *f)
{
    list_remove(&f->node);
    if (f->count > 0 && has_news(f)) {
        render_news(hub, f);
        publish(hub, f);
    }
    forget_all(&f->rooms);
    forget_all(&f->shards);
    buf_clear(&f->removed);
    buf_clear(&f->removed_rooms);
}

void feed_hub_init(struct feed_hub *hub, const struct feed_port *port)
{
    *hub = (struct feed_hub){.port = port};
    list_init(&hub->throttled);
}

void feed_hub_clear(struct feed_hub *hub)
{
    buf_clear(&hub->text);
}

void feed_init(struct feed *f)
{
    *f = (struct feed){0};
    list_init(&f->rooms);
    list_init(&f->shards);
}

void feed_clear(struct feed *f)
{
    list_remove(&f->node);
    free(f->sockets);
    buf_clear(&f->removed);
    buf_clear(&f->removed_rooms);
}

void feed_join(struct feed_hub *hub, struct world *w, struct handle socket,
               const char id[FEED_ID_LEN])
{
    struct feed *f = &w->feed;
    struct feed_text t;

    if (f->count == f->cap) {
        f->cap = f->cap == 0 ? 4 : f->cap * 2;
        f->sockets = xreallocarray(f->sockets, f->cap, sizeof(*f->sockets));
    }
    f->sockets[f->count++] = socket;

    buf_reset(&hub->text);
    feed_text_open(&t, &hub->text);
    feed_text_id(&t, span_of(id, FEED_ID_LEN));
    feed_text_section(&t, "rooms");
    LIST_EACH (&w->room_list, it) {
        const struct room *room = CONTAINER_OF(it, struct room, node);
        bool limited = room->settings.max_shards != 0;
        feed_text_room(&t, room, ROOM_FIELDS & ~(limited ? 0u : (unsigned)ROOM_MAX_SHARDS));
    }
    feed_text_section(&t, "shards");
    LIST_EACH (&w->shard_list, it) {
        feed_text_shard(&t, CONTAINER_OF(it, struct shard, node), SHARD_FIELDS);
    }
    feed_text_close(&t);
    hub->port->publish(hub->port->ctx, &socket, 1, buf_span(&hub->text));
}

void feed_leave(struct world *w, struct handle socket)
{
    struct feed *f = &w->feed;

    for (size_t i = 0; i < f->count; i++) {
        if (!handle_eq(f->sockets[i], socket))
            continue;
        f->sockets[i] = f->sockets[--f->count];
        return;
    }
    assert(!"an admin leaves once");
}

void feed_room_changed(struct feed_hub *hub, struct room *room, unsigned fields, int64_t now_ms)
{
    struct feed *f = &room->world->feed;
    struct feed_text t;

    fields &= ROOM_FIELDS;
    if (f->count == 0 || fields == 0)
        return;
    if (!is_quiet(f)) {
        note(&f->rooms, &room->feed, fields);
        return;
    }
    buf_reset(&hub->text);
    feed_text_open(&t, &hub->text);
    feed_text_room(&t, room, lowest_bit(fields));
    feed_text_close(&t);
    publish(hub, f);
    throttle(hub, f, now_ms);
    note(&f->rooms, &room->feed, fields & ~lowest_bit(fields));
}

void feed_shard_changed(struct feed_hub *hub, struct shard *shard, unsigned fields, int64_t now_ms)
{
    struct feed *f = &shard->room->world->feed;
    struct feed_text t;

    fields &= SHARD_FIELDS;
    if (f->count == 0 || fields == 0)
        return;
    if (!is_quiet(f)) {
        note(&f->shards, &shard->feed, fields);
        return;
    }
    buf_reset(&hub->text);
    feed_text_open(&t, &hub->text);
    feed_text_shard(&t, shard, lowest_bit(fields));
    feed_text_close(&t);
    publish(hub, f);
    throttle(hub, f, now_ms);
    note(&f->shards, &shard->feed, fields & ~lowest_bit(fields));
}

/* `members` says what is gone from the section. */
static void tell_removed(struct feed_hub *hub, struct feed *f, const char *section,
                         struct buf *members, int64_t now_ms)
{
    struct feed_text t;

    if (!is_quiet(f))
        return;
    buf_reset(&hub->text);
    feed_text_open(&t, &hub->text);
    feed_text_removed(&t, section, buf_span(members));
    feed_text_close(&t);
    buf_reset(members);
    publish(hub, f);
    throttle(hub, f, now_ms);
}

void feed_room_removed(struct feed_hub *hub, struct room *room, int64_t now_ms)
{
    struct feed *f = &room->world->feed;

    forget(&room->feed);
    if (f->count == 0)
        return;
    feed_text_add_removed(&f->removed_rooms, room->name);
    tell_removed(hub, f, "rooms", &f->removed_rooms, now_ms);
}

void feed_shard_removed(struct feed_hub *hub, struct shard *shard, int64_t now_ms)
{
    struct feed *f = &shard->room->world->feed;

    forget(&shard->feed);
    if (f->count == 0)
        return;
    feed_text_add_removed(&f->removed, shard->id);
    tell_removed(hub, f, "shards", &f->removed, now_ms);
}

void feed_hub_advance(struct feed_hub *hub, int64_t now_ms)
{
    for (struct list *first; (first = list_first(&hub->throttled)) != NULL;) {
        struct feed *f = CONTAINER_OF(first, struct feed, node);
        if (f->due_ms > now_ms)
            return;
        flush(hub, f);
    }
}

int64_t feed_hub_due_ms(const struct feed_hub *hub)
{
    struct list *first = list_first(&hub->throttled);

    return first == NULL ? INT64_MAX : CONTAINER_OF(first, struct feed, node)->due_ms;
}
