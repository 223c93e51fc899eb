#pragma once
/* Paths of worlds: /parties/world/{worldId}[/…]. */
#include "common/base/buf.h"

struct world_path {
    struct span world; /* decoded into the scratch; not checked to be a valid id */
    struct span rest;  /* raw: empty, or from its slash */
};

/* ERR_MISSING: not a world's path; ERR_SYNTAX: an escape in it cannot be decoded. `scratch` is
 * overwritten and must live as long as *out is used. */
MUST_CHECK enum err world_path_parse(struct span path, struct buf *scratch, struct world_path *out);
