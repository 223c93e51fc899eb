/* Rings of steps, and which worlds have one. */
#include "world/core/feed/history.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "world/core/rooms/registry.h"

static uint32_t growth(uint64_t from, uint64_t to)
{
    return to - from < UINT32_MAX ? (uint32_t)(to - from) : UINT32_MAX;
}

/* ---- steps */

/* The place of the step, 0 is the oldest. */
static uint32_t place_of(const struct history *h, uint32_t step)
{
    return (h->next + HISTORY_STEPS - h->len + step) % HISTORY_STEPS;
}

static uint32_t *column(struct history *h, int why)
{
    if (h->refusals[why] == NULL)
        h->refusals[why] = xcalloc(HISTORY_STEPS, sizeof(*h->refusals[why]));
    return h->refusals[why];
}

static void add_step(struct history *h, struct history_step step)
{
    for (int why = 0; why < REFUSAL_COUNT; why++) {
        if (h->refusals[why] != NULL)
            h->refusals[why][h->next] = 0;
    }
    h->steps[h->next] = step;
    h->next = (h->next + 1) % HISTORY_STEPS;
    h->len += h->len < HISTORY_STEPS;
}

/* Nothing is known of it: counts were as before. */
static void add_unknown(struct history *h)
{
    struct history_step last = h->steps[place_of(h, h->len - 1)];

    add_step(h, (struct history_step){.connections = last.connections, .capacity = last.capacity});
}

static void add_refusals(struct history *h, uint32_t place)
{
    const struct world *w = h->world;

    for (int why = 0; why < REFUSAL_COUNT; why++) {
        if (w->refusals[why] == h->refused[why])
            continue;
        column(h, why)[place] = growth(h->refused[why], w->refusals[why]);
        h->refused[why] = w->refusals[why];
    }
}

static void sample(struct history *h, int64_t lag_ms)
{
    const struct world *w = h->world;
    uint32_t place = h->next;

    add_step(h, (struct history_step){
                    .connections = w->tally.open,
                    .capacity = w->tally.max,
                    .placements = growth(h->placements, w->placements),
                    .lag_ms = growth(0, (uint64_t)lag_ms),
                });
    h->placements = w->placements;
    add_refusals(h, place);
}

void histories_init(struct histories *all, struct moment now)
{
    *all = (struct histories){.sampled = now};
    list_init(&all->list);
}

void histories_step(struct histories *all, int64_t lag_ms, struct moment now)
{
    int64_t passed = now.mono_ms - all->sampled.mono_ms,
            steps = (passed + HISTORY_STEP_MS / 2) / HISTORY_STEP_MS;

    if (steps > HISTORY_STEPS)
        steps = HISTORY_STEPS;
    LIST_EACH (&all->list, it) {
        struct history *h = CONTAINER_OF(it, struct history, node);
        for (int64_t i = 1; i < steps && h->len > 0; i++)
            add_unknown(h);
        sample(h, lag_ms);
    }
    all->sampled = now;
}

/* ---- who has one */

void history_begin(struct histories *all, struct world *w)
{
    struct history *h;

    if (w->history != NULL || all->count == HISTORIES_MAX)
        return;
    h = w->history = xcalloc(1, sizeof(*h));
    h->world = w;
    h->placements = w->placements;
    memcpy(h->refused, w->refusals, sizeof(h->refused));
    list_push(&all->list, &h->node);
    all->count++;
}

/* The one asked for longest ago. */
static struct history *least_wanted(const struct histories *all)
{
    struct history *least = NULL;

    LIST_EACH (&all->list, it) {
        struct history *h = CONTAINER_OF(it, struct history, node);
        if (least == NULL || h->asked < least->asked)
            least = h;
    }
    assert(least != NULL); /* there are HISTORIES_MAX */
    return least;
}

void history_ask(struct histories *all, struct world *w)
{
    if (w->history == NULL && all->count == HISTORIES_MAX)
        history_end(all, least_wanted(all)->world);
    history_begin(all, w);
    assert(w->history != NULL);
    w->history->asked = ++all->asked;
}

void history_end(struct histories *all, struct world *w)
{
    struct history *h = w->history;

    if (h == NULL)
        return;
    for (int why = 0; why < REFUSAL_COUNT; why++)
        free(h->refusals[why]);
    list_remove(&h->node);
    all->count--;
    free(h);
    w->history = NULL;
}

/* ---- showing */

/* The last steps of a history. */
struct window {
    const struct history *h; /* may be NULL when len is 0 */
    uint32_t first, len;
};

static uint64_t connections_of(const struct history_step *s)
{
    return s->connections;
}

static uint64_t capacity_of(const struct history_step *s)
{
    return s->capacity;
}

static uint64_t placements_of(const struct history_step *s)
{
    return s->placements;
}

static uint64_t lag_of(const struct history_step *s)
{
    return s->lag_ms;
}

static void view_counts(struct json_out *o, const char *key, const struct window *in,
                        uint64_t (*count_of)(const struct history_step *s))
{
    json_out_open(o, key, '[');
    for (uint32_t i = 0; i < in->len; i++)
        json_out_u64(o, NULL, count_of(&in->h->steps[place_of(in->h, in->first + i)]));
    json_out_close(o, ']');
}

static void view_refusals(struct json_out *o, const struct window *in)
{
    json_out_open(o, "refusals", '{');
    for (int why = 0; why < REFUSAL_COUNT && in->len > 0; why++) {
        const uint32_t *counts = in->h->refusals[why];
        uint64_t sum = 0;
        for (uint32_t i = 0; counts != NULL && i < in->len; i++)
            sum += counts[place_of(in->h, in->first + i)];
        if (sum == 0)
            continue;
        json_out_open(o, refusal_name((enum refusal)why), '[');
        for (uint32_t i = 0; i < in->len; i++)
            json_out_u64(o, NULL, counts[place_of(in->h, in->first + i)]);
        json_out_close(o, ']');
    }
    json_out_close(o, '}');
}

void history_view(struct json_out *o, const struct histories *all, const struct world *w,
                  uint32_t steps)
{
    struct window in = {.h = w->history};

    if (in.h != NULL) {
        in.len = steps < in.h->len ? steps : in.h->len;
        in.first = in.h->len - in.len;
    }
    json_out_open(o, NULL, '{');
    json_out_i64(o, "stepMs", HISTORY_STEP_MS);
    json_out_i64(o, "from",
                 all->sampled.wall_ms - (in.len == 0 ? 0 : (int64_t)in.len - 1) * HISTORY_STEP_MS);
    view_counts(o, "connections", &in, connections_of);
    view_counts(o, "capacity", &in, capacity_of);
    view_counts(o, "placements", &in, placements_of);
    view_refusals(o, &in);
    view_counts(o, "lagMs", &in, lag_of);
    json_out_close(o, '}');
}
