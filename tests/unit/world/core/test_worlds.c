#include "common/base/wheel.h"
#include "common/proto/shard_id.h"
#include "fleet.h"

#define A      "/api/v1/worlds/world-a"
#define TTL_MS 15000

enum { FLOOR_AHEAD_MS = 5000 };

/* What is in the recorder's records goes to core again, as a store would load it: of each record
 * the newest, kind by kind. */
static void load(const struct recorder *from, struct recorder *to)
{
    for (int kind = 0; kind < RECORD_COUNT; kind++) {
        for (size_t i = 0; i < from->record_count; i++) {
            const struct recorded_record *k = &from->records[i];
            bool later = (int)k->kind != kind;
            for (size_t j = i + 1; j < from->record_count && !later; j++)
                later =
                    from->records[j].kind == k->kind && strcmp(from->records[j].key, k->key) == 0;
            struct record record = {k->kind, span_str(k->world), span_str(k->key),
                                    span_str(k->value)};
            if (!later)
                assert_int_equal(core_restore(&to->core, &record, to->now), ERR_OK);
        }
    }
}

/* A process that other processes share worlds with. */
static struct recorder *peer_new(void)
{
    struct recorder *r = fleet_new(TTL_MS);

    r->not_alone = true;
    return r;
}

static void take(struct recorder *r, int64_t epoch)
{
    core_take_world(&r->core, SPAN("world-a"), epoch, r->now.wall_ms + FLOOR_AHEAD_MS, r->now);
}

static void drop(struct recorder *r)
{
    core_drop_world(&r->core, SPAN("world-a"), r->now);
}

/* Nothing of any world is left. */
static void assert_empty(const struct recorder *r)
{
    const struct registry *all = &r->core.registry;

    assert_int_equal(all->world_count, 0);
    assert_int_equal(all->room_count, 0);
    assert_int_equal(all->shard_count, 0);
    assert_int_equal(all->node_count, 0);
    assert_int_equal(all->session_count, 0);
    assert_int_equal(all->servers.count, 0);
    assert_int_equal(r->core.admins.count, 0);
    assert_int_equal(r->core.pending.count, 0);
    assert_int_equal(r->core.events.count, 0);
    assert_int_equal(r->core.park.count, 0);
    assert_true(list_empty(&r->core.counts));
    assert_true(wheel_next_ms(&all->wheel) == INT64_MAX);
    for (int state = 0; state < NODE_STATE_COUNT; state++)
        assert_int_equal(all->node_states[state], 0);
}

/* A room with two shards on node a, one of them with 5 clients, a server, a ban and a removed
 * shard. */
static struct room *fill(struct recorder *r)
{
    struct room *room;
    struct shard *s;

    fleet_join(r, "a");
    room = recorder_room(r, "r", 2, NULL);
    s = recorder_shard(room, 0);
    fleet_hold(r, "a", s, 5);
    assert_int_equal(recorder_manage(r, NULL, "PUT", A "/servers/http%3A%2F%2Fh%3A1", "{}"), 201);
    assert_int_equal(recorder_manage(r, NULL, "PUT", A "/rooms/r/bans/x", "{\"seconds\":60}"), 201);
    (void)recorder_room(r, "gone", 1, NULL);
    assert_int_equal(recorder_manage(r, NULL, "DELETE", A "/rooms/gone?force=1", NULL), 204);
    return room;
}

static void a_taken_world_goes_on_where_the_other_process_was(void **state)
{
    struct recorder *before = peer_new(), *after = peer_new();
    struct beat_shard held = {.open = 5, .admitted = 5};
    struct world *w;
    struct shard *s;

    (void)state;
    take(before, 100);
    (void)fill(before);
    take(after, 200);
    load(before, after);
    w = fleet_world(after);
    assert_int_equal(core_world_epoch(&after->core, SPAN("world-a")), 200);
    assert_true(world_is_settling(w, after->now));
    assert_int_equal(recorder_post(after, "/connect", "{\"roomId\":\"r\"}"), 0);
    assert_int_equal(after->core.park.count, 1);

    s = recorder_shard(world_room(w, SPAN("r")), 0);
    held.shard_id = s->id;
    assert_int_equal(fleet_beat(after,
                                &(struct said){.id = "a", .have_epoch = 100, .have_version = 7},
                                &held, 1),
                     200);
    assert_non_null(strstr(recorder_last(after)->body, "{\"epoch\":200,"));
    assert_non_null(strstr(recorder_last(after)->body, "\"full\":true"));
    assert_non_null(strstr(recorder_last(after)->body, "\"bans\":[{\"session\":\"x\""));
    recorder_pass(after, PARK_LOOK_MS);
    assert_int_equal(recorder_last(after)->status, 200);
    assert_int_equal(after->core.park.count, 0);
    assert_int_equal(s->open, 5);
    recorder_free(before);
    recorder_free(after);
}

