#include "world/core/rooms/registry.h"
#include "world/core/rooms/scale.h"
#include "world/core/rooms/shards.h"

#include "tests/unit/world/core/recorder.h"

#include "common/proto/shard_id.h"

static void ids_never_repeat_however_many_in_a_millisecond(void **state)
{
    enum { COUNT = 25000 };
    struct recorder *r = recorder_new();
    struct registry *registry = &r->core.registry;
    struct room *room = recorder_room(r, "a:b", 0, NULL);
    char first[64];

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        struct shard *s = registry_add_shard(registry, room, (struct span){0}, 0, r->now);
        struct shard_id id = shard_id_parse(s->id);
        assert_true(span_eq(id.room, SPAN("a:b")));
        assert_true(span_eq(id.world, SPAN("world-a")));
        assert_true(span_eq(s->url, s->id));
        if (i == 0)
            (void)snprintf(first, sizeof(first), "%.*s", SPAN_ARG(s->id));
    }
    /* map_add asserts that an id is new. 10 000 fit into a millisecond. */
    assert_int_equal(room_shards(room), COUNT);
    assert_int_equal(room->world->id_ms, r->now.wall_ms + 2);
    assert_true(span_starts(span_str(first), SPAN("a:b:world-a:1760000000000-")));
    recorder_free(r);
}

static void ids_go_on_when_the_clock_is_set_back(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 1, NULL);
    struct moment earlier = {.mono_ms = r->now.mono_ms, .wall_ms = r->now.wall_ms - 60000};
    struct shard *s;

    (void)state;
    s = registry_add_shard(&r->core.registry, room, (struct span){0}, 0, earlier);
    assert_true(span_starts(s->id, SPAN("r:world-a:1760000000000-")));
    assert_int_equal(s->heartbeat_ms, earlier.wall_ms);
    recorder_free(r);
}

static void scaling_down_gives_up_draining_then_emptiest_then_oldest(void **state)
{
    /* What each shard holds before ('d': and is draining), and what is left of it: '-' gone,
     * 'd' draining, 'a' active. */
    static const struct {
        unsigned open[4];
        const char *before;
        uint32_t target;
        const char *after;
    } rows[] = {
        {{0, 0, 0, 0}, "aaaa", 1, "---a"}, {{0, 5, 0, 7}, "aaaa", 1, "-d-a"},
        {{3, 2, 1, 4}, "aaaa", 2, "adda"}, {{2, 2, 2, 2}, "aaaa", 3, "daaa"},
        {{9, 1, 1, 9}, "daaa", 3, "daaa"}, {{9, 1, 1, 9}, "daad", 3, "daad"},
        {{9, 1, 1, 9}, "daaa", 2, "ddaa"}, {{1, 1, 1, 1}, "aaaa", 4, "aaaa"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct recorder *r = recorder_new();
        struct room *room = recorder_room(r, "r", 4, NULL);
        struct span ids[4];

        for (unsigned n = 0; n < 4; n++) {
            struct shard *s = recorder_shard(room, n);
            ids[n] = span_of(xspandup(s->id), s->id.len);
            recorder_report(r, s->id, rows[i].open[n],
                            rows[i].before[n] == 'd' ? "draining" : "active");
        }
        registry_scale_down(&r->core.registry, room, rows[i].target, &(struct order_drain){0},
                            r->now);
        for (unsigned n = 0; n < 4; n++) {
            const struct shard *s = world_shard(room->world, ids[n]);
            char is = s == NULL ? '-' : (s->status == SHARD_DRAINING ? 'd' : 'a');
            if (is != rows[i].after[n])
                fail_msg("row %zu, shard %u: %c", i, n, is);
            free((void *)(uintptr_t)ids[n].ptr);
        }
        recorder_free(r);
    }
}

static void a_draining_shard_goes_with_its_last_client(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 2, NULL);
    char id[64];

    (void)state;
    (void)snprintf(id, sizeof(id), "%.*s", SPAN_ARG(recorder_shard(room, 0)->id));
    assert_int_equal(recorder_report(r, span_str(id), 3, "draining"), 200);
    assert_int_equal(recorder_report(r, span_str(id), 1, NULL), 200);
    assert_int_equal(room->by_status[SHARD_DRAINING], 1);
    assert_int_equal(recorder_report(r, span_str(id), 0, NULL), 200);
    assert_int_equal(recorder_report(r, span_str(id), 0, NULL), 404);
    assert_int_equal(room_shards(room), 1);
    assert_int_equal(r->core.registry.shard_count, 1);

    struct span other = recorder_shard(room, 0)->id;
    assert_int_equal(recorder_report(r, other, 2, "draining"), 200);
    assert_int_equal(recorder_report(r, other, 0, "active"), 200);
    assert_int_equal(room_shards(room), 1);
    recorder_free(r);
}

