/* Owns rooms, users and chat lines of the demo. Knows nothing of sockets. */
#include "deploy/demo/room/demo.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/json.h"
#include "common/base/list.h"
#include "common/base/map.h"
#include "common/base/rng.h"
#include "common/proto/url.h"
#include "deploy/demo/room/demo_chat.h"

enum { PUBLIC_ID_LEN = 8 };

struct user {
    struct list node;       /* in room->users, in order of first arrival */
    struct span private_id; /* owned; may hold NULs */
    char public_id[PUBLIC_ID_LEN];
    char *name;
    struct demo_link **links; /* through which the user is here */
    size_t link_count;
    int64_t left_ms;
};

struct room {
    struct list node; /* in demo->rooms */
    struct span name; /* owned; may hold NULs */
    int64_t count;
    struct list users;
    struct map by_private_id;
    struct list links;
    struct demo_chat chat;
};

struct demo {
    const struct demo_port *port;
    struct rng rng;
    struct list rooms;
    struct map by_name;
    struct buf text; /* the frame under construction */
};

struct demo_link {
    struct list node; /* in room->links */
    struct demo *demo;
    struct room *room;
    void *peer;
};

#define USER(n) CONTAINER_OF(n, struct user, node)
#define ROOM(n) CONTAINER_OF(n, struct room, node)
#define LINK(n) CONTAINER_OF(n, struct demo_link, node)

static struct span public_id(const struct user *u)
{
    return span_of(u->public_id, PUBLIC_ID_LEN);
}

/* ---- frames */

static void add_user(struct buf *out, const struct user *u)
{
    json_add_string(out, public_id(u));
    BUF_ADD_LIT(out, ":{\"name\":");
    json_add_string(out, span_str(u->name));
    buf_addf(out, ",\"connected\":%s}", u->link_count > 0 ? "true" : "false");
}

static void add_state(struct buf *out, const struct room *r)
{
    const char *comma = "";
    BUF_ADD_LIT(out, "\"count\":");
    buf_add_i64(out, r->count);
    BUF_ADD_LIT(out, ",\"users\":{");
    LIST_EACH (&r->users, n) {
        buf_addf(out, "%s", comma);
        add_user(out, USER(n));
        comma = ",";
    }
    BUF_ADD_LIT(out, "},\"chat\":{");
    demo_chat_add_all(&r->chat, out);
    buf_add_char(out, '}');
}

/* Starts a sync frame in d->text; the caller adds members of `value`, then sends it. */
static struct buf *sync_begin(struct demo *d)
{
    buf_reset(&d->text);
    BUF_ADD_LIT(&d->text, "{\"type\":\"sync\",\"value\":{");
    return &d->text;
}

static void sync_broadcast(struct demo *d, const struct room *r)
{
    BUF_ADD_LIT(&d->text, "}}");
    LIST_EACH (&r->links, n)
        d->port->send(LINK(n)->peer, buf_span(&d->text));
}

static void broadcast_user(struct demo *d, const struct room *r, const struct user *u)
{
    struct buf *out = sync_begin(d);
    BUF_ADD_LIT(out, "\"users\":{");
    add_user(out, u);
    buf_add_char(out, '}');
    sync_broadcast(d, r);
}

static void send_whole_state(struct demo_link *l, const struct user *u)
{
    struct buf *data = sync_begin(l->demo);
    struct buf envelope = {0};
    BUF_ADD_LIT(data, "\"pId\":");
    json_add_string(data, public_id(u));
    buf_add_char(data, ',');
    add_state(data, l->room);
    BUF_ADD_LIT(data, "}}");
    BUF_ADD_LIT(&envelope, "{\"targetClientId\":");
    json_add_string(&envelope, u->private_id);
    BUF_ADD_LIT(&envelope, ",\"data\":");
    json_add_string(&envelope, buf_span(data));
    buf_add_char(&envelope, '}');
    l->demo->port->send(l->peer, buf_span(&envelope));
    buf_clear(&envelope);
}

/* ---- users */

static bool user_is_on(const struct user *u, const struct demo_link *l)
{
    for (size_t i = 0; i < u->link_count; i++)
        if (u->links[i] == l)
            return true;
    return false;
}