static void ids_of_a_taken_world_start_behind_its_own_floor(void **state)
{
    struct recorder *r = peer_new();
    const struct shard *s;

    (void)state;
    take(r, 100);
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    assert_int_equal(shard_id_ms(s->id), r->now.wall_ms + FLOOR_AHEAD_MS + 1);
    recorder_free(r);
}

static void worlds_settle_each_for_itself(void **state)
{
    struct credentials secret = {.access_count = 1, .access = SPAN(SHARD_SECRET)};
    struct recorder *before = peer_new(), *r = peer_new();

    (void)state;
    take(before, 100);
    (void)fill(before);
    core_take_world(&r->core, SPAN("world-b"), 7, 0, r->now);
    fleet_pass(r, 60 * 1000, NULL); /* the process is no young one */
    take(r, 200);
    load(before, r);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 0);
    assert_int_equal(recorder_ask(r, "POST", "/parties/world/world-b/connect", &secret,
                                  SPAN("{\"roomId\":\"r\"}")),
                     200);
    assert_true(r->wake_ms <= r->now.mono_ms + PARK_LOOK_MS);
    fleet_pass(r, FLEET_SETTLE_MS, NULL);
    assert_int_equal(r->core.park.count, 0);
    assert_int_equal(fleet_node(r, "a")->state, NODE_EXPECTED);
    fleet_pass(r, FLEET_DEAD_MS, NULL);
    assert_int_equal(fleet_node(r, "a")->state, NODE_DEAD);
    recorder_free(before);
    recorder_free(r);
}

static void a_dropped_world_leaves_nothing_behind(void **state)
{
    struct recorder *r = peer_new();
    struct beat_shard held;
    size_t puts;

    (void)state;
    take(r, 100);
    held = (struct beat_shard){.shard_id = recorder_shard(fill(r), 1)->id, .open = 1};
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 200);
    assert_int_equal(fleet_beat(r, &(struct said){.id = "b"}, &held, 1), 200); /* a guest there */
    puts = r->record_count;
    drop(r);
    assert_empty(r);
    assert_int_equal(r->record_count, puts);
    assert_int_equal(core_world_epoch(&r->core, SPAN("world-a")), 0);
    drop(r);
    fleet_pass(r, 2 * CORE_SWEEP_MS, NULL);

    take(r, 300);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\",\"autoCreate\":false}"), 404);
    drop(r);
    assert_empty(r);
    recorder_free(r);
}

static void one_world_goes_and_the_others_stay(void **state)
{
    struct credentials secret = {.access_count = 1, .access = SPAN(SHARD_SECRET)};
    struct span connect = SPAN("{\"roomId\":\"r\",\"autoCreate\":true}");
    struct recorder *r = peer_new();

    (void)state;
    core_take_world(&r->core, SPAN("world-b"), 7, 0, r->now);
    assert_int_equal(recorder_ask(r, "POST", "/parties/world/world-b/connect", &secret, connect),
                     200);
    take(r, 100);
    (void)fill(r);
    drop(r);
    assert_int_equal(r->core.registry.room_count, 1);
    assert_int_equal(r->core.registry.shard_count, 1);
    assert_int_equal(recorder_ask(r, "POST", "/parties/world/world-b/connect", &secret, connect),
                     200);
    recorder_free(r);
}

static void who_waits_in_a_dropped_world_is_passed_on(void **state)
{
    struct recorder *before = peer_new(), *r = peer_new();
    uint32_t parked;

    (void)state;
    take(before, 100);
    (void)fill(before);
    take(r, 200);
    load(before, r);
    r->hold = true;
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 0);
    parked = r->replies;
    drop(r);
    assert_int_equal(r->pass_count, 1);
    assert_int_equal(r->passed.slot, parked);

    take(r, 300);
    assert_int_equal(recorder_manage(r, NULL, "PUT", A "/rooms/q", "{\"minShards\":1}"), 0);
    drop(r);
    assert_int_equal(r->pass_count, 2);
    assert_int_equal(r->passed.slot, r->replies);
    recorder_store(r, ERR_OK); /* too late */
    assert_int_equal(r->answer_count, 0);

    take(r, 400);
    assert_int_equal(recorder_manage(r, NULL, "POST", A "/import",
                                     "{\"version\":1,\"world\":\"world-a\",\"records\":[]}"),
                     0);
    drop(r);
    assert_int_equal(r->pass_count, 2);
    assert_int_equal(recorder_last(r)->status, 507); /* it may have been done */
    assert_empty(r);
    recorder_free(before);
    recorder_free(r);
}

