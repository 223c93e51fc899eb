/* WebSocket connections: what is said in messages, and how much of it may wait. */
#include "ws_rig.h"

/* ---- messages ---- */

static void messages_go_both_ways(void **state)
{
    (void)state;
    start(true);
    assert_true(ws_is_open(ws));
    peer_text("one");
    peer_frame(WS_BINARY, true, "two", 3);
    peer_frame(WS_TEXT, false, "th", 2);
    peer_frame(WS_CONTINUATION, true, "ree", 3);
    peer_text("");
    TURN_UNTIL(loop, got_texts("one|two#three||"));
    assert_true(batches >= 1 && batches <= 5);
    ws_send(ws, WS_TEXT, SPAN("hello"));
    struct frame *shared = ws_frame_new(WS_TEXT, SPAN("shared"));
    ws_send_frame(ws, frame_ref(shared));
    ws_send_frame(ws, shared);
    ws_send(ws, WS_BINARY, SPAN(""));
    TURN_UNTIL(loop, said_text("hello|shared|shared||"));
    assert_memory_equal(peer.in.data, "\x81\x05hello\x81\x06", 9); /* not masked */
}

static void a_client_masks_each_frame_afresh(void **state)
{
    (void)state;
    start(false);
    for (int i = 0; i < 20; i++)
        ws_send(ws, WS_TEXT, SPAN("same"));
    TURN_UNTIL(loop, peer_len(&peer) == 20 * 10);
    for (size_t i = 0; i < 20; i++) {
        assert_memory_equal(peer.in.data + i * 10, "\x81\x84", 2);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(peer.in.data + i * 10 + 2, peer.in.data + k * 10 + 2, 4);
    }
    struct said s = listen_to(&peer); /* which insists on masks */
    assert_int_equal(s.count, 20);
    said_clear(&s);
    peer_text("not masked");
    TURN_UNTIL(loop, got_texts("not masked|"));
}

static void a_pause_inside_a_message_holds_back_the_next(void **state)
{
    (void)state;
    start(true);
    in_message = pause_now;
    peer_text("a");
    peer_text("b");
    peer_text("c");
    TURN_UNTIL(loop, messages == 1);
    turn_some(loop);
    assert_true(got_texts("a|"));
    conn_resume(&ws->conn, CONN_PAUSE_LINK);
    turn_some(loop);
    assert_true(got_texts("a|b|"));
    in_message = NULL;
    conn_resume(&ws->conn, CONN_PAUSE_LINK);
    TURN_UNTIL(loop, got_texts("a|b|c|"));
}

static void close_now(struct ws_conn *w)
{
    ws_close(w, 4404, SPAN("unknown shard"));
    assert_false(ws_is_open(w));
    ws_send(w, WS_TEXT, SPAN("late"));
    ws_send_frame(w, ws_frame_new(WS_TEXT, SPAN("late")));
    ws_close(w, 1000, SPAN("again"));
}

static void after_a_close_no_message_comes_or_goes(void **state)
{
    (void)state;
    start(true);
    in_message = close_now;
    peer_text("a");
    peer_text("b");
    TURN_UNTIL(loop, said_close(4404, "unknown shard"));
    assert_true(got_texts("a|"));
    assert_true(said_text(""));
    peer_text("c");
    peer_frame(WS_PING, true, "d", 1);
    peer_frame(WS_CLOSE, true, "\x11\x34", 2);
    TURN_UNTIL(loop, peer_ended(&peer));
    assert_false(peer.reset);
    TURN_UNTIL(loop, closes == 1);
    assert_int_equal(closed_code, 4404);
    assert_int_equal(messages, 1);
    assert_true(said_pongs(""));
}

static void abort_now(struct ws_conn *w)
{
    ws_abort(w);
}

static void an_abort_inside_a_message_is_the_end(void **state)
{
    (void)state;
    start(true);
    in_message = abort_now;
    peer_text("a");
    peer_text("b");
    TURN_UNTIL(loop, closes == 1);
    assert_int_equal(messages, 1);
    assert_int_equal(closed_code, WS_CODE_ABNORMAL);
}

static void say_larger(struct ws_conn *w, char *data, size_t len, bool binary)
{
    (void)w, (void)data, (void)binary;
    buf_addf(&texts, "%zu!", len);
}

static const struct ws_ops larger_ops = {.message = say_larger, .closed = on_closed};
static struct ws_settings larger;

static void turn_now(struct ws_conn *w)
{
    ws_conn_turn(w, &larger_ops, &larger);
}

static void calls_and_limits_can_turn_inside_a_message(void **state)
{
    char text[2000];
    (void)state;
    memset(text, 'a', sizeof text);
    larger = settings;
    larger.max_message = sizeof text;
    start(true);
    in_message = turn_now;
    peer_text("a");
    peer_frame(WS_TEXT, true, text, sizeof text);
    peer_text("b");
    TURN_UNTIL(loop, got_texts("a|2000!1!"));
}

/* ---- queues ---- */

static char bulk[1 << 20];

