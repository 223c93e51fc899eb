/* What a world finds about its nodes and room servers. */
#include "world/core/findings/world_findings.h"

#include "tests/unit/world/core/fleet.h"

static const struct finding *found(const struct recorder *r, enum finding_check check,
                                   const char *subject)
{
    return findings_get(&fleet_world(r)->findings, check, span_str(subject));
}

static void assert_detail(const struct finding *f, const char *want)
{
    assert_non_null(f);
    if (!span_eq(f->detail, span_str(want)))
        fail_msg("got %.*s, want %s", SPAN_ARG(f->detail), want);
}

/* A beat of a node whose clock is so far off. */
static void beat_off(struct recorder *r, int64_t off_ms)
{
    struct said said = {.id = "a", .now_ms = r->now.wall_ms + off_ms};

    assert_int_equal(fleet_beat(r, &said, NULL, 0), 200);
}

static void a_clock_that_is_ahead_is_found_at_once(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    beat_off(r, FINDINGS_CLOCK_MS);
    assert_null(found(r, FINDING_CLOCK, "a"));
    beat_off(r, 120400);
    assert_detail(found(r, FINDING_CLOCK, "a"), "120 seconds ahead of the world's");
    uint64_t version = fleet_world(r)->findings.version;
    beat_off(r, 121900); /* no news */
    assert_int_equal(fleet_world(r)->findings.version, version);
    beat_off(r, 130000);
    assert_detail(found(r, FINDING_CLOCK, "a"), "130 seconds ahead of the world's");
    beat_off(r, -4000);
    assert_null(found(r, FINDING_CLOCK, "a"));
    recorder_free(r);
}

static void a_clock_that_had_no_room_is_found_when_there_is_some(void **state)
{
    struct recorder *r = fleet_new(0);
    struct said said = {.id = "b", .now_ms = r->now.wall_ms + 60000};
    char id[] = "n00";

    (void)state;
    beat_off(r, 60000);
    for (int i = 1; i < FINDINGS_OF_CHECK_MAX; i++) {
        id[2] = (char)('0' + i % 10);
        id[1] = (char)('0' + i / 10);
        assert_int_equal(fleet_beat(r, &(struct said){.id = id, .now_ms = said.now_ms}, NULL, 0),
                         200);
    }
    assert_int_equal(fleet_beat(r, &said, NULL, 0), 200);
    assert_null(found(r, FINDING_CLOCK, "b"));
    beat_off(r, 0);
    assert_int_equal(fleet_beat(r, &said, NULL, 0), 200);
    assert_non_null(found(r, FINDING_CLOCK, "b"));
    recorder_free(r);
}

static void a_late_beat_is_no_clock_that_is_behind(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    beat_off(r, -7000);
    beat_off(r, -6500); /* several at once, after a pause */
    assert_null(found(r, FINDING_CLOCK, "a"));
    beat_off(r, -10);
    recorder_pass(r, FINDINGS_LATE_MS);
    beat_off(r, -7000);
    assert_null(found(r, FINDING_CLOCK, "a"));
    recorder_pass(r, FINDINGS_LATE_MS);
    beat_off(r, -7000);
    assert_detail(found(r, FINDING_CLOCK, "a"), "7 seconds behind the world's");
    recorder_free(r);
}

static void a_node_that_tells_no_clock_has_none(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    (void)fleet_join(r, "a");
    assert_int_equal(fleet_world(r)->findings.count, 0);
    recorder_free(r);
}

static void versions_may_be_one_minor_apart(void **state)
{
    static const struct {
        const char *version;
        bool far;
    } rows[] = {{"0.0.9", false}, {"0.1.0", false}, {"0.2.7", false}, {"0.3.0", true},
                {"1.1.0", true},  {"", false},      {"x.y", false},   {"1", false}};
    struct recorder *r = fleet_new(0);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct said said = {.id = "a", .version = rows[i].version};
        assert_int_equal(fleet_beat(r, &said, NULL, 0), 200);
        if ((found(r, FINDING_NODE_VERSION, "a") != NULL) != rows[i].far)
            fail_msg("%s", rows[i].version);
    }
    recorder_free(r);
}

