#include "world/core/rooms/candidates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/base/stable_hash.h"

/* The index against a naive list that is scanned. */

enum { PEOPLE = 300 };

struct person {
    struct candidate candidate;
    uint64_t used, cap;
    bool present, selectable;
    uint64_t born;
};

struct model {
    struct person people[PEOPLE];
    struct person *order[PEOPLE]; /* present ones, in creation order */
    size_t count;
};

static struct person *person_of(struct candidate *c)
{
    return c == NULL ? NULL : CONTAINER_OF(c, struct person, candidate);
}

static struct person *naive_nth(const struct model *m, uint32_t k)
{
    for (size_t i = 0; i < m->count; i++) {
        if (m->order[i]->selectable && k-- == 0)
            return m->order[i];
    }
    return NULL;
}

static struct person *naive_least(const struct model *m)
{
    struct person *best = NULL;

    for (size_t i = 0; i < m->count; i++) {
        struct person *p = m->order[i];
        if (p->selectable && (best == NULL || p->used < best->used))
            best = p;
    }
    return best;
}

static struct person *naive_fullest(const struct model *m)
{
    struct person *best = NULL;

    for (size_t i = 0; i < m->count; i++) {
        struct person *p = m->order[i];
        if (p->selectable && (best == NULL || p->used * best->cap > best->used * p->cap))
            best = p;
    }
    return best;
}

/* The same set, put together in another order and without those that came and went. */
static void compare_hashed(const struct candidates *c, const struct model *m)
{
    static struct person copies[PEOPLE];
    struct candidates fresh = {0};

    for (size_t i = m->count; i-- > 0;) {
        copies[i] = *m->order[i];
        if (copies[i].selectable)
            candidates_add(&fresh, &copies[i].candidate, 0, 1, true);
    }
    for (uint64_t i = 0; i < 20; i++) {
        uint64_t key = stable_hash_mix(i + 1);
        const struct candidate *a = candidates_hashed(c, key), *b = candidates_hashed(&fresh, key);
        assert_int_equal(a == NULL, b == NULL);
        if (a != NULL)
            assert_int_equal(a->name, b->name);
    }
    candidates_clear(&fresh);
}

static uint32_t naive_count(const struct model *m)
{
    uint32_t count = 0;

    for (size_t i = 0; i < m->count; i++)
        count += m->order[i]->selectable;
    return count;
}

static void compare(const struct candidates *c, const struct model *m)
{
    uint32_t count = naive_count(m), at = 0;

    assert_int_equal(candidates_count(c), count);
    assert_ptr_equal(person_of(candidates_least(c)), naive_least(m));
    assert_ptr_equal(person_of(candidates_fullest(c)), naive_fullest(m));
    compare_hashed(c, m);
    for (uint32_t k = 0; k < count; k++)
        assert_ptr_equal(person_of(candidates_nth(c, k)), naive_nth(m, k));
    for (size_t i = 0; i < m->count; i++)
        assert_ptr_equal(person_of(candidates_next(c, &at)), m->order[i]);
    assert_null(candidates_next(c, &at));
    candidates_check(c, m->count > 0 ? &m->order[0]->candidate : NULL);
}

static void draw(struct person *p, struct rng *rng)
{
    p->used = rng_below(rng, 5);
    p->cap = 4 + rng_below(rng, 5);
    p->selectable = rng_below(rng, 4) != 0;
}

static void come(struct candidates *c, struct model *m, struct person *p, struct rng *rng)
{
    p->present = true;
    draw(p, rng);
    p->candidate.name = rng_next(rng);
    m->order[m->count++] = p;
    candidates_add(c, &p->candidate, p->used, p->cap, p->selectable);
}

static void go(struct candidates *c, struct model *m, struct person *p)
{
    size_t at = 0;

    while (m->order[at] != p)
        at++;
    m->count--;
    for (; at < m->count; at++)
        m->order[at] = m->order[at + 1];
    p->present = false;
    candidates_remove(c, &p->candidate);
}

static void step(struct candidates *c, struct model *m, struct rng *rng, uint64_t arrivals)
{
    struct person *p = &m->people[rng_below(rng, PEOPLE)];

    if (!p->present) {
        if (rng_below(rng, 10) < arrivals)
            come(c, m, p, rng);
        return;
    }
    if (rng_below(rng, 10) >= arrivals) {
        go(c, m, p);
        return;
    }
    draw(p, rng);
    candidates_set(c, &p->candidate, p->used, p->cap, p->selectable);
}

