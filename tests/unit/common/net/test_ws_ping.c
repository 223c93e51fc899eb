/* Pings and pongs of WebSocket connections, and what counts as silence. */
#include "ws_rig.h"

static void a_ping_is_answered_with_its_payload(void **state)
{
    (void)state;
    start(true);
    peer_frame(WS_PING, true, "", 0);
    peer_frame(WS_TEXT, false, "a", 1);
    peer_frame(WS_PING, true, "are you there?", 14);
    peer_frame(WS_CONTINUATION, true, "b", 1);
    TURN_UNTIL(loop, said_pongs("|are you there?|"));
    assert_true(got_texts("ab|"));
}

static void only_the_pong_of_a_ping_of_our_own_is_told(void **state)
{
    (void)state;
    start(true);
    ws_ping(ws, SPAN("7"));
    TURN_UNTIL(loop, peer_len(&peer) == 3);
    assert_memory_equal(peer.in.data,
                        "\x89\x01"
                        "7",
                        3);
    peer_frame(WS_PONG, true, "", 0);
    peer_text("a");
    peer_frame(WS_PONG, true, "7", 1);
    TURN_UNTIL(loop, got_texts("a|7 pong|"));
}

static void silence_is_pinged_and_then_closed(void **state)
{
    (void)state;
    settings.ping_ms = 30;
    settings.pong_ms = 30;
    start(true);
    int64_t began = clock_mono_ms();
    TURN_UNTIL(loop, peer_len(&peer) == 2);
    assert_memory_equal(peer.in.data, "\x89\x00", 2);
    assert_true(clock_mono_ms() - began >= 29);
    TURN_UNTIL(loop, said_close(4002, "timeout"));
    assert_true(clock_mono_ms() - began >= 59);
    expire();
    assert_int_equal(closed_code, 4002);
}

static void any_sign_of_life_will_do(void **state)
{
    (void)state;
    settings.ping_ms = 30;
    settings.pong_ms = 5000;
    start(true);
    for (size_t pings = 0; pings < 4;) { /* in words, in a pong, in half a frame */
        TURN_UNTIL(loop, peer_len(&peer) == 2 * (pings + 1));
        pings++;
        if (pings == 1)
            peer_text("here");
        else if (pings == 2)
            peer_frame(WS_PONG, true, "", 0);
        else
            peer_send_bytes(&peer, "\x81", 1);
        if (pings == 3)
            peer_send_bytes(&peer, "\x80\0\0\0\0", 5);
    }
    struct said s = listen_to(&peer);
    assert_int_equal(s.closes, 0);
    said_clear(&s);
}

static void while_reading_is_paused_the_deadline_stands_still(void **state)
{
    (void)state;
    settings.ping_ms = 20;
    settings.pong_ms = 100;
    start(true);
    TURN_UNTIL(loop, peer_len(&peer) == 2);
    conn_pause(&ws->conn, CONN_PAUSE_LINK);
    peer_frame(WS_PONG, true, "", 0);
    for (int64_t end = clock_mono_ms() + 250; clock_mono_ms() < end;)
        loop_turn(loop, 5);
    assert_int_equal(peer_len(&peer), 2);
    conn_resume(&ws->conn, CONN_PAUSE_LINK);
    TURN_UNTIL(loop, peer_len(&peer) == 4); /* the next ping, not a close */
    assert_memory_equal(peer.in.data + 2, "\x89\x00", 2);
    assert_true(ws_is_open(ws));
}

/* A process that stood still for a while finds the pong in the kernel. */
static void a_pong_that_waits_in_the_kernel_counts(void **state)
{
    (void)state;
    settings.ping_ms = 20;
    settings.pong_ms = 10000;
    start(true);
    TURN_UNTIL(loop, peer_len(&peer) == 2);
    peer_frame(WS_PONG, true, "", 0);
    TURN_UNTIL(loop, conn_has_input(&ws->conn) || !ws->pinged);
    ws->pinged = true;
    peer_frame(WS_PONG, true, "", 0);
    wheel_advance(loop_wheel(loop), ws->timer.due_ms + WHEEL_TICK_MS);
    assert_true(ws_is_open(ws));
    TURN_UNTIL(loop, !ws->pinged);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_ping_is_answered_with_its_payload),
        TEST(only_the_pong_of_a_ping_of_our_own_is_told),
        TEST(silence_is_pinged_and_then_closed),
        TEST(any_sign_of_life_will_do),
        TEST(while_reading_is_paused_the_deadline_stands_still),
        TEST(a_pong_that_waits_in_the_kernel_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
