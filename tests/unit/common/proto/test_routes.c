/* ROUTES: what may be written, and which rule a path fits. */
#include "common/proto/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct routes *read_good(const char *json)
{
    struct routes *r;
    struct buf problem = {0};
    if (routes_parse(&r, span_str(json), &problem) != ERR_OK)
        fail_msg("%s: %.*s", json, SPAN_ARG(buf_span(&problem)));
    buf_clear(&problem);
    return r;
}

static void mistakes_are_named_with_their_place(void **state)
{
    static const struct {
        const char *json, *problem;
    } rows[] = {
        {"{}", "is not a list of rules"},
        {"[", "line 1, column 1: "},
        {"[3]", "[0]: is not an object"},
        {"[{}]", "[0].path: a text such as"},
        {"[{\"path\":\"/a\"}]", "[0].mode: \"mux\" or \"pass\" is needed"},
        {"[{\"path\":\"/a\",\"mode\":\"x\"}]", "[0].mode: \"x\" is not \"mux\" or \"pass\""},
        {"[{\"path\":\"/a\",\"mode\":\"mux\"}]", "[0].mode: mux needs {shard} in the path"},
        {"[{\"path\":\"a\",\"mode\":\"pass\"}]", "[0].path: \"a\" does not start with a slash"},
        {"[{\"path\":\"/*/a\",\"mode\":\"pass\"}]", "[0].path: \"/*/a\" has a * that is not"},
        {"[{\"path\":\"/a*\",\"mode\":\"pass\"}]", "[0].path: \"/a*\" has a segment that no"},
        {"[{\"path\":\"//a\",\"mode\":\"pass\"}]", "[0].path: \"//a\" has an empty segment"},
        {"[{\"path\":\"/{}\",\"mode\":\"pass\"}]", "[0].path: \"/{}\" has a segment that no"},
        {"[{\"path\":\"/{a b}\",\"mode\":\"pass\"}]", "[0].path: \"/{a b}\" has a name with"},
        {"[{\"path\":\"/{a}/{a}\",\"mode\":\"pass\"}]", "[0].path: \"/{a}/{a}\" has a name twice"},
        {"[{\"path\":\"/../a\",\"mode\":\"pass\"}]", "[0].path: \"/../a\" has a segment"},
        {"[{\"path\":\"/a?b\",\"mode\":\"pass\"}]", "[0].path: \"/a?b\" has a segment"},
        {"[{\"path\":\"/livez\",\"mode\":\"pass\"}]", "[0].path: \"/livez\" belongs to the node"},
        {"[{\"path\":\"/parties/world/*\",\"mode\":\"pass\"}]", "[0].path: \"/parties/world/*\" b"},
        {"[{\"path\":\"/terrane/x\",\"mode\":\"pass\"}]", "[0].path: \"/terrane/x\" belongs"},
        {"[{\"path\":\"/a\",\"mode\":\"pass\",\"colour\":1}]", "[0]: \"colour\" is not a member"},
        {"[{\"path\":\"/a\",\"mode\":\"pass\",\"auth\":\"ticket\"}]", "[0].auth: tickets are for"},
        {"[{\"path\":\"/a\",\"mode\":\"pass\",\"auth\":\"x\"}]", "[0].auth: \"x\" is not"},
        {"[{\"path\":\"/a\",\"mode\":\"pass\",\"auth\":1}]", "[0].auth: is not"},
        {"[{\"path\":\"/a\",\"mode\":\"pass\",\"servers\":[]}]", "[0].servers: is empty"},
        {"[{\"path\":\"/a\",\"mode\":\"pass\",\"servers\":[1]}]", "[0].servers: is not a list"},
        {"[{\"path\":\"/a\",\"mode\":\"pass\",\"servers\":[\"x\"]}]", "[0].servers: \"x\" is not"},
        {"[{\"path\":\"/a\",\"mode\":\"pass\",\"origins\":[\"\"]}]",
         "[0].origins: \"\" is not one"},
        {"[{\"path\":\"/a\",\"mode\":\"pass\",\"origins\":[\"null\",\"a.example\"]}]",
         "[0].origins: \"a.example\" is not an origin"},
        {"[{\"path\":\"/a\",\"mode\":\"pass\",\"key\":[\"x\"]}]", "[0].key: \"x\" is not path:"},
        {"[{\"path\":\"/a\",\"mode\":\"pass\",\"key\":[\"path:x\"]}]",
         "[0].key: \"path:x\" is not in"},
        {"[{\"path\":\"/{shard}\",\"mode\":\"pass\",\"key\":[\"address\"]}]", "[0].key: is for"},
        {"[{\"path\":\"/{shard}\",\"mode\":\"mux\",\"secret\":true}]",
         "[0].secret: is for mode pass"},
        {"[{\"path\":\"/{shard}\",\"mode\":\"mux\",\"servers\":[\"http://a\"]}]",
         "[0].servers: is f"},
        {"[{\"path\":\"/{shard}\",\"mode\":\"mux\",\"deflate\":1}]", "[0].deflate: is not true"},
        {"[{\"path\":\"/a\",\"mode\":\"pass\",\"deflate\":true}]", "[0].deflate: is for mode mux"},
        {"[{\"path\":\"/a/*\",\"mode\":\"pass\"},{\"path\":\"/a/{x}\",\"mode\":\"pass\"}]",
         "[1].path: \"/a/{x}\" is never reached: [0] takes"},
        {"[{\"path\":\"/{x}\",\"mode\":\"pass\"},{\"path\":\"/b\",\"mode\":\"pass\"}]",
         "[1].path: \"/b\" is never reached"},
        {"[{\"path\":\"/a\",\"mode\":\"pass\"},{\"path\":\"/a\",\"mode\":\"pass\"}]",
         "[1].path: \"/a\" is never reached"},
    };
    struct buf problem = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct routes *r;
        assert_int_equal(routes_parse(&r, span_str(rows[i].json), &problem), ERR_SYNTAX);
        assert_null(r);
        if (!span_starts(buf_span(&problem), span_str(rows[i].problem)))
            fail_msg("%s: %.*s", rows[i].json, SPAN_ARG(buf_span(&problem)));
    }
    buf_clear(&problem);
}

