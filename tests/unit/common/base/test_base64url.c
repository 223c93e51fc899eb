#include "common/base/base64url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void known_bytes_have_known_texts(void **state)
{
    static const struct {
        struct span bytes;
        const char *text;
    } rows[] = {
        {SPAN_INIT("f"), "Zg"},         {SPAN_INIT("fo"), "Zm8"},
        {SPAN_INIT("foo"), "Zm9v"},     {SPAN_INIT("foobar"), "Zm9vYmFy"},
        {SPAN_INIT("\xfb\xff"), "-_8"}, {SPAN_INIT("\0\0\0"), "AAAA"},
        {SPAN_INIT("\xff\xff"), "__8"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf text = {0}, bytes = {0};
        base64url_add(&text, rows[i].bytes);
        assert_true(span_eq(buf_span(&text), span_str(rows[i].text)));
        assert_int_equal(base64url_decode(&bytes, buf_span(&text)), ERR_OK);
        assert_true(span_eq(buf_span(&bytes), rows[i].bytes));
        buf_clear(&text);
        buf_clear(&bytes);
    }
}

static void texts_that_nobody_writes_are_refused(void **state)
{
    static const char *const rows[] = {"",      "A",  "Zg==", "Zm9vY", "Zm9+", "Zm9/",
                                       "Zm 9v", "Zh", "Zm9",  "Zm9\n", "Z.9v"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        assert_int_equal(base64url_decode(&out, span_str(rows[i])), ERR_SYNTAX);
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bytes_have_known_texts),
        cmocka_unit_test(texts_that_nobody_writes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
