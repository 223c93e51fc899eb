/* Who may come in, by what they show. */
#include "shard/io/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/common/proto/signed_token.h"

#define NOW_S 1700000000
#define SHARD "/parties/shard/lobby:world-a:1700000000000-1"

static struct {
    struct token_keys *keys;
    struct routes *routes;
    struct gate gate;
    struct shown shown;
    struct buf text, scratch;
} g;

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(token_keys_new(&g.keys, TOKEN_HS256, SPAN("new,old")), ERR_OK);
    assert_int_equal(routes_parse(&g.routes, SPAN(""), &g.text), ERR_OK);
    g.gate = (struct gate){.keys = g.keys, .fallback = ROUTE_AUTH_JWT, .world_id = "world-own"};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    token_keys_free(g.keys);
    routes_free(g.routes);
    gate_clear(&g.gate);
    shown_clear(&g.shown);
    buf_clear(&g.text);
    buf_clear(&g.scratch);
    return 0;
}

static struct buf sign(const char *claims, const char *key)
{
    return make_token(SPAN("{\"alg\":\"HS256\"}"), span_str(claims), key, 256);
}

/* Judges a request for the target with these header lines, which has a rule of its own or not. */
static enum gate_verdict judge(const char *target, const char *lines, bool is_socket,
                               const struct route_rule *rule)
{
    struct http_head head;
    buf_reset(&g.text);
    buf_reset(&g.scratch);
    buf_addf(&g.text, "GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n", target, lines);
    assert_int_equal(http_head_parse_request(&head, g.text.data, g.text.len), ERR_OK);
    struct route r = route_of(g.routes, head.target, &g.scratch);
    r.rule = rule != NULL ? rule : r.rule;
    return gate_judge(&g.gate, &head, &r, is_socket, SPAN(""), (int64_t)NOW_S * 1000, &g.shown);
}

/* Judges an upgrade at the target whose bearer token has these claims. */
static enum gate_verdict judge_bearer(const char *target, const char *claims, const char *key)
{
    struct buf token = sign(claims, key), line = {0};
    buf_addf(&line, "Authorization: Bearer %.*s\r\n", SPAN_ARG(buf_span(&token)));
    buf_add_char(&line, '\0');
    enum gate_verdict verdict = judge(target, line.data, true, NULL);
    buf_clear(&token);
    buf_clear(&line);
    return verdict;
}

