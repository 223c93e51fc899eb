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
    char *host, *servers, *secret;
    int64_t port, offset, wait_ms, limit, strategy;
    bool verbose;
    struct rate_limit rate;
};

static const char *const strategies[] = {"round-robin", "least-connections", NULL};
#define AT(field) .offset = offsetof(struct settings, field)
static const struct config_row rows[] = {
    {.name = "HOST", .type = CONFIG_STRING, AT(host), .fallback = "::1", .help = "Where."},
    {.name = "ROOM_SERVERS",
     .type = CONFIG_STRING,
     AT(servers),
     .empty_counts = true,
     .help = "Who."},
    {.name = "SHARD_SECRET", .type = CONFIG_SECRET, AT(secret), .required = true, .help = "Key."},
    {.name = "PORT", .type = CONFIG_INT, AT(port), .fallback = "3002", .max = 65535},
    {.name = "OFFSET", .type = CONFIG_INT, AT(offset), .fallback = "-5", .min = -10, .max = 10},
    {.name = "LINK_WAIT",
     .type = CONFIG_DURATION,
     AT(wait_ms),
     .fallback = "15s",
     .min = 1000,
     .max = 3600000,
     .help = "How long a link is waited for."},
    {.name = "MESSAGE_MAX", .type = CONFIG_SIZE, AT(limit), .fallback = "1MiB", .min = 1024},
    {.name = "STRATEGY",
     .type = CONFIG_CHOICE,
     AT(strategy),
     .fallback = "least-connections",
     .choices = strategies},
    {.name = "VERBOSE", .type = CONFIG_BOOL, AT(verbose), .fallback = "off", .unit = "switch"},
    {.name = "CLIENT_RATE", .type = CONFIG_RATE, AT(rate), .fallback = "off"},
};

static bool check_servers(const void *config, FILE *err)
{
    const struct settings *s = config;
    if (s->servers == NULL || strcmp(s->servers, "nowhere") != 0)
        return true;
    (void)fputs("terrane-test: ROOM_SERVERS: nowhere\n", err);
    return false;
}

static const struct config_table table = {.process = "terrane-test",
                                          .about = "tests settings",
                                          .rows = rows,
                                          .count = sizeof rows / sizeof *rows,
                                          .check = check_servers};

/* One run of config_load, and what it wrote. */
struct run {
    enum config_verdict verdict;
    struct settings settings;
    char *out, *err;
    size_t out_len, err_len;
};

#define RUN(...) run_with((char *[]){"terrane-test", __VA_ARGS__, NULL})

static struct run run_with(char **argv)
{
    struct run r = {.verdict = CONFIG_BAD};
    FILE *out = open_memstream(&r.out, &r.out_len), *err = open_memstream(&r.err, &r.err_len);
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    r.verdict = config_load(&table, &r.settings, argc, argv, out, err);
    (void)fclose(out);
    (void)fclose(err);
    return r;
}

static void run_clear(struct run *r)
{
    config_clear(&table, &r->settings);
    free(r->out);
    free(r->err);
}

static char file_path[32];

static char *write_file(const char *content, size_t len)
{
    (void)snprintf(file_path, sizeof file_path, "/tmp/terrane-test-XXXXXX");
    int fd = mkstemp(file_path);
    assert_true(fd >= 0);
    assert_true(write(fd, content, len) == (ssize_t)len);
    assert_int_equal(close(fd), 0);
    return file_path;
}

static int clean_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < table.count; i++)
        (void)unsetenv(rows[i].name);
    (void)unsetenv("SHARD_SECRET_FILE");
    if (file_path[0] != '\0')
        (void)unlink(file_path);
    file_path[0] = '\0';
    return 0;
}

