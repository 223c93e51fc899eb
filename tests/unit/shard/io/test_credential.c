/* Where tokens and tickets stand in requests, and requests without them. */
#include "shard/io/credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/proto/url.h"

static struct buf text;
static struct http_head head;
static struct span query;

static void parse(const char *target, const char *lines)
{
    struct url_target parts;
    buf_reset(&text);
    buf_addf(&text, "GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n", target, lines);
    assert_int_equal(http_head_parse_request(&head, text.data, text.len), ERR_OK);
    assert_int_equal(url_split_target(head.target, &parts), ERR_OK);
    query = parts.query;
}

#define OFFER(list) "Sec-WebSocket-Protocol: " list "\r\n"
#define AUTH(value) "Authorization: " value "\r\n"

static const struct {
    const char *target, *lines;
    enum credential kind;
    const char *shown; /* NULL: none; "?": several */
} rows[] = {
    {"/", "", CREDENTIAL_TOKEN, NULL},
    {"/", AUTH("Bearer a.b.c"), CREDENTIAL_TOKEN, "a.b.c"},
    {"/", AUTH("bEARER   a.b.c"), CREDENTIAL_TOKEN, "a.b.c"},
    {"/", AUTH("Bearer a b"), CREDENTIAL_TOKEN, "a b"},
    {"/", AUTH("Bearer"), CREDENTIAL_TOKEN, ""},
    {"/", AUTH("Bearer a"), CREDENTIAL_TICKET, NULL},
    {"/", AUTH("Basic a"), CREDENTIAL_TOKEN, NULL},
    {"/", AUTH("a.b.c"), CREDENTIAL_TOKEN, NULL},
    {"/", AUTH("Bearera"), CREDENTIAL_TOKEN, NULL},
    {"/", AUTH("Bearer a") AUTH("Bearer a"), CREDENTIAL_TOKEN, "?"},
    {"/", AUTH("Basic a") AUTH("Bearer a"), CREDENTIAL_TOKEN, "?"},
    {"/", AUTH("Bearer a") AUTH("Basic a"), CREDENTIAL_TOKEN, "?"},
    {"/", AUTH("Basic a") AUTH("Basic a"), CREDENTIAL_TOKEN, NULL},
    {"/?token=a.b.c", "", CREDENTIAL_TOKEN, "a.b.c"},
    {"/?x=1&token=a.b.c&y=2", "", CREDENTIAL_TOKEN, "a.b.c"},
    {"/?tok%65n=a%2Eb", "", CREDENTIAL_TOKEN, "a.b"},
    {"/?token", "", CREDENTIAL_TOKEN, ""},
    {"/?token=", "", CREDENTIAL_TOKEN, ""},
    {"/?Token=a&atoken=a&tokens=a", "", CREDENTIAL_TOKEN, NULL},
    {"/?token=a&token=a", "", CREDENTIAL_TOKEN, "?"},
    {"/?token=a&%74oken=b", "", CREDENTIAL_TOKEN, "?"},
    {"/?token=a", AUTH("Bearer a"), CREDENTIAL_TOKEN, "?"},
    {"/?token=a", AUTH("Basic b"), CREDENTIAL_TOKEN, "a"},
    {"/?token=a&ticket=b", "", CREDENTIAL_TOKEN, "a"},
    {"/?token=a&ticket=b", "", CREDENTIAL_TICKET, "b"},
    {"/?ticket=a&ticket=b", "", CREDENTIAL_TICKET, "?"},
    {"/", OFFER("terrane, token.a.b.c"), CREDENTIAL_TOKEN, "a.b.c"},
    {"/", OFFER("terrane") OFFER("token.a.b.c"), CREDENTIAL_TOKEN, "a.b.c"},
    {"/", OFFER("ticket.x,token.y"), CREDENTIAL_TOKEN, "y"},
    {"/", OFFER("ticket.x,token.y"), CREDENTIAL_TICKET, "x"},
    {"/", OFFER("token.a") OFFER("token.b"), CREDENTIAL_TOKEN, "?"},
    {"/", OFFER("token.a, token.b"), CREDENTIAL_TOKEN, "?"},
    {"/?token=b", OFFER("token.a"), CREDENTIAL_TOKEN, "?"},
    {"/", OFFER("token.a") AUTH("Bearer b"), CREDENTIAL_TOKEN, "?"},
    {"/", OFFER("Token.a, token"), CREDENTIAL_TOKEN, NULL},
    {"/", "Cookie: token=a\r\n", CREDENTIAL_TOKEN, NULL},
    {"/", "Proxy-Authorization: Bearer a\r\n", CREDENTIAL_TOKEN, NULL},
};

