/* The addresses under which worlds answer. */
#include "world/core/api/world_path.h"

#include "common/proto/url.h"

/* A path that leads nowhere is still told from one that cannot even be read. */
static enum err nowhere(struct span path, struct buf *scratch)
{
    buf_reset(scratch);
    return url_decode(scratch, path) == ERR_OK ? ERR_MISSING : ERR_SYNTAX;
}

enum err world_path_parse(struct span path, struct buf *scratch, struct world_path *out)
{
    struct span party;
    enum err e;

    buf_reset(scratch);
    e = url_split_party(path, scratch, &party, &out->world, &out->rest);
    if (e == ERR_MISSING)
        return nowhere(path, scratch);
    if (e != ERR_OK)
        return e;
    if (!span_eq(party, SPAN("world")) || out->world.len == 0)
        return nowhere(path, scratch);
    return ERR_OK;
}
