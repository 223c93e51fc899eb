/* What waits for a WebSocket peer and from it: how much, and how long. */
#include "ws_rig.h"

#include "common/base/clock.h"

static struct ws_buffers buffers;
static char bulk[1 << 20];

static int begin(void **state)
{
    buffers = (struct ws_buffers){0};
    memset(bulk, 'a', sizeof bulk);
    int done = set_up(state);
    settings.buffers = &buffers;
    settings.max_message = 1 << 20;
    return done;
}

static int end(void **state)
{
    int done = tear_down(state);
    assert_int_equal(buffers.out, 0);
    assert_int_equal(buffers.in, 0);
    return done;
}

/* Queues bulk until the kernel takes no more of it. */
static void stuff(size_t len)
{
    ws_send(ws, WS_BINARY, span_of(bulk, len));
    loop_turn(loop, 0);
    assert_true(conn_queued(&ws->conn) > 0);
}

/* ---- slow peers ---- */

static void what_waits_is_counted_while_it_waits(void **state)
{
    (void)state;
    start(true);
    ws_send(ws, WS_TEXT, SPAN("soon gone"));
    assert_int_equal(buffers.out, 0);
    loop_turn(loop, 0);
    assert_null(ws->watch);
    stuff(1 << 20);
    assert_true(buffers.out >= conn_queued(&ws->conn));
    size_t before = buffers.out;
    ws_send(ws, WS_TEXT, SPAN("behind it"));
    assert_true(buffers.out > before + 11);
    TURN_UNTIL(loop, (peer_pump(&peer), conn_queued(&ws->conn) == 0));
    assert_int_equal(buffers.out, 0);
    assert_null(ws->watch);
}

static void the_oldest_messages_give_way(void **state)
{
    (void)state;
    settings.max_queue = 2 << 20;
    settings.drop_oldest = true;
    start(true);
    stuff(1 << 20); /* under way: stays whole */
    ws_send(ws, WS_PING, SPAN("stays"));
    for (char i = 0; i < 26; i++) {
        bulk[0] = (char)('a' + i);
        ws_send(ws, WS_TEXT, span_of(bulk, 100000));
        assert_true(ws_is_open(ws));
        assert_true(conn_queued(&ws->conn) <= settings.max_queue);
    }
    size_t dropped = (size_t)buffers.dropped;
    assert_true(dropped >= 16 && dropped < 26);
    TURN_UNTIL(loop, (peer_pump(&peer), conn_queued(&ws->conn) == 0));
    struct said s = listen_to(&peer);
    assert_int_equal(s.count, 1 + 26 - dropped);
    assert_int_equal(s.pings, 1);
    assert_int_equal(s.text.data[101], 'a' + (char)dropped); /* no gap behind the oldest */
    assert_int_equal(buffers.slow[WS_SLOW_QUEUE], 0);
    said_clear(&s);
}

static void behind_what_is_under_way_the_newest_is_the_oldest(void **state)
{
    (void)state;
    settings.max_queue = 1000;
    settings.drop_oldest = true;
    start(true);
    stuff(1 << 20);
    ws_send(ws, WS_TEXT, SPAN("lost"));
    ws_send(ws, WS_PING, SPAN("stays"));
    assert_true(ws_is_open(ws));
    assert_int_equal(buffers.dropped, 1);
    TURN_UNTIL(loop, (peer_pump(&peer), conn_queued(&ws->conn) == 0));
    ws_send(ws, WS_TEXT, SPAN("there"));
    TURN_UNTIL(loop, conn_queued(&ws->conn) == 0);
    turn_some(loop);
    struct said s = listen_to(&peer);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.pings, 1);
    said_clear(&s);
}

static void whoever_takes_nothing_is_closed(void **state)
{
    (void)state;
    settings.slow_ms = 40;
    settings.drop_oldest = true;
    start(true);
    int64_t began = clock_mono_ms();
    stuff(1 << 20);
    TURN_UNTIL(loop, !ws_is_open(ws));
    assert_true(clock_mono_ms() - began >= 39);
    assert_int_equal(buffers.slow[WS_SLOW_STALLED], 1);
    TURN_UNTIL(loop, said_close(WS_CODE_SLOW_CONSUMER, "slow consumer"));
}

