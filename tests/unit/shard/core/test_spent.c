#include "shard/core/spent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define A SPAN("aaaaaaaaaaaaaaaa")
#define B SPAN("aaaaaaaaaaaaaaab")
#define C SPAN("aaaaaaaa\0aaaaaaa")

static struct spent spent;

static void a_ticket_is_used_once(void **state)
{
    (void)state;
    spent_init(&spent, 10, 1000);
    assert_int_equal(spent_look(&spent, A, 1000), SPENT_FRESH);
    assert_int_equal(spent_look(&spent, A, 1000), SPENT_FRESH); /* a look spends nothing */
    spent_add(&spent, A, 5000);
    assert_int_equal(spent_look(&spent, A, 1000), SPENT_USED);
    assert_int_equal(spent_look(&spent, B, 1000), SPENT_FRESH);
    spent_add(&spent, C, 5000);
    assert_int_equal(spent_look(&spent, C, 1000), SPENT_USED);
    spent_clear(&spent);
}

static void it_is_remembered_until_its_end(void **state)
{
    (void)state;
    spent_init(&spent, 10, 1000);
    spent_add(&spent, A, 5000);
    spent_add(&spent, B, 100000); /* some time: more than once around the wheel */
    assert_int_equal(spent_look(&spent, A, 4999), SPENT_USED);
    assert_int_equal(spent_look(&spent, A, 5000 + WHEEL_TICK_MS), SPENT_FRESH);
    assert_int_equal(spent.by_nonce.count, 1);
    assert_int_equal(spent_look(&spent, B, 99999), SPENT_USED);
    assert_int_equal(spent_look(&spent, B, 100000 + WHEEL_TICK_MS), SPENT_FRESH);
    assert_int_equal(spent.by_nonce.count, 0);
    spent_add(&spent, A, 200000); /* it can be used anew: by then nobody takes it */
    assert_int_equal(spent_look(&spent, A, 150000), SPENT_USED);
    spent_clear(&spent);
}

static void when_it_is_full_nothing_is_taken_and_nothing_forgotten(void **state)
{
    (void)state;
    spent_init(&spent, 2, 1000);
    spent_add(&spent, A, 5000);
    spent_add(&spent, B, 6000);
    assert_int_equal(spent_look(&spent, C, 1000), SPENT_FULL);
    assert_int_equal(spent_look(&spent, A, 1000), SPENT_USED);
    assert_int_equal(spent_look(&spent, B, 1000), SPENT_USED);
    assert_int_equal(spent_look(&spent, C, 5000 + WHEEL_TICK_MS), SPENT_FRESH);
    spent_add(&spent, C, 9000);
    assert_int_equal(spent_look(&spent, A, 5000 + WHEEL_TICK_MS), SPENT_FULL);
    spent_clear(&spent);
}

static void many_come_and_go(void **state)
{
    (void)state;
    spent_init(&spent, 1000, 0);
    for (int64_t now = 0; now < 100000; now += 10) {
        const struct span nonce = span_of(&now, sizeof now);
        assert_int_equal(spent_look(&spent, nonce, now), SPENT_FRESH);
        spent_add(&spent, nonce, now + 5000);
        assert_true(spent.by_nonce.count <= 502);
    }
    spent_clear(&spent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_is_used_once),
        cmocka_unit_test(it_is_remembered_until_its_end),
        cmocka_unit_test(when_it_is_full_nothing_is_taken_and_nothing_forgotten),
        cmocka_unit_test(many_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
