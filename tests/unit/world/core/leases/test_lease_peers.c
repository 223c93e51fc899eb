#include "leases_rig.h"

static void alone_we_decide_on_while_redis_is_away(void **state)
{
    struct rig *r = rig_owner(0);

    (void)state;
    rig_alone_until(r, 100);
    r->now += 500;
    assert_int_equal(rig_find(r), OWNER_SOUGHT);
    leases_tick(r->l, r->now);
    assert_int_equal(rig_find(r), OWNER_US);
    r->now += LEASES_PEERS_MS;
    assert_int_equal(rig_find(r), OWNER_SOUGHT); /* the loop stood still */
    rig_free(r);
}

static void peers_are_asked_before_the_lease_ends(void **state)
{
    struct rig *r = rig_owner(2);

    (void)state;
    rig_alone_until(r, LEASES_EARLY_MS + 1);
    rig_pass(r, 0);
    rig_said(r, "");
    rig_pass(r, 1);
    rig_said(r, "ask(p1)(p2) ");
    rig_free(r);
}

static void who_has_not_reached_redis_since_our_lease_ended_confirms_it(void **state)
{
    struct rig *r = rig_owner(2);

    (void)state;
    rig_alone_until(r, 100);
    rig_pass(r, 0);
    r->now += 200;
    rig_peers(r, 0, 1, 101);
    assert_int_equal(rig_find(r), OWNER_US);
    r->now += LEASES_PEERS_MS - 200;
    assert_int_equal(rig_find(r), OWNER_SOUGHT);
    rig_free(r);
}

static void who_has_reached_redis_after_our_lease_ended_may_be_owner(void **state)
{
    struct rig *r = rig_owner(2);

    (void)state;
    rig_alone_until(r, 100);
    rig_pass(r, 0);
    r->now += 200;
    rig_peers(r, 0, 1, 99);
    assert_int_equal(rig_find(r), OWNER_SOUGHT);
    rig_free(r);
}

static void an_answer_that_comes_after_a_standstill_is_no_answer(void **state)
{
    struct rig *r = rig_owner(2);

    (void)state;
    rig_alone_until(r, 100);
    rig_pass(r, 0);
    r->now += 5000;
    rig_peers(r, 0, 2, 9000);
    assert_int_equal(rig_find(r), OWNER_SOUGHT);
    rig_free(r);
}

static void we_look_ourselves_before_we_step_down(void **state)
{
    struct rig *r = rig_owner(2);

    (void)state;
    rig_alone_until(r, 10);
    rig_pass(r, LEASES_TRY_MS);
    rig_said(r, "ask(p1)(p2) tend(keep w 7 7) ");
    rig_peers(r, 1, 0, 0);
    rig_away(r);
    rig_said(r, "drop(w) ");
    assert_int_equal(leases_stats(r->l)->stepped_down, 1);
    assert_int_equal(rig_find(r), OWNER_SOUGHT);
    assert_true(span_eq(leases_place(r->l, SPAN("w")).url, SPAN("p1")));
    rig_free(r);
}

static void a_lease_that_still_counts_is_not_given_up(void **state)
{
    struct rig *r = rig_owner(2);

    (void)state;
    rig_alone_until(r, 500);
    rig_pass(r, LEASES_TRY_MS);
    rig_peers(r, 1, 0, 0);
    rig_away(r);
    assert_int_equal(rig_find(r), OWNER_US);
    rig_free(r);
}

static void who_said_away_takes_nothing_for_a_while(void **state)
{
    struct rig *r = rig_new(2);

    (void)state;
    (void)rig_find(r);
    rig_pass(r, 0);
    rig_away(r);
    rig_pass(r, LEASES_TRY_MS);
    assert_false(leases_tell_peer(r->l).reaches);
    r->log[0] = '\0';
    rig_ours(r, 9); /* sent before it was told */
    rig_said(r, "");
    rig_pass(r, LEASES_TRY_MS);
    rig_said(r, "tend(free w 0 0) ");
    rig_is_free(r, 0);
    rig_pass(r, LEASES_PEERS_MS + LEASES_GRACE_MS - LEASES_TRY_MS);
    rig_said(r, "tend(want w 0 9) ");
    rig_free(r);
}

static void our_own_lease_is_kept_in_grace_while_we_are_sure(void **state)
{
    struct rig *r = rig_owner(0);

    (void)state;
    rig_alone_until(r, 50);
    assert_false(leases_tell_peer(r->l).reaches);
    rig_pass(r, LEASES_TRY_MS);
    rig_said(r, "tend(keep w 7 7) ");
    rig_free(r);
}

static void a_peer_hears_how_long_redis_has_been_silent(void **state)
{
    struct rig *r = rig_new(2);
    struct lease_reach told;

    (void)state;
    r->now += 700;
    told = leases_tell_peer(r->l);
    assert_true(told.reaches);
    assert_int_equal(told.ago_ms, 700);
    rig_pass(r, 0);
    rig_said(r, "tend "); /* the next answer will be a fresh one */
    rig_away(r);
    r->now += 100;
    told = leases_tell_peer(r->l);
    assert_false(told.reaches);
    assert_int_equal(told.ago_ms, 800);
    rig_free(r);
}

static void worlds_nobody_is_known_for_go_to_who_reaches_redis(void **state)
{
    struct rig *r = rig_new(2);

    (void)state;
    rig_pass(r, 1000);
    rig_away(r);
    (void)rig_find(r);
    r->log[0] = '\0';
    rig_pass(r, LEASES_TRY_MS);
    rig_said(r, "ask(p1)(p2) tend(free w 0 0) ");
    rig_peers(r, 1, 1, 0);
    rig_said(r, "moved(w) ");
    assert_true(span_eq(leases_place(r->l, SPAN("w")).url, SPAN("p1")));
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone_we_decide_on_while_redis_is_away),
        cmocka_unit_test(peers_are_asked_before_the_lease_ends),
        cmocka_unit_test(who_has_not_reached_redis_since_our_lease_ended_confirms_it),
        cmocka_unit_test(who_has_reached_redis_after_our_lease_ended_may_be_owner),
        cmocka_unit_test(an_answer_that_comes_after_a_standstill_is_no_answer),
        cmocka_unit_test(we_look_ourselves_before_we_step_down),
        cmocka_unit_test(a_lease_that_still_counts_is_not_given_up),
        cmocka_unit_test(who_said_away_takes_nothing_for_a_while),
        cmocka_unit_test(our_own_lease_is_kept_in_grace_while_we_are_sure),
        cmocka_unit_test(a_peer_hears_how_long_redis_has_been_silent),
        cmocka_unit_test(worlds_nobody_is_known_for_go_to_who_reaches_redis),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
