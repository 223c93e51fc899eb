#include "world/core/feed/overview.h"

#include "tests/unit/world/core/fleet.h"

#define A "/api/v1/worlds/world-a"

/* What the route says of world-a; the caller frees it. */
static json_t *fetch(struct recorder *r)
{
    json_t *doc;

    assert_int_equal(recorder_manage(r, NULL, "GET", A "/overview", NULL), 200);
    doc = json_decode(span_str(recorder_last(r)->body));
    assert_non_null(doc);
    return doc;
}

/* A number in it; `path` is a name, or two with a dot between them. */
static json_int_t number(const json_t *doc, const char *path)
{
    struct span rest = span_str(path), name;
    const json_t *at = doc;

    while (span_split(&rest, '.', &name)) {
        char text[64];
        (void)snprintf(text, sizeof(text), "%.*s", SPAN_ARG(name));
        at = json_object_get(at, text);
    }
    assert_true(json_is_number(at));
    return (json_int_t)json_number_value(at);
}

static json_int_t fetch_number(struct recorder *r, const char *path)
{
    json_t *doc = fetch(r);
    json_int_t n = number(doc, path);

    json_decref(doc);
    return n;
}

static void a_world_is_shown_in_sums(void **state)
{
    static const struct {
        const char *path;
        json_int_t value;
    } rows[] = {
        {"rooms", 2},
        {"shards.total", 3},
        {"shards.active", 2},
        {"shards.maintenance", 1},
        {"shards.draining", 0},
        {"nodes.alive", 1},
        {"nodes.expected", 0},
        {"nodes.draining", 1},
        {"connections", 7},
        {"reserved", 1},
        {"returning", 0},
        {"capacity", 30},
        {"placements", 1},
        {"refusals.room_missing", 1},
        {"process.placements", 1},
        {"process.refusals.room_missing", 1},
        {"process.lagMs", 12},
    };
    struct recorder *r = fleet_new(8000);
    struct room *room = recorder_room(r, "r", 2, NULL), *other = recorder_room(r, "s", 1, NULL);
    json_t *doc;

    (void)state;
    assert_int_equal(fleet_beat(r, &(struct said){.id = "a", .draining = true}, NULL, 0), 200);
    recorder_report(r, recorder_shard(room, 0)->id, 4, NULL);
    recorder_report(r, recorder_shard(other, 0)->id, 3, "maintenance");
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 200);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"x\",\"autoCreate\":false}"), 404);
    core_note_lag(&r->core, 12);
    doc = fetch(r);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (number(doc, rows[i].path) != rows[i].value)
            fail_msg("%s: %lld", rows[i].path, (long long)number(doc, rows[i].path));
    }
    json_decref(doc);
    recorder_free(r);
}

static void room_servers_are_counted_by_state(void **state)
{
    struct recorder *r = recorder_new_with("http://one:3000,http://two:3000");

    (void)state;
    (void)recorder_room(r, "r", 0, NULL);
    core_tick(&r->core, r->now);
    assert_int_equal(fetch_number(r, "servers.unknown"), 2);
    core_probed(&r->core, r->probed[0], true, r->now);
    core_probed(&r->core, r->probed[1], false, r->now);
    assert_int_equal(fetch_number(r, "servers.up"), 1);
    assert_int_equal(fetch_number(r, "servers.down"), 1);
    recorder_free(r);
}

/* ---- change */

static void it_changes_with_what_is_listed_and_only_then(void **state)
{
    static const struct {
        const char *method, *path, *body;
    } rows[] = {
        {"PUT", "/rooms/r", "{\"public\":false}"},
        {"POST", "/rooms/r/scale", "{\"target\":2}"},
        {"POST", "/rooms/r/scale", "{\"target\":1}"},
        {"PUT", "/rooms/r/bans/someone", "{\"seconds\":60}"},
        {"DELETE", "/rooms/r/bans/someone", NULL},
        {"POST", "/nodes/a/drain", NULL},
        {"POST", "/nodes/a/undrain", NULL},
        {"PUT", "/servers/http%3A%2F%2Fone%3A3000", NULL},
        {"PUT", "/servers/http%3A%2F%2Fone%3A3000", "{\"draining\":true}"},
        {"DELETE", "/servers/http%3A%2F%2Fone%3A3000", NULL},
        {"DELETE", "/rooms/r", NULL},
    };
    struct recorder *r = fleet_new(8000);
    json_int_t before;
    char path[128];

    (void)state;
    (void)fleet_join(r, "a");
    (void)recorder_room(r, "r", 1, NULL);
    before = fetch_number(r, "change");
    assert_int_equal(fetch_number(r, "change"), before);
    fleet_still(r, "a");
    assert_int_equal(fetch_number(r, "change"), before);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)snprintf(path, sizeof(path), A "%s", rows[i].path);
        assert_true(recorder_manage(r, NULL, rows[i].method, path, rows[i].body) < 300);
        if (fetch_number(r, "change") == before)
            fail_msg("row %zu", i);
        before = fetch_number(r, "change");
    }
    recorder_free(r);
}

