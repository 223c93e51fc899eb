#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/log_redact.h"

static void assert_seen(const char *value, const char *want)
{
    struct buf out = {.len = 0};
    log_redact(&out, span_str(value));
    if (!span_eq(buf_span(&out), span_str(want)))
        fail_msg("%s: %.*s", value, SPAN_ARG(buf_span(&out)));
    buf_clear(&out);
}

static int forget(void **state)
{
    (void)state;
    log_hide_none();
    return 0;
}

static void ordinary_values_stay(void **state)
{
    (void)state;
    for (const char *const *v =
             (const char *const[]){"", "ann", "lobby:world-default:1700000000000-1", "a?b=c", "eyJ",
                                   "eyJhbGciOi", "t1.", "10.0.0.1:80", "http://[::1]:80/a/b",
                                   "what is this? nothing", "user@host", NULL};
         *v != NULL; v++)
        assert_seen(*v, *v);
}

static void secrets_are_hidden_wherever_they_stand(void **state)
{
    (void)state;
    log_hide(SPAN("first-secret, second-secret,first-secret-longer"));
    assert_seen("first-secret", "[hidden]");
    assert_seen("x second-secrety first-secret", "x [hidden]y [hidden]");
    assert_seen("first-secret-longer", "[hidden]");
    assert_seen("first-secre", "first-secre");
    log_hide(SPAN("third-secret"));
    assert_seen("second-secret third-secret", "[hidden] [hidden]");
    log_hide_none();
    assert_seen("first-secret", "first-secret");
}

static void a_secret_is_no_url(void **state)
{
    (void)state;
    log_hide(SPAN("Kd9://x@Wq/7, ://behind"));
    assert_seen("key Kd9://x@Wq/7 and ://behind", "key [hidden] and [hidden]");
}

static void a_short_secret_is_hidden_where_it_is_all(void **state)
{
    (void)state;
    log_hide(SPAN("abc"));
    assert_seen("abc", "[hidden]");
    assert_seen("abcd", "abcd");
    assert_seen("xabc", "xabc");
}

static void passwords_of_urls_are_secrets(void **state)
{
    (void)state;
    log_hide(SPAN("redis://user:pass-word@10.0.0.1:6379/2"));
    assert_seen("refused pass-word", "refused [hidden]");
    log_hide(SPAN("redis+sentinel://:other,word@h:1,h:2/m"));
    assert_seen("other,word at h:1", "[hidden] at h:1");
    assert_seen("redis://10.0.0.1:6379", "redis://10.0.0.1:6379");
}

static void the_oldest_of_too_many_gives_way(void **state)
{
    (void)state;
    char text[] = "secret-aa";
    for (size_t i = 0; i <= LOG_SECRETS_MAX; i++) {
        text[7] = (char)('a' + i / 26);
        text[8] = (char)('a' + i % 26);
        log_hide(span_str(text));
    }
    assert_seen("secret-aa secret-ab", "secret-aa [hidden]");
}

static void tokens_and_tickets_are_hidden(void **state)
{
    (void)state;
    assert_seen("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln_bmF0-dXJl", "[hidden]");
    assert_seen("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln, x", "Bearer [hidden], x");
    assert_seen("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJh", "[hidden]");
    assert_seen("t1.eyJ3b3JsZCI6.c2lnbmF0dXJl z", "[hidden] z");
    assert_seen("at1.eyJ3b3JsZCI6.c2ln", "at1.eyJ3b3JsZCI6.c2ln");
}

static void of_urls_users_and_queries_are_left_out(void **state)
{
    (void)state;
    assert_seen("https://u:p@host:1/a?b=c&d#e and", "https://[hidden]@host:1/a[hidden] and");
    assert_seen("http://u@h http://v:w@i/", "http://[hidden]@h http://[hidden]@i/");
    assert_seen("/parties/x?token=abc", "/parties/x[hidden]");
    assert_seen("http://h/a@b", "http://h/a@b");
}

int main(void)
{
#define REDACT_TEST(name) cmocka_unit_test_teardown(name, forget)
    const struct CMUnitTest tests[] = {
        REDACT_TEST(ordinary_values_stay),
        REDACT_TEST(secrets_are_hidden_wherever_they_stand),
        REDACT_TEST(a_secret_is_no_url),
        REDACT_TEST(a_short_secret_is_hidden_where_it_is_all),
        REDACT_TEST(passwords_of_urls_are_secrets),
        REDACT_TEST(the_oldest_of_too_many_gives_way),
        REDACT_TEST(tokens_and_tickets_are_hidden),
        REDACT_TEST(of_urls_users_and_queries_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
