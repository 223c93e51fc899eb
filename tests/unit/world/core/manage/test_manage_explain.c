#include "tests/unit/world/core/recorder.h"

#include "common/base/json.h"

#define A "/api/v1/worlds/world-a"

static json_t *get(struct recorder *r, const char *path)
{
    json_t *doc;

    assert_int_equal(recorder_manage(r, NULL, "GET", path, NULL), 200);
    doc = json_decode(span_str(recorder_last(r)->body));
    assert_non_null(doc);
    return doc;
}

static const char *text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* Whatever the strategy, what is foretold is what happens, and foretelling changes nothing. */
static void what_is_explained_is_what_happens(void **state)
{
    (void)state;
    for (size_t strategy = 0; strategy < STRATEGY_COUNT; strategy++) {
        struct recorder *r = recorder_new();
        (void)recorder_room(r, "r", 5, strategy_names[strategy]);
        for (unsigned i = 0; i < 12; i++) {
            json_t *first = get(r, A "/rooms/r/explain?session=p");
            json_t *second = get(r, A "/rooms/r/explain?session=p");
            assert_true(json_equal(first, second));
            assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\",\"session\":\"p\"}"),
                             200);
            assert_non_null(strstr(recorder_last(r)->body, text(first, "chosen")));
            json_decref(first);
            json_decref(second);
        }
        recorder_free(r);
    }
}

static void each_candidate_has_its_reason(void **state)
{
    static const char *const reasons[] = {"full", "draining", "maintenance", NULL};
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 4, NULL);
    const json_t *items;
    json_t *doc;

    (void)state;
    recorder_report(r, recorder_shard(room, 0)->id, 10, NULL);
    recorder_report(r, recorder_shard(room, 1)->id, 1, "draining");
    recorder_report(r, recorder_shard(room, 2)->id, 1, "maintenance");
    doc = get(r, A "/rooms/r/explain");
    items = json_object_get(doc, "items");
    for (size_t i = 0; i < 4; i++) {
        const json_t *item = json_array_get(items, i);
        assert_int_equal(json_is_true(json_object_get(item, "selectable")), reasons[i] == NULL);
        if (reasons[i] != NULL)
            assert_string_equal(text(item, "reason"), reasons[i]);
    }
    assert_string_equal(text(doc, "chosen"), text(json_array_get(items, 3), "shardId"));
    json_decref(doc);
    recorder_free(r);
}

static void a_full_room_is_explained(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 1, NULL);
    json_t *doc;

    (void)state;
    recorder_report(r, recorder_shard(room, 0)->id, 10, NULL);
    doc = get(r, A "/rooms/r/explain");
    assert_true(json_is_null(json_object_get(doc, "chosen")));
    assert_string_equal(text(doc, "why"), "none is selectable: autoCreate makes a shard");
    json_decref(doc);
    r->settings.max_room_shards = 1;
    doc = get(r, A "/rooms/r/explain");
    assert_string_equal(text(doc, "why"), "full");
    json_decref(doc);
    assert_int_equal(recorder_manage(r, NULL, "GET", A "/rooms/x/explain", NULL), 404);
    recorder_free(r);
}

static void seats_are_shown_with_their_ages(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 1, NULL);
    struct shard *s = recorder_shard(room, 0);
    char path[256];

    (void)state;
    r->settings.seat_ttl_ms = r->core.registry.seat_ttl_ms = 15000;
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 200);
    recorder_pass(r, 4000);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 200);
    (void)snprintf(path, sizeof(path), A "/shards/%.*s/seats", SPAN_ARG(s->id));
    assert_int_equal(recorder_manage(r, NULL, "GET", path, NULL), 200);
    assert_non_null(
        strstr(recorder_last(r)->body,
               "\"open\":0,\"reserved\":2,\"returning\":0,\"maxConnections\":10,"
               "\"free\":8,\"promises\":[{\"count\":1,\"ageMs\":4000,\"endsInMs\":11000}"
               ",{\"count\":1,\"ageMs\":0,\"endsInMs\":15000}],\"kept\":0,\"nodes\":[]}"));
    assert_int_equal(recorder_manage(r, NULL, "GET", A "/shards/x/seats", NULL), 404);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_explained_is_what_happens),
        cmocka_unit_test(each_candidate_has_its_reason),
        cmocka_unit_test(a_full_room_is_explained),
        cmocka_unit_test(seats_are_shown_with_their_ages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
