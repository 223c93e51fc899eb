/* Settings read once more: what takes effect, what waits, and what happens when they are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/base/rate.h"
#include "common/base/span.h"

struct settings {
    char *host, *secret, *proxies;
    int64_t port, wait_ms;
    bool strict;
    struct rate_limit rate;
};

#define AT(field) .offset = offsetof(struct settings, field)
static const struct config_row rows[] = {
    {.name = "HOST", .type = CONFIG_STRING, AT(host), .fallback = "::1"},
    {.name = "SHARD_SECRET", .type = CONFIG_SECRET, AT(secret), .required = true, .reload = true},
    {.name = "PROXIES", .type = CONFIG_STRING, AT(proxies), .reload = true},
    {.name = "PORT", .type = CONFIG_INT, AT(port), .fallback = "3002", .max = 65535},
    {.name = "WAIT", .type = CONFIG_DURATION, AT(wait_ms), .fallback = "15s", .reload = true},
    {.name = "STRICT", .type = CONFIG_BOOL, AT(strict), .fallback = "0", .reload = true},
    {.name = "RATE", .type = CONFIG_RATE, AT(rate), .fallback = "off", .reload = true},
};

/* HOST and PROXIES have to be told apart, whichever of them may change. */
static bool check_proxies(const void *config, FILE *err)
{
    const struct settings *s = config;
    if (s->proxies == NULL || strcmp(s->proxies, s->host) != 0)
        return true;
    (void)fputs("terrane-test: PROXIES: is HOST\n", err);
    return false;
}

static const struct config_table table = {.process = "terrane-test",
                                          .about = "tests settings",
                                          .rows = rows,
                                          .count = sizeof rows / sizeof *rows,
                                          .check = check_proxies};

/* A process whose settings are in a file. */
static struct settings settings;
static struct config_changes changes;
static char config_path[] = "/tmp/terrane-test-XXXXXX", *said;
static char *argv[] = {(char *)(uintptr_t) "terrane-test", (char *)(uintptr_t) "--config",
                       config_path};

static void write_config(const char *text)
{
    FILE *f = fopen(config_path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static enum err reload(const char *text)
{
    struct settings old = {0};
    size_t len;
    write_config(text);
    buf_clear(&changes.used);
    buf_clear(&changes.kept);
    free(said);
    FILE *err = open_memstream(&said, &len);
    enum err e = config_reload(&table, &settings, &old, 3, argv, err, &changes);
    assert_int_equal(fclose(err), 0);
    config_clear(&table, &old);
    return e;
}

static void assert_changes(const char *used, const char *kept)
{
    if (!span_eq(buf_span(&changes.used), span_str(used)))
        fail_msg("used %.*s, not %s", SPAN_ARG(buf_span(&changes.used)), used);
    if (!span_eq(buf_span(&changes.kept), span_str(kept)))
        fail_msg("kept %.*s, not %s", SPAN_ARG(buf_span(&changes.kept)), kept);
}

static int begin(void **state)
{
    (void)state;
    int fd = mkstemp(config_path);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    write_config("{\"SHARD_SECRET\":\"old\",\"HOST\":\"a\"}");
    assert_int_equal(config_load(&table, &settings, 3, argv, stdout, stderr), CONFIG_RUN);
    return 0;
}

static int end(void **state)
{
    (void)state;
    config_clear(&table, &settings);
    buf_clear(&changes.used);
    buf_clear(&changes.kept);
    free(said);
    said = NULL;
    assert_int_equal(unlink(config_path), 0);
    memcpy(config_path + sizeof config_path - 7, "XXXXXX", 6);
    return 0;
}

static void nothing_changes_when_nothing_was_changed(void **state)
{
    (void)state;
    assert_int_equal(reload("{\"SHARD_SECRET\":\"old\",\"HOST\":\"a\"}"), ERR_OK);
    assert_changes("", "");
    assert_string_equal(settings.secret, "old");
}

static void rows_that_may_change_take_effect_and_come_back(void **state)
{
    (void)state;
    assert_int_equal(reload("{\"SHARD_SECRET\":\"new,old\",\"HOST\":\"a\",\"PROXIES\":\"p\","
                            "\"WAIT\":\"3s\",\"STRICT\":true,\"RATE\":\"5:9\"}"),
                     ERR_OK);
    assert_changes("SHARD_SECRET,PROXIES,WAIT,STRICT,RATE", "");
    assert_string_equal(settings.secret, "new,old");
    assert_string_equal(settings.proxies, "p");
    assert_int_equal(settings.wait_ms, 3000);
    assert_true(settings.strict);
    assert_int_equal(settings.rate.burst, 9);
    assert_int_equal(reload("{\"SHARD_SECRET\":\"old\",\"HOST\":\"a\"}"), ERR_OK);
    assert_changes("SHARD_SECRET,PROXIES,WAIT,STRICT,RATE", "");
    assert_string_equal(settings.secret, "old");
    assert_null(settings.proxies);
    assert_int_equal(settings.wait_ms, 15000);
    assert_false(settings.strict);
    assert_int_equal(settings.rate.burst, 0);
}

static void the_others_are_named_and_stay(void **state)
{
    (void)state;
    assert_int_equal(reload("{\"SHARD_SECRET\":\"old\",\"HOST\":\"b\",\"PORT\":8,\"WAIT\":\"3s\"}"),
                     ERR_OK);
    assert_changes("WAIT", "HOST,PORT");
    assert_string_equal(settings.host, "a");
    assert_int_equal(settings.port, 3002);
    assert_int_equal(settings.wait_ms, 3000);
}

static void one_bad_value_and_all_stays(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"{\"SHARD_SECRET\":\"new\",\"WAIT\":\"soon\"}", " WAIT \"soon\": must be a duration"},
        {"{\"SHARD_SECRET\":\"\",\"WAIT\":\"3s\"}", " SHARD_SECRET: must be a text that is not"},
        {"{\"WAIT\":\"3s\"}", "SHARD_SECRET is missing"},
        {"{\"SHARD_SECRET\":\"new\"", "must hold one JSON object"},
        {"{\"SHARD_SECRET\":\"new\",\"NONE\":1}", " NONE: unknown"},
        {"{\"SHARD_SECRET\":\"new\",\"HOST\":\"b\",\"PROXIES\":\"b\"}", "PROXIES: is HOST"},
        /* Good by itself, but HOST cannot change. */
        {"{\"SHARD_SECRET\":\"new\",\"HOST\":\"b\",\"PROXIES\":\"a\"}", "PROXIES: is HOST"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(reload(cases[i].text), ERR_SYNTAX);
        assert_non_null(strstr(said, cases[i].said));
        assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1); /* one line */
        assert_null(strstr(said, "new"));
        assert_changes("", "");
        assert_string_equal(settings.secret, "old");
        assert_string_equal(settings.host, "a");
        assert_null(settings.proxies);
        assert_int_equal(settings.wait_ms, 15000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_changes_when_nothing_was_changed, begin, end),
        cmocka_unit_test_setup_teardown(rows_that_may_change_take_effect_and_come_back, begin, end),
        cmocka_unit_test_setup_teardown(the_others_are_named_and_stay, begin, end),
        cmocka_unit_test_setup_teardown(one_bad_value_and_all_stays, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