static void feeds_and_streams_of_a_dropped_world_end(void **state)
{
    struct recorder *r = peer_new();
    struct feed_request request = {
        .socket = {.slot = 1, .gen = 1},
        .path = SPAN("/parties/world/world-a"),
        .credentials = {.access_count = 1, .access = SPAN(SHARD_SECRET)},
    };
    struct handle admin, other;

    (void)state;
    take(r, 100);
    assert_int_equal(core_feed_open(&r->core, &request, &admin, r->now), FEED_ADMIN);
    request.socket.slot = 2;
    request.path = SPAN("/parties/world/world-b");
    assert_int_equal(core_feed_open(&r->core, &request, &other, r->now), FEED_ADMIN);
    assert_int_equal(recorder_manage(r, NULL, "GET", A "/events", NULL), 0);
    (void)recorder_room(r, "r", 1, NULL); /* both are told more in a while */
    drop(r);
    assert_int_equal(r->closed_count, 1);
    assert_int_equal(r->ended_count, 1);
    assert_int_equal(r->core.events.count, 0);
    assert_int_equal(r->core.admins.count, 1);
    core_feed_close(&r->core, admin); /* its socket is gone at last */
    core_stream_gone(&r->core, r->stream);
    fleet_pass(r, 1000, NULL);
    core_feed_close(&r->core, other);
    assert_int_equal(r->core.admins.count, 0);
    recorder_free(r);
}

static void a_whole_world_is_put_as_it_was_loaded(void **state)
{
    struct recorder *before = peer_new(), *after = peer_new(), *again = peer_new();
    struct buf was = {0}, is = {0};

    (void)state;
    take(before, 100);
    (void)fill(before);
    take(after, 200);
    load(before, after);
    assert_int_equal(after->record_count, 0);
    core_put_world(&after->core, SPAN("world-a"));
    for (size_t i = 1; i < after->record_count; i++)
        assert_true(after->records[i - 1].kind <= after->records[i].kind);
    assert_int_equal(after->records[after->record_count - 1].kind, RECORD_RETIRED);
    take(again, 300);
    load(after, again);
    assert_int_equal(recorder_manage(after, NULL, "GET", A "/export", NULL), 200);
    buf_add_span(&was, span_str(recorder_last(after)->body));
    assert_int_equal(recorder_manage(again, NULL, "GET", A "/export", NULL), 200);
    buf_add_span(&is, span_str(recorder_last(again)->body));
    assert_true(span_eq(buf_span(&was), buf_span(&is)));
    buf_clear(&was);
    buf_clear(&is);
    recorder_free(before);
    recorder_free(after);
    recorder_free(again);
}

static void counts_are_stored_world_by_world(void **state)
{
    struct recorder *r = peer_new();

    (void)state;
    take(r, 100);
    fleet_join(r, "a");
    fleet_hold(r, "a", recorder_shard(recorder_room(r, "r", 2, NULL), 1), 5);
    r->shards_put = 0;
    core_store_world_counts(&r->core, SPAN("world-b"));
    assert_int_equal(r->shards_put, 0);
    core_store_world_counts(&r->core, SPAN("world-a"));
    assert_int_equal(r->shards_put, 1);
    core_store_world_counts(&r->core, SPAN("world-a"));
    assert_int_equal(r->shards_put, 1);
    recorder_free(r);
}

static void a_raised_world_tells_its_nodes_everything_anew(void **state)
{
    struct recorder *r = peer_new();
    int64_t version;

    (void)state;
    take(r, 100);
    (void)recorder_room(r, "r", 1, NULL);
    fleet_join(r, "a");
    fleet_still(r, "a");
    assert_non_null(strstr(recorder_last(r)->body, "\"unchanged\":true"));
    version = fleet_node(r, "a")->version_of_orders;
    core_raise_world(&r->core, SPAN("world-a"), 150);
    assert_int_equal(
        fleet_beat(
            r,
            &(struct said){.id = "a", .have_epoch = 100, .have_version = version, .partial = true},
            NULL, 0),
        200);
    assert_non_null(strstr(recorder_last(r)->body, "{\"epoch\":150,"));
    assert_non_null(strstr(recorder_last(r)->body, "\"full\":true"));
    recorder_free(r);
}

