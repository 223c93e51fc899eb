/* The verbs: read the body, ask the registry or placement, answer. All error texts are here. */
#include "world/core/api/verbs.h"

#include "world/core/api/api_body.h"
#include "world/core/api/js_text.h"
#include "world/core/nodes/nodes.h"
#include "world/core/park.h"
#include "world/core/rooms/placement.h"
#include "world/core/rooms/scale.h"
#include "world/core/rooms/shards.h"

static void refuse_empty(struct call *call)
{
    call_refuse(call, REFUSAL_BODY_EMPTY, SPAN("Request body is empty"));
}

static void refuse_malformed(struct call *call)
{
    call_refuse(call, REFUSAL_BODY_MALFORMED, SPAN("Invalid JSON in request body"));
}

static void refuse_invalid(struct call *call, struct span text, const struct issues *issues)
{
    struct buf details = {0};

    BUF_ADD_LIT(&details, "\"details\":");
    issues_render(issues, &details);
    call_refuse_with(call, REFUSAL_BODY_INVALID, text, buf_span(&details));
    buf_clear(&details);
}

/* True when the body can be used; else the request has been answered. */
static bool accept_body(struct call *call, enum body_verdict verdict, struct span text,
                        const struct issues *issues)
{
    switch (verdict) {
    case BODY_OK:
        return true;
    case BODY_EMPTY:
        refuse_empty(call);
        return false;
    case BODY_MALFORMED:
        refuse_malformed(call);
        return false;
    case BODY_INVALID:
        refuse_invalid(call, text, issues);
        return false;
    }
    return false;
}

static void refuse_too_many(struct call *call)
{
    struct buf text = {0};

    buf_addf(&text, "A room cannot have more than %llu shards on this server",
             (unsigned long long)call->core->settings->max_room_shards);
    call_refuse(call, REFUSAL_TOO_MANY_SHARDS, buf_span(&text));
    buf_clear(&text);
}

static void top_up(struct call *call, struct room *room)
{
    while (room_shards(room) < room->settings.min_shards)
        registry_add_shard(&call->core->registry, room, (struct span){0}, 0, call->now);
}

/* ---- connect */

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
    if (!accept_body(call, api_body_connect(&body, call->request->body), (struct span){0}, NULL))
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

/* ---- register-room */

static void register_room(struct call *call, const struct register_body *body)
{
    struct registry *registry = &call->core->registry;
    const struct room_settings *settings = &body->settings;
    struct world *world;
    struct room *room;

    if (settings->max_shards != 0 && settings->min_shards > settings->max_shards) {
        call_refuse(call, REFUSAL_MIN_OVER_MAX, SPAN("minShards cannot be greater than maxShards"));
        return;
    }
    if (settings->min_shards > call->core->settings->max_room_shards) {
        refuse_too_many(call);
        return;
    }
    world = registry_make_world(registry, call->world);
    room = world_room(world, body->name);
    if (room == NULL)
        room = registry_add_room(registry, world, body->name, settings);
    else
        registry_set_room(registry, room, settings);
    top_up(call, room);
    call_answer_when_stored(call);
}

void verb_register_room(struct call *call)
{
    struct register_body body;
    struct issues issues = {0};
    enum body_verdict verdict = api_body_register(&body, call->request->body, &issues);

    if (accept_body(call, verdict, SPAN("Invalid room configuration"), &issues))
        register_room(call, &body);
    issues_clear(&issues);
    api_body_clear(body.doc);
}

/* ---- update-shard */

static void refuse_foreign(struct call *call, const struct update_body *body)
{
    struct buf text = {0};

    BUF_ADD_LIT(&text, "Shard ");
    buf_add_span(&text, body->shard);
    BUF_ADD_LIT(&text, " belongs to world ");
    buf_add_span(&text, body->world);
    BUF_ADD_LIT(&text, ", not ");
    buf_add_span(&text, call->world);
    call_refuse(call, REFUSAL_SHARD_FOREIGN, buf_span(&text));
    buf_clear(&text);
}

static void update_shard(struct call *call, const struct update_body *body)
{
    struct registry *registry = &call->core->registry;
    struct shard *shard = world_shard(registry_world(registry, call->world), body->shard);
    bool removed;

    if (shard == NULL) {
        call_refuse_name(call, REFUSAL_SHARD_MISSING, SPAN("Shard "), body->shard,
                         SPAN(" not found"));
        return;
    }
    if (body->world.len > 0 && !span_eq(body->world, call->world)) {
        refuse_foreign(call, body);
        return;
    }
    removed = registry_report(registry, shard, body->open, body->status, call->now);
    if (removed || body->status != SHARD_STATUS_COUNT)
        call_answer_when_stored(call);
    else
        call_answer(call, SPAN("{}")); /* a count alone is not worth a wait */
}

void verb_update_shard(struct call *call)
{
    struct update_body body;
    struct issues issues = {0};
    enum body_verdict verdict = api_body_update(&body, call->request->body, &issues);

    if (accept_body(call, verdict, SPAN("Invalid shard stats"), &issues))
        update_shard(call, &body);
    issues_clear(&issues);
    api_body_clear(body.doc);
}

/* ---- scale-room */

static void refuse_beyond(struct call *call, const struct room *room)
{
    struct buf text = {0}, members = {0};

    buf_addf(&text, "Cannot scale beyond maximum allowed shards (%llu)",
             (unsigned long long)room->settings.max_shards);
    BUF_ADD_LIT(&members, "\"roomId\":");
    json_add_string(&members, room->name);
    buf_addf(&members, ",\"currentShardCount\":%u", room_shards(room));
    call_refuse_with(call, REFUSAL_OVER_MAX_SHARDS, buf_span(&text), buf_span(&members));
    buf_clear(&text);
    buf_clear(&members);
}

static void scale_room(struct call *call, const struct scale_body *body)
{
    struct registry *registry = &call->core->registry;
    struct room *room = world_room(registry_world(registry, call->world), body->room);

    if (room == NULL) {
        call_refuse_name(call, REFUSAL_ROOM_MISSING, SPAN("Room "), body->room,
                         SPAN(" does not exist"));
        return;
    }
    if (room->settings.max_shards != 0 && body->target > room->settings.max_shards) {
        refuse_beyond(call, room);
        return;
    }
    if (body->target > call->core->settings->max_room_shards) {
        refuse_too_many(call);
        return;
    }
    registry_scale_down(registry, room, (uint32_t)body->target, &(struct order_drain){0},
                        call->now);
    while (room_shards(room) < body->target)
        registry_add_shard(registry, room, body->url_template, body->max, call->now);
    call_answer_when_stored(call);
}

void verb_scale_room(struct call *call)
{
    struct scale_body body;
    struct issues issues = {0};
    enum body_verdict verdict = api_body_scale(&body, call->request->body, &issues);

    if (accept_body(call, verdict, SPAN("Invalid scale room request"), &issues))
        scale_room(call, &body);
    issues_clear(&issues);
    api_body_clear(body.doc);
}
