#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "common/base/map.h"
#include "common/base/rng.h"

enum { KEYS = 500, STEPS = 60000 };

struct item {
    char name[16];
    size_t name_len;
    bool present;
};

static struct span item_key(const struct item *item)
{
    return span_of(item->name, item->name_len);
}

static void the_zeroed_map_is_empty(void **state)
{
    (void)state;
    struct map m = {.count = 0};
    size_t at = 0;
    assert_null(map_get(&m, SPAN("a")));
    assert_null(map_remove(&m, SPAN("a")));
    assert_null(map_next(&m, &at));
    map_clear(&m);
}

static void a_pair_is_found_until_it_is_removed(void **state)
{
    (void)state;
    struct map m = {.count = 0};
    int one = 1, two = 2;
    map_add(&m, SPAN("one"), &one);
    map_add(&m, SPAN("two"), &two);
    assert_int_equal(m.count, 2);
    assert_ptr_equal(map_get(&m, SPAN("one")), &one);
    assert_ptr_equal(map_get(&m, SPAN("two")), &two);
    assert_null(map_get(&m, SPAN("three")));
    assert_ptr_equal(map_remove(&m, SPAN("one")), &one);
    assert_null(map_remove(&m, SPAN("one")));
    assert_null(map_get(&m, SPAN("one")));
    assert_ptr_equal(map_get(&m, SPAN("two")), &two);
    assert_int_equal(m.count, 1);
    map_clear(&m);
    assert_int_equal(m.count + m.cap, 0);
}

static void keys_may_be_empty_or_hold_nul(void **state)
{
    (void)state;
    struct map m = {.count = 0};
    int empty = 0, nul = 1, two = 2;
    map_add(&m, span_of(NULL, 0), &empty);
    map_add(&m, span_of("\0", 1), &nul);
    map_add(&m, span_of("\0\0", 2), &two);
    assert_ptr_equal(map_get(&m, SPAN("")), &empty);
    assert_ptr_equal(map_get(&m, span_of("\0", 1)), &nul);
    assert_ptr_equal(map_get(&m, span_of("\0\0", 2)), &two);
    assert_ptr_equal(map_remove(&m, SPAN("")), &empty);
    assert_null(map_get(&m, span_of(NULL, 0)));
    map_clear(&m);
}

static void assert_walk_sees_all(const struct map *m, const struct item *items)
{
    size_t at = 0, seen = 0, present = 0;
    for (struct map_entry *e; (e = map_next(m, &at)) != NULL; seen++) {
        const struct item *item = e->value;
        assert_true(item->present);
        assert_true(span_eq(e->key, item_key(item)));
    }
    for (size_t i = 0; i < KEYS; i++)
        present += items[i].present;
    assert_int_equal(seen, present);
    assert_int_equal(m->count, present);
}

/* Against the plainest model there is: a flag per key. */
static void any_order_of_changes_gives_what_a_plain_list_gives(void **state)
{
    (void)state;
    struct map m = {.count = 0};
    struct rng rng;
    rng_seed(&rng, 1);
    struct item *items = calloc(KEYS, sizeof *items);
    assert_non_null(items);
    for (size_t i = 0; i < KEYS; i++)
        items[i].name_len = (size_t)snprintf(items[i].name, sizeof items[i].name, "key-%zu", i);
    for (size_t step = 0; step < STEPS; step++) {
        struct item *item = &items[rng_below(&rng, KEYS)];
        /* Waves of growing and of shrinking, so that the table is met full and empty. */
        bool add = rng_below(&rng, 10) < (step / 10000 % 2 == 0 ? 7u : 2u);
        assert_ptr_equal(map_get(&m, item_key(item)), item->present ? item : NULL);
        if (add && !item->present) {
            map_add(&m, item_key(item), item);
            item->present = true;
        } else if (!add) {
            assert_ptr_equal(map_remove(&m, item_key(item)), item->present ? item : NULL);
            item->present = false;
        }
        if (step % 1000 == 0)
            assert_walk_sees_all(&m, items);
    }
    for (size_t i = 0; i < KEYS; i++)
        assert_ptr_equal(map_get(&m, item_key(&items[i])), items[i].present ? &items[i] : NULL);
    map_clear(&m);
    free(items);
}

static void the_table_never_fills_up(void **state)
{
    (void)state;
    struct map m = {.count = 0};
    char keys[100][4];
    for (size_t i = 0; i < 100; i++) {
        int len = snprintf(keys[i], sizeof keys[i], "%zu", i);
        map_add(&m, span_of(keys[i], (size_t)len), keys[i]);
        assert_true(m.count * 4 <= m.cap * 3);
        assert_int_equal(m.cap & (m.cap - 1), 0);
    }
    map_clear(&m);
}

static void the_hash_depends_on_every_byte_and_on_the_length(void **state)
{
    (void)state;
    char text[40] = {0};
    for (size_t len = 0; len < sizeof text; len++) {
        uint64_t whole = map_hash(span_of(text, len));
        assert_true(whole == map_hash(span_of(text, len)));
        assert_true(len == 0 || whole != map_hash(span_of(text, len - 1)));
        for (size_t i = 0; i < len; i++) {
            text[i] = 1;
            assert_true(whole != map_hash(span_of(text, len)));
            text[i] = 0;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_zeroed_map_is_empty),
        cmocka_unit_test(a_pair_is_found_until_it_is_removed),
        cmocka_unit_test(keys_may_be_empty_or_hold_nul),
        cmocka_unit_test(any_order_of_changes_gives_what_a_plain_list_gives),
        cmocka_unit_test(the_table_never_fills_up),
        cmocka_unit_test(the_hash_depends_on_every_byte_and_on_the_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
