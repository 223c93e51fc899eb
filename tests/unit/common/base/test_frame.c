#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/frame.h"

static void a_frame_holds_what_was_added(void **state)
{
    (void)state;
    struct frame *f = frame_new(6);
    assert_int_equal(f->refs, 1);
    assert_int_equal(f->len, 0);
    frame_add(f, "abc", 3);
    frame_add(f, NULL, 0);
    frame_add(f, "def", 3);
    assert_int_equal(f->len, f->cap);
    assert_memory_equal(f->data, "abcdef", 6);
    frame_unref(f);
}

static void a_frame_is_made_of_any_span(void **state)
{
    (void)state;
    struct frame *f = frame_of(span_of("a\0b", 3)), *empty = frame_of(span_of(NULL, 0));
    assert_int_equal(f->len, 3);
    assert_memory_equal(f->data, "a\0b", 3);
    assert_int_equal(empty->len, 0);
    frame_unref(f);
    frame_unref(empty);
}

static void the_last_holder_frees_the_frame(void **state)
{
    (void)state;
    struct frame *f = frame_of(SPAN("x"));
    assert_ptr_equal(frame_ref(f), f);
    assert_int_equal(f->refs, 2);
    frame_unref(f);
    assert_int_equal(f->refs, 1);
    frame_unref(f);
    frame_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_holds_what_was_added),
        cmocka_unit_test(a_frame_is_made_of_any_span),
        cmocka_unit_test(the_last_holder_frees_the_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
