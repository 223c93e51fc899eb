/* POST connect: reads the body, asks placement, answers. Owns what a ticket promises. */
#include "world/core/api/verbs.h"

#include "common/base/base64url.h"
#include "common/base/log.h"
#include "common/base/rng.h"
#include "common/proto/ticket.h"
#include "common/proto/url.h"
#include "world/core/api/js_text.h"
#include "world/core/nodes/nodes.h"
#include "world/core/park.h"
#include "world/core/rooms/placement.h"

enum { TICKET_MS = 15 * 1000, SESSION_BYTES = 16 }; /* the first: where no seats are promised */

/* ---- the answer */

static struct buf *begin_answer(struct call *call, const struct shard *shard, struct span session)
{
    struct buf *text = &call->core->text;

    call->core->stats.placements[shard->room->settings.strategy]++;
    shard->room->world->placements++;
    log_debug("client.placed", "shard=%.*s session=%.*s", SPAN_ARG(shard->id), SPAN_ARG(session));
    buf_reset(text);
    BUF_ADD_LIT(text, "{\"success\":true,\"shardId\":");
    json_add_string(text, shard->id);
    BUF_ADD_LIT(text, ",\"url\":");
    json_add_string(text, shard->url);
    return text;
}

static void answer_placed(struct call *call, const struct shard *shard, struct span session)
{
    struct buf *text = begin_answer(call, shard, session);

    buf_add_char(text, '}');
    call_answer(call, buf_span(text));
}

/* What a WebSocket client dials; false: no node owns the shard, or it has not told its address. */
static bool add_endpoint(struct buf *out, const struct shard *shard)
{
    struct span url = {0};

    if (shard->owner != NULL)
        url = shard->owner->url;
    if (!span_starts(url, SPAN("http://")) && !span_starts(url, SPAN("https://")))
        return false;
    if (span_ends(url, SPAN("/")))
        url.len--;
    BUF_ADD_LIT(out, "ws");
    buf_add_span(out, span_slice(url, sizeof("http") - 1, url.len));
    BUF_ADD_LIT(out, "/parties/shard/");
    url_encode(out, shard->id);
    return true;
}

static void add_member(struct buf *text, struct span name, struct span value)
{
    buf_add_span(text, name);
    json_add_string(text, value);
}

/* The ticket ends with the promise. */
static void answer_direct(struct call *call, const struct shard *shard, struct span session)
{
    const struct core_settings *settings = call->core->settings;
    int64_t ttl_ms = settings->seat_ttl_ms == 0 ? TICKET_MS : settings->seat_ttl_ms;
    struct buf *part = &call->core->message, *text;
    struct ticket ticket = {
        .world = call->world,
        .shard = shard->id,
        .room = shard->room->name,
        .session = session,
        .epoch = shard->room->world->epoch,
        .expires_ms = call->now.wall_ms + ttl_ms,
        .trace = span_str(call->request->trace.id),
    };

    if (!ticket_names_fit(&ticket)) {
        call_refuse(call, REFUSAL_TICKET_NAMES,
                    SPAN("roomId and session are too long for a ticket"));
        return;
    }
    rng_bytes(ticket.nonce, sizeof(ticket.nonce));
    text = begin_answer(call, shard, session);
    buf_reset(part);
    if (add_endpoint(part, shard))
        add_member(text, SPAN(",\"endpoint\":"), buf_span(part));
    buf_reset(part);
    ticket_add(part, settings->secrets, &ticket);
    add_member(text, SPAN(",\"ticket\":"), buf_span(part));
    BUF_ADD_LIT(text, ",\"expiresAt\":");
    buf_add_i64(text, ticket.expires_ms);
    add_member(text, SPAN(",\"session\":"), session);
    buf_add_char(text, '}');
    call_answer(call, buf_span(text));
}

/* ---- refusals */

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

/* May the caller go to the room? False: the request has been answered. */
static bool may_enter(struct call *call, const struct connect_body *body, const struct room *room)
{
    struct core *core = call->core;
    struct span given = {0};
    enum err e;

    if (room->settings.is_public || !core->settings->private_rooms)
        return true;
    (void)api_body_token(body, &given);
    e = authz_admits(&core->authz, &call->request->credentials, given, call->world, room->name,
                     call->now.wall_ms / 1000);
    if (e == ERR_MISSING)
        call_refuse_name(call, REFUSAL_PRIVATE_TOKEN, SPAN("A token is needed for private room "),
                         room->name, (struct span){0});
    else if (e != ERR_OK)
        call_refuse_name(call, REFUSAL_PRIVATE, SPAN("The token does not cover private room "),
                         room->name, (struct span){0});
    return e == ERR_OK;
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
    if (!may_enter(call, body, room))
        return NULL;
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
    if (body->direct)
        answer_direct(call, placement.shard, body->session);
    else
        answer_placed(call, placement.shard, body->session);
}

/* A client that brings no session is given one that nobody can guess: its ticket is bound to it. */
static void name_session(struct connect_body *body, struct buf *session)
{
    unsigned char bytes[SESSION_BYTES];

    if (!js_is_blank(body->session))
        return;
    rng_bytes(bytes, sizeof(bytes));
    base64url_add(session, span_of(bytes, sizeof(bytes)));
    body->session = buf_span(session);
}

void verb_connect(struct call *call)
{
    struct connect_body body;
    struct buf name = {0}, session = {0};

    if (park_call(call))
        return;
    if (!verb_accept_body(call, api_body_connect(&body, call->request->body), (struct span){0},
                          NULL))
        goto out;
    if (body.room == NULL) {
        call_refuse(call, REFUSAL_ROOM_ID_MISSING, SPAN("roomId parameter is required"));
        goto out;
    }
    body.direct = body.direct || call->core->settings->tickets;
    if (body.direct)
        name_session(&body, &session);
    if (json_is_string(body.room)) {
        connect_room(call, &body,
                     span_of(json_string_value(body.room), json_string_length(body.room)));
        goto out;
    }
    js_text_add(&name, body.room);
    connect_room(call, &body, buf_span(&name));
out:
    buf_clear(&name);
    buf_clear(&session);
    api_body_clear(body.doc);
}