static void rules_that_overlap_in_part_are_all_good(void **state)
{
    (void)state;
    routes_free(
        read_good("[{\"path\":\"/a\",\"mode\":\"pass\"},{\"path\":\"/{x}\",\"mode\":\"pass\"},"
                  "{\"path\":\"/{x}/\",\"mode\":\"pass\"},{\"path\":\"/a/{shard}\","
                  "\"mode\":\"mux\"},{\"path\":\"/*\",\"mode\":\"pass\"}]"));
}

static void members_are_read(void **state)
{
    struct routes *r = read_good(
        "[{\"path\":\"/s/*\",\"mode\":\"pass\",\"servers\":[\"http://10.0.0.5:3000\",\"http://b\"],"
        "\"key\":[\"query:room\",\"cookie:io\",\"header:X-Room\",\"address\"],\"auth\":\"none\","
        "\"origins\":[\"https://a.example\",\"https://b.example\"],\"secret\":true},"
        "{\"path\":\"/g/{shard}/*\",\"mode\":\"mux\",\"auth\":\"ticket\",\"deflate\":false},"
        "{\"path\":\"/r/{room}\",\"mode\":\"pass\"}]");
    const struct route_rule *rule = routes_at(r, 0);
    (void)state;
    assert_int_equal(rule->mode, ROUTE_PASS);
    assert_int_equal(rule->auth, ROUTE_AUTH_NONE);
    assert_int_equal(rule->servers.count, 2);
    assert_string_equal(rule->servers.list[0].text, "10.0.0.5:3000");
    assert_string_equal(rule->origins, "https://a.example,https://b.example");
    assert_true(rule->secret);
    assert_int_equal(rule->key_count, 4);
    assert_int_equal(rule->keys[2].from, ROUTE_KEY_HEADER);
    assert_string_equal(rule->keys[2].name, "X-Room");
    assert_null(rule->keys[3].name);
    rule = routes_at(r, 1);
    assert_true(rule->has_shard && rule->mode == ROUTE_MUX);
    assert_int_equal(rule->auth, ROUTE_AUTH_TICKET);
    assert_int_equal(rule->deflate, 0);
    assert_int_equal(rule->key_count, 0);
    rule = routes_at(r, 2);
    assert_int_equal(rule->deflate, -1);
    assert_int_equal(rule->key_count, 3);
    assert_int_equal(rule->keys[0].from, ROUTE_KEY_PATH);
    rule = routes_at(r, 3);
    assert_true(rule->builtin);
    assert_null(routes_at(r, 4));
    routes_free(r);
}

