#include "world/core/rooms/rendezvous.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "common/base/stable_hash.h"

enum { MEMBERS = 100, KEYS = 10000 };

struct member {
    uint64_t name;
    uint32_t point;
    bool present, selectable;
};

struct set {
    struct rendezvous tree;
    struct member members[MEMBERS];
};

static void add(struct set *s, size_t i, uint64_t name, bool selectable)
{
    struct member *m = &s->members[i];

    *m = (struct member){.name = name, .present = true, .selectable = selectable};
    m->point = rendezvous_add(&s->tree, m, name);
    rendezvous_set(&s->tree, m->point, selectable);
}

static void set(struct set *s, size_t i, bool selectable)
{
    s->members[i].selectable = selectable;
    rendezvous_set(&s->tree, s->members[i].point, selectable);
}

static void drop(struct set *s, size_t i)
{
    s->members[i].present = false;
    rendezvous_remove(&s->tree, s->members[i].point);
}

static uint64_t key_of(size_t i)
{
    return stable_hash(span_of(&i, sizeof(i)));
}

/* All of them, selectable, named at random. */
static void fill(struct set *s, uint64_t seed)
{
    struct rng rng;

    rng_seed(&rng, seed);
    *s = (struct set){0};
    for (size_t i = 0; i < MEMBERS; i++)
        add(s, i, rng_next(&rng), true);
}

static void choose_all(const struct set *s, const struct member **chosen)
{
    for (size_t i = 0; i < KEYS; i++)
        chosen[i] = rendezvous_choose(&s->tree, key_of(i));
}

/* The rule, read off the names: those below a node are those that share its bits. */
static const struct member *naive(const struct set *s, uint64_t key)
{
    uint64_t prefix = 0;
    const struct member *found = NULL;

    for (int bit = 63; bit >= 0; bit--) {
        uint64_t one = UINT64_C(1) << bit, members[2] = {0}, free_ones[2] = {0};
        for (size_t i = 0; i < MEMBERS; i++) {
            const struct member *m = &s->members[i];
            if (!m->present || ((m->name ^ prefix) & ~(one | (one - 1))) != 0)
                continue;
            members[(m->name & one) != 0]++;
            free_ones[(m->name & one) != 0] += m->selectable;
        }
        bool right = members[0] == 0;
        if (members[0] > 0 && members[1] > 0) {
            long double hash =
                (long double)stable_hash_mix(key ^ stable_hash_mix(prefix + (uint64_t)bit + 1));
            right = hash * (long double)(free_ones[0] + free_ones[1]) >=
                    (long double)free_ones[0] * 18446744073709551616.0L;
        }
        prefix |= right ? one : 0;
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        const struct member *m = &s->members[i];
        if (m->present && m->selectable && m->name == prefix)
            found = m;
    }
    return found;
}

static void the_tree_agrees_with_the_rule_under_churn(void **state)
{
    struct set s = {0};
    struct rng rng;

    (void)state;
    rng_seed(&rng, 3);
    for (size_t n = 0; n < 4000; n++) {
        size_t i = (size_t)rng_below(&rng, MEMBERS);
        if (!s.members[i].present)
            add(&s, i, rng_next(&rng), rng_below(&rng, 3) != 0);
        else if (rng_below(&rng, 3) == 0)
            drop(&s, i);
        else
            set(&s, i, rng_below(&rng, 3) != 0);
        uint64_t key = rng_next(&rng);
        assert_ptr_equal(rendezvous_choose(&s.tree, key), naive(&s, key));
        for (i = 0; i < MEMBERS; i++) {
            const struct member *m = &s.members[i];
            if (m->present)
                rendezvous_check(&s.tree, m->point, m, m->selectable);
        }
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        if (s.members[i].present)
            drop(&s, i);
    }
    assert_null(rendezvous_choose(&s.tree, 1));
    rendezvous_clear(&s.tree);
}

static void keys_are_spread_evenly(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        static const struct member *chosen[KEYS];
        unsigned hits[MEMBERS] = {0};
        double chi = 0;
        struct set s;

        fill(&s, seed);
        choose_all(&s, chosen);
        for (size_t i = 0; i < KEYS; i++)
            hits[chosen[i] - s.members]++;
        for (size_t i = 0; i < MEMBERS; i++) {
            assert_in_range(hits[i], 50, 150); /* five standard deviations around 100 */
            chi += (hits[i] - 100.0) * (hits[i] - 100.0) / 100.0;
        }
        assert_true(chi < 160.0); /* 99 degrees of freedom: passed once in 10 000 times by chance */
        rendezvous_clear(&s.tree);
    }
}

