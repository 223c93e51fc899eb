/* The life of a connection: what its owner may do inside callbacks, and to its queue. */
#include "conn_rig.h"

static void bytes_go_both_ways_and_in_order(void **state)
{
    (void)state;
    open_with(&plain_ops);
    assert_true(conn_is_open(&owner->conn));
    peer_send(&peer, "hello");
    TURN_UNTIL(loop, got_is("hello"));
    conn_write(&owner->conn, "a", 1);
    conn_send(&owner->conn, frame_of(SPAN("bc")));
    conn_write_span(&owner->conn, SPAN("d"));
    assert_int_equal(conn_queued(&owner->conn), 4);
    TURN_UNTIL(loop, peer_has(&peer, "abcd"));
    assert_int_equal(conn_queued(&owner->conn), 0);
    assert_int_equal(owner->conn.sent, 4);
    struct addr a;
    uint16_t port;
    assert_true(conn_peer(&owner->conn, &a, &port));
    assert_true(addr_is_loopback(&a));
    assert_int_not_equal(port, 0);
}

static void abort_now(struct owner *o)
{
    conn_abort(&o->conn);
    conn_abort(&o->conn);
    conn_write(&o->conn, "late", 4);
    conn_send(&o->conn, frame_of(SPAN("late")));
    conn_unread(&o->conn, "late", 4);
    assert_false(conn_is_open(&o->conn));
}

static void close_now(struct owner *o)
{
    conn_write(&o->conn, "bye", 3);
    conn_close(&o->conn);
    conn_close(&o->conn);
    conn_write(&o->conn, "late", 4);
    assert_false(conn_is_open(&o->conn));
}

static void an_abort_inside_data_ends_it_once_and_later(void **state)
{
    (void)state;
    open_with(&plain_ops);
    owner->in_data = abort_now;
    peer_send(&peer, "x");
    TURN_UNTIL(loop, owner->closes == 1);
    assert_int_equal(owner->end, CONN_END_LOCAL);
    TURN_UNTIL(loop, peer_ended(&peer));
    assert_int_equal(peer.in.len, 0);
    turn_some(loop);
    assert_int_equal(owner->closes, 1);
    assert_int_equal(owner->datas, 1);
}

static void a_close_inside_data_sends_what_is_queued(void **state)
{
    (void)state;
    open_with(&plain_ops);
    owner->in_data = close_now;
    peer_send(&peer, "x");
    TURN_UNTIL(loop, peer_ended(&peer));
    assert_true(span_eq(buf_span(&peer.in), SPAN("bye")));
    TURN_UNTIL(loop, owner->closes == 1);
    assert_int_equal(owner->datas, 1);
}

static void close_without_waiting(struct conn *c)
{
    owner_of(c)->connects++;
    conn_write(c, "hi", 2);
    conn_close(c);
}

static struct peer accepted_peer;

static void take_peer(void *ctx, int fd)
{
    (void)ctx;
    accepted_peer = peer_of(fd);
}

static void a_close_inside_connected_is_a_close(void **state)
{
    (void)state;
    static const struct conn_ops ops = {
        .connected = close_without_waiting, .data = on_data, .closed = on_closed};
    struct listener *listener = listen_any(loop, take_peer, NULL);
    struct addr to;
    accepted_peer.fd = -1;
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), &to), ERR_OK);
    conn_dial(&owner->conn, loop, &to, listener_port(listener), &ops);
    assert_int_equal(owner->connects, 0);
    TURN_UNTIL(loop, owner->closes == 1);
    assert_int_equal(owner->connects, 1);
    assert_int_equal(owner->end, CONN_END_LOCAL);
    TURN_UNTIL(loop, accepted_peer.fd >= 0 && peer_ended(&accepted_peer));
    assert_true(span_eq(buf_span(&accepted_peer.in), SPAN("hi")));
    peer_close(&accepted_peer);
    listener_close(listener);
}

