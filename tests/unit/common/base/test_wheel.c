#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "common/base/rng.h"
#include "common/base/wheel.h"

enum { REVOLUTION_MS = WHEEL_TICK_MS * WHEEL_SLOTS, RANDOM_TIMERS = 300 };

struct probe {
    struct timer timer;
    struct wheel *wheel;
    int fired;
    int64_t fired_at;
    struct timer *victim; /* what `fire` works on */
    int64_t again_in;
};

static struct probe *probe_of(struct timer *t)
{
    return CONTAINER_OF(t, struct probe, timer);
}

static void note(struct timer *t, int64_t now)
{
    assert_false(timer_is_set(t));
    assert_true(now >= t->due_ms);
    probe_of(t)->fired++;
    probe_of(t)->fired_at = now;
}

static void note_and_cancel(struct timer *t, int64_t now)
{
    note(t, now);
    wheel_cancel(probe_of(t)->wheel, probe_of(t)->victim);
}

static void note_and_repeat(struct timer *t, int64_t now)
{
    note(t, now);
    wheel_set(probe_of(t)->wheel, t, now + probe_of(t)->again_in);
}

static void note_and_move(struct timer *t, int64_t now)
{
    note(t, now);
    wheel_set(probe_of(t)->wheel, probe_of(t)->victim, now + 500);
}

static void free_both(struct timer *t, int64_t now)
{
    (void)now;
    struct probe *other = probe_of(probe_of(t)->victim);
    wheel_cancel(probe_of(t)->wheel, &other->timer);
    free(other);
    free(probe_of(t));
}

static struct wheel *new_wheel(int64_t now)
{
    struct wheel *w = malloc(sizeof *w);
    assert_non_null(w);
    wheel_init(w, now);
    return w;
}

static void a_timer_fires_once_and_never_early(void **state)
{
    static const int64_t delays[] = {0,    1,     9,     10,    11,     99,
                                     1234, 10239, 10240, 10241, 123456, 86400000};
    (void)state;
    for (int64_t start = 1000; start < 1010; start++) {
        for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
            struct wheel *w = new_wheel(start);
            struct probe p = {.timer.fire = note};
            int64_t due = start + delays[i];
            wheel_set(w, &p.timer, due);
            assert_true(timer_is_set(&p.timer));
            if (due > start)
                wheel_advance(w, due - 1);
            assert_int_equal(p.fired, 0);
            wheel_advance(w, due + WHEEL_TICK_MS - 1);
            assert_int_equal(p.fired, 1);
            wheel_advance(w, due + 3 * (int64_t)REVOLUTION_MS);
            assert_int_equal(p.fired, 1);
            assert_int_equal(w->count, 0);
            free(w);
        }
    }
}

static void a_timer_of_the_past_fires_at_the_next_advance(void **state)
{
    (void)state;
    struct wheel *w = new_wheel(5003);
    struct probe p = {.timer.fire = note};
    wheel_advance(w, 5003);
    wheel_set(w, &p.timer, 17);
    assert_true(wheel_next_ms(w) <= 5003);
    wheel_advance(w, 5003);
    assert_int_equal(p.fired, 1);
    wheel_set(w, &p.timer, -25);
    wheel_advance(w, 5003);
    assert_int_equal(p.fired, 2);
    free(w);
}

static void setting_again_moves_the_timer(void **state)
{
    (void)state;
    struct wheel *w = new_wheel(0);
    struct probe p = {.timer.fire = note};
    wheel_set(w, &p.timer, 100);
    wheel_set(w, &p.timer, 300);
    assert_int_equal(w->count, 1);
    wheel_advance(w, 200);
    assert_int_equal(p.fired, 0);
    wheel_advance(w, 300);
    assert_int_equal(p.fired, 1);
    free(w);
}