/* Where `left` and `right` part, is `lost` on the side of `left`? */
static bool is_beside(uint64_t left, uint64_t right, uint64_t lost)
{
    unsigned bit = 63 - (unsigned)__builtin_clzll(left ^ right);

    return left >> bit == lost >> bit;
}

static void few_keys_move_and_only_away_from_the_lost_side(void **state)
{
    static const struct member *before[KEYS], *after[KEYS];
    size_t total = 0;
    struct set s;

    (void)state;
    fill(&s, 9);
    choose_all(&s, before);
    for (size_t lost = 0; lost < MEMBERS; lost++) {
        size_t moved = 0;
        set(&s, lost, false);
        choose_all(&s, after);
        for (size_t i = 0; i < KEYS; i++) {
            assert_ptr_not_equal(after[i], &s.members[lost]);
            if (before[i] == after[i])
                continue;
            moved++;
            assert_true(is_beside(before[i]->name, after[i]->name, s.members[lost].name));
        }
        assert_in_range(moved, 1, KEYS * 8 / 100);
        total += moved;
        set(&s, lost, true);
    }
    assert_in_range(total / MEMBERS, 1, KEYS * 4 / 100);
    choose_all(&s, after);
    assert_memory_equal(before, after, sizeof(before));
    rendezvous_clear(&s.tree);
}

static void only_the_set_of_the_selectable_decides(void **state)
{
    static const struct member *mine[KEYS], *theirs[KEYS];
    struct set s, other = {0};

    (void)state;
    fill(&s, 4);
    for (size_t i = 0; i < MEMBERS; i += 3)
        set(&s, i, false);
    choose_all(&s, mine);
    for (size_t i = MEMBERS; i-- > 0;)
        add(&other, i, s.members[i].name, true);
    for (size_t i = 0; i < MEMBERS; i += 3)
        drop(&other, i);
    choose_all(&other, theirs);
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(mine[i]->name, theirs[i]->name);
    rendezvous_clear(&s.tree);
    rendezvous_clear(&other.tree);
}

/* These do not change from version to version: worlds of two versions must agree. */
static void the_choice_is_fixed_for_ever(void **state)
{
    struct set s = {0};
    char letters[9] = {0};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        add(&s, i, stable_hash(span_of(&"abcd"[i], 1)), true);
    for (size_t i = 0; i < 8; i++) {
        const struct member *m =
            rendezvous_choose(&s.tree, stable_hash(span_of(&"01234567"[i], 1)));
        letters[i] = "abcd"[m - s.members];
    }
    assert_string_equal(letters, "aadabcdd");
    rendezvous_clear(&s.tree);
}

static void equal_names_get_the_next_free_one(void **state)
{
    struct set s = {0};
    bool seen[4] = {false};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        add(&s, i, i == 3 ? 1 : 0, true);
    for (size_t i = 0; i < 100; i++)
        seen[(const struct member *)rendezvous_choose(&s.tree, key_of(i)) - s.members] = true;
    for (size_t i = 0; i < 4; i++)
        assert_true(seen[i]);
    drop(&s, 1);
    drop(&s, 0);
    drop(&s, 3);
    assert_ptr_equal(rendezvous_choose(&s.tree, 5), &s.members[2]);
    rendezvous_clear(&s.tree);
}

static void nodes_are_used_again(void **state)
{
    struct set s;
    uint32_t cap;

    (void)state;
    fill(&s, 1);
    cap = s.tree.cap;
    for (uint64_t round = 1; round <= 10; round++) {
        for (size_t i = 0; i < MEMBERS; i++)
            drop(&s, i);
        for (size_t i = 0; i < MEMBERS; i++)
            add(&s, i, key_of(i * round), true);
    }
    assert_int_equal(s.tree.cap, cap);
    rendezvous_clear(&s.tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_agrees_with_the_rule_under_churn),
        cmocka_unit_test(keys_are_spread_evenly),
        cmocka_unit_test(few_keys_move_and_only_away_from_the_lost_side),
        cmocka_unit_test(only_the_set_of_the_selectable_decides),
        cmocka_unit_test(the_choice_is_fixed_for_ever),
        cmocka_unit_test(equal_names_get_the_next_free_one),
        cmocka_unit_test(nodes_are_used_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
