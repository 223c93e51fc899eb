/* Who comes in when, and in which order. */
#include "shard/core/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/rng.h"

enum { CROWD = 20000 };

static const struct rate_limit ten = {.per_s = 10, .burst = 2};

static struct admission a;
static struct admission_stats stats;

/* One who comes, and what became of it. */
static struct visitor {
    struct admission_wait wait;
    enum admission_rank rank;
    enum admission_verdict verdict; /* HELD: still waiting */
    int64_t came_ms, went_ms;
    bool pushed;
} crowd[CROWD];
static size_t came;
static struct visitor *taken_order[CROWD];
static size_t taken;

static void start(struct rate_limit limit)
{
    stats = (struct admission_stats){0};
    admission_init(&a, limit, &stats);
    came = taken = 0;
}

static struct visitor *visitor_of(struct admission_wait *w)
{
    return CONTAINER_OF(w, struct visitor, wait);
}

static void end(struct visitor *v, enum admission_verdict verdict, int64_t now)
{
    v->verdict = verdict;
    v->went_ms = now;
    if (verdict == ADMISSION_IN)
        taken_order[taken++] = v;
}

static struct visitor *come(enum admission_rank rank, int64_t now)
{
    struct visitor *v = &crowd[came++];
    struct admission_wait *pushed;
    *v = (struct visitor){.rank = rank, .came_ms = now};
    end(v, admission_ask(&a, &v->wait, rank, now, &pushed), now);
    if (pushed != NULL) {
        assert_int_equal(visitor_of(pushed)->rank, ADMISSION_NEW);
        visitor_of(pushed)->pushed = true;
        end(visitor_of(pushed), ADMISSION_OUT, now);
    }
    return v;
}

static void advance(int64_t now)
{
    bool in;
    for (struct admission_wait *w; (w = admission_next(&a, now, &in)) != NULL;)
        end(visitor_of(w), in ? ADMISSION_IN : ADMISSION_OUT, now);
}

static void who_cannot_be_taken_at_once_waits_for_a_token(void **state)
{
    (void)state;
    start(ten);
    assert_int_equal(admission_due(&a, 0), INT64_MAX);
    assert_int_equal(come(ADMISSION_NEW, 0)->verdict, ADMISSION_IN);
    assert_int_equal(come(ADMISSION_NEW, 0)->verdict, ADMISSION_IN);
    struct visitor *third = come(ADMISSION_NEW, 0);
    assert_int_equal(third->verdict, ADMISSION_HELD);
    assert_int_equal(stats.held_now, 1);
    assert_int_equal(admission_due(&a, 0), 100);
    advance(99);
    assert_int_equal(third->verdict, ADMISSION_HELD);
    advance(100);
    assert_int_equal(third->verdict, ADMISSION_IN);
    assert_int_equal(stats.held_now, 0);
    assert_int_equal(stats.at_once, 2);
    assert_int_equal(stats.after_wait, 1);
    assert_int_equal(stats.waited.count, 1);
    assert_int_equal(stats.waited.sum_us, 100000);
}

static void nobody_overtakes_those_of_his_rank(void **state)
{
    (void)state;
    start(ten);
    for (int i = 0; i < 12; i++)
        (void)come(ADMISSION_NEW, 0);
    advance(100);
    assert_int_equal(come(ADMISSION_NEW, 200)->verdict, ADMISSION_HELD); /* a token is there */
    for (int64_t now = 200; now <= 1100; now += 10)
        advance(now);
    assert_int_equal(taken, 13);
    for (size_t i = 0; i < taken; i++)
        assert_ptr_equal(taken_order[i], &crowd[i]);
}

static void known_sessions_go_first(void **state)
{
    (void)state;
    start(ten);
    for (int i = 0; i < 2 + 10; i++)
        (void)come(ADMISSION_NEW, 0);
    struct visitor *known = come(ADMISSION_KNOWN, 0);
    advance(100);
    assert_int_equal(known->verdict, ADMISSION_IN);
    assert_int_equal(crowd[2].verdict, ADMISSION_HELD);
}

