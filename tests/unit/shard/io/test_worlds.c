/* Which world is asked, and what becomes of those that do not answer. */
#include "shard/io/worlds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/log.h"

static struct loop *loop;
static struct worlds worlds;

static void no_log(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static int setup(void **state)
{
    struct origins origins;
    struct span bad;
    (void)state;
    log_capture(no_log);
    loop = loop_new();
    assert_int_equal(origins_parse(&origins, SPAN("http://a:1,http://b:2,http://c:3"), &bad),
                     ERR_OK);
    worlds_init(&worlds, loop, &origins);
    return origins.count == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    worlds_clear(&worlds);
    loop_free(loop);
    return 0;
}

static void expect_next(struct worlds_walk *walk, const char *want)
{
    const struct upstream *w = worlds_next(&worlds, walk);
    if (want == NULL)
        assert_null(w);
    else
        assert_string_equal(w->origin->text, want);
}

static void world_that_answers_stays_the_present_one(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct worlds_walk walk = {0};
        expect_next(&walk, "a:1");
    }
    assert_int_equal(worlds.failures, 0);
}

static void world_that_failed_is_left_for_the_next(void **state)
{
    struct worlds_walk walk = {0}, later = {0};
    (void)state;
    expect_next(&walk, "a:1");
    expect_next(&walk, "b:2");
    assert_int_equal(worlds.failures, 1);
    expect_next(&later, "b:2");
}

static void every_world_is_tried_once(void **state)
{
    struct worlds_walk walk = {0}, later = {0};
    (void)state;
    expect_next(&walk, "a:1");
    expect_next(&walk, "b:2");
    expect_next(&walk, "c:3");
    expect_next(&walk, NULL);
    assert_int_equal(worlds.failures, 3);
    expect_next(&later, "a:1");
}

/* Many requests may be under way to a world when it dies: they must not walk past the next one. */
static void failures_of_one_world_count_as_one_step(void **state)
{
    struct worlds_walk one = {0}, two = {0}, later = {0};
    (void)state;
    expect_next(&one, "a:1");
    expect_next(&two, "a:1");
    expect_next(&one, "b:2");
    expect_next(&two, "b:2");
    expect_next(&later, "b:2");
}

static void world_that_answers_stays_the_present_one_when_another_is_asked(void **state)
{
    struct worlds_walk walk = {0}, later = {0};
    (void)state;
    expect_next(&walk, "a:1");
    assert_string_equal(worlds_other(&worlds, &walk)->origin->text, "b:2");
    assert_string_equal(worlds_other(&worlds, &walk)->origin->text, "c:3");
    assert_null(worlds_other(&worlds, &walk));
    assert_int_equal(worlds.failures, 0);
    expect_next(&later, "a:1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            world_that_answers_stays_the_present_one_when_another_is_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(world_that_answers_stays_the_present_one, setup, teardown),
        cmocka_unit_test_setup_teardown(world_that_failed_is_left_for_the_next, setup, teardown),
        cmocka_unit_test_setup_teardown(every_world_is_tried_once, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_of_one_world_count_as_one_step, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