static void defaults_fill_what_nobody_gave(void **state)
{
    (void)state;
    struct run r = RUN("--shard-secret=x");
    assert_int_equal(r.verdict, CONFIG_RUN);
    assert_string_equal(r.err, "");
    assert_string_equal(r.settings.host, "::1");
    assert_null(r.settings.servers);
    assert_string_equal(r.settings.secret, "x");
    assert_int_equal(r.settings.port, 3002);
    assert_int_equal(r.settings.offset, -5);
    assert_int_equal(r.settings.wait_ms, 15000);
    assert_int_equal(r.settings.limit, 1 << 20);
    assert_int_equal(r.settings.strategy, 1);
    assert_false(r.settings.verbose);
    run_clear(&r);
    assert_null(r.settings.host);
    assert_null(r.settings.secret);
}

static void flags_take_their_value_in_both_ways(void **state)
{
    (void)state;
    struct run r = RUN("--shard-secret", "a=b", "--room-servers=http://x?a=b", "--port", "0",
                       "--verbose", "yes", "--host=", "--offset", "-7", "--port=9");
    assert_int_equal(r.verdict, CONFIG_RUN);
    assert_string_equal(r.settings.secret, "a=b");
    assert_string_equal(r.settings.servers, "http://x?a=b");
    assert_string_equal(r.settings.host, "");
    assert_int_equal(r.settings.port, 9);
    assert_int_equal(r.settings.offset, -7);
    assert_true(r.settings.verbose);
    run_clear(&r);
}

static void flag_beats_environment_beats_file(void **state)
{
    static const char json[] = "{\"HOST\":\"file\",\"PORT\":1,\"LINK_WAIT\":\"2m\","
                               "\"VERBOSE\":true,\"SHARD_SECRET\":\"from-file\"}";
    (void)state;
    (void)setenv("HOST", "environment", 1);
    (void)setenv("PORT", "2", 1);
    (void)setenv("VERBOSE", "", 1); /* counts as none */
    struct run r = RUN("--port=3", "--config", write_file(json, strlen(json)));
    assert_int_equal(r.verdict, CONFIG_RUN);
    assert_string_equal(r.settings.host, "environment");
    assert_int_equal(r.settings.port, 3);
    assert_int_equal(r.settings.wait_ms, 120000);
    assert_true(r.settings.verbose);
    assert_string_equal(r.settings.secret, "from-file");
    run_clear(&r);
}

static void empty_environment_value_counts_where_the_row_says_so(void **state)
{
    (void)state;
    (void)setenv("SHARD_SECRET", "hush", 1);
    struct run r = RUN("--port=1");
    assert_null(r.settings.servers);
    run_clear(&r);
    (void)setenv("ROOM_SERVERS", "", 1);
    (void)setenv("HOST", "", 1);
    r = RUN("--port=1");
    assert_string_equal(r.settings.servers, "");
    assert_string_equal(r.settings.host, "::1");
    run_clear(&r);
}

