#include "world/core/nodes/nodes.h"
#include "world/core/rooms/shards.h"

#include "tests/unit/world/core/fleet.h"

static void shards_leave_a_draining_node_and_clients_stay_guests(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *s;

    (void)state;
    fleet_join(r, "a");
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    fleet_hold(r, "a", s, 3);
    fleet_beat(r, &(struct said){.id = "a", .partial = true, .draining = true}, NULL, 0);
    assert_true(fleet_has(s, "a")); /* nobody else is there */
    assert_false(shard_is_selectable(s));
    fleet_join(r, "b");
    assert_true(fleet_has(s, "b"));
    assert_true(shard_is_selectable(s));
    assert_int_equal(s->open, 3);
    recorder_free(r);
}

static void an_ordered_drain_is_stored_and_taken_back(void **state)
{
    struct recorder *r = recorder_new();
    struct order_drain how = {.deadline_ms = 1000};
    char want[256];
    struct node *a;
    struct shard *s;

    (void)state;
    a = fleet_join(r, "a");
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    (void)snprintf(want, sizeof(want),
                   "{\"url\":\"http://node\",\"internalUrl\":\"http://node.internal\","
                   "\"maxConnections\":1000,\"drain\":true,\"drainHow\":{\"deadlineMs\":1000,"
                   "\"until\":%lld,\"rate\":0,\"retryMinMs\":0,\"retryMaxMs\":0}}",
                   (long long)r->now.wall_ms + 1000);
    node_drain(&r->core.registry, a, true, &how, r->now);
    assert_string_equal(r->records[(r->record_count - 1) % RECORDED_MAX].value, want);
    assert_false(shard_is_selectable(s));
    node_drain(&r->core.registry, a, false, NULL, r->now);
    assert_string_equal(r->records[(r->record_count - 1) % RECORDED_MAX].value,
                        "{\"url\":\"http://node\",\"internalUrl\":\"http://node.internal\","
                        "\"maxConnections\":1000,\"drain\":false}");
    assert_true(shard_is_selectable(s));
    recorder_free(r);
}

static void a_node_is_stored_when_it_changes_not_with_each_beat(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    fleet_join(r, "a");
    assert_int_equal(r->record_count, 1);
    assert_int_equal(r->records[0].kind, RECORD_NODE);
    assert_string_equal(r->records[0].key, "a");
    fleet_join(r, "a");
    fleet_still(r, "a");
    assert_int_equal(r->record_count, 1);
    fleet_beat(r, &(struct said){.id = "a", .max = 5}, NULL, 0);
    assert_int_equal(r->record_count, 2);
    recorder_free(r);
}

static void odd_ids_are_ids(void **state)
{
    static const char *const ids[] = {"a\"b",  "a.b:c", "__proto__", "constructor",
                                      "a'b\\", "ü",     "{\"\":1}"};
    struct recorder *r = recorder_new();

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        assert_non_null(fleet_join(r, ids[i]));
    assert_int_equal(r->core.registry.node_count, sizeof(ids) / sizeof(ids[0]));
    recorder_free(r);
}

static void spread_goes_to_the_freest_packed_to_the_fullest(void **state)
{
    (void)state;
    for (int packed = 0; packed < 2; packed++) {
        struct recorder *r = recorder_new();
        struct room *room;
        r->core.registry.nodes_packed = packed == 1;
        fleet_beat(r, &(struct said){.id = "small", .max = 20}, NULL, 0);
        fleet_beat(r, &(struct said){.id = "large", .max = 40}, NULL, 0);
        room = recorder_room(r, "r", 6, NULL); /* of 10 each */
        assert_int_equal(room_shards(room), 6);
        assert_int_equal(fleet_node(r, "small")->owned_count, 2);
        assert_int_equal(fleet_node(r, "large")->owned_count, 4);
        assert_true(fleet_has(recorder_shard(room, 0), packed ? "small" : "large"));
        assert_true(fleet_has(recorder_shard(room, 1), "small"));
        recorder_free(r);
    }
}

static void a_young_node_gets_less_than_its_share(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room;

    (void)state;
    fleet_join(r, "old");
    fleet_pass(r, NODES_YOUNG_MS, "old");
    fleet_join(r, "young");
    room = recorder_room(r, "r", 11, NULL);
    assert_int_equal(fleet_node(r, "young")->owned_count, 1);
    assert_int_equal(fleet_node(r, "old")->owned_count, 10);
    assert_int_equal(room_shards(room), 11);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_leave_a_draining_node_and_clients_stay_guests),
        cmocka_unit_test(an_ordered_drain_is_stored_and_taken_back),
        cmocka_unit_test(a_node_is_stored_when_it_changes_not_with_each_beat),
        cmocka_unit_test(odd_ids_are_ids),
        cmocka_unit_test(spread_goes_to_the_freest_packed_to_the_fullest),
        cmocka_unit_test(a_young_node_gets_less_than_its_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
