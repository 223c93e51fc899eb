/* Traces of requests. */
#include "common/proto/trace_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define ID "0af7651916cd43dd8448eb211c80319c"
#define UP "0AF7651916CD43DD8448EB211C80319C"

static void ids_are_taken_from_good_headers_alone(void **state)
{
    static const struct {
        const char *lines, *id;
    } rows[] = {
        {"traceparent: 00-" ID "-b7ad6b7169203331-01\r\n", ID},
        {"TraceParent: 00-" ID "-b7ad6b7169203331-00\r\n", ID},
        {"traceparent: cc-" ID "-b7ad6b7169203331-01\r\n", ID},
        {"traceparent: cc-" ID "-b7ad6b7169203331-01-more\r\n", ID},
        {"", ""},
        {"traceparent:\r\n", ""},
        {"traceparent: 00-" ID "-b7ad6b7169203331-0\r\n", ""},
        {"traceparent: 00-" ID "-b7ad6b7169203331-01-more\r\n", ""},
        {"traceparent: cc-" ID "-b7ad6b7169203331-01more\r\n", ""},
        {"traceparent: ff-" ID "-b7ad6b7169203331-01\r\n", ""},
        {"traceparent: 00-" UP "-b7ad6b7169203331-01\r\n", ""},
        {"traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01\r\n", ""},
        {"traceparent: 00-" ID "-0000000000000000-01\r\n", ""},
        {"traceparent: 00_" ID "-b7ad6b7169203331-01\r\n", ""},
        {"traceparent: 00-" ID "_b7ad6b7169203331-01\r\n", ""},
        {"traceparent: 00-" ID "-b7ad6b7169203331_01\r\n", ""},
        {"traceparent: 00-" ID "-b7ad6b7169203331-0x\r\n", ""},
        {"traceparent: 00-" ID "-b7ad6b7169203331-01\r\n"
         "traceparent: 00-" ID "-b7ad6b7169203331-01\r\n",
         ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_head head;
        char text[512];
        int len =
            snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n", rows[i].lines);
        assert_int_equal(http_head_parse_request(&head, text, (size_t)len), ERR_OK);
        assert_string_equal(trace_id_of(&head).hex, rows[i].id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_taken_from_good_headers_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