static void the_first_rule_that_fits_counts(void **state)
{
    static const struct {
        const char *path;
        int rule; /* -1: none; -2: a bad name */
        const char *shard, *room, *rest, *resolved;
    } rows[] = {
        {"/socket.io/", 0, "", "", "/", "/socket.io/"},
        {"/socket.io", 0, "", "", "", "/socket.io"},
        {"/socket.io/a//b", 0, "", "", "/a//b", "/socket.io/a//b"},
        {"/socket%2eio/x", 0, "", "", "/x", "/socket%2eio/x"},
        {"/socket.io%2fx", -1, "", "", "", ""},
        {"/Socket.io/", -1, "", "", "", ""},
        {"/x/../socket.io/", 0, "", "", "/", "/socket.io/"},
        {"/x\\..\\socket.io\\y", 0, "", "", "/y", "/socket.io/y"},
        {"/game/a%3Ab/room%2F1/z/%zz", 1, "a:b", "room/1", "/z/%zz", "/game/a%3Ab/room%2F1/z/%zz"},
        {"/game/a/b", 1, "a", "b", "", "/game/a/b"},
        {"/game/a", -1, "", "", "", ""},
        {"/game//b", -1, "", "", "", ""},
        {"/game/%zz/b", -2, "", "", "", ""},
        {"/game/%ff/b", -2, "", "", "", ""},
        {"/game/a/%2e%2e/c/d", 1, "c", "d", "", "/game/c/d"},
        {"/end/", 2, "", "", "", "/end/"},
        {"/end", -1, "", "", "", ""},
        {"/end/x", -1, "", "", "", ""},
        {"/parties/shard/a:w:1/x", 3, "a:w:1", "", "/x", "/parties/shard/a:w:1/x"},
        {"/parties/shard/a", 3, "a", "", "", "/parties/shard/a"},
        {"/parties/shard/", -1, "", "", "", ""},
        {"/", -1, "", "", "", ""},
    };
    struct routes *r = read_good("[{\"path\":\"/socket.io/*\",\"mode\":\"pass\"},"
                                 "{\"path\":\"/game/{shard}/{room}/*\",\"mode\":\"pass\"},"
                                 "{\"path\":\"/end/\",\"mode\":\"pass\"}]");
    struct buf scratch = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct route_fit fit;
        enum err want = rows[i].rule == -1 ? ERR_MISSING : rows[i].rule == -2 ? ERR_SYNTAX : ERR_OK;
        enum err e = routes_fit(r, span_str(rows[i].path), &scratch, &fit);
        if (e != want)
            fail_msg("%s: %d", rows[i].path, (int)e);
        if (e != ERR_OK)
            continue;
        assert_ptr_equal(fit.rule, routes_at(r, (size_t)rows[i].rule));
        assert_true(span_eq(fit.shard, span_str(rows[i].shard)));
        assert_true(span_eq(fit.room, span_str(rows[i].room)));
        assert_true(span_eq(fit.rest, span_str(rows[i].rest)));
        assert_true(span_eq(fit.path, span_str(rows[i].resolved)));
        if (fit.shard.len > 0)
            assert_true(fit.shard_raw.ptr > fit.path.ptr &&
                        fit.shard_raw.ptr < fit.path.ptr + fit.path.len);
    }
    buf_clear(&scratch);
    routes_free(r);
}

static void names_are_found_in_the_path(void **state)
{
    struct routes *r = read_good("[{\"path\":\"/a/{team}/b/{x}/*\",\"mode\":\"pass\"}]");
    struct buf out = {0};
    (void)state;
    assert_true(routes_name(routes_at(r, 0), SPAN("/a/r%20d/b/2/rest"), SPAN("team"), &out));
    assert_true(span_eq(buf_span(&out), SPAN("r d")));
    assert_true(routes_name(routes_at(r, 0), SPAN("/a/r%20d/b/2/rest"), SPAN("x"), &out));
    assert_true(span_eq(buf_span(&out), SPAN("r d2")));
    assert_false(routes_name(routes_at(r, 0), SPAN("/a/r/b/2"), SPAN("room"), &out));
    buf_clear(&out);
    routes_free(r);
}

static void nothing_written_leaves_the_builtin_rule(void **state)
{
    struct routes *r = read_good("");
    (void)state;
    assert_int_equal(r->count, 1);
    assert_true(routes_at(r, 0)->builtin && routes_at(r, 0)->mode == ROUTE_MUX);
    assert_string_equal(routes_at(r, 0)->pattern, routes_at(&routes_builtin, 0)->pattern);
    routes_free(r);
    routes_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(rules_that_overlap_in_part_are_all_good),
        cmocka_unit_test(members_are_read),
        cmocka_unit_test(the_first_rule_that_fits_counts),
        cmocka_unit_test(names_are_found_in_the_path),
        cmocka_unit_test(nothing_written_leaves_the_builtin_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
