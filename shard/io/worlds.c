/* Remembers which world answers. */
#include "shard/io/worlds.h"

#include <assert.h>

#include "common/base/log.h"

void worlds_init(struct worlds *w, struct loop *l, struct origins *origins)
{
    assert(origins->count > 0);
    *w = (struct worlds){0};
    for (size_t i = 0; i < origins->count; i++)
        origins->list[i].inside = true;
    upstreams_init(&w->all, l, origins);
}

void worlds_clear(struct worlds *w)
{
    upstreams_clear(&w->all);
}

static void leave(struct worlds *w, size_t failed)
{
    w->failures++;
    if (w->current != failed || w->all.origins.count < 2)
        return; /* someone else has moved on already, or there is nowhere to go */
    w->current = (failed + 1) % w->all.origins.count;
    log_warn("world.change", "from=%s to=%s", w->all.origins.list[failed].text,
             w->all.origins.list[w->current].text);
}

static const struct upstream *step(struct worlds *w, struct worlds_walk *walk)
{
    if (walk->tries == w->all.origins.count)
        return NULL;
    if (walk->tries > 0)
        walk->at = (walk->at + 1) % w->all.origins.count;
    walk->tries++;
    return &w->all.list[walk->at];
}

const struct upstream *worlds_next(struct worlds *w, struct worlds_walk *walk)
{
    if (walk->tries == 0)
        walk->at = w->current;
    else
        leave(w, walk->at);
    return step(w, walk);
}

const struct upstream *worlds_other(struct worlds *w, struct worlds_walk *walk)
{
    return step(w, walk);
}
