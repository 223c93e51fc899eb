#include "common/proto/shard_id.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *id, *room, *world; /* world NULL: none */
} ids[] = {
    {"lobby:world-eu:1700000000000-12", "lobby", "world-eu"},
    {"a:b:world-x:1700000000000-12", "a:b", "world-x"},
    {"a:b:world-x:1700000000000-0", "a:b", "world-x"},
    {"a:b:world-x:1700000000000-9999", "a:b", "world-x"},
    {":world-x:1700000000000-1", "", "world-x"},
    {"::world-x:1700000000000-1", ":", "world-x"},
    {"a:world-b:1700000000000-1:world-c:1700000000001-2", "a:world-b:1700000000000-1", "world-c"},
    {"room:world-nowhere:123", "room", "world-nowhere"},
    {"r::x", "r", ""},
    {"::", "", ""},
    {"", "", NULL},
    {":", "", NULL},
    {"id", "id", NULL},
    {"a:b", "a", NULL},
    {"x:1700000000000-1", "x", NULL},
    {"world-x:1700000000000-1", "world-x", NULL},
    /* Endings that are not ours: read from the left. */
    {"a:b:world-x:170000000000-12", "a", "b"},
    {"a:b:world-x:17000000000000-12", "a", "b"},
    {"a:b:world-x:1700000000000-", "a", "b"},
    {"a:b:world-x:1700000000000", "a", "b"},
    {"a:b:world-x:1700000000000-012", "a", "b"},
    {"a:b:world-x:1700000000000-12345", "a", "b"},
    {"a:b:world-x:1700000000000-1x", "a", "b"},
    {"a:b:world-x:170000000000x-1", "a", "b"},
    {"a:b:world-x:1700000000000-1:", "a", "b"},
    {"a:b:c:1700000000000-12", "a", "b"},
    {"a:b:world-:1700000000000-12", "a", "b"},
};

static void ids_are_read_from_the_right_or_as_the_reference_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct shard_id got = shard_id_parse(span_str(ids[i].id));
        if (!span_eq(got.room, span_str(ids[i].room)))
            fail_msg("%s: room is %.*s", ids[i].id, SPAN_ARG(got.room));
        if (!span_eq(got.world, span_str(ids[i].world)))
            fail_msg("%s: world is %.*s", ids[i].id, SPAN_ARG(got.world));
        if ((got.world.ptr == NULL) != (ids[i].world == NULL))
            fail_msg("%s: an empty world is not an absent one", ids[i].id);
    }
}

static void written_ids_read_back(void **state)
{
    (void)state;
    struct span rooms[] = {SPAN("r"), SPAN("a:b:c"), SPAN(""), SPAN("x:world-y:1700000000000-3")};
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        struct buf id = {0};
        shard_id_add(&id, rooms[i], SPAN("world-z_9"), 1700000000123, 42);
        struct shard_id got = shard_id_parse(buf_span(&id));
        assert_true(span_eq(got.room, rooms[i]));
        assert_true(span_eq(got.world, SPAN("world-z_9")));
        assert_int_equal(shard_id_ms(buf_span(&id)), 1700000000123);
        assert_int_equal(shard_id_ms(span_slice(buf_span(&id), 0, id.len - 2)), 0);
        buf_clear(&id);
    }
}

static void written_ids_have_the_documented_form(void **state)
{
    (void)state;
    struct buf id = {0};
    shard_id_add(&id, SPAN("r"), SPAN("world-a"), 1700000000123, 0);
    assert_true(span_eq(buf_span(&id), SPAN("r:world-a:1700000000123-0")));
    buf_clear(&id);
}

static void world_ids_match_their_pattern(void **state)
{
    (void)state;
    static const char *const good[] = {"world-a", "world-A_z-9", "world--", "world-world-"};
    static const char *const bad[] = {"",         "world",     "world-",     "World-a",
                                      "xworld-a", "world-a b", "world-a\n",  "world-\xc3\xa4",
                                      "world-a.", "world-a:b", "world-a%41", "eu"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(world_id_is_valid(span_str(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(world_id_is_valid(span_str(bad[i])));
    assert_false(world_id_is_valid(span_of("world-a\0b", 9)));
    assert_false(world_id_is_valid((struct span){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_read_from_the_right_or_as_the_reference_does),
        cmocka_unit_test(written_ids_read_back),
        cmocka_unit_test(written_ids_have_the_documented_form),
        cmocka_unit_test(world_ids_match_their_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
