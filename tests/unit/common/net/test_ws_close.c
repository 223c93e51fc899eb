/* How WebSocket connections end: closing handshakes, errors, peers that vanish. */
#include "ws_rig.h"

static void the_code_of_the_peer_is_echoed(void **state)
{
    static const struct {
        const char *payload;
        size_t len;
        uint16_t code;
        const char *echo;
        size_t echo_len;
    } rows[] = {
        {"", 0, WS_CODE_NO_STATUS, "\x88\x00", 2},
        {"\x03\xe8", 2, 1000, "\x88\x02\x03\xe8", 4},
        {"\x03\xe9going", 7, 1001, "\x88\x07\x03\xe9going", 9},
        {"\x0f\xa0", 2, 4000, "\x88\x02\x0f\xa0", 4},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (i > 0) {
            peer_close(&peer);
            memset(ws, 0, sizeof *ws);
            closes = 0;
        }
        start(true);
        ws_send(ws, WS_TEXT, SPAN("first"));
        peer_frame(WS_CLOSE, true, rows[i].payload, rows[i].len);
        TURN_UNTIL(loop, peer_ended(&peer)); /* the server ends it, without waiting for us */
        assert_false(peer.reset);
        assert_int_equal(peer.in.len, 7 + rows[i].echo_len);
        assert_memory_equal(peer.in.data + 7, rows[i].echo, rows[i].echo_len);
        TURN_UNTIL(loop, closes == 1);
        assert_int_equal(closed_code, rows[i].code);
    }
}

static void a_close_without_a_code_is_an_empty_frame(void **state)
{
    (void)state;
    start(true);
    ws_close(ws, WS_CODE_NONE, SPAN(""));
    TURN_UNTIL(loop, peer_len(&peer) == 2);
    assert_memory_equal(peer.in.data, "\x88\x00", 2);
    peer_frame(WS_CLOSE, true, "", 0);
    TURN_UNTIL(loop, closes == 1);
    assert_int_equal(closed_code, WS_CODE_NO_STATUS);
}

static void a_peer_that_does_not_answer_the_close_is_left(void **state)
{
    (void)state;
    start(true);
    ws_close(ws, 1012, SPAN("restart"));
    TURN_UNTIL(loop, said_close(1012, "restart"));
    assert_int_equal(closes, 0);
    assert_true(ws->timer.due_ms <= loop_now(loop) + WS_CLOSE_MS);
    expire();
    assert_int_equal(closes, 1);
    assert_int_equal(closed_code, 1012);
}

static void a_close_gets_through_a_pause(void **state)
{
    (void)state;
    start(true);
    in_message = pause_now;
    peer_text("a");
    peer_text("b");
    peer_frame(WS_CLOSE, true, "\x03\xe8", 2);
    TURN_UNTIL(loop, messages == 1);
    turn_some(loop);
    ws_close(ws, 1001, SPAN(""));
    TURN_UNTIL(loop, closes == 1);
    assert_int_equal(messages, 1);
    assert_int_equal(closed_code, 1001);
}

static void a_client_waits_for_the_server_to_end_the_connection(void **state)
{
    (void)state;
    start(false);
    peer_frame(WS_CLOSE, true, "\x03\xe8", 2);
    TURN_UNTIL(loop, said_close(1000, ""));
    turn_some(loop);
    assert_false(peer_ended(&peer));
    assert_int_equal(closes, 0);
    peer_close(&peer);
    TURN_UNTIL(loop, closes == 1);
    assert_int_equal(closed_code, 1000);
}

static void a_client_does_not_wait_for_ever(void **state)
{
    (void)state;
    start(false);
    ws_close(ws, 1000, SPAN(""));
    TURN_UNTIL(loop, said_close(1000, ""));
    peer_frame(WS_CLOSE, true, "\x03\xe8", 2);
    turn_some(loop);
    assert_int_equal(closes, 0);
    expire();
    assert_int_equal(closes, 1);
}

static void a_peer_that_vanishes_is_abnormal(void **state)
{
    (void)state;
    start(true);
    ws_send(ws, WS_TEXT, SPAN("x"));
    peer_close(&peer);
    TURN_UNTIL(loop, closes == 1);
    assert_int_equal(closed_code, WS_CODE_ABNORMAL);
}

static void protocol_errors_are_answered_with_their_code(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        uint16_t code;
    } rows[] = {
        {"\x81\x02hi", 4, 1002},               /* not masked */
        {"\xc1\x82\0\0\0\0hi", 8, 1002},       /* RSV1 */
        {"\x83\x80\0\0\0\0", 6, 1002},         /* reserved opcode */
        {"\x80\x80\0\0\0\0", 6, 1002},         /* continues nothing */
        {"\x88\x82\0\0\0\0\x03\xed", 8, 1002}, /* close with 1005 */
        {"\x88\x81\0\0\0\0\x03", 7, 1002},     /* close with half a code */
        {"\x81\x82\0\0\0\0\xc3\x28", 8, 1007}, /* not UTF-8 */
        {"\x82\xfe\x03\xe9\0\0\0\0", 8, 1009}, /* 1001 bytes */
        {"\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0", 14, 1009},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (i > 0) {
            peer_close(&peer);
            memset(ws, 0, sizeof *ws);
            closes = 0;
        }
        start(true);
        peer_text("well");
        peer_send_bytes(&peer, rows[i].bytes, rows[i].len);
        TURN_UNTIL(loop, said_close(rows[i].code, ""));
        for (int k = 0; k < 5; k++) { /* it goes on sending and still reads why */
            char more[1000] = {0};
            peer_send_bytes(&peer, more, sizeof more);
            loop_turn(loop, 1);
        }
        TURN_UNTIL(loop, peer_ended(&peer));
        assert_false(peer.reset);
        (void)shutdown(peer.fd, SHUT_WR);
        TURN_UNTIL(loop, closes == 1);
        assert_int_equal(closed_code, rows[i].code);
    }
    assert_int_equal(messages, sizeof rows / sizeof *rows);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_code_of_the_peer_is_echoed),
        TEST(a_close_without_a_code_is_an_empty_frame),
        TEST(a_peer_that_does_not_answer_the_close_is_left),
        TEST(a_close_gets_through_a_pause),
        TEST(a_client_waits_for_the_server_to_end_the_connection),
        TEST(a_client_does_not_wait_for_ever),
        TEST(a_peer_that_vanishes_is_abnormal),
        TEST(protocol_errors_are_answered_with_their_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
