/* The table of checks, and sets of findings. */
#include "common/proto/finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/log.h"

static char logged[4096];

static void catch_log(const char *line, size_t len)
{
    (void)snprintf(logged, sizeof logged, "%.*s", (int)len, line);
}

static void assert_spans(struct span got, struct span want)
{
    if (!span_eq(got, want))
        fail_msg("got %.*s, want %.*s", SPAN_ARG(got), SPAN_ARG(want));
}

static void every_check_says_what_it_means_and_what_to_do(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FINDING_CHECK_COUNT; i++) {
        const struct finding_kind *k = &finding_kinds[i];
        assert_true(k->name.len > 0 && k->level < FINDING_LEVEL_COUNT);
        assert_int_equal(finding_by_name(k->name), i);
        for (size_t at = 0; at < k->name.len; at++)
            assert_true(k->name.ptr[at] == '-' ||
                        (k->name.ptr[at] >= 'a' && k->name.ptr[at] <= 'z'));
        if (k->means.len < 20 || k->cure.len < 20 || !span_ends(k->means, SPAN(".")) ||
            !span_ends(k->cure, SPAN(".")))
            fail_msg("%.*s is not explained", SPAN_ARG(k->name));
    }
    assert_int_equal(finding_by_name(SPAN("clocks")), FINDING_CHECK_COUNT);
}

static void what_is_put_is_there_until_it_is_dropped(void **state)
{
    struct findings f = {.count = 0};
    (void)state;
    assert_null(findings_get(&f, FINDING_CLOCK, SPAN("n1")));
    assert_true(findings_put(&f, FINDING_CLOCK, SPAN("n1"), SPAN("7 s"), 100));
    assert_int_equal(f.version, 1);
    assert_false(findings_put(&f, FINDING_CLOCK, SPAN("n1"), SPAN("7 s"), 200));
    assert_int_equal(f.version, 1);
    assert_true(findings_put(&f, FINDING_CLOCK, SPAN("n1"), SPAN("8 s"), 300));
    assert_int_equal(f.version, 2);
    const struct finding *item = findings_get(&f, FINDING_CLOCK, SPAN("n1"));
    assert_spans(item->detail, SPAN("8 s"));
    assert_int_equal(item->since_ms, 100);
    assert_null(findings_get(&f, FINDING_CLOCK, SPAN("n2")));
    assert_null(findings_get(&f, FINDING_STORE, SPAN("n1")));
    assert_true(findings_drop(&f, FINDING_CLOCK, SPAN("n1")));
    assert_false(findings_drop(&f, FINDING_CLOCK, SPAN("n1")));
    assert_int_equal(f.version, 3);
    assert_int_equal(f.count, 0);
    findings_clear(&f);
}

static void a_finding_is_set_while_it_is_so(void **state)
{
    struct findings f = {.count = 0};
    (void)state;
    assert_true(findings_set(&f, FINDING_STORE, SPAN(""), true, SPAN("full"), 1));
    assert_true(findings_put(&f, FINDING_CLOCK, SPAN("a"), SPAN(""), 1));
    assert_true(findings_put(&f, FINDING_CLOCK, SPAN("b"), SPAN(""), 1));
    assert_int_equal(findings_count(&f, FINDING_CLOCK), 2);
    assert_true(findings_set(&f, FINDING_STORE, SPAN(""), false, SPAN("full"), 1));
    assert_int_equal(f.count, 2);
    findings_clear(&f);
}

static void coming_and_going_are_logged(void **state)
{
    struct findings f = {.count = 0};
    (void)state;
    log_open("test", LOG_INFO, LOG_JSON);
    log_capture(catch_log);
    logged[0] = '\0';
    (void)findings_put(&f, FINDING_NODE_SECRET, SPAN("10.0.0.7"), SPAN("n\n1"), 1);
    assert_non_null(strstr(logged, "finding.new"));
    assert_non_null(strstr(logged, "\"check\":\"node-secret\""));
    assert_non_null(strstr(logged, "10.0.0.7"));
    logged[0] = '\0';
    (void)findings_put(&f, FINDING_NODE_SECRET, SPAN("10.0.0.7"), SPAN("n2"), 1);
    assert_string_equal(logged, ""); /* a new detail is no news */
    (void)findings_drop(&f, FINDING_NODE_SECRET, SPAN("10.0.0.7"));
    assert_non_null(strstr(logged, "finding.gone"));
    log_capture(NULL);
    findings_clear(&f);
}

static bool put_number(struct findings *f, enum finding_check check, unsigned n)
{
    char text[16];
    int len = snprintf(text, sizeof text, "%u", n);
    return findings_put(f, check, span_of(text, (size_t)len), SPAN("x"), 1);
}

