/* From a path below /api/v1 to its verb, and what verbs share. */
#include "world/core/manage/manage.h"

#include <stdlib.h>

#include "common/proto/shard_id.h"
#include "common/proto/url.h"
#include "world/core/manage/manage_verbs.h"

#define PREFIX "/api/v1/worlds"

enum { SEGMENTS_MAX = 8, ALLOW_MAX = 64 };

struct manage_route {
    const char *method;
    const char *pattern; /* behind /api/v1/worlds/{W}/; what is in braces matches any segment */
    enum token_scope scope;
    void (*run)(struct manage *m);
};

static const struct manage_route routes[] = {
    {"GET", "rooms", TOKEN_READ, manage_list_rooms},
    {"GET", "rooms/{room}", TOKEN_READ, manage_get_room},
    {"PUT", "rooms/{room}", TOKEN_ADMIN, manage_put_room},
    {"DELETE", "rooms/{room}", TOKEN_ADMIN, manage_delete_room},
    {"POST", "rooms/{room}/scale", TOKEN_ADMIN, manage_scale_room},
    {"POST", "rooms/{room}/shards", TOKEN_ADMIN, manage_add_shards},
    {"GET", "rooms/{room}/explain", TOKEN_READ, manage_explain_room},
    {"POST", "shards/{shard}/move", TOKEN_ADMIN, manage_move_shard},
    {"GET", "nodes", TOKEN_READ, manage_list_nodes},
    {"GET", "nodes/{node}", TOKEN_READ, manage_get_node},
    {"DELETE", "nodes/{node}", TOKEN_ADMIN, manage_delete_node},
    {"POST", "nodes/{node}/drain", TOKEN_ADMIN, manage_drain_node},
    {"POST", "nodes/{node}/undrain", TOKEN_ADMIN, manage_undrain_node},
    {"PUT", "nodes/{node}/log-level", TOKEN_ADMIN, manage_set_node_log_level},
    {"POST", "rooms/{room}/move", TOKEN_ADMIN, manage_move_room},
    {"GET", "servers", TOKEN_READ, manage_list_servers},
    {"GET", "servers/{server}", TOKEN_READ, manage_get_server},
    {"PUT", "servers/{server}", TOKEN_ADMIN, manage_put_server},
    {"DELETE", "servers/{server}", TOKEN_ADMIN, manage_delete_server},
    {"GET", "export", TOKEN_READ, manage_export},
    {"POST", "import", TOKEN_ADMIN, manage_import},
    {"GET", "events", TOKEN_READ, manage_open_events},
    {"GET", "overview", TOKEN_READ, manage_show_overview},
    {"GET", "history", TOKEN_READ, manage_show_history},
    {"GET", "findings", TOKEN_READ, manage_list_findings},
    {"POST", "checkup", TOKEN_ADMIN, manage_begin_checkup},
    {"POST", "rooms/{room}/kick", TOKEN_ADMIN, manage_kick},
    {"GET", "rooms/{room}/bans", TOKEN_READ, manage_list_bans},
    {"GET", "rooms/{room}/bans/{session}", TOKEN_READ, manage_get_ban},
    {"PUT", "rooms/{room}/bans/{session}", TOKEN_ADMIN, manage_put_ban},
    {"DELETE", "rooms/{room}/bans/{session}", TOKEN_ADMIN, manage_delete_ban},
    {"GET", "shards", TOKEN_READ, manage_list_shards},
    {"GET", "shards/{shard}", TOKEN_READ, manage_get_shard},
    {"PATCH", "shards/{shard}", TOKEN_ADMIN, manage_patch_shard},
    {"DELETE", "shards/{shard}", TOKEN_ADMIN, manage_delete_shard},
    {"GET", "shards/{shard}/seats", TOKEN_READ, manage_show_seats},
    {"POST", "shards/{shard}/drain", TOKEN_ADMIN, manage_drain_shard},
    {"POST", "shards/{shard}/undrain", TOKEN_ADMIN, manage_activate_shard},
    {"POST", "shards/{shard}/activate", TOKEN_ADMIN, manage_activate_shard},
    {"POST", "shards/{shard}/maintenance", TOKEN_ADMIN, manage_maintain_shard},
};

/* Whole paths behind /api/v1/, of no world. */
static const struct manage_route own_routes[] = {
    {"GET", "worlds", TOKEN_READ, manage_list_worlds},
    {"GET", "process", TOKEN_READ, manage_show_process},
    {"PUT", "process/log-level", TOKEN_ADMIN, manage_set_log_level},
};

