#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/base/log.h"
#include "common/proto/session_mark.h"

static char first[SESSION_MARK_LEN + 1], second[SESSION_MARK_LEN + 1];

static void marks_are_the_same_under_one_first_secret(void **state)
{
    (void)state;
    struct secrets a = {.list = SPAN("secret-one,secret-two")}, b = {.list = SPAN(" secret-one ")};
    session_mark_use(&a);
    session_mark(SPAN("ann"), first);
    session_mark(SPAN("bob"), second);
    assert_int_equal(strlen(first), SESSION_MARK_LEN);
    assert_int_equal(strspn(first, "0123456789abcdef"), SESSION_MARK_LEN);
    assert_string_not_equal(first, second);
    session_mark_use(&b);
    session_mark(SPAN("ann"), second);
    assert_string_equal(first, second);
    b.list = SPAN("secret-two");
    session_mark(SPAN("ann"), second);
    assert_string_not_equal(first, second);
}

/* printf 'terrane log session v1' | openssl dgst -sha256 -hmac secret-one: the key;
 * printf ann | openssl dgst -sha256 -mac HMAC -macopt hexkey:KEY */
static void a_mark_is_what_other_tools_make_of_it(void **state)
{
    (void)state;
    struct secrets s = {.list = SPAN("secret-one")};
    session_mark_use(&s);
    session_mark(SPAN("ann"), first);
    assert_string_equal(first, "771de20506a65f23");
}

static void without_a_secret_the_key_is_the_process_own(void **state)
{
    (void)state;
    session_mark_use(NULL);
    session_mark(SPAN("ann"), first);
    session_mark(SPAN("ann"), second);
    assert_string_equal(first, second);
    session_mark(SPAN("bob"), second);
    assert_string_not_equal(first, second);
}

static char line[512];

static void keep(const char *text, size_t len)
{
    assert_true(len < sizeof line);
    memcpy(line, text, len);
    line[len] = '\0';
}

static void the_log_shows_the_mark_and_not_the_id(void **state)
{
    (void)state;
    struct secrets s = {.list = SPAN("secret-one")};
    log_open("test", LOG_INFO, LOG_JSON);
    log_capture(keep);
    session_mark_use(&s);
    session_mark(SPAN("ann"), first);
    log_info("e", "session=%.*s n=%d", SPAN_ARG(SPAN("ann")), 1);
    log_capture(NULL);
    assert_null(strstr(line, "ann"));
    assert_non_null(strstr(line, first));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_are_the_same_under_one_first_secret),
        cmocka_unit_test(a_mark_is_what_other_tools_make_of_it),
        cmocka_unit_test(without_a_secret_the_key_is_the_process_own),
        cmocka_unit_test(the_log_shows_the_mark_and_not_the_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
