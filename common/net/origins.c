/* Lists of origins, and the choice of one by name. */
#include "common/net/origins.h"

#include <stdlib.h>

#include "common/base/mem.h"

static uint64_t fnv1a(uint64_t hash, struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.ptr[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t score(const struct url_origin *o, struct span key)
{
    uint64_t h = fnv1a(UINT64_C(0xcbf29ce484222325), span_str(o->text));
    h = fnv1a(h, span_of("", 1));
    h = fnv1a(h, key);
    h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ (h >> 33);
}

enum err origins_parse(struct origins *out, struct span text, struct span *bad)
{
    *out = (struct origins){0};
    struct span rest = span_trim(text), part;
    if (rest.len == 0)
        return ERR_OK;
    while (span_split(&rest, ',', &part)) {
        out->list = xreallocarray(out->list, out->count + 1, sizeof *out->list);
        *bad = span_trim(part);
        if (url_origin_parse(*bad, &out->list[out->count]) != ERR_OK) {
            origins_clear(out);
            return ERR_SYNTAX;
        }
        out->count++;
    }
    return ERR_OK;
}

void origins_clear(struct origins *o)
{
    for (size_t i = 0; i < o->count; i++)
        url_origin_clear(&o->list[i]);
    free(o->list);
    *o = (struct origins){0};
}

const struct url_origin *origins_choose(const struct origins *o, struct span key)
{
    const struct url_origin *best = NULL;
    uint64_t best_score = 0;
    for (size_t i = 0; i < o->count; i++) {
        uint64_t s = score(&o->list[i], key);
        if (best != NULL && s <= best_score)
            continue;
        best = &o->list[i];
        best_score = s;
    }
    return best;
}