static struct user *user_new(struct demo *d, struct room *r, struct span private_id)
{
    struct user *u = xcalloc(1, sizeof *u);
    u->private_id = span_copy(private_id);
    u->name = xstrdup("Anonymous");
    rng_alnum(&d->rng, u->public_id, PUBLIC_ID_LEN);
    list_push(&r->users, &u->node);
    map_add(&r->by_private_id, u->private_id, u);
    return u;
}

static void user_free(struct room *r, struct user *u)
{
    (void)map_remove(&r->by_private_id, u->private_id);
    list_remove(&u->node);
    free(u->links);
    free(u->name);
    span_free(u->private_id);
    free(u);
}

static void user_rename(struct user *u, struct span name)
{
    name = span_trim(name);
    if (name.len == 0 || name.len > DEMO_NAME_MAX || !span_is_utf8(name) ||
        memchr(name.ptr, '\0', name.len) != NULL)
        return;
    free(u->name);
    u->name = xspandup(name);
}

/* True when it was the last link of the user. */
static bool user_leave(struct user *u, const struct demo_link *l, int64_t now)
{
    for (size_t i = 0; i < u->link_count; i++) {
        if (u->links[i] != l)
            continue;
        u->links[i] = u->links[--u->link_count];
        u->left_ms = now;
        return u->link_count == 0;
    }
    return false;
}

/* ---- what shards say */

static void name_from_url(struct user *u, const json_t *info)
{
    struct span url;
    struct url_target target;
    struct buf name = {0};
    if (!json_get_span(info, "url", &url) || url_split_target(url, &target) != ERR_OK)
        return;
    if (url_query_get(target.query, SPAN("name"), &name))
        user_rename(u, buf_span(&name));
    buf_clear(&name);
}

static void on_connected(struct demo_link *l, struct span private_id, const json_t *envelope)
{
    struct room *r = l->room;
    struct user *u = map_get(&r->by_private_id, private_id);
    if (u == NULL)
        u = user_new(l->demo, r, private_id);
    name_from_url(u, json_object_get(envelope, "requestInfo"));
    if (!user_is_on(u, l)) {
        u->links = xreallocarray(u->links, u->link_count + 1, sizeof(struct demo_link *));
        u->links[u->link_count++] = l;
    }
    broadcast_user(l->demo, r, u);
    send_whole_state(l, u);
}

static void on_disconnected(struct demo_link *l, struct user *u, int64_t now)
{
    if (user_leave(u, l, now))
        broadcast_user(l->demo, l->room, u);
}

static void act_increment(struct demo_link *l, const json_t *value)
{
    int64_t amount = 1;
    const int64_t most = 1000000;
    if (json_object_get(value, "amount") != NULL &&
        !json_get_int(value, "amount", -most, most, &amount))
        return;
    l->room->count += amount;
    struct buf *out = sync_begin(l->demo);
    BUF_ADD_LIT(out, "\"count\":");
    buf_add_i64(out, l->room->count);
    sync_broadcast(l->demo, l->room);
}

static void act_chat(struct demo_link *l, const struct user *u, const json_t *value)
{
    struct span text;
    if (!json_get_span(value, "text", &text))
        return;
    text = span_trim(text);
    if (text.len == 0 || text.len > DEMO_TEXT_MAX)
        return;
    struct buf *out = sync_begin(l->demo);
    BUF_ADD_LIT(out, "\"chat\":{");
    demo_chat_say(&l->room->chat, span_str(u->name), text, out);
    buf_add_char(out, '}');
    sync_broadcast(l->demo, l->room);
}

static void act_rename(struct demo_link *l, struct user *u, const json_t *value)
{
    struct span name;
    if (!json_get_span(value, "name", &name))
        return;
    user_rename(u, name);
    broadcast_user(l->demo, l->room, u);
}

