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
        enum route_kind kind = route_of(span_str(rows[i].target), &scratch).kind;
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
        struct route r = route_of(span_str(rows[i].target), &scratch);
        struct buf nested = {0};
        if (rows[i].nested == NULL) {
            assert_int_equal(r.kind, ROUTE_NONE);
            continue;
        }
        assert_int_equal(r.kind, ROUTE_SHARD);
        assert_true(span_eq(r.shard_id, span_str(rows[i].id)));
        assert_true(span_eq(r.rest, span_str(rows[i].rest)));
        assert_int_equal(r.query.ptr == NULL, rows[i].query == NULL);
        assert_true(span_eq(r.query, span_str(rows[i].query)));
        route_add_nested(&nested, &r);
        assert_true(span_eq(buf_span(&nested), span_str(rows[i].nested)));
        buf_clear(&nested);
    }
    buf_clear(&scratch);
}

static void knock_names_its_world(void **state)
{
    struct buf scratch = {0};
    struct route r = route_of(SPAN("/terrane/beat/w%20%2F1?x"), &scratch);
    (void)state;
    assert_int_equal(r.kind, ROUTE_BEAT);
    assert_true(span_eq(r.world, SPAN("w /1")));
    buf_clear(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_lead_to_their_doors),
        cmocka_unit_test(shard_path_is_taken_apart),
        cmocka_unit_test(knock_names_its_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
