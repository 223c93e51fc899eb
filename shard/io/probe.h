#pragma once
/* One dial of a checkup: of another node, or of a room server. For checkup.c, which lists them. */
#include "common/base/list.h"
#include "common/base/span.h"

struct checkups;
struct probe;
struct upstream;

struct probe_kind {
    /* Dials; ends in probe_over. */
    void (*start)(struct probe *p);
    /* Gives it up, in whatever state; it frees itself, now or when the loop has turned. */
    void (*cancel)(struct probe *p);
};

struct probe {
    struct list node;
    struct checkups *all;
    const struct probe_kind *kind;
};

/* Asks the node `id` at `url` for its version, signed. Texts are copied. */
struct probe *peer_probe_new(struct span id, struct span url);
/* Opens a link to a room server for the room PROBE_ROOM, and closes it as soon as it is seen to
 * stand. Servers that make rooms as they are asked for keep one empty room of that name, however
 * many nodes ask, however often. `server` is borrowed. */
#define PROBE_ROOM "terrane-checkup"
struct probe *room_probe_new(const struct upstream *server);

/* Core has been told what came of it; it takes itself out of its list and frees itself when it
 * likes. */
void probe_over(struct probe *p);
static inline void probe_cancel(struct probe *p)
{
    list_remove(&p->node);
    p->kind->cancel(p);
}
