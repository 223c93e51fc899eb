/* A map and a list in the order of ends, which is the order of arrival. */
#include "world/core/rooms/retired.h"

#include <stdlib.h>

#include "world/core/record.h"

struct retired_id {
    struct span id; /* owned */
    int64_t until_ms;
    struct list node;
};

static void drop(struct retired *r, struct retired_id *i)
{
    map_remove(&r->by_id, i->id);
    list_remove(&i->node);
    r->count--;
    span_free(i->id);
    free(i);
}

static struct retired_id *oldest(const struct retired *r)
{
    struct list *first = list_first(&r->list);

    return first == NULL ? NULL : CONTAINER_OF(first, struct retired_id, node);
}

static void forget(struct registry *r, struct world *w, struct retired_id *i)
{
    r->watch.forget(r->watch.ctx, RECORD_RETIRED, w, i->id);
    drop(&w->retired, i);
}

void retired_init(struct retired *r)
{
    *r = (struct retired){0};
    list_init(&r->list);
}

void retired_clear(struct retired *r)
{
    for (struct retired_id *i; (i = oldest(r)) != NULL;)
        drop(r, i);
    map_clear(&r->by_id);
}

bool retired_has(const struct retired *r, struct span id)
{
    return map_get(&r->by_id, id) != NULL;
}

void retired_restore(struct retired *r, struct span id, int64_t until_ms)
{
    struct retired_id *i;

    if (retired_has(r, id))
        return;
    i = xcalloc(1, sizeof(*i));
    i->id = span_copy(id);
    i->until_ms = until_ms;
    map_add(&r->by_id, i->id, i);
    list_push(&r->list, &i->node);
    r->count++;
}

static void keep(struct registry *r, const struct world *w, struct span id, int64_t until_ms)
{
    struct buf value = {0};

    record_add_retired(&value, until_ms);
    r->watch.keep(r->watch.ctx, RECORD_RETIRED, w, id, buf_span(&value));
    buf_clear(&value);
}

void retired_keep(struct registry *r, const struct world *w)
{
    LIST_EACH (&w->retired.list, it) {
        const struct retired_id *i = CONTAINER_OF(it, struct retired_id, node);
        keep(r, w, i->id, i->until_ms);
    }
}

void retired_add(struct registry *r, struct world *w, struct span id, int64_t until_ms)
{
    if (w->retired.count >= RETIRED_MAX)
        forget(r, w, oldest(&w->retired));
    retired_restore(&w->retired, id, until_ms);
    keep(r, w, id, until_ms);
}

void retired_expire(struct registry *r, struct world *w, int64_t wall_ms)
{
    for (struct retired_id *i; (i = oldest(&w->retired)) != NULL && i->until_ms <= wall_ms;)
        forget(r, w, i);
}
