#include "world/core/nodes/nodes.h"
#include "world/core/rooms/shards.h"

#include "tests/unit/world/core/fleet.h"

enum { TTL_MS = 15000 };

static void assert_seats(const struct shard *s, uint64_t open, uint64_t reserved,
                         uint64_t returning)
{
    assert_int_equal(s->open, open);
    assert_int_equal(s->reserved, reserved);
    assert_int_equal(s->returning, returning);
}

static void a_full_beat_makes_a_world_and_a_usable_node(void **state)
{
    struct recorder *r = recorder_new();
    struct node *n;

    (void)state;
    assert_null(fleet_world(r));
    n = fleet_join(r, "a");
    assert_non_null(n);
    assert_true(node_is_usable(n));
    assert_int_equal(n->state, NODE_ALIVE);
    assert_int_equal(fleet_world(r)->nodes.usable, 1);
    assert_int_equal(r->core.registry.node_stats.beats, 1);
    assert_true(r->wake_ms <= r->now.mono_ms + NODES_TICK_MS);
    recorder_free(r);
}

static void nobody_is_sent_to_a_node_before_its_first_full_beat(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    fleet_still(r, "a");
    assert_false(node_is_usable(fleet_node(r, "a")));
    fleet_join(r, "a");
    assert_true(node_is_usable(fleet_node(r, "a")));
    recorder_free(r);
}

static void a_beat_that_is_not_newer_is_a_conflict_and_changes_nothing(void **state)
{
    static const struct {
        int64_t epoch, seq;
        int status;
    } rows[] = {
        {100, 50, 409}, {100, 49, 409}, {100, 1, 409}, {99, 51, 409},
        {1, 1000, 409}, {100, 51, 200}, {101, 1, 200},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct recorder *r = recorder_new();
        struct said first = {.id = "a", .seq = 50, .connections = 5};
        struct said second = {
            .id = "a", .epoch = rows[i].epoch, .seq = rows[i].seq, .connections = 7};
        fleet_beat(r, &first, NULL, 0);
        r->now.mono_ms += 400;
        assert_int_equal(fleet_beat(r, &second, NULL, 0), rows[i].status);
        if (rows[i].status == 409) {
            assert_non_null(
                strstr(recorder_last(r)->body, "\"epoch\":100,\"ageMs\":400,\"intervalMs\":1000,"));
            assert_int_equal(fleet_node(r, "a")->connections, 5);
            assert_int_equal(r->core.registry.node_stats.conflicts, 1);
        }
        recorder_free(r);
    }
}

static void a_count_is_the_sum_over_all_nodes_that_hold_the_shard(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *s;

    (void)state;
    fleet_join(r, "a");
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    fleet_join(r, "b");
    assert_true(fleet_has(s, "a"));
    fleet_hold(r, "a", s, 3);
    fleet_hold(r, "b", s, 4);
    assert_int_equal(s->open, 7);
    fleet_hold(r, "b", s, 1);
    assert_int_equal(s->open, 4);
    fleet_hold(r, "b", s, 0); /* not the owner: nothing is left to remember */
    assert_null(holding_of(fleet_node(r, "b"), s));
    fleet_hold(r, "a", s, 0);
    assert_non_null(holding_of(fleet_node(r, "a"), s));
    assert_int_equal(s->open, 0);
    recorder_free(r);
}

static void what_a_full_beat_does_not_name_is_not_there(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *s;

    (void)state;
    fleet_join(r, "a");
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    fleet_hold(r, "a", s, 3);
    fleet_still(r, "a");
    assert_int_equal(s->open, 3);
    fleet_join(r, "a");
    assert_int_equal(s->open, 0);
    recorder_free(r);
}

static void newcomers_take_promised_seats_and_returners_do_not(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s;
    struct beat_shard held;

    (void)state;
    fleet_join(r, "a");
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 200);
    assert_seats(s, 0, 5, 0);
    assert_int_equal(fleet_node(r, "a")->reserved, 5);
    held = (struct beat_shard){.shard_id = s->id, .open = 3, .admitted = 3, .readmitted = 1};
    fleet_beat(r, &(struct said){.id = "a", .partial = true}, &held, 1);
    assert_seats(s, 3, 3, 0);
    /* One came and went: its promise is used up all the same. */
    held.admitted = 4;
    held.returning = 2;
    fleet_beat(r, &(struct said){.id = "a", .partial = true}, &held, 1);
    assert_seats(s, 3, 2, 2);
    /* A counter that was started anew says nothing about who is new. */
    held.admitted = 1;
    held.readmitted = 0;
    fleet_beat(r, &(struct said){.id = "a", .partial = true}, &held, 1);
    assert_seats(s, 3, 2, 2);
    assert_int_equal(fleet_node(r, "a")->reserved, 2);
    recorder_free(r);
}

