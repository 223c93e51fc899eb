#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/slots.h"

static void a_handle_finds_its_item_until_it_is_removed(void **state)
{
    (void)state;
    struct slots s = {.count = 0};
    int a, b;
    struct handle ha = slots_add(&s, &a), hb = slots_add(&s, &b);
    assert_ptr_equal(slots_get(&s, ha), &a);
    assert_ptr_equal(slots_get(&s, hb), &b);
    assert_false(handle_eq(ha, hb));
    assert_int_equal(s.count, 2);
    assert_ptr_equal(slots_remove(&s, ha), &a);
    assert_null(slots_get(&s, ha));
    assert_null(slots_remove(&s, ha));
    assert_int_equal(s.count, 1);
    slots_clear(&s);
}

static void a_late_handle_does_not_find_the_next_owner_of_the_slot(void **state)
{
    (void)state;
    struct slots s = {.count = 0};
    int a, b;
    struct handle old = slots_add(&s, &a);
    assert_ptr_equal(slots_remove(&s, old), &a);
    struct handle new = slots_add(&s, &b);
    assert_int_equal(new.slot, old.slot);
    assert_null(slots_get(&s, old));
    assert_null(slots_remove(&s, old));
    assert_ptr_equal(slots_get(&s, new), &b);
    slots_clear(&s);
}

static void the_zeroed_handle_finds_nothing(void **state)
{
    (void)state;
    struct slots s = {.count = 0};
    struct handle none = {.gen = 0};
    int a;
    assert_null(slots_get(&s, none));
    struct handle h = slots_add(&s, &a);
    assert_null(slots_get(&s, none));
    assert_true(handle_is_none(none));
    assert_false(handle_is_none(h));
    assert_null(slots_get(&s, (struct handle){.slot = UINT32_MAX, .gen = 1}));
    slots_clear(&s);
}

static void the_generation_skips_zero_when_it_wraps(void **state)
{
    (void)state;
    struct slots s = {.count = 0};
    int a;
    struct handle h = slots_add(&s, &a);
    s.slots[h.slot].gen = h.gen = UINT32_MAX;
    assert_ptr_equal(slots_remove(&s, h), &a);
    h = slots_add(&s, &a);
    assert_int_equal(h.gen, 1);
    assert_ptr_equal(slots_get(&s, h), &a);
    slots_clear(&s);
}

static void freed_slots_are_used_before_new_ones(void **state)
{
    enum { N = 100 };
    (void)state;
    struct slots s = {.count = 0};
    int items[N];
    struct handle h[N];
    for (size_t i = 0; i < N; i++)
        h[i] = slots_add(&s, &items[i]);
    for (size_t i = 0; i < N; i += 2)
        assert_ptr_equal(slots_remove(&s, h[i]), &items[i]);
    for (size_t i = 0; i < N; i += 2)
        h[i] = slots_add(&s, &items[i]);
    assert_int_equal(s.used, N);
    assert_int_equal(s.count, N);
    for (size_t i = 0; i < N; i++)
        assert_ptr_equal(slots_get(&s, h[i]), &items[i]);
    slots_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handle_finds_its_item_until_it_is_removed),
        cmocka_unit_test(a_late_handle_does_not_find_the_next_owner_of_the_slot),
        cmocka_unit_test(the_zeroed_handle_finds_nothing),
        cmocka_unit_test(the_generation_skips_zero_when_it_wraps),
        cmocka_unit_test(freed_slots_are_used_before_new_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