static void a_queue_over_its_limit_closes_4200_behind_whole_frames(void **state)
{
    (void)state;
    settings.max_queue = 300000;
    start(true);
    memset(bulk, 'a', sizeof bulk);
    struct frame *first = ws_frame_new(WS_TEXT, span_of(bulk, 200000));
    struct frame *next = ws_frame_new(WS_TEXT, span_of(bulk, 50000));
    size_t sent = 0;
    ws_send_frame(ws, frame_ref(first));
    loop_turn(loop, 0); /* some of it is under way */
    for (; ws_is_open(ws); sent++)
        ws_send_frame(ws, frame_ref(next));
    assert_true(sent >= 2 && sent < 20);
    assert_true(conn_queued(&ws->conn) <= 200100); /* the rest was dropped */
    assert_int_equal(first->refs, 2);
    assert_int_equal(next->refs, 1);
    frame_unref(first);
    frame_unref(next);
    TURN_UNTIL(loop, said_close(WS_CODE_SLOW_CONSUMER, "slow consumer"));
    struct said s = listen_to(&peer);
    assert_int_equal(s.count, 1);
    said_clear(&s);
    peer_frame(WS_CLOSE, true, "\x10\x68", 2);
    TURN_UNTIL(loop, closes == 1);
    assert_int_equal(closed_code, WS_CODE_SLOW_CONSUMER);
}

static void one_frame_always_fits_an_empty_queue(void **state)
{
    (void)state;
    settings.max_queue = 1000;
    start(true);
    memset(bulk, 'b', sizeof bulk);
    ws_send(ws, WS_BINARY, span_of(bulk, 500000));
    assert_true(ws_is_open(ws));
    TURN_UNTIL(loop, peer_len(&peer) == 500010);
    ws_send(ws, WS_BINARY, span_of(bulk, 500000));
    assert_true(ws_is_open(ws));
    ws_send(ws, WS_TEXT, SPAN("one too many"));
    assert_false(ws_is_open(ws));
}

static void without_a_limit_the_queue_grows(void **state)
{
    (void)state;
    settings.high_water = 100000;
    start(true);
    for (int i = 0; i < 10; i++)
        ws_send(ws, WS_BINARY, span_of(bulk, 100000));
    loop_turn(loop, 0);
    assert_true(conn_is_full(&ws->conn));
    assert_true(ws_is_open(ws));
    TURN_UNTIL(loop, peer_len(&peer) == 1000100);
    assert_int_equal(drains, 1);
}

static void a_full_queue_takes_only_the_newest_pong(void **state)
{
    (void)state;
    settings.high_water = 100000;
    start(true);
    memset(bulk, 'c', sizeof bulk);
    ws_send(ws, WS_TEXT, span_of(bulk, sizeof bulk));
    loop_turn(loop, 0);
    size_t queued = conn_queued(&ws->conn);
    for (char i = 0; i < 9; i++)
        peer_frame(WS_PING, true, (char[]){(char)('1' + i)}, 1);
    peer_text("here");
    TURN_UNTIL(loop, messages == 1);
    assert_true(conn_queued(&ws->conn) <= queued);
    TURN_UNTIL(loop, (peer_pump(&peer), conn_queued(&ws->conn) == 0));
    TURN_UNTIL(loop, said_pongs("9|"));
}

/* ---- compressed messages ---- */

static void start_deflating(void)
{
    settings.deflate = ws_deflate_new();
    start(true);
    ws_conn_deflate(ws, 15);
}

/* A frame of the peer with RSV1. */
static void peer_packed(enum ws_opcode opcode, bool fin, const char *payload, size_t len)
{
    char bytes[WS_HEAD_MAX + 4096];
    size_t head = ws_encode_head((uint8_t *)bytes, opcode, len, (const uint8_t[4]){0});
    bytes[0] = (char)((fin ? 0xc0 : 0x40) | opcode);
    memcpy(bytes + head, payload, len);
    peer_send_bytes(&peer, bytes, head + len);
}

static void compressed_messages_come_out_inflated(void **state)
{
    (void)state;
    start_deflating();
    peer_packed(WS_TEXT, true, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
    peer_text("plain");
    peer_packed(WS_BINARY, false, "\xf2\x48\xcd", 3);
    peer_frame(WS_PING, true, "p", 1);
    peer_frame(WS_CONTINUATION, true, "\xc9\xc9\x07\x00", 4);
    peer_packed(WS_TEXT, true, "\x00", 1);
    TURN_UNTIL(loop, got_texts("Hello|plain|Hello#|"));
    TURN_UNTIL(loop, said_pongs("p|"));
    ws_deflate_free(settings.deflate);
}

static void bad_compressed_messages_have_their_codes(void **state)
{
    /* The last is 701 zeros. */
    static const struct {
        const char *data;
        size_t len;
        uint16_t code;
    } rows[] = {
        {"\xff", 1, 1007},
        {"\xf2\x48\xcd", 3, 1007},
        {"\x00\x01\x00\xfe\xff\xff\x00", 7, 1007}, /* says FF */
        {"\x62\x60\x18\x05\xa3\x60\x88\x02\x00\x00", 10, 1009},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (i > 0)
            (void)set_up(state);
        settings.max_message = 700;
        start_deflating();
        peer_packed(WS_TEXT, true, rows[i].data, rows[i].len);
        TURN_UNTIL(loop, said_close(rows[i].code, ""));
        ws_abort(ws);
        TURN_UNTIL(loop, closes == 1);
        assert_int_equal(messages, 0);
        ws_deflate_free(settings.deflate);
        if (i + 1 < sizeof rows / sizeof *rows)
            (void)tear_down(state);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_go_both_ways),
        TEST(a_client_masks_each_frame_afresh),
        TEST(a_pause_inside_a_message_holds_back_the_next),
        TEST(after_a_close_no_message_comes_or_goes),
        TEST(an_abort_inside_a_message_is_the_end),
        TEST(calls_and_limits_can_turn_inside_a_message),
        TEST(a_queue_over_its_limit_closes_4200_behind_whole_frames),
        TEST(one_frame_always_fits_an_empty_queue),
        TEST(without_a_limit_the_queue_grows),
        TEST(a_full_queue_takes_only_the_newest_pong),
        TEST(compressed_messages_come_out_inflated),
        TEST(bad_compressed_messages_have_their_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
