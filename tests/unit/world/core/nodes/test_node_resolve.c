#include "tests/unit/world/core/fleet.h"

enum { TTL_MS = 15000 };

static enum refusal resolve(struct recorder *r, struct span id, const char *asker,
                            enum resolve_reason reason, const char *node, struct shard **found)
{
    struct resolve q = {.shard_id = id,
                        .asker = span_str(asker),
                        .asker_epoch = 100,
                        .session = SPAN("s"),
                        .reason = reason,
                        .node = span_str(node)};

    struct resolution out;
    enum refusal why = nodes_resolve(&r->core.registry, fleet_world(r), &q, r->now, &out);

    if (out.grow != NULL)
        why = nodes_resolve_anew(&r->core.registry, out.grow, &q, r->now, &out.shard);
    *found = out.shard;
    return why;
}

/* A room of at most `max` shards, all of them on node "a"; "b" is there, too. */
static struct room *room_of(struct recorder *r, unsigned shards, unsigned max)
{
    char body[256];

    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"r\",\"balancingStrategy\":\"round-robin\",\"public\":true,"
                   "\"maxPlayersPerShard\":10,\"minShards\":%u,\"maxShards\":%u}",
                   shards, max);
    fleet_join(r, "a");
    assert_int_equal(recorder_post(r, "/register-room", body), 200);
    fleet_join(r, "b");
    return world_room(fleet_world(r), SPAN("r"));
}

static void a_shard_of_a_live_node_is_there(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = recorder_shard(room_of(r, 1, 1), 0), *found;

    (void)state;
    assert_int_equal(resolve(r, s->id, "b", RESOLVE_UNKNOWN, "", &found), REFUSAL_NONE);
    assert_ptr_equal(found, s);
    assert_true(fleet_has(s, "a"));
    assert_int_equal(s->reserved, 0);
    recorder_free(r);
}

static void who_cannot_reach_the_owner_becomes_the_owner(void **state)
{
    static const struct {
        const char *asker, *node, *owner;
    } rows[] = {
        {"b", "a", "b"}, /* it is usable */
        {"", "a", "b"},  /* a world process: any other */
        {"x", "a", "b"}, /* nobody knows it */
        {"b", "b", "a"}, /* it is not about the owner */
        {"b", "", "a"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct recorder *r = fleet_new(TTL_MS);
        struct shard *s = recorder_shard(room_of(r, 1, 1), 0), *found;
        assert_int_equal(
            resolve(r, s->id, rows[i].asker, RESOLVE_UNREACHABLE, rows[i].node, &found),
            REFUSAL_NONE);
        assert_ptr_equal(found, s);
        assert_true(fleet_has(s, rows[i].owner));
        recorder_free(r);
    }
}

/* Who beats and cannot be reached looks like the node with the most room. */
static void an_unreachable_owner_is_left_however_free_it_is(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = recorder_shard(room_of(r, 1, 1), 0), *found;

    (void)state;
    fleet_beat(r, &(struct said){.id = "a", .partial = true, .max = 100000}, NULL, 0);
    assert_int_equal(resolve(r, s->id, "", RESOLVE_UNREACHABLE, "a", &found), REFUSAL_NONE);
    assert_true(fleet_has(s, "b"));
    recorder_free(r);
}

static void without_another_node_an_unreachable_shard_has_none(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s, *found;

    (void)state;
    fleet_join(r, "a");
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    assert_int_equal(resolve(r, s->id, "", RESOLVE_UNREACHABLE, "a", &found), REFUSAL_NO_NODE);
    assert_null(found);
    assert_true(fleet_has(s, "a"));
    recorder_free(r);
}

static void a_shard_of_a_suspect_node_moves_to_who_asks(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = recorder_shard(room_of(r, 1, 1), 0), *found;

    (void)state;
    fleet_hold(r, "a", s, 3);
    fleet_pass(r, FLEET_SUSPECT_MS, "b");
    assert_int_equal(resolve(r, s->id, "b", RESOLVE_UNKNOWN, "", &found), REFUSAL_NONE);
    assert_ptr_equal(found, s);
    assert_true(fleet_has(s, "b"));
    assert_int_equal(r->core.registry.node_stats.moves[MOVE_ASKED], 1);
    assert_int_equal(s->open, 0);
    assert_int_equal(s->returning, 3);
    fleet_hold(r, "b", s, 1);
    assert_int_equal(s->open, 1);
    assert_int_equal(s->returning, 2);
    fleet_still(r, "a"); /* back with more of them */
    assert_int_equal(s->open, 4);
    assert_int_equal(s->returning, 0);
    assert_true(fleet_has(s, "a"));
    recorder_free(r);
}

static void clients_of_a_full_shard_follow_it_when_its_node_is_lost(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = recorder_shard(room_of(r, 1, 1), 0), *found;

    (void)state;
    fleet_hold(r, "a", s, 10);
    assert_int_equal(resolve(r, s->id, "b", RESOLVE_UNREACHABLE, "a", &found), REFUSAL_NONE);
    assert_ptr_equal(found, s);
    assert_true(fleet_has(s, "b"));
    assert_int_equal(s->open, 0);
    assert_int_equal(s->returning, 10);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 503);
    fleet_hold(r, "b", s, 4);
    assert_int_equal(s->open, 4);
    assert_int_equal(s->returning, 6);
    recorder_free(r);
}