/* A table of them. */
struct manage_routes {
    const struct manage_route *list;
    size_t count;
};
static const struct manage_routes world_table = {routes, sizeof(routes) / sizeof(*routes)};
static const struct manage_routes own_table = {own_routes,
                                               sizeof(own_routes) / sizeof(*own_routes)};

/* ---- finding the route */

/* The segments in braces go to `args`, raw. */
static bool matches(const char *pattern, struct span path, struct span args[MANAGE_ARGS])
{
    struct span want = span_str(pattern), part, segment;
    size_t count = 0;

    while (span_split(&want, '/', &part)) {
        if (!span_split(&path, '/', &segment))
            return false;
        if (span_starts(part, SPAN("{")))
            args[count++] = segment;
        else if (!span_eq(part, segment))
            return false;
    }
    return path.ptr == NULL;
}

/* Finds the route of that path and method. NULL: `allow` names the methods of the path, if it is
 * one at all. */
static const struct manage_route *find_route(const struct manage_routes *table, struct span method,
                                             struct span path, struct span args[MANAGE_ARGS],
                                             struct buf *allow)
{
    buf_reset(allow);
    for (size_t i = 0; i < table->count; i++) {
        const struct manage_route *route = &table->list[i];
        struct span found[MANAGE_ARGS] = {{0}};
        if (!matches(route->pattern, path, found))
            continue;
        if (span_eq(method, span_str(route->method))) {
            memcpy(args, found, sizeof(found));
            return route;
        }
        if (allow->len > 0)
            BUF_ADD_LIT(allow, ", ");
        buf_add_span(allow, span_str(route->method));
    }
    return NULL;
}

/* Decodes the world and the segments, once, into the scratch, which is large enough not to move. */
static bool decode(struct manage *m, struct span *world)
{
    struct buf *path = &m->call->core->path;
    struct span *parts[MANAGE_ARGS + 1] = {world, &m->args[0], &m->args[1]};

    buf_reset(path);
    (void)buf_reserve(path, m->call->request->path.len + 1);
    for (size_t i = 0; i < MANAGE_ARGS + 1; i++) {
        size_t from = path->len;
        if (url_decode(path, *parts[i]) != ERR_OK) {
            call_refuse(m->call, REFUSAL_ESCAPE, SPAN("Bad escape in the path"));
            return false;
        }
        *parts[i] = span_of(path->data + from, path->len - from);
    }
    return true;
}

/* ---- checks */

/* False: the request has been answered. */
static bool authorize(struct manage *m, enum token_scope scope)
{
    struct call *call = m->call;
    enum err e = authz_open_token(&call->core->authz, &call->request->credentials,
                                  call->now.wall_ms / 1000, &m->token);

    if (e == ERR_OK && call->world.len > 0 && !token_covers(&m->token, call->world))
        e = ERR_DENIED;
    if (e != ERR_OK)
        call_refuse(call, e == ERR_EXPIRED ? REFUSAL_EXPIRED : REFUSAL_DENIED,
                    SPAN("Not permitted"));
    else if (m->token.scope < scope)
        call_refuse(call, REFUSAL_READ_ONLY, SPAN("This token may only read"));
    return e == ERR_OK && m->token.scope >= scope;
}

static void run(struct manage *m, const struct manage_route *route)
{
    struct call *call = m->call;

    call->route = route->scope == TOKEN_READ ? ROUTE_MANAGE_READ : ROUTE_MANAGE_CHANGE;
    if (!authorize(m, route->scope))
        return;
    if (call->world.len > 0 && !call_is_ours(call))
        return;
    m->world = registry_world(&call->core->registry, call->world);
    route->run(m);
}

static void refuse_method(struct call *call, struct span allow)
{
    call->allow = allow;
    call_refuse(call, REFUSAL_METHOD, SPAN("Method not allowed"));
}

/* `path` is behind /api/v1/worlds/. */
static void handle_in_world(struct manage *m, struct span path)
{
    struct call *call = m->call;
    struct buf allow = {0};
    const struct manage_route *route;
    struct span world;

    (void)span_split(&path, '/', &world);
    route = find_route(&world_table, call->request->method, path, m->args, &allow);
    if (!decode(m, &world))
        goto out;
    if (!world_id_is_valid(world) || (route == NULL && allow.len == 0)) {
        call_refuse(call, REFUSAL_ROUTE, SPAN("Not found"));
    } else if (route == NULL) {
        refuse_method(call, buf_span(&allow));
    } else {
        call->world = world;
        run(m, route);
    }
out:
    buf_clear(&allow);
}

