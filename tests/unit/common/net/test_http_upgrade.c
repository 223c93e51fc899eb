/* Connections that become something else. */
#include "http_app.h"

#define WS_REQUEST(target)                                                                         \
    "GET " target " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"          \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
/* "hi", masked with zeros. */
#define WS_HI "\x81\x82\0\0\0\0hi"

static void send_upgrade(struct peer *p, const char *request)
{
    char bytes[1024];
    size_t len = strlen(request);
    memcpy(bytes, request, len);
    memcpy(bytes + len, WS_HI, sizeof WS_HI - 1);
    peer_send_bytes(p, bytes, len + sizeof WS_HI - 1);
}

static void an_upgrade_keeps_the_bytes_behind_the_head(void **state)
{
    (void)state;
    struct peer p = connect_client();
    send_upgrade(&p, WS_REQUEST("/ws"));
    until_text(&p, "\r\n\r\n\x81\x02hi");
    assert_true(peer_has(&p, "HTTP/1.1 101 Switching Protocols\r\n"));
    assert_true(peer_has(&p, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_int_equal(http_server_connections(app.server), 0);
    peer_send_bytes(&p, WS_HI, sizeof WS_HI - 1);
    TURN_UNTIL(app.loop, app.ws_text.len == 4);
    peer_close(&p);
    TURN_UNTIL(app.loop, app.ws_closed);
    assert_int_equal(app.ws_code, WS_CODE_ABNORMAL);
    assert_int_equal(app.gone, 0);
}

static void an_upgrade_may_come_later(void **state)
{
    (void)state;
    struct peer p = connect_client();
    send_upgrade(&p, WS_REQUEST("/ws-later"));
    TURN_UNTIL(app.loop, app.later != NULL);
    turn_some(app.loop);
    assert_int_equal(peer_len(&p), 0);
    upgrade(app.later);
    app.later = NULL;
    until_text(&p, "\r\n\r\n\x81\x02hi");
    peer_send_bytes(&p, WS_HI, sizeof WS_HI - 1);
    TURN_UNTIL(app.loop, app.ws_text.len == 4);
    peer_close(&p);
    TURN_UNTIL(app.loop, app.ws_closed);
}

static void an_upgrade_of_a_dead_connection_ends_in_closed(void **state)
{
    (void)state;
    struct peer p = connect_client();
    send_upgrade(&p, WS_REQUEST("/ws-later"));
    TURN_UNTIL(app.loop, app.later != NULL);
    (void)shutdown(p.fd, SHUT_WR); /* the frame is taken, then the end seen */
    upgrade(app.later);
    app.later = NULL;
    TURN_UNTIL(app.loop, app.ws_closed);
    assert_int_equal(app.ws_text.len, 2);
    assert_int_equal(app.gone, 0);
    peer_close(&p);
}

static void a_detached_connection_is_raw_from_behind_the_head(void **state)
{
    (void)state;
    struct peer p = connect_client();
    peer_send(&p, "GET /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nraw bytes");
    until_text(&p, "raw bytes");
    assert_int_equal(p.in.len, sizeof "raw bytes" - 1); /* and no answer of ours */
    peer_send(&p, " more");
    until_text(&p, " more");
    (void)shutdown(p.fd, SHUT_WR);
    TURN_UNTIL(app.loop, app.raw_closed);
    assert_int_equal(http_server_connections(app.server), 0);
    peer_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_upgrade_keeps_the_bytes_behind_the_head),
        TEST(an_upgrade_may_come_later),
        TEST(an_upgrade_of_a_dead_connection_ends_in_closed),
        TEST(a_detached_connection_is_raw_from_behind_the_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
