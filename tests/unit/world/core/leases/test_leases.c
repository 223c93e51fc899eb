#include "leases_rig.h"

static void an_unknown_world_is_wanted_at_once_and_loaded(void **state)
{
    struct rig *r = rig_new(0);

    (void)state;
    assert_int_equal(rig_find(r), OWNER_SOUGHT);
    rig_said(r, "");
    rig_pass(r, 0);
    rig_said(r, "tend(want w 0 0) ");
    rig_ours(r, 7);
    rig_said(r, "load(w 7) ");
    assert_int_equal(rig_find(r), OWNER_SOUGHT);
    leases_loaded(r->l, SPAN("w"), ERR_OK, (struct span){0}, r->now);
    rig_said(r, "moved(w) ");
    assert_int_equal(rig_find(r), OWNER_US);
    assert_int_equal(leases_stats(r->l)->ours, 1);
    rig_free(r);
}

static void worlds_that_come_while_redis_is_asked_share_the_next_call(void **state)
{
    struct rig *r = rig_new(0);

    (void)state;
    (void)leases_find(r->l, SPAN("a"));
    rig_pass(r, 0);
    (void)leases_find(r->l, SPAN("b"));
    (void)leases_find(r->l, SPAN("c"));
    rig_pass(r, 1);
    rig_said(r, "tend(want a 0 0) ");
    rig_news(r,
             &(struct lease_news){.world = SPAN("a"),
                                  .said = LEASE_IS_OTHERS,
                                  .epoch = 5,
                                  .left_ms = 3000,
                                  .url = SPAN("p1")},
             1);
    rig_pass(r, 0);
    rig_said(r, "moved(a) tend(free a 0 0)(want b 0 0)(want c 0 0) ");
    rig_free(r);
}

static void without_worlds_redis_is_told_that_we_live(void **state)
{
    struct rig *r = rig_new(0);

    (void)state;
    rig_pass(r, 1000);
    rig_said(r, "tend ");
    rig_free(r);
}

static void a_lease_counts_from_the_sending_by_the_clock_of_the_moment(void **state)
{
    struct rig *r = rig_owner(0);

    (void)state;
    r->now += RIG_DEADLINE_MS - 1;
    assert_int_equal(rig_find(r), OWNER_US);
    r->now += 1;
    assert_int_equal(rig_find(r), OWNER_SOUGHT);
    leases_tick(r->l, r->now);
    rig_said(r, "tend(keep w 7 7) ");
    r->now += 400; /* the answer takes its time */
    rig_ours(r, 9);
    rig_said(r, "raise(w 9) moved(w) ");
    r->now += RIG_DEADLINE_MS - 401;
    assert_int_equal(rig_find(r), OWNER_US);
    r->now += 1;
    assert_int_equal(rig_find(r), OWNER_SOUGHT);
    rig_free(r);
}

static void a_world_of_others_is_passed_on_and_watched(void **state)
{
    struct rig *r = rig_new(1);
    struct lease_place place;

    (void)state;
    (void)rig_find(r);
    rig_pass(r, 0);
    rig_others(r, 5, 2000);
    place = leases_place(r->l, SPAN("w"));
    assert_int_equal(place.owner, OWNER_OTHER);
    assert_true(span_eq(place.url, SPAN("p1")));
    assert_int_equal(place.epoch, 5);
    r->log[0] = '\0';
    rig_pass(r, 1000);
    rig_said(r, "tend(free w 0 0) "); /* only looks */
    rig_others(r, 5, 500);
    r->log[0] = '\0';
    rig_pass(r, 1000);
    rig_said(r, "tend(want w 0 5) ");
    rig_free(r);
}

static void an_emptied_redis_is_left_to_the_owner_for_as_long_as_its_lease_would_last(void **state)
{
    struct rig *r = rig_new(0);

    (void)state;
    (void)rig_find(r);
    rig_pass(r, 0);
    rig_others(r, 5, 2000);
    rig_pass(r, 1000);
    r->log[0] = '\0';
    rig_is_free(r, 0);
    (void)rig_find(r);
    rig_pass(r, 0);
    rig_said(r, "tend(free w 0 0) ");
    rig_is_free(r, 0);
    rig_pass(r, 999);
    rig_is_free(r, 0);
    rig_pass(r, LEASES_TRY_MS);
    rig_said(r, "tend(free w 0 0) tend(want w 0 5) ");
    rig_free(r);
}

