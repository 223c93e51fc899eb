/* What io counts has a place and a name. */
#include "shard/io/io_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_refusal_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < REFUSAL_COUNT; i++) {
        assert_non_null(refusal_text((enum refusal)i));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(refusal_text((enum refusal)i), refusal_text((enum refusal)k));
    }
}

static void unknown_close_codes_share_the_last_place(void **state)
{
    static const unsigned known[] = {1000, 1001, 1002, 1005, 1006, 1007, 1008, 1009, 1011,
                                     1012, 1013, 4002, 4200, 4201, 4001, 4003, 4404};
    static const unsigned unknown[] = {0, 999, 1003, 3000, 4999, 65535};
    (void)state;
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_int_equal(close_code_index(known[i]), i);
    for (unsigned i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_int_equal(close_code_index(unknown[i]), CLOSE_CODES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_refusal_has_a_name_of_its_own),
        cmocka_unit_test(unknown_close_codes_share_the_last_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
