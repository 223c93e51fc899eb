/* Opening WebSockets to a server whose every byte the test says, and names that do not resolve. */
#include "common/net/ws_dial.h"

#include "common/net/resolve.h"
#include "common/proto/ws_handshake.h"
#include "tests/unit/common/net/scripted.h"

static struct loop *loop;
static struct scripted server;
static const struct ws_settings ws_settings = {.max_message = 1024};

struct dialled {
    struct ws_conn ws;
    struct ws_dial *dial;
    bool open, failed, closed;
    enum err why;
    const char *fault;
    int status;
    struct buf messages;
};

static void on_message(struct ws_conn *w, char *data, size_t len, bool binary)
{
    struct dialled *d = CONTAINER_OF(w, struct dialled, ws);
    (void)binary;
    buf_add(&d->messages, data, len);
}

static void on_closed(struct ws_conn *w, uint16_t code)
{
    (void)code;
    CONTAINER_OF(w, struct dialled, ws)->closed = true;
}

static const struct ws_ops ws_ops = {.message = on_message, .closed = on_closed};

static void on_open(void *ctx, struct ws_dial *dial)
{
    struct dialled *d = ctx;
    d->open = true;
    ws_dial_take(dial, &d->ws, &ws_ops, &ws_settings);
}

static void on_failed(void *ctx, enum err why, int status)
{
    struct dialled *d = ctx;
    d->failed = true;
    d->why = why;
    d->fault = ws_dial_fault(d->dial);
    d->status = status;
}

static const struct ws_dial_ops ops = {.open = on_open, .failed = on_failed};

static int set_up(void **state)
{
    (void)state;
    loop = loop_new();
    scripted_start(&server, loop);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scripted_stop(&server);
    loop_turn(loop, 0);
    loop_free(loop);
    return 0;
}

static struct ws_dial *dial(struct dialled *d, int64_t timeout_ms)
{
    d->dial =
        ws_dial_start(loop, &server.origin, SPAN("/room"), SPAN("x-a: 1\r\n"), timeout_ms, &ops, d);
    return d->dial;
}

/* The request is here; writes the accepting answer for its key. */
static void accept_answer(struct buf *out)
{
    struct scripted_conn *c = &server.conns[0];
    struct http_head head;
    struct span key;
    TURN_UNTIL(loop, server.count > 0 && scripted_has(c, "\r\n\r\n"));
    assert_int_equal(http_head_parse_request(&head, c->got.data, c->got.len), ERR_OK);
    assert_null(ws_handshake_check(&head, &key));
    assert_true(span_eq(head.target, SPAN("/room")));
    assert_true(span_eq(http_head_get(&head, SPAN("x-a")), SPAN("1")));
    ws_handshake_answer(out, key, (struct span){0}, (struct span){0});
}

static void frames_behind_the_answer_arrive(void **state)
{
    struct dialled d = {.open = false};
    struct buf answer = {0};
    (void)state;
    (void)dial(&d, 3000);
    accept_answer(&answer);
    BUF_ADD_LIT(&answer, "\x81\x02hi");
    conn_write_span(&server.conns[0].conn, buf_span(&answer));
    TURN_UNTIL(loop, d.messages.len == 2);
    assert_true(d.open);
    assert_memory_equal(d.messages.data, "hi", 2);
    ws_abort(&d.ws);
    TURN_UNTIL(loop, d.closed);
    buf_clear(&d.messages);
    buf_clear(&answer);
}

static void a_subprotocol_that_was_not_offered_is_refused(void **state)
{
    struct dialled d = {.open = false};
    struct buf answer = {0};
    (void)state;
    (void)dial(&d, 3000);
    accept_answer(&answer);
    answer.len -= 2;
    BUF_ADD_LIT(&answer, "Sec-WebSocket-Protocol: chat\r\n\r\n");
    conn_write_span(&server.conns[0].conn, buf_span(&answer));
    TURN_UNTIL(loop, d.failed);
    assert_int_equal(d.why, ERR_DENIED);
    buf_clear(&answer);
}