static void it_changes_with_counts(void **state)
{
    struct recorder *r = fleet_new(8000);
    struct room *room;
    json_int_t before, after;

    (void)state;
    (void)fleet_join(r, "a");
    room = recorder_room(r, "r", 1, NULL);
    before = fetch_number(r, "change");
    fleet_hold(r, "a", recorder_shard(room, 0), 3);
    after = fetch_number(r, "change");
    assert_true(after > before);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 200);
    assert_true(fetch_number(r, "change") > after);
    recorder_free(r);
}

/* ---- as an event */

static struct handle open_stream(struct recorder *r, const char *query)
{
    char path[128];

    (void)snprintf(path, sizeof(path), A "/events%s", query);
    assert_int_equal(recorder_manage(r, NULL, "GET", path, NULL), 0);
    return r->stream;
}

/* How often the text was sent; then forgets what was. */
static unsigned count_sent(struct recorder *r, const char *text)
{
    unsigned count = 0;

    for (const char *at = r->streamed.data; r->streamed.len > 0 && (at = strstr(at, text)) != NULL;
         at++)
        count++;
    buf_reset(&r->streamed);
    return count;
}

static void readers_are_told_at_once_and_then_of_changes_once_a_second(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 1, NULL);

    (void)state;
    (void)open_stream(r, "?overview=1");
    assert_int_equal(count_sent(r, "event: overview\ndata: {\"world\":\"world-a\",\"now\":"), 1);
    recorder_pass(r, 1000);
    recorder_pass(r, 1000);
    assert_int_equal(count_sent(r, "event: overview"), 0);
    for (unsigned open = 1; open < 6; open++)
        recorder_report(r, recorder_shard(room, 0)->id, open, NULL);
    assert_int_equal(count_sent(r, "event: overview"), 0);
    recorder_pass(r, 1000);
    assert_non_null(strstr(r->streamed.data, "\"connections\":5,"));
    assert_int_equal(count_sent(r, "event: overview"), 1);
    recorder_free(r);
}

static void all_readers_are_told_of_one_look(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 1, NULL);
    struct world *w = room->world;

    (void)state;
    (void)open_stream(r, "?overview=1");
    (void)open_stream(r, "?overview=1");
    (void)open_stream(r, "");
    assert_int_equal(w->overview.readers, 2);
    assert_int_equal(count_sent(r, "event: overview"), 2);
    recorder_report(r, recorder_shard(room, 0)->id, 1, NULL);
    (void)open_stream(r, "?overview=1"); /* as the others were told */
    assert_null(strstr(r->streamed.data, "\"connections\":1,"));
    assert_int_equal(count_sent(r, "event: overview"), 1);
    recorder_pass(r, 1000);
    assert_int_equal(count_sent(r, "event: overview"), 3);
    recorder_free(r);
}

static void nothing_is_rendered_or_woken_without_readers(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 1, NULL);
    struct handle reader;
    int64_t looked;

    (void)state;
    (void)open_stream(r, "");
    reader = open_stream(r, "?overview=1");
    assert_true(r->wake_ms <= r->now.mono_ms + EVENTS_OVERVIEW_MS);
    core_stream_gone(&r->core, reader);
    assert_int_equal(r->core.events.overviews, 0);
    looked = room->world->overview.looked_ms;
    buf_reset(&r->streamed);
    for (int i = 0; i < 4; i++) {
        recorder_report(r, recorder_shard(room, 0)->id, (unsigned)i, NULL);
        r->now.mono_ms += 1000;
        core_tick(&r->core, r->now);
    }
    assert_int_equal(room->world->overview.looked_ms, looked);
    assert_int_equal(count_sent(r, "event: overview"), 0);
    recorder_free(r);
}

static void worlds_are_told_of_themselves_and_slow_readers_drop_out(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 1, NULL);

    (void)state;
    assert_int_equal(
        recorder_manage(r, TOKEN_ALL, "GET", "/api/v1/worlds/world-b/events?overview=1", NULL), 0);
    (void)open_stream(r, "?overview=1");
    (void)open_stream(r, "?overview=1");
    recorder_report(r, recorder_shard(room, 0)->id, 1, NULL);
    buf_reset(&r->streamed);
    recorder_pass(r, 1000);
    assert_int_equal(count_sent(r, "\"world\":\"world-a\""), 2);
    recorder_report(r, recorder_shard(room, 0)->id, 2, NULL);
    r->stream_slow = true;
    recorder_pass(r, 1000);
    assert_int_equal(room->world->overview.readers, 0);
    assert_int_equal(r->core.events.overviews, 1);
    assert_int_equal(r->core.events.count, 1);
    recorder_free(r);
}

static void a_flag_that_is_none_is_told(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    assert_int_equal(recorder_manage(r, NULL, "GET", A "/events?overview=yes", NULL), 400);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_world_is_shown_in_sums),
        cmocka_unit_test(room_servers_are_counted_by_state),
        cmocka_unit_test(it_changes_with_what_is_listed_and_only_then),
        cmocka_unit_test(it_changes_with_counts),
        cmocka_unit_test(readers_are_told_at_once_and_then_of_changes_once_a_second),
        cmocka_unit_test(all_readers_are_told_of_one_look),
        cmocka_unit_test(nothing_is_rendered_or_woken_without_readers),
        cmocka_unit_test(worlds_are_told_of_themselves_and_slow_readers_drop_out),
        cmocka_unit_test(a_flag_that_is_none_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
