#include "world/core/feed/history.h"

#include "tests/unit/world/core/recorder.h"

#define A "/api/v1/worlds/world-a"

/* What the route says of world-a; the caller frees it. */
static json_t *fetch(struct recorder *r, const char *query)
{
    char path[128];
    json_t *doc;

    (void)snprintf(path, sizeof(path), A "/history%s", query);
    assert_int_equal(recorder_manage(r, NULL, "GET", path, NULL), 200);
    doc = json_decode(span_str(recorder_last(r)->body));
    assert_non_null(doc);
    return doc;
}

static json_int_t at(const json_t *doc, const char *name, size_t i)
{
    const json_t *list = json_object_get(doc, name);

    assert_true(i < json_array_size(list));
    return (json_int_t)json_number_value(json_array_get(list, i));
}

static size_t steps_of(const json_t *doc)
{
    return json_array_size(json_object_get(doc, "connections"));
}

/* Time passes tick by tick. */
static void pass(struct recorder *r, int64_t ms)
{
    for (; ms > 0; ms -= 250)
        recorder_pass(r, 250);
}

static void a_world_without_rooms_has_no_steps(void **state)
{
    struct recorder *r = recorder_new();
    json_t *doc = fetch(r, "");

    (void)state;
    assert_int_equal(steps_of(doc), 0);
    assert_int_equal((json_int_t)json_number_value(json_object_get(doc, "stepMs")),
                     HISTORY_STEP_MS);
    assert_int_equal((json_int_t)json_number_value(json_object_get(doc, "from")), r->now.wall_ms);
    json_decref(doc);
    recorder_free(r);
}

static void steps_tell_what_was_held_and_what_happened(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 1, NULL);
    json_t *doc, *refusals;
    int64_t first;

    (void)state;
    recorder_report(r, recorder_shard(room, 0)->id, 3, NULL);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 200);
    core_note_lag(&r->core, 17);
    core_note_lag(&r->core, 4);
    pass(r, HISTORY_STEP_MS);
    first = r->now.wall_ms;
    recorder_report(r, recorder_shard(room, 0)->id, 5, NULL);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"none\",\"autoCreate\":false}"),
                     404);
    pass(r, HISTORY_STEP_MS);
    doc = fetch(r, "");
    assert_int_equal(steps_of(doc), 2);
    assert_int_equal((json_int_t)json_number_value(json_object_get(doc, "from")), first);
    assert_int_equal(at(doc, "connections", 0), 3);
    assert_int_equal(at(doc, "connections", 1), 5);
    assert_int_equal(at(doc, "capacity", 1), recorder_shard(room, 0)->max);
    assert_int_equal(at(doc, "placements", 0), 1);
    assert_int_equal(at(doc, "placements", 1), 0);
    assert_int_equal(at(doc, "lagMs", 0), 17);
    assert_int_equal(at(doc, "lagMs", 1), 0);
    refusals = json_object_get(doc, "refusals");
    assert_int_equal(json_object_size(refusals), 1);
    assert_int_equal(at(refusals, refusal_name(REFUSAL_ROOM_MISSING), 0), 0);
    assert_int_equal(at(refusals, refusal_name(REFUSAL_ROOM_MISSING), 1), 1);
    json_decref(doc);
    recorder_free(r);
}

static void as_many_steps_are_told_as_were_asked_for(void **state)
{
    static const struct {
        const char *query;
        size_t steps;
    } rows[] = {{"?seconds=5", 1}, {"?seconds=14", 2}, {"?seconds=3600", 4}, {"", 4}};
    struct recorder *r = recorder_new();

    (void)state;
    (void)recorder_room(r, "r", 1, NULL);
    pass(r, 4 * HISTORY_STEP_MS);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *doc = fetch(r, rows[i].query);
        assert_int_equal(steps_of(doc), rows[i].steps);
        json_decref(doc);
    }
    assert_int_equal(recorder_manage(r, NULL, "GET", A "/history?seconds=4", NULL), 400);
    assert_int_equal(recorder_manage(r, NULL, "GET", A "/history?seconds=3601", NULL), 400);
    recorder_free(r);
}

