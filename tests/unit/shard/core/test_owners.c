/* What is remembered of the owners of others' shards, and for how long. */
#include "shard/core/owners.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void put(struct owners *o, const char *shard, const char *node, int64_t epoch, int64_t now)
{
    owners_put(o, span_str(shard), span_str(node), SPAN("http://n"), epoch, now);
}

static const char *get(struct owners *o, const char *shard, int64_t epoch, int64_t now)
{
    static char text[64];
    const struct owner *one = owners_get(o, span_str(shard), epoch, now);
    if (one == NULL)
        return "";
    (void)snprintf(text, sizeof text, "%.*s at %.*s", SPAN_ARG(one->node), SPAN_ARG(one->url));
    return text;
}

static void an_owner_is_known_for_a_while(void **state)
{
    struct owners o = {0};
    (void)state;
    assert_string_equal(get(&o, "s", 1, 0), "");
    put(&o, "s", "a", 1, 0);
    assert_string_equal(get(&o, "s", 1, OWNERS_KEEP_MS - 1), "a at http://n");
    assert_string_equal(get(&o, "s", 1, OWNERS_KEEP_MS), "");
    assert_int_equal(o.by_shard.count, 0);
    owners_clear(&o);
}

static void a_later_answer_of_the_world_counts(void **state)
{
    struct owners o = {0};
    (void)state;
    put(&o, "s", "a", 5, 0);
    put(&o, "s", "b", 4, 0); /* an earlier world's answer that was slow */
    assert_string_equal(get(&o, "s", 5, 0), "a at http://n");
    put(&o, "s", "c", 5, 0);
    assert_string_equal(get(&o, "s", 5, 0), "c at http://n");
    put(&o, "s", "d", 6, 0);
    assert_string_equal(get(&o, "s", 6, 0), "d at http://n");
    assert_string_equal(get(&o, "s", 7, 0), ""); /* the world has changed since */
    owners_clear(&o);
}

static void what_was_misplaced_is_forgotten(void **state)
{
    struct owners o = {0};
    (void)state;
    put(&o, "s", "a", 1, 0);
    put(&o, "t", "a", 1, 0);
    owners_forget(&o, SPAN("s"));
    owners_forget(&o, SPAN("never heard of"));
    assert_string_equal(get(&o, "s", 1, 0), "");
    assert_string_equal(get(&o, "t", 1, 0), "a at http://n");
    owners_clear(&o);
}

static void the_longest_unused_makes_room(void **state)
{
    struct owners o = {0};
    char name[32];
    (void)state;
    put(&o, "first", "a", 1, 0);
    put(&o, "second", "a", 1, 0);
    for (int i = 2; i < OWNERS_MAX; i++) {
        (void)snprintf(name, sizeof name, "s%d", i);
        put(&o, name, "a", 1, 0);
    }
    assert_string_not_equal(get(&o, "first", 1, 1), "");
    put(&o, "one too many", "a", 1, 1);
    assert_int_equal(o.by_shard.count, OWNERS_MAX);
    assert_string_equal(get(&o, "second", 1, 1), "");
    assert_string_not_equal(get(&o, "first", 1, 1), "");
    owners_clear(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_owner_is_known_for_a_while),
        cmocka_unit_test(a_later_answer_of_the_world_counts),
        cmocka_unit_test(what_was_misplaced_is_forgotten),
        cmocka_unit_test(the_longest_unused_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
