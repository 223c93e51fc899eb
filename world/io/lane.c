/* Counts who is under way, first come first served. */
#include "world/io/lane.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"

struct lane {
    char *url; /* the key */
    size_t under_way;
    struct list waiting; /* struct lane_place */
    struct list opened;  /* in lanes.opened */
};

static struct lane *lane_of(struct lanes *all, struct span url)
{
    struct lane *lane = map_get(&all->by_url, url);

    if (lane != NULL)
        return lane;
    lane = xcalloc(1, sizeof(*lane));
    lane->url = xspandup(url);
    list_init(&lane->waiting);
    map_add(&all->by_url, span_str(lane->url), lane);
    return lane;
}

static void free_if_empty(struct lanes *all, struct lane *lane)
{
    if (lane->under_way > 0 || !list_empty(&lane->waiting))
        return;
    list_remove(&lane->opened);
    (void)map_remove(&all->by_url, span_str(lane->url));
    free(lane->url);
    free(lane);
}

static bool has_turn(const struct lane *lane)
{
    return lane->under_way < LANE_MAX && !list_empty(&lane->waiting);
}

/* `go` may leave at once. */
static void next_goes(struct lanes *all, struct lane *lane)
{
    struct lane_place *p = CONTAINER_OF(list_first(&lane->waiting), struct lane_place, node);

    list_remove(&p->node);
    lane->under_way++;
    if (has_turn(lane) && !list_linked(&lane->opened))
        list_push(&all->opened, &lane->opened);
    p->go(p);
}

static void take_turns(struct turn_end *t)
{
    struct lanes *all = CONTAINER_OF(t, struct lanes, turns);

    for (struct list *it; (it = list_first(&all->opened)) != NULL;) {
        struct lane *lane = CONTAINER_OF(it, struct lane, opened);
        list_remove(it);
        if (has_turn(lane))
            next_goes(all, lane);
    }
}

void lanes_init(struct lanes *all, struct loop *l)
{
    *all = (struct lanes){.loop = l, .turns.fn = take_turns};
    list_init(&all->opened);
}

void lanes_clear(struct lanes *all)
{
    assert(all->by_url.count == 0);
    loop_not_at_turn_end(&all->turns);
    map_clear(&all->by_url);
}

void lane_enter(struct lanes *all, struct lane_place *p, struct span url,
                void (*go)(struct lane_place *p))
{
    assert(p->lane == NULL);
    p->lane = lane_of(all, url);
    p->go = go;
    if (p->lane->under_way >= LANE_MAX || !list_empty(&p->lane->waiting)) {
        list_push(&p->lane->waiting, &p->node);
        return;
    }
    p->lane->under_way++;
    go(p);
}

void lane_leave(struct lanes *all, struct lane_place *p)
{
    struct lane *lane = p->lane;

    if (lane == NULL)
        return;
    p->lane = NULL;
    if (list_linked(&p->node))
        list_remove(&p->node);
    else
        lane->under_way--;
    if (has_turn(lane) && !list_linked(&lane->opened)) {
        list_push(&all->opened, &lane->opened);
        loop_at_turn_end(all->loop, &all->turns);
    }
    free_if_empty(all, lane);
}
