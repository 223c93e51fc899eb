#include "tests/unit/world/core/fleet.h"

#include "world/core/rooms/shards.h"
#include "world/core/rooms/silence.h"

enum { TTL_MS = 15000 };

/* A node "a" that owns the one shard of a room and holds 5 of it, and an idle one "b". */
static struct shard *pair(struct recorder *r)
{
    struct shard *s;

    fleet_join(r, "a");
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    assert_true(fleet_has(s, "a"));
    fleet_join(r, "b");
    fleet_hold(r, "a", s, 5);
    return s;
}

static void three_silent_seconds_hide_a_node_and_one_beat_shows_it(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r);

    (void)state;
    fleet_pass(r, FLEET_SUSPECT_MS - 250, "b");
    assert_true(shard_is_selectable(s));
    fleet_pass(r, 250, "b");
    assert_int_equal(fleet_node(r, "a")->state, NODE_SUSPECT);
    assert_false(shard_is_selectable(s));
    assert_int_equal(s->open, 5);
    fleet_still(r, "a");
    assert_int_equal(fleet_node(r, "a")->state, NODE_ALIVE);
    assert_true(shard_is_selectable(s));
    recorder_free(r);
}

static void silence_is_measured_in_the_beats_that_are_asked_for(void **state)
{
    enum { BEAT_MS = 200, TICK_MS = BEAT_MS / NODES_TICKS };
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s;

    (void)state;
    r->core.registry.beat_ms = BEAT_MS;
    s = pair(r);
    fleet_still(r, "a");
    assert_non_null(strstr(recorder_last(r)->body, "\"intervalMs\":200,"));
    for (int ms = TICK_MS; ms <= BEAT_MS * NODES_DEAD; ms += TICK_MS) {
        fleet_still(r, "b");
        recorder_pass(r, TICK_MS);
        assert_int_equal(fleet_node(r, "a")->state, ms < BEAT_MS * NODES_SUSPECT ? NODE_ALIVE
                                                    : ms < BEAT_MS * NODES_DEAD  ? NODE_SUSPECT
                                                                                 : NODE_DEAD);
    }
    assert_true(fleet_has(s, "b"));
    recorder_free(r);
}

static void ten_silent_seconds_move_the_shards_and_keep_the_seats(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r);
    struct span id = s->id;

    (void)state;
    fleet_pass(r, FLEET_DEAD_MS - 250, "b");
    assert_true(fleet_has(s, "a"));
    fleet_pass(r, 250, "b");
    assert_true(fleet_has(s, "b"));
    assert_true(shard_is_selectable(s));
    assert_ptr_equal(world_shard(fleet_world(r), id), s);
    assert_int_equal(s->open, 0);
    assert_int_equal(s->returning, 5);
    assert_int_equal(r->core.registry.node_stats.moves[MOVE_DEAD], 1);
    fleet_hold(r, "b", s, 2);
    assert_int_equal(s->returning, 3);
    fleet_pass(r, SEATS_RETURN_MS + 250, "b");
    assert_int_equal(s->returning, 0);
    recorder_free(r);
}

static void a_late_beat_releases_what_was_kept_and_takes_back_the_shard(void **state)
{
    static const struct {
        uint64_t at_new; /* clients that the new owner has by then */
        const char *owner;
    } rows[] = {{0, "a"}, {2, "a"}, {4, "a"}, {5, "b"}, {6, "b"}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct recorder *r = fleet_new(TTL_MS);
        struct shard *s = pair(r);
        fleet_pass(r, FLEET_DEAD_MS, "b");
        assert_true(fleet_has(s, "b"));
        if (rows[i].at_new > 0)
            fleet_hold(r, "b", s, rows[i].at_new);
        fleet_still(r, "a");
        assert_int_equal(s->open, 5 + rows[i].at_new);
        assert_int_equal(s->returning, 0);
        assert_true(fleet_has(s, rows[i].owner));
        recorder_free(r);
    }
}

static void our_own_standstill_is_nobodys_silence(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r);

    (void)state;
    fleet_pass(r, 1000, "b");
    recorder_pass(r, 60000);
    assert_int_equal(fleet_node(r, "a")->state, NODE_ALIVE);
    fleet_pass(r, FLEET_SUSPECT_MS - 1250, "b");
    assert_int_equal(fleet_node(r, "a")->state, NODE_ALIVE);
    fleet_pass(r, 500, "b");
    assert_int_equal(fleet_node(r, "a")->state, NODE_SUSPECT);
    assert_true(fleet_has(s, "a"));
    recorder_free(r);
}

