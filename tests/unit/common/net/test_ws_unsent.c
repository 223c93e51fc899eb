/* Messages that a falling WebSocket had not sent: with what the peer has read they are a whole, in
 * order, nothing twice. */
#include "common/net/ws_dial.h"
#include "common/proto/ws_handshake.h"
#include "tests/unit/common/net/scripted.h"

enum { MESSAGES = 20000, PAD = 1000 };

static struct loop *loop;
static struct scripted server;
static const struct ws_settings settings = {.max_message = 1024};

struct sender {
    struct ws_conn ws;
    bool open, closed;
    unsigned next; /* the number of the message that should come back next */
    unsigned returned;
};

static void on_message(struct ws_conn *w, char *data, size_t len, bool binary)
{
    (void)w, (void)data, (void)len, (void)binary;
    fail();
}

static void comes_back(void *ctx, struct span text)
{
    struct sender *s = ctx;
    unsigned number = (unsigned)strtoul(text.ptr, NULL, 10);
    assert_int_equal(text.len, PAD);
    if (s->returned++ > 0)
        assert_int_equal(number, s->next);
    s->next = number + 1;
}

static void on_closed(struct ws_conn *w, uint16_t code)
{
    struct sender *s = CONTAINER_OF(w, struct sender, ws);
    (void)code;
    ws_take_unsent(w, comes_back, s);
    s->closed = true;
}

static const struct ws_ops ws_ops = {.message = on_message, .closed = on_closed};

static void on_open(void *ctx, struct ws_dial *dial)
{
    struct sender *s = ctx;
    s->open = true;
    ws_dial_take(dial, &s->ws, &ws_ops, &settings);
}

static void on_failed(void *ctx, enum err why, int status)
{
    (void)ctx, (void)why, (void)status;
    fail();
}

static void accept_upgrade(struct scripted_conn *c)
{
    struct http_head head;
    struct span key;
    struct buf answer = {0};
    TURN_UNTIL(loop, scripted_has(c, "\r\n\r\n"));
    assert_int_equal(http_head_parse_request(&head, c->got.data, c->got.len), ERR_OK);
    assert_null(ws_handshake_check(&head, &key));
    ws_handshake_answer(&answer, key, (struct span){0}, (struct span){0});
    conn_write_span(&c->conn, buf_span(&answer));
    buf_clear(&answer);
    buf_reset(&c->got);
}

static void send_all(struct sender *s)
{
    char text[PAD];
    memset(text, ' ', sizeof text);
    for (unsigned i = 0; i < MESSAGES; i++) {
        char number[16];
        int n = snprintf(number, sizeof number, "%u", i);
        memcpy(text, number, (size_t)n);
        ws_send(&s->ws, WS_TEXT, span_of(text, sizeof text));
        memset(text, ' ', (size_t)n);
    }
}

/* How many whole messages the peer has, all in order. */
static unsigned count_received(struct scripted_conn *c)
{
    struct ws_decoder d;
    unsigned count = 0;
    ws_decoder_init(&d, true, PAD);
    for (size_t at = 0, used; at < c->got.len; at += used) {
        struct ws_event e;
        enum err err = ws_decode(&d, c->got.data + at, c->got.len - at, &used, &e);
        if (err == ERR_AGAIN)
            break;
        assert_int_equal(err, ERR_OK);
        if (e.opcode == WS_TEXT)
            assert_int_equal(strtoul(e.data, NULL, 10), count++);
    }
    ws_decoder_clear(&d);
    return count;
}

static void what_was_not_sent_comes_back_whole_and_in_order(void **state)
{
    static const struct ws_dial_ops ops = {.open = on_open, .failed = on_failed};
    struct sender s = {.open = false};
    (void)state;
    loop = loop_new();
    scripted_start(&server, loop);
    (void)ws_dial_start(loop, &server.origin, SPAN("/room"), SPAN(""), 3000, &ops, &s);
    TURN_UNTIL(loop, server.count == 1);
    struct scripted_conn *c = &server.conns[0];
    accept_upgrade(c);
    TURN_UNTIL(loop, s.open);
    send_all(&s);
    TURN_UNTIL(loop, c->got.len > 0);
    conn_pause(&c->conn, CONN_PAUSE_LINK);
    for (int i = 0; i < 20; i++) /* until the kernel takes no more */
        loop_turn(loop, 0);
    ws_abort(&s.ws);
    TURN_UNTIL(loop, s.closed);
    conn_resume(&c->conn, CONN_PAUSE_LINK);
    TURN_UNTIL(loop, !c->open); /* reads all that the kernel had taken */
    assert_true(s.returned > 0);
    assert_int_equal(s.next, MESSAGES);
    assert_int_equal(count_received(c), MESSAGES - s.returned);
    scripted_stop(&server);
    loop_turn(loop, 0);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_sent_comes_back_whole_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
