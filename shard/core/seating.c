/* The seats of one shard. Open ones are not counted here: they are the shard's clients. */
#include "shard/core/seating.h"

#include <assert.h>
#include <stdlib.h>

#include "shard/core/node_state.h"
#include "shard/core/session.h"
#include "shard/core/shard.h"
#include "shard/core/world.h"

struct kept_seat {
    struct list in_order;
    int64_t until_ms;
    size_t len;
    char session[];
};

static struct node *seating_node(const struct seating *s)
{
    return s->shard->node;
}

static bool is_bounded(const struct seating *s)
{
    return s->bounded && seating_node(s)->settings->enforce_seats;
}

static struct kept_seat *first_kept(const struct seating *s)
{
    struct list *first = list_first(&s->kept_order);
    return first == NULL ? NULL : CONTAINER_OF(first, struct kept_seat, in_order);
}

static struct span kept_session(const struct kept_seat *k)
{
    return span_of(k->session, k->len);
}

static void seat_free(struct seating *s, struct kept_seat *k)
{
    (void)map_remove(&s->kept, kept_session(k));
    list_remove(&k->in_order);
    free(k);
}

static void set_timer(struct seating *s)
{
    const struct kept_seat *first = first_kept(s);
    if (first != NULL)
        wheel_set(&seating_node(s)->wheel, &s->timer, first->until_ms);
}

static void on_timer(struct timer *t, int64_t now)
{
    struct seating *s = CONTAINER_OF(t, struct seating, timer);
    for (struct kept_seat *k; (k = first_kept(s)) != NULL && k->until_ms <= now;)
        seat_free(s, k);
    set_timer(s);
    world_note(s->shard);
}

void seating_init(struct seating *s, struct shard *shard)
{
    *s = (struct seating){.shard = shard, .timer.fire = on_timer};
    list_init(&s->kept_order);
}

void seating_adopt(struct seating *s)
{
    s->bounded = true;
    s->max = SEATING_ADOPTED_MAX;
}

/* It sits here already, so that one more socket may be the same client on another network. */
static bool has_seat(const struct seating *s, struct span id)
{
    if (map_get(&s->kept, id) != NULL)
        return true;
    size_t sockets = session_sockets(s->shard, id);
    return sockets > 0 && sockets < SEATING_SESSION_SOCKETS;
}

/* Sockets and kept seats of those that are no doubles. */
static uint64_t seats_taken(const struct seating *s)
{
    return s->shard->client_count - s->doubles + s->kept.count;
}

void seating_count(struct seating *s, size_t sockets, bool added)
{
    if (added && sockets > 1 && sockets <= SEATING_SESSION_SOCKETS)
        s->doubles++;
    else if (!added && sockets > 0 && sockets < SEATING_SESSION_SOCKETS)
        s->doubles--;
}

enum seat_verdict seating_look(const struct seating *s, struct span session)
{
    if (session.len > 0 && has_seat(s, session))
        return SEAT_OWN;
    if (!is_bounded(s) || seats_taken(s) < s->max)
        return SEAT_FREE;
    return SEAT_NONE;
}

void seating_take(struct seating *s, struct span session, enum seat_verdict verdict)
{
    assert(verdict != SEAT_NONE);
    s->admitted++;
    s->readmitted += verdict == SEAT_OWN ? 1 : 0;
    seating_release(s, session);
}

void seating_keep(struct seating *s, struct span session, int64_t now)
{
    if (!is_bounded(s) || s->shard->status == ORDER_DRAINING)
        return;
    assert(map_get(&s->kept, session) == NULL);
    struct kept_seat *k = xmalloc(sizeof *k + session.len);
    *k = (struct kept_seat){.until_ms = now + SEATING_KEEP_MS, .len = session.len};
    memcpy(k->session, session.ptr, session.len);
    map_add(&s->kept, kept_session(k), k);
    list_push(&s->kept_order, &k->in_order);
    if (!timer_is_set(&s->timer))
        set_timer(s);
}

void seating_release(struct seating *s, struct span session)
{
    struct kept_seat *k = session.len == 0 ? NULL : map_get(&s->kept, session);
    if (k != NULL)
        seat_free(s, k);
}

void seating_clear(struct seating *s)
{
    for (struct kept_seat *k; (k = first_kept(s)) != NULL;)
        seat_free(s, k);
    map_clear(&s->kept);
    wheel_cancel(&seating_node(s)->wheel, &s->timer);
}

void seating_check(const struct seating *s)
{
    size_t kept = 0;
    int64_t until_ms = INT64_MIN;
    LIST_EACH (&s->kept_order, it) {
        const struct kept_seat *k = CONTAINER_OF(it, struct kept_seat, in_order);
        assert(map_get(&s->kept, kept_session(k)) == k);
        assert(session_sockets(s->shard, kept_session(k)) == 0);
        assert(until_ms <= k->until_ms);
        until_ms = k->until_ms;
        kept++;
    }
    assert(kept == s->kept.count && (kept == 0 || timer_is_set(&s->timer)));
    assert(s->doubles <= s->shard->client_count);
    assert(s->admitted >= s->readmitted && s->admitted >= s->shard->client_count);
}