static const struct {
    const char *arg;
    bool good;
    size_t field; /* offset of an int64_t */
    int64_t value;
} value_cases[] = {
    {"--port=65535", true, offsetof(struct settings, port), 65535},
    {"--port=65536", false, 0, 0},
    {"--port=-1", false, 0, 0},
    {"--port=", false, 0, 0},
    {"--port=1x", false, 0, 0},
    {"--port=0x10", false, 0, 0},
    {"--port= 1", false, 0, 0},
    {"--port=99999999999999999999", false, 0, 0},
    {"--offset=-10", true, offsetof(struct settings, offset), -10},
    {"--offset=-11", false, 0, 0},
    {"--offset=--1", false, 0, 0},
    {"--link-wait=1s", true, offsetof(struct settings, wait_ms), 1000},
    {"--link-wait=1500ms", true, offsetof(struct settings, wait_ms), 1500},
    {"--link-wait=2m", true, offsetof(struct settings, wait_ms), 120000},
    {"--link-wait=1h", true, offsetof(struct settings, wait_ms), 3600000},
    {"--link-wait=2h", false, 0, 0},
    {"--link-wait=999ms", false, 0, 0},
    {"--link-wait=0", false, 0, 0},
    {"--link-wait=15", false, 0, 0},
    {"--link-wait=15 s", false, 0, 0},
    {"--link-wait=15sec", false, 0, 0},
    {"--link-wait=s", false, 0, 0},
    {"--link-wait=1.5s", false, 0, 0},
    {"--link-wait=9999999999999999999h", false, 0, 0},
    {"--link-wait=2562047788016h", false, 0, 0},
    {"--message-max=1024", true, offsetof(struct settings, limit), 1024},
    {"--message-max=64KiB", true, offsetof(struct settings, limit), 65536},
    {"--message-max=8MiB", true, offsetof(struct settings, limit), 8388608},
    {"--message-max=2GiB", true, offsetof(struct settings, limit), INT64_C(2147483648)},
    {"--message-max=1023", false, 0, 0},
    {"--message-max=64KB", false, 0, 0},
    {"--message-max=64kib", false, 0, 0},
    {"--message-max=9223372036854775807GiB", false, 0, 0},
    {"--strategy=round-robin", true, offsetof(struct settings, strategy), 0},
    {"--strategy=Round-Robin", false, 0, 0},
    {"--strategy=", false, 0, 0},
    {"--verbose=maybe", false, 0, 0},
    {"--verbose=", false, 0, 0},
    {"--shard-secret=", false, 0, 0},
};

static void values_are_read_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof value_cases / sizeof *value_cases; i++) {
        char *arg = strdup(value_cases[i].arg);
        struct run r = RUN("--shard-secret=x", arg);
        if (r.verdict != (value_cases[i].good ? CONFIG_RUN : CONFIG_BAD))
            fail_msg("%s: %s", arg, r.err);
        if (value_cases[i].good)
            assert_true(*(int64_t *)(void *)((char *)&r.settings + value_cases[i].field) ==
                        value_cases[i].value);
        else
            assert_true(strchr(r.err, '\n') == r.err + r.err_len - 1); /* one line */
        run_clear(&r);
        free(arg);
    }
}

