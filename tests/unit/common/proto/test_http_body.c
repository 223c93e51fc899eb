#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/proto/http_body.h"

/* Feeds one piece from memory of just its size; adds the content to `out`. Answers how much was
 * taken. */
static size_t feed(struct http_body *b, struct span piece, struct buf *out, enum err *e)
{
    char *data = xmalloc(piece.len + (piece.len == 0));
    size_t at = 0;
    if (piece.len > 0)
        memcpy(data, piece.ptr, piece.len);
    *e = ERR_OK;
    while (at < piece.len && !b->done && *e == ERR_OK) {
        size_t used;
        struct span part;
        *e = http_body_read(b, data + at, piece.len - at, &used, &part);
        if (*e != ERR_OK)
            break;
        assert_true(used > 0);
        assert_true(part.len <= used);
        buf_add_span(out, part);
        at += used;
    }
    free(data);
    return at;
}

/* Reads `text` in pieces of `first` bytes, then `step` (0: all the rest). */
static enum err read_body(struct span text, size_t first, size_t step, struct buf *out, bool *done,
                          size_t *taken)
{
    struct http_body b;
    enum err e = ERR_OK;
    http_body_start(&b, HTTP_BODY_CHUNKED, 0);
    *taken = 0;
    for (size_t n = first; *taken < text.len && !b.done && e == ERR_OK;
         n = step > 0 ? step : text.len)
        *taken += feed(&b, span_slice(text, *taken, *taken + n), out, &e);
    *done = b.done;
    return e;
}

struct row {
    const char *text;
    const char *content; /* NULL: ERR_SYNTAX */
};

