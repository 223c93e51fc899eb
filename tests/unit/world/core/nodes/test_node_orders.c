#include "tests/unit/world/core/fleet.h"

/* What the answer to the last beat said: "full", "delta" or "unchanged", then the shards and the
 * drops by the letters of `names` (a: the first of `ids`). */
static void assert_orders(const struct recorder *r, const char *ids[], const char *kind,
                          const char *shards, const char *drops)
{
    struct orders o;
    struct order order;
    const json_t *bans;
    json_t *doc;
    struct span id;
    char told[16] = "", dropped[16] = "";
    size_t at = 0, n = 0;

    assert_int_equal(orders_read(&o, &doc, span_str(recorder_last(r)->body)), ERR_OK);
    assert_string_equal(o.full ? "full" : o.unchanged ? "unchanged" : "delta", kind);
    assert_int_equal(o.epoch, fleet_world(r)->epoch);
    for (; orders_next_shard(doc, &at, &order, &bans); n++) {
        for (int i = 0; ids[i] != NULL; i++)
            if (span_eq(order.shard_id, span_str(ids[i])))
                told[n] = (char)('a' + i);
        assert_true(span_eq(order.room_id, SPAN("r")));
        assert_int_equal(order.max_connections, 10);
    }
    for (at = 0, n = 0; orders_next_drop(doc, &at, &id); n++) {
        for (int i = 0; ids[i] != NULL; i++)
            if (span_eq(id, span_str(ids[i])))
                dropped[n] = (char)('a' + i);
    }
    assert_string_equal(told, shards);
    assert_string_equal(dropped, drops);
    json_decref(doc);
}

/* A node "a" with three shards, whose ids are copied. */
static struct room *with_three(struct recorder *r, const char *ids[4])
{
    struct room *room;

    fleet_join(r, "a");
    room = recorder_room(r, "r", 3, NULL);
    for (unsigned i = 0; i < 3; i++)
        ids[i] = xspandup(recorder_shard(room, i)->id);
    ids[3] = NULL;
    return room;
}

static void free_ids(const char *ids[4])
{
    for (int i = 0; i < 3; i++)
        free((void *)(uintptr_t)ids[i]);
}

static void orders_are_what_changed_since_what_the_node_has(void **state)
{
    struct recorder *r = recorder_new();
    const char *ids[4];
    struct room *room = with_three(r, ids);
    int64_t had;

    (void)state;
    fleet_beat(r, &(struct said){.id = "a", .stranger = true}, NULL, 0);
    assert_orders(r, ids, "full", "abc", "");
    fleet_still(r, "a");
    assert_orders(r, ids, "unchanged", "", "");
    assert_non_null(strstr(recorder_last(r)->body, "\"intervalMs\":1000"));
    had = fleet_node(r, "a")->version_of_orders;
    assert_int_equal(recorder_report(r, recorder_shard(room, 1)->id, 1, "maintenance"), 200);
    for (int i = 0; i < 2; i++) { /* until the node says that it has them */
        fleet_beat(r, &(struct said){.id = "a", .partial = true, .have_version = had}, NULL, 0);
        assert_orders(r, ids, "delta", "b", "");
    }
    assert_non_null(strstr(recorder_last(r)->body, "\"status\":\"maintenance\""));
    fleet_beat(r, &(struct said){.id = "a", .stranger = true}, NULL, 0);
    assert_orders(r, ids, "full", "acb", "");
    free_ids(ids);
    recorder_free(r);
}

static void owners_hear_that_a_room_is_private(void **state)
{
    struct recorder *r = recorder_new();
    const char *ids[4];
    struct room *room = with_three(r, ids);
    struct room_settings settings = room->settings;

    (void)state;
    fleet_still(r, "a");
    fleet_still(r, "a");
    assert_orders(r, ids, "unchanged", "", "");
    for (int public = 0; public < 2; public ++) {
        settings.is_public = public == 1;
        registry_set_room(&r->core.registry, room, &settings);
        fleet_beat(r, &(struct said){.id = "a", .partial = true, .have_version = 1}, NULL, 0);
        assert_orders(r, ids, "delta", "abc", "");
        assert_int_equal(strstr(recorder_last(r)->body, "\"private\":true") == NULL, public);
    }
    free_ids(ids);
    recorder_free(r);
}

static void orders_of_another_epoch_or_of_a_future_are_replaced(void **state)
{
    struct recorder *r = recorder_new();
    const char *ids[4];

    (void)state;
    (void)with_three(r, ids);
    fleet_beat(r, &(struct said){.id = "a", .have_epoch = 5, .have_version = 900}, NULL, 0);
    assert_orders(r, ids, "full", "abc", "");
    fleet_beat(r, &(struct said){.id = "a", .have_version = 900}, NULL, 0);
    assert_orders(r, ids, "full", "abc", "");
    free_ids(ids);
    recorder_free(r);
}