static void a_cancelled_timer_does_not_fire(void **state)
{
    (void)state;
    struct wheel *w = new_wheel(0);
    struct probe p = {.timer.fire = note}, never = {.timer.fire = note};
    wheel_set(w, &p.timer, 100);
    wheel_cancel(w, &p.timer);
    wheel_cancel(w, &p.timer);
    wheel_cancel(w, &never.timer);
    assert_false(timer_is_set(&p.timer));
    assert_int_equal(w->count, 0);
    assert_true(wheel_next_ms(w) == INT64_MAX);
    wheel_advance(w, 1000);
    assert_int_equal(p.fired, 0);
    free(w);
}

static void a_timer_can_cancel_another_that_is_due_with_it(void **state)
{
    (void)state;
    struct wheel *w = new_wheel(0);
    struct probe second = {.timer.fire = note};
    struct probe first = {.timer.fire = note_and_cancel, .wheel = w, .victim = &second.timer};
    wheel_set(w, &first.timer, 100);
    wheel_set(w, &second.timer, 100);
    wheel_advance(w, 5000);
    assert_int_equal(first.fired, 1);
    assert_int_equal(second.fired, 0);
    assert_int_equal(w->count, 0);
    free(w);
}

static void a_timer_can_move_another_that_is_due_with_it(void **state)
{
    (void)state;
    struct wheel *w = new_wheel(0);
    struct probe second = {.timer.fire = note};
    struct probe first = {.timer.fire = note_and_move, .wheel = w, .victim = &second.timer};
    wheel_set(w, &first.timer, 100);
    wheel_set(w, &second.timer, 100);
    wheel_advance(w, 100);
    assert_int_equal(second.fired, 0);
    assert_true(timer_is_set(&second.timer));
    wheel_advance(w, 600);
    assert_int_equal(second.fired, 1);
    free(w);
}

static void a_timer_can_free_itself_and_another(void **state)
{
    (void)state;
    struct wheel *w = new_wheel(0);
    struct probe *first = calloc(1, sizeof *first), *second = calloc(1, sizeof *second);
    assert_non_null(first);
    assert_non_null(second);
    *first = (struct probe){.timer.fire = free_both, .wheel = w, .victim = &second->timer};
    *second = (struct probe){.timer.fire = free_both, .wheel = w, .victim = &first->timer};
    wheel_set(w, &first->timer, 100);
    wheel_set(w, &second->timer, 100);
    wheel_advance(w, 100);
    assert_int_equal(w->count, 0);
    free(w);
}

static void a_timer_set_while_firing_waits_for_the_next_advance(void **state)
{
    (void)state;
    static const int64_t again[] = {-1000, 0, 1};
    for (size_t i = 0; i < sizeof again / sizeof *again; i++) {
        struct wheel *w = new_wheel(0);
        struct probe p = {.timer.fire = note_and_repeat, .wheel = w, .again_in = again[i]};
        wheel_set(w, &p.timer, 50);
        wheel_advance(w, 100);
        assert_int_equal(p.fired, 1);
        assert_true(timer_is_set(&p.timer));
        assert_true(wheel_next_ms(w) <= 110);
        wheel_advance(w, 110);
        assert_int_equal(p.fired, 2);
        free(w);
    }
}

static void a_long_sleep_costs_one_revolution(void **state)
{
    (void)state;
    struct wheel *w = new_wheel(0);
    struct probe soon = {.timer.fire = note}, far = {.timer.fire = note};
    int64_t year_ms = INT64_C(365) * 86400000;
    wheel_set(w, &soon.timer, 20);
    wheel_set(w, &far.timer, 1000 * year_ms + 50);
    wheel_advance(w, 1000 * year_ms); /* would take hours tick by tick */
    assert_int_equal(soon.fired, 1);
    assert_int_equal(far.fired, 0);
    wheel_advance(w, 1000 * year_ms + 50);
    assert_int_equal(far.fired, 1);
    free(w);
}

static void a_clock_that_stands_or_goes_back_does_no_harm(void **state)
{
    (void)state;
    struct wheel *w = new_wheel(10000);
    struct probe p = {.timer.fire = note};
    wheel_set(w, &p.timer, 10100);
    wheel_advance(w, 10050);
    wheel_advance(w, 10050);
    wheel_advance(w, 9000);
    assert_int_equal(p.fired, 0);
    wheel_advance(w, 10100);
    assert_int_equal(p.fired, 1);
    free(w);
}