static void an_empty_redis_that_is_back_is_left_to_owners_for_a_while(void **state)
{
    struct rig *r = rig_new(0);

    (void)state;
    (void)rig_find(r);
    rig_pass(r, 0);
    rig_others(r, 5, 2000);
    rig_pass(r, 1000);
    rig_away(r);
    rig_pass(r, 5000); /* the owner has decided on meanwhile */
    r->log[0] = '\0';
    rig_is_free(r, 0);
    (void)rig_find(r);
    rig_pass(r, 0);
    rig_is_free(r, 0);
    rig_pass(r, LEASES_BACK_MS - 1);
    rig_is_free(r, 0);
    rig_pass(r, LEASES_TRY_MS);
    rig_said(r, "tend(free w 0 0) tend(free w 0 0) tend(want w 0 5) ");
    rig_free(r);
}

static void a_doubted_owner_is_asked_for_until_it_lives_or_ends(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    (void)rig_find(r);
    rig_pass(r, 0);
    rig_others(r, 5, 2000);
    leases_doubt(r->l, SPAN("w"));
    assert_int_equal(rig_find(r), OWNER_SOUGHT);
    r->log[0] = '\0';
    rig_pass(r, 1);
    rig_others(r, 5, 1999);
    rig_said(r, "tend(free w 0 0) moved(w) "); /* tried once more */
    leases_doubt(r->l, SPAN("w"));
    rig_pass(r, 1);
    rig_others(r, 5, 1998);
    rig_pass(r, LEASES_TRY_MS);
    rig_said(r, "tend(free w 0 0) tend(free w 0 0) ");
    rig_others(r, 5, 2990);
    rig_said(r, "moved(w) ");
    assert_int_equal(rig_find(r), OWNER_OTHER);
    leases_doubt(r->l, SPAN("w"));
    rig_pass(r, 1);
    rig_is_free(r, 5); /* it had only been looked at */
    rig_pass(r, 0);
    rig_said(r, "tend(free w 0 0) tend(want w 0 5) ");
    rig_free(r);
}

/* What was sent to the one before may hang there. */
static void a_new_owner_is_told_of_though_nobody_was_told_to_wait(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    (void)rig_find(r);
    rig_pass(r, 0);
    rig_others(r, 5, 2000);
    assert_int_equal(rig_find(r), OWNER_OTHER);
    rig_pass(r, 1000);
    r->log[0] = '\0';
    rig_news(r,
             &(struct lease_news){.world = SPAN("w"),
                                  .said = LEASE_IS_OTHERS,
                                  .epoch = 6,
                                  .left_ms = 3000,
                                  .url = SPAN("p2")},
             1);
    rig_said(r, "moved(w) ");
    rig_pass(r, 1000);
    rig_is_free(r, 6);
    r->log[0] = '\0';
    rig_pass(r, 0);
    rig_said(r, "tend(want w 0 6) ");
    rig_ours(r, 7);
    rig_said(r, "load(w 7) ");
    leases_loaded(r->l, SPAN("w"), ERR_OK, (struct span){0}, r->now);
    rig_said(r, "moved(w) ");
    rig_free(r);
}

static void an_idle_world_is_closed_freed_and_forgotten(void **state)
{
    struct rig *r = rig_owner(0);

    (void)state;
    leases_idle(r->l, SPAN("w"));
    rig_said(r, "");
    assert_int_equal(rig_find(r), OWNER_US); /* asked for: not idle after all */
    rig_pass(r, 1);
    rig_said(r, "");
    leases_idle(r->l, SPAN("w"));
    rig_pass(r, 1);
    rig_said(r, "close(w) ");
    leases_closed(r->l, SPAN("w"), r->now);
    rig_pass(r, 1);
    rig_said(r, "tend(free w 0 0) ");
    rig_is_free(r, 0);
    rig_said(r, "drop(w) ");
    rig_pass(r, LEASES_WANTED_MS);
    rig_is_free(r, 0);
    rig_pass(r, LEASES_IDLE_MS);
    rig_is_free(r, 0);
    rig_pass(r, 1);
    assert_int_equal(leases_stats(r->l)->sought, 0);
    rig_free(r);
}