static void a_token_is_judged_for_the_place_it_is_shown_at(void **state)
{
    static const struct {
        const char *target, *claims, *key;
        enum gate_verdict want;
    } rows[] = {
        {SHARD, "{}", "new", GATE_OPEN},
        {SHARD, "{}", "old", GATE_OPEN},
        {SHARD, "{}", "other", GATE_BAD_TOKEN},
        {SHARD, "{\"exp\":1700000000}", "new", GATE_OPEN},
        {SHARD, "{\"exp\":1699999999}", "new", GATE_BAD_TOKEN},
        {SHARD, "{\"nbf\":1700000031}", "new", GATE_BAD_TOKEN},
        {SHARD, "{\"scope\":\"openid\"}", "new", GATE_OPEN},
        {SHARD, "{\"worlds\":[\"*\"]}", "new", GATE_OPEN},
        {SHARD, "{\"worlds\":[\"world-a\"]}", "new", GATE_OPEN},
        {SHARD, "{\"worlds\":[\"world-b\"]}", "new", GATE_NOT_HERE},
        {SHARD, "{\"worlds\":[]}", "new", GATE_NOT_HERE},
        {SHARD, "{\"worlds\":\"*\"}", "new", GATE_NOT_HERE},
        {SHARD, "{\"rooms\":[\"*\"]}", "new", GATE_OPEN},
        {SHARD, "{\"rooms\":[\"hall\",\"lobby\"]}", "new", GATE_OPEN},
        {SHARD, "{\"rooms\":[\"hall\"]}", "new", GATE_NOT_HERE},
        {SHARD, "{\"rooms\":null}", "new", GATE_NOT_HERE},
        {SHARD, "{\"worlds\":[\"world-a\"],\"rooms\":[\"hall\"]}", "new", GATE_NOT_HERE},
        {"/parties/shard/plain", "{\"worlds\":[\"world-own\"]}", "new", GATE_OPEN},
        {"/parties/shard/plain", "{\"worlds\":[\"world-a\"]}", "new", GATE_NOT_HERE},
        {"/parties/shard/plain", "{\"rooms\":[\"plain\"]}", "new", GATE_OPEN},
        {"/parties/shard/a%3Ab:world-a:1700000000000-1", "{\"rooms\":[\"a:b\"]}", "new", GATE_OPEN},
        {"/parties/shard/a%3Ab:world-a:1700000000000-1", "{\"rooms\":[\"a\"]}", "new",
         GATE_NOT_HERE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum gate_verdict got = judge_bearer(rows[i].target, rows[i].claims, rows[i].key);
        if (got != rows[i].want)
            fail_msg("%s at %s: %d", rows[i].claims, rows[i].target, (int)got);
        if (got != GATE_OPEN)
            assert_true(g.shown.claims.len == 0 && g.shown.subject.len == 0);
    }
}

static void what_was_shown_is_told(void **state)
{
    (void)state;
    assert_int_equal(judge_bearer(SHARD, "{\"sub\":\"zo\xc3\xab\", \"n\":1.0}", "new"), GATE_OPEN);
    assert_true(span_eq(buf_span(&g.shown.subject), SPAN("zo\xc3\xab")));
    assert_true(span_eq(buf_span(&g.shown.claims), SPAN("{\"sub\":\"zo\\u00eb\",\"n\":1.0}")));
    assert_true(g.shown.ours);
    /* and nothing of it stays */
    assert_int_equal(judge_bearer(SHARD, "{}", "new"), GATE_OPEN);
    assert_true(g.shown.subject.len == 0);
    assert_true(span_eq(buf_span(&g.shown.claims), SPAN("{}")));
}

static void without_one_good_token_nobody_comes_in(void **state)
{
    (void)state;
    assert_int_equal(judge(SHARD, "", true, NULL), GATE_NO_TOKEN);
    assert_int_equal(judge(SHARD, "Cookie: token=a.b.c\r\n", true, NULL), GATE_NO_TOKEN);
    assert_int_equal(judge(SHARD, "Authorization: Basic a\r\n", false, NULL), GATE_NO_TOKEN);
    assert_int_equal(judge(SHARD "?token=", "", false, NULL), GATE_BAD_TOKEN);
    assert_int_equal(judge(SHARD "?token=a&token=b", "", true, NULL), GATE_BAD_TOKEN);
    assert_int_equal(judge(SHARD "?ticket=a", "", true, NULL), GATE_NO_TOKEN);
}

static void a_token_that_fills_the_head_is_refused(void **state)
{
    struct buf claims = {0};
    (void)state;
    BUF_ADD_LIT(&claims, "{\"x\":\"");
    while (claims.len < 9000)
        buf_add_char(&claims, 'x');
    BUF_ADD_LIT(&claims, "\"}");
    buf_add_char(&claims, '\0');
    assert_int_equal(judge_bearer(SHARD, claims.data, "new"), GATE_BAD_TOKEN);
    buf_clear(&claims);
}

static void the_rule_of_the_path_counts_before_the_setting(void **state)
{
    static const struct {
        enum route_auth fallback, rule;
        bool is_socket;
        enum gate_verdict want;
        bool ours, greets;
    } rows[] = {
        {ROUTE_AUTH_NONE, ROUTE_AUTH_DEFAULT, true, GATE_OPEN, false, false},
        {ROUTE_AUTH_JWT, ROUTE_AUTH_DEFAULT, true, GATE_NO_TOKEN, true, false},
        {ROUTE_AUTH_JWT, ROUTE_AUTH_NONE, true, GATE_OPEN, false, false},
        {ROUTE_AUTH_NONE, ROUTE_AUTH_JWT, true, GATE_NO_TOKEN, true, false},
        {ROUTE_AUTH_NONE, ROUTE_AUTH_JWT, false, GATE_NO_TOKEN, true, false},
        {ROUTE_AUTH_NONE, ROUTE_AUTH_MESSAGE, true, GATE_OPEN, true, true},
        {ROUTE_AUTH_NONE, ROUTE_AUTH_MESSAGE, false, GATE_NO_TOKEN, true, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct route_rule rule = {.auth = rows[i].rule};
        g.gate.fallback = rows[i].fallback;
        enum gate_verdict got = judge(SHARD, "", rows[i].is_socket, &rule);
        if (got != rows[i].want || g.shown.ours != rows[i].ours || g.shown.greets != rows[i].greets)
            fail_msg("row %zu: %d", i, (int)got);
    }
}

static void a_path_without_a_shard_narrows_by_its_room_only(void **state)
{
    static const struct {
        const char *room, *claims;
        enum gate_verdict want;
    } rows[] = {
        {"", "{\"rooms\":[\"lobby\"],\"worlds\":[\"world-b\"]}", GATE_OPEN},
        {"lobby", "{\"rooms\":[\"lobby\"],\"worlds\":[\"world-b\"]}", GATE_OPEN},
        {"hall", "{\"rooms\":[\"lobby\"]}", GATE_NOT_HERE},
        {"hall", "{}", GATE_OPEN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf token = sign(rows[i].claims, "new");
        const struct route r = {.room = span_str(rows[i].room)};
        assert_int_equal(
            gate_judge_token(&g.gate, buf_span(&token), &r, (int64_t)NOW_S * 1000, &g.shown),
            rows[i].want);
        buf_clear(&token);
    }
}

static void what_was_shown_moves_as_a_whole(void **state)
{
    struct shown to = {0};
    (void)state;
    assert_int_equal(judge_bearer(SHARD, "{\"sub\":\"a\"}", "new"), GATE_OPEN);
    shown_move(&to, &g.shown);
    assert_true(g.shown.subject.data == NULL && g.shown.claims.data == NULL && !g.shown.ours);
    assert_true(span_eq(buf_span(&to.subject), SPAN("a")) && to.ours);
    shown_clear(&to);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_token_is_judged_for_the_place_it_is_shown_at),
        TEST(what_was_shown_is_told),
        TEST(without_one_good_token_nobody_comes_in),
        TEST(a_token_that_fills_the_head_is_refused),
        TEST(the_rule_of_the_path_counts_before_the_setting),
        TEST(a_path_without_a_shard_narrows_by_its_room_only),
        TEST(what_was_shown_moves_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
