/* Who a request comes from, and what is believed of it. */
#include "shard/io/sender.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/proto/hop_sign.h"
#include "shard/io/join.h"

static const struct secrets secrets = {SPAN_INIT("new,old")};
enum { NOW = 1700000000 };

static struct buf text;
static struct http_head head;
static struct addr_set trusted;

/* A request with these header lines, signed by another process if `secret` is not NULL. */
static void parse(const char *lines, const char *secret)
{
    const struct hop_sign sign = {.method = SPAN("GET"),
                                  .target = SPAN("/parties/shard/s"),
                                  .entry = SPAN("node-b"),
                                  .client_ip = SPAN("203.0.113.9")};
    buf_reset(&text);
    BUF_ADD_LIT(&text, "GET /parties/shard/s HTTP/1.1\r\n");
    if (secret != NULL)
        hop_sign_add(&text, &(struct secrets){span_str(secret)}, &sign, NOW);
    buf_addf(&text, "%s\r\n", lines);
    assert_int_equal(http_head_parse_request(&head, text.data, text.len), ERR_OK);
}

static bool tls; /* the connection's */

static enum err read_from(struct sender *from, const char *peer)
{
    struct addr addr;
    assert_int_equal(addr_parse(span_str(peer), &addr), ERR_OK);
    return sender_read(from, &head, &addr, &trusted, &secrets, tls, NOW);
}

static void assert_client(const struct sender *from, const char *want)
{
    char ip[ADDR_TEXT_MAX];
    addr_format(&from->client, ip);
    assert_string_equal(ip, want);
}

static void a_client_is_where_it_connects_from(void **state)
{
    struct sender from;
    (void)state;
    parse("Host: a\r\nX-Forwarded-For: 198.51.100.1\r\nx-terrane-host: forged\r\n", NULL);
    assert_int_equal(read_from(&from, "192.0.2.1"), ERR_OK);
    assert_false(from.hopped || from.trusted);
    assert_client(&from, "192.0.2.1");
    assert_true(span_eq(sender_host(&from, &head), SPAN("a")));
}

static void a_trusted_proxy_is_believed(void **state)
{
    struct sender from;
    (void)state;
    parse("Host: a\r\nX-Forwarded-For: 198.51.100.1\r\n", NULL);
    assert_int_equal(read_from(&from, "10.0.0.1"), ERR_OK);
    assert_true(!from.hopped && from.trusted);
    assert_client(&from, "198.51.100.1");
}

static void a_trusted_proxy_names_the_url_that_the_client_dialled(void **state)
{
    struct sender from;
    (void)state;
    parse("Host: in\r\nForwarded: for=198.51.100.1;proto=https;host=\"game:8443\"\r\n", NULL);
    assert_int_equal(read_from(&from, "10.0.0.1"), ERR_OK);
    assert_client(&from, "198.51.100.1");
    assert_true(from.https);
    assert_true(span_eq(sender_host(&from, &head), SPAN("game:8443")));
    assert_int_equal(read_from(&from, "192.0.2.1"), ERR_OK);
    assert_false(from.https);
    assert_true(span_eq(sender_host(&from, &head), SPAN("in")));
}

static void a_connection_under_tls_is_https_unless_it_is_a_proxy_s(void **state)
{
    struct sender from;
    (void)state;
    parse("Host: in\r\nX-Forwarded-Proto: http\r\n", NULL);
    tls = true;
    assert_int_equal(read_from(&from, "192.0.2.1"), ERR_OK);
    assert_true(from.https);
    assert_int_equal(read_from(&from, "10.0.0.1"), ERR_OK);
    assert_false(from.https);
    parse("Host: n\r\nx-terrane-proto: http\r\n", "old");
    assert_int_equal(read_from(&from, "192.0.2.1"), ERR_OK);
    assert_false(from.https);
    tls = false;
}

static void another_process_is_believed_by_its_signature(void **state)
{
    struct sender from;
    (void)state;
    parse("Host: n\r\nx-terrane-host: game.example\r\nx-terrane-proto: https\r\n"
          "X-Forwarded-Proto: http\r\nForwarded: host=evil\r\n",
          "old");
    assert_int_equal(read_from(&from, "192.0.2.1"), ERR_OK);
    assert_true(from.https);
    assert_true(from.hopped && from.trusted);
    assert_client(&from, "203.0.113.9");
    assert_true(span_eq(sender_host(&from, &head), SPAN("game.example")));
}

static void a_forged_signature_is_refused(void **state)
{
    struct sender from;
    (void)state;
    parse("Host: n\r\n", "guessed");
    assert_int_equal(read_from(&from, "10.0.0.1"), ERR_DENIED);
    parse("Host: n\r\nx-terrane-sign: v1\r\n", NULL);
    assert_int_equal(read_from(&from, "10.0.0.1"), ERR_DENIED);
    parse("Host: n\r\nx-terrane-hop: 1\r\n", NULL); /* not signed at all: a client's */
    assert_int_equal(read_from(&from, "192.0.2.1"), ERR_OK);
    assert_false(from.hopped);
}

static void a_room_hears_of_a_client_as_if_it_had_come_directly(void **state)
{
    struct sender from;
    struct buf scratch = {0};
    struct join j = {0};
    (void)state;
    parse("Host: n\r\nx-terrane-host: game.example\r\nX-Forwarded-Proto: https\r\n", "new");
    assert_int_equal(read_from(&from, "192.0.2.1"), ERR_OK);
    struct route r = route_of(&routes_builtin, head.target, &scratch);
    join_read(&j, &head, &r, &from);
    buf_add_char(&j.request_info, '\0');
    assert_string_equal(j.request_info.data,
                        "{\"headers\":{\"host\":\"game.example\",\"x-forwarded-proto\":\"https\"},"
                        "\"url\":\"https://game.example/parties/shard/s\",\"method\":\"GET\"}");
    join_clear(&j);
    buf_clear(&scratch);
}

static int set_up(void **state)
{
    struct span bad;
    (void)state;
    return addr_set_parse(&trusted, SPAN("10.0.0.0/8"), &bad) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    addr_set_clear(&trusted);
    buf_clear(&text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_where_it_connects_from),
        cmocka_unit_test(a_trusted_proxy_is_believed),
        cmocka_unit_test(a_trusted_proxy_names_the_url_that_the_client_dialled),
        cmocka_unit_test(a_connection_under_tls_is_https_unless_it_is_a_proxy_s),
        cmocka_unit_test(another_process_is_believed_by_its_signature),
        cmocka_unit_test(a_forged_signature_is_refused),
        cmocka_unit_test(a_room_hears_of_a_client_as_if_it_had_come_directly),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
