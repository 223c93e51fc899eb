/* Tunnels: the tries before they open, what goes through, and the close frame between. */
#include "common/net/tunnel.h"

#include "common/net/pipe.h"
#include "passage.h"

#define SWITCHING                                                                                  \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"

/* The owner of the tunnel under test, and what it has heard. */
static struct {
    struct tunnels tunnels;
    struct tunnel_stats stats;
    struct tunnel *tunnel;
    const struct url_origin *next; /* tried inside `failed`, once */
    struct buf reason;
    struct http_exchange *given_back;
    bool gives_back; /* inside `failed` */
    enum tunnel_failure why;
    enum tunnel_end how;
    size_t failed, ended;
} owner;

static void on_failed(void *ctx, struct tunnel *t, enum tunnel_failure why)
{
    const struct url_origin *next = owner.next;
    assert_ptr_equal(ctx, &owner);
    assert_ptr_equal(t, owner.tunnel);
    owner.failed++;
    owner.why = why;
    owner.next = NULL;
    buf_reset(&owner.reason);
    buf_add_span(&owner.reason, tunnel_reason(t));
    if (next != NULL)
        tunnel_try(t, next);
    if (owner.gives_back)
        owner.given_back = tunnel_give_back(t);
}

static void on_ended(void *ctx, enum tunnel_end how)
{
    assert_ptr_equal(ctx, &owner);
    owner.ended++;
    owner.how = how;
    owner.tunnel = NULL;
}

static const struct tunnel_ops ops = {.failed = on_failed, .ended = on_ended};

static void take(struct http_exchange *x)
{
    struct buf head = {0};
    buf_add_span(&head, SPAN("GET /there HTTP/1.1\r\nUpgrade: websocket\r\n"));
    owner.tunnel = tunnel_new(&owner.tunnels, x, &head, &ops, &owner);
}

