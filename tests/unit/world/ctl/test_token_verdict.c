#include "world/ctl/token_verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/proto/token_sign.h"

#define NOW   1700000000
#define KEYS  "the first secret,the second secret"
#define LATER "\"exp\":1700000060"

static struct token_question question(struct span text, const char *room)
{
    return (struct token_question){.text = text,
                                   .keys = SPAN(KEYS),
                                   .world = SPAN("world-a"),
                                   .room = span_str(room),
                                   .now_s = NOW};
}

/* What a token with these claims is refused for, and what is noted, in lines. */
static const struct {
    const char *claims, *room, *key;
    const char *refusals, *notes;
} rows[] = {
    {"{\"worlds\":[\"*\"],\"scope\":\"admin\"," LATER "}", "", "the second secret", "", ""},
    {"{\"worlds\":[\"world-a\"]}", "", "the first secret", "",
     "it has no exp: it never expires\nit has no scope: that is admin\n"},
    {"{\"worlds\":[\"*\"],\"scope\":\"read\"," LATER "}", "", "the second secret", "",
     "its scope is read: it changes nothing\n"},
    {"{\"worlds\":[\"*\"],\"scope\":\"admin\"," LATER "}", "", "a third",
     "signature: by none of the secrets here (2)\n", ""},
    {"{\"worlds\":[\"world-b\"],\"scope\":\"root\",\"exp\":1699996328,\"rooms\":[\"x\"]}", "",
     "a third",
     "signature: by none of the secrets here (2)\nexpired: since 2023-11-14T21:12:08Z (1h 1m ago)\n"
     "scope: it is neither \"read\" nor \"admin\"\n"
     "worlds: does not cover world-a\n"
     "rooms: a token with this claim lets clients in, and opens nothing here\n",
     ""},
    {"{\"scope\":\"admin\",\"nbf\":1700090061," LATER "}", "", "the first secret",
     "not yet: it counts from 2023-11-15T23:14:21Z (in 1d 1h)\n"
     "worlds: the claim is not there\n",
     ""},
    {"{\"worlds\":\"*\",\"scope\":\"admin\",\"exp\":\"1\"}", "", "the first secret",
     "malformed: exp is no number\nworlds: no array of names\n", ""},
    {"{\"worlds\":[\"*\"],\"worlds\":[\"*\"],\"scope\":\"admin\"," LATER "}", "",
     "the first secret",
     "malformed: a member that is there twice, a text that is no UTF-8, or a signature that is no "
     "base64url\n",
     ""},
    {"{\"rooms\":[\"chess\"]," LATER "}", "chess", "the first secret", "", ""},
    {"{\"rooms\":[\"go\"],\"worlds\":[\"world-b\"]," LATER "}", "chess", "the first secret",
     "rooms: does not cover chess\n"
     "worlds: does not cover world-a\n",
     ""},
    {"{\"worlds\":[\"*\"]," LATER "}", "chess", "the first secret",
     "rooms: the claim is not there\n", ""},
};

static void lines_are(const char *what, const struct buf *lines, const char *want)
{
    if (!span_eq(buf_span(lines), span_str(want)))
        fail_msg("%s:\n%.*s, not\n%s", what, SPAN_ARG(buf_span(lines)), want);
}

static void each_reason_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf text = {0};
        struct token_verdict v;
        assert_int_equal(
            token_sign(&text, TOKEN_HS256, span_str(rows[i].key), span_str(rows[i].claims)),
            ERR_OK);
        struct token_question q = question(buf_span(&text), rows[i].room);
        assert_int_equal(token_judge(&q, &v), ERR_OK);
        lines_are(rows[i].claims, &v.refusals, rows[i].refusals);
        lines_are(rows[i].claims, &v.notes, rows[i].notes);
        token_verdict_clear(&v);
        buf_clear(&text);
    }
}

static const struct {
    const char *text, *refusals;
} forms[] = {
    {"", "malformed: a token is three parts with dots between them\n"},
    {"a.b", "malformed: a token is three parts with dots between them\n"},
    {"a.b.c.d", "malformed: a token is three parts with dots between them\n"},
    {"..", "malformed: its header is no JSON object in base64url\n"
           "malformed: its claims are no JSON object in base64url\n"},
    {"eyJhbGciOiJub25lIn0.e30.", "algorithm: it says none, the world takes HS256 (AUTH_JWT_ALG)\n"
                                 "worlds: the claim is not there\n"},
};

static void what_is_no_token_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct token_verdict v;
        struct token_question q = question(span_str(forms[i].text), "");
        assert_int_equal(token_judge(&q, &v), ERR_OK);
        lines_are(forms[i].text, &v.refusals, forms[i].refusals);
        token_verdict_clear(&v);
    }
}

static void without_secrets_the_rest_is_judged(void **state)
{
    struct buf text = {0};
    struct token_verdict v;
    (void)state;
    assert_int_equal(token_sign(&text, TOKEN_HS256, SPAN("x"),
                                SPAN("{\"worlds\":[\"*\"],\"scope\":\"admin\"," LATER "}")),
                     ERR_OK);
    struct token_question q = question(buf_span(&text), "");
    q.keys = SPAN("");
    assert_int_equal(token_judge(&q, &v), ERR_OK);
    lines_are("no secrets", &v.refusals, "");
    lines_are("no secrets", &v.notes,
              "its signature was not checked: there is no AUTH_JWT_SECRET here\n");
    token_verdict_clear(&v);
    q.keys = SPAN(",");
    assert_int_equal(token_judge(&q, &v), ERR_SYNTAX);
    assert_null(v.claims);
    buf_clear(&text);
}

static void times_are_told_with_their_distance(void **state)
{
    static const struct {
        double at;
        const char *want;
    } times[] = {
        {NOW, "2023-11-14T22:13:20Z (in 0s)"},
        {NOW + 75, "2023-11-14T22:14:35Z (in 1m 15s)"},
        {NOW - 7300, "2023-11-14T20:11:40Z (2h 1m ago)"},
        {1e300, "1.0000000000000001e+300"},
        {-1, "-1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct buf text = {0};
        token_add_time(&text, times[i].at, NOW);
        lines_are("time", &text, times[i].want);
        buf_clear(&text);
    }
}

static void algorithms_have_names(void **state)
{
    enum token_alg alg;
    (void)state;
    assert_int_equal(token_alg_read(SPAN("ES256"), &alg), ERR_OK);
    assert_int_equal(alg, TOKEN_ES256);
    assert_string_equal(token_alg_name(alg), "ES256");
    assert_int_equal(token_alg_read(SPAN("es256"), &alg), ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reason_is_told),
        cmocka_unit_test(what_is_no_token_is_told),
        cmocka_unit_test(without_secrets_the_rest_is_judged),
        cmocka_unit_test(times_are_told_with_their_distance),
        cmocka_unit_test(algorithms_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