static void when_most_fall_silent_at_once_nothing_moves_until_a_client_asks(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r);
    struct resolve q = {.shard_id = s->id, .asker = SPAN("c"), .asker_epoch = 100};
    struct resolution found;

    (void)state;
    fleet_pass(r, 2000, "b"); /* falls silent less than 5 s after a */
    fleet_join(r, "c");
    fleet_pass(r, FLEET_DEAD_MS + 5000, "c");
    assert_int_equal(fleet_node(r, "a")->state, NODE_DEAD);
    assert_int_equal(fleet_node(r, "b")->state, NODE_DEAD);
    assert_true(fleet_has(s, "a"));
    assert_false(shard_is_selectable(s));
    assert_int_equal(nodes_resolve(&r->core.registry, fleet_world(r), &q, r->now, &found),
                     REFUSAL_NONE);
    assert_ptr_equal(found.shard, s);
    assert_true(fleet_has(s, "c"));
    recorder_free(r);
}

static void a_client_of_the_room_asks_too(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r);

    (void)state;
    fleet_pass(r, 2000, "b");
    fleet_join(r, "c");
    fleet_pass(r, FLEET_DEAD_MS + 5000, "c");
    assert_int_equal(fleet_world(r)->nodes.held, 2);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\",\"autoCreate\":false}"), 200);
    assert_true(fleet_has(s, "c"));
    fleet_still(r, "a");
    assert_int_equal(fleet_world(r)->nodes.held, 1);
    recorder_free(r);
}

static void one_of_two_alone_is_not_most(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r);

    (void)state;
    fleet_pass(r, FLEET_DEAD_MS, "b");
    assert_true(fleet_has(s, "b"));
    recorder_free(r);
}

/* No seats are kept with a ttl of 0, so nothing is left of it. */
static void a_drained_shard_goes_with_its_dead_node_when_seats_are_off(void **state)
{
    struct recorder *r = fleet_new(0);
    struct shard *s = pair(r);
    struct room *room = s->room;
    const struct order_drain slowly = {.deadline_ms = 0};

    (void)state;
    fleet_hold(r, "a", s, 1);
    assert_false(registry_set_status(&r->core.registry, s, SHARD_DRAINING, &slowly, r->now));
    fleet_pass(r, FLEET_DEAD_MS + 500, "b");
    assert_int_equal(room_shards(room), 0);
    recorder_free(r);
}

static void a_dead_node_that_owns_nothing_is_forgotten(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r);

    (void)state;
    fleet_pass(r, NODES_FORGET_MS - 1000, "b");
    assert_non_null(fleet_node(r, "a"));
    fleet_pass(r, 1500, "b");
    assert_null(fleet_node(r, "a"));
    assert_true(fleet_has(s, "b"));
    fleet_join(r, "a");
    assert_true(fleet_has(s, "b"));
    recorder_free(r);
}

static void admins_see_an_unchanged_shard_alive_once_a_minute(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r);
    int64_t told_ms = s->heartbeat_ms;

    (void)state;
    fleet_pass(r, 30000, "a");
    assert_int_equal(s->heartbeat_ms, told_ms);
    fleet_pass(r, 31000, "a");
    assert_in_range(s->heartbeat_ms, told_ms + 59000, told_ms + 61000);
    recorder_free(r);
}

static void a_shard_of_a_node_does_not_expire(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r);

    (void)state;
    fleet_pass(r, REGISTRY_SILENCE_MS + CORE_SWEEP_MS + 1000, "a");
    assert_int_equal(r->core.registry.shard_count, 1);
    assert_true(shard_is_selectable(s));
    recorder_free(r);
}

/* ---- after a restart */

/* What one core has stored, in another one that starts now. */
static struct recorder *restarted(struct recorder *before)
{
    struct recorder *after = fleet_new(TTL_MS);

    core_store_counts(&before->core);
    for (int kind = 0; kind < RECORD_COUNT; kind++) {
        /* The last record of a key counts. */
        for (size_t i = 0; i < before->record_count; i++) {
            const struct recorded_record *k = &before->records[i];
            bool later = (int)k->kind != kind;
            for (size_t j = i + 1; j < before->record_count && !later; j++)
                later = before->records[j].kind == k->kind &&
                        strcmp(before->records[j].key, k->key) == 0;
            struct record record = {k->kind, span_str(k->world), span_str(k->key),
                                    span_str(k->value)};
            if (!later)
                assert_int_equal(core_restore(&after->core, &record, after->now), ERR_OK);
        }
    }
    registry_world(&after->core.registry, SPAN("world-a"))->epoch += 1000;
    recorder_free(before);
    return after;
}

