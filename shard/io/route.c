/* Reads request targets: which of a node's doors is meant, and with which names. */
#include "shard/io/route.h"

#include "common/proto/ascii.h"
#include "common/proto/shard_id.h"

static const struct {
    const char *path;
    enum route_kind kind;
} plain_routes[] = {
    {"/livez", ROUTE_LIVEZ},
    {"/readyz", ROUTE_READYZ},
    {"/metrics", ROUTE_METRICS},
    {"/version", ROUTE_VERSION},
};

static bool escapes_are_whole(struct span path)
{
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] != '%')
            continue;
        if (path.len - i < 3 || ascii_hex(path.ptr[i + 1]) < 0 || ascii_hex(path.ptr[i + 2]) < 0)
            return false;
    }
    return true;
}

/* A room called "." or ".." would climb out of /parties/main/ at the room server, and no escape
 * helps: URL parsers take %2e for a dot. */
static bool room_is_nameable(struct span shard_id)
{
    struct span room = shard_id_parse(shard_id).room;
    return !span_eq(room, SPAN(".")) && !span_eq(room, SPAN(".."));
}

/* `/parties/…`: a world, the built-in rule's, or none of ours. */
static enum route_kind party_kind(struct span path, struct buf *scratch)
{
    struct span party, name, rest;
    enum err e = url_split_party(path, scratch, &party, &name, &rest);
    if (e == ERR_MISSING)
        return ROUTE_NONE;
    if (e != ERR_OK || !escapes_are_whole(path))
        return ROUTE_BAD;
    if (span_eq(party, SPAN("world")))
        return ROUTE_WORLD;
    return span_eq(party, SPAN("shard")) ? ROUTE_SHARD : ROUTE_NONE;
}

/* Servers differ in what they take for a slash, and nobody shall get past a rule by what only they
 * read: a path that fits another rule then, which asks for something else, fits none. */
static bool is_ambiguous(const struct routes *routes, const struct route_rule *rule,
                         struct span path)
{
    struct route_fit fit;
    struct buf loose = {0}, scratch = {0};
    url_read_loosely(&loose, path);
    bool differs = loose.len != path.len &&
                   routes_fit(routes, buf_span(&loose), &scratch, &fit) == ERR_OK &&
                   fit.rule->auth != rule->auth;
    buf_clear(&loose);
    buf_clear(&scratch);
    return differs;
}

/* Worlds come before all rules, the built-in rule behind them. */
static enum route_kind ruled_route(struct route *r, const struct routes *routes,
                                   struct buf *scratch)
{
    struct route_fit fit;
    enum route_kind party = party_kind(r->path, scratch);
    if (party == ROUTE_WORLD)
        return party;
    enum err e = routes_fit(routes, r->path, scratch, &fit);
    if (e == ERR_MISSING || (e == ERR_OK && fit.rule->builtin && party != ROUTE_SHARD))
        return party;
    if (e != ERR_OK || !escapes_are_whole(r->path) ||
        (fit.rule->mode == ROUTE_PASS && is_ambiguous(routes, fit.rule, r->path)))
        return ROUTE_BAD;
    r->rule = fit.rule;
    r->resolved = fit.path;
    r->room = fit.room;
    r->shard_id = fit.shard;
    r->shard_raw = fit.shard_raw;
    r->rest = fit.rest;
    if (!fit.rule->has_shard)
        return ROUTE_SERVER;
    return room_is_nameable(r->shard_id) ? ROUTE_SHARD : ROUTE_BAD;
}

/* `/terrane/beat/{world}` */
static enum route_kind beat_route(struct route *r, struct span id, struct buf *scratch)
{
    buf_reset(scratch);
    if (id.len == 0 || span_index(id, '/') < id.len)
        return ROUTE_NONE;
    if (url_decode(scratch, id) != ERR_OK)
        return ROUTE_BAD;
    r->world = buf_span(scratch);
    return ROUTE_BEAT;
}

struct route route_of(const struct routes *routes, struct span target, struct buf *scratch)
{
    struct route r = {.kind = ROUTE_BAD};
    struct url_target parts;
    if (url_split_target(target, &parts) != ERR_OK)
        return r;
    r.path = parts.path;
    r.query = parts.query;
    for (size_t i = 0; i < sizeof plain_routes / sizeof plain_routes[0]; i++) {
        if (!span_eq(r.path, span_str(plain_routes[i].path)))
            continue;
        r.kind = plain_routes[i].kind;
        return r;
    }
    struct span own = SPAN("/terrane"), beat = SPAN("/terrane/beat/");
    struct span first = url_resolve_path(r.path, scratch);
    first = span_slice(first, 0, 1 + span_index(span_slice(first, 1, first.len), '/'));
    if (span_starts(r.path, beat))
        r.kind = beat_route(&r, span_slice(r.path, beat.len, r.path.len), scratch);
    else if (span_eq(first, own))
        r.kind = ROUTE_NONE;
    else
        r.kind = ruled_route(&r, routes, scratch);
    return r;
}

void route_turn(struct route *r, struct buf *path, struct span shard_id)
{
    size_t before = (size_t)(r->shard_raw.ptr - r->resolved.ptr);
    size_t behind = before + r->shard_raw.len;
    size_t rest = (size_t)r->resolved.len - r->rest.len; /* it is the end of the path */
    buf_reset(path);
    buf_add_span(path, span_slice(r->resolved, 0, before));
    url_encode(path, shard_id);
    size_t encoded = path->len - before;
    buf_add_span(path, span_slice(r->resolved, behind, r->resolved.len));
    r->shard_id = shard_id;
    r->resolved = r->path = buf_span(path);
    r->shard_raw = span_slice(r->path, before, before + encoded);
    r->rest = span_slice(r->path, rest - (behind - before) + encoded, r->path.len);
}
