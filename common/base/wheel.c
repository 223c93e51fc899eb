/* The timing wheel. A timer lies in the slot of the first tick that is not before its due time,
 * modulo the size of the wheel; those of later revolutions share the slot and are passed over. */
#include "common/base/wheel.h"

#include <assert.h>

static int64_t tick_of(int64_t due_ms)
{
    return due_ms / WHEEL_TICK_MS + (due_ms % WHEEL_TICK_MS > 0); /* rounded up: never early */
}

static unsigned slot_of(int64_t tick)
{
    return (unsigned)((uint64_t)tick % WHEEL_SLOTS);
}

/* Keeps the bitmap exact after something left the slot. */
static void slot_trim(struct wheel *w, unsigned slot)
{
    if (list_empty(&w->slots[slot]))
        w->used[slot / 64] &= ~(UINT64_C(1) << slot % 64);
}

/* Moves what is due by `last` from a slot to `due`. */
static void slot_collect(struct wheel *w, unsigned slot, int64_t last, struct list *due)
{
    if ((w->used[slot / 64] >> slot % 64 & 1) == 0)
        return;
    LIST_EACH_SAFE (&w->slots[slot], it, tmp) {
        if (tick_of(CONTAINER_OF(it, struct timer, node)->due_ms) > last)
            continue;
        list_remove(it);
        list_push(due, it);
    }
    slot_trim(w, slot);
}

void wheel_init(struct wheel *w, int64_t now)
{
    *w = (struct wheel){.tick = now / WHEEL_TICK_MS};
    for (unsigned i = 0; i < WHEEL_SLOTS; i++)
        list_init(&w->slots[i]);
    list_init(&w->late);
}

void wheel_set(struct wheel *w, struct timer *t, int64_t due_ms)
{
    assert(t->fire != NULL);
    wheel_cancel(w, t);
    w->count++;
    t->due_ms = due_ms;
    int64_t tick = tick_of(due_ms);
    if (tick < w->tick) {
        list_push(&w->late, &t->node);
        return;
    }
    unsigned slot = slot_of(tick);
    list_push(&w->slots[slot], &t->node);
    w->used[slot / 64] |= UINT64_C(1) << slot % 64;
}

void wheel_cancel(struct wheel *w, struct timer *t)
{
    if (!timer_is_set(t))
        return;
    assert(w->count > 0);
    list_remove(&t->node);
    slot_trim(w, slot_of(tick_of(t->due_ms)));
    w->count--;
}

void wheel_advance(struct wheel *w, int64_t now)
{
    /* All that is due moves to a list of its own before the first one fires: what they set comes
     * at the next advance, and what they cancel or free leaves this list. */
    struct list due;
    list_init(&due);
    LIST_EACH_SAFE (&w->late, it, tmp) {
        list_remove(it);
        list_push(&due, it);
    }
    int64_t last = now / WHEEL_TICK_MS;
    for (int64_t i = w->tick; i <= last && i < w->tick + WHEEL_SLOTS; i++)
        slot_collect(w, slot_of(i), last, &due);
    if (w->tick <= last)
        w->tick = last + 1;
    for (struct list *it; (it = list_first(&due)) != NULL;) {
        struct timer *t = CONTAINER_OF(it, struct timer, node);
        wheel_cancel(w, t);
        t->fire(t, now);
    }
}

int64_t wheel_next_ms(const struct wheel *w)
{
    if (w->count == 0)
        return INT64_MAX;
    if (!list_empty(&w->late))
        return (w->tick - 1) * WHEEL_TICK_MS; /* at once */
    unsigned first = slot_of(w->tick);
    for (unsigned ahead = 0; ahead < WHEEL_SLOTS;) {
        unsigned slot = (first + ahead) % WHEEL_SLOTS;
        uint64_t word = w->used[slot / 64] >> slot % 64;
        if (word != 0)
            return (w->tick + ahead + __builtin_ctzll(word)) * WHEEL_TICK_MS;
        ahead += 64 - slot % 64; /* on to the next word */
    }
    return w->tick * WHEEL_TICK_MS; /* only while firing: the rest of what is due */
}
