/* Lists of origins, and the choice of one by name. */
#include "common/proto/origins.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/stable_hash.h"

uint64_t origin_score(struct span host_port, struct span key)
{
    uint64_t h = stable_hash_add(STABLE_HASH_START, host_port);
    h = stable_hash_add(h, span_of("", 1));
    return stable_hash_mix(stable_hash_add(h, key));
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
        uint64_t s = origin_score(span_str(o->list[i].text), key);
        if (best != NULL && s <= best_score)
            continue;
        best = &o->list[i];
        best_score = s;
    }
    return best;
}
