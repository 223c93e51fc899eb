/* The verbs of operators and shards: read the body, ask the registry, answer. */
#include "world/core/api/verbs.h"

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

bool verb_accept_body(struct call *call, enum body_verdict verdict, struct span text,
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

    if (verb_accept_body(call, verdict, SPAN("Invalid room configuration"), &issues))
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

    if (verb_accept_body(call, verdict, SPAN("Invalid shard stats"), &issues))
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

    if (verb_accept_body(call, verdict, SPAN("Invalid scale room request"), &issues))
        scale_room(call, &body);
    issues_clear(&issues);
    api_body_clear(body.doc);
}
