/* From path to verb. */
#include "world/core/api/api.h"

#include "common/proto/shard_id.h"
#include "common/proto/url.h"
#include "world/core/api/verbs.h"
#include "world/core/api/world_path.h"
#include "world/core/manage/manage.h"

enum guard {
    GUARD_NONE,   /* anybody */
    GUARD_MANAGE, /* who may manage the world */
    GUARD_SECRET, /* the shard secret alone: a token does not do. No route of the reference's */
};

struct verb {
    const char *path; /* POST to /parties/world/{worldId} + path */
    enum route route;
    enum guard guard;
    bool inside; /* outside there is no such route; nodes need the others */
    bool quick;  /* its answer does not wait for the store */
    void (*run)(struct call *call);
};

static const struct verb verbs[] = {
    {"/connect", ROUTE_CONNECT, GUARD_NONE, false, true, verb_connect},
    {"/update-shard", ROUTE_UPDATE_SHARD, GUARD_MANAGE, false, false, verb_update_shard},
    {"/register-room", ROUTE_REGISTER_ROOM, GUARD_MANAGE, true, false, verb_register_room},
    {"/scale-room", ROUTE_SCALE_ROOM, GUARD_MANAGE, true, false, verb_scale_room},
    {"/heartbeat", ROUTE_HEARTBEAT, GUARD_SECRET, false, true, verb_heartbeat},
    {"/resolve", ROUTE_RESOLVE, GUARD_SECRET, false, true, verb_resolve},
};

static const struct verb *find_verb(struct span method, struct span path)
{
    if (!span_eq(method, SPAN("POST")))
        return NULL;
    if (path.len > 1 && span_ends(path, SPAN("/")))
        path.len--;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (span_eq(path, span_str(verbs[i].path)))
            return &verbs[i];
    }
    return NULL;
}

/* No verb lives at `rest`; an escape that cannot be decoded is worth another answer. */
static void refuse_route(struct call *call, struct span rest)
{
    struct buf *scratch = &call->core->message;

    buf_reset(scratch);
    if (url_decode(scratch, rest) != ERR_OK)
        call_refuse(call, REFUSAL_ESCAPE, SPAN("Bad escape in the path"));
    else
        call_refuse(call, REFUSAL_ROUTE, SPAN("Not found"));
}

/* False: the request has been answered. */
static bool authorize(struct call *call, enum guard guard)
{
    struct authz *authz = &call->core->authz;
    const struct credentials *credentials = &call->request->credentials;
    enum err e = ERR_OK;
    enum token_scope scope = TOKEN_ADMIN;

    if (guard == GUARD_SECRET) {
        e = authz_has_secret(authz, credentials) ? ERR_OK : ERR_DENIED;
        if (e != ERR_OK && credentials->access.len > 0)
            impostors_saw(call->core, call->world, &call->request->client, call->request->body,
                          call->now);
    }
    if (guard == GUARD_MANAGE)
        e = authz_check(authz, credentials, call->world, call->now.wall_ms / 1000, &scope);
    if (e != ERR_OK)
        call_refuse(call, e == ERR_EXPIRED ? REFUSAL_EXPIRED : REFUSAL_DENIED,
                    SPAN("Not permitted"));
    else if (scope != TOKEN_ADMIN)
        call_refuse(call, REFUSAL_READ_ONLY, SPAN("This token may only read"));
    return e == ERR_OK && scope == TOKEN_ADMIN;
}

static void handle_in_world(struct call *call, const struct world_path *at)
{
    const struct verb *verb;

    if (span_eq(call->request->method, SPAN("OPTIONS"))) {
        call->route = ROUTE_OPTIONS;
        call_answer(call, SPAN("{}"));
        return;
    }
    if (!world_id_is_valid(at->world)) {
        call_refuse(call, REFUSAL_WORLD_ID, SPAN("Not found"));
        return;
    }
    call->world = at->world;
    verb = find_verb(call->request->method, at->rest);
    if (verb == NULL || (verb->inside && call->request->outside)) {
        refuse_route(call, at->rest);
        return;
    }
    call->route = verb->route;
    if (!authorize(call, verb->guard))
        return;
    if (call_is_ours(call))
        verb->run(call);
}

bool api_takes_bulk(struct core *core, struct span path, const struct credentials *c,
                    struct moment now)
{
    struct token token;

    if (span_ends(path, SPAN("/heartbeat")))
        return authz_has_secret(&core->authz, c);
    if (!manage_wants(path) || !span_ends(path, SPAN("/import")) ||
        authz_open_token(&core->authz, c, now.wall_ms / 1000, &token) != ERR_OK)
        return false;
    token_close(&token);
    return true;
}

enum err api_world(struct span path, struct buf *scratch, struct span *world)
{
    struct world_path at;
    enum err e;

    if (manage_wants(path))
        return manage_world(path, scratch, world);
    e = world_path_parse(path, scratch, &at);
    *world = at.world;
    return e;
}

bool api_is_inside(struct span path)
{
    return manage_wants(path);
}

bool api_tells_problems(struct span path)
{
    if (manage_wants(path))
        return true;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (verbs[i].guard == GUARD_SECRET && span_ends(path, span_str(verbs[i].path)))
            return true;
    }
    return false;
}

bool api_is_quick(struct span path)
{
    if (manage_wants(path))
        return false;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (verbs[i].quick && span_ends(path, span_str(verbs[i].path)))
            return true;
    }
    return false;
}

void api_handle(struct core *core, const struct api_request *request, struct moment now)
{
    struct call call = {.core = core, .request = request, .route = ROUTE_UNKNOWN, .now = now};
    struct world_path at;

    enum err e;

    core->now = now;
    if (manage_wants(request->path) && !request->outside) {
        manage_handle(&call);
        return;
    }
    e = world_path_parse(request->path, &core->path, &at);
    if (e == ERR_OK)
        handle_in_world(&call, &at);
    else if (e == ERR_SYNTAX)
        call_refuse(&call, REFUSAL_ESCAPE, SPAN("Bad escape in the path"));
    else
        call_refuse_plain(&call, REFUSAL_PATH, SPAN("Not Found"));
}
