/* Streams of events as the standard has them, whole and byte by byte. */
#include "world/ctl/sse.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* "id|name|data" of each event, one a line. */
static void write_down(void *ctx, struct span id, struct span name, struct span data)
{
    struct buf *out = ctx;

    buf_addf(out, "%.*s|%.*s|%.*s\n", SPAN_ARG(id), SPAN_ARG(name), SPAN_ARG(data));
}

static const struct {
    const char *text, *heard;
} rows[] = {
    {"data: a\n\n", "|message|a\n"},
    {"data:a\r\n\r\n", "|message|a\n"},
    {"data: a\r\rdata: b\r\r", "|message|a\n|message|b\n"},
    {"data: a\ndata: b\n\n", "|message|a\nb\n"},
    {"event: x\ndata: 1\nid: 7\n\ndata: 2\n\n", "7|x|1\n7|message|2\n"},
    {": a comment\n\n", ""},
    {"event: x\n\n", ""},
    {"data\n\n", "|message|\n"},
    {"data: unfinished\n", ""},
    {"nonsense: 1\ndata:  two blanks\n\n", "|message| two blanks\n"},
};

static void events_end_with_a_blank_line_however_lines_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sse s = {0};
        struct buf out = {0};
        sse_feed(&s, span_str(rows[i].text), write_down, &out);
        assert_true(span_eq(buf_span(&out), span_str(rows[i].heard)));
        buf_clear(&out);
        sse_clear(&s);
    }
}

static void pieces_are_put_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sse s = {0};
        struct buf out = {0};
        for (const char *at = rows[i].text; *at != '\0'; at++)
            sse_feed(&s, span_of(at, 1), write_down, &out);
        assert_true(span_eq(buf_span(&out), span_str(rows[i].heard)));
        buf_clear(&out);
        sse_clear(&s);
    }
}

static void a_new_connection_keeps_the_id_alone(void **state)
{
    struct sse s = {0};
    struct buf out = {0};

    (void)state;
    sse_feed(&s, SPAN("id: 3\ndata: a\n\ndata: lost"), write_down, &out);
    sse_restart(&s);
    sse_feed(&s, SPAN("\ndata: b\n\n"), write_down, &out);
    assert_true(span_eq(buf_span(&out), SPAN("3|message|a\n3|message|b\n")));
    buf_clear(&out);
    sse_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_end_with_a_blank_line_however_lines_end),
        cmocka_unit_test(pieces_are_put_together),
        cmocka_unit_test(a_new_connection_keeps_the_id_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
