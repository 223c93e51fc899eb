#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world/ctl/answer.h"

static void members_are_read_by_their_type(void **state)
{
    json_t *doc =
        json_decode(SPAN("{\"text\":\"lobby\",\"number\":12.9,\"yes\":true,\"no\":false}"));
    assert_true(span_eq(answer_text(doc, "text"), SPAN("lobby")));
    assert_int_equal(answer_number(doc, "number"), 12);
    assert_true(answer_true(doc, "yes"));
    assert_false(answer_true(doc, "no"));
    json_decref(doc);
    (void)state;
}

static void what_is_not_there_or_another_type_is_nothing(void **state)
{
    json_t *doc = json_decode(SPAN("{\"text\":7,\"number\":\"7\",\"yes\":\"true\",\"none\":null}"));
    static const char *const keys[] = {"text", "number", "yes", "none", "absent"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_int_equal(answer_text(i == 0 ? doc : NULL, keys[i]).len, 0);
        assert_int_equal(answer_number(i == 1 ? doc : NULL, keys[i]), 0);
        assert_false(answer_true(doc, keys[i]));
    }
    assert_int_equal(answer_text(doc, "absent").len, 0);
    assert_int_equal(answer_number(doc, "absent"), 0);
    json_decref(doc);
    (void)state;
}

static void numbers_end_where_doubles_leave_some_out(void **state)
{
    json_t *doc = json_decode(SPAN("{\"much\":1e300,\"little\":-1e300}"));
    assert_int_equal(answer_number(doc, "much"), 9007199254740992);
    assert_int_equal(answer_number(doc, "little"), -9007199254740992);
    json_decref(doc);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_read_by_their_type),
        cmocka_unit_test(what_is_not_there_or_another_type_is_nothing),
        cmocka_unit_test(numbers_end_where_doubles_leave_some_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
