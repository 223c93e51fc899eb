/* Request targets and the doors they lead to. */
#include "shard/io/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void targets_lead_to_their_doors(void **state)
{
    static const struct {
        const char *target;
        enum route_kind kind;
    } rows[] = {
        {"/livez", ROUTE_LIVEZ},
        {"/readyz?x=1", ROUTE_READYZ},
        {"/metrics", ROUTE_METRICS},
        {"/version", ROUTE_VERSION},
        {"/", ROUTE_NONE},
        {"/foo", ROUTE_NONE},
        {"/livez/", ROUTE_NONE},
        {"/terrane/beat/world-a", ROUTE_BEAT},
        {"/terrane/beat/w%3A1?x", ROUTE_BEAT},
        {"/terrane/beat/", ROUTE_NONE},
        {"/terrane/beat", ROUTE_NONE},
        {"/terrane/beat/a/b", ROUTE_NONE},
        {"/terrane/beat/%zz", ROUTE_BAD},
        {"/parties", ROUTE_NONE},
        {"/parties/shard", ROUTE_NONE},
        {"/parties/shard/", ROUTE_NONE},
        {"/Parties/shard/a", ROUTE_NONE},
        {"/parties/main/a", ROUTE_NONE},
        {"/parties/shards/a", ROUTE_NONE},
        {"/parties/shard/a", ROUTE_SHARD},
        {"/parties/%73hard/a:b:c/x?q", ROUTE_SHARD},
        {"http://host/parties/shard/a", ROUTE_SHARD},
        {"/parties/world/world-a/connect", ROUTE_WORLD},
        {"/parties/%77orld/world%2Da", ROUTE_WORLD},
        {"/parties/shard/../world/w", ROUTE_WORLD},
        {"/parties/shard/%zz", ROUTE_BAD},
        {"/parties/shard/%ff", ROUTE_BAD},
        {"/parties/shard/a/%zz", ROUTE_BAD},
        {"/parties/shard/a/%4", ROUTE_BAD},
        {"/parties/shard/a/%ff", ROUTE_SHARD},
        {"/parties/shard/a?q=%zz", ROUTE_SHARD},
        {"*", ROUTE_BAD},
        {"/parties/shard/..:w:1/main/other", ROUTE_BAD},
        {"/parties/shard/.:w:1/x", ROUTE_BAD},
        {"/parties/shard/%2e%2e:w:1/x", ROUTE_BAD},
        {"/parties/shard/...:w:1/x", ROUTE_SHARD},
    };
    struct buf scratch = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum route_kind kind = route_of(&routes_builtin, span_str(rows[i].target), &scratch).kind;
        if (kind != rows[i].kind)
            fail_msg("%s: %d instead of %d", rows[i].target, (int)kind, (int)rows[i].kind);
    }
    buf_clear(&scratch);
}

static void shard_path_is_taken_apart(void **state)
{
    static const struct {
        const char *target, *id, *rest, *query, *nested;
    } rows[] = {
        {"/parties/shard/a:b:c", "a:b:c", "", NULL, "/parties/shard/a:b:c"},
        {"/parties/shard/a:b:c/x/y?q=1", "a:b:c", "/x/y", "q=1", "/parties/shard/a:b:c/x/y"},
        {"/parties/shard/a%3Ab/", "a:b", "/", NULL, "/parties/shard/a%3Ab/"},
        {"/parties/shard/a/x?", "a", "/x", "", "/parties/shard/a/x"},
        {"/parties/shard/a/../b%20c/x", "b c", "/x", NULL, "/parties/shard/b%20c/x"},
        {"/parties/shard/a/x/../../../../main/b", "", "", NULL, NULL},
        {"/parties/shard/a/x\\..\\y", "a", "/y", NULL, "/parties/shard/a/y"},
        {"/parties/shard/a/%2e%2E/b", "b", "", NULL, "/parties/shard/b"},
    };
    struct buf scratch = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct route r = route_of(&routes_builtin, span_str(rows[i].target), &scratch);
        if (rows[i].nested == NULL) {
            assert_int_equal(r.kind, ROUTE_NONE);
            continue;
        }
        assert_int_equal(r.kind, ROUTE_SHARD);
        assert_true(span_eq(r.shard_id, span_str(rows[i].id)));
        assert_true(span_eq(r.rest, span_str(rows[i].rest)));
        assert_int_equal(r.query.ptr == NULL, rows[i].query == NULL);
        assert_true(span_eq(r.query, span_str(rows[i].query)));
        assert_true(span_eq(r.resolved, span_str(rows[i].nested)));
    }
    buf_clear(&scratch);
}

static void knock_names_its_world(void **state)
{
    struct buf scratch = {0};
    struct route r = route_of(&routes_builtin, SPAN("/terrane/beat/w%20%2F1?x"), &scratch);
    (void)state;
    assert_int_equal(r.kind, ROUTE_BEAT);
    assert_true(span_eq(r.world, SPAN("w /1")));
    buf_clear(&scratch);
}

static struct routes *read_routes(const char *json)
{
    struct routes *r;
    struct buf problem = {0};
    assert_int_equal(routes_parse(&r, span_str(json), &problem), ERR_OK);
    buf_clear(&problem);
    return r;
}