static void an_owner_that_only_one_could_not_reach_has_its_clients_still(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = recorder_shard(room_of(r, 1, 1), 0), *found;

    (void)state;
    fleet_hold(r, "a", s, 7);
    assert_int_equal(resolve(r, s->id, "b", RESOLVE_UNREACHABLE, "a", &found), REFUSAL_NONE);
    assert_int_equal(s->returning, 7);
    fleet_still(r, "a");
    assert_true(fleet_has(s, "b"));
    assert_int_equal(s->open, 7);
    assert_int_equal(s->returning, 0);
    recorder_free(r);
}

static void a_nodeless_shard_goes_to_who_asks(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = recorder_shard(recorder_room(r, "r", 1, NULL), 0), *found;

    (void)state;
    assert_int_equal(recorder_report(r, s->id, 1, NULL), 200); /* somebody serves it */
    fleet_join(r, "a");
    fleet_join(r, "b");
    assert_true(fleet_has(s, NULL));
    assert_int_equal(resolve(r, s->id, "b", RESOLVE_UNKNOWN, "", &found), REFUSAL_NONE);
    assert_true(fleet_has(s, "b"));
    recorder_free(r);
}

static void whoever_cannot_come_in_goes_to_another_shard_of_the_room(void **state)
{
    static const struct {
        const char *status; /* of the first shard */
        unsigned open;
        enum resolve_reason reason;
        unsigned shards, max;
        int found; /* which, 2: a new one, -1: none */
    } rows[] = {
        {"draining", 1, RESOLVE_UNKNOWN, 2, 2, 1},    {"draining", 1, RESOLVE_UNKNOWN, 1, 1, -1},
        {"draining", 1, RESOLVE_UNKNOWN, 1, 2, 2},    {"active", 10, RESOLVE_UNKNOWN, 2, 2, 0},
        {"active", 10, RESOLVE_FULL, 2, 2, 1},        {"active", 9, RESOLVE_FULL, 2, 2, 1},
        {"active", 9, RESOLVE_FULL, 1, 1, -1},        {"active", 9, RESOLVE_UNKNOWN, 2, 2, 0},
        {"maintenance", 1, RESOLVE_UNKNOWN, 2, 2, 0}, {"maintenance", 1, RESOLVE_DRAINING, 2, 2, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct recorder *r = fleet_new(TTL_MS);
        struct room *room = room_of(r, rows[i].shards, rows[i].max);
        struct shard *first = recorder_shard(room, 0), *found, *want = NULL;
        enum refusal why;
        fleet_hold(r, "a", first, rows[i].open);
        recorder_report(r, first->id, rows[i].open, rows[i].status);
        why = resolve(r, first->id, "a", rows[i].reason, "", &found);
        if (rows[i].found >= 0)
            want = recorder_shard(room, rows[i].found == 2 ? 1 : (unsigned)rows[i].found);
        if (found != want || (why == REFUSAL_NONE) != (want != NULL))
            fail_msg("row %zu: %s", i, refusal_name(why));
        if (want != NULL)
            assert_int_equal(want->reserved, want == first ? 0 : 1);
        assert_false(first->passed_over);
        recorder_free(r);
    }
}

static void a_promised_or_kept_seat_does_not_send_its_client_away(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = recorder_shard(room_of(r, 1, 1), 0), *found;

    (void)state;
    fleet_hold(r, "a", s, 9);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 200);
    assert_int_equal(shard_used(s), s->max);
    assert_int_equal(resolve(r, s->id, "b", RESOLVE_UNKNOWN, "", &found), REFUSAL_NONE);
    assert_ptr_equal(found, s);
    fleet_pass(r, FLEET_DEAD_MS, "b");
    assert_int_equal(s->returning, 9);
    assert_int_equal(resolve(r, s->id, "b", RESOLVE_UNKNOWN, "", &found), REFUSAL_NONE);
    assert_ptr_equal(found, s);
    recorder_free(r);
}

