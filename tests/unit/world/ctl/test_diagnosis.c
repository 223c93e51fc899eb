/* What is said first, and how it ends. */
#include "world/ctl/diagnosis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct ctl ctl;
static struct diagnosis d;
static char said[4096];

static void begin(bool json)
{
    ctl = (struct ctl){.json = json};
    diagnosis_init(&d, &ctl);
    diagnosis_group(&d, "Here");
}

static void add(enum diagnosis_level level, const char *check)
{
    diagnosis_add(&d, &(struct symptom){.level = level,
                                        .check = span_str(check),
                                        .subject = SPAN("it"),
                                        .text = SPAN("text"),
                                        .cure = SPAN("Mend it.")});
}

/* What stdout was told meanwhile is in `said`. */
static enum ended end(void)
{
    int saved = dup(STDOUT_FILENO);
    FILE *file = tmpfile();
    enum ended how;
    size_t len;

    assert_non_null(file);
    (void)fflush(stdout);
    assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
    how = diagnosis_end(&d);
    (void)fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    (void)close(saved);
    rewind(file);
    len = fread(said, 1, sizeof(said) - 1, file);
    said[len] = '\0';
    (void)fclose(file);
    diagnosis_clear(&d);
    return how;
}

static void warnings_alone_end_well(void **state)
{
    (void)state;
    begin(true);
    add(DIAGNOSIS_WARNING, "idle-cut");
    add(DIAGNOSIS_NOTICE, "versions");
    assert_int_equal(end(), ENDED_DONE);
    begin(true);
    add(DIAGNOSIS_ERROR, "clock");
    assert_int_equal(end(), ENDED_REFUSED);
}

static void a_cause_is_to_be_done_before_what_follows_from_it(void **state)
{
    (void)state;
    begin(true);
    add(DIAGNOSIS_WARNING, "certificate");
    add(DIAGNOSIS_ERROR, "client-way");
    add(DIAGNOSIS_ERROR, "room-unreachable");
    add(DIAGNOSIS_ERROR, "redis-unreachable");
    add(DIAGNOSIS_ERROR, "node-lost");
    assert_int_equal(end(), ENDED_REFUSED);
    assert_non_null(strstr(strstr(said, "\"first\""), "redis-unreachable"));
}

static void nothing_wrong_has_nothing_to_be_done_first(void **state)
{
    (void)state;
    begin(true);
    diagnosis_well(&d, "world", "%s answers", "it");
    diagnosis_skip(&d, "client", "not %d", 1);
    add(DIAGNOSIS_NOTICE, "versions");
    assert_int_equal(end(), ENDED_DONE);
    assert_non_null(strstr(said, "\"first\": null"));
    assert_non_null(strstr(said, "\"notices\": 1"));
}

static void only_what_is_not_well_is_had(void **state)
{
    (void)state;
    begin(true);
    diagnosis_well(&d, "world", "it answers");
    add(DIAGNOSIS_ERROR, "clock");
    assert_false(diagnosis_has(&d, SPAN("world"), SPAN("")));
    assert_true(diagnosis_has(&d, SPAN("clock"), SPAN("it")));
    assert_false(diagnosis_has(&d, SPAN("clock"), SPAN("another")));
    diagnosis_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warnings_alone_end_well),
        cmocka_unit_test(a_cause_is_to_be_done_before_what_follows_from_it),
        cmocka_unit_test(nothing_wrong_has_nothing_to_be_done_first),
        cmocka_unit_test(only_what_is_not_well_is_had),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