static void booleans_have_four_spellings(void **state)
{
    static const struct {
        const char *arg;
        bool on;
    } cases[] = {{"--verbose=1", true},   {"--verbose=true", true}, {"--verbose=yes", true},
                 {"--verbose=on", true},  {"--verbose=0", false},   {"--verbose=false", false},
                 {"--verbose=no", false}, {"--verbose=off", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *arg = strdup(cases[i].arg);
        struct run r = RUN("--shard-secret=x", arg);
        assert_int_equal(r.verdict, CONFIG_RUN);
        assert_int_equal(r.settings.verbose, cases[i].on);
        run_clear(&r);
        free(arg);
    }
}

static void a_rate_is_one_number_or_two(void **state)
{
    static const struct {
        const char *text;
        enum config_verdict verdict;
        struct rate_limit rate;
    } cases[] = {
        {"--client-rate=50", CONFIG_RUN, {50, 50}},
        {"--client-rate=50:200", CONFIG_RUN, {50, 200}},
        {"--client-rate=off", CONFIG_RUN, {0, 0}},
        {"--client-rate=0", CONFIG_RUN, {0, 0}},
        {"--client-rate=2147483647:2147483647", CONFIG_RUN, {2147483647, 2147483647}},
        {"--client-rate=2147483648", CONFIG_BAD, {0, 0}},
        {"--client-rate=0:5", CONFIG_BAD, {0, 0}},
        {"--client-rate=5:0", CONFIG_BAD, {0, 0}},
        {"--client-rate=auto", CONFIG_BAD, {0, 0}}, /* its fallback is another */
        {"--client-rate=5:", CONFIG_BAD, {0, 0}},
        {"--client-rate=:5", CONFIG_BAD, {0, 0}},
        {"--client-rate=-5", CONFIG_BAD, {0, 0}},
        {"--client-rate=5/s", CONFIG_BAD, {0, 0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run r = RUN("--shard-secret=x", (char *)(uintptr_t)cases[i].text);
        assert_int_equal(r.verdict, cases[i].verdict);
        assert_int_equal(r.settings.rate.per_s, cases[i].rate.per_s);
        assert_int_equal(r.settings.rate.burst, cases[i].rate.burst);
        run_clear(&r);
    }
}

static void all_problems_are_told_at_once(void **state)
{
    static const char json[] = "{\"MESSAGE_MAX\":1.5,\"UNKNOWN\":1,\"HOST\":null}";
    (void)state;
    (void)setenv("LINK_WAIT", "soon", 1);
    (void)setenv("SOMETHING_ELSE", "ignored", 1);
    struct run r = RUN("--port=x", "--colour", "red", "stray", "--host", "--config",
                       write_file(json, strlen(json)));
    assert_int_equal(r.verdict, CONFIG_BAD);
    char want[2048];
    (void)snprintf(
        want, sizeof want,
        "terrane-test: flag --colour: unknown, see --help\n"
        "terrane-test: argument 4: only flags are taken, see --help\n"
        "terrane-test: flag --host: a value is missing\n"
        "terrane-test: file %s UNKNOWN: unknown, see --help\n"
        "terrane-test: file %s HOST: must be a text without NUL, a number, true or false\n"
        "terrane-test: SHARD_SECRET is missing: give --shard-secret, or SHARD_SECRET in the "
        "environment or the file, or the path of a file as SHARD_SECRET_FILE\n"
        "terrane-test: flag --port \"x\": must be a whole number, from 0 to 65535\n"
        "terrane-test: environment LINK_WAIT \"soon\": must be a duration such as 250ms, 15s, 2m "
        "or 1h, from 1s to 1h\n"
        "terrane-test: file %s MESSAGE_MAX \"1.5\": must be a size such as 4096, 64KiB, 8MiB or "
        "1GiB, from 1KiB up\n",
        file_path, file_path, file_path);
    assert_string_equal(r.err, want);
    assert_null(r.settings.host);
    run_clear(&r);
}

static void a_secret_comes_from_a_file_by_every_source(void **state)
{
    static const struct {
        struct span content;
        const char *secret;
    } cases[] = {{SPAN_INIT("s3cret\n"), "s3cret"},
                 {SPAN_INIT("s3cret"), "s3cret"},
                 {SPAN_INIT("s3cret\r\n"), "s3cret"},
                 {SPAN_INIT(" s3 cret \n\n"), " s3 cret \n"},
                 {SPAN_INIT("s3cret\r"), "s3cret\r"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run r =
            RUN("--shard-secret-file", write_file(cases[i].content.ptr, cases[i].content.len));
        assert_int_equal(r.verdict, CONFIG_RUN);
        assert_string_equal(r.settings.secret, cases[i].secret);
        run_clear(&r);
        (void)clean_up(NULL);
    }
    (void)setenv("SHARD_SECRET_FILE", write_file("by environment\n", 15), 1);
    struct run r = RUN("--port=1");
    assert_int_equal(r.verdict, CONFIG_RUN);
    assert_string_equal(r.settings.secret, "by environment");
    run_clear(&r);
    r = RUN("--shard-secret=by flag");
    assert_string_equal(r.settings.secret, "by flag");
    run_clear(&r);
}

static void a_bad_secret_file_is_a_problem(void **state)
{
    (void)state;
    struct run r = RUN("--shard-secret-file=/nonexistent");
    assert_int_equal(r.verdict, CONFIG_BAD);
    assert_string_equal(r.err, "terrane-test: flag --shard-secret-file: /nonexistent: "
                               "No such file or directory\n");
    run_clear(&r);
    r = RUN("--shard-secret-file", write_file("\n", 1));
    assert_int_equal(r.verdict, CONFIG_BAD);
    assert_non_null(strstr(r.err, "must be a text that is not empty"));
    run_clear(&r);
    (void)clean_up(NULL);
    r = RUN("--shard-secret-file", write_file("hush\0hush", 9));
    assert_int_equal(r.verdict, CONFIG_BAD);
    assert_null(strstr(r.err, "hush"));
    run_clear(&r);
    (void)clean_up(NULL);
    r = RUN("--shard-secret-file", write_file("x", 1), "--shard-secret=y");
    assert_int_equal(r.verdict, CONFIG_BAD);
    assert_non_null(strstr(r.err, "both given"));
    run_clear(&r);
}

static void a_bad_settings_file_is_a_problem(void **state)
{
    static const struct {
        const char *content, *fault;
    } cases[] = {{"[1]", "must hold one JSON object"},
                 {"{\"PORT\":\n  3,", "line 2, column 4: "},
                 {"{\"PORT\":", ": must hold one JSON object"},
                 {"", "must hold one JSON object"},
                 {"{\"PORT\":[1]}", "PORT: must be a text"},
                 {"{\"HOST\":\"a\\u0000b\"}", "HOST: must be a text without NUL"},
                 {"{\"port\":1}", "port: unknown"},
                 {"{\"HOST_FILE\":\"x\"}", "HOST_FILE: unknown"},
                 {"{\"PORT\":1e30}", "PORT \"1e+30\": must be a whole number"},
                 {"{\"PORT\":80.5}", "PORT \"80.5\": must be a whole number"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run r = RUN("--shard-secret=x", "--config",
                           write_file(cases[i].content, strlen(cases[i].content)));
        assert_int_equal(r.verdict, CONFIG_BAD);
        assert_non_null(strstr(r.err, cases[i].fault));
        run_clear(&r);
        (void)clean_up(NULL);
    }
    struct run r = RUN("--shard-secret=x", "--config=/nonexistent");
    assert_int_equal(r.verdict, CONFIG_BAD);
    assert_string_equal(r.err, "terrane-test: file /nonexistent: No such file or directory\n");
    run_clear(&r);
}

static void secrets_are_never_printed(void **state)
{
    (void)state;
    (void)setenv("SHARD_SECRET", "hush-environment", 1);
    struct run r = RUN("--print-config", "--shard-secret=hush-flag", "--port=8");
    assert_int_equal(r.verdict, CONFIG_DONE);
    assert_null(strstr(r.out, "hush"));
    assert_non_null(strstr(r.out, "SHARD_SECRET=***  # flag --shard-secret\n"));
    run_clear(&r);
    r = RUN("--shard-secret", "--port=8", "hush-stray", "--host", "--shard-secret-wrong=hush");
    assert_int_equal(r.verdict, CONFIG_BAD);
    assert_null(strstr(r.err, "hush"));
    run_clear(&r);
}

static void the_effective_settings_are_printed_with_their_sources(void **state)
{
    (void)state;
    (void)setenv("HOST", "a \"b\"", 1);
    struct run r = RUN("--print-config", "--shard-secret-file", write_file("x", 1));
    assert_int_equal(r.verdict, CONFIG_DONE);
    assert_string_equal(r.out, "HOST=\"a \\\"b\\\"\"  # environment HOST\n"
                               "ROOM_SERVERS=  # default\n"
                               "SHARD_SECRET=***  # flag --shard-secret-file\n"
                               "PORT=\"3002\"  # default\n"
                               "OFFSET=\"-5\"  # default\n"
                               "LINK_WAIT=\"15s\"  # default\n"
                               "MESSAGE_MAX=\"1MiB\"  # default\n"
                               "STRATEGY=\"least-connections\"  # default\n"
                               "VERBOSE=\"off\"  # default\nCLIENT_RATE=\"off\"  # default\n");
    assert_null(r.settings.host);
    run_clear(&r);
}

static void checking_says_whether_all_is_well(void **state)
{
    (void)state;
    struct run r = RUN("--check-config", "--shard-secret=x");
    assert_int_equal(r.verdict, CONFIG_DONE);
    assert_string_equal(r.out, "terrane-test: the settings are valid\n");
    run_clear(&r);
    r = RUN("--check-config");
    assert_int_equal(r.verdict, CONFIG_BAD);
    assert_string_equal(r.out, "");
    run_clear(&r);
}

static void health_is_a_flag_of_tables_that_have_it(void **state)
{
    (void)state;
    struct config_table other = table;
    struct settings settings = {0};
    char *argv[] = {"terrane-test", "--health", "--shard-secret=x", "--port=7"};
    struct run r = RUN("--health", "--shard-secret=x");
    assert_int_equal(r.verdict, CONFIG_BAD);
    assert_non_null(strstr(r.err, "flag --health: unknown"));
    run_clear(&r);
    other.health = true;
    assert_int_equal(config_load(&other, &settings, 4, argv, stdout, stderr), CONFIG_HEALTH);
    assert_int_equal(settings.port, 7);
    config_clear(&other, &settings);
}

static void what_rows_cannot_say_is_checked_after_them(void **state)
{
    (void)state;
    struct run r = RUN("--check-config", "--shard-secret=x", "--room-servers=nowhere");
    assert_int_equal(r.verdict, CONFIG_BAD);
    assert_string_equal(r.out, "");
    assert_string_equal(r.err, "terrane-test: ROOM_SERVERS: nowhere\n");
    assert_null(r.settings.servers);
    run_clear(&r);
    r = RUN("--shard-secret=x", "--room-servers=nowhere");
    assert_int_equal(r.verdict, CONFIG_BAD);
    run_clear(&r);
    r = RUN("--port=x", "--shard-secret=x", "--room-servers=nowhere");
    assert_null(strstr(r.err, "nowhere"));
    run_clear(&r);
}

static void help_and_version_are_answered_whatever_else_is_wrong(void **state)
{
    (void)state;
    struct run r = RUN("--colour", "red", "--help");
    assert_int_equal(r.verdict, CONFIG_DONE);
    assert_string_equal(r.err, "");
    for (size_t i = 0; i < table.count; i++)
        assert_non_null(strstr(r.out, rows[i].name));
    assert_non_null(strstr(r.out, "  --link-wait DURATION    environment: LINK_WAIT\n"
                                  "        How long a link is waited for.\n"
                                  "        Default: 15s; a duration such as 250ms, 15s, 2m or 1h, "
                                  "from 1s to 1h\n"));
    assert_non_null(strstr(r.out, "--shard-secret-file, SHARD_SECRET_FILE"));
    run_clear(&r);
    r = RUN("--version", "--port=x");
    assert_int_equal(r.verdict, CONFIG_DONE);
    assert_true(strncmp(r.out, "terrane-test ", 13) == 0);
    run_clear(&r);
}

int main(void)
{
#define CONFIG_TEST(name) cmocka_unit_test_setup_teardown(name, clean_up, clean_up)
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(defaults_fill_what_nobody_gave),
        CONFIG_TEST(flags_take_their_value_in_both_ways),
        CONFIG_TEST(flag_beats_environment_beats_file),
        CONFIG_TEST(empty_environment_value_counts_where_the_row_says_so),
        CONFIG_TEST(values_are_read_or_refused),
        CONFIG_TEST(booleans_have_four_spellings),
        CONFIG_TEST(a_rate_is_one_number_or_two),
        CONFIG_TEST(all_problems_are_told_at_once),
        CONFIG_TEST(a_secret_comes_from_a_file_by_every_source),
        CONFIG_TEST(a_bad_secret_file_is_a_problem),
        CONFIG_TEST(a_bad_settings_file_is_a_problem),
        CONFIG_TEST(secrets_are_never_printed),
        CONFIG_TEST(the_effective_settings_are_printed_with_their_sources),
        CONFIG_TEST(checking_says_whether_all_is_well),
        CONFIG_TEST(health_is_a_flag_of_tables_that_have_it),
        CONFIG_TEST(what_rows_cannot_say_is_checked_after_them),
        CONFIG_TEST(help_and_version_are_answered_whatever_else_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