static void index_agrees_with_a_scan_under_churn(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct model *m = xcalloc(1, sizeof(*m));
        struct candidates c = {0};
        struct rng rng;

        rng_seed(&rng, seed);
        compare(&c, m);
        for (int i = 0; i < 3000; i++) {
            /* waves of growth and decline */
            step(&c, m, &rng, i / 500 % 2 == 0 ? 8 : 3);
            if (i % 7 == 0)
                compare(&c, m);
        }
        while (m->count > 0)
            go(&c, m, m->order[rng_below(&rng, m->count)]);
        compare(&c, m);
        candidates_clear(&c);
        free(m);
    }
}

static void holes_are_squeezed_out_when_they_outnumber_the_live(void **state)
{
    struct person people[64] = {0};
    struct candidates c = {0};

    (void)state;
    for (size_t i = 0; i < 64; i++)
        candidates_add(&c, &people[i].candidate, 0, 1, true);
    assert_int_equal(c.width, 64);
    for (size_t i = 0; i < 60; i++)
        candidates_remove(&c, &people[i].candidate);
    assert_int_equal(c.live, 4);
    assert_true(c.len <= 2 * c.live);
    assert_true(c.width <= 8);
    assert_ptr_equal(candidates_nth(&c, 0), &people[60].candidate);
    assert_ptr_equal(candidates_nth(&c, 3), &people[63].candidate);
    candidates_clear(&c);
}

static void ties_go_to_the_oldest(void **state)
{
    static const struct {
        uint64_t used[5], cap[5];
        size_t least, fullest;
    } rows[] = {
        {{3, 3, 3, 3, 3}, {9, 9, 9, 9, 9}, 0, 0},
        {{4, 3, 3, 4, 3}, {8, 8, 9, 8, 6}, 1, 0},
        {{9, 8, 7, 7, 9}, {20, 10, 10, 10, 10}, 2, 4},
        {{1, 1, 1, 1, 0}, {3, 2, 4, 2, 1}, 4, 1},
        {{0, 0, 0, 0, 0}, {5, 4, 3, 2, 1}, 0, 0},
        {{2, 4, 6, 1, 3}, {6, 8, 12, 2, 6}, 3, 1},
        /* Doubles could not tell them apart, and the products do not fit into 64 bits. */
        {{9007199254740989, 9007199254740990, 1, 1, 1},
         {9007199254740990, 9007199254740991, 2, 2, 2},
         2,
         1},
    };

    (void)state;
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        struct person people[5] = {0};
        struct candidates c = {0};

        for (size_t i = 0; i < 5; i++)
            candidates_add(&c, &people[i].candidate, 50, 51, true);
        for (size_t i = 5; i-- > 0;)
            candidates_set(&c, &people[i].candidate, rows[row].used[i], rows[row].cap[i], true);
        assert_ptr_equal(candidates_least(&c), &people[rows[row].least].candidate);
        assert_ptr_equal(candidates_fullest(&c), &people[rows[row].fullest].candidate);
        candidates_clear(&c);
    }
}

static void nothing_is_chosen_when_nothing_is_selectable(void **state)
{
    struct person people[3] = {0};
    struct candidates c = {0};

    (void)state;
    assert_int_equal(candidates_count(&c), 0);
    assert_null(candidates_least(&c));
    for (size_t i = 0; i < 3; i++)
        candidates_add(&c, &people[i].candidate, 0, 0, false);
    assert_int_equal(candidates_count(&c), 0);
    assert_null(candidates_least(&c));
    assert_null(candidates_fullest(&c));
    assert_null(candidates_hashed(&c, 1));
    candidates_set(&c, &people[1].candidate, 7, 8, true);
    assert_ptr_equal(candidates_least(&c), &people[1].candidate);
    assert_ptr_equal(candidates_nth(&c, 0), &people[1].candidate);
    assert_ptr_equal(candidates_hashed(&c, 1), &people[1].candidate);
    candidates_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_agrees_with_a_scan_under_churn),
        cmocka_unit_test(holes_are_squeezed_out_when_they_outnumber_the_live),
        cmocka_unit_test(ties_go_to_the_oldest),
        cmocka_unit_test(nothing_is_chosen_when_nothing_is_selectable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