static struct addr dial_to;
static uint16_t dial_port;

static void dial_again(struct conn *c, enum conn_end end)
{
    struct owner *o = owner_of(c);
    assert_int_equal(end, CONN_END_ERROR);
    if (++o->closes < 3)
        conn_dial(c, loop, &dial_to, dial_port, o->conn.ops);
}

static void a_refused_dial_can_be_repeated_in_closed(void **state)
{
    (void)state;
    static const struct conn_ops ops = {
        .connected = on_connected, .data = on_data, .closed = dial_again};
    struct listener *listener = listen_any(loop, take_peer, NULL);
    dial_port = listener_port(listener);
    listener_close(listener); /* nobody is there now */
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), &dial_to), ERR_OK);
    conn_dial(&owner->conn, loop, &dial_to, dial_port, &ops);
    assert_false(conn_is_open(&owner->conn));
    conn_write(&owner->conn, "lost", 4);
    TURN_UNTIL(loop, owner->closes == 3);
    assert_int_equal(owner->connects, 0);
}

static void a_dial_that_is_given_up_ends_once(void **state)
{
    (void)state;
    struct listener *listener = listen_any(loop, take_peer, NULL);
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), &dial_to), ERR_OK);
    accepted_peer.fd = -1;
    conn_dial(&owner->conn, loop, &dial_to, listener_port(listener), &plain_ops);
    conn_close(&owner->conn);
    assert_int_equal(owner->closes, 0);
    TURN_UNTIL(loop, owner->closes == 1 && accepted_peer.fd >= 0);
    assert_int_equal(owner->connects, 0);
    peer_close(&accepted_peer);
    listener_close(listener);
}

static void an_ipv6_address_is_dialled_as_such(void **state)
{
    (void)state;
    struct listener *listener;
    const char *why;
    accepted_peer.fd = -1;
    if (listener_open(&listener, loop, "::1", 0, take_peer, NULL, &why) != ERR_OK)
        skip(); /* a machine without IPv6 */
    assert_int_equal(addr_parse(SPAN("::1"), &dial_to), ERR_OK);
    conn_dial(&owner->conn, loop, &dial_to, listener_port(listener), &plain_ops);
    TURN_UNTIL(loop, owner->connects == 1 && accepted_peer.fd >= 0);
    struct addr a;
    uint16_t port;
    assert_true(conn_peer(&owner->conn, &a, &port));
    assert_memory_equal(a.bytes, dial_to.bytes, sizeof a.bytes);
    assert_int_equal(port, listener_port(listener));
    peer_close(&accepted_peer);
    TURN_UNTIL(loop, owner->closes == 1);
    listener_close(listener);
}

/* The connection goes to another owner, and the old one's memory is gone at once. */
static void move_away(struct owner *o)
{
    struct owner *next = xcalloc(1, sizeof *next);
    conn_write(&o->conn, "1", 1);
    conn_unread(&o->conn, "put back", 8);
    conn_move(&next->conn, &o->conn, &plain_ops);
    conn_write(&next->conn, "2", 1);
    buf_clear(&o->got);
    free(o);
    owner = next;
}

static void a_move_inside_data_leaves_the_old_owner_alone(void **state)
{
    (void)state;
    open_with(&plain_ops);
    owner->in_data = move_away;
    peer_send(&peer, "go");
    TURN_UNTIL(loop, got_is("put back"));
    peer_send(&peer, " and more");
    TURN_UNTIL(loop, got_is("put back and more"));
    TURN_UNTIL(loop, peer_has(&peer, "12"));
    peer_close(&peer);
    TURN_UNTIL(loop, owner->closes == 1);
    assert_int_equal(owner->end, CONN_END_EOF);
}

static void a_move_of_what_was_unread_works_at_the_end_of_a_turn(void **state)
{
    (void)state;
    open_with(&plain_ops);
    conn_unread(&owner->conn, "first", 5);
    owner->in_data = move_away; /* called from the end of the turn */
    TURN_UNTIL(loop, got_is("put back"));
}

