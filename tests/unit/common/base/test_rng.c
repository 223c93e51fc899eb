#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/rng.h"

static void a_seed_repeats_its_numbers(void **state)
{
    (void)state;
    struct rng a, b, c;
    rng_seed(&a, 7);
    rng_seed(&b, 7);
    rng_seed(&c, 8);
    bool differs = false;
    for (int i = 0; i < 100; i++) {
        uint64_t n = rng_next(&a);
        assert_true(n == rng_next(&b));
        differs = differs || n != rng_next(&c);
    }
    assert_true(differs);
}

/* The first outputs of the reference implementation for the state 1, 2, 3, 4. */
static void the_generator_is_xoshiro256_starstar(void **state)
{
    static const uint64_t want[] = {
        11520u, 0u, 1509978240u, 1215971899390074240u, 1216172134540287360u, 607988272756665600u};
    (void)state;
    struct rng r = {.state = {1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_true(rng_next(&r) == want[i]);
}

static void numbers_below_a_bound_reach_all_of_it_evenly(void **state)
{
    enum { BOUND = 7, DRAWS = 70000 };
    (void)state;
    struct rng r;
    size_t seen[BOUND] = {0};
    rng_seed(&r, 3);
    for (int i = 0; i < DRAWS; i++) {
        uint64_t n = rng_below(&r, BOUND);
        assert_true(n < BOUND);
        seen[n]++;
    }
    for (size_t i = 0; i < BOUND; i++)
        assert_in_range(seen[i], 9500, 10500);
}

static void the_extreme_bounds_work(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 3);
    for (int i = 0; i < 100; i++) {
        assert_true(rng_below(&r, 1) == 0);
        assert_true(rng_below(&r, UINT64_MAX) < UINT64_MAX);
        assert_true(rng_below(&r, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
    }
}

static void names_are_letters_and_digits(void **state)
{
    (void)state;
    struct rng r;
    char text[4097];
    rng_seed(&r, 1);
    memset(text, '#', sizeof text);
    rng_alnum(&r, text, sizeof text - 1);
    bool seen[256] = {false};
    size_t kinds = 0;
    for (size_t i = 0; i < sizeof text - 1; i++) {
        unsigned char c = (unsigned char)text[i];
        assert_true(isalnum(c));
        kinds += !seen[c];
        seen[c] = true;
    }
    assert_int_equal(kinds, 62);
    assert_int_equal(text[sizeof text - 1], '#');
}

static void two_generators_do_not_agree(void **state)
{
    (void)state;
    struct rng a, b;
    unsigned char x[32], y[32];
    rng_init(&a);
    rng_init(&b);
    rng_bytes(x, sizeof x);
    rng_bytes(y, sizeof y);
    assert_memory_not_equal(&a, &b, sizeof a);
    assert_memory_not_equal(x, y, sizeof x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_repeats_its_numbers),
        cmocka_unit_test(the_generator_is_xoshiro256_starstar),
        cmocka_unit_test(numbers_below_a_bound_reach_all_of_it_evenly),
        cmocka_unit_test(the_extreme_bounds_work),
        cmocka_unit_test(names_are_letters_and_digits),
        cmocka_unit_test(two_generators_do_not_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
