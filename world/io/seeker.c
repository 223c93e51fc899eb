/* Looks at what leases say, and paces tries. */
#include "world/io/seeker.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"

/* All that seek one world. */
struct seeker_crowd {
    char *world; /* the key */
    struct list seekers;
};

/* ---- crowds */

static struct seeker_crowd *crowd_of(struct seekers *all, struct span world)
{
    struct seeker_crowd *c = map_get(&all->by_world, world);

    if (c != NULL)
        return c;
    c = xcalloc(1, sizeof(*c));
    c->world = xspandup(world);
    list_init(&c->seekers);
    map_add(&all->by_world, span_str(c->world), c);
    return c;
}

static void crowd_leave(struct seeker *s)
{
    struct seeker_crowd *c = s->crowd;

    list_remove(&s->in_crowd);
    s->crowd = NULL;
    if (!list_empty(&c->seekers))
        return;
    (void)map_remove(&s->all->by_world, span_str(c->world));
    free(c->world);
    free(c);
}

/* ---- one */

static void look_soon(struct seeker *s)
{
    struct seekers *all = s->all;

    if (list_linked(&s->in_to_look))
        return;
    list_push(&all->to_look, &s->in_to_look);
    loop_at_turn_end(all->loop, &all->looks);
}

static void look_at(struct seeker *s, int64_t due_ms)
{
    wheel_set(loop_wheel(s->all->loop), &s->timer, due_ms < s->until_ms ? due_ms : s->until_ms);
}

/* A wrong INTERNAL_URL shows in nothing else. An empty url: none was known. */
static void log_in_vain(const struct seeker *s)
{
    struct seekers *all = s->all;
    int64_t now = loop_now(all->loop);

    if (now < all->say_ms)
        return;
    all->say_ms = now + SEEKER_SAY_MS;
    log_warn("world.unreachable", "world=%.*s url=%.*s", SPAN_ARG(seeker_world(s)),
             SPAN_ARG(buf_span(&s->url)));
}

static void give_up(struct seeker *s)
{
    s->all->stats->timed_out++;
    log_in_vain(s);
    seeker_end(s);
    s->ops->nobody(s);
}

static void wait(struct seeker *s)
{
    if (!s->waited)
        s->all->stats->waited++;
    s->waited = true;
    look_at(s, s->until_ms);
}

/* Not in a tight loop: who asks one that fails again and again asks it ever more slowly. */
static bool is_too_early(struct seeker *s, struct span url)
{
    if (s->pause_ms == 0 || !span_eq(url, buf_span(&s->url))) {
        s->pause_ms = SEEKER_PAUSE_MS;
        return false;
    }
    if (loop_now(s->all->loop) < s->tried_ms + s->pause_ms) {
        look_at(s, s->tried_ms + s->pause_ms);
        return true;
    }
    if (s->pause_ms < SEEKER_PAUSE_MAX_MS)
        s->pause_ms *= 2;
    return false;
}

static void go(struct seeker *s, const struct lease_place *place)
{
    if (is_too_early(s, place->url))
        return;
    if (!span_eq(place->url, buf_span(&s->url))) {
        buf_reset(&s->url);
        buf_add_span(&s->url, place->url);
    }
    s->epoch = place->epoch;
    s->tried_ms = loop_now(s->all->loop);
    s->trying = true;
    look_at(s, s->until_ms);
    s->ops->there(s);
}

/* A try that is under way goes on, unless another place is known. */
static bool stays(struct seeker *s, const struct lease_place *place)
{
    bool late = loop_now(s->all->loop) >= s->until_ms;
    bool same = place->owner == OWNER_SOUGHT ||
                (place->owner == OWNER_OTHER && span_eq(place->url, buf_span(&s->url)));

    if (!s->trying)
        return false;
    if ((same && !late) || !s->ops->leave(s, same))
        return true;
    s->trying = false;
    return false;
}