static void silent_shards_go_after_five_minutes(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 2, NULL);
    struct span talks = recorder_shard(room, 1)->id;

    (void)state;
    /* The sweeps come every 60 s; at 5:00 sharp the silence is not yet too long. */
    for (int minute = 1; minute <= 5; minute++) {
        recorder_pass(r, CORE_SWEEP_MS);
        assert_int_equal(room_shards(room), 2);
        assert_int_equal(recorder_report(r, talks, 0, NULL), 200);
    }
    recorder_pass(r, CORE_SWEEP_MS);
    assert_int_equal(room_shards(room), 1);
    assert_ptr_equal(recorder_shard(room, 0)->id.ptr, talks.ptr);
    assert_int_equal(r->core.stats.shards_expired, 1);
    assert_int_equal(r->shards_deleted, 1);
    recorder_free(r);
}

static void registering_again_keeps_what_is_there(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 2, NULL);
    const struct shard *first = recorder_shard(room, 0);

    (void)state;
    assert_int_equal(recorder_post(r, "/register-room",
                                   "{\"name\":\"r\",\"balancingStrategy\":\"random\",\"public\":"
                                   "false,\"maxPlayersPerShard\":99,\"minShards\":3,"
                                   "\"maxShards\":4}"),
                     200);
    assert_int_equal(room_shards(room), 3);
    assert_ptr_equal(recorder_shard(room, 0), first);
    assert_int_equal(first->max, 10);
    assert_int_equal(recorder_shard(room, 2)->max, 99);
    assert_int_equal(room->settings.max_shards, 4);
    assert_false(room->settings.is_public);
    recorder_room(r, "r", 1, NULL);
    assert_int_equal(room_shards(room), 3);
    assert_int_equal(room->settings.max_shards, 0);
    recorder_free(r);
}

static void scaling_up_uses_the_template(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 0, NULL);

    (void)state;
    assert_int_equal(recorder_post(r, "/scale-room",
                                   "{\"roomId\":\"r\",\"targetShardCount\":1,\"shardTemplate\":{"
                                   "\"urlTemplate\":\"x/{roomId}\",\"maxConnections\":2}}"),
                     200);
    assert_int_equal(recorder_post(r, "/scale-room",
                                   "{\"roomId\":\"r\",\"targetShardCount\":2,\"shardTemplate\":{"
                                   "\"urlTemplate\":\"\",\"maxConnections\":3}}"),
                     200);
    assert_int_equal(recorder_post(r, "/scale-room", "{\"roomId\":\"r\",\"targetShardCount\":3}"),
                     200);
    assert_true(span_eq(recorder_shard(room, 0)->url, SPAN("x/r")));
    assert_int_equal(recorder_shard(room, 0)->max, 2);
    assert_true(span_eq(recorder_shard(room, 1)->url, recorder_shard(room, 1)->id));
    assert_int_equal(recorder_shard(room, 1)->max, 3);
    assert_int_equal(recorder_shard(room, 2)->max, 10);
    recorder_free(r);
}

static void seats_of_all_kinds_count(void **state)
{
    struct shard s = {.open = 3, .reserved = 2, .returning = 4, .max = 10};

    (void)state;
    assert_int_equal(shard_used(&s), 9);
    assert_true(shard_is_selectable(&s));
    s.reserved = 3;
    assert_false(shard_is_selectable(&s));
    s.max = 11;
    assert_true(shard_is_selectable(&s));
    s.status = SHARD_MAINTENANCE;
    assert_false(shard_is_selectable(&s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_never_repeat_however_many_in_a_millisecond),
        cmocka_unit_test(ids_go_on_when_the_clock_is_set_back),
        cmocka_unit_test(scaling_down_gives_up_draining_then_emptiest_then_oldest),
        cmocka_unit_test(a_draining_shard_goes_with_its_last_client),
        cmocka_unit_test(silent_shards_go_after_five_minutes),
        cmocka_unit_test(registering_again_keeps_what_is_there),
        cmocka_unit_test(scaling_up_uses_the_template),
        cmocka_unit_test(seats_of_all_kinds_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