static void a_moved_end_is_told_to_the_new_owner(void **state)
{
    (void)state;
    open_with(&plain_ops);
    conn_abort(&owner->conn);
    move_away(owner);
    loop_turn(loop, 0);
    assert_int_equal(owner->closes, 1);
}

static void pause_and_put_back(struct owner *o)
{
    if (o->datas > 1)
        return;
    conn_pause(&o->conn, CONN_PAUSE_LINK);
    conn_pause(&o->conn, CONN_PAUSE_QUEUE);
    buf_reset(&o->got);
    conn_unread(&o->conn, "back ", 5);
}

static void what_was_put_back_comes_first_once_nothing_pauses(void **state)
{
    (void)state;
    open_with(&plain_ops);
    owner->in_data = pause_and_put_back;
    peer_send(&peer, "x");
    TURN_UNTIL(loop, owner->datas == 1);
    peer_send(&peer, "and new");
    turn_some(loop);
    conn_resume(&owner->conn, CONN_PAUSE_LINK);
    turn_some(loop);
    assert_int_equal(owner->datas, 1);
    assert_true(conn_has_input(&owner->conn));
    conn_resume(&owner->conn, CONN_PAUSE_QUEUE);
    TURN_UNTIL(loop, got_is("back and new"));
    assert_false(conn_has_input(&owner->conn));
}

static void a_resumed_connection_reads_all_that_waits(void **state)
{
    (void)state;
    open_with(&plain_ops);
    for (int round = 0; round < 3; round++) {
        conn_pause(&owner->conn, CONN_PAUSE_LINK);
        loop_turn(loop, 0);
        size_t sent = owner->got.len, before = sent;
        for (ssize_t n = 0; n >= 0; sent += (size_t)(n > 0 ? n : 0)) {
            n = send(peer.fd, bulk, sizeof bulk, MSG_DONTWAIT);
            loop_turn(loop, 0);
        }
        assert_true(sent > before);
        assert_int_equal(owner->got.len, before);
        conn_resume(&owner->conn, CONN_PAUSE_LINK);
        TURN_UNTIL(loop, owner->got.len == sent);
    }
}

static void a_paused_connection_notices_a_reset(void **state)
{
    (void)state;
    open_with(&plain_ops);
    conn_pause(&owner->conn, CONN_PAUSE_LINK);
    turn_some(loop);
    peer_send(&peer, "never read");
    peer_reset(&peer);
    TURN_UNTIL(loop, owner->closes == 1);
    assert_int_equal(owner->end, CONN_END_ERROR);
    assert_int_equal(owner->datas, 0);
}

static void a_paused_connection_hears_the_end_behind_the_bytes(void **state)
{
    (void)state;
    open_with(&plain_ops);
    conn_pause(&owner->conn, CONN_PAUSE_LINK);
    turn_some(loop);
    peer_send(&peer, "last words");
    peer_close(&peer);
    turn_some(loop);
    assert_int_equal(owner->closes, 0);
    conn_resume(&owner->conn, CONN_PAUSE_LINK);
    TURN_UNTIL(loop, owner->closes == 1);
    assert_true(got_is("last words"));
    assert_int_equal(owner->end, CONN_END_EOF);
}

static void drained_is_told_once_at_half_of_high_water(void **state)
{
    (void)state;
    owner->conn.high_water = 200000;
    open_with(&plain_ops);
    conn_write(&owner->conn, "x", 1);
    assert_false(conn_is_full(&owner->conn));
    fill();
    assert_true(conn_is_full(&owner->conn));
    assert_int_equal(owner->drains, 0);
    TURN_UNTIL(loop, (peer_pump(&peer), owner->drains == 1));
    assert_true(conn_queued(&owner->conn) <= 100000);
    TURN_UNTIL(loop, (peer_pump(&peer), conn_queued(&owner->conn) == 0));
    turn_some(loop);
    assert_int_equal(owner->drains, 1);
}