static void whoever_takes_a_little_is_not(void **state)
{
    (void)state;
    settings.slow_ms = 600;
    start(true);
    stuff(1 << 20);
    int64_t began = clock_mono_ms();
    char some[4096];
    for (int64_t i = 0; i < 30; i++) {
        ssize_t n = recv(peer.fd, some, sizeof some, MSG_DONTWAIT);
        if (n > 0)
            buf_add(&peer.in, some, (size_t)n);
        while (clock_mono_ms() - began < i * 30)
            loop_turn(loop, 5);
    }
    assert_true(ws_is_open(ws));
    assert_true(conn_queued(&ws->conn) > 0);
}

static void beyond_the_bound_of_all_only_the_slow_one_goes(void **state)
{
    (void)state;
    buffers.max = 100;
    start(true);
    ws_send(ws, WS_TEXT, SPAN("small"));
    buffers.out = 1000; /* others */
    loop_turn(loop, 0);
    assert_true(ws_is_open(ws));
    ws_send(ws, WS_BINARY, span_of(bulk, sizeof bulk));
    assert_true(ws_is_open(ws)); /* the kernel may take it all */
    loop_turn(loop, 0);
    assert_false(ws_is_open(ws));
    assert_int_equal(buffers.slow[WS_SLOW_BUFFERS], 1);
    TURN_UNTIL(loop, said_close(WS_CODE_SLOW_CONSUMER, "slow consumer"));
    buffers.out -= 1000;
}

static void pings_alone_do_not_fill_the_queue(void **state)
{
    (void)state;
    settings.high_water = 1 << 30;
    start(true);
    stuff(1 << 20);
    turn_some(loop);
    uint32_t frames = ws->conn.out.count;
    for (int i = 0; i < 50; i++) {
        peer_frame(WS_PING, true, "p", 1);
        turn_some(loop);
    }
    assert_int_equal(ws->conn.out.count, frames);
    peer_frame(WS_PING, true, "q", 1);
    turn_some(loop);
    TURN_UNTIL(loop, said_pongs("q|"));
}

static void many_pings_at_once_do_not_either(void **state)
{
    (void)state;
    start(true);
    for (int i = 0; i < 1000; i++)
        peer_frame(WS_PING, true, "p", 1);
    peer_frame(WS_PING, true, "q", 1);
    size_t pongs = 0;
    for (bool last = false; !last;) {
        loop_turn(loop, 1);
        struct said s = listen_to(&peer);
        pongs = s.pongs.len / 2;
        last = pongs > 0 && s.pongs.data[s.pongs.len - 2] == 'q';
        said_clear(&s);
    }
    assert_true(pongs >= 100 && pongs < 500);
    turn_some(loop);
    assert_null(ws->watch); /* nothing waits, and no clock runs */
}

/* ---- messages that do not end ---- */

static void an_unfinished_message_is_counted_and_closed(void **state)
{
    (void)state;
    settings.message_ms = 60;
    start(true);
    int64_t began = clock_mono_ms();
    peer_frame(WS_TEXT, false, "begun", 5);
    TURN_UNTIL(loop, buffers.in >= 5);
    while (ws_is_open(ws)) { /* frame by frame, but never the last */
        peer_frame(WS_CONTINUATION, false, "", 0);
        loop_turn(loop, 10);
        assert_true(clock_mono_ms() - began < 10000);
    }
    assert_true(clock_mono_ms() - began >= 59);
    assert_int_equal(buffers.in, 0);
    TURN_UNTIL(loop, said_close(WS_CODE_POLICY, "message timeout"));
    assert_int_equal(shutdown(peer.fd, SHUT_WR), 0);
    TURN_UNTIL(loop, closes == 1);
    assert_int_equal(closed_code, WS_CODE_POLICY);
}

static void half_a_head_is_an_unfinished_message_too(void **state)
{
    (void)state;
    settings.message_ms = 30;
    start(true);
    peer_send_bytes(&peer, "\x81", 1);
    TURN_UNTIL(loop, said_close(WS_CODE_POLICY, "message timeout"));
}

static void each_message_has_its_own_time(void **state)
{
    (void)state;
    settings.message_ms = 700;
    start(true);
    peer_frame(WS_TEXT, false, "1", 1);
    for (int i = 0; i < 12; i++) { /* always one under way */
        int64_t began = clock_mono_ms();
        while (clock_mono_ms() - began < 70)
            loop_turn(loop, 5);
        peer_frame(WS_PING, true, "", 0);
        peer_frame(WS_CONTINUATION, true, "2", 1);
        peer_frame(WS_TEXT, false, "1", 1);
        turn_some(loop);
    }
    assert_true(ws_is_open(ws));
    peer_frame(WS_CONTINUATION, true, "2", 1);
    TURN_UNTIL(loop, messages == 13);
    assert_null(ws->watch);
}

