#include "common/proto/secret.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *list, *given;
    bool fits;
} rows[] = {
    {"alpha", "alpha", true},
    {"alpha,beta", "alpha", true},
    {"alpha,beta", "beta", true},
    {"alpha, beta ", "beta", true},
    {"alpha,,beta", "beta", true},
    {"alpha,beta", "alpha,beta", false},
    {"alpha", "alph", false},
    {"alpha", "alphaa", false},
    {"alpha", "ALPHA", false},
    {"alpha", "alphb", false},
    {"alpha", " alpha", false},
    {"alpha", "", false},
    {"", "", false},
    {",", "", false},
    {" ", "", false},
    {" ", " ", false},
    {"", "alpha", false},
};

static void only_a_listed_secret_fits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (secrets_match(&(struct secrets){span_str(rows[i].list)}, span_str(rows[i].given)) !=
            rows[i].fits)
            fail_msg("list '%s', given '%s'", rows[i].list, rows[i].given);
    }
    assert_false(secrets_match(&(struct secrets){{0}}, (struct span){0}));
    assert_false(secrets_match(&(struct secrets){SPAN("alpha")}, span_of("alph\0", 5)));
}

static void the_first_secret_is_the_one_to_send(void **state)
{
    (void)state;
    assert_true(span_eq(secrets_first(&(struct secrets){SPAN("new,old")}), SPAN("new")));
    assert_true(span_eq(secrets_first(&(struct secrets){SPAN(" only ")}), SPAN("only")));
    assert_true(secrets_first(&(struct secrets){SPAN("")}).len == 0);
    assert_true(secrets_first(&(struct secrets){{0}}).len == 0);
}

static void the_shortest_entry_is_measured(void **state)
{
    (void)state;
    assert_int_equal(secrets_shortest(&(struct secrets){SPAN("abcdef,abc, abcd")}), 3);
    assert_int_equal(secrets_shortest(&(struct secrets){SPAN("abc")}), 3);
    assert_int_equal(secrets_shortest(&(struct secrets){SPAN("abc,,abcd")}), 0);
    assert_int_equal(secrets_shortest(&(struct secrets){SPAN("abc, ")}), 0);
    assert_int_equal(secrets_shortest(&(struct secrets){SPAN("")}), 0);
    assert_int_equal(secrets_shortest(&(struct secrets){{0}}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_listed_secret_fits),
        cmocka_unit_test(the_first_secret_is_the_one_to_send),
        cmocka_unit_test(the_shortest_entry_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