static void two_nodes_of_one_id_are_found(void **state)
{
    struct recorder *r = fleet_new(0);
    struct said early = {.id = "a", .epoch = 100, .url = "http://early"};
    struct said late = {.id = "a", .epoch = 200, .url = "http://late"};

    (void)state;
    assert_int_equal(fleet_beat(r, &early, NULL, 0), 200);
    assert_int_equal(fleet_beat(r, &late, NULL, 0), 200);
    assert_null(found(r, FINDING_NODE_ID, "a")); /* it may have been restarted */
    assert_int_equal(fleet_beat(r, &early, NULL, 0), 409);
    assert_detail(found(r, FINDING_NODE_ID, "a"), "http://late and http://early");
    recorder_free(r);
}

static void a_beat_that_comes_twice_is_no_second_node(void **state)
{
    struct recorder *r = fleet_new(0);
    struct said said = {.id = "a", .epoch = 100, .seq = 7};

    (void)state;
    assert_int_equal(fleet_beat(r, &said, NULL, 0), 200);
    assert_int_equal(fleet_beat(r, &said, NULL, 0), 409);
    assert_null(found(r, FINDING_NODE_ID, "a"));
    recorder_free(r);
}

static void a_late_beat_of_one_that_died_is_no_second_node(void **state)
{
    struct recorder *r = fleet_new(0);
    struct said early = {.id = "a", .epoch = 100}, late = {.id = "a", .epoch = 200};

    (void)state;
    assert_int_equal(fleet_beat(r, &late, NULL, 0), 200);
    fleet_pass(r, FLEET_SUSPECT_MS + 500, NULL);
    assert_int_equal(fleet_beat(r, &early, NULL, 0), 409);
    assert_null(found(r, FINDING_NODE_ID, "a"));
    recorder_free(r);
}

static void a_second_node_is_told_for_a_while(void **state)
{
    struct recorder *r = fleet_new(0);
    struct said early = {.id = "a", .epoch = 100}, late = {.id = "a", .epoch = 200};

    (void)state;
    assert_int_equal(fleet_beat(r, &late, NULL, 0), 200);
    assert_int_equal(fleet_beat(r, &early, NULL, 0), 409);
    r->core.registry.beat_ms = FINDINGS_TWIN_MS; /* it does not die meanwhile */
    recorder_pass(r, FINDINGS_TWIN_MS - FINDINGS_TICK_MS);
    core_tick(&r->core, r->now);
    assert_non_null(found(r, FINDING_NODE_ID, "a"));
    recorder_pass(r, FINDINGS_TICK_MS);
    core_tick(&r->core, r->now);
    assert_null(found(r, FINDING_NODE_ID, "a"));
    recorder_free(r);
}

static void a_lost_node_is_found_until_it_is_back(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    (void)fleet_join(r, "a");
    (void)recorder_room(r, "r", 2, NULL);
    fleet_pass(r, FLEET_DEAD_MS - 2000, NULL);
    assert_null(found(r, FINDING_NODE_LOST, "a"));
    fleet_pass(r, 4000, NULL);
    assert_detail(found(r, FINDING_NODE_LOST, "a"),
                  "http://node.internal: shards that wait for another node: 2");
    (void)fleet_join(r, "a");
    fleet_pass(r, 1500, "a");
    assert_null(found(r, FINDING_NODE_LOST, "a"));
    recorder_free(r);
}

static void what_is_said_of_a_node_goes_with_it(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    beat_off(r, 60000);
    (void)fleet_join(r, "b");
    assert_int_equal(fleet_beat(r, &(struct said){.id = "a", .gone = true}, NULL, 0), 200);
    fleet_pass(r, 1500, "b");
    assert_null(fleet_node(r, "a"));
    assert_int_equal(fleet_world(r)->findings.count, 0);
    recorder_free(r);
}

