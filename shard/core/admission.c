/* Two queues before one bucket. Whoever waits is within what the bucket brings in
 * ADMISSION_HOLD_MS, so that it is taken in time unless others came between. */
#include "shard/core/admission.h"

#include <assert.h>

static uint64_t waiting(const struct admission *a)
{
    return a->counts[ADMISSION_KNOWN] + a->counts[ADMISSION_NEW];
}

static struct admission_wait *first_of(const struct admission *a, enum admission_rank rank)
{
    struct list *first = list_first(&a->queues[rank]);
    return first == NULL ? NULL : CONTAINER_OF(first, struct admission_wait, in_queue);
}

static void enqueue(struct admission *a, struct admission_wait *w, enum admission_rank rank,
                    int64_t now)
{
    *w = (struct admission_wait){.rank = rank, .since_ms = now};
    list_push(&a->queues[rank], &w->in_queue);
    a->counts[rank]++;
    a->stats->held_now++;
}

static void dequeue(struct admission *a, struct admission_wait *w)
{
    assert(a->counts[w->rank] > 0);
    list_remove(&w->in_queue);
    a->counts[w->rank]--;
    a->stats->held_now--;
}

/* Whose turn it is. */
static struct admission_wait *next_in_line(const struct admission *a)
{
    struct admission_wait *known = first_of(a, ADMISSION_KNOWN);
    struct admission_wait *newcomer = first_of(a, ADMISSION_NEW);
    bool yields = newcomer != NULL && a->in_a_row >= ADMISSION_NEW_SHARE - 1;
    return known != NULL && !yields ? known : newcomer;
}

static bool take_token(struct admission *a, int64_t now)
{
    return a->limit.burst == 0 || rate_take(&a->rate, &a->limit, 1, now);
}

/* Makes room for one more of this rank, if there may be. */
static bool make_room(struct admission *a, enum admission_rank rank, int64_t now,
                      struct admission_wait **pushed)
{
    uint64_t max = rate_within(&a->rate, &a->limit, ADMISSION_HOLD_MS, now);
    if (rank == ADMISSION_NEW)
        return waiting(a) < max;
    if (a->counts[ADMISSION_KNOWN] >= max - max / ADMISSION_NEW_SHARE)
        return false;
    if (waiting(a) < max)
        return true;
    *pushed = CONTAINER_OF(a->queues[ADMISSION_NEW].prev, struct admission_wait, in_queue);
    dequeue(a, *pushed);
    a->stats->refused++;
    return true;
}

void admission_init(struct admission *a, struct rate_limit limit, struct admission_stats *stats)
{
    *a = (struct admission){.limit = limit, .stats = stats};
    for (unsigned i = 0; i < ADMISSION_RANKS; i++)
        list_init(&a->queues[i]);
}

void admission_limit(struct admission *a, struct rate_limit limit)
{
    a->limit = limit;
}

enum admission_verdict admission_ask(struct admission *a, struct admission_wait *w,
                                     enum admission_rank rank, int64_t now,
                                     struct admission_wait **pushed)
{
    *pushed = NULL;
    if (waiting(a) == 0 && take_token(a, now)) {
        a->stats->at_once++;
        return ADMISSION_IN;
    }
    if (make_room(a, rank, now, pushed)) {
        enqueue(a, w, rank, now);
        return ADMISSION_HELD;
    }
    a->stats->refused++;
    return ADMISSION_OUT;
}

void admission_count(struct admission *a, int64_t now)
{
    a->stats->uninvited++;
    if (a->limit.burst == 0)
        return;
    uint64_t debt = (uint64_t)a->limit.per_s * ADMISSION_DEBT_MS / 1000;
    rate_owe(&a->rate, &a->limit, 1, (uint32_t)debt, now);
}

/* One whose time is over. */
static struct admission_wait *overdue(const struct admission *a, int64_t now)
{
    for (unsigned i = 0; i < ADMISSION_RANKS; i++) {
        struct admission_wait *w = first_of(a, (enum admission_rank)i);
        if (w != NULL && now - w->since_ms >= ADMISSION_HOLD_MS)
            return w;
    }
    return NULL;
}

static void note_taken(struct admission *a, const struct admission_wait *w, int64_t now)
{
    bool passes_newcomer = w->rank == ADMISSION_KNOWN && a->counts[ADMISSION_NEW] > 0;
    a->in_a_row = passes_newcomer ? a->in_a_row + 1 : 0;
    a->stats->after_wait++;
    histogram_add(&a->stats->waited, (now - w->since_ms) * 1000);
}

struct admission_wait *admission_next(struct admission *a, int64_t now, bool *taken)
{
    struct admission_wait *w = next_in_line(a);
    *taken = w != NULL && take_token(a, now);
    if (*taken)
        note_taken(a, w, now);
    else
        w = overdue(a, now);
    if (w == NULL)
        return NULL;
    dequeue(a, w);
    a->stats->refused += *taken ? 0 : 1;
    return w;
}

void admission_leave(struct admission *a, struct admission_wait *w)
{
    if (list_linked(&w->in_queue))
        dequeue(a, w);
}

struct admission_wait *admission_dismiss(struct admission *a)
{
    struct admission_wait *w = next_in_line(a);
    if (w == NULL)
        return NULL;
    dequeue(a, w);
    a->stats->refused++;
    return w;
}

int64_t admission_due(const struct admission *a, int64_t now)
{
    if (waiting(a) == 0)
        return INT64_MAX;
    if (a->limit.burst == 0)
        return now;
    int64_t due = now + rate_wait_ms(&a->rate, &a->limit, 1, now);
    for (unsigned i = 0; i < ADMISSION_RANKS; i++) {
        const struct admission_wait *w = first_of(a, (enum admission_rank)i);
        if (w != NULL && w->since_ms + ADMISSION_HOLD_MS < due)
            due = w->since_ms + ADMISSION_HOLD_MS;
    }
    return due;
}

int64_t admission_backlog_ms(const struct admission *a, int64_t now)
{
    if (a->limit.burst == 0)
        return 0;
    int64_t first = rate_wait_ms(&a->rate, &a->limit, 1, now);
    return first + (int64_t)(waiting(a) * 1000 / a->limit.per_s);
}
