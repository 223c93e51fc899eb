/* Which server a client that passes is given. */
#include "shard/io/pass_servers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/log.h"
#include "shard/io/pass_key.h"

enum { SERVERS = 4, KEYS = 200 };

static struct {
    struct loop *loop;
    struct pass_servers servers;
    struct origins list;
} s;

static void no_log(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static int set_up(void **state)
{
    struct span bad;
    (void)state;
    log_capture(no_log);
    s.loop = loop_new();
    pass_servers_init(&s.servers, s.loop, 1000);
    assert_int_equal(
        origins_parse(&s.list, SPAN("http://a:1,http://b:1,http://c:1,http://d:1"), &bad), ERR_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    origins_clear(&s.list);
    pass_servers_clear(&s.servers);
    loop_turn(s.loop, 0);
    loop_free(s.loop);
    return 0;
}

/* The n-th that a client of this key tries, from 0; NULL: there are not so many. */
static struct pass_server *choice(int key, int n)
{
    char text[16];
    struct buf tried = {0};
    struct pass_server *server = NULL;
    (void)snprintf(text, sizeof text, "k%d", key);
    for (int i = 0; i <= n; i++)
        server = pass_servers_next(&s.servers, &s.list, span_str(text), &tried);
    buf_clear(&tried);
    return server;
}

static void each_key_has_its_server_and_an_order_of_the_others(void **state)
{
    size_t seen = 0;
    (void)state;
    for (int key = 0; key < KEYS; key++) {
        struct pass_server *first = choice(key, 0);
        char text[16];
        (void)snprintf(text, sizeof text, "k%d", key);
        assert_ptr_equal(first, choice(key, 0));
        /* As every node chooses, and worlds do. */
        assert_string_equal(first->origin.text, origins_choose(&s.list, span_str(text))->text);
        assert_null(choice(key, SERVERS));
        for (int n = 1; n < SERVERS; n++)
            assert_ptr_not_equal(choice(key, n), choice(key, n - 1));
        seen += first == choice(0, 0) ? 1 : 0;
    }
    assert_in_range(seen, KEYS / SERVERS / 2, KEYS / 2);
}

static void one_that_failed_is_tried_last_for_a_while(void **state)
{
    struct pass_server *bad = choice(7, 0), *next = choice(7, 1);
    (void)state;
    pass_server_failed(&s.servers, bad, "timed out");
    for (int key = 0; key < KEYS; key++) {
        assert_ptr_not_equal(choice(key, 0), bad);
        assert_ptr_equal(choice(key, SERVERS - 1), bad); /* all the same it is tried */
    }
    assert_ptr_equal(choice(7, 0), next);
    assert_int_equal(bad->bad_until_ms, loop_now(s.loop) + PASS_OVER_MS);
    bad->bad_until_ms = loop_now(s.loop); /* the time is over */
    assert_ptr_equal(choice(7, 0), bad);
}

static void servers_of_all_rules_are_the_same(void **state)
{
    struct origins other;
    struct span bad;
    (void)state;
    assert_int_equal(origins_parse(&other, SPAN("http://B:1/"), &bad), ERR_OK);
    pass_server_failed(&s.servers, pass_servers_get(&s.servers, &s.list.list[1]), "timed out");
    assert_int_equal(s.servers.by_text.count, 1);
    assert_non_null(pass_servers_get(&s.servers, &other.list[0]));
    origins_clear(&other);
}

/* ---- keys */

static void assert_key(const char *keys, const char *target, const char *lines, const char *want)
{
    struct buf json = {0}, problem = {0}, text = {0}, scratch = {0}, key = {0};
    struct routes *routes;
    struct http_head h;
    struct sender from = {.trusted = false};
    assert_int_equal(addr_parse(SPAN("192.0.2.7"), &from.client), ERR_OK);
    buf_addf(&json, "[{\"path\":\"/x/{room}/*\",\"mode\":\"pass\",\"servers\":[\"http://a\"]%s}]",
             keys);
    assert_int_equal(routes_parse(&routes, buf_span(&json), &problem), ERR_OK);
    buf_addf(&text, "GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n", target, lines);
    assert_int_equal(http_head_parse_request(&h, text.data, text.len), ERR_OK);
    struct route r = route_of(routes, h.target, &scratch);
    assert_int_equal(r.kind, ROUTE_SERVER);
    pass_key_add(&key, &h, &r, &from);
    if (!span_eq(buf_span(&key), span_str(want)))
        fail_msg("%s %s: %.*s", keys, target, SPAN_ARG(buf_span(&key)));
    routes_free(routes);
    buf_clear(&json);
    buf_clear(&problem);
    buf_clear(&text);
    buf_clear(&scratch);
    buf_clear(&key);
}

#define ALL ",\"key\":[\"cookie:io\",\"query:s\",\"header:X-R\",\"path:room\",\"address\"]"

static void first_key_that_yields_something_counts(void **state)
{
    static const struct {
        const char *keys, *target, *lines, *want;
    } rows[] = {
        {ALL, "/x/r%20m/", "Cookie: a=b; io=\"q\"; c=d\r\nX-R: h\r\n", "\"q\""},
        {ALL, "/x/r/?s=a+b%21", "Cookie: xio=1; io=\r\nX-R: h\r\n", "a b!"},
        {ALL, "/x/r/?s=", "Cookie: a\r\nCookie: io=2\r\n", "2"},
        {ALL, "/x/r/?t=1", "x-r: h\r\n", "h"},
        {ALL, "/x/r%20m", "", "r m"},
        {",\"key\":[\"query:s\",\"address\"]", "/x/r", "", "192.0.2.7"},
        {",\"key\":[\"query:s\"]", "/x/r", "", ""},
        {"", "/x/r?room=q", "", "r"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_key(rows[i].keys, rows[i].target, rows[i].lines, rows[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_key_has_its_server_and_an_order_of_the_others, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_that_failed_is_tried_last_for_a_while, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(servers_of_all_rules_are_the_same, set_up, tear_down),
        cmocka_unit_test(first_key_that_yields_something_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