static void no_more_wait_than_can_be_taken_in_time(void **state)
{
    (void)state;
    start(ten);
    for (int i = 0; i < 100; i++)
        (void)come(ADMISSION_NEW, 0);
    assert_int_equal(stats.at_once, 2);
    assert_int_equal(stats.held_now, 30);
    assert_int_equal(stats.refused, 68);
    assert_int_equal(admission_backlog_ms(&a, 0), 100 + 3000);
    for (int64_t now = 0; now <= ADMISSION_HOLD_MS; now += 10)
        advance(now);
    assert_int_equal(stats.after_wait, 30);
    assert_int_equal(stats.refused, 68);
}

static void a_known_session_takes_the_place_of_the_last_newcomer(void **state)
{
    (void)state;
    start(ten);
    for (int i = 0; i < 32; i++)
        (void)come(ADMISSION_NEW, 0);
    assert_int_equal(come(ADMISSION_KNOWN, 0)->verdict, ADMISSION_HELD);
    assert_true(crowd[31].pushed);
    assert_int_equal(stats.held_now, 30);
    for (int i = 0; i < 26; i++)
        assert_int_equal(come(ADMISSION_KNOWN, 0)->verdict, ADMISSION_HELD);
    /* A tenth of the places is not theirs. */
    assert_int_equal(come(ADMISSION_KNOWN, 0)->verdict, ADMISSION_OUT);
    assert_int_equal(a.counts[ADMISSION_NEW], 3);
    assert_int_equal(stats.held_now, 30);
}

static void one_that_leaves_costs_no_token(void **state)
{
    (void)state;
    start(ten);
    for (int i = 0; i < 4; i++)
        (void)come(ADMISSION_NEW, 0);
    admission_leave(&a, &crowd[2].wait);
    admission_leave(&a, &crowd[2].wait);
    assert_int_equal(stats.held_now, 1);
    advance(100);
    assert_int_equal(crowd[3].verdict, ADMISSION_IN);
    assert_int_equal(stats.refused, 0);
}

static void those_who_are_not_asked_owe_their_tokens_within_bounds(void **state)
{
    (void)state;
    start(ten);
    for (int i = 0; i < 5000; i++)
        admission_count(&a, 0);
    assert_int_equal(stats.uninvited, 5000);
    assert_int_equal(come(ADMISSION_NEW, 0)->verdict, ADMISSION_HELD);
    assert_int_equal(admission_due(&a, 0), ADMISSION_DEBT_MS + 100);
    advance(ADMISSION_DEBT_MS + 90);
    assert_int_equal(crowd[0].verdict, ADMISSION_HELD);
    advance(ADMISSION_DEBT_MS + 100);
    assert_int_equal(crowd[0].verdict, ADMISSION_IN);
}

static void whose_time_is_over_is_refused(void **state)
{
    (void)state;
    start(ten);
    for (int i = 0; i < 3; i++)
        (void)come(ADMISSION_NEW, 0);
    for (int64_t now = 0; now < ADMISSION_HOLD_MS; now += 100) {
        assert_true(admission_due(&a, now) <= ADMISSION_HOLD_MS);
        admission_count(&a, now);
        advance(now);
    }
    assert_int_equal(crowd[2].verdict, ADMISSION_HELD);
    admission_count(&a, ADMISSION_HOLD_MS);
    assert_int_equal(admission_due(&a, ADMISSION_HOLD_MS), ADMISSION_HOLD_MS);
    advance(ADMISSION_HOLD_MS);
    assert_int_equal(crowd[2].verdict, ADMISSION_OUT);
    assert_int_equal(stats.refused, 1);
    assert_int_equal(stats.held_now, 0);
}