static void no_reading_of_a_path_gets_past_a_rule(void **state)
{
    static const struct {
        const char *target;
        enum route_kind kind;
        const char *pattern;
    } rows[] = {
        {"/app/admin/x", ROUTE_SERVER, "/app/admin/*"},
        {"/app/%61dmin/x", ROUTE_SERVER, "/app/admin/*"},
        {"/app/b/../admin/x", ROUTE_SERVER, "/app/admin/*"},
        {"/app//admin/x", ROUTE_BAD, NULL},
        {"//app/admin/x", ROUTE_BAD, NULL},
        {"/app/admin%2fx", ROUTE_BAD, NULL},
        {"/app/admin%5Cx", ROUTE_BAD, NULL},
        {"/app%2Fadmin/x", ROUTE_BAD, NULL},
        {"/app/admin;a=1/x", ROUTE_BAD, NULL},
        {"/app/admin%3ba/x", ROUTE_BAD, NULL},
        {"/app/b/..%2fadmin/x", ROUTE_BAD, NULL},
        {"/app/b/..;/admin/x", ROUTE_BAD, NULL},
        {"/app/b/..;x%2f%2fadmin", ROUTE_BAD, NULL},
        {"/app/admin/..%2fx", ROUTE_BAD, NULL},
        {"/app/a//b", ROUTE_SERVER, "/app/*"},
        {"/app/a%2fb;c=1", ROUTE_SERVER, "/app/*"},
        {"/app/admin/a%2Fb", ROUTE_SERVER, "/app/admin/*"},
        {"/app/x?a=/app//admin;", ROUTE_SERVER, "/app/*"},
        {"/x%2Fy", ROUTE_SERVER, "/*"},
    };
    struct routes *routes =
        read_routes("[{\"path\":\"/app/admin/*\",\"mode\":\"pass\",\"auth\":\"jwt\"},"
                    "{\"path\":\"/app/*\",\"mode\":\"pass\",\"auth\":\"none\"},"
                    "{\"path\":\"/*\",\"mode\":\"pass\",\"auth\":\"none\"}]");
    struct buf scratch = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct route r = route_of(routes, span_str(rows[i].target), &scratch);
        if (r.kind != rows[i].kind)
            fail_msg("%s: %d instead of %d", rows[i].target, (int)r.kind, (int)rows[i].kind);
        if (rows[i].pattern != NULL)
            assert_string_equal(r.rule->pattern, rows[i].pattern);
    }
    buf_clear(&scratch);
    routes_free(routes);
}

static void rules_take_what_is_not_the_nodes_own(void **state)
{
    static const struct {
        const char *target;
        enum route_kind kind;
    } rows[] = {
        {"/livez", ROUTE_LIVEZ},
        {"/terrane/x", ROUTE_NONE},
        {"/x/../terrane/x", ROUTE_NONE},
        {"/terrane/beat/w", ROUTE_BEAT},
        {"/parties/world/w/connect", ROUTE_WORLD},
        {"/parties/%77orld/w", ROUTE_WORLD},
        {"/game/a:w:1", ROUTE_SHARD},
        {"/game/..:w:1", ROUTE_BAD},
        {"/game/%zz", ROUTE_BAD},
        {"/game/a/%zz", ROUTE_BAD},
        {"/parties/shard/a", ROUTE_SERVER},
        {"/", ROUTE_SERVER},
        {"*", ROUTE_BAD},
    };
    struct routes *routes = read_routes("[{\"path\":\"/game/{shard}/*\",\"mode\":\"mux\"},"
                                        "{\"path\":\"/*\",\"mode\":\"pass\"}]");
    struct buf scratch = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum route_kind kind = route_of(routes, span_str(rows[i].target), &scratch).kind;
        if (kind != rows[i].kind)
            fail_msg("%s: %d instead of %d", rows[i].target, (int)kind, (int)rows[i].kind);
    }
    buf_clear(&scratch);
    routes_free(routes);
}

static void another_shard_takes_the_place_of_the_first(void **state)
{
    static const struct {
        const char *target, *path, *rest;
    } rows[] = {
        {"/game/a:w:1/play/x/y", "/game/b%2Fc%3Aw%3A2/play/x/y", "/x/y"},
        {"/game/a/../a:w:1/play?q", "/game/b%2Fc%3Aw%3A2/play", ""},
        {"/parties/shard/a/x", "/parties/shard/b%2Fc%3Aw%3A2/x", "/x"},
    };
    struct routes *routes = read_routes("[{\"path\":\"/game/{shard}/play/*\",\"mode\":\"pass\"}]");
    struct buf scratch = {0}, path = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct route r = route_of(routes, span_str(rows[i].target), &scratch);
        assert_int_equal(r.kind, ROUTE_SHARD);
        route_turn(&r, &path, SPAN("b/c:w:2"));
        assert_true(span_eq(r.path, span_str(rows[i].path)));
        assert_true(span_eq(r.resolved, r.path));
        assert_true(span_eq(r.rest, span_str(rows[i].rest)));
        assert_true(span_eq(r.shard_raw, SPAN("b%2Fc%3Aw%3A2")));
        assert_true(span_eq(r.shard_id, SPAN("b/c:w:2")));
    }
    buf_clear(&path);
    buf_clear(&scratch);
    routes_free(routes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_lead_to_their_doors),
        cmocka_unit_test(shard_path_is_taken_apart),
        cmocka_unit_test(knock_names_its_world),
        cmocka_unit_test(rules_take_what_is_not_the_nodes_own),
        cmocka_unit_test(no_reading_of_a_path_gets_past_a_rule),
        cmocka_unit_test(another_shard_takes_the_place_of_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
