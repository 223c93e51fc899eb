#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/proto/ws_offer.h"

#define PMD    "permessage-deflate"
#define ANSWER PMD "; server_no_context_takeover; client_no_context_takeover"

/* What is chosen of headers with these values; each is NULL-terminated by the end of the array. */
static struct ws_offer choose(const char *first, const char *second)
{
    struct http_head h = {.header_count = 1};
    h.headers[0] =
        (struct http_header){.name = SPAN("sec-websocket-extensions"), .value = span_str(first)};
    if (second != NULL)
        h.headers[h.header_count++] = (struct http_header){.name = SPAN("Sec-WebSocket-Extensions"),
                                                           .value = span_str(second)};
    return ws_offer_choose(&h);
}

static void the_first_offer_that_can_be_taken_is(void **state)
{
    (void)state;
    static const struct {
        const char *offered;
        uint8_t bits;
        const char *answer;
    } rows[] = {
        {PMD, 15, ANSWER},
        {"permessage-deflate; client_max_window_bits", 15, ANSWER}, /* Chromium's, and ws' */
        {PMD ";client_max_window_bits=10", 15, ANSWER},
        {PMD "; server_no_context_takeover; client_no_context_takeover", 15, ANSWER},
        {PMD "; server_max_window_bits=10", 10, ANSWER "; server_max_window_bits=10"},
        {PMD "; server_max_window_bits=8", 8, ANSWER "; server_max_window_bits=8"},
        {PMD "; server_max_window_bits=15", 15, ANSWER "; server_max_window_bits=15"},
        {PMD " ;\tserver_max_window_bits = \"1\\2\" ", 12, ANSWER "; server_max_window_bits=12"},
        {PMD "; server_max_window_bits=\"9\"; client_max_window_bits=\"15\"", 9,
         ANSWER "; server_max_window_bits=9"},
        {"x-webkit-deflate-frame, " PMD, 15, ANSWER},
        {"foo; bar=\"a\\,\\;\", " PMD, 0, ""}, /* what is in quotes is a token, too */
        {"foo; bar=\"a\", " PMD, 15, ANSWER},
        {PMD "; unknown, " PMD, 15, ANSWER},
        {PMD "; unknown, " PMD "; server_max_window_bits=11, " PMD, 11,
         ANSWER "; server_max_window_bits=11"},
        {", ," PMD ",", 15, ANSWER},
        {PMD "; unknown", 0, ""},
        {PMD "; unknown=1", 0, ""},
        {PMD "; server_no_context_takeover=1", 0, ""},
        {PMD "; client_no_context_takeover=true", 0, ""},
        {PMD "; server_no_context_takeover; server_no_context_takeover", 0, ""},
        {PMD "; client_max_window_bits; client_max_window_bits=15", 0, ""},
        {PMD "; server_max_window_bits", 0, ""},
        {PMD "; server_max_window_bits=7", 0, ""},
        {PMD "; server_max_window_bits=16", 0, ""},
        {PMD "; server_max_window_bits=08", 0, ""},
        {PMD "; server_max_window_bits=1O", 0, ""},
        {PMD "; server_max_window_bits=+9", 0, ""},
        {PMD "; server_max_window_bits=115", 0, ""},
        {PMD "; server_max_window_bits=4294967304", 0, ""},
        {PMD "; client_max_window_bits=7", 0, ""},
        {PMD "; client_max_window_bits=", 0, ""},
        {PMD "; client_max_window_bits=\"\"", 0, ""},
        {PMD "; SERVER_NO_CONTEXT_TAKEOVER", 0, ""},
        {"Permessage-Deflate", 0, ""},
        {"permessage-deflatex", 0, ""},
        {"", 0, ""},
        {PMD ";", 0, ""},
        {PMD "; =", 0, ""},
        {PMD " " PMD, 0, ""},
        {PMD ", a b", 0, ""},
        {PMD "; client_max_window_bits=\"10", 0, ""},
        {PMD "; client_max_window_bits=\"1\\", 0, ""},
        {PMD "; client_max_window_bits=\"10\"x", 0, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ws_offer o = choose(rows[i].offered, NULL);
        if (o.window_bits != rows[i].bits || !span_eq(o.answer, span_str(rows[i].answer)))
            fail_msg("%s: %u %.*s", rows[i].offered, o.window_bits, SPAN_ARG(o.answer));
    }
}

static void offers_may_stand_in_several_headers(void **state)
{
    (void)state;
    assert_int_equal(choose("a, b; c", PMD).window_bits, 15);
    assert_int_equal(choose(PMD "; x", PMD "; server_max_window_bits=9").window_bits, 9);
    assert_int_equal(choose(PMD, "broken;;").window_bits, 0);
    struct http_head none = {.header_count = 0};
    assert_int_equal(ws_offer_choose(&none).window_bits, 0);
}

static void headers_are_well_formed_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool good;
    } rows[] = {
        {PMD, true},
        {"a; b; c=1, d", true},
        {"a; b=\"c\"", true},
        {"a; b=\"\\c\"", true},
        {",a ,,b,", true},
        {"", false},
        {",", false},
        {";a", false},
        {"a;", false},
        {"a b", false},
        {"a=1", false},
        {"a; =1", false},
        {"a; b=", false},
        {"a; b=\"c", false},
        {"a; b=\"c d\"", false},
        {"a; b=\"\"", false},
        {"a; b=\"c\\\"", false},
        {"a, b/c", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_head h = {.header_count = 1};
        h.headers[0] = (struct http_header){.name = SPAN("Sec-WebSocket-Extensions"),
                                            .value = span_str(rows[i].value)};
        if (ws_offers_are_valid(&h) != rows[i].good)
            fail_msg("%s", rows[i].value);
    }
    struct http_head none = {.header_count = 0};
    assert_true(ws_offers_are_valid(&none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_well_formed_or_not),
        cmocka_unit_test(the_first_offer_that_can_be_taken_is),
        cmocka_unit_test(offers_may_stand_in_several_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
