/* Upgrade requests that outlive their exchange. */
#include "shard/io/kept_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define HANDSHAKE                                                                                  \
    "Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"        \
    "Sec-WebSocket-Key: " KEY "\r\n"

/* Keeps a request whose bytes are gone when it is looked at. */
static void keep(struct kept_request *k, const struct routes *routes, const char *target,
                 const char *lines, struct span protocol)
{
    struct buf text = {0}, scratch = {0};
    struct http_head head;
    struct sender from = {.hopped = true};
    buf_addf(&text, "GET %s HTTP/1.1\r\n" HANDSHAKE "%s\r\n", target, lines);
    assert_int_equal(http_head_parse_request(&head, text.data, text.len), ERR_OK);
    struct http_exchange x = {.head = &head, .tls = true};
    struct route r = route_of(routes, head.target, &scratch);
    *k = (struct kept_request){.scratch = {0}};
    kept_request_take(k, &(struct arrived){.x = &x, .head = &head, .route = &r, .from = &from},
                      routes, protocol);
    memset(text.data, 'x', text.len);
    buf_clear(&text);
    buf_clear(&scratch);
}

static void assert_header(const struct kept_request *k, const char *name, const char *want)
{
    struct span got = http_head_get(&k->head, span_str(name));
    if (!span_eq(got, span_str(want)) || (got.ptr == NULL) != (want == NULL))
        fail_msg("%s: '%.*s'", name, SPAN_ARG(got));
}

static void all_that_goes_further_is_kept(void **state)
{
    struct routes *routes;
    struct buf problem = {0};
    struct kept_request k;
    (void)state;
    assert_int_equal(
        routes_parse(&routes, SPAN("[{\"path\":\"/a/{shard}/*\",\"mode\":\"mux\"}]"), &problem),
        ERR_OK);
    keep(&k, routes, "/a/s%3A1/b?x=1", "X-A: 1\r\nx-a: 2\r\nCookie:\r\n", SPAN(""));
    assert_true(span_eq(k.head.target, SPAN("/a/s%3A1/b?x=1")));
    assert_true(span_eq(k.head.method, SPAN("GET")));
    assert_true(span_eq(k.route.shard_id, SPAN("s:1")) && span_eq(k.route.rest, SPAN("/b")));
    assert_true(span_eq(k.route.query, SPAN("x=1")));
    assert_memory_equal(k.key, KEY, WS_KEY_LEN);
    assert_header(&k, "sec-websocket-key", KEY);
    assert_header(&k, "x-a", "1");
    assert_header(&k, "cookie", "");
    assert_int_equal(k.head.header_count, 8);
    assert_true(k.from.hopped && k.x.tls && k.x.head == &k.head && k.head.upgrade);
    kept_request_clear(&k);
    keep(&k, routes, "/a/s", "", SPAN(""));
    assert_true(span_eq(k.head.target, SPAN("/a/s")) && k.route.query.ptr == NULL);
    kept_request_clear(&k);
    routes_free(routes);
    buf_clear(&problem);
}

static void only_what_the_client_was_told_is_offered(void **state)
{
    static const struct {
        const char *lines, *told, *offered;
    } rows[] = {
        {"Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: c\r\n", "b", "b"},
        {"Sec-WebSocket-Protocol: a\r\n", "", NULL},
        {"", "", NULL},
        {"Sec-WebSocket-Extensions: permessage-deflate\r\n", "", NULL},
    };
    struct routes *routes;
    struct buf problem = {0};
    (void)state;
    assert_int_equal(routes_parse(&routes, SPAN(""), &problem), ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct kept_request k;
        keep(&k, routes, "/parties/shard/s", rows[i].lines, span_str(rows[i].told));
        assert_header(&k, "sec-websocket-protocol", rows[i].offered);
        assert_header(&k, "sec-websocket-extensions", NULL);
        assert_int_equal(k.head.header_count, rows[i].offered == NULL ? 5 : 6);
        assert_true(span_eq(k.protocol, span_str(rows[i].told)));
        kept_request_clear(&k);
    }
    routes_free(routes);
    buf_clear(&problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_goes_further_is_kept),
        cmocka_unit_test(only_what_the_client_was_told_is_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
