/* ROUTES and the paths that fit: whatever is written is read or refused with a reason, and what a
 * path names lies in it. The input is the rules, a NUL and a path. */
#include <assert.h>
#include <stdlib.h>

#include "common/proto/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(struct span part, struct span whole)
{
    return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

static void check_fit(const struct route_fit *fit)
{
    struct buf decoded = {.len = 0};
    assert(fit->path.len > 0 && fit->path.ptr[0] == '/');
    assert(fit->rest.len == 0 || fit->rest.ptr[0] == '/');
    assert(fit->rest.len == 0 || lies_in(fit->rest, fit->path));
    assert(span_is_utf8(fit->shard) && span_is_utf8(fit->room));
    assert(fit->rule->has_shard == (fit->shard.len > 0));
    if (fit->shard.len > 0) {
        assert(lies_in(fit->shard_raw, fit->path) &&
               span_index(fit->shard_raw, '/') == fit->shard_raw.len);
        enum err e = url_decode(&decoded, fit->shard_raw);
        assert(e == ERR_OK && span_eq(buf_span(&decoded), fit->shard));
        buf_reset(&decoded);
        bool has = routes_name(fit->rule, fit->path, SPAN("shard"), &decoded);
        assert(has && span_eq(buf_span(&decoded), fit->shard));
    }
    buf_clear(&decoded);
}

static void check_path(const struct routes *r, struct span path)
{
    struct buf scratch = {.len = 0}, again = {.len = 0};
    struct route_fit fit, same;
    if (path.len > 0 && path.ptr[0] == '/' && routes_fit(r, path, &scratch, &fit) == ERR_OK) {
        check_fit(&fit);
        enum err e = routes_fit(r, fit.path, &again, &same); /* nothing is left to resolve */
        assert(e == ERR_OK && same.rule == fit.rule && span_eq(same.path, fit.path));
    }
    buf_clear(&scratch);
    buf_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all = span_of(data, size);
    size_t end = span_index(all, '\0');
    struct routes *r;
    struct buf problem = {.len = 0};
    struct span path = span_slice(all, end + 1, all.len);
    enum err e = routes_parse(&r, span_slice(all, 0, end), &problem);
    assert((e == ERR_OK) == (problem.len == 0) && (e == ERR_OK) == (r != NULL));
    assert(span_index(buf_span(&problem), '\n') == problem.len);
    if (r != NULL)
        check_path(r, path);
    check_path(&routes_builtin, path);
    routes_free(r);
    buf_clear(&problem);
    return 0;
}