static int set_up(void **state)
{
    (void)state;
    memset(&owner, 0, sizeof owner);
    door_open(take);
    tunnels_init(&owner.tunnels, door.loop, &owner.stats);
    peer_send(&door.client, "GET /here HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n"
                            "Upgrade: websocket\r\n\r\n");
    TURN_UNTIL(door.loop, owner.tunnel != NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tunnels_abort(&owner.tunnels);
    turn_some(door.loop);
    assert_int_equal(owner.ended, 1);
    assert_int_equal(tunnels_count(&owner.tunnels), 0);
    assert_int_equal(owner.stats.now, 0);
    door_close();
    buf_clear(&owner.reason);
    return 0;
}

static struct scripted_conn *asked(struct scripted *s)
{
    size_t before = s->count;
    tunnel_try(owner.tunnel, &s->origin);
    TURN_UNTIL(door.loop, s->count > before);
    return server_hears(s, "\r\n\r\n");
}

static struct scripted_conn *opened(void)
{
    struct scripted_conn *c = asked(&door.a);
    scripted_say(c, SWITCHING);
    client_hears("\r\n\r\n");
    peer_forget(&door.client);
    buf_reset(&c->got);
    return c;
}

static void bytes_behind_the_head_and_after_it_go_both_ways(void **state)
{
    struct scripted_conn *c = asked(&door.a);
    struct buf host = {0};
    (void)state;
    buf_addf(&host, "GET /there HTTP/1.1\r\nUpgrade: websocket\r\nHost: %s\r\n\r\n%c",
             door.a.origin.text, '\0');
    assert_true(scripted_has(c, host.data));
    buf_clear(&host);
    scripted_say(c, SWITCHING "\x81\x02hi");
    client_hears(SWITCHING "\x81\x02hi");
    peer_send(&door.client, "\x81\x81\x01\x01\x01\x01z");
    server_hears(&door.a, "\x81\x81\x01\x01\x01\x01z");
    scripted_say(c, "\x81\x02ho");
    client_hears("\x81\x02ho");
    assert_int_equal(owner.stats.opened, 1);
    assert_int_equal(owner.stats.bytes, sizeof SWITCHING - 1 + 4 + 7 + 4);
}

static void nothing_of_the_clients_is_sent_before_101(void **state)
{
    struct scripted_conn *c = asked(&door.a);
    (void)state;
    peer_send(&door.client, "early");
    turn_some(door.loop);
    assert_false(scripted_has(c, "early"));
    assert_int_equal(door.client.in.len, 0);
    scripted_say(c, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 S");
    turn_some(door.loop);
    scripted_say(c, "witching\r\n\r\n");
    server_hears(&door.a, "early");
    client_hears("HTTP/1.1 101 Switching\r\n\r\n");
}

static void server_that_refuses_the_connection_leaves_the_next_to_try(void **state)
{
    struct url_origin closed = closed_origin();
    (void)state;
    owner.next = &door.a.origin;
    tunnel_try(owner.tunnel, &closed);
    url_origin_clear(&closed); /* it was copied */
    scripted_say(server_hears(&door.a, "\r\n\r\n"), SWITCHING);
    client_hears("101");
    assert_int_equal(owner.failed, 1);
    assert_int_equal(owner.why, TUNNEL_UNREACHABLE);
}

static void misdirected_one_names_the_owner_and_is_tried_later(void **state)
{
    struct scripted_conn *c = asked(&door.a);
    (void)state;
    scripted_say(c, "HTTP/1.1 421 Misdirected Request\r\nx-terrane-reason: full\r\n"
                    "Content-Length: 2\r\n\r\n{}");
    TURN_UNTIL(door.loop, owner.failed == 1);
    assert_int_equal(owner.why, TUNNEL_MISDIRECTED);
    assert_true(span_eq(buf_span(&owner.reason), SPAN("full")));
    turn_some(door.loop);
    assert_int_equal(peer_len(&door.client), 0);
    scripted_say(asked(&door.b), SWITCHING);
    client_hears("101");
}

static void exchange_that_is_given_back_can_be_answered(void **state)
{
    struct scripted_conn *c = asked(&door.a);
    (void)state;
    owner.gives_back = true;
    scripted_say(c, "HTTP/1.1 421 Misdirected Request\r\nx-terrane-reason: full\r\n"
                    "Content-Length: 0\r\n\r\n");
    TURN_UNTIL(door.loop, owner.given_back != NULL);
    assert_int_equal(owner.ended, 0);
    assert_int_equal(tunnels_count(&owner.tunnels), 0);
    http_respond(owner.given_back, 503, SPAN(""), SPAN("full"));
    client_hears("\r\n\r\nfull");
    owner.ended = 1; /* nobody else says so */
}

static void misdirected_one_may_say_why(void **state)
{
    struct scripted_conn *c = asked(&door.a);
    (void)state;
    assert_int_equal(tunnel_reason(owner.tunnel).len, 0);
    scripted_say(c, "HTTP/1.1 421 Misdirected Request\r\nx-terrane-reason: full\r\n"
                    "Content-Length: 0\r\n\r\n");
    TURN_UNTIL(door.loop, owner.failed == 1);
    assert_true(span_eq(tunnel_reason(owner.tunnel), SPAN("full")));
}

static void owner_may_be_less_patient(void **state)
{
    (void)state;
    owner.tunnels.answer_ms = 20;
    asked(&door.a);
    TURN_UNTIL(door.loop, owner.failed == 1);
    assert_int_equal(owner.why, TUNNEL_UNREACHABLE);
}

static void server_that_breaks_off_is_unreachable(void **state)
{
    static const char *const said[] = {"", "HTTP/1.1 2", "SSH-2.0-x\r\n\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        struct scripted_conn *c = asked(&door.a);
        scripted_say(c, said[i]);
        conn_close(&c->conn);
        TURN_UNTIL(door.loop, owner.failed == i + 1);
        assert_int_equal(owner.why, TUNNEL_UNREACHABLE);
    }
    tunnel_refuse(owner.tunnel, 502, SPAN("X-A: 1\r\n"), SPAN("none"));
    client_hears("X-A: 1\r\n\r\nnone");
    client_hears("HTTP/1.1 502 ");
    assert_int_equal(owner.stats.failures, 1);
}

static void other_answers_go_to_the_client(void **state)
{
    struct scripted_conn *c = asked(&door.a);
    (void)state;
    scripted_say(c, "HTTP/1.1 403 Forbidden\r\nX-Why: not\r\nx-terrane-owner: x\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    client_hears("abc");
    scripted_say(c, "2\r\nde\r\n0\r\n\r\n");
    TURN_UNTIL(door.loop, peer_ended(&door.client));
    assert_true(peer_has(&door.client, "HTTP/1.1 403 "));
    assert_true(peer_has(&door.client, "X-Why: not\r\n"));
    assert_true(peer_has(&door.client, "\r\nde\r\n0\r\n\r\n"));
    assert_false(peer_has(&door.client, "terrane"));
    TURN_UNTIL(door.loop, !c->open);
    assert_int_equal(owner.failed, 0);
}

static void answer_until_close_ends_with_its_connection(void **state)
{
    struct scripted_conn *c = asked(&door.a);
    (void)state;
    scripted_say(c, "HTTP/1.1 200 OK\r\n\r\nall");
    client_hears("all");
    conn_close(&c->conn);
    TURN_UNTIL(door.loop, owner.ended == 1);
    client_hears("0\r\n\r\n");
}

static void broken_answer_is_broken_for_the_client_too(void **state)
{
    struct scripted_conn *c = asked(&door.a);
    (void)state;
    scripted_say(c, "HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\nhalf");
    client_hears("half");
    conn_abort(&c->conn);
    TURN_UNTIL(door.loop, peer_ended(&door.client));
}

static void client_that_leaves_while_it_is_asked_ends_it(void **state)
{
    struct scripted_conn *c = asked(&door.a);
    (void)state;
    peer_reset(&door.client);
    TURN_UNTIL(door.loop, owner.ended == 1 && !c->open);
    assert_int_equal(owner.failed, 0);
}

static void client_that_leaves_while_its_owner_thinks_ends_it(void **state)
{
    (void)state;
    peer_reset(&door.client);
    TURN_UNTIL(door.loop, owner.ended == 1);
}

static void both_sides_end_together(void **state)
{
    struct scripted_conn *c = opened();
    (void)state;
    peer_reset(&door.client);
    TURN_UNTIL(door.loop, !c->open && owner.ended == 1);
}

static void close_frame_waits_for_the_end_of_the_frame(void **state)
{
    struct scripted_conn *c = opened();
    (void)state;
    scripted_say(c, "\x01\x04"
                    "ab");
    client_hears("ab");
    tunnel_close(owner.tunnel, 1012, SPAN("bye"));
    int64_t settled_ms = clock_mono_ms() + PIPE_SETTLE_MS + 50;
    TURN_UNTIL(door.loop, clock_mono_ms() >= settled_ms);
    assert_false(peer_has(&door.client, "bye"));
    scripted_say(c, "cd\x80\x02never");
    client_hears("\x01\x04"
                 "abcd\x88\x05\x03\xf4"
                 "bye");
    server_hears(&door.a, "\x88\x82"); /* masked, with a code */
    peer_send(&door.client, "\x88\x82\x01\x01\x01\x01\x02\xf5");
    TURN_UNTIL(door.loop, peer_ended(&door.client) && owner.ended == 1);
    assert_false(peer_has(&door.client, "never"));
    assert_int_equal(c->got.len, 8);
}

static void answers_to_what_was_said_before_the_close_still_come(void **state)
{
    struct scripted_conn *c = opened();
    (void)state;
    peer_send(&door.client, "\x81\x82\x01\x01\x01\x01"
                            "ab");
    server_hears(&door.a, "ab");
    tunnel_close(owner.tunnel, 1012, SPAN("bye"));
    peer_send(&door.client, "\x81\x84\x01\x01\x01\x01"
                            "late");
    scripted_say(c, "\x81\x06"
                    "answer");
    client_hears("\x81\x06"
                 "answer\x88\x05\x03\xf4"
                 "bye");
    assert_false(scripted_has(c, "late"));
    peer_send(&door.client, "\x88\x80\x01\x01\x01\x01");
    TURN_UNTIL(door.loop, owner.ended == 1);
    assert_false(scripted_has(c, "late"));
}

static void one_that_is_being_closed_does_not_stay(void **state)
{
    (void)state;
    (void)opened();
    assert_int_equal(tunnels_staying(&owner.tunnels), 1);
    tunnels_close_some(&owner.tunnels, 0, 1012, SPAN("bye"));
    assert_int_equal(tunnels_staying(&owner.tunnels), 1);
    tunnels_close_some(&owner.tunnels, 2, 1012, SPAN("bye"));
    assert_int_equal(tunnels_staying(&owner.tunnels), 0);
    assert_int_equal(tunnels_count(&owner.tunnels), 1);
    client_hears("bye");
    peer_send(&door.client, "\x88\x80\x01\x01\x01\x01");
    TURN_UNTIL(door.loop, owner.ended == 1);
}

static void upstream_in_the_middle_of_a_frame_is_just_ended(void **state)
{
    struct scripted_conn *c = opened();
    (void)state;
    peer_send(&door.client, "\x81\x84\x01\x01\x01\x01"
                            "ab");
    server_hears(&door.a, "ab");
    tunnels_close(&owner.tunnels, 1012, SPAN("bye"));
    client_hears("bye");
    TURN_UNTIL(door.loop, !c->open);
    assert_int_equal(c->got.len, 8);
    peer_send(&door.client, "cd\x88\x80\x01\x01\x01\x01");
    TURN_UNTIL(door.loop, owner.ended == 1);
}

static void client_that_does_not_answer_the_close_is_cut_off(void **state)
{
    (void)state;
    (void)opened();
    int64_t start = clock_mono_ms();
    tunnel_close(owner.tunnel, 1012, SPAN("bye"));
    client_hears("bye");
    TURN_UNTIL(door.loop, owner.ended == 1);
    assert_in_range(clock_mono_ms() - start, 1900, 4000);
}

static void bytes_that_are_no_frames_close_without_a_word(void **state)
{
    struct scripted_conn *c = opened();
    (void)state;
    scripted_say(c, "\x8f\x8f");
    client_hears("\x8f\x8f");
    tunnel_close(owner.tunnel, 1012, SPAN("bye"));
    TURN_UNTIL(door.loop, peer_ended(&door.client) && owner.ended == 1);
    assert_int_equal(door.client.in.len, 2);
}

static void close_of_one_that_is_not_open_is_a_503(void **state)
{
    struct scripted_conn *c = asked(&door.a);
    (void)state;
    tunnel_close(owner.tunnel, 1012, SPAN("bye"));
    client_hears("HTTP/1.1 503 ");
    TURN_UNTIL(door.loop, owner.ended == 1 && !c->open);
}

static void reader_that_is_slow_holds_the_server_back(void **state)
{
    enum { PART = 64 * 1024, PARTS = 512 };
    struct scripted_conn *c = opened();
    char *part = xcalloc(1, PART); /* no frames, but who cares */
    (void)state;
    for (int i = 0; i < PARTS; i++)
        conn_write(&c->conn, part, PART);
    for (int i = 0; i < 200; i++)
        loop_turn(door.loop, 1);
    assert_true(conn_queued(&c->conn) > PART);
    TURN_UNTIL(door.loop, peer_len(&door.client) == (size_t)PART * PARTS);
    free(part);
}

static void owner_hears_who_ended_it(void **state)
{
    enum { CLIENT_CLOSES, SERVER_CLOSES, CLIENT_BREAKS, SERVER_BREAKS, CLOSES };
    static const struct {
        int what;
        enum tunnel_end how;
    } rows[] = {
        {CLIENT_CLOSES, TUNNEL_CLIENT_CLOSED},
        {SERVER_CLOSES, TUNNEL_SERVER_CLOSED},
        {CLIENT_BREAKS, TUNNEL_CLIENT_GONE},
        {SERVER_BREAKS, TUNNEL_SERVER_GONE},
        {CLOSES, TUNNEL_OURS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (i > 0) {
            tear_down(state);
            set_up(state);
        }
        struct scripted_conn *c = opened();
        char reason[] = "gone soon";
        if (rows[i].what == CLIENT_CLOSES) {
            peer_send(&door.client, "\x88\x80\x01\x01\x01\x01");
            server_hears(&door.a, "\x88\x80");
            scripted_say(c, "\x88\x02\x03\xe8");
            client_hears("\x88\x02");
            conn_close(&c->conn);
        } else if (rows[i].what == SERVER_CLOSES) {
            scripted_say(c, "\x88\x02\x0f\xa0");
            client_hears("\x88\x02\x0f\xa0"); /* 4000, untouched */
            peer_reset(&door.client);
        } else if (rows[i].what == CLIENT_BREAKS) {
            peer_reset(&door.client);
        } else if (rows[i].what == SERVER_BREAKS) {
            conn_abort(&c->conn);
            TURN_UNTIL(door.loop, peer_ended(&door.client));
        } else {
            tunnel_close(owner.tunnel, 1012, span_str(reason));
            memset(reason, 0, sizeof reason); /* it was copied */
            client_hears("gone soon");
        }
        if (rows[i].what != CLIENT_BREAKS && rows[i].what != SERVER_CLOSES)
            peer_reset(&door.client);
        TURN_UNTIL(door.loop, owner.ended == 1);
        assert_int_equal(owner.how, rows[i].how);
    }
}

static void servers_of_somebody_else_may_answer_421(void **state)
{
    (void)state;
    owner.tunnels.keeps_421 = true;
    scripted_say(asked(&door.a), "HTTP/1.1 421 No\r\nContent-Length: 2\r\n\r\nno");
    client_hears("\r\n\r\nno");
    TURN_UNTIL(door.loop, owner.ended == 1);
    assert_int_equal(owner.how, TUNNEL_ANSWERED);
    assert_int_equal(owner.failed, 0);
}

/* ---- clients that are upgraded already */

static struct conn late_client;

static void late_closed(struct conn *c, enum conn_end end)
{
    (void)c;
    (void)end;
}

static const struct conn_ops late_ops = {.closed = late_closed}; /* it is paused: no data comes */

static struct conn *late_conn(void *ctx)
{
    assert_ptr_equal(ctx, &owner);
    return &late_client;
}

static const struct tunnel_ops late_tunnel_ops = {
    .failed = on_failed, .ended = on_ended, .client = late_conn};

#define LATE_KEY "dGhlIHNhbXBsZSBub25jZQ=="

/* The present one gives its client to one that comes late. */
static struct scripted_conn *late_asked(const char *protocol)
{
    struct buf head = {0};
    struct http_exchange *x = tunnel_give_back(owner.tunnel);
    buf_add_span(&head, SPAN("GET /late HTTP/1.1\r\n"));
    http_exchange_detach(x, &late_client, &late_ops);
    conn_pause(&late_client, CONN_PAUSE_CODEC);
    owner.tunnel = tunnel_new_late(&owner.tunnels, &head, SPAN(LATE_KEY), span_str(protocol),
                                   &late_tunnel_ops, &owner);
    return asked(&door.a);
}

static void late_one_is_joined_when_the_server_answers_as_it_should(void **state)
{
    struct scripted_conn *c = late_asked("chat");
    (void)state;
    peer_send(&door.client, "\x81\x81\x01\x01\x01\x01z");
    turn_some(door.loop);
    assert_false(scripted_has(c, "\x81\x81"));
    scripted_say(c, "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                    "Sec-WebSocket-Protocol: chat\r\n\r\n\x81\x02hi");
    client_hears("\x81\x02hi");
    assert_int_equal(door.client.in.len, 4); /* no second 101 */
    server_hears(&door.a, "\x81\x81\x01\x01\x01\x01z");
}

static void late_one_takes_no_other_answer(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
        SWITCHING,
        "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        "Sec-WebSocket-Protocol: other\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        if (i > 0) {
            tear_down(state);
            set_up(state);
        }
        struct scripted_conn *c = late_asked("chat");
        scripted_say(c, answers[i]);
        TURN_UNTIL(door.loop, owner.failed == 1);
        assert_int_equal(owner.why, TUNNEL_DENIED);
        tunnel_cancel(owner.tunnel);
        assert_int_equal(owner.ended, 1);
        assert_int_equal(owner.how, TUNNEL_CLIENT_GONE);
        conn_abort(&late_client);
        turn_some(door.loop);
    }
}

static struct conn *no_late_conn(void *ctx)
{
    assert_ptr_equal(ctx, &owner);
    return NULL;
}

static void late_one_whose_client_has_failed_is_over(void **state)
{
    static const struct tunnel_ops unlucky = {
        .failed = on_failed, .ended = on_ended, .client = no_late_conn};
    struct buf head = {0};
    struct http_exchange *x = tunnel_give_back(owner.tunnel);
    (void)state;
    buf_add_span(&head, SPAN("GET /late HTTP/1.1\r\n"));
    owner.tunnel =
        tunnel_new_late(&owner.tunnels, &head, SPAN(LATE_KEY), SPAN("chat"), &unlucky, &owner);
    scripted_say(asked(&door.a), "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    TURN_UNTIL(door.loop, owner.ended == 1);
    assert_int_equal(owner.how, TUNNEL_CLIENT_GONE);
    assert_int_equal(owner.failed, 0);
    http_respond(x, 503, SPAN(""), SPAN(""));
    client_hears("503");
}

static void bound_is_the_callers_to_look_at(void **state)
{
    (void)state;
    assert_false(tunnels_are_full(&owner.tunnels));
    owner.tunnels.max = 1;
    assert_true(tunnels_are_full(&owner.tunnels));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_behind_the_head_and_after_it_go_both_ways),
        TEST(nothing_of_the_clients_is_sent_before_101),
        TEST(server_that_refuses_the_connection_leaves_the_next_to_try),
        TEST(misdirected_one_names_the_owner_and_is_tried_later),
        TEST(exchange_that_is_given_back_can_be_answered),
        TEST(misdirected_one_may_say_why),
        TEST(owner_may_be_less_patient),
        TEST(server_that_breaks_off_is_unreachable),
        TEST(other_answers_go_to_the_client),
        TEST(answer_until_close_ends_with_its_connection),
        TEST(broken_answer_is_broken_for_the_client_too),
        TEST(client_that_leaves_while_it_is_asked_ends_it),
        TEST(client_that_leaves_while_its_owner_thinks_ends_it),
        TEST(both_sides_end_together),
        TEST(close_frame_waits_for_the_end_of_the_frame),
        TEST(answers_to_what_was_said_before_the_close_still_come),
        TEST(one_that_is_being_closed_does_not_stay),
        TEST(upstream_in_the_middle_of_a_frame_is_just_ended),
        TEST(client_that_does_not_answer_the_close_is_cut_off),
        TEST(bytes_that_are_no_frames_close_without_a_word),
        TEST(close_of_one_that_is_not_open_is_a_503),
        TEST(reader_that_is_slow_holds_the_server_back),
        TEST(owner_hears_who_ended_it),
        TEST(servers_of_somebody_else_may_answer_421),
        TEST(late_one_is_joined_when_the_server_answers_as_it_should),
        TEST(late_one_takes_no_other_answer),
        TEST(late_one_whose_client_has_failed_is_over),
        TEST(bound_is_the_callers_to_look_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