static void look(struct seeker *s)
{
    const struct seeker_ops *ops = s->ops;
    struct lease_place place = seekers_place(s->all, seeker_world(s));

    if (stays(s, &place))
        return;
    if (place.owner == OWNER_US || place.owner == OWNER_BROKEN) {
        seeker_end(s);
        ops->here(s);
    } else if (loop_now(s->all->loop) >= s->until_ms) {
        give_up(s);
    } else if (s->hopped && (place.owner == OWNER_OTHER || place.leaving)) {
        s->all->places.look(s->all->places.ctx, seeker_world(s));
        seeker_end(s);
        ops->elsewhere(s, &place);
    } else if (s->hopped || place.url.len == 0) {
        wait(s);
    } else {
        go(s, &place);
    }
}

static void timer_fired(struct timer *t, int64_t now)
{
    (void)now;
    look_soon(CONTAINER_OF(t, struct seeker, timer));
}

/* ---- all */

static void look_all(struct turn_end *t)
{
    struct seekers *all = CONTAINER_OF(t, struct seekers, looks);

    for (struct list *it; (it = list_first(&all->to_look)) != NULL;) {
        struct seeker *s = CONTAINER_OF(it, struct seeker, in_to_look);
        list_remove(it);
        look(s);
    }
}

void seekers_init(struct seekers *all, struct loop *l, const struct places *places,
                  struct seeker_stats *stats, int64_t wait_ms)
{
    *all = (struct seekers){.loop = l, .places = *places, .stats = stats, .wait_ms = wait_ms};
    all->looks.fn = look_all;
    list_init(&all->to_look);
}

void seekers_clear(struct seekers *all)
{
    assert(all->count == 0);
    loop_not_at_turn_end(&all->looks);
    map_clear(&all->by_world);
}

struct lease_place seekers_place(const struct seekers *all, struct span world)
{
    return all->places.place(all->places.ctx, world);
}

void seekers_moved(struct seekers *all, struct span world)
{
    const struct seeker_crowd *c = map_get(&all->by_world, world);

    if (c == NULL)
        return;
    LIST_EACH (&c->seekers, it)
        look_soon(CONTAINER_OF(it, struct seeker, in_crowd));
}

int64_t seekers_until(const struct seekers *all, bool hopped)
{
    int64_t wait_ms = all->wait_ms;

    if (hopped)
        wait_ms -= wait_ms / 2 > SEEKER_HEAD_START_MS ? SEEKER_HEAD_START_MS : wait_ms / 2;
    return loop_now(all->loop) + wait_ms;
}

void seeker_begin(struct seeker *s, struct seekers *all, const struct seeker_ops *ops,
                  struct span world, bool hopped, int64_t until_ms, int64_t look_ms)
{
    assert(!seeker_is_seeking(s));
    s->all = all;
    s->ops = ops;
    s->hopped = hopped;
    s->until_ms = until_ms;
    s->timer.fire = timer_fired;
    s->crowd = crowd_of(all, world);
    list_push(&s->crowd->seekers, &s->in_crowd);
    all->count++;
    if (look_ms > loop_now(all->loop))
        look_at(s, look_ms);
    else
        look_soon(s);
}

struct span seeker_world(const struct seeker *s)
{
    return span_str(s->crowd->world);
}

void seeker_saw(struct seeker *s, int64_t epoch)
{
    s->all->places.saw(s->all->places.ctx, seeker_world(s), epoch);
}

void seeker_doubt(struct seeker *s)
{
    s->all->places.doubt(s->all->places.ctx, seeker_world(s));
}

void seeker_failed(struct seeker *s)
{
    assert(s->trying);
    s->trying = false;
    s->all->stats->retried++;
    seeker_doubt(s);
    look_soon(s);
}

void seeker_end(struct seeker *s)
{
    if (!seeker_is_seeking(s))
        return;
    crowd_leave(s);
    list_remove(&s->in_to_look);
    wheel_cancel(loop_wheel(s->all->loop), &s->timer);
    buf_clear(&s->url);
    s->trying = false;
    s->all->count--;
}
