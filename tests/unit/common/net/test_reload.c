/* What a reload does, in order, and what it says about it. */
#include "common/net/reload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/span.h"

struct settings {
    char *host, *secret;
    int64_t level;
};

static const char *const levels[] = {"debug", "info", "warn", "error", NULL};
#define AT(field) .offset = offsetof(struct settings, field)
static const struct config_row rows[] = {
    {.name = "TEST_HOST", .type = CONFIG_STRING, AT(host), .fallback = "a"},
    {.name = "TEST_SECRET", .type = CONFIG_SECRET, AT(secret), .required = true, .reload = true},
    {.name = "TEST_LEVEL",
     .type = CONFIG_CHOICE,
     AT(level),
     .fallback = "info",
     .choices = levels,
     .reload = true},
};
static const struct config_table table = {.process = "terrane-test",
                                          .about = "tests settings",
                                          .rows = rows,
                                          .count = sizeof rows / sizeof *rows};

static struct settings settings;
static struct span secret; /* as a part of the process has it */
static unsigned uses;
static char logged[2048];
static char *argv[] = {(char *)(uintptr_t) "terrane-test"};

static void use(void *ctx)
{
    const struct settings *s = ctx;
    uses++;
    log_set_level((enum log_level)s->level);
    assert_string_equal(secret.ptr, "old"); /* good until here */
    secret = span_str(s->secret);
}

static void capture(const char *line, size_t len)
{
    assert_true(len < sizeof logged);
    memcpy(logged, line, len);
    logged[len] = '\0';
}

static void run(void)
{
    logged[0] = '\0';
    reload_run(&(struct reload){.table = &table,
                                .settings = &settings,
                                .size = sizeof settings,
                                .argc = 1,
                                .argv = argv,
                                .use = use,
                                .ctx = &settings});
}

static int begin(void **state)
{
    (void)state;
    (void)setenv("TEST_SECRET", "old", 1);
    (void)unsetenv("TEST_HOST");
    (void)unsetenv("TEST_LEVEL");
    uses = 0;
    log_open("terrane-test", LOG_INFO, LOG_JSON);
    log_capture(capture);
    assert_int_equal(config_load(&table, &settings, 1, argv, stdout, stderr), CONFIG_RUN);
    secret = span_str(settings.secret);
    return 0;
}

static int end(void **state)
{
    (void)state;
    log_capture(NULL);
    config_clear(&table, &settings);
    return 0;
}

static void all_is_derived_anew_even_if_nothing_changed(void **state)
{
    (void)state;
    run();
    assert_int_equal(uses, 1);
    assert_non_null(strstr(logged, "\"level\":\"info\",\"event\":\"process.reload\""));
    assert_non_null(strstr(logged, "\"changed\":\"nothing\""));
}

static void changes_are_told_by_name(void **state)
{
    (void)state;
    (void)setenv("TEST_SECRET", "hush", 1);
    (void)setenv("TEST_HOST", "b", 1);
    run();
    assert_int_equal(uses, 1);
    assert_true(span_eq(secret, SPAN("hush")));
    assert_non_null(strstr(logged, "\"level\":\"warn\""));
    assert_non_null(strstr(logged, "\"changed\":\"TEST_SECRET\",\"restart\":\"TEST_HOST\""));
    assert_null(strstr(logged, "hush"));
}

static void a_change_of_the_log_is_told_before_it_falls_silent_and_after(void **state)
{
    (void)state;
    (void)setenv("TEST_LEVEL", "error", 1);
    run();
    assert_non_null(strstr(logged, "\"changed\":\"TEST_LEVEL\""));
    assert_false(log_wants(LOG_WARN));
    (void)unsetenv("TEST_LEVEL");
    run();
    assert_non_null(strstr(logged, "\"changed\":\"TEST_LEVEL\""));
    assert_true(log_wants(LOG_INFO));
}

static void what_is_wrong_is_one_warning(void **state)
{
    (void)state;
    (void)setenv("TEST_SECRET", "hush", 1);
    (void)setenv("TEST_SECRET_FILE", "/nonexistent", 1);
    (void)setenv("TEST_LEVEL", "loud", 1);
    run();
    (void)unsetenv("TEST_SECRET_FILE");
    assert_int_equal(uses, 0);
    assert_true(span_eq(secret, SPAN("old")));
    assert_non_null(strstr(logged, "\"level\":\"warn\",\"event\":\"process.reload\""));
    assert_non_null(strstr(logged, "\"wrong\":\"environment TEST_SECRET_FILE: "));
    assert_non_null(strstr(logged, "; environment TEST_LEVEL \\\"loud\\\": must be one of"));
    assert_null(strstr(logged, "hush"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_is_derived_anew_even_if_nothing_changed, begin, end),
        cmocka_unit_test_setup_teardown(changes_are_told_by_name, begin, end),
        cmocka_unit_test_setup_teardown(
            a_change_of_the_log_is_told_before_it_falls_silent_and_after, begin, end),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_one_warning, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
