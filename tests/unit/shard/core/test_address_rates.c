/* Who may connect how often, by address. */
#include "shard/core/address_rates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const struct rate_limit limit = {.per_s = 10, .burst = 3};

static struct addr addr(const char *text)
{
    struct addr a;
    assert_int_equal(addr_parse(span_str(text), &a), ERR_OK);
    return a;
}

static bool take(struct address_rates *a, const char *text, int64_t now)
{
    struct addr client = addr(text);
    int64_t wait_ms;
    return address_rates_take(a, &client, now, &wait_ms);
}

static void each_address_has_its_own_bucket(void **state)
{
    struct address_rates a;
    (void)state;
    address_rates_init(&a, limit, 100);
    for (int i = 0; i < 3; i++)
        assert_true(take(&a, "192.0.2.1", 0));
    assert_false(take(&a, "192.0.2.1", 0));
    assert_true(take(&a, "192.0.2.2", 0));
    assert_true(take(&a, "192.0.2.1", 100));
    assert_false(take(&a, "192.0.2.1", 100));
    address_rates_clear(&a);
}

static void a_refusal_says_when_to_come_again(void **state)
{
    struct address_rates a;
    struct addr client = addr("192.0.2.1");
    int64_t wait_ms = 7;
    (void)state;
    address_rates_init(&a, limit, 100);
    for (int i = 0; i < 3; i++)
        assert_true(address_rates_take(&a, &client, 0, &wait_ms));
    assert_int_equal(wait_ms, 0);
    assert_false(address_rates_take(&a, &client, 40, &wait_ms));
    assert_int_equal(wait_ms, 60);
    address_rates_clear(&a);
}

static void neighbours_in_a_64_share_and_ipv4_addresses_do_not(void **state)
{
    struct address_rates a;
    (void)state;
    address_rates_init(&a, limit, 100);
    assert_true(take(&a, "2001:db8:0:1::1", 0));
    assert_true(take(&a, "2001:db8:0:1::2", 0));
    assert_true(take(&a, "2001:db8:0:1:ffff::", 0));
    assert_false(take(&a, "2001:db8:0:1::3", 0));
    assert_true(take(&a, "2001:db8:0:2::3", 0));
    assert_int_equal(address_rates_count(&a), 2);
    assert_true(take(&a, "::ffff:192.0.2.1", 0));
    assert_true(take(&a, "192.0.2.1", 0));
    assert_true(take(&a, "192.0.2.2", 0));
    assert_int_equal(address_rates_count(&a), 4);
    address_rates_clear(&a);
}

static void whose_bucket_is_full_again_is_forgotten(void **state)
{
    struct address_rates a;
    char text[32];
    (void)state;
    address_rates_init(&a, limit, 100);
    for (int i = 0; i < 50; i++) {
        (void)snprintf(text, sizeof text, "192.0.2.%d", i);
        assert_true(take(&a, text, 0));
    }
    assert_int_equal(address_rates_count(&a), 50);
    assert_true(take(&a, "198.51.100.1", 99)); /* 1 ms early */
    assert_int_equal(address_rates_count(&a), 51);
    for (int i = 0; i < 50; i++)
        (void)take(&a, "198.51.100.1", 100);
    assert_int_equal(address_rates_count(&a), 1);
    address_rates_clear(&a);
}

static void the_oldest_goes_when_the_table_is_full(void **state)
{
    struct address_rates a;
    char text[32];
    (void)state;
    address_rates_init(&a, limit, 10);
    for (int i = 0; i < 3; i++)
        assert_true(take(&a, "203.0.113.1", 0));
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(text, sizeof text, "10.0.%d.%d", i / 200, i % 200);
        assert_true(take(&a, text, 0));
        assert_true(address_rates_count(&a) <= 10);
        assert_false(take(&a, "203.0.113.1", 0)); /* who goes on trying is not forgotten */
    }
    address_rates_clear(&a);
}

static void without_a_limit_nobody_is_remembered(void **state)
{
    struct address_rates a;
    (void)state;
    address_rates_init(&a, limit, 10);
    assert_true(take(&a, "203.0.113.1", 0));
    address_rates_limit(&a, (struct rate_limit){0});
    assert_int_equal(address_rates_count(&a), 0);
    for (int i = 0; i < 1000; i++)
        assert_true(take(&a, "203.0.113.1", 0));
    assert_int_equal(address_rates_count(&a), 0);
    address_rates_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_has_its_own_bucket),
        cmocka_unit_test(a_refusal_says_when_to_come_again),
        cmocka_unit_test(neighbours_in_a_64_share_and_ipv4_addresses_do_not),
        cmocka_unit_test(whose_bucket_is_full_again_is_forgotten),
        cmocka_unit_test(the_oldest_goes_when_the_table_is_full),
        cmocka_unit_test(without_a_limit_nobody_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