static void the_end_frees_what_is_ours_and_what_is_loading(void **state)
{
    struct rig *r = rig_owner(1);

    (void)state;
    (void)leases_find(r->l, SPAN("x"));
    rig_pass(r, 0);
    rig_news(r,
             (struct lease_news[]){
                 {.world = SPAN("w"), .said = LEASE_IS_OURS, .epoch = 7},
                 {.world = SPAN("x"), .said = LEASE_IS_OURS, .epoch = 8},
             },
             2);
    r->log[0] = '\0';
    leases_release(r->l);
    rig_pass(r, 1);
    rig_said(r, "close(w) ");
    assert_int_equal(rig_find(r), OWNER_SOUGHT);
    leases_loaded(r->l, SPAN("x"), ERR_OK, (struct span){0}, r->now);
    leases_closed(r->l, SPAN("w"), r->now);
    rig_pass(r, 1);
    rig_said(r, "tend(free w 0 0)(free x 0 0) ");
    assert_false(leases_are_released(r->l));
    rig_news(r,
             (struct lease_news[]){
                 {.world = SPAN("w"), .said = LEASE_IS_FREE},
                 {.world = SPAN("x"), .said = LEASE_IS_FREE},
             },
             2);
    rig_said(r, "drop(w) drop(x) moved(w) moved(x) "); /* who waits need not wait here */
    assert_true(leases_are_released(r->l));
    assert_true(leases_place(r->l, SPAN("w")).leaving);
    rig_pass(r, LEASES_TRY_MS);
    rig_said(r, "tend(free w 0 0)(free x 0 0) moved(w) "); /* looks who has them */
    rig_free(r);
}

static void who_ends_tries_its_peers_one_after_the_other(void **state)
{
    struct rig *r = rig_owner(2);
    struct span first, second;

    (void)state;
    leases_release(r->l);
    rig_pass(r, 1);
    leases_closed(r->l, SPAN("w"), r->now);
    rig_pass(r, 1);
    rig_is_free(r, 7);
    first = leases_place(r->l, SPAN("w")).url;
    assert_true(first.len > 0);
    rig_pass(r, LEASES_TRY_MS);
    second = leases_place(r->l, SPAN("w")).url;
    assert_true(second.len > 0 && !span_eq(first, second));
    rig_free(r);
}

static void a_world_that_cannot_be_read_is_freed_and_tried_again(void **state)
{
    struct rig *r = rig_new(0);

    (void)state;
    (void)rig_find(r);
    rig_pass(r, 0);
    rig_ours(r, 7);
    leases_loaded(r->l, SPAN("w"), ERR_SYNTAX, SPAN("P:room:w is no hash"), r->now);
    assert_int_equal(rig_find(r), OWNER_BROKEN);
    assert_true(span_eq(leases_place(r->l, SPAN("w")).why, SPAN("P:room:w is no hash")));
    r->log[0] = '\0';
    rig_pass(r, 1);
    rig_said(r, "tend(free w 0 0) ");
    rig_is_free(r, 7);
    rig_pass(r, LEASES_BROKEN_MS);
    rig_said(r, "tend(want w 0 7) ");
    rig_free(r);
}

static void a_lease_that_was_raised_while_loading_is_raised_after(void **state)
{
    struct rig *r = rig_new(0);

    (void)state;
    (void)rig_find(r);
    rig_pass(r, 0);
    rig_ours(r, 7);
    rig_pass(r, RIG_TTL_MS);
    r->log[0] = '\0';
    rig_ours(r, 9);
    rig_said(r, "");
    leases_loaded(r->l, SPAN("w"), ERR_OK, (struct span){0}, r->now);
    rig_said(r, "raise(w 9) moved(w) ");
    rig_free(r);
}

static void a_write_refused_after_the_end_of_the_lease_is_no_news(void **state)
{
    struct rig *r = rig_owner(0);

    (void)state;
    rig_pass(r, RIG_DEADLINE_MS - 100);
    rig_away(r);
    rig_pass(r, 200);
    assert_int_equal(rig_find(r), OWNER_US); /* alone */
    leases_lost(r->l, SPAN("w"), r->now);
    assert_int_equal(rig_find(r), OWNER_US);
    rig_free(r);
}

static void records_are_asked_for_again_when_redis_went_away(void **state)
{
    struct rig *r = rig_new(0);

    (void)state;
    (void)rig_find(r);
    rig_pass(r, 0);
    rig_ours(r, 7);
    r->log[0] = '\0';
    leases_loaded(r->l, SPAN("w"), ERR_IO, (struct span){0}, r->now);
    rig_pass(r, 10);
    rig_said(r, "load(w 7) ");
    rig_free(r);
}

