/* WebSocket connections, server and client side, against a raw peer that says its bytes itself. */
#include "wire.h"

#include "common/net/ws_conn.h"

static struct loop *loop;
static struct peer peer;
static size_t fds;
static struct ws_conn *ws;
static struct ws_settings settings;

static struct buf texts; /* the messages, each with a '|' behind it */
static size_t messages, batches, drains, closes;
static uint16_t closed_code;
static void (*in_message)(struct ws_conn *w);

static void on_message(struct ws_conn *w, char *data, size_t len, bool binary)
{
    assert_ptr_equal(w, ws);
    assert_int_equal(closes, 0);
    messages++;
    buf_add(&texts, data, len);
    buf_add_char(&texts, binary ? '#' : '|');
    memset(data, 'x', len);
    if (in_message != NULL)
        in_message(w);
}

static void on_pong(struct ws_conn *w, struct span payload)
{
    assert_ptr_equal(w, ws);
    buf_add_span(&texts, payload);
    BUF_ADD_LIT(&texts, " pong|");
}

static void on_drained(struct ws_conn *w)
{
    assert_ptr_equal(w, ws);
    drains++;
}

static void on_batch_end(struct ws_conn *w)
{
    assert_ptr_equal(w, ws);
    batches++;
}

static void on_closed(struct ws_conn *w, uint16_t code)
{
    assert_ptr_equal(w, ws);
    closes++;
    closed_code = code;
}

static const struct ws_ops ops = {.message = on_message,
                                  .pong = on_pong,
                                  .drained = on_drained,
                                  .batch_end = on_batch_end,
                                  .closed = on_closed};

static void raw_data(struct conn *c, char *data, size_t len)
{
    (void)c, (void)data, (void)len;
    fail();
}

static void raw_closed(struct conn *c, enum conn_end end)
{
    (void)c, (void)end;
    fail();
}

static void start(bool server)
{
    static const struct conn_ops raw_ops = {.data = raw_data, .closed = raw_closed};
    struct conn raw = {.high_water = 0};
    int fd;
    peer = peer_pair(&fd);
    conn_open(&raw, loop, fd, &raw_ops);
    ws_conn_start(ws, &raw, server, &ops, &settings);
}

static int set_up(void **state)
{
    (void)state;
    fds = open_fds();
    loop = loop_new();
    ws = xcalloc(1, sizeof *ws);
    settings = (struct ws_settings){.max_message = 1000, .high_water = 1 << 20};
    messages = batches = drains = closes = 0;
    closed_code = 0;
    in_message = NULL;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ws_abort(ws);
    loop_turn(loop, 0);
    assert_int_equal(closes, 1);
    loop_free(loop);
    peer_close(&peer);
    buf_clear(&texts);
    free(ws);
    assert_int_equal(open_fds(), fds);
    return 0;
}

/* ---- the peer's side of the wire ---- */

/* Sends a frame; masked (with a mask that is not zero) when we are the server. */
static void peer_frame(enum ws_opcode opcode, bool fin, const char *payload, size_t len)
{
    static const uint8_t mask[4] = {1, 2, 3, 4};
    char bytes[WS_HEAD_MAX + 4096];
    size_t head = ws_encode_head((uint8_t *)bytes, opcode, len, ws->server ? mask : NULL);
    if (!fin)
        bytes[0] = (char)(bytes[0] & 0x7f);
    memcpy(bytes + head, payload, len);
    if (ws->server)
        ws_mask(bytes + head, payload, len, mask, 0);
    peer_send_bytes(&peer, bytes, head + len);
}

static void peer_text(const char *text)
{
    peer_frame(WS_TEXT, true, text, strlen(text));
}

/* What our side has sent, decoded; ok while it is a stream of valid frames. */
struct said {
    struct buf text; /* of messages, each with a '|' behind it */
    struct buf pongs;
    size_t count, pings, closes;
    uint16_t code;
    struct buf reason;
};

static void said_clear(struct said *s)
{
    buf_clear(&s->text);
    buf_clear(&s->pongs);
    buf_clear(&s->reason);
}

