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

static enum route_kind party_route(struct route *r, struct buf *scratch)
{
    struct span party;
    enum err e = url_split_party(r->path, scratch, &party, &r->shard_id, &r->rest);
    if (e == ERR_MISSING)
        return ROUTE_NONE;
    if (e != ERR_OK || !escapes_are_whole(r->path))
        return ROUTE_BAD;
    if (span_eq(party, SPAN("world")))
        return ROUTE_WORLD;
    if (!span_eq(party, SPAN("shard")))
        return ROUTE_NONE;
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

struct route route_of(struct span target, struct buf *scratch)
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
    struct span beat = SPAN("/terrane/beat/");
    r.kind = span_starts(r.path, beat)
                 ? beat_route(&r, span_slice(r.path, beat.len, r.path.len), scratch)
                 : party_route(&r, scratch);
    return r;
}

void route_add_nested(struct buf *out, const struct route *r)
{
    /* The rest is the end of the path only when nothing had to be resolved. */
    if (r->rest.ptr + r->rest.len == r->path.ptr + r->path.len) {
        buf_add_span(out, r->path);
        return;
    }
    BUF_ADD_LIT(out, "/parties/shard/");
    url_encode(out, r->shard_id);
    buf_add_span(out, r->rest);
}
