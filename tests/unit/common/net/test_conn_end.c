/* How a connection ends: what the peer may do to it, and how long it waits for the peer. */
#include "conn_rig.h"

static void without_eof_the_end_of_the_peer_closes_behind_the_queue(void **state)
{
    (void)state;
    open_with(&plain_ops);
    fill();
    size_t total = owner->conn.sent + conn_queued(&owner->conn);
    (void)shutdown(peer.fd, SHUT_WR);
    TURN_UNTIL(loop, peer_ended(&peer));
    assert_int_equal(peer.in.len, total);
    TURN_UNTIL(loop, owner->closes == 1);
    assert_int_equal(owner->end, CONN_END_EOF);
}

static void with_eof_the_owner_goes_on_writing(void **state)
{
    (void)state;
    open_with(&eof_ops);
    peer_send(&peer, "question");
    (void)shutdown(peer.fd, SHUT_WR);
    TURN_UNTIL(loop, owner->eofs == 1);
    assert_true(got_is("question"));
    turn_some(loop);
    assert_true(conn_is_open(&owner->conn));
    conn_write(&owner->conn, "answer", 6);
    TURN_UNTIL(loop, peer_has(&peer, "answer"));
    conn_close(&owner->conn);
    TURN_UNTIL(loop, peer_ended(&peer) && owner->closes == 1);
    assert_int_equal(owner->eofs, 1);
    assert_int_equal(owner->end, CONN_END_LOCAL);
}

static void a_half_connection_notices_a_reset(void **state)
{
    (void)state;
    open_with(&eof_ops);
    (void)shutdown(peer.fd, SHUT_WR);
    TURN_UNTIL(loop, owner->eofs == 1);
    turn_some(loop);
    peer_reset(&peer);
    TURN_UNTIL(loop, owner->closes == 1);
    assert_int_equal(owner->end, CONN_END_ERROR);
}

static void a_reset_while_writing_ends_it_and_leaves_the_queue(void **state)
{
    (void)state;
    open_with(&plain_ops);
    fill();
    peer_reset(&peer);
    TURN_UNTIL(loop, owner->closes == 1);
    assert_int_equal(owner->end, CONN_END_ERROR);
    assert_true(owner->left > 100000);
}

/* Runs between the events and the end of the turn, so that the next thing to touch the socket is a
 * write. */
static void say_and_break_off(struct timer *t, int64_t now)
{
    (void)t, (void)now;
    peer_send(&peer, "why I go");
    peer_reset(&peer);
    conn_write(&owner->conn, "to nobody", 9);
}

static void what_the_peer_said_before_it_broke_off_is_read(void **state)
{
    (void)state;
    struct timer timer = {.fire = say_and_break_off};
    open_with(&plain_ops);
    turn_some(loop);
    wheel_set(loop_wheel(loop), &timer, 0);
    TURN_UNTIL(loop, owner->closes == 1);
    assert_true(got_is("why I go"));
    assert_int_equal(owner->end, CONN_END_ERROR);
}

static void linger_runs_out(void)
{
    wheel_advance(loop_wheel(loop), owner->conn.linger.due_ms + WHEEL_TICK_MS);
    turn_some(loop);
}

/* And does not look like the end of all that was to come. */
static void a_close_gives_up_on_a_peer_that_takes_nothing(void **state)
{
    (void)state;
    open_with(&plain_ops);
    fill();
    conn_close(&owner->conn);
    turn_some(loop);
    assert_int_equal(owner->closes, 0);
    assert_true(owner->conn.linger.due_ms <= loop_now(loop) + CONN_LINGER_MS);
    linger_runs_out(); /* what was on its way may have arrived since */
    if (owner->closes == 0)
        linger_runs_out();
    assert_int_equal(owner->closes, 1);
    assert_int_equal(owner->end, CONN_END_LOCAL);
    assert_true(owner->left > 0);
    TURN_UNTIL(loop, peer_ended(&peer));
    assert_true(peer.reset);
}

static void a_peer_that_reads_slowly_gets_all_that_was_queued_before_a_close(void **state)
{
    (void)state;
    open_with(&plain_ops);
    fill();
    conn_close(&owner->conn);
    for (int i = 0; i < 3; i++) {
        peer_pump(&peer);
        turn_some(loop);
        linger_runs_out();
        assert_int_equal(owner->closes, 0);
    }
    TURN_UNTIL(loop, peer_ended(&peer));
    assert_false(peer.reset);
    assert_int_equal(peer.in.len, 8 * 100000);
}

static void a_lingering_peer_reads_our_last_words(void **state)
{
    (void)state;
    open_with(&plain_ops);
    owner->in_data = NULL;
    conn_write(&owner->conn, "enough", 6);
    conn_linger(&owner->conn);
    for (int i = 0; i < 10; i++) {
        assert_true(send(peer.fd, bulk, 100000, MSG_NOSIGNAL | MSG_DONTWAIT) > 0);
        loop_turn(loop, 1);
        loop_turn(loop, 1);
    }
    assert_int_equal(owner->closes, 0);
    assert_true(peer_ended(&peer)); /* our side has ended */
    assert_false(peer.reset);
    assert_true(peer_has(&peer, "enough"));
    (void)shutdown(peer.fd, SHUT_WR);
    TURN_UNTIL(loop, owner->closes == 1);
    assert_int_equal(owner->datas, 0);
}

static void a_lingering_connection_does_not_wait_for_ever(void **state)
{
    (void)state;
    open_with(&plain_ops);
    conn_linger(&owner->conn);
    TURN_UNTIL(loop, peer_ended(&peer));
    assert_int_equal(owner->closes, 0);
    wheel_advance(loop_wheel(loop), owner->conn.linger.due_ms + WHEEL_TICK_MS);
    loop_turn(loop, 0);
    assert_int_equal(owner->closes, 1);
}

static void a_reset_of_ours_is_one_for_the_peer(void **state)
{
    (void)state;
    open_with(&plain_ops);
    loop_turn(loop, 0);
    conn_reset(&owner->conn);
    TURN_UNTIL(loop, peer_ended(&peer) && owner->closes == 1);
    assert_true(peer.reset);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_eof_the_end_of_the_peer_closes_behind_the_queue),
        TEST(with_eof_the_owner_goes_on_writing),
        TEST(a_half_connection_notices_a_reset),
        TEST(a_reset_while_writing_ends_it_and_leaves_the_queue),
        TEST(what_the_peer_said_before_it_broke_off_is_read),
        TEST(a_close_gives_up_on_a_peer_that_takes_nothing),
        TEST(a_peer_that_reads_slowly_gets_all_that_was_queued_before_a_close),
        TEST(a_lingering_peer_reads_our_last_words),
        TEST(a_lingering_connection_does_not_wait_for_ever),
        TEST(a_reset_of_ours_is_one_for_the_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