static struct shard *restored_shard(const struct recorder *r)
{
    struct shard *s = recorder_shard(world_room(fleet_world(r), SPAN("r")), 0);

    assert_true(fleet_has(s, "a"));
    assert_int_equal(s->owner->state, NODE_EXPECTED);
    assert_int_equal(s->open, 5);
    assert_false(shard_is_selectable(s));
    return s;
}

static void after_a_restart_clients_wait_until_the_nodes_are_heard(void **state)
{
    struct recorder *before = fleet_new(TTL_MS), *r;
    struct beat_shard held = {.open = 3, .admitted = 30};
    struct shard *s;

    (void)state;
    (void)pair(before);
    r = restarted(before);
    s = restored_shard(r);
    assert_true(world_is_settling(fleet_world(r), r->now));
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 0);
    fleet_pass(r, 250, NULL);
    held.shard_id = s->id;
    fleet_beat(r, &(struct said){.id = "a", .have_epoch = 5, .have_version = 3}, &held, 1);
    assert_int_equal(s->open, 3);
    fleet_join(r, "b");
    assert_false(world_is_settling(fleet_world(r), r->now));
    recorder_pass(r, PARK_LOOK_MS);
    assert_int_equal(recorder_last(r)->status, 200);
    assert_non_null(strstr(recorder_last(r)->body, "\"success\":true"));
    assert_int_equal(r->core.park.count, 0);
    assert_int_equal(s->reserved, 1);
    recorder_free(r);
}

static void clients_wait_no_longer_than_the_world_settles(void **state)
{
    struct recorder *before = fleet_new(TTL_MS), *r;
    size_t answers;

    (void)state;
    (void)pair(before);
    r = restarted(before);
    (void)restored_shard(r);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\",\"autoCreate\":false}"), 0);
    answers = r->answer_count;
    fleet_pass(r, FLEET_SETTLE_MS - 250, NULL);
    assert_int_equal(r->answer_count, answers);
    fleet_pass(r, 500, NULL);
    assert_int_equal(r->answer_count, answers + 1);
    assert_int_equal(recorder_last(r)->status, 503);
    recorder_free(r);
}

/* A node that asks a world which is no more is late by more than such a beat. */
static void short_beats_do_not_shorten_the_wait(void **state)
{
    (void)state;
    assert_int_equal(nodes_settle_ms(&(struct registry){.beat_ms = 100}), 1500);
    assert_int_equal(nodes_settle_ms(&(struct registry){.beat_ms = 1000}), 1500);
    assert_int_equal(nodes_settle_ms(&(struct registry){.beat_ms = 2000}), 3000);
}

/* The nodes may have other names since. */
static void a_room_of_nodes_that_did_not_come_back_moves_when_a_client_asks(void **state)
{
    struct recorder *before = fleet_new(TTL_MS), *r;
    struct shard *s;

    (void)state;
    (void)pair(before);
    r = restarted(before);
    s = restored_shard(r);
    fleet_join(r, "c");
    fleet_pass(r, FLEET_SETTLE_MS + 250, "c");
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\",\"autoCreate\":false}"), 200);
    assert_true(fleet_has(s, "c"));
    recorder_free(r);
}

static void what_waits_when_the_process_ends_is_freed(void **state)
{
    struct recorder *before = fleet_new(TTL_MS), *r;

    (void)state;
    (void)pair(before);
    r = restarted(before);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 0);
    assert_int_equal(r->core.park.count, 1);
    recorder_free(r);
}

static void a_stored_node_that_never_comes_is_like_a_dead_one(void **state)
{
    struct recorder *before = fleet_new(TTL_MS), *r;
    struct shard *s;

    (void)state;
    (void)pair(before);
    r = restarted(before);
    s = restored_shard(r);
    fleet_join(r, "b");
    fleet_pass(r, FLEET_DEAD_MS - 250, "b");
    assert_true(fleet_has(s, "a"));
    fleet_pass(r, 500, "b");
    assert_true(fleet_has(s, "b"));
    assert_true(shard_is_selectable(s));
    assert_int_equal(s->open, 0);
    assert_int_equal(s->returning, 5);
    recorder_free(r);
}