static void drops_are_told_until_they_are_known(void **state)
{
    struct recorder *r = recorder_new();
    const char *ids[4];
    struct room *room = with_three(r, ids);
    struct shard *s = recorder_shard(room, 0);
    int64_t had = fleet_node(r, "a")->version_of_orders;

    (void)state;
    fleet_join(r, "b");
    shard_set_owner(&r->core.registry, s, fleet_node(r, "b"), r->now);
    assert_int_equal(recorder_report(r, recorder_shard(room, 2)->id, 0, "draining"), 200);
    for (int i = 0; i < 2; i++) {
        fleet_beat(r, &(struct said){.id = "a", .partial = true, .have_version = had}, NULL, 0);
        assert_orders(r, ids, "delta", "", "ac");
    }
    fleet_beat(r, &(struct said){.id = "a", .partial = true, .have_version = had + 1}, NULL, 0);
    fleet_still(r, "a");
    assert_orders(r, ids, "unchanged", "", "");
    fleet_still(r, "a");
    assert_int_equal(fleet_node(r, "a")->drop_count, 0);
    free_ids(ids);
    recorder_free(r);
}

static void what_came_back_is_not_dropped(void **state)
{
    struct recorder *r = recorder_new();
    const char *ids[4];
    struct room *room = with_three(r, ids);
    struct shard *s = recorder_shard(room, 0);
    int64_t had = fleet_node(r, "a")->version_of_orders;

    (void)state;
    fleet_join(r, "b");
    shard_set_owner(&r->core.registry, s, fleet_node(r, "b"), r->now);
    shard_set_owner(&r->core.registry, s, fleet_node(r, "a"), r->now);
    fleet_beat(r, &(struct said){.id = "a", .partial = true, .have_version = had}, NULL, 0);
    assert_orders(r, ids, "delta", "a", "");
    free_ids(ids);
    recorder_free(r);
}

static void too_many_drops_become_full_orders(void **state)
{
    struct recorder *r = recorder_new();
    const char *ids[4];
    struct room *room = with_three(r, ids);
    struct shard *s = recorder_shard(room, 0);
    struct node *a = fleet_node(r, "a"), *b = fleet_join(r, "b");
    int64_t had = a->version_of_orders;

    (void)state;
    for (int i = 0; i <= NODES_DROPS_MAX; i++) {
        shard_set_owner(&r->core.registry, s, b, r->now);
        shard_set_owner(&r->core.registry, s, a, r->now);
    }
    assert_true(a->drop_count <= NODES_DROPS_MAX);
    fleet_beat(r, &(struct said){.id = "a", .partial = true, .have_version = had}, NULL, 0);
    assert_orders(r, ids, "full", "bca", "");
    free_ids(ids);
    recorder_free(r);
}

static void a_drain_and_the_others_are_told_every_time(void **state)
{
    struct recorder *r = recorder_new();
    struct order_drain how = {.deadline_ms = 60000, .rate = 7};
    struct node *a = fleet_join(r, "a");
    struct orders o;
    json_t *doc;

    (void)state;
    fleet_join(r, "b");
    node_drain(&r->core.registry, a, true, &how, r->now);
    fleet_still(r, "a");
    fleet_pass(r, 1000, "b");
    fleet_still(r, "a");
    assert_int_equal(orders_read(&o, &doc, span_str(recorder_last(r)->body)), ERR_OK);
    assert_true(o.unchanged && o.drain_node);
    assert_int_equal(o.drain.deadline_ms, 59000);
    assert_int_equal(o.drain.rate, 7);
    assert_int_equal(o.others, 1);
    json_decref(doc);
    recorder_free(r);
}

/* The world starts anew while the node is drained, and hears of it a while later. */
static void an_ordered_drain_outlives_the_world_with_its_deadline_and_pace(void **state)
{
    struct recorder *before = recorder_new(), *after = recorder_new();
    struct order_drain how = {
        .deadline_ms = 60000, .rate = 7, .retry_min_ms = 50, .retry_max_ms = 60};
    const struct recorded_record *last;
    struct orders o;
    json_t *doc;

    (void)state;
    node_drain(&before->core.registry, fleet_join(before, "a"), true, &how, before->now);
    last = &before->records[(before->record_count - 1) % RECORDED_MAX];
    struct record stored = {last->kind, span_str(last->world), span_str(last->key),
                            span_str(last->value)};
    after->now.wall_ms = before->now.wall_ms + 10000;
    assert_int_equal(core_restore(&after->core, &stored, after->now), ERR_OK);
    fleet_join(after, "a");
    assert_int_equal(orders_read(&o, &doc, span_str(recorder_last(after)->body)), ERR_OK);
    assert_true(o.drain_node);
    assert_int_equal(o.drain.deadline_ms, 50000);
    assert_int_equal(o.drain.rate, 7);
    assert_int_equal(o.drain.retry_min_ms, 50);
    assert_int_equal(o.drain.retry_max_ms, 60);
    json_decref(doc);
    recorder_free(before);
    recorder_free(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_are_what_changed_since_what_the_node_has),
        cmocka_unit_test(owners_hear_that_a_room_is_private),
        cmocka_unit_test(orders_of_another_epoch_or_of_a_future_are_replaced),
        cmocka_unit_test(drops_are_told_until_they_are_known),
        cmocka_unit_test(what_came_back_is_not_dropped),
        cmocka_unit_test(too_many_drops_become_full_orders),
        cmocka_unit_test(a_drain_and_the_others_are_told_every_time),
        cmocka_unit_test(an_ordered_drain_outlives_the_world_with_its_deadline_and_pace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