static void on_message(struct demo_link *l, struct user *u, const json_t *payload)
{
    struct span action;
    const json_t *value = json_object_get(payload, "value");
    if (!json_get_span(payload, "action", &action))
        return;
    if (span_eq(action, SPAN("increment")))
        act_increment(l, value);
    else if (span_eq(action, SPAN("chat")))
        act_chat(l, u, value);
    else if (span_eq(action, SPAN("rename")))
        act_rename(l, u, value);
}

void demo_link_frame(struct demo_link *l, struct span text, int64_t now)
{
    struct span type, private_id;
    json_t *envelope = json_decode(text);
    if (json_get_span(envelope, "type", &type) &&
        json_get_span(envelope, "privateId", &private_id)) {
        struct user *u = map_get(&l->room->by_private_id, private_id);
        if (span_eq(type, SPAN("shard.clientConnected")))
            on_connected(l, private_id, envelope);
        else if (u != NULL && span_eq(type, SPAN("shard.clientMessage")))
            on_message(l, u, json_object_get(envelope, "payload"));
        else if (u != NULL && span_eq(type, SPAN("shard.clientDisconnected")))
            on_disconnected(l, u, now);
    }
    json_decref(envelope);
}

/* ---- rooms and links */

static struct room *room_new(struct demo *d, struct span name)
{
    struct room *r = xcalloc(1, sizeof *r);
    r->name = span_copy(name);
    list_init(&r->users);
    list_init(&r->links);
    list_push(&d->rooms, &r->node);
    map_add(&d->by_name, r->name, r);
    return r;
}

static void room_free(struct demo *d, struct room *r)
{
    LIST_EACH_SAFE (&r->users, n, next)
        user_free(r, USER(n));
    LIST_EACH_SAFE (&r->links, n, next)
        free(LINK(n));
    map_clear(&r->by_private_id);
    demo_chat_clear(&r->chat);
    (void)map_remove(&d->by_name, r->name);
    list_remove(&r->node);
    span_free(r->name);
    free(r);
}

enum err demo_link_open(struct demo *d, struct span room, void *peer, struct demo_link **out)
{
    struct room *r = map_get(&d->by_name, room);
    if (r == NULL && d->by_name.count >= DEMO_ROOMS_MAX)
        return ERR_FULL;
    if (r == NULL)
        r = room_new(d, room);
    struct demo_link *l = xcalloc(1, sizeof *l);
    l->demo = d;
    l->room = r;
    l->peer = peer;
    list_push(&r->links, &l->node);
    *out = l;
    return ERR_OK;
}

void demo_link_close(struct demo_link *l, int64_t now)
{
    struct room *r = l->room;
    list_remove(&l->node);
    LIST_EACH (&r->users, n)
        if (user_leave(USER(n), l, now))
            broadcast_user(l->demo, r, USER(n));
    free(l);
}

static void room_tick(struct demo *d, struct room *r, int64_t now)
{
    LIST_EACH_SAFE (&r->users, n, next) {
        struct user *u = USER(n);
        if (u->link_count > 0 || now - u->left_ms < DEMO_FORGET_MS)
            continue;
        struct buf *out = sync_begin(d);
        BUF_ADD_LIT(out, "\"users\":{");
        json_add_string(out, public_id(u));
        BUF_ADD_LIT(out, ":\"$delete\"}");
        user_free(r, u);
        sync_broadcast(d, r);
    }
}

void demo_tick(struct demo *d, int64_t now)
{
    LIST_EACH (&d->rooms, n)
        room_tick(d, ROOM(n), now);
}

bool demo_state(const struct demo *d, struct span room, struct buf *out)
{
    const struct room *r = map_get(&d->by_name, room);
    if (r == NULL)
        return false;
    buf_add_char(out, '{');
    add_state(out, r);
    buf_add_char(out, '}');
    return true;
}

struct demo *demo_new(const struct demo_port *port, uint64_t seed)
{
    struct demo *d = xcalloc(1, sizeof *d);
    d->port = port;
    rng_seed(&d->rng, seed);
    list_init(&d->rooms);
    return d;
}

void demo_free(struct demo *d)
{
    LIST_EACH_SAFE (&d->rooms, n, next)
        room_free(d, ROOM(n));
    map_clear(&d->by_name);
    buf_clear(&d->text);
    free(d);
}
