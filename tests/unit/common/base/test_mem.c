#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "common/base/mem.h"

struct outer {
    int before;
    int member;
};

static void zeroed_memory_is_zero(void **state)
{
    (void)state;
    unsigned char *p = xcalloc(3, 100);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(p[i], 0);
    free(p);
}

static void nothing_at_all_can_be_allocated_and_freed(void **state)
{
    (void)state;
    void *all[] = {xmalloc(0), xcalloc(0, 8), xcalloc(8, 0), xrealloc(NULL, 0),
                   xreallocarray(NULL, 0, 8)};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_non_null(all[i]);
        free(all[i]);
    }
}

static void grown_memory_keeps_its_content(void **state)
{
    (void)state;
    char *p = xmalloc(4);
    memcpy(p, "abc", 4);
    p = xrealloc(p, 4096);
    assert_string_equal(p, "abc");
    p = xreallocarray(p, 4096, 16);
    assert_string_equal(p, "abc");
    free(p);
}

static void copies_end_in_nul(void **state)
{
    (void)state;
    char *a = xspandup(span_of("a\0bc", 3)), *empty = xspandup(span_of(NULL, 0)),
         *text = xstrdup("text");
    assert_memory_equal(a, "a\0b", 4);
    assert_string_equal(empty, "");
    assert_string_equal(text, "text");
    free(a);
    free(empty);
    free(text);
}

static void a_span_that_is_owned_is_its_own_copy(void **state)
{
    (void)state;
    char text[] = "a\0bc";
    struct span copy = span_copy(span_of(text, 3));
    text[0] = 'x';
    assert_true(span_eq(copy, span_of("a\0b", 3)));
    span_free(copy);
    span_free((struct span){0});
}

static void a_member_leads_to_its_struct(void **state)
{
    (void)state;
    struct outer o = {.before = 1};
    assert_ptr_equal(CONTAINER_OF(&o.member, struct outer, member), &o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroed_memory_is_zero),
        cmocka_unit_test(nothing_at_all_can_be_allocated_and_freed),
        cmocka_unit_test(grown_memory_keeps_its_content),
        cmocka_unit_test(copies_end_in_nul),
        cmocka_unit_test(a_span_that_is_owned_is_its_own_copy),
        cmocka_unit_test(a_member_leads_to_its_struct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