static void said_note(struct said *s, const struct ws_event *event)
{
    struct span data = span_of(event->data, event->len);
    switch (event->opcode) {
    case WS_TEXT:
    case WS_BINARY:
        s->count++;
        buf_add_span(&s->text, span_slice(data, 0, 100));
        buf_add_char(&s->text, '|');
        return;
    case WS_PING:
        s->pings++;
        return;
    case WS_PONG:
        buf_add_span(&s->pongs, data);
        buf_add_char(&s->pongs, '|');
        return;
    case WS_CLOSE:
        s->closes++;
        s->code = event->code;
        buf_add_span(&s->reason, data);
        return;
    case WS_CONTINUATION:
        return;
    }
}

/* Decodes all that came so far. */
static struct said listen_to(struct peer *p)
{
    struct said s = {.count = 0};
    struct ws_decoder d = {.left = 0};
    ws_decoder_init(&d, !ws->server, 64 << 20);
    peer_pump(p);
    char *copy = xmalloc(p->in.len + 1);
    if (p->in.len > 0)
        memcpy(copy, p->in.data, p->in.len);
    for (size_t at = 0; at < p->in.len;) {
        size_t used;
        struct ws_event event;
        enum err e = ws_decode(&d, copy + at, p->in.len - at, &used, &event);
        at += used;
        if (e == ERR_AGAIN)
            break;
        assert_int_equal(e, ERR_OK);
        said_note(&s, &event);
    }
    ws_decoder_clear(&d);
    free(copy);
    return s;
}

static bool said_close(uint16_t code, const char *reason)
{
    struct said s = listen_to(&peer);
    bool so = s.closes == 1 && s.code == code && span_eq(buf_span(&s.reason), span_str(reason));
    said_clear(&s);
    return so;
}

static bool said_text(const char *text)
{
    struct said s = listen_to(&peer);
    bool so = span_eq(buf_span(&s.text), span_str(text));
    said_clear(&s);
    return so;
}

static bool said_pongs(const char *pongs)
{
    struct said s = listen_to(&peer);
    bool so = span_eq(buf_span(&s.pongs), span_str(pongs));
    said_clear(&s);
    return so;
}

static bool got_texts(const char *text)
{
    return span_eq(buf_span(&texts), span_str(text));
}

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
    UNTIL(loop, got_texts("one|two#three||"));
    assert_true(batches >= 1 && batches <= 5);
    ws_send(ws, WS_TEXT, SPAN("hello"));
    struct frame *shared = ws_frame_new(WS_TEXT, SPAN("shared"));
    ws_send_frame(ws, frame_ref(shared));
    ws_send_frame(ws, shared);
    ws_send(ws, WS_BINARY, SPAN(""));
    UNTIL(loop, said_text("hello|shared|shared||"));
    assert_memory_equal(peer.in.data, "\x81\x05hello\x81\x06", 9); /* not masked */
}

static void a_client_masks_each_frame_afresh(void **state)
{
    (void)state;
    start(false);
    for (int i = 0; i < 20; i++)
        ws_send(ws, WS_TEXT, SPAN("same"));
    UNTIL(loop, peer_len(&peer) == 20 * 10);
    for (size_t i = 0; i < 20; i++) {
        assert_memory_equal(peer.in.data + i * 10, "\x81\x84", 2);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(peer.in.data + i * 10 + 2, peer.in.data + k * 10 + 2, 4);
    }
    struct said s = listen_to(&peer); /* which insists on masks */
    assert_int_equal(s.count, 20);
    said_clear(&s);
    peer_text("not masked");
    UNTIL(loop, got_texts("not masked|"));
}

static void pause_now(struct ws_conn *w)
{
    conn_pause(&w->conn, CONN_PAUSE_LINK);
}

