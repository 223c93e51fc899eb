#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"

static void assert_buf(const struct buf *b, const char *text)
{
    assert_true(span_eq(buf_span(b), span_str(text)));
}

static void bytes_added_in_any_way_stay_in_order(void **state)
{
    (void)state;
    struct buf b = {.len = 0};
    buf_add(&b, "ab", 2);
    buf_add(&b, NULL, 0);
    BUF_ADD_LIT(&b, "cd");
    buf_add_char(&b, 'e');
    buf_add_span(&b, SPAN("f"));
    buf_addf(&b, "%s%d", "g", 7);
    assert_buf(&b, "abcdefg7");
    buf_clear(&b);
    assert_null(b.data);
    assert_int_equal(b.len + b.cap, 0);
}

static void numbers_are_written_to_their_limits(void **state)
{
    static const struct {
        int64_t n;
        const char *text;
    } rows[] = {{0, "0"},
                {-1, "-1"},
                {10, "10"},
                {INT64_MAX, "9223372036854775807"},
                {INT64_MIN, "-9223372036854775808"}};
    (void)state;
    struct buf b = {.len = 0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buf_reset(&b);
        buf_add_i64(&b, rows[i].n);
        assert_buf(&b, rows[i].text);
    }
    buf_reset(&b);
    buf_add_u64(&b, UINT64_MAX);
    assert_buf(&b, "18446744073709551615");
    buf_clear(&b);
}

static void formatted_text_grows_at_every_fill_level(void **state)
{
    (void)state;
    char filler[300];
    memset(filler, 'x', sizeof filler);
    for (size_t filled = 0; filled < 70; filled++) {
        for (int len = 0; len < 70; len++) {
            struct buf b = {.len = 0};
            buf_add(&b, filler, filled);
            buf_addf(&b, "%.*s", len, filler);
            buf_add_char(&b, '!');
            assert_int_equal(b.len, filled + (size_t)len + 1);
            assert_memory_equal(b.data, filler, filled + (size_t)len);
            assert_int_equal(b.data[b.len - 1], '!');
            buf_clear(&b);
        }
    }
}

static void reserved_room_is_behind_the_content(void **state)
{
    (void)state;
    struct buf b = {.len = 0};
    assert_non_null(buf_reserve(&b, 0));
    buf_add(&b, "abc", 3);
    char *room = buf_reserve(&b, 10000);
    assert_ptr_equal(room, b.data + 3);
    assert_true(b.cap >= 10003);
    memset(room, 'z', 10000);
    assert_memory_equal(b.data, "abcz", 4);
    buf_clear(&b);
}

static void emptying_keeps_the_memory(void **state)
{
    (void)state;
    struct buf b = {.len = 0};
    BUF_ADD_LIT(&b, "abc");
    size_t cap = b.cap;
    buf_reset(&b);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.cap, cap);
    buf_clear(&b);
}

static void growing_one_by_one_is_amortised(void **state)
{
    (void)state;
    struct buf b = {.len = 0};
    size_t moves = 0, cap = 0;
    for (size_t i = 0; i < 100000; i++) {
        buf_add_char(&b, (char)(i % 251));
        moves += b.cap != cap;
        cap = b.cap;
    }
    assert_true(moves < 20);
    for (size_t i = 0; i < b.len; i++)
        assert_int_equal(b.data[i], (char)(i % 251));
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_added_in_any_way_stay_in_order),
        cmocka_unit_test(numbers_are_written_to_their_limits),
        cmocka_unit_test(formatted_text_grows_at_every_fill_level),
        cmocka_unit_test(reserved_room_is_behind_the_content),
        cmocka_unit_test(emptying_keeps_the_memory),
        cmocka_unit_test(growing_one_by_one_is_amortised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