static void a_pause_stops_that_clock(void **state)
{
    (void)state;
    settings.message_ms = 30;
    start(true);
    peer_frame(WS_TEXT, false, "1", 1);
    TURN_UNTIL(loop, ws->watch != NULL);
    conn_pause(&ws->conn, CONN_PAUSE_LINK);
    int64_t began = clock_mono_ms();
    while (clock_mono_ms() - began < 150)
        loop_turn(loop, 10);
    assert_true(ws_is_open(ws));
    peer_frame(WS_CONTINUATION, true, "2", 1);
    conn_resume(&ws->conn, CONN_PAUSE_LINK);
    TURN_UNTIL(loop, got_texts("12|"));
}

static void beyond_the_bound_of_all_unfinished_messages_are_refused(void **state)
{
    (void)state;
    buffers.max = 10000;
    start(true);
    buffers.out = 20000; /* others */
    peer_frame(WS_BINARY, false, bulk, 4000);
    TURN_UNTIL(loop, buffers.in >= 4000);
    assert_true(ws_is_open(ws) || buffers.in > WS_SMALL);
    peer_frame(WS_CONTINUATION, false, bulk, 4000);
    TURN_UNTIL(loop, !ws_is_open(ws));
    assert_int_equal(buffers.in, 0);
    TURN_UNTIL(loop, said_close(WS_CODE_TRY_LATER, "buffers full"));
    buffers.out -= 20000;
}

static void a_peer_that_is_being_closed_is_not_exempt(void **state)
{
    (void)state;
    buffers.max = 10000;
    start(true);
    ws_close(ws, WS_CODE_POLICY, SPAN("enough"));
    buffers.out = 20000; /* others */
    for (int i = 0; i < 10; i++)
        peer_frame(i == 0 ? WS_BINARY : WS_CONTINUATION, false, bulk, 4000);
    int64_t began = clock_mono_ms();
    TURN_UNTIL(loop, !conn_is_open(&ws->conn));
    assert_true(clock_mono_ms() - began < WS_CLOSE_MS / 2);
    assert_int_equal(buffers.in, 0);
    assert_true(said_close(WS_CODE_POLICY, "enough"));
    buffers.out -= 20000;
}

static void whole_messages_pass_beyond_it(void **state)
{
    (void)state;
    buffers.max = 1;
    start(true);
    buffers.out = 20000;
    for (int i = 0; i < 5; i++)
        peer_frame(WS_BINARY, true, bulk, 4000);
    TURN_UNTIL(loop, messages == 5);
    assert_true(ws_is_open(ws));
    buffers.out -= 20000;
}

static void what_a_pause_holds_back_is_counted(void **state)
{
    (void)state;
    start(true);
    in_message = pause_now;
    for (int i = 0; i < 5; i++)
        peer_frame(WS_BINARY, true, bulk, 4000);
    TURN_UNTIL(loop, messages == 1);
    turn_some(loop);
    assert_true(buffers.in >= conn_unread_bytes(&ws->conn));
    assert_true(buffers.in > 0);
    in_message = NULL;
    conn_resume(&ws->conn, CONN_PAUSE_LINK);
    TURN_UNTIL(loop, messages == 5);
    assert_int_equal(buffers.in, 0);
    assert_null(ws->watch);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_waits_is_counted_while_it_waits),
        TEST(the_oldest_messages_give_way),
        TEST(behind_what_is_under_way_the_newest_is_the_oldest),
        TEST(whoever_takes_nothing_is_closed),
        TEST(whoever_takes_a_little_is_not),
        TEST(beyond_the_bound_of_all_only_the_slow_one_goes),
        TEST(pings_alone_do_not_fill_the_queue),
        TEST(many_pings_at_once_do_not_either),
        TEST(an_unfinished_message_is_counted_and_closed),
        TEST(half_a_head_is_an_unfinished_message_too),
        TEST(each_message_has_its_own_time),
        TEST(a_pause_stops_that_clock),
        TEST(beyond_the_bound_of_all_unfinished_messages_are_refused),
        TEST(a_peer_that_is_being_closed_is_not_exempt),
        TEST(whole_messages_pass_beyond_it),
        TEST(what_a_pause_holds_back_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