static void a_higher_epoch_makes_us_ask_before_we_decide_on(void **state)
{
    struct rig *r = rig_owner(0);

    (void)state;
    leases_saw(r->l, SPAN("w"), 20);
    assert_int_equal(rig_find(r), OWNER_SOUGHT);
    rig_pass(r, 1);
    rig_said(r, "tend(keep w 7 20) ");
    rig_ours(r, 21);
    rig_said(r, "raise(w 21) moved(w) ");
    assert_int_equal(rig_find(r), OWNER_US);
    rig_free(r);
}

static void an_epoch_that_no_clock_reaches_is_not_believed(void **state)
{
    struct rig *r = rig_owner(0);

    (void)state;
    leases_saw(r->l, SPAN("w"), INT64_MAX);
    leases_saw(r->l, SPAN("w"), INT64_C(100000000000000));
    assert_int_equal(rig_find(r), OWNER_US);
    rig_free(r);
}

static void who_was_not_owner_all_the_time_forgets_the_world(void **state)
{
    struct rig *r = rig_owner(0);

    (void)state;
    rig_pass(r, RIG_TTL_MS);
    rig_is_free(r, 9);
    rig_said(r, "tend(keep w 7 7) drop(w) ");
    assert_int_equal(rig_find(r), OWNER_SOUGHT);
    rig_pass(r, LEASES_TRY_MS);
    rig_said(r, "tend(want w 0 9) ");
    rig_free(r);
}

static void a_refused_write_makes_us_ask_and_drops_nothing_yet(void **state)
{
    struct rig *r = rig_owner(1);

    (void)state;
    leases_lost(r->l, SPAN("w"), r->now);
    assert_int_equal(rig_find(r), OWNER_SOUGHT);
    rig_pass(r, 1);
    rig_said(r, "tend(keep w 7 7) ");
    rig_others(r, 9, 3000);
    rig_said(r, "drop(w) moved(w) ");
    assert_int_equal(rig_find(r), OWNER_OTHER);
    rig_free(r);
}

static void the_lease_of_who_was_here_before_is_waited_for(void **state)
{
    struct rig *r = rig_new(0);
    struct lease_news news = {.world = SPAN("w"), .said = LEASE_IS_OTHERS, .epoch = 5};

    (void)state;
    (void)rig_find(r);
    rig_pass(r, 0);
    news.url = SPAN("me");
    rig_news(r, &news, 1);
    assert_int_equal(rig_find(r), OWNER_SOUGHT);
    assert_int_equal(leases_place(r->l, SPAN("w")).url.len, 0);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_world_is_wanted_at_once_and_loaded),
        cmocka_unit_test(worlds_that_come_while_redis_is_asked_share_the_next_call),
        cmocka_unit_test(without_worlds_redis_is_told_that_we_live),
        cmocka_unit_test(a_lease_counts_from_the_sending_by_the_clock_of_the_moment),
        cmocka_unit_test(a_world_of_others_is_passed_on_and_watched),
        cmocka_unit_test(an_emptied_redis_is_left_to_the_owner_for_as_long_as_its_lease_would_last),
        cmocka_unit_test(an_empty_redis_that_is_back_is_left_to_owners_for_a_while),
        cmocka_unit_test(a_doubted_owner_is_asked_for_until_it_lives_or_ends),
        cmocka_unit_test(a_new_owner_is_told_of_though_nobody_was_told_to_wait),
        cmocka_unit_test(an_idle_world_is_closed_freed_and_forgotten),
        cmocka_unit_test(the_end_frees_what_is_ours_and_what_is_loading),
        cmocka_unit_test(who_ends_tries_its_peers_one_after_the_other),
        cmocka_unit_test(a_world_that_cannot_be_read_is_freed_and_tried_again),
        cmocka_unit_test(a_lease_that_was_raised_while_loading_is_raised_after),
        cmocka_unit_test(a_write_refused_after_the_end_of_the_lease_is_no_news),
        cmocka_unit_test(records_are_asked_for_again_when_redis_went_away),
        cmocka_unit_test(a_higher_epoch_makes_us_ask_before_we_decide_on),
        cmocka_unit_test(an_epoch_that_no_clock_reaches_is_not_believed),
        cmocka_unit_test(who_was_not_owner_all_the_time_forgets_the_world),
        cmocka_unit_test(a_refused_write_makes_us_ask_and_drops_nothing_yet),
        cmocka_unit_test(the_lease_of_who_was_here_before_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
