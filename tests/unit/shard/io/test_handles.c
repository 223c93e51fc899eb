/* The table from core's handles to io's things. */
#include "shard/io/handles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int one, two;

static void handle_finds_its_item_until_it_is_removed(void **state)
{
    struct handles h = {0};
    struct handle a = {.slot = 0, .gen = 1}, far = {.slot = 1000, .gen = 3};
    (void)state;
    assert_null(handles_get(&h, a));
    handles_set(&h, a, &one);
    handles_set(&h, far, &two);
    assert_ptr_equal(handles_get(&h, a), &one);
    assert_ptr_equal(handles_get(&h, far), &two);
    assert_null(handles_get(&h, (struct handle){.slot = 999, .gen = 1}));
    handles_remove(&h, a);
    assert_null(handles_get(&h, a));
    handles_clear(&h);
}

static void stale_handle_finds_and_removes_nothing(void **state)
{
    struct handles h = {0};
    struct handle old = {.slot = 5, .gen = 1}, young = {.slot = 5, .gen = 2};
    (void)state;
    handles_set(&h, old, &one);
    handles_set(&h, young, &two);
    assert_null(handles_get(&h, old));
    handles_remove(&h, old);
    assert_ptr_equal(handles_get(&h, young), &two);
    assert_null(handles_get(&h, (struct handle){0}));
    handles_clear(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handle_finds_its_item_until_it_is_removed),
        cmocka_unit_test(stale_handle_finds_and_removes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
