/* POST connect: reads the body, asks placement, answers. */
#include "world/core/api/verbs.h"

#include "world/core/api/js_text.h"
#include "world/core/nodes/nodes.h"
#include "world/core/park.h"
#include "world/core/rooms/placement.h"

static void answer_placed(struct call *call, const struct shard *shard)
{
    struct buf *text = &call->core->text;

    call->core->stats.placements[shard->room->settings.strategy]++;
    buf_reset(text);
    BUF_ADD_LIT(text, "{\"success\":true,\"shardId\":");
    json_add_string(text, shard->id);
    BUF_ADD_LIT(text, ",\"url\":");
    json_add_string(text, shard->url);
    buf_add_char(text, '}');
    call_answer(call, buf_span(text));
}

/* A seat is free at the latest when the first promise in the room ends, if there is one. */
static int64_t retry_ms(const struct core *core, const struct room *room, int64_t now)
{
    int64_t due_ms = seats_due_ms(room), ttl_ms = core->settings->seat_ttl_ms;

    if (due_ms == INT64_MAX || due_ms <= now)
        return 0;
    return due_ms - now < ttl_ms ? due_ms - now : ttl_ms;
}

static void refuse_place(struct call *call, enum refusal why, struct span room)
{
    struct span before = why == REFUSAL_FULL        ? SPAN("No shard capacity available for room ")
                         : why == REFUSAL_NO_ACTIVE ? SPAN("No active shards available for room ")
                                                    : SPAN("No shards available for room ");

    events_refused(&call->core->events, registry_world(&call->core->registry, call->world), room,
                   why, call->now);
    call_refuse_name(call, why, before, room, (struct span){0});
}

/* Does the request come without credentials that count? */
static bool is_stranger(struct call *call)
{
    enum token_scope scope;
    enum err e = authz_check(&call->core->authz, &call->request->credentials, call->world,
                             call->now.wall_ms / 1000, &scope);

    return e != ERR_OK || scope != TOKEN_ADMIN;
}

static void refuse_stranger(struct call *call, enum refusal why)
{
    struct span text = SPAN("Rooms and shards are made too fast in world ");

    if (why == REFUSAL_CREATE_MAX)
        text = SPAN("Too many rooms and shards were made without credentials in world ");
    else if (why == REFUSAL_WORLDS_MAX)
        text = SPAN("Too many worlds were made without credentials, there is no world ");
    else if (why == REFUSAL_WORLDS_RATE)
        text = SPAN("Worlds are made too fast, there is no world ");
    call_refuse_name(call, why, text, call->world, (struct span){0});
}

/* May the caller have `count` things made, a room of that name and shards of it? False: the request
 * has been answered. */
static bool may_make(struct call *call, uint32_t count, struct span name)
{
    struct core *core = call->core;
    struct strangers_wish wish = {.count = count,
                                  .weight = strangers_weight(name),
                                  .local = addr_is_loopback(&call->request->client)};
    enum refusal why;

    call->by_stranger = is_stranger(call);
    if (!call->by_stranger)
        return true;
    wish.world = registry_world(&core->registry, call->world);
    if (wish.world != NULL && list_empty(&wish.world->room_list))
        wish.world = NULL; /* made by beats, and a stranger may have told a node of it */
    why = strangers_ask(&core->strangers, &core->settings->strangers, &wish, call->now.mono_ms,
                        &call->retry_ms);
    if (why != REFUSAL_NONE)
        refuse_stranger(call, why);
    return why == REFUSAL_NONE;
}

/* A room that nobody has made yet is made for whoever wants that, and only a text can name it.
 * False: the request has been answered. */
static bool may_name(struct call *call, const struct connect_body *body, struct span name)
{
    if (!body->auto_create)
        call_refuse_name(call, REFUSAL_ROOM_MISSING, SPAN("Room "), name, SPAN(" does not exist"));
    else if (!json_is_string(body->room))
        call_refuse_name(call, REFUSAL_ROOM_NOT_MADE, SPAN("Failed to create room "), name,
                         (struct span){0});
    return body->auto_create && json_is_string(body->room);
}

static struct room *make_room(struct call *call, struct span name)
{
    struct registry *registry = &call->core->registry;
    struct world *world = registry_make_world(registry, call->world);
    struct room *room = registry_add_room(registry, world, name, &room_settings_default);

    if (call->by_stranger)
        strangers_made(world, &room->by_stranger, name);
    return room;
}

/* The room a client asks for, made if need be and allowed to grow if it has to; NULL: the request
 * has been answered. */
static struct room *find_room(struct call *call, const struct connect_body *body, struct span name)
{
    struct core *core = call->core;
    struct room *room = world_room(registry_world(&core->registry, call->world), name);

    if (room == NULL) {
        if (!may_name(call, body, name) || !may_make(call, 2, name)) /* it and its first shard */
            return NULL;
        return make_room(call, name);
    }
    if (candidates_count(&room->candidates) == 0)
        (void)nodes_release_room(&core->registry, room, call->now);
    if (placement_grows(room, body->auto_create, core->settings->max_room_shards) &&
        !may_make(call, 1, name))
        return NULL;
    return room;
}

static void connect_room(struct call *call, const struct connect_body *body, struct span name)
{
    struct core *core = call->core;
    struct room *room;
    struct placement placement;

    if (name.len > ROOM_ID_MAX) {
        call_refuse(call, REFUSAL_ROOM_ID_TOO_LONG, SPAN("roomId is too long"));
        return;
    }
    if (body->session.len > SESSION_MAX) {
        call_refuse(call, REFUSAL_SESSION_TOO_LONG, SPAN("session is too long"));
        return;
    }
    room = find_room(call, body, name);
    if (room == NULL)
        return;
    placement = placement_find(&core->registry, room, body->session, body->auto_create,
                               core->settings->max_room_shards, call->now);
    if (placement.shard == NULL) {
        call->retry_ms = retry_ms(core, room, call->now.mono_ms);
        refuse_place(call, placement.refusal, name);
        return;
    }
    if (call->by_stranger)
        strangers_made(room->world, &placement.shard->by_stranger, name);
    answer_placed(call, placement.shard);
}

void verb_connect(struct call *call)
{
    struct connect_body body;
    struct buf name = {0};

    if (park_call(call))
        return;
    if (!verb_accept_body(call, api_body_connect(&body, call->request->body), (struct span){0},
                          NULL))
        goto out;
    if (body.room == NULL) {
        call_refuse(call, REFUSAL_ROOM_ID_MISSING, SPAN("roomId parameter is required"));
        goto out;
    }
    if (json_is_string(body.room)) {
        connect_room(call, &body,
                     span_of(json_string_value(body.room), json_string_length(body.room)));
        goto out;
    }
    js_text_add(&name, body.room);
    connect_room(call, &body, buf_span(&name));
out:
    buf_clear(&name);
    api_body_clear(body.doc);
}