static void no_timer_means_no_next_time(void **state)
{
    (void)state;
    struct wheel *w = new_wheel(123);
    assert_true(wheel_next_ms(w) == INT64_MAX);
    free(w);
}

static void the_next_time_is_that_of_the_earliest_timer_left(void **state)
{
    (void)state;
    for (int64_t start = 0; start < REVOLUTION_MS; start += 370) {
        struct wheel *w = new_wheel(start);
        struct probe a = {.timer.fire = note}, b = {.timer.fire = note}, c = {.timer.fire = note};
        wheel_set(w, &a.timer, start + 55);
        wheel_set(w, &b.timer, start + 5000);
        wheel_set(w, &c.timer, start + REVOLUTION_MS - 20);
        assert_in_range(wheel_next_ms(w), start + 55, start + 64);
        wheel_cancel(w, &a.timer);
        assert_in_range(wheel_next_ms(w), start + 5000, start + 5009);
        wheel_set(w, &b.timer, start + 6000);
        assert_in_range(wheel_next_ms(w), start + 6000, start + 6009);
        wheel_advance(w, start + 6009);
        assert_int_equal(b.fired, 1);
        assert_in_range(wheel_next_ms(w), start + REVOLUTION_MS - 20, start + REVOLUTION_MS - 11);
        free(w);
    }
}

/* Sleeping until wheel_next_ms each time must fire everything within its tick. */
static void assert_sleeper_is_never_late(uint64_t seed)
{
    struct rng rng;
    rng_seed(&rng, seed);
    int64_t now = (int64_t)rng_below(&rng, 100000);
    struct wheel *w = new_wheel(now);
    struct probe *probes = calloc(RANDOM_TIMERS, sizeof *probes);
    assert_non_null(probes);
    for (size_t i = 0; i < RANDOM_TIMERS; i++) {
        probes[i].timer.fire = note;
        wheel_set(w, &probes[i].timer, now + (int64_t)rng_below(&rng, (uint64_t)4 * REVOLUTION_MS));
    }
    for (size_t i = 0; i < RANDOM_TIMERS; i += 3)
        wheel_cancel(w, &probes[i].timer);
    size_t wakes = 0;
    while (w->count > 0) {
        int64_t next = wheel_next_ms(w);
        now = next > now ? next : now + 1;
        wheel_advance(w, now);
        assert_true(++wakes < (size_t)10 * RANDOM_TIMERS);
    }
    for (size_t i = 0; i < RANDOM_TIMERS; i++) {
        assert_int_equal(probes[i].fired, i % 3 != 0);
        if (probes[i].fired)
            assert_in_range(probes[i].fired_at - probes[i].timer.due_ms, 0, WHEEL_TICK_MS - 1);
    }
    free(probes);
    free(w);
}

static void the_next_time_is_never_too_late(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++)
        assert_sleeper_is_never_late(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_fires_once_and_never_early),
        cmocka_unit_test(a_timer_of_the_past_fires_at_the_next_advance),
        cmocka_unit_test(setting_again_moves_the_timer),
        cmocka_unit_test(a_cancelled_timer_does_not_fire),
        cmocka_unit_test(a_timer_can_cancel_another_that_is_due_with_it),
        cmocka_unit_test(a_timer_can_move_another_that_is_due_with_it),
        cmocka_unit_test(a_timer_can_free_itself_and_another),
        cmocka_unit_test(a_timer_set_while_firing_waits_for_the_next_advance),
        cmocka_unit_test(a_long_sleep_costs_one_revolution),
        cmocka_unit_test(a_clock_that_stands_or_goes_back_does_no_harm),
        cmocka_unit_test(no_timer_means_no_next_time),
        cmocka_unit_test(the_next_time_is_that_of_the_earliest_timer_left),
        cmocka_unit_test(the_next_time_is_never_too_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