static const struct row chunked[] = {
    {"0\r\n\r\n", ""},
    {"5\r\nhello\r\n0\r\n\r\n", "hello"},
    {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"},
    {"00a\r\n0123456789\r\n000\r\n\r\n", "0123456789"},
    {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
    {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n"},
    {"1;a\r\nx\r\n0;b=\"c d\";e\r\n\r\n", "x"},
    {"1;\ta\r\nx\r\n0\r\n\r\n", "x"},
    {"1\r\nx\r\n0\r\nA: b\r\nC:\r\nD-e: \xff f\r\n\r\n", "x"},
    {"\r\n", NULL},
    {"g\r\n", NULL},
    {" 5\r\nhello\r\n0\r\n\r\n", NULL},
    {"5 \r\nhello\r\n0\r\n\r\n", NULL},
    {"5 ;a\r\nhello\r\n0\r\n\r\n", NULL},
    {"5\thello\r\n0\r\n\r\n", NULL},
    {"+5\r\nhello\r\n0\r\n\r\n", NULL},
    {"-5\r\nhello\r\n0\r\n\r\n", NULL},
    {"0x5\r\nhello\r\n0\r\n\r\n", NULL},
    {";a\r\nhello\r\n0\r\n\r\n", NULL},
    {"5\nhello\r\n0\r\n\r\n", NULL},
    {"5\rhello\r\n0\r\n\r\n", NULL},
    {"5\r\r\nhello\r\n0\r\n\r\n", NULL},
    {"5;a\nhello\r\n0\r\n\r\n", NULL},
    {"5;a\x01\r\nhello\r\n0\r\n\r\n", NULL},
    {"5;a\rb\r\nhello\r\n0\r\n\r\n", NULL},
    {"5\r\nhello0\r\n\r\n", NULL},
    {"5\r\nhello\n0\r\n\r\n", NULL},
    {"5\r\nhello\r0\r\n\r\n", NULL},
    {"5\r\nhelloX\r\n0\r\n\r\n", NULL},
    {"5\r\nhello\r\n\r\n0\r\n\r\n", NULL},
    {"0\r\n\n", NULL},
    {"0\n\r\n", NULL},
    {"0\r\n\r\r\n", NULL},
    {"0\r\n A: b\r\n\r\n", NULL},
    {"0\r\nA: b\r\n c\r\n\r\n", NULL},
    {"0\r\nA\r\n\r\n", NULL},
    {"0\r\nA : b\r\n\r\n", NULL},
    {"0\r\n: b\r\n\r\n", NULL},
    {"0\r\nA: b\n\r\n", NULL},
    {"0\r\nA: \x01\r\n\r\n", NULL},
    {"0\r\nGET / HTTP/1.1\r\n\r\n", NULL},
    {"8000000000000000\r\n", NULL},
    {"ffffffffffffffff\r\n", NULL},
    {"10000000000000000\r\n", NULL},
    {"00000000000000001\r\nx\r\n0\r\n\r\n", NULL},
};

static void assert_body(const struct row *row, size_t first, size_t step)
{
    struct buf out = {.len = 0};
    bool done;
    size_t taken;
    enum err e = read_body(span_str(row->text), first, step, &out, &done, &taken);
    if (row->content == NULL) {
        if (e != ERR_SYNTAX)
            fail_msg("\"%s\" is accepted in pieces of %zu, %zu", row->text, first, step);
    } else if (e != ERR_OK || !done || taken != strlen(row->text) ||
               !span_eq(buf_span(&out), span_str(row->content))) {
        fail_msg("\"%s\" in pieces of %zu, %zu: \"%.*s\"", row->text, first, step,
                 SPAN_ARG(buf_span(&out)));
    }
    buf_clear(&out);
}

static void chunks_are_joined_or_refused_at_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof chunked / sizeof *chunked; i++) {
        for (size_t split = 1; split <= strlen(chunked[i].text); split++)
            assert_body(&chunked[i], split, 0);
        assert_body(&chunked[i], 1, 1);
        assert_body(&chunked[i], 3, 3);
    }
}

static void truncated_chunks_are_not_done(void **state)
{
    (void)state;
    for (size_t i = 0; chunked[i].content != NULL; i++) {
        struct span text = span_str(chunked[i].text);
        for (size_t len = 0; len < text.len; len++) {
            struct buf out = {.len = 0};
            bool done;
            size_t taken;
            assert_int_equal(read_body(span_slice(text, 0, len), len, 0, &out, &done, &taken), 0);
            assert_false(done);
            assert_int_equal(taken, len);
            assert_true(span_starts(span_str(chunked[i].content), buf_span(&out)));
            buf_clear(&out);
        }
    }
}

static void bytes_behind_the_end_are_left(void **state)
{
    (void)state;
    struct span text = SPAN("1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n");
    struct buf out = {.len = 0};
    bool done;
    size_t taken;
    assert_int_equal(read_body(text, text.len, 0, &out, &done, &taken), ERR_OK);
    assert_true(done);
    assert_int_equal(taken, 11);
    buf_clear(&out);
}

static void limits_of_lines_and_trailers_hold(void **state)
{
    (void)state;
    static const struct {
        const char *start;
        size_t most; /* bytes more that still fit */
    } rows[] = {{"0;", 256 - sizeof "0;\r\n" + 1}, {"0\r\nA:", 8192 - sizeof "A:\r\n\r\n" + 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t more = rows[i].most; more <= rows[i].most + 1; more++) {
            struct buf text = {.len = 0}, out = {.len = 0};
            bool done;
            size_t taken;
            buf_add_span(&text, span_str(rows[i].start));
            memset(buf_reserve(&text, more), 'a', more);
            text.len += more;
            BUF_ADD_LIT(&text, "\r\n\r\n");
            enum err e = read_body(buf_span(&text), 1, 1, &out, &done, &taken);
            assert_int_equal(e, more == rows[i].most ? ERR_OK : ERR_SYNTAX);
            buf_clear(&text);
            buf_clear(&out);
        }
    }
}

static void length_counts_down(void **state)
{
    (void)state;
    struct http_body b;
    struct span part;
    size_t used;
    http_body_start(&b, HTTP_BODY_LENGTH, 5);
    assert_int_equal(http_body_read(&b, "hel", 3, &used, &part), ERR_OK);
    assert_true(span_eq(part, SPAN("hel")));
    assert_false(b.done);
    assert_int_equal(http_body_read(&b, "lo, more", 8, &used, &part), ERR_OK);
    assert_true(span_eq(part, SPAN("lo")));
    assert_int_equal(used, 2);
    assert_true(b.done);
    assert_int_equal(http_body_read(&b, "more", 4, &used, &part), ERR_OK);
    assert_int_equal(used, 0);
    assert_int_equal(part.len, 0);
}

static void body_without_bytes_is_done_at_once(void **state)
{
    (void)state;
    struct http_body b;
    http_body_start(&b, HTTP_BODY_LENGTH, 0);
    assert_true(b.done);
    http_body_start(&b, HTTP_BODY_NONE, 7);
    assert_true(b.done);
    http_body_start(&b, HTTP_BODY_CHUNKED, 0);
    assert_false(b.done);
}

static void body_until_close_is_never_done(void **state)
{
    (void)state;
    struct http_body b;
    struct span part;
    size_t used;
    http_body_start(&b, HTTP_BODY_UNTIL_CLOSE, 0);
    assert_int_equal(http_body_read(&b, "abc", 3, &used, &part), ERR_OK);
    assert_int_equal(used, 3);
    assert_true(span_eq(part, SPAN("abc")));
    assert_false(b.done);
}

static void framed_chunks_are_read_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 15, 16, 255, 256, 4096, 70000};
    struct buf text = {.len = 0}, all = {.len = 0}, out = {.len = 0};
    bool done;
    size_t taken;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buf part = {.len = 0};
        memset(buf_reserve(&part, sizes[i]), 'a' + (int)i, sizes[i]);
        part.len = sizes[i];
        buf_add_span(&all, buf_span(&part));
        http_body_add_chunk(&text, buf_span(&part));
        buf_clear(&part);
    }
    assert_true(span_starts(buf_span(&text), SPAN("1\r\na\r\nf\r\nbbb")));
    http_body_add_chunk(&text, (struct span){.ptr = NULL});
    assert_true(span_ends(buf_span(&text), SPAN("\r\n0\r\n\r\n")));
    assert_int_equal(read_body(buf_span(&text), 1000, 777, &out, &done, &taken), ERR_OK);
    assert_true(done);
    assert_true(span_eq(buf_span(&out), buf_span(&all)));
    buf_clear(&text);
    buf_clear(&all);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_are_joined_or_refused_at_every_split),
        cmocka_unit_test(truncated_chunks_are_not_done),
        cmocka_unit_test(bytes_behind_the_end_are_left),
        cmocka_unit_test(limits_of_lines_and_trailers_hold),
        cmocka_unit_test(length_counts_down),
        cmocka_unit_test(body_without_bytes_is_done_at_once),
        cmocka_unit_test(body_until_close_is_never_done),
        cmocka_unit_test(framed_chunks_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