static void a_set_is_bounded_and_errors_go_first(void **state)
{
    static const enum finding_check lesser[] = {FINDING_CERTIFICATE, FINDING_PROXY_UNTRUSTED,
                                                FINDING_ONE_ADDRESS, FINDING_IDLE_CUT};
    struct findings f = {.count = 0};
    (void)state;
    log_capture(catch_log);
    for (unsigned i = 0; i < 4; i++)
        for (unsigned n = 0; n < FINDINGS_OF_CHECK_MAX + 4; n++)
            assert_int_equal(put_number(&f, lesser[i], n), n < FINDINGS_OF_CHECK_MAX);
    assert_int_equal(f.count, FINDINGS_MAX);
    assert_true(put_number(&f, FINDING_ROOM_SECRET, 1));
    assert_int_equal(f.count, FINDINGS_MAX);
    assert_int_equal(findings_count(&f, FINDING_ONE_ADDRESS), FINDINGS_OF_CHECK_MAX - 1);
    assert_false(put_number(&f, FINDING_DESCRIPTORS, 1) && f.count > FINDINGS_MAX);
    for (size_t i = 1; i < f.count; i++)
        assert_true(f.items[i - 1].check <= f.items[i].check);
    log_capture(NULL);
    findings_clear(&f);
}

static void long_texts_are_cut_between_characters(void **state)
{
    struct findings f = {.count = 0};
    struct buf text = {0};
    (void)state;
    buf_add_char(&text, 'x');
    while (text.len <= FINDING_DETAIL_MAX)
        BUF_ADD_LIT(&text, "\xc3\xa9");
    assert_true(findings_put(&f, FINDING_STORE, buf_span(&text), buf_span(&text), 1));
    assert_false(findings_put(&f, FINDING_STORE, buf_span(&text), buf_span(&text), 1));
    assert_int_equal(f.items[0].subject.len, FINDING_SUBJECT_MAX - 1);
    assert_int_equal(f.items[0].detail.len, FINDING_DETAIL_MAX - 1);
    assert_true(span_is_utf8(f.items[0].detail));
    assert_true(findings_drop(&f, FINDING_STORE, buf_span(&text)));
    buf_clear(&text);
    findings_clear(&f);
}

static void what_is_written_is_read(void **state)
{
    struct findings f = {.count = 0}, got = {.count = 0};
    struct buf text = {0};
    (void)state;
    findings_write(&f, &text);
    assert_spans(buf_span(&text), SPAN("[]"));
    buf_reset(&text);
    (void)findings_put(&f, FINDING_ROOM_SECRET, SPAN("http://r"), SPAN("a\"b"), 5);
    (void)findings_put(&f, FINDING_CLOCK, SPAN(""), SPAN(""), 6);
    findings_write(&f, &text);
    assert_spans(buf_span(&text),
                 SPAN("[{\"check\":\"clock\",\"subject\":\"\",\"detail\":\"\",\"since\":6},"
                      "{\"check\":\"room-secret\",\"subject\":\"http://r\",\"detail\":\"a\\\"b\","
                      "\"since\":5}]"));
    json_t *doc = json_decode(buf_span(&text));
    assert_int_equal(findings_read(&got, doc), ERR_OK);
    assert_int_equal(findings_read(&got, doc), ERR_OK); /* in the place of what was there */
    assert_int_equal(got.count, 2);
    assert_int_equal(got.items[0].since_ms, 6);
    assert_spans(got.items[1].detail, SPAN("a\"b"));
    json_decref(doc);
    buf_clear(&text);
    findings_clear(&f);
    findings_clear(&got);
}

static void only_findings_are_read(void **state)
{
    static const struct {
        const char *text;
        enum err e;
        size_t count;
    } rows[] = {
        {"[]", ERR_OK, 0},
        {"[{\"check\":\"clock\"}]", ERR_OK, 1},
        {"[{\"check\":\"clock\"},{\"check\":\"clock\",\"detail\":\"twice\"}]", ERR_OK, 1},
        {"[{\"check\":\"of-a-newer-node\"},{\"check\":\"clock\",\"more\":1}]", ERR_OK, 1},
        {"null", ERR_SYNTAX, 0},
        {"{}", ERR_SYNTAX, 0},
        {"[1]", ERR_SYNTAX, 0},
        {"[{\"check\":\"clock\"},{}]", ERR_SYNTAX, 0},
        {"[{\"check\":7}]", ERR_SYNTAX, 0},
        {"[{\"check\":\"clock\",\"subject\":1}]", ERR_SYNTAX, 0},
        {"[{\"check\":\"clock\",\"detail\":null}]", ERR_SYNTAX, 0},
        {"[{\"check\":\"clock\",\"since\":-1}]", ERR_SYNTAX, 0},
    };
    struct findings f = {.count = 0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *doc = json_decode(span_str(rows[i].text));
        if (findings_read(&f, doc) != rows[i].e || f.count != rows[i].count)
            fail_msg("%s: %zu", rows[i].text, f.count);
        json_decref(doc);
    }
    assert_int_equal(findings_read(&f, NULL), ERR_SYNTAX);
    findings_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_check_says_what_it_means_and_what_to_do),
        cmocka_unit_test(what_is_put_is_there_until_it_is_dropped),
        cmocka_unit_test(a_finding_is_set_while_it_is_so),
        cmocka_unit_test(coming_and_going_are_logged),
        cmocka_unit_test(a_set_is_bounded_and_errors_go_first),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(only_findings_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