static void the_one_that_is_shown_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        parse(rows[i].target, rows[i].lines);
        BUF_ADD_LIT(&out, "kept ");
        enum err e = credential_read(&out, &head, query, true, rows[i].kind);
        const char *shown = rows[i].shown;
        enum err want = shown == NULL ? ERR_MISSING : shown[0] == '?' ? ERR_DENIED : ERR_OK;
        struct span found = span_slice(buf_span(&out), 5, out.len);
        if (e != want || !span_eq(found, e == ERR_OK ? span_str(shown) : SPAN("")))
            fail_msg("row %zu: %s, '%.*s'", i, err_text(e), SPAN_ARG(found));
        buf_clear(&out);
    }
}

static void a_request_that_is_no_upgrade_shows_nothing_as_subprotocol(void **state)
{
    struct buf out = {0};
    (void)state;
    parse("/", OFFER("token.a"));
    assert_int_equal(credential_read(&out, &head, query, false, CREDENTIAL_TOKEN), ERR_MISSING);
    parse("/?token=b", OFFER("token.a"));
    assert_int_equal(credential_read(&out, &head, query, false, CREDENTIAL_TOKEN), ERR_OK);
    assert_true(span_eq(buf_span(&out), SPAN("b")));
    buf_clear(&out);
}

static void queries_lose_what_is_shown_and_nothing_else(void **state)
{
    static const struct {
        const char *target, *left; /* NULL: no query */
    } cuts[] = {
        {"/", NULL},
        {"/?", ""},
        {"/?a=1&b=%20+&&c", "a=1&b=%20+&&c"},
        {"/?token=x", NULL},
        {"/?token", NULL},
        {"/?token=x&ticket=y", NULL},
        {"/?a=1&token=x", "a=1"},
        {"/?token=x&a=1", "a=1"},
        {"/?a=1&tick%65t=x&b=2&token=y&c", "a=1&b=2&c"},
        {"/?Token=x&tokens=y", "Token=x&tokens=y"},
    };
    (void)state;
    struct buf out = {0};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        parse(cuts[i].target, "");
        struct span left = credential_cut_query(query, &out);
        if (!span_eq(left, span_str(cuts[i].left)) || (left.ptr == NULL) != (cuts[i].left == NULL))
            fail_msg("%s: '%.*s'", cuts[i].target, SPAN_ARG(left));
    }
    buf_clear(&out);
}

static void offers_lose_what_is_shown_and_nothing_else(void **state)
{
    static const struct {
        const char *lines, *left; /* NULL: no such header */
        const char *answer;       /* NULL: none */
    } cuts[] = {
        {"", NULL, NULL},
        {OFFER("a"), "a", "a"},
        {OFFER("a, b"), "a, b", "a"},
        {OFFER("token.x"), NULL, NULL},
        {OFFER("token.x") OFFER("ticket.y"), NULL, NULL},
        {OFFER("terrane, token.x"), "terrane", "terrane"},
        {OFFER("token.x, terrane"), "terrane", "terrane"},
        {OFFER("terrane, token.x, chat"), "terrane, chat", "chat"},
        {OFFER("token.x") OFFER("chat") OFFER("terrane"), "chat, terrane", "chat"},
        {OFFER("ticket.x,chat,v2"), "chat, v2", "chat"},
    };
    (void)state;
    struct buf out = {0};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        parse("/", cuts[i].lines);
        struct span answer = credential_protocol(&head);
        if (!span_eq(answer, span_str(cuts[i].answer)))
            fail_msg("row %zu: answered '%.*s'", i, SPAN_ARG(answer));
        credential_cut_protocols(&head, &out);
        struct span left = http_head_get(&head, SPAN("sec-websocket-protocol"));
        if (!span_eq(left, span_str(cuts[i].left)))
            fail_msg("row %zu: '%.*s'", i, SPAN_ARG(left));
        assert_int_equal(head.header_count, cuts[i].left == NULL ? 1 : 2);
        assert_true(span_eq(http_head_get(&head, SPAN("host")), SPAN("h")));
    }
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_that_is_shown_is_found),
        cmocka_unit_test(a_request_that_is_no_upgrade_shows_nothing_as_subprotocol),
        cmocka_unit_test(queries_lose_what_is_shown_and_nothing_else),
        cmocka_unit_test(offers_lose_what_is_shown_and_nothing_else),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_clear(&text);
    return failed;
}