static void an_answer_in_single_bytes_is_an_answer(void **state)
{
    struct dialled d = {.open = false};
    struct buf answer = {0};
    (void)state;
    (void)dial(&d, 3000);
    accept_answer(&answer);
    for (size_t i = 0; i < answer.len; i++) {
        assert_false(d.open);
        conn_write(&server.conns[0].conn, answer.data + i, 1);
        loop_turn(loop, 0);
    }
    TURN_UNTIL(loop, d.open);
    ws_abort(&d.ws);
    TURN_UNTIL(loop, d.closed);
    buf_clear(&answer);
}

static void refusals_and_nonsense_fail(void **state)
{
    static const struct {
        const char *answer;
        enum err why;
        int status;
    } rows[] = {
        {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", ERR_DENIED, 401},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ERR_DENIED, 200},
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
         ERR_DENIED, 101},
        {"nonsense\r\n\r\n", ERR_SYNTAX, 0},
        {"", ERR_IO, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dialled d = {.open = false};
        (void)dial(&d, 3000);
        TURN_UNTIL(loop, server.count > i && scripted_has(&server.conns[i], "\r\n\r\n"));
        scripted_say(&server.conns[i], rows[i].answer);
        conn_close(&server.conns[i].conn);
        TURN_UNTIL(loop, d.failed);
        assert_int_equal(d.why, rows[i].why);
        assert_int_equal(d.status, rows[i].status);
    }
}

static void silence_is_a_timeout(void **state)
{
    struct dialled d = {.open = false};
    (void)state;
    (void)dial(&d, 20);
    TURN_UNTIL(loop, d.failed);
    assert_int_equal(d.why, ERR_TIMEOUT);
    assert_string_equal(d.fault, "timed out");
}

static void a_cancelled_dial_says_nothing(void **state)
{
    struct dialled d = {.open = false};
    (void)state;
    ws_dial_cancel(dial(&d, 3000)); /* while it resolves */
    struct ws_dial *second = dial(&d, 3000);
    TURN_UNTIL(loop, server.count == 1); /* connected */
    ws_dial_cancel(second);
    TURN_UNTIL(loop, !server.conns[0].open);
    assert_false(d.open || d.failed);
}

static void nobody_listening_is_a_failure(void **state)
{
    struct dialled d = {.open = false};
    (void)state;
    listener_close(server.listener);
    server.listener = NULL;
    (void)dial(&d, 3000);
    TURN_UNTIL(loop, d.failed);
    assert_int_equal(d.why, ERR_MISSING);
    assert_string_equal(d.fault, "connection refused");
}

struct resolved {
    size_t count;
    struct addr first;
    bool done;
};

static void on_resolved(void *ctx, const struct addr *addrs, size_t count)
{
    struct resolved *r = ctx;
    *r = (struct resolved){.count = count, .done = true};
    if (count > 0)
        r->first = addrs[0];
}

static void addresses_and_localhost_need_no_server(void **state)
{
    static const struct {
        const char *host, *addr;
        size_t count;
    } rows[] = {
        {"127.0.0.1", "127.0.0.1", 1},
        {"localhost", "127.0.0.1", 2}, /* and ::1 */
        {"LocalHost", "127.0.0.1", 2},
        {"::1", "::1", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct resolved r = {.done = false};
        char text[ADDR_TEXT_MAX];
        (void)resolve_start(loop, rows[i].host, on_resolved, &r);
        assert_false(r.done);
        loop_turn(loop, 0);
        assert_int_equal(r.count, rows[i].count);
        addr_format(&r.first, text);
        assert_string_equal(text, rows[i].addr);
    }
}

static void a_cancelled_look_up_says_nothing(void **state)
{
    struct resolved r = {.done = false};
    (void)state;
    resolve_cancel(resolve_start(loop, "127.0.0.1", on_resolved, &r));
    resolve_cancel(resolve_start(loop, "name.invalid", on_resolved, &r));
    loop_turn(loop, 0);
    assert_false(r.done);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(frames_behind_the_answer_arrive),
        TEST(a_subprotocol_that_was_not_offered_is_refused),
        TEST(an_answer_in_single_bytes_is_an_answer),
        TEST(refusals_and_nonsense_fail),
        TEST(silence_is_a_timeout),
        TEST(a_cancelled_dial_says_nothing),
        TEST(nobody_listening_is_a_failure),
        TEST(addresses_and_localhost_need_no_server),
        TEST(a_cancelled_look_up_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
