/* JSON texts as headers can carry them. */
#include "common/proto/json_ascii.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void texts_become_printable_and_lose_their_blanks(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"{}", "{}"},
        {" [ 1 ,\t-2.50e+1,\r\nnull ] ", "[1,-2.50e+1,null]"},
        {"{ \"a b\" : \" c \" }", "{\"a b\":\" c \"}"},
        {"\"\\\" x\\\\\"", "\"\\\" x\\\\\""},
        {"[\"\\\\\" , \"\\u00e9 \\n\"]", "[\"\\\\\",\"\\u00e9 \\n\"]"},
        {"\"\xc3\xa9\"", "\"\\u00e9\""},
        {"\"\xe2\x82\xac\xef\xbf\xbd\"", "\"\\u20ac\\ufffd\""},
        {"\"\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\"", "\"\\ud83d\\ude00\\udbff\\udfff\""},
        {"\"\x7f~\"", "\"\\u007f~\""},
        {"{\"\xc3\xa9 \" : 1}", "{\"\\u00e9 \":1}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        json_ascii_add(&out, span_str(rows[i].text));
        buf_add_char(&out, '\0');
        assert_string_equal(out.data, rows[i].want);
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_printable_and_lose_their_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