static void a_server_that_is_down_is_found_until_it_is_up(void **state)
{
    struct recorder *r = recorder_new_with("http://rooms:3000");
    size_t answered = 0;

    (void)state;
    (void)recorder_room(r, "r", 0, NULL);
    for (int i = 0; i < 2; i++) {
        bool good = i == 1;
        fleet_pass(r, 5000, NULL);
        for (; answered < r->probe_count; answered++)
            core_probed(&r->core, r->probed[answered], good, r->now);
        fleet_pass(r, 1500, NULL);
        if (good)
            assert_null(found(r, FINDING_SERVER_DOWN, "http://rooms:3000"));
        else
            assert_detail(found(r, FINDING_SERVER_DOWN, "http://rooms:3000"), "rooms on it: 1");
    }
    recorder_free(r);
}

static void what_nodes_tell_is_kept_until_they_tell_anew(void **state)
{
    struct recorder *r = fleet_new(0);
    struct said said = {.id = "a",
                        .findings = "[{\"check\":\"room-secret\",\"subject\":\"http://r\"}]"};
    size_t counts[FINDING_LEVEL_COUNT] = {0};

    (void)state;
    assert_int_equal(fleet_beat(r, &said, NULL, 0), 200);
    fleet_still(r, "a");
    struct node *n = fleet_node(r, "a");
    assert_true(n->tells_findings);
    assert_non_null(findings_get(&n->findings, FINDING_ROOM_SECRET, SPAN("http://r")));
    world_findings_levels(fleet_world(r), counts);
    assert_int_equal(counts[FINDING_ERROR], 1);
    said.findings = "[]";
    assert_int_equal(fleet_beat(r, &said, NULL, 0), 200);
    assert_int_equal(n->findings.count, 0);
    said.findings = "[{}]";
    assert_int_equal(fleet_beat(r, &said, NULL, 0), 400);
    recorder_free(r);
}

static void a_node_that_was_restarted_tells_its_own(void **state)
{
    struct recorder *r = fleet_new(0);
    struct said said = {.id = "a", .findings = "[{\"check\":\"descriptors\"}]", .checkup = 9};

    (void)state;
    assert_int_equal(fleet_beat(r, &said, NULL, 0), 200);
    assert_int_equal(fleet_node(r, "a")->checkup, 9);
    said = (struct said){.id = "a", .epoch = 500};
    assert_int_equal(fleet_beat(r, &said, NULL, 0), 200);
    struct node *n = fleet_node(r, "a");
    assert_false(n->tells_findings);
    assert_int_equal(n->findings.count, 0);
    assert_int_equal(n->checkup, 0);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_is_ahead_is_found_at_once),
        cmocka_unit_test(a_clock_that_had_no_room_is_found_when_there_is_some),
        cmocka_unit_test(a_late_beat_is_no_clock_that_is_behind),
        cmocka_unit_test(a_node_that_tells_no_clock_has_none),
        cmocka_unit_test(versions_may_be_one_minor_apart),
        cmocka_unit_test(two_nodes_of_one_id_are_found),
        cmocka_unit_test(a_beat_that_comes_twice_is_no_second_node),
        cmocka_unit_test(a_late_beat_of_one_that_died_is_no_second_node),
        cmocka_unit_test(a_second_node_is_told_for_a_while),
        cmocka_unit_test(a_lost_node_is_found_until_it_is_back),
        cmocka_unit_test(what_is_said_of_a_node_goes_with_it),
        cmocka_unit_test(a_server_that_is_down_is_found_until_it_is_up),
        cmocka_unit_test(what_nodes_tell_is_kept_until_they_tell_anew),
        cmocka_unit_test(a_node_that_was_restarted_tells_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