static void a_pause_inside_a_message_holds_back_the_next(void **state)
{
    (void)state;
    start(true);
    in_message = pause_now;
    peer_text("a");
    peer_text("b");
    peer_text("c");
    UNTIL(loop, messages == 1);
    turn_some(loop);
    assert_true(got_texts("a|"));
    conn_resume(&ws->conn, CONN_PAUSE_LINK);
    turn_some(loop);
    assert_true(got_texts("a|b|"));
    in_message = NULL;
    conn_resume(&ws->conn, CONN_PAUSE_LINK);
    UNTIL(loop, got_texts("a|b|c|"));
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
    UNTIL(loop, said_close(4404, "unknown shard"));
    assert_true(got_texts("a|"));
    assert_true(said_text(""));
    peer_text("c");
    peer_frame(WS_PING, true, "d", 1);
    peer_frame(WS_CLOSE, true, "\x11\x34", 2);
    UNTIL(loop, peer_ended(&peer));
    assert_false(peer.reset);
    UNTIL(loop, closes == 1);
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
    UNTIL(loop, closes == 1);
    assert_int_equal(messages, 1);
    assert_int_equal(closed_code, WS_CODE_ABNORMAL);
}

/* ---- closing ---- */

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
        UNTIL(loop, peer_ended(&peer)); /* the server ends it, without waiting for us */
        assert_false(peer.reset);
        assert_int_equal(peer.in.len, 7 + rows[i].echo_len);
        assert_memory_equal(peer.in.data + 7, rows[i].echo, rows[i].echo_len);
        UNTIL(loop, closes == 1);
        assert_int_equal(closed_code, rows[i].code);
    }
}

static void a_close_without_a_code_is_an_empty_frame(void **state)
{
    (void)state;
    start(true);
    ws_close(ws, WS_CODE_NONE, SPAN(""));
    UNTIL(loop, peer_len(&peer) == 2);
    assert_memory_equal(peer.in.data, "\x88\x00", 2);
    peer_frame(WS_CLOSE, true, "", 0);
    UNTIL(loop, closes == 1);
    assert_int_equal(closed_code, WS_CODE_NO_STATUS);
}

static void expire(void)
{
    assert_true(timer_is_set(&ws->timer));
    wheel_advance(loop_wheel(loop), ws->timer.due_ms + WHEEL_TICK_MS);
    loop_turn(loop, 0);
}

static void a_peer_that_does_not_answer_the_close_is_left(void **state)
{
    (void)state;
    start(true);
    ws_close(ws, 1012, SPAN("restart"));
    UNTIL(loop, said_close(1012, "restart"));
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
    UNTIL(loop, messages == 1);
    turn_some(loop);
    ws_close(ws, 1001, SPAN(""));
    UNTIL(loop, closes == 1);
    assert_int_equal(messages, 1);
    assert_int_equal(closed_code, 1001);
}

static void a_client_waits_for_the_server_to_end_the_connection(void **state)
{
    (void)state;
    start(false);
    peer_frame(WS_CLOSE, true, "\x03\xe8", 2);
    UNTIL(loop, said_close(1000, ""));
    turn_some(loop);
    assert_false(peer_ended(&peer));
    assert_int_equal(closes, 0);
    peer_close(&peer);
    UNTIL(loop, closes == 1);
    assert_int_equal(closed_code, 1000);
}

static void a_client_does_not_wait_for_ever(void **state)
{
    (void)state;
    start(false);
    ws_close(ws, 1000, SPAN(""));
    UNTIL(loop, said_close(1000, ""));
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
    UNTIL(loop, closes == 1);
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
        UNTIL(loop, said_close(rows[i].code, ""));
        for (int k = 0; k < 5; k++) { /* it goes on sending and still reads why */
            char more[1000] = {0};
            peer_send_bytes(&peer, more, sizeof more);
            loop_turn(loop, 1);
        }
        UNTIL(loop, peer_ended(&peer));
        assert_false(peer.reset);
        (void)shutdown(peer.fd, SHUT_WR);
        UNTIL(loop, closes == 1);
        assert_int_equal(closed_code, rows[i].code);
    }
    assert_int_equal(messages, sizeof rows / sizeof *rows);
}

/* ---- pings ---- */

static void a_ping_is_answered_with_its_payload(void **state)
{
    (void)state;
    start(true);
    peer_frame(WS_PING, true, "", 0);
    peer_frame(WS_TEXT, false, "a", 1);
    peer_frame(WS_PING, true, "are you there?", 14);
    peer_frame(WS_CONTINUATION, true, "b", 1);
    UNTIL(loop, said_pongs("|are you there?|"));
    assert_true(got_texts("ab|"));
}