static void what_was_remembered_of_a_shard_that_moves_is_kept_for_its_clients(void **state)
{
    struct recorder *before = fleet_new(TTL_MS), *r;
    struct resolve q = {.asker = SPAN("b"), .reason = RESOLVE_UNREACHABLE, .node = SPAN("a")};
    struct resolution out;
    struct shard *s;

    (void)state;
    (void)pair(before);
    r = restarted(before);
    s = restored_shard(r);
    fleet_join(r, "b");
    fleet_pass(r, FLEET_SETTLE_MS + 250, "b");
    q.shard_id = s->id;
    assert_int_equal(nodes_resolve(&r->core.registry, fleet_world(r), &q, r->now, &out),
                     REFUSAL_NONE);
    assert_true(fleet_has(s, "b"));
    assert_int_equal(s->open, 0);
    assert_int_equal(s->returning, 5);
    fleet_pass(r, SEATS_RETURN_MS + 250, "b");
    assert_int_equal(shard_used(s), 0);
    recorder_free(r);
}

/* ---- shards without a node */

static void a_nodeless_shard_is_quiet_after_three_of_its_longest_gaps(void **state)
{
    static const struct {
        int reports;
        int64_t gap_ms, silence_ms;
        bool selectable;
    } rows[] = {
        {8, 10000, 85000, true},   {8, 10000, 95000, false},   {8, 40000, 115000, true},
        {8, 40000, 125000, false}, {7, 10000, 295000, true},   {0, 0, 295000, true},
        {9, 10000, 95000, false},  {20, 40000, 125000, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct recorder *r = recorder_new();
        struct shard *s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
        for (int n = 0; n < rows[i].reports; n++) {
            recorder_pass(r, rows[i].gap_ms);
            assert_int_equal(recorder_report(r, s->id, 1, NULL), 200);
        }
        fleet_pass(r, rows[i].silence_ms, NULL);
        if (shard_is_selectable(s) != rows[i].selectable)
            fail_msg("row %zu", i);
        assert_int_equal(recorder_report(r, s->id, 1, NULL), 200);
        assert_true(shard_is_selectable(s));
        recorder_free(r);
    }
}

static void nodeless_shards_get_a_node_unless_somebody_reports_them(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 2, NULL);

    (void)state;
    assert_int_equal(recorder_report(r, recorder_shard(room, 1)->id, 1, NULL), 200);
    fleet_still(r, "a");
    assert_true(fleet_has(recorder_shard(room, 0), NULL));
    fleet_join(r, "a");
    assert_true(fleet_has(recorder_shard(room, 0), "a"));
    assert_true(fleet_has(recorder_shard(room, 1), NULL));
    assert_int_equal(r->core.registry.node_stats.moves[MOVE_PLACED], 1);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_silent_seconds_hide_a_node_and_one_beat_shows_it),
        cmocka_unit_test(silence_is_measured_in_the_beats_that_are_asked_for),
        cmocka_unit_test(ten_silent_seconds_move_the_shards_and_keep_the_seats),
        cmocka_unit_test(a_late_beat_releases_what_was_kept_and_takes_back_the_shard),
        cmocka_unit_test(our_own_standstill_is_nobodys_silence),
        cmocka_unit_test(when_most_fall_silent_at_once_nothing_moves_until_a_client_asks),
        cmocka_unit_test(a_client_of_the_room_asks_too),
        cmocka_unit_test(one_of_two_alone_is_not_most),
        cmocka_unit_test(a_drained_shard_goes_with_its_dead_node_when_seats_are_off),
        cmocka_unit_test(a_dead_node_that_owns_nothing_is_forgotten),
        cmocka_unit_test(admins_see_an_unchanged_shard_alive_once_a_minute),
        cmocka_unit_test(a_shard_of_a_node_does_not_expire),
        cmocka_unit_test(after_a_restart_clients_wait_until_the_nodes_are_heard),
        cmocka_unit_test(clients_wait_no_longer_than_the_world_settles),
        cmocka_unit_test(short_beats_do_not_shorten_the_wait),
        cmocka_unit_test(a_room_of_nodes_that_did_not_come_back_moves_when_a_client_asks),
        cmocka_unit_test(what_waits_when_the_process_ends_is_freed),
        cmocka_unit_test(a_stored_node_that_never_comes_is_like_a_dead_one),
        cmocka_unit_test(what_was_remembered_of_a_shard_that_moves_is_kept_for_its_clients),
        cmocka_unit_test(a_nodeless_shard_is_quiet_after_three_of_its_longest_gaps),
        cmocka_unit_test(nodeless_shards_get_a_node_unless_somebody_reports_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