/* `path` is behind /api/v1/. */
static void handle_own(struct manage *m, struct span path)
{
    struct call *call = m->call;
    struct buf allow = {0};
    const struct manage_route *route =
        find_route(&own_table, call->request->method, path, m->args, &allow);

    if (route != NULL)
        run(m, route);
    else if (allow.len > 0)
        refuse_method(call, buf_span(&allow));
    else
        call_refuse(call, REFUSAL_ROUTE, SPAN("Not found"));
    buf_clear(&allow);
}

bool manage_wants(struct span path)
{
    return span_starts(path, SPAN("/api/v1/")) || span_eq(path, SPAN("/api/v1"));
}

enum err manage_world(struct span path, struct buf *scratch, struct span *world)
{
    struct span rest = path, name;

    buf_reset(scratch);
    if (!span_starts(path, SPAN(PREFIX "/")))
        return ERR_MISSING;
    rest = span_slice(path, sizeof(PREFIX), path.len);
    if (!span_split(&rest, '/', &name) || name.len == 0)
        return ERR_MISSING;
    if (url_decode(scratch, name) != ERR_OK)
        return ERR_SYNTAX;
    *world = buf_span(scratch);
    return ERR_OK;
}

void manage_handle(struct call *call)
{
    struct span path = call->request->path;
    struct manage m = {.call = call, .query = call->request->credentials.query};

    if (span_eq(call->request->method, SPAN("OPTIONS"))) {
        call->route = ROUTE_OPTIONS;
        call_answer(call, SPAN("{}"));
    } else if (span_starts(path, SPAN(PREFIX "/"))) {
        handle_in_world(&m, span_slice(path, sizeof(PREFIX), path.len));
    } else {
        handle_own(&m, span_slice(path, sizeof("/api/v1/") - 1, path.len));
    }
    token_close(&m.token);
}

/* ---- for verbs */

static bool refuse_query(struct manage *m, const char *name, struct span wants)
{
    struct buf text = {0};

    buf_addf(&text, "Query parameter %s must be ", name);
    buf_add_span(&text, wants);
    call_refuse(m->call, REFUSAL_QUERY, buf_span(&text));
    buf_clear(&text);
    return false;
}

bool manage_query_text(struct manage *m, const char *name, struct buf *out)
{
    buf_reset(out);
    return url_query_get(m->query, span_str(name), out);
}

bool manage_query_count(struct manage *m, const char *name, uint64_t min, uint64_t max,
                        uint64_t *out)
{
    struct buf text = {0};
    uint64_t n = *out;
    bool good = !manage_query_text(m, name, &text) ||
                (span_to_u64(buf_span(&text), &n) == ERR_OK && n >= min && n <= max);

    if (good) {
        *out = n;
    } else {
        buf_reset(&text);
        buf_addf(&text, "a whole number from %llu to %llu", (unsigned long long)min,
                 (unsigned long long)max);
        refuse_query(m, name, buf_span(&text));
    }
    buf_clear(&text);
    return good;
}

bool manage_query_flag(struct manage *m, const char *name, bool *out)
{
    struct buf text = {0};
    bool good = true;

    if (manage_query_text(m, name, &text)) {
        *out = span_eq(buf_span(&text), SPAN("1"));
        good = *out || span_eq(buf_span(&text), SPAN("0"));
    }
    buf_clear(&text);
    return good || refuse_query(m, name, SPAN("1 or 0"));
}

struct room *manage_room(struct manage *m, struct span name)
{
    struct room *room = world_room(m->world, name);

    if (room == NULL)
        call_refuse_name(m->call, REFUSAL_ROOM_MISSING, SPAN("Room "), name,
                         SPAN(" does not exist"));
    return room;
}

struct shard *manage_shard(struct manage *m, struct span id)
{
    struct shard *shard = world_shard(m->world, id);

    if (shard == NULL)
        call_refuse_name(m->call, REFUSAL_SHARD_MISSING, SPAN("Shard "), id,
                         SPAN(" does not exist"));
    return shard;
}

struct world *manage_make_world(struct manage *m)
{
    m->world = registry_make_world(&m->call->core->registry, m->call->world);
    return m->world;
}