static void only_the_pong_of_a_ping_of_our_own_is_told(void **state)
{
    (void)state;
    start(true);
    ws_ping(ws, SPAN("7"));
    UNTIL(loop, peer_len(&peer) == 3);
    assert_memory_equal(peer.in.data,
                        "\x89\x01"
                        "7",
                        3);
    peer_frame(WS_PONG, true, "", 0);
    peer_text("a");
    peer_frame(WS_PONG, true, "7", 1);
    UNTIL(loop, got_texts("a|7 pong|"));
}

static void silence_is_pinged_and_then_closed(void **state)
{
    (void)state;
    settings.ping_ms = 30;
    settings.pong_ms = 30;
    start(true);
    int64_t began = clock_mono_ms();
    UNTIL(loop, peer_len(&peer) == 2);
    assert_memory_equal(peer.in.data, "\x89\x00", 2);
    assert_true(clock_mono_ms() - began >= 29);
    UNTIL(loop, said_close(4002, "timeout"));
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
        UNTIL(loop, peer_len(&peer) == 2 * (pings + 1));
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
    UNTIL(loop, peer_len(&peer) == 2);
    conn_pause(&ws->conn, CONN_PAUSE_LINK);
    peer_frame(WS_PONG, true, "", 0);
    for (int64_t end = clock_mono_ms() + 250; clock_mono_ms() < end;)
        loop_turn(loop, 5);
    assert_int_equal(peer_len(&peer), 2);
    conn_resume(&ws->conn, CONN_PAUSE_LINK);
    UNTIL(loop, peer_len(&peer) == 4); /* the next ping, not a close */
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
    UNTIL(loop, peer_len(&peer) == 2);
    peer_frame(WS_PONG, true, "", 0);
    UNTIL(loop, conn_has_input(&ws->conn) || !ws->pinged);
    ws->pinged = true;
    peer_frame(WS_PONG, true, "", 0);
    wheel_advance(loop_wheel(loop), ws->timer.due_ms + WHEEL_TICK_MS);
    assert_true(ws_is_open(ws));
    UNTIL(loop, !ws->pinged);
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
    UNTIL(loop, said_close(WS_CODE_SLOW_CONSUMER, "slow consumer"));
    struct said s = listen_to(&peer);
    assert_int_equal(s.count, 1);
    said_clear(&s);
    peer_frame(WS_CLOSE, true, "\x10\x68", 2);
    UNTIL(loop, closes == 1);
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
    UNTIL(loop, peer_len(&peer) == 500010);
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
    UNTIL(loop, peer_len(&peer) == 1000100);
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
    UNTIL(loop, messages == 1);
    assert_true(conn_queued(&ws->conn) <= queued);
    UNTIL(loop, (peer_pump(&peer), conn_queued(&ws->conn) == 0));
    UNTIL(loop, said_pongs("9|"));
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
        TEST(the_code_of_the_peer_is_echoed),
        TEST(a_close_without_a_code_is_an_empty_frame),
        TEST(a_peer_that_does_not_answer_the_close_is_left),
        TEST(a_close_gets_through_a_pause),
        TEST(a_client_waits_for_the_server_to_end_the_connection),
        TEST(a_client_does_not_wait_for_ever),
        TEST(a_peer_that_vanishes_is_abnormal),
        TEST(protocol_errors_are_answered_with_their_code),
        TEST(a_ping_is_answered_with_its_payload),
        TEST(only_the_pong_of_a_ping_of_our_own_is_told),
        TEST(silence_is_pinged_and_then_closed),
        TEST(any_sign_of_life_will_do),
        TEST(while_reading_is_paused_the_deadline_stands_still),
        TEST(a_pong_that_waits_in_the_kernel_counts),
        TEST(a_queue_over_its_limit_closes_4200_behind_whole_frames),
        TEST(one_frame_always_fits_an_empty_queue),
        TEST(without_a_limit_the_queue_grows),
        TEST(a_full_queue_takes_only_the_newest_pong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
