/* Header rules between clients, shards, rooms and worlds. */
#include "common/proto/hop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/proto/addr.h"
#include "common/proto/hop_sign.h"

static const struct secrets second_first = {SPAN_INIT("second,first")};

static const struct secrets first_second = {SPAN_INIT("first,second")};

/* Parses a head that is written here; fails the test when it is none. */
static void parse(struct http_head *h, const char *text)
{
    enum err e = strncmp(text, "HTTP/", 5) == 0 ? http_head_parse_response(h, text, strlen(text))
                                                : http_head_parse_request(h, text, strlen(text));
    assert_int_equal(e, ERR_OK);
}

static void assert_text(struct buf *got, const char *want)
{
    buf_add_char(got, '\0');
    assert_string_equal(got->data, want);
    buf_clear(got);
}

static void only_a_trusted_peer_is_believed(void **state)
{
    static const struct {
        const char *name;
        bool stranger, trusted;
    } rows[] = {
        {"cookie", true, true},
        {"x-custom", true, true},
        {"x-shard", true, true},
        {"x-forwarded", true, true},
        {"x-shard-id", false, true},
        {"X-Shard-World-Id", false, true},
        {"x-forwarded-for", false, true},
        {"X-FORWARDED-PROTO", false, true},
        {"x-forwarded-by-shard", false, true},
        {"forwarded", false, true},
        {"x-original-client-ip", false, true},
        {"x-access-shard", false, false},
        {"X-Access-Shard", false, false},
        {"x_access_shard", false, false},
        {"X-Access_Shard", false, false},
        {"x_terrane_subject", false, false},
        {"x-terrane_", false, false},
        {"x_shard_id", false, true},
        {"x-shard_world-id", false, true},
        {"x_forwarded_for", false, true},
        {"x_original_client_ip", false, true},
        {"x_shard", true, true},
        {"x-access-shards", true, true},
        {"for_warded", true, true},
        {"x-terrane-hop", false, false},
        {"X-Terrane-Entry", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_header h = {.name = span_str(rows[i].name), .value = SPAN("v")};
        assert_int_equal(hop_is_believed(&h, false), rows[i].stranger);
        assert_int_equal(hop_is_believed(&h, true), rows[i].trusted);
    }
}

static void ids_that_no_header_can_carry_are_encoded(void **state)
{
    static const struct {
        const char *id, *value;
    } rows[] = {
        {"room:world-a:1700000000000-1", "room:world-a:1700000000000-1"},
        {"", ""},
        {"two words", "two words"},
        {"100%", "100%"},
        {" padded", "%20padded"},
        {"padded ", "padded%20"},
        {"salle é:w", "salle%20%C3%A9%3Aw"},
        {"a\r\nx-access-shard: s", "a%0D%0Ax-access-shard%3A%20s"},
        {"tab\tbed", "tab%09bed"},
        {"del\x7f", "del%7F"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        hop_add_value(&out, span_str(rows[i].id));
        assert_text(&out, rows[i].value);
    }
}

static const struct hop_room to_room = {
    .room = SPAN_INIT("r/1"),
    .shard_id = SPAN_INIT("r/1:w:2"),
    .world = SPAN_INIT("w"),
    .path = SPAN_INIT("/rest"),
    .query = SPAN_INIT("x=1&y=%20"),
    .secret = SPAN_INIT("s3cret"),
    .client_ip = SPAN_INIT("192.0.2.7"),
};
#define SHARD_LINES                                                                                \
    "x-shard-id: r/1:w:2\r\nx-shard-world-id: w\r\nx-forwarded-by-shard: true\r\n"                 \
    "x-access-shard: s3cret\r\nx-original-client-ip: 192.0.2.7\r\n"

static void room_gets_the_clients_headers_and_the_shards(void **state)
{
    struct http_head h;
    struct buf out = {0};
    (void)state;
    parse(&h, "GET /parties/shard/x HTTP/1.1\r\nHost: node\r\nX-Custom: v\r\nCookie: a=b\r\n"
              "X-Custom: w\r\n\r\n");
    hop_add_room_request(&out, &h, &to_room);
    assert_text(&out, "GET /parties/main/r%2F1/rest?x=1&y=%20 HTTP/1.1\r\nX-Custom: v\r\n"
                      "Cookie: a=b\r\nX-Custom: w\r\n" SHARD_LINES);
}

static void room_never_gets_headers_of_the_hop_or_claims_of_a_stranger(void **state)
{
    struct http_head h;
    struct buf out = {0};
    (void)state;
    parse(
        &h,
        "POST /x HTTP/1.1\r\nHost: node\r\nConnection: keep-alive, x-mine\r\nX-Mine: 1\r\n"
        "Keep-Alive: 5\r\nProxy-Authorization: x\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n"
        "Expect: 100-continue\r\nContent-Type: a/b\r\nx-shard-id: forged\r\n"
        "x-access-shard: forged\r\nX-Forwarded-By-Shard: forged\r\n"
        "x-original-client-ip: forged\r\nx-forwarded-for: forged\r\n"
        "x-terrane-hop: forged\r\n\r\n");
    hop_add_room_request(&out, &h, &to_room);
    assert_text(&out, "POST /parties/main/r%2F1/rest?x=1&y=%20 HTTP/1.1\r\nContent-Type: "
                      "a/b\r\n" SHARD_LINES);
}

static void trusted_peer_cannot_forge_what_the_shard_sets(void **state)
{
    struct http_head h;
    struct buf out = {0};
    struct hop_room to = to_room;
    (void)state;
    to.trusted_peer = true;
    to.query = (struct span){.len = 0};
    to.path = SPAN("");
    parse(&h, "GET /x HTTP/1.1\r\nHost: node\r\nx-shard-id: forged\r\nX-Shard-World-Id: forged\r\n"
              "x-access-shard: forged\r\nx-forwarded-by-shard: forged\r\n"
              "x-original-client-ip: forged\r\nX-Forwarded-For: 1.2.3.4, 5.6.7.8\r\n\r\n");
    hop_add_room_request(&out, &h, &to);
    assert_text(&out, "GET /parties/main/r%2F1 HTTP/1.1\r\nX-Forwarded-For: 1.2.3.4, "
                      "5.6.7.8\r\n" SHARD_LINES);
}

static void room_hears_whom_the_token_named(void **state)
{
    struct http_head h;
    struct buf out = {0};
    struct hop_room to = to_room;
    (void)state;
    to.subject = SPAN("zo\xc3\xab");
    to.claims = SPAN("{\"a\":1}");
    parse(&h, "GET /x HTTP/1.1\r\nHost: node\r\nx-terrane-subject: forged\r\n"
              "X-Terrane-Claims: forged\r\n\r\n");
    hop_add_room_request(&out, &h, &to);
    assert_text(&out, "GET /parties/main/r%2F1/rest?x=1&y=%20 HTTP/1.1\r\n" SHARD_LINES
                      "x-terrane-subject: zo%C3%AB\r\nx-terrane-claims: {\"a\":1}\r\n");
}

static void method_that_may_have_a_body_gets_a_content_type(void **state)
{
    static const struct {
        const char *method, *line;
    } rows[] = {
        {"GET", ""},
        {"HEAD", ""},
        {"POST", "content-type: text/plain;charset=UTF-8\r\n"},
        {"PUT", "content-type: text/plain;charset=UTF-8\r\n"},
        {"PATCH", "content-type: text/plain;charset=UTF-8\r\n"},
        {"DELETE", "content-type: text/plain;charset=UTF-8\r\n"},
        {"OPTIONS", "content-type: text/plain;charset=UTF-8\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_head h;
        struct buf out = {0}, request = {0}, want = {0};
        buf_addf(&request, "%s /x HTTP/1.1\r\nHost: n\r\n\r\n", rows[i].method);
        assert_int_equal(http_head_parse_request(&h, request.data, request.len), ERR_OK);
        hop_add_room_request(&out, &h, &to_room);
        buf_addf(&want, "%s /parties/main/r%%2F1/rest?x=1&y=%%20 HTTP/1.1\r\n%s" SHARD_LINES,
                 rows[i].method, rows[i].line);
        buf_add_char(&want, '\0');
        assert_text(&out, want.data);
        buf_clear(&request);
        buf_clear(&want);
    }
}

static void bytes_beyond_ascii_are_encoded_in_the_request_line(void **state)
{
    struct http_head h;
    struct buf out = {0};
    struct hop_room to = to_room;
    (void)state;
    to.path = SPAN("/\xc3\xa9%zz");
    to.query = SPAN("q=\xff");
    parse(&h, "GET /x HTTP/1.1\r\nHost: n\r\n\r\n");
    hop_add_room_request(&out, &h, &to);
    assert_text(&out, "GET /parties/main/r%2F1/%C3%A9%zz?q=%FF HTTP/1.1\r\n" SHARD_LINES);
}

#define PEER_REQUEST                                                                               \
    "POST /parties/world/w/connect?x=\xff HTTP/1.1\r\nHost: node\r\nX-Access-Shard: given\r\n"     \
    "X-Shard-Id: s\r\nAuthorization: t\r\nCookie: c\r\n"                                           \
    "Content-Length: 2\r\nX-Forwarded-For: 203.0.113.1\r\nx-forwarded-for: 203.0.113.2\r\n"        \
    "X-Forwarded-Proto: https\r\nForwarded: for=x\r\nx-terrane-hop: 1\r\nX-Terrane-Sign: "         \
    "1\r\n\r\n"

static const struct hop_peer to_peer = {.secrets = &first_second,
                                        .entry = SPAN_INIT("node/1"),
                                        .client_ip = SPAN_INIT("203.0.113.1"),
                                        .peer_ip = SPAN_INIT("192.0.2.7"),
                                        .wall_ms = 1700000000000};

/* The request at the other end, without its signature, once that is checked. */
static void assert_peer_gets(const struct http_head *h, const struct hop_peer *to, const char *want)
{
    struct buf out = {0};
    struct http_head got;
    struct hop_signed who;
    hop_add_peer_request(&out, h, to);
    size_t len = out.len;
    BUF_ADD_LIT(&out, "Host: h\r\n\r\n");
    assert_int_equal(http_head_parse_request(&got, out.data, out.len), ERR_OK);
    assert_int_equal(hop_sign_check(&got, &second_first, to->wall_ms, &who), ERR_OK);
    assert_true(span_eq(span_of(who.entry, who.entry_len), to->entry));
    assert_int_equal(who.by_world, to->by_world);
    char ip[ADDR_TEXT_MAX];
    addr_format(&who.client, ip);
    assert_true(span_eq(span_str(ip), to->client_ip));
    char *from = memmem(out.data, len, "x-terrane-hop", 13);
    char *sign = memmem(out.data, len, "x-terrane-sign", 14);
    assert_true(from != NULL && sign != NULL);
    char *behind = (char *)memchr(sign, '\n', len) + 1;
    struct buf rest = {0};
    buf_add(&rest, out.data, (size_t)(from - out.data));
    buf_add(&rest, behind, (size_t)(out.data + len - behind));
    assert_text(&rest, want);
    buf_clear(&out);
}

static void world_hears_credentials_and_where_the_request_came_from(void **state)
{
    struct http_head h;
    struct hop_peer to = to_peer;
    (void)state;
    to.to_world = true;
    parse(&h, PEER_REQUEST);
    assert_peer_gets(&h, &to,
                     "POST /parties/world/w/connect?x=%FF HTTP/1.1\r\nX-Access-Shard: given\r\n"
                     "X-Shard-Id: s\r\nAuthorization: t\r\nCookie: c\r\n"
                     "x-forwarded-for: 192.0.2.7\r\n");
    to.by_world = true;
    to.trusted_peer = true;
    assert_peer_gets(&h, &to,
                     "POST /parties/world/w/connect?x=%FF HTTP/1.1\r\nX-Access-Shard: given\r\n"
                     "X-Shard-Id: s\r\nAuthorization: t\r\nCookie: c\r\n"
                     "X-Forwarded-Proto: https\r\nForwarded: for=x\r\n"
                     "x-forwarded-for: 203.0.113.1, 203.0.113.2, 192.0.2.7\r\n");
}

static void server_hears_what_only_we_write_from_nobody_else(void **state)
{
    struct http_head h;
    struct buf out = {0};
    const struct hop_pass to = {.path = SPAN("/x"),
                                .shard_id = SPAN("s"),
                                .room = SPAN("r"),
                                .world = SPAN("w"),
                                .client_ip = SPAN("192.0.2.7"),
                                .peer_ip = SPAN("10.0.0.1"),
                                .trusted_peer = true};
    (void)state;
    parse(&h, "GET /y HTTP/1.1\r\nHost: n\r\nx-shard-id: forged\r\nx_shard_room-id: forged\r\n"
              "X_Access_Shard: forged\r\nx_terrane_claims: forged\r\nCookie: c\r\n"
              "x_forwarded_for: forged\r\nX-Original_Client-IP: forged\r\n"
              "X-Forwarded-For: 192.0.2.7\r\n\r\n");
    hop_add_pass_request(&out, &h, &to);
    assert_text(&out, "GET /x HTTP/1.1\r\nCookie: c\r\nx-forwarded-for: 192.0.2.7, 10.0.0.1\r\n"
                      "x-forwarded-proto: http\r\nx-original-client-ip: 192.0.2.7\r\n"
                      "x-shard-id: s\r\nx-shard-room-id: r\r\nx-shard-world-id: w\r\n");
}

static void node_hears_no_claims_of_a_stranger(void **state)
{
    struct http_head h;
    struct hop_peer to = to_peer;
    (void)state;
    parse(&h, PEER_REQUEST);
    assert_peer_gets(&h, &to,
                     "POST /parties/world/w/connect?x=%FF HTTP/1.1\r\nAuthorization: t\r\n"
                     "Cookie: c\r\nx-terrane-proto: http\r\n");
    to.trusted_peer = to.https = true;
    assert_peer_gets(&h, &to,
                     "POST /parties/world/w/connect?x=%FF HTTP/1.1\r\nX-Shard-Id: s\r\n"
                     "Authorization: t\r\nCookie: c\r\n"
                     "X-Forwarded-For: 203.0.113.1\r\nx-forwarded-for: 203.0.113.2\r\n"
                     "X-Forwarded-Proto: https\r\nForwarded: for=x\r\n"
                     "x-terrane-proto: https\r\n");
}

static void upgrade_for_another_process_stays_one(void **state)
{
    struct http_head h;
    struct hop_peer to = to_peer;
    (void)state;
    to.upgrade = true;
    to.to_world = true;
    parse(&h, "GET http://here/a?b HTTP/1.1\r\nHost: n\r\nConnection: keep-alive, Upgrade\r\n"
              "Upgrade: h2c\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n"
              "X-Original-Client-IP: 7\r\n\r\n");
    assert_peer_gets(&h, &to,
                     "GET /a?b HTTP/1.1\r\nSec-WebSocket-Key: k\r\n"
                     "x-forwarded-for: 192.0.2.7\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
}

static void node_hears_a_handshake_as_the_client_sent_it(void **state)
{
    struct http_head h;
    struct hop_peer to = to_peer;
    (void)state;
    to.upgrade = true;
    to.host = SPAN("game.example");
    to.path = SPAN("/parties/shard/other");
    to.dialled = SPAN("th\xc3\xads%/1");
    parse(&h, "GET /parties/shard/this?id=a HTTP/1.1\r\nHost: n\r\n"
              "Connection: keep-alive, Upgrade\r\nContent-Length: 0\r\nUpgrade: WebSocket\r\n"
              "X-Terrane-Host: forged\r\nX-Terrane-Dialled: forged\r\n"
              "Sec-WebSocket-Key: k\r\n\r\n");
    assert_peer_gets(&h, &to,
                     "GET /parties/shard/other?id=a HTTP/1.1\r\n"
                     "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
                     "Sec-WebSocket-Key: k\r\nx-terrane-host: game.example\r\n"
                     "x-terrane-proto: http\r\n"
                     "x-terrane-dialled: th%C3%ADs%25%2F1\r\n");
}

static void answer_loses_what_belongs_to_its_hop(void **state)
{
    struct http_head h;
    struct buf out = {0};
    (void)state;
    parse(&h,
          "HTTP/1.1 302 Found\r\nDate: now\r\nConnection: close, x-mine\r\nX-Mine: 1\r\n"
          "Proxy-Authenticate: x\r\nContent-Length: 0\r\nLocation: /elsewhere\r\nSet-Cookie: "
          "a\r\nset-cookie: b\r\n"
          "access-control-allow-origin: *\r\nx-access-shard: s3cret\r\nX-Terrane-Owner: n\r\n\r\n");
    hop_add_answer(&out, &h);
    assert_text(&out, "Location: /elsewhere\r\nSet-Cookie: a\r\nset-cookie: b\r\n"
                      "access-control-allow-origin: *\r\n");
}

static void server_gets_all_that_is_the_clients_and_nothing_forged(void **state)
{
    struct http_head h;
    struct buf out = {0};
    struct hop_pass to = {
        .path = SPAN("/app/a%2Fb/"),
        .query = SPAN("x=1"),
        .client_ip = SPAN("192.0.2.1"),
        .peer_ip = SPAN("192.0.2.1"),
        .host = SPAN("game.example"),
        .https = true,
        .upgrade = true,
    };
    (void)state;
    parse(&h, "GET /other HTTP/1.1\r\nHost: game.example\r\nConnection: upgrade, x-hop\r\n"
              "Upgrade: websocket\r\nx-hop: 1\r\nSec-WebSocket-Key: k\r\nCookie: a=b\r\n"
              "Authorization: Bearer t\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
              "x-forwarded-for: 1\r\nx-forwarded-proto: 2\r\nx-forwarded-host: 3\r\n"
              "x-original-client-ip: 4\r\nx-shard-room-id: 5\r\nx-access-shard: 6\r\n"
              "x-terrane-claims: 7\r\nforwarded: for=8\r\nx_forwarded_for: 9\r\n\r\n");
    hop_add_pass_request(&out, &h, &to);
    assert_text(&out, "GET /app/a%2Fb/?x=1 HTTP/1.1\r\nSec-WebSocket-Key: k\r\nCookie: a=b\r\n"
                      "Authorization: Bearer t\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
                      "x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: https\r\n"
                      "x-forwarded-host: game.example\r\nx-original-client-ip: 192.0.2.1\r\n"
                      "Upgrade: websocket\r\nConnection: Upgrade\r\n");
}

static void server_of_a_shard_hears_of_it(void **state)
{
    struct http_head h;
    struct buf out = {0};
    struct hop_pass to = {
        .path = SPAN("/g/s"),
        .shard_id = SPAN("r\xc3\xad:w:1"),
        .room = SPAN("r\xc3\xad"),
        .world = SPAN("w"),
        .secret = SPAN("s3cret"),
        .client_ip = SPAN("192.0.2.1"),
        .peer_ip = SPAN("10.0.0.1"),
        .subject = SPAN("ann"),
        .claims = SPAN("{}"),
        .trusted_peer = true,
    };
    (void)state;
    parse(&h, "POST /g/s HTTP/1.1\r\nHost: h\r\nx-forwarded-for: 192.0.2.1\r\n"
              "x-shard-id: forged\r\nx-terrane-subject: forged\r\nContent-Length: 3\r\n\r\n");
    hop_add_pass_request(&out, &h, &to);
    assert_text(&out, "POST /g/s HTTP/1.1\r\nx-forwarded-for: 192.0.2.1, 10.0.0.1\r\n"
                      "x-forwarded-proto: http\r\nx-original-client-ip: 192.0.2.1\r\n"
                      "x-shard-id: r%C3%AD%3Aw%3A1\r\nx-shard-room-id: r%C3%AD\r\n"
                      "x-shard-world-id: w\r\nx-access-shard: s3cret\r\n"
                      "x-terrane-subject: ann\r\nx-terrane-claims: {}\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_trusted_peer_is_believed),
        cmocka_unit_test(ids_that_no_header_can_carry_are_encoded),
        cmocka_unit_test(room_gets_the_clients_headers_and_the_shards),
        cmocka_unit_test(room_never_gets_headers_of_the_hop_or_claims_of_a_stranger),
        cmocka_unit_test(trusted_peer_cannot_forge_what_the_shard_sets),
        cmocka_unit_test(room_hears_whom_the_token_named),
        cmocka_unit_test(method_that_may_have_a_body_gets_a_content_type),
        cmocka_unit_test(bytes_beyond_ascii_are_encoded_in_the_request_line),
        cmocka_unit_test(world_hears_credentials_and_where_the_request_came_from),
        cmocka_unit_test(server_hears_what_only_we_write_from_nobody_else),
        cmocka_unit_test(node_hears_no_claims_of_a_stranger),
        cmocka_unit_test(upgrade_for_another_process_stays_one),
        cmocka_unit_test(node_hears_a_handshake_as_the_client_sent_it),
        cmocka_unit_test(server_gets_all_that_is_the_clients_and_nothing_forged),
        cmocka_unit_test(server_of_a_shard_hears_of_it),
        cmocka_unit_test(answer_loses_what_belongs_to_its_hop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