static void the_oldest_steps_are_forgotten(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 1, NULL);
    json_t *doc;

    (void)state;
    recorder_report(r, recorder_shard(room, 0)->id, 1, NULL);
    pass(r, HISTORY_STEP_MS);
    for (int i = 0; i < HISTORY_STEPS; i++) {
        recorder_report(r, recorder_shard(room, 0)->id, 2, NULL);
        pass(r, HISTORY_STEP_MS);
    }
    doc = fetch(r, "");
    assert_int_equal(steps_of(doc), HISTORY_STEPS);
    assert_int_equal(at(doc, "connections", 0), 2);
    assert_int_equal((json_int_t)json_number_value(json_object_get(doc, "from")),
                     r->core.registry.histories.sampled.wall_ms -
                         (int64_t)(HISTORY_STEPS - 1) * HISTORY_STEP_MS);
    json_decref(doc);
    recorder_free(r);
}

static void what_the_process_slept_through_is_steps_without_events(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 1, NULL);
    json_t *doc;

    (void)state;
    recorder_report(r, recorder_shard(room, 0)->id, 3, NULL);
    pass(r, HISTORY_STEP_MS);
    recorder_pass(r, 4 * HISTORY_STEP_MS);
    doc = fetch(r, "");
    assert_int_equal(steps_of(doc), 5);
    assert_int_equal(at(doc, "connections", 3), 3);
    json_decref(doc);
    recorder_free(r);
}

/* Rooms are made in that many worlds, in their order. */
static void fill(struct recorder *r, unsigned worlds)
{
    char path[96];

    for (unsigned i = 0; i < worlds; i++) {
        (void)snprintf(path, sizeof(path), "/api/v1/worlds/world-%u/rooms/r", i);
        assert_int_equal(recorder_manage(r, TOKEN_ALL, "PUT", path, NULL), 201);
    }
}

static void ask(struct recorder *r, unsigned world)
{
    char path[96];

    (void)snprintf(path, sizeof(path), "/api/v1/worlds/world-%u/history", world);
    assert_int_equal(recorder_manage(r, TOKEN_ALL, "GET", path, NULL), 200);
}

static bool has(struct recorder *r, unsigned world)
{
    char id[32];

    (void)snprintf(id, sizeof(id), "world-%u", world);
    return registry_world(&r->core.registry, span_str(id))->history != NULL;
}

static void so_many_worlds_have_one_and_those_asked_for_last_keep_it(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    fill(r, HISTORIES_MAX + 2);
    assert_int_equal(r->core.registry.histories.count, HISTORIES_MAX);
    assert_true(has(r, 0));
    assert_false(has(r, HISTORIES_MAX));
    for (unsigned i = 0; i < HISTORIES_MAX; i++)
        ask(r, i);
    ask(r, 0);
    ask(r, HISTORIES_MAX);     /* in the place of 1, */
    ask(r, HISTORIES_MAX + 1); /* and of 2 */
    assert_true(has(r, 0));
    assert_false(has(r, 1));
    assert_false(has(r, 2));
    assert_true(has(r, 3));
    assert_true(has(r, HISTORIES_MAX + 1));
    assert_int_equal(r->core.registry.histories.count, HISTORIES_MAX);
    recorder_free(r);
}

static void nothing_is_woken_for_it(void **state)
{
    struct recorder *r = recorder_new();
    int64_t due;

    (void)state;
    recorder_pass(r, 0);
    due = r->core.hush_ms;
    (void)recorder_room(r, "r", 0, NULL);
    json_decref(fetch(r, ""));
    core_wake(&r->core);
    assert_int_equal(r->wake_ms, due);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_world_without_rooms_has_no_steps),
        cmocka_unit_test(steps_tell_what_was_held_and_what_happened),
        cmocka_unit_test(as_many_steps_are_told_as_were_asked_for),
        cmocka_unit_test(the_oldest_steps_are_forgotten),
        cmocka_unit_test(what_the_process_slept_through_is_steps_without_events),
        cmocka_unit_test(so_many_worlds_have_one_and_those_asked_for_last_keep_it),
        cmocka_unit_test(nothing_is_woken_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
