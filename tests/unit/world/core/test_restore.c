#include "common/base/log.h"
#include "common/proto/shard_id.h"
#include "recorder.h"

/* Hands what one core has stored to another, as a store would; values only, in order. */
static void carry_over(const struct recorder *from, struct recorder *to)
{
    for (int kind = 0; kind < RECORD_COUNT; kind++) {
        for (size_t i = 0; i < from->record_count; i++) {
            const struct recorded_record *r = &from->records[i];
            struct record record = {r->kind, span_str(r->world), span_str(r->key),
                                    span_str(r->value)};
            if ((int)r->kind == kind)
                assert_int_equal(core_restore(&to->core, &record, to->now), ERR_OK);
        }
    }
}

static struct room *room_of(const struct recorder *r, const char *name)
{
    return world_room(registry_world(&r->core.registry, SPAN("world-a")), span_str(name));
}

static void a_registry_comes_back_in_its_order(void **state)
{
    struct recorder *before = recorder_new(), *after = recorder_new();
    const struct room *was, *is;

    (void)state;
    (void)recorder_room(before, "b", 3, "least-connections");
    (void)recorder_room(before, "a", 2, NULL);
    carry_over(before, after);
    was = room_of(before, "b");
    is = room_of(after, "b");
    assert_non_null(is);
    assert_int_equal(is->settings.strategy, STRATEGY_LEAST_CONNECTIONS);
    assert_int_equal(room_shards(is), 3);
    for (unsigned n = 0; n < 3; n++) {
        assert_true(span_eq(recorder_shard(is, n)->id, recorder_shard(was, n)->id));
        assert_true(span_eq(recorder_shard(is, n)->url, recorder_shard(was, n)->url));
        assert_int_equal(recorder_shard(is, n)->max, 10);
    }
    assert_true(is->node.next == &room_of(after, "a")->node);
    assert_int_equal(after->core.registry.shard_count, 5);
    assert_int_equal(after->record_count, 0); /* nothing is stored again */
    assert_int_equal(after->core.stats.shards_created, 0);
    assert_int_equal(recorder_post(after, "/connect", "{\"roomId\":\"a\"}"), 200);
    recorder_free(before);
    recorder_free(after);
}

static void ids_do_not_repeat_when_the_clock_has_gone_back(void **state)
{
    struct recorder *before = recorder_new(), *after = recorder_new();
    int64_t ms;

    (void)state;
    (void)recorder_room(before, "r", 2, NULL);
    carry_over(before, after);
    ms = shard_id_ms(recorder_shard(room_of(after, "r"), 1)->id);
    after->now.wall_ms -= 3600 * 1000;
    (void)recorder_room(after, "r", 3, NULL);
    assert_true(shard_id_ms(recorder_shard(room_of(after, "r"), 2)->id) > ms);
    recorder_free(before);
    recorder_free(after);
}

static void ids_start_behind_the_floor(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    r->core.registry.id_floor_ms = r->now.wall_ms + 5000;
    assert_int_equal(shard_id_ms(recorder_shard(recorder_room(r, "r", 1, NULL), 0)->id),
                     r->now.wall_ms + 5001);
    recorder_free(r);
}

static char logged[1024];

static void keep_log(const char *line, size_t len)
{
    (void)snprintf(logged, sizeof(logged), "%.*s", (int)len, line);
}

#define SHARD(room)                                                                                \
    SPAN_INIT("{\"roomId\":\"" room "\",\"url\":\"u\",\"maxConnections\":1,\"status\":"            \
              "\"active\"}")

static void what_cannot_be_used_is_named(void **state)
{
    static const struct {
        struct record record;
        const char *why;
    } rows[] = {
        {{RECORD_ROOM, SPAN_INIT("world-a"), SPAN_INIT("x"), SPAN_INIT("{}")}, "bad-value"},
        {{RECORD_ROOM, SPAN_INIT("moon-a"), SPAN_INIT("x"), SPAN_INIT("{}")}, "bad-world"},
        {{RECORD_SHARD, SPAN_INIT("world-a"), SPAN_INIT("k"), SPAN_INIT("{")}, "bad-value"},
        {{RECORD_SHARD, SPAN_INIT("world-a"), SPAN_INIT("k"), SHARD("none")}, "unknown-room"},
        {{RECORD_SHARD, SPAN_INIT("world-a"), SPAN_INIT("r:world-a:9999999999999-1"), SHARD("r")},
         "bad-key"},
    };
    struct recorder *r = recorder_new();

    (void)state;
    (void)recorder_room(r, "r", 1, NULL);
    log_open("test", LOG_INFO, LOG_JSON);
    log_capture(keep_log);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(core_restore(&r->core, &rows[i].record, r->now), ERR_SYNTAX);
        if (strstr(logged, rows[i].why) == NULL)
            fail_msg("row %zu: %s", i, logged);
    }
    log_capture(NULL);
    assert_int_equal(r->core.registry.shard_count, 1);
    recorder_free(r);
}

/* ---- counts */

static void a_changed_count_is_stored_after_some_seconds(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *shard = recorder_shard(recorder_room(r, "r", 1, NULL), 0);

    (void)state;
    for (unsigned open = 1; open <= 4; open++) {
        assert_int_equal(recorder_report(r, shard->id, open, NULL), 200);
        recorder_pass(r, 1000);
    }
    assert_int_equal(r->shards_put, 1);
    recorder_pass(r, 1000);
    assert_int_equal(r->shards_put, 2);
    assert_non_null(strstr(r->records[(r->record_count - 1) % RECORDED_MAX].value, "\"open\":4"));
    recorder_pass(r, 60 * 1000);
    assert_int_equal(r->shards_put, 2);
    recorder_free(r);
}

static void many_counts_are_spread_over_turns(void **state)
{
    enum { COUNT = CORE_COUNTS_MAX + 100 };
    struct recorder *r = recorder_new();
    const struct room *room;

    (void)state;
    r->settings.max_room_shards = COUNT;
    room = recorder_room(r, "r", COUNT, NULL);
    for (unsigned n = 0; n < COUNT; n++)
        assert_int_equal(recorder_report(r, recorder_shard(room, n)->id, 1, NULL), 200);
    r->shards_put = 0;
    recorder_pass(r, CORE_COUNTS_MS);
    assert_int_equal(r->shards_put, CORE_COUNTS_MAX);
    recorder_pass(r, CORE_COUNTS_GAP_MS);
    assert_int_equal(r->shards_put, COUNT);
    recorder_free(r);
}

static void counts_are_stored_at_the_end(void **state)
{
    struct recorder *r = recorder_new();
    const struct room *room = recorder_room(r, "r", 3, NULL);

    (void)state;
    (void)recorder_report(r, recorder_shard(room, 0)->id, 1, NULL);
    (void)recorder_report(r, recorder_shard(room, 2)->id, 2, NULL);
    core_store_counts(&r->core);
    assert_int_equal(r->shards_put, 5);
    core_store_counts(&r->core);
    assert_int_equal(r->shards_put, 5);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registry_comes_back_in_its_order),
        cmocka_unit_test(ids_do_not_repeat_when_the_clock_has_gone_back),
        cmocka_unit_test(ids_start_behind_the_floor),
        cmocka_unit_test(what_cannot_be_used_is_named),
        cmocka_unit_test(a_changed_count_is_stored_after_some_seconds),
        cmocka_unit_test(many_counts_are_spread_over_turns),
        cmocka_unit_test(counts_are_stored_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