static void a_removed_shard_leads_to_another_of_its_room_for_a_day(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct room *room = room_of(r, 2, 2);
    struct span id = recorder_shard(room, 0)->id;
    char *gone = xspandup(id);
    size_t len = id.len;
    struct shard *found;

    (void)state;
    assert_int_equal(recorder_report(r, id, 0, "draining"), 200);
    assert_int_equal(room_shards(room), 1);
    assert_int_equal(resolve(r, span_of(gone, len), "b", RESOLVE_UNKNOWN, "", &found),
                     REFUSAL_NONE);
    assert_ptr_equal(found, recorder_shard(room, 0));
    retired_expire(&r->core.registry, fleet_world(r), r->now.wall_ms + RETIRED_MS - 1);
    assert_true(retired_has(&fleet_world(r)->retired, span_of(gone, len)));
    retired_expire(&r->core.registry, fleet_world(r), r->now.wall_ms + RETIRED_MS);
    assert_int_equal(resolve(r, span_of(gone, len), "b", RESOLVE_UNKNOWN, "", &found),
                     REFUSAL_SHARD_MISSING);
    free(gone);
    recorder_free(r);
}

static void unknown_ids_and_worlds_are_missing(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *found;

    (void)state;
    assert_int_equal(
        resolve(r, SPAN("x:world-a:1760000000000-1"), "a", RESOLVE_UNKNOWN, "", &found),
        REFUSAL_SHARD_MISSING);
    fleet_join(r, "a");
    assert_int_equal(resolve(r, SPAN("__proto__"), "a", RESOLVE_UNKNOWN, "", &found),
                     REFUSAL_SHARD_MISSING);
    assert_int_equal(r->core.registry.node_stats.resolves[RESOLVED_MISSING], 2);
    recorder_free(r);
}

static void retired_ids_are_bounded_and_the_oldest_go_first(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct world *w = registry_make_world(&r->core.registry, SPAN("world-a"));
    char id[32];

    (void)state;
    for (int i = 0; i <= RETIRED_MAX; i++) {
        (void)snprintf(id, sizeof(id), "id-%d", i);
        retired_restore(&w->retired, span_str(id), 1000 + i);
    }
    retired_add(&r->core.registry, w, SPAN("last"), 200000);
    assert_int_equal(w->retired.count, RETIRED_MAX + 1);
    assert_false(retired_has(&w->retired, SPAN("id-0")));
    assert_true(retired_has(&w->retired, SPAN("id-1")));
    assert_string_equal(r->records[(r->record_count - 1) % RECORDED_MAX].value,
                        "{\"until\":200000}");
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shard_of_a_live_node_is_there),
        cmocka_unit_test(who_cannot_reach_the_owner_becomes_the_owner),
        cmocka_unit_test(an_unreachable_owner_is_left_however_free_it_is),
        cmocka_unit_test(without_another_node_an_unreachable_shard_has_none),
        cmocka_unit_test(a_shard_of_a_suspect_node_moves_to_who_asks),
        cmocka_unit_test(clients_of_a_full_shard_follow_it_when_its_node_is_lost),
        cmocka_unit_test(an_owner_that_only_one_could_not_reach_has_its_clients_still),
        cmocka_unit_test(a_nodeless_shard_goes_to_who_asks),
        cmocka_unit_test(whoever_cannot_come_in_goes_to_another_shard_of_the_room),
        cmocka_unit_test(a_promised_or_kept_seat_does_not_send_its_client_away),
        cmocka_unit_test(a_removed_shard_leads_to_another_of_its_room_for_a_day),
        cmocka_unit_test(unknown_ids_and_worlds_are_missing),
        cmocka_unit_test(retired_ids_are_bounded_and_the_oldest_go_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