static void what_a_node_admitted_before_the_world_began_is_nobody_new(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    struct beat_shard held = {.shard_id = s->id, .open = 3, .admitted = 30};

    (void)state;
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 200);
    fleet_beat(r, &(struct said){.id = "a", .have_epoch = 5, .have_version = 9}, &held, 1);
    assert_seats(s, 3, 1, 0);
    held.admitted = 31;
    fleet_beat(r, &(struct said){.id = "a", .partial = true}, &held, 1);
    assert_seats(s, 3, 0, 0);
    recorder_free(r);
}

static void a_world_whose_clock_was_set_back_rises_above_what_nodes_follow(void **state)
{
    struct recorder *r = recorder_new();
    int64_t seen = r->core.registry.epoch + 1000;
    struct said ahead = {.id = "a", .have_epoch = seen, .have_version = 3};

    (void)state;
    fleet_beat(r, &ahead, NULL, 0);
    assert_int_equal(fleet_world(r)->epoch, seen + 1);
    assert_non_null(strstr(recorder_last(r)->body, "\"full\":true"));
    fleet_join(r, "b");
    assert_int_equal(fleet_world(r)->epoch, seen + 1);
    ahead.have_epoch = REGISTRY_COUNT_MAX; /* nothing is above it */
    fleet_beat(r, &ahead, NULL, 0);
    assert_int_equal(fleet_world(r)->epoch, seen + 1);
    recorder_free(r);
}

static void a_world_that_others_may_decide_for_does_not_rise_by_itself(void **state)
{
    struct recorder *r = recorder_new();
    int64_t epoch = r->core.registry.epoch;
    struct said ahead = {.id = "a", .have_epoch = epoch + 1000, .have_version = 3};

    (void)state;
    r->not_alone = true;
    assert_int_equal(fleet_beat(r, &ahead, NULL, 0), 200);
    assert_int_equal(r->outdated, epoch + 1000);
    assert_int_equal(fleet_world(r)->epoch, epoch);
    assert_non_null(fleet_node(r, "a")); /* the beat counts */
    assert_non_null(strstr(recorder_last(r)->body, "\"full\":true"));
    recorder_free(r);
}

static void each_world_has_its_epoch(void **state)
{
    struct recorder *r = recorder_new();
    struct world *other = registry_make_world(&r->core.registry, SPAN("world-b"));
    int64_t epoch = other->epoch;
    struct said ahead = {.id = "a", .have_epoch = epoch + 1000, .have_version = 3};

    (void)state;
    assert_int_equal(fleet_beat(r, &ahead, NULL, 0), 200);
    assert_int_equal(fleet_world(r)->epoch, epoch + 1001);
    assert_int_equal(other->epoch, epoch);
    recorder_free(r);
}

static void a_world_that_has_nothing_is_forgotten_with_its_last_node(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    fleet_join(r, "a");
    fleet_pass(r, CORE_SWEEP_MS, "a");
    assert_non_null(fleet_world(r));
    fleet_pass(r, FLEET_DEAD_MS + NODES_FORGET_MS + CORE_SWEEP_MS, NULL);
    assert_null(fleet_world(r));
    assert_int_equal(r->core.registry.world_count, 0);
    fleet_join(r, "a");
    recorder_room(r, "r", 0, NULL);
    fleet_beat(r, &(struct said){.id = "a", .gone = true}, NULL, 0);
    fleet_pass(r, CORE_SWEEP_MS, NULL);
    assert_non_null(fleet_world(r));
    recorder_free(r);
}

static void a_later_process_of_the_same_id_wins_and_its_clients_are_expected_back(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s;
    struct beat_shard held = {.open = 2, .admitted = 2};

    (void)state;
    fleet_join(r, "a");
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    fleet_hold(r, "a", s, 6);
    fleet_beat(r, &(struct said){.id = "a", .epoch = 200, .stranger = true}, NULL, 0);
    assert_seats(s, 0, 0, 6);
    assert_true(fleet_has(s, "a"));
    held.shard_id = s->id;
    fleet_beat(r, &(struct said){.id = "a", .epoch = 200, .partial = true}, &held, 1);
    assert_seats(s, 2, 0, 4);
    assert_int_equal(fleet_beat(r, &(struct said){.id = "a", .epoch = 100}, NULL, 0), 409);
    recorder_free(r);
}

static void a_told_count_is_believed_until_the_node_tells_a_new_one(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *s;

    (void)state;
    fleet_join(r, "a");
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    fleet_hold(r, "a", s, 3);
    assert_int_equal(recorder_report(r, s->id, 9, NULL), 200);
    assert_int_equal(s->open, 9);
    fleet_hold(r, "a", s, 3);
    fleet_still(r, "a");
    assert_int_equal(s->open, 9);
    fleet_hold(r, "a", s, 4);
    assert_int_equal(s->open, 4);
    recorder_free(r);
}

