/* Which rule a path fits. How rules are written is routes_read.c's, what their patterns may be
 * route_pattern.c's. */
#include "common/proto/routes.h"

#include <stdlib.h>

#include "common/proto/route_pattern.h"

static struct route_rule builtin = {
    .pattern = ROUTES_BUILTIN_PATTERN,
    .has_shard = true,
    .deflate = -1,
    .builtin = true,
};
const struct routes routes_builtin = {.list = &builtin, .count = 1};

/* Segments are compared decoded. */
static bool literal_fits(struct span want, struct span segment, struct buf *scratch)
{
    size_t start = scratch->len;
    bool fits = url_decode(scratch, segment) == ERR_OK &&
                span_eq(span_slice(buf_span(scratch), start, scratch->len), want);
    scratch->len = start;
    return fits;
}

static enum err take_name(struct route_fit *out, struct span name, struct span segment,
                          struct buf *scratch)
{
    size_t start = scratch->len;
    enum err e = url_decode(scratch, segment);
    struct span decoded = span_of(scratch->data + start, scratch->len - start);
    if (e == ERR_OK && span_eq(name, SPAN("shard"))) {
        out->shard = decoded;
        out->shard_raw = segment;
    } else if (e == ERR_OK && span_eq(name, SPAN("room"))) {
        out->room = decoded;
    } else {
        scratch->len = start;
    }
    return e;
}

/* ERR_SYNTAX: it would fit, but for a name that cannot be read. */
static enum err rule_fits(const struct route_rule *rule, struct span path, struct buf *scratch,
                          struct route_fit *out)
{
    struct span pattern = span_str(rule->pattern), want, segment, rest = path;
    enum err names = ERR_OK;
    *out = (struct route_fit){.rule = rule, .path = path};
    while (url_next_segment(&pattern, &want)) {
        if (route_segment_is_star(want)) {
            out->rest = rest;
            return names;
        }
        if (!url_next_segment(&rest, &segment))
            return ERR_MISSING;
        struct span name = route_segment_name(want);
        if (name.ptr == NULL && !literal_fits(want, segment, scratch))
            return ERR_MISSING;
        if (name.ptr == NULL)
            continue;
        if (segment.len == 0)
            return ERR_MISSING;
        enum err e = take_name(out, name, segment, scratch);
        names = e == ERR_OK ? names : e;
    }
    out->rest = rest;
    return rest.len == 0 ? names : ERR_MISSING;
}

enum err routes_fit(const struct routes *r, struct span path, struct buf *scratch,
                    struct route_fit *out)
{
    path = url_resolve_path(path, scratch);
    size_t start = scratch->len;
    /* So that nothing moves from here on: what is decoded is never longer. */
    (void)buf_reserve(scratch, 2 * path.len + 1);
    if (start > 0)
        path = buf_span(scratch);
    for (size_t i = 0; i < r->count; i++) {
        enum err e = rule_fits(&r->list[i], path, scratch, out);
        if (e != ERR_MISSING)
            return e;
        scratch->len = start;
    }
    return ERR_MISSING;
}

bool routes_name(const struct route_rule *rule, struct span path, struct span name, struct buf *out)
{
    struct span pattern = span_str(rule->pattern), want, segment;
    while (url_next_segment(&pattern, &want) && url_next_segment(&path, &segment)) {
        struct span here = route_segment_name(want);
        if (here.ptr != NULL && span_eq(here, name))
            return url_decode(out, segment) == ERR_OK;
    }
    return false;
}

const struct route_rule *routes_at(const struct routes *r, size_t index)
{
    return index < r->count ? &r->list[index] : NULL;
}

enum route_auth route_rule_auth(const struct route_rule *rule, enum route_auth fallback)
{
    return rule->auth == ROUTE_AUTH_DEFAULT ? fallback : rule->auth;
}

static void rule_clear(struct route_rule *rule)
{
    free(rule->pattern);
    free(rule->origins);
    origins_clear(&rule->servers);
    for (size_t i = 0; i < rule->key_count; i++)
        free(rule->keys[i].name);
    free(rule->keys);
}

void routes_free(struct routes *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++)
        rule_clear(&r->list[i]);
    free(r->list);
    free(r);
}