static void all_that_wait_can_be_refused(void **state)
{
    (void)state;
    start(ten);
    for (int i = 0; i < 6; i++)
        (void)come(i % 2 ? ADMISSION_NEW : ADMISSION_KNOWN, 0);
    size_t count = 0;
    while (admission_dismiss(&a) != NULL)
        count++;
    assert_int_equal(count, 4);
    assert_int_equal(stats.refused, 4);
    assert_int_equal(admission_due(&a, 0), INT64_MAX);
}

static void without_a_limit_all_come_in(void **state)
{
    (void)state;
    start((struct rate_limit){0});
    for (int i = 0; i < 5000; i++)
        assert_int_equal(come(ADMISSION_NEW, 0)->verdict, ADMISSION_IN);
    start(ten);
    for (int i = 0; i < 10; i++)
        (void)come(ADMISSION_NEW, 0);
    admission_limit(&a, (struct rate_limit){0}); /* taken away while some wait */
    assert_int_equal(admission_due(&a, 0), 0);
    advance(0);
    assert_int_equal(taken, 10);
}

/* ---- a crowd: arrivals at random, some of whom go away, some of whom nobody asked */

/* The tokens that may have been given by `now`. */
static uint64_t budget(const struct rate_limit *limit, int64_t now)
{
    return limit->burst + (uint64_t)limit->per_s * (uint64_t)now / 1000;
}

static void check_order(void)
{
    const struct visitor *last[ADMISSION_RANKS] = {NULL};
    for (size_t i = 0; i < taken; i++) {
        const struct visitor *v = taken_order[i];
        assert_true(last[v->rank] == NULL || last[v->rank] < v);
        last[v->rank] = v;
    }
}

static void check_times(void)
{
    for (size_t i = 0; i < came; i++) {
        const struct visitor *v = &crowd[i];
        assert_int_not_equal(v->verdict, ADMISSION_HELD);
        assert_true(v->went_ms - v->came_ms <= ADMISSION_HOLD_MS + 10);
    }
}

static double mean_wait(enum admission_rank rank)
{
    double sum = 0, count = 0;
    for (size_t i = 0; i < taken; i++) {
        if (taken_order[i]->rank != rank)
            continue;
        sum += (double)(taken_order[i]->went_ms - taken_order[i]->came_ms);
        count++;
    }
    assert_true(count > 0);
    return sum / count;
}

/* How many of a rank were taken in each second: the fewest. */
static size_t fewest_a_second(enum admission_rank rank, int64_t from_s, int64_t to_s)
{
    size_t fewest = SIZE_MAX;
    for (int64_t s = from_s; s < to_s; s++) {
        size_t count = 0;
        for (size_t i = 0; i < taken; i++)
            count += taken_order[i]->rank == rank && taken_order[i]->went_ms / 1000 == s;
        fewest = count < fewest ? count : fewest;
    }
    return fewest;
}

enum { STORM_S = 10, STEP_MS = 10 };
static const struct rate_limit storm_limit = {.per_s = 500, .burst = 500};

/* Three times the rate; of `out_of` one is known. */
static void storm(uint64_t out_of)
{
    enum { PER_STEP = 15 };
    struct rng rng;
    int64_t now;
    start(storm_limit);
    rng_seed(&rng, 1);
    for (now = 0; now < STORM_S * 1000; now += STEP_MS) {
        for (int i = 0; i < PER_STEP; i++)
            (void)come(rng_below(&rng, out_of) ? ADMISSION_NEW : ADMISSION_KNOWN, now);
        advance(now);
        assert_true(taken <= budget(&storm_limit, now));
        /* Nothing is left over while somebody waits. */
        assert_true(stats.held_now == 0 || taken >= budget(&storm_limit, now) - 1);
        assert_true(stats.held_now <= storm_limit.per_s * ADMISSION_HOLD_MS / 1000);
        assert_int_equal(stats.held_now + taken + stats.refused, came);
    }
    for (; stats.held_now > 0; now += STEP_MS)
        advance(now);
    check_order();
    check_times();
}