static void unknown_shards_are_counted_and_not_registered(void **state)
{
    struct recorder *r = recorder_new();
    struct beat_shard held[] = {
        {.shard_id = SPAN("x:world-a:1760000000000-1"), .open = 5},
        {.shard_id = SPAN("__proto__"), .open = 1},
        {.shard_id = SPAN("x:world-b:1760000000000-1"), .open = 5}, /* another world's */
    };

    (void)state;
    fleet_beat(r, &(struct said){.id = "a"}, held, 3);
    assert_int_equal(fleet_node(r, "a")->adopted, 2);
    assert_int_equal(r->core.registry.shard_count, 0);
    fleet_join(r, "a");
    assert_int_equal(fleet_node(r, "a")->adopted, 0);
    recorder_free(r);
}

static void insane_counts_overflow_nothing(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    uint64_t max = (uint64_t)REGISTRY_COUNT_MAX;
    struct beat_shard held = {
        .open = max, .returning = max, .admitted = max, .readmitted = 0, .sessions = max};
    static const char *const ids[] = {"a", "b", "c", "d"};
    struct shard *s;

    (void)state;
    fleet_join(r, "a");
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    held.shard_id = s->id;
    for (size_t i = 0; i < 4; i++)
        fleet_beat(r, &(struct said){.id = ids[i], .max = max, .connections = max}, &held, 1);
    assert_int_equal(s->open, REGISTRY_COUNT_MAX);
    assert_false(shard_is_selectable(s));
    for (int64_t epoch = 200; epoch < 205; epoch++)
        fleet_beat(r, &(struct said){.id = "a", .epoch = epoch}, &held, 1);
    fleet_beat(r, &(struct said){.id = "a", .epoch = 300}, NULL, 0);
    recorder_free(r);
}

static void a_node_at_its_own_cap_gets_nobody(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s, *t;
    struct room *room;

    (void)state;
    fleet_beat(r, &(struct said){.id = "a", .max = 10, .connections = 8}, NULL, 0);
    room = recorder_room(r, "r", 2, NULL);
    s = recorder_shard(room, 0);
    t = recorder_shard(room, 1);
    assert_true(shard_is_selectable(s) && shard_is_selectable(t));
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\",\"autoCreate\":false}"), 200);
    assert_true(shard_is_selectable(s) && shard_is_selectable(t));
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\",\"autoCreate\":false}"), 200);
    assert_false(shard_is_selectable(s) || shard_is_selectable(t));
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\",\"autoCreate\":false}"), 503);
    fleet_pass(r, TTL_MS + 1000, "a"); /* the promises end, and so does what is said of 8 */
    fleet_beat(r, &(struct said){.id = "a", .max = 10, .connections = 9, .partial = true}, NULL, 0);
    assert_true(shard_is_selectable(s) && shard_is_selectable(t));
    fleet_beat(r, &(struct said){.id = "a", .max = 10, .connections = 10, .partial = true}, NULL,
               0);
    assert_false(shard_is_selectable(s) || shard_is_selectable(t));
    recorder_free(r);
}

static void the_last_beat_moves_what_it_owned_and_ends_the_record(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *s;

    (void)state;
    fleet_join(r, "a");
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    fleet_join(r, "b");
    assert_int_equal(fleet_beat(r, &(struct said){.id = "a", .gone = true}, NULL, 0), 200);
    assert_true(fleet_has(s, "b"));
    assert_null(fleet_node(r, "a"));
    assert_int_equal(fleet_beat(r, &(struct said){.id = "b", .gone = true}, NULL, 0), 200);
    assert_int_equal(fleet_node(r, "b")->state, NODE_DEAD); /* there is nobody to take it */
    assert_true(fleet_has(s, "b"));
    assert_false(shard_is_selectable(s));
    fleet_join(r, "c");
    assert_true(fleet_has(s, "c"));
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_beat_makes_a_world_and_a_usable_node),
        cmocka_unit_test(nobody_is_sent_to_a_node_before_its_first_full_beat),
        cmocka_unit_test(a_beat_that_is_not_newer_is_a_conflict_and_changes_nothing),
        cmocka_unit_test(a_count_is_the_sum_over_all_nodes_that_hold_the_shard),
        cmocka_unit_test(what_a_full_beat_does_not_name_is_not_there),
        cmocka_unit_test(newcomers_take_promised_seats_and_returners_do_not),
        cmocka_unit_test(what_a_node_admitted_before_the_world_began_is_nobody_new),
        cmocka_unit_test(a_world_whose_clock_was_set_back_rises_above_what_nodes_follow),
        cmocka_unit_test(a_world_that_others_may_decide_for_does_not_rise_by_itself),
        cmocka_unit_test(each_world_has_its_epoch),
        cmocka_unit_test(a_world_that_has_nothing_is_forgotten_with_its_last_node),
        cmocka_unit_test(a_later_process_of_the_same_id_wins_and_its_clients_are_expected_back),
        cmocka_unit_test(a_told_count_is_believed_until_the_node_tells_a_new_one),
        cmocka_unit_test(unknown_shards_are_counted_and_not_registered),
        cmocka_unit_test(insane_counts_overflow_nothing),
        cmocka_unit_test(a_node_at_its_own_cap_gets_nobody),
        cmocka_unit_test(the_last_beat_moves_what_it_owned_and_ends_the_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
