#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/base/err.h"

static void every_error_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int a = ERR_OK; a <= ERR_CLOSED; a++) {
        assert_true(strlen(err_text((enum err)a)) > 0);
        assert_string_not_equal(err_text((enum err)a), "unknown error");
        for (int b = ERR_OK; b < a; b++)
            assert_string_not_equal(err_text((enum err)a), err_text((enum err)b));
    }
}

static void a_value_that_is_no_error_has_a_text_too(void **state)
{
    (void)state;
    assert_string_equal(err_text((enum err)999), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_a_text_of_its_own),
        cmocka_unit_test(a_value_that_is_no_error_has_a_text_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