static void refill(struct conn *c)
{
    owner_of(c)->drains++;
    conn_write(c, bulk, 100);
}

static void an_owner_that_refills_does_not_hold_the_turn(void **state)
{
    (void)state;
    static const struct conn_ops ops = {.data = on_data, .drained = refill, .closed = on_closed};
    owner->conn.high_water = 100;
    open_with(&ops);
    conn_write(&owner->conn, bulk, 100);
    loop_turn(loop, 0);
    assert_int_equal(owner->drains, 1);
    TURN_UNTIL(loop, (peer_pump(&peer), owner->drains > 5));
}

static void a_dropped_queue_keeps_the_frame_under_way(void **state)
{
    (void)state;
    open_with(&plain_ops);
    struct frame *f = frame_new(1 << 22);
    memset(f->data, 'a', 1 << 22);
    f->len = 1 << 22;
    conn_send(&owner->conn, f);
    conn_send(&owner->conn, frame_of(SPAN("second")));
    loop_turn(loop, 0);
    assert_true(owner->conn.sent > 0 && conn_queued(&owner->conn) > 6);
    conn_drop_queue(&owner->conn);
    conn_send(&owner->conn, frame_of(SPAN("third")));
    TURN_UNTIL(loop, peer_len(&peer) == (1 << 22) + 5);
    assert_true(span_ends(buf_span(&peer.in), SPAN("athird")));
    conn_drop_queue(&owner->conn); /* nothing there */
    conn_send(&owner->conn, frame_of(SPAN("gone")));
    conn_drop_queue(&owner->conn); /* nothing under way */
    assert_int_equal(conn_queued(&owner->conn), 0);
}

static void take_in_closed(struct conn *c, enum conn_end end)
{
    on_closed(c, end);
    conn_take_queue(c, &owner_of(c)->taken);
}

static void the_queue_can_be_taken_when_it_is_over(void **state)
{
    (void)state;
    static const struct conn_ops ops = {.data = on_data, .closed = take_in_closed};
    open_with(&ops);
    for (int i = 0; i < 100; i++)
        conn_send(&owner->conn, frame_of(span_of(bulk, 50000)));
    loop_turn(loop, 0);
    assert_true(owner->conn.sent > 0);
    peer_reset(&peer);
    TURN_UNTIL(loop, owner->closes == 1);
    /* What was partly sent is whole again. */
    assert_true(owner->taken.bytes >= owner->left);
    assert_int_equal(owner->taken.bytes % 50000, 0);
    assert_int_equal(owner->taken.bytes / 50000, owner->taken.count);
    assert_int_equal(owner->taken.done, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_go_both_ways_and_in_order),
        TEST(an_abort_inside_data_ends_it_once_and_later),
        TEST(a_close_inside_data_sends_what_is_queued),
        TEST(a_close_inside_connected_is_a_close),
        TEST(a_refused_dial_can_be_repeated_in_closed),
        TEST(a_dial_that_is_given_up_ends_once),
        TEST(an_ipv6_address_is_dialled_as_such),
        TEST(a_move_inside_data_leaves_the_old_owner_alone),
        TEST(a_move_of_what_was_unread_works_at_the_end_of_a_turn),
        TEST(a_moved_end_is_told_to_the_new_owner),
        TEST(what_was_put_back_comes_first_once_nothing_pauses),
        TEST(a_resumed_connection_reads_all_that_waits),
        TEST(a_paused_connection_notices_a_reset),
        TEST(a_paused_connection_hears_the_end_behind_the_bytes),
        TEST(drained_is_told_once_at_half_of_high_water),
        TEST(an_owner_that_refills_does_not_hold_the_turn),
        TEST(a_dropped_queue_keeps_the_frame_under_way),
        TEST(the_queue_can_be_taken_when_it_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