static void in_a_storm_known_sessions_hardly_wait(void **state)
{
    (void)state;
    storm(4);
    assert_true(mean_wait(ADMISSION_KNOWN) < 30);
    assert_true(mean_wait(ADMISSION_NEW) > 1000);
    for (size_t i = 0; i < came; i++)
        assert_true(crowd[i].rank == ADMISSION_NEW || crowd[i].verdict == ADMISSION_IN);
}

static void nobody_starves_behind_more_known_sessions_than_the_rate(void **state)
{
    (void)state;
    storm(2);
    /* Of each second's 500 a tenth is newcomers'. */
    assert_true(fewest_a_second(ADMISSION_NEW, 1, STORM_S) >= 45);
    assert_true(fewest_a_second(ADMISSION_KNOWN, 1, STORM_S) >= 445);
}

static void all_of_a_drop_are_back_within_its_size_over_the_rate(void **state)
{
    /* 5 000 at once, who come again 3, 3.9, 5.07 … s later as long as they are refused. */
    enum { CLIENTS = 5000 };
    static int64_t next_ms[CLIENTS], delay_ms[CLIENTS];
    static struct visitor *tries[CLIENTS];
    int64_t now;
    (void)state;
    start(storm_limit);
    for (int i = 0; i < CLIENTS; i++) {
        next_ms[i] = delay_ms[i] = 3000;
        tries[i] = NULL;
    }
    for (now = 3000; taken < CLIENTS && now < 30000; now += STEP_MS) {
        for (int i = 0; i < CLIENTS; i++) {
            if (tries[i] != NULL && tries[i]->verdict == ADMISSION_OUT) {
                delay_ms[i] = delay_ms[i] * 13 / 10;
                next_ms[i] = tries[i]->went_ms + delay_ms[i];
                tries[i] = NULL;
            }
            if (tries[i] == NULL && now >= next_ms[i])
                tries[i] = come(ADMISSION_KNOWN, now);
        }
        advance(now);
    }
    assert_int_equal(taken, CLIENTS);
    assert_true(now < 15000);
}

static void late_looks_give_what_came_meanwhile_and_no_more(void **state)
{
    struct rng rng;
    int64_t now = 0;
    (void)state;
    start(ten);
    rng_seed(&rng, 2);
    while (came < CROWD - 10) {
        now += (int64_t)rng_below(&rng, 700);
        for (uint64_t i = rng_below(&rng, 10); i > 0; i--)
            (void)come(rng_below(&rng, 3) ? ADMISSION_NEW : ADMISSION_KNOWN, now);
        if (came > 5 && rng_below(&rng, 4) == 0) {
            struct visitor *v = &crowd[came - 1 - rng_below(&rng, 5)];
            if (v->verdict == ADMISSION_HELD)
                end(v, ADMISSION_OUT, now);
            admission_leave(&a, &v->wait);
        }
        advance(now);
        assert_true(taken <= budget(&ten, now));
        assert_int_equal(stats.at_once + stats.after_wait, taken);
    }
    check_order();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_cannot_be_taken_at_once_waits_for_a_token),
        cmocka_unit_test(nobody_overtakes_those_of_his_rank),
        cmocka_unit_test(known_sessions_go_first),
        cmocka_unit_test(no_more_wait_than_can_be_taken_in_time),
        cmocka_unit_test(a_known_session_takes_the_place_of_the_last_newcomer),
        cmocka_unit_test(one_that_leaves_costs_no_token),
        cmocka_unit_test(those_who_are_not_asked_owe_their_tokens_within_bounds),
        cmocka_unit_test(whose_time_is_over_is_refused),
        cmocka_unit_test(all_that_wait_can_be_refused),
        cmocka_unit_test(without_a_limit_all_come_in),
        cmocka_unit_test(in_a_storm_known_sessions_hardly_wait),
        cmocka_unit_test(nobody_starves_behind_more_known_sessions_than_the_rate),
        cmocka_unit_test(all_of_a_drop_are_back_within_its_size_over_the_rate),
        cmocka_unit_test(late_looks_give_what_came_meanwhile_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