static void name_node(void *ctx, struct span node, struct span url)
{
    buf_addf(ctx, "%.*s=%.*s ", SPAN_ARG(node), SPAN_ARG(url));
}

static void nodes_that_can_be_reached_are_named(void **state)
{
    struct recorder *before = peer_new(), *r = peer_new();
    struct record stray = {RECORD_SHARD, SPAN("world-a"), SPAN("r:world-a:1-1"),
                           SPAN("{\"roomId\":\"r\",\"url\":\"u\",\"maxConnections\":1,"
                                "\"status\":\"active\",\"node\":\"unknown\",\"open\":0}")};
    struct buf names = {0};

    (void)state;
    take(before, 100);
    fleet_join(before, "a");
    (void)recorder_room(before, "r", 1, NULL);
    take(r, 200);
    load(before, r);
    assert_int_equal(core_restore(&r->core, &stray, r->now), ERR_OK);
    assert_non_null(fleet_node(r, "unknown"));
    core_each_node(&r->core, SPAN("world-a"), name_node, &names);
    core_each_node(&r->core, SPAN("world-b"), name_node, &names);
    assert_true(span_eq(buf_span(&names), SPAN("a=http://node.internal ")));
    buf_clear(&names);
    recorder_free(before);
    recorder_free(r);
}

static void an_empty_world_stays_until_its_lease_may_go(void **state)
{
    struct recorder *r = peer_new();

    (void)state;
    take(r, 100);
    fleet_pass(r, 2 * CORE_SWEEP_MS, NULL);
    assert_int_equal(r->core.registry.world_count, 1);
    r->not_alone = false;
    fleet_pass(r, CORE_SWEEP_MS, NULL);
    assert_int_equal(r->core.registry.world_count, 0);
    recorder_free(r);
}

static void only_worlds_that_are_ours_are_listed(void **state)
{
    struct recorder *r = peer_new();

    (void)state;
    take(r, 100);
    assert_int_equal(recorder_manage(r, TOKEN_ALL, "GET", "/api/v1/worlds", NULL), 200);
    assert_non_null(strstr(recorder_last(r)->body, "\"world-a\""));
    r->owner = OWNER_SOUGHT;
    assert_int_equal(recorder_manage(r, TOKEN_ALL, "GET", "/api/v1/worlds", NULL), 200);
    assert_null(strstr(recorder_last(r)->body, "\"world-a\""));
    recorder_free(r);
}

static void cursors_end_with_the_world_that_gave_them(void **state)
{
    struct recorder *r = peer_new();
    char path[128];
    const char *next;

    (void)state;
    take(r, 100);
    (void)recorder_room(r, "q", 0, NULL);
    (void)recorder_room(r, "r", 0, NULL);
    assert_int_equal(recorder_manage(r, NULL, "GET", A "/rooms?limit=1", NULL), 200);
    next = strstr(recorder_last(r)->body, "\"next\":\"100-");
    assert_non_null(next);
    (void)snprintf(path, sizeof(path), A "/rooms?after=%.*s", (int)strcspn(next + 8, "\""),
                   next + 8);
    assert_int_equal(recorder_manage(r, NULL, "GET", path, NULL), 200);
    drop(r);
    take(r, 200);
    assert_int_equal(recorder_manage(r, NULL, "GET", path, NULL), 400);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_taken_world_goes_on_where_the_other_process_was),
        cmocka_unit_test(ids_of_a_taken_world_start_behind_its_own_floor),
        cmocka_unit_test(worlds_settle_each_for_itself),
        cmocka_unit_test(a_dropped_world_leaves_nothing_behind),
        cmocka_unit_test(one_world_goes_and_the_others_stay),
        cmocka_unit_test(who_waits_in_a_dropped_world_is_passed_on),
        cmocka_unit_test(feeds_and_streams_of_a_dropped_world_end),
        cmocka_unit_test(a_whole_world_is_put_as_it_was_loaded),
        cmocka_unit_test(counts_are_stored_world_by_world),
        cmocka_unit_test(a_raised_world_tells_its_nodes_everything_anew),
        cmocka_unit_test(nodes_that_can_be_reached_are_named),
        cmocka_unit_test(an_empty_world_stays_until_its_lease_may_go),
        cmocka_unit_test(only_worlds_that_are_ours_are_listed),
        cmocka_unit_test(cursors_end_with_the_world_that_gave_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
