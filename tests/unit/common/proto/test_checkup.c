/* Checkups in orders. */
#include "common/proto/orders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void add_sample(struct buf *text, struct buf *checkup, bool unchanged)
{
    checkup_open(checkup, 4);
    checkup_add_peer(checkup, SPAN("n\"1"), SPAN("http://a:1"), true);
    checkup_add_peer(checkup, SPAN("n2"), SPAN("http://b:1"), false);
    checkup_open_servers(checkup);
    checkup_add_server(checkup, SPAN("http://r:3000"), true);
    checkup_add_server(checkup, SPAN("http://s:3000"), false);
    checkup_close(checkup);
    struct orders o = {.epoch = 1, .unchanged = unchanged, .checkup = {.text = buf_span(checkup)}};
    orders_open(text, &o);
    if (!unchanged)
        orders_open_drops(text);
    orders_close(text);
}

static void orders_name_peers_and_servers(void **state)
{
    (void)state;
    for (int unchanged = 0; unchanged < 2; unchanged++) {
        struct buf text = {0}, checkup = {0};
        struct orders got;
        struct span node, url;
        json_t *doc;
        size_t at = 0;
        add_sample(&text, &checkup, unchanged);
        assert_int_equal(orders_read(&got, &doc, buf_span(&text)), ERR_OK);
        assert_int_equal(got.checkup.id, 4);
        assert_true(checkup_next_peer(&got.checkup, &at, &node, &url));
        assert_true(span_eq(node, SPAN("n\"1")) && span_eq(url, SPAN("http://a:1")));
        assert_true(checkup_next_peer(&got.checkup, &at, &node, &url));
        assert_true(span_eq(node, SPAN("n2")) && span_eq(url, SPAN("http://b:1")));
        assert_false(checkup_next_peer(&got.checkup, &at, &node, &url));
        at = 0;
        assert_true(checkup_next_server(&got.checkup, &at, &url));
        assert_true(span_eq(url, SPAN("http://r:3000")));
        assert_true(checkup_next_server(&got.checkup, &at, &url));
        assert_false(checkup_next_server(&got.checkup, &at, &url));
        json_decref(doc);
        buf_clear(&text);
        buf_clear(&checkup);
    }
}

static void only_checkups_are_checkups(void **state)
{
    static const struct {
        const char *text;
        enum err e;
    } rows[] = {
        {"{\"epoch\":1}", ERR_OK},
        {"{\"epoch\":1,\"checkup\":{\"id\":1}}", ERR_OK},
        {"{\"epoch\":1,\"checkup\":{\"id\":1,\"later\":[]}}", ERR_OK},
        {"{\"epoch\":1,\"checkup\":{}}", ERR_SYNTAX},
        {"{\"epoch\":1,\"checkup\":7}", ERR_SYNTAX},
        {"{\"epoch\":1,\"checkup\":{\"id\":0}}", ERR_SYNTAX},
        {"{\"epoch\":1,\"checkup\":{\"id\":1,\"peers\":{}}}", ERR_SYNTAX},
        {"{\"epoch\":1,\"checkup\":{\"id\":1,\"peers\":[{\"node\":\"n\"}]}}", ERR_SYNTAX},
        {"{\"epoch\":1,\"checkup\":{\"id\":1,\"peers\":[7]}}", ERR_SYNTAX},
        {"{\"epoch\":1,\"checkup\":{\"id\":1,\"servers\":[\"\"]}}", ERR_SYNTAX},
        {"{\"epoch\":1,\"checkup\":{\"id\":1,\"servers\":[7]}}", ERR_SYNTAX},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct orders got;
        json_t *doc;
        if (orders_read(&got, &doc, span_str(rows[i].text)) != rows[i].e)
            fail_msg("%s", rows[i].text);
        json_decref(doc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_name_peers_and_servers),
        cmocka_unit_test(only_checkups_are_checkups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
