#include "common/proto/resolve.h"
#include "tests/unit/world/core/fleet.h"
#include "world/core/park.h"

#define HEARTBEAT "/parties/world/world-a/heartbeat"
#define RESOLVE   "/parties/world/world-a/resolve"

static void only_the_shard_secret_opens_them(void **state)
{
    static const struct {
        struct credentials credentials;
        int status;
    } rows[] = {
        {{.access_count = 1, .access = SPAN_INIT(SHARD_SECRET)}, 400},
        {{0}, 403},
        {{.access_count = 1, .access = SPAN_INIT("wrong")}, 403},
        {{.access_count = 2, .access = SPAN_INIT(SHARD_SECRET)}, 403},
        {{.authorization = SPAN_INIT("Bearer " TOKEN_ALL)}, 403},
        {{.query = SPAN_INIT("world-auth-token=" TOKEN_ALL)}, 403},
    };
    struct recorder *r = recorder_new();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(recorder_ask(r, "POST", HEARTBEAT, &rows[i].credentials, SPAN("{}")),
                         rows[i].status);
        assert_int_equal(recorder_ask(r, "POST", RESOLVE, &rows[i].credentials, SPAN("{}")),
                         rows[i].status);
    }
    assert_int_equal(r->core.registry.world_count, 0);
    recorder_free(r);
}

static void a_bad_body_is_400_with_the_member_at_fault(void **state)
{
    static const struct {
        const char *verb, *body, *error;
    } rows[] = {
        {"/heartbeat", "", "Invalid heartbeat: JSON"},
        {"/heartbeat", "[]", "Invalid heartbeat: node"},
        {"/heartbeat", "{\"node\":{\"id\":\"a\",\"epoch\":-1},\"seq\":1,\"shards\":[]}",
         "Invalid heartbeat: epoch"},
        {"/heartbeat",
         "{\"node\":{\"id\":\"a\",\"epoch\":1,\"connections\":1e17},\"seq\":1,\"shards\":[]}",
         "Invalid heartbeat: connections"},
        {"/heartbeat", "{\"node\":{\"id\":\"a\\u0000\",\"epoch\":1},\"seq\":1,\"shards\":[]}",
         "Invalid heartbeat: id"},
        {"/heartbeat",
         "{\"node\":{\"id\":\"a\",\"epoch\":1},\"seq\":1,\"shards\":[{\"shardId\":\"s\","
         "\"open\":-5}]}",
         "Invalid heartbeat: open"},
        {"/resolve", "", "Invalid resolve: shardId"},
        {"/resolve", "{\"shardId\":\"s\",\"reason\":\"odd\"}", "Invalid resolve: reason"},
    };
    struct recorder *r = recorder_new();
    char want[128];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(recorder_post(r, rows[i].verb, rows[i].body), 400);
        (void)snprintf(want, sizeof(want), "{\"error\":\"%s\"}", rows[i].error);
        assert_string_equal(recorder_last(r)->body, want);
    }
    assert_int_equal(r->core.registry.node_count, 0);
    recorder_free(r);
}

static void ids_beyond_their_bounds_are_400(void **state)
{
    struct recorder *r = recorder_new();
    struct buf id = {0}, body = {0};
    struct credentials secret = {.access_count = 1, .access = SPAN(SHARD_SECRET)};

    (void)state;
    for (int i = 0; i < 10240; i++)
        buf_add_char(&id, 'x');
    BUF_ADD_LIT(&body, "{\"node\":{\"epoch\":1,\"id\":");
    json_add_string(&body, buf_span(&id));
    BUF_ADD_LIT(&body, "},\"seq\":1,\"shards\":[]}");
    assert_int_equal(recorder_ask(r, "POST", HEARTBEAT, &secret, buf_span(&body)), 400);
    buf_clear(&id);
    buf_clear(&body);
    recorder_free(r);
}

/* It would be the latest process of that id for ever. */
static void epochs_that_no_clock_reaches_are_400(void **state)
{
    struct recorder *r = recorder_new();
    int64_t last = r->now.wall_ms + NODES_EPOCH_AHEAD_MS;

    (void)state;
    assert_int_equal(fleet_beat(r, &(struct said){.id = "a", .epoch = last + 1}, NULL, 0), 400);
    assert_string_equal(recorder_last(r)->body,
                        "{\"error\":\"Invalid heartbeat: epoch is more than a "
                        "day ahead of the world's clock\"}");
    assert_int_equal(r->core.registry.world_count, 0);
    assert_int_equal(fleet_beat(r, &(struct said){.id = "a", .epoch = last}, NULL, 0), 200);
    recorder_free(r);
}

static void resolves_answer_with_the_order_the_node_and_its_address(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *s;
    struct resolve q = {.asker = SPAN("b"), .reason = RESOLVE_UNKNOWN};
    struct resolved answer;
    struct buf body = {0};
    const json_t *bans;
    json_t *doc;

    (void)state;
    fleet_join(r, "a");
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    q.shard_id = s->id;
    resolve_add(&body, &q);
    buf_add_char(&body, '\0');
    assert_int_equal(recorder_post(r, "/resolve", body.data), 200);
    assert_int_equal(resolved_read(&answer, &doc, &bans, span_str(recorder_last(r)->body)), ERR_OK);
    assert_int_equal(answer.epoch, fleet_world(r)->epoch);
    assert_true(span_eq(answer.node, SPAN("a")));
    assert_true(span_eq(answer.url, SPAN("http://node.internal")));
    assert_true(span_eq(answer.order.shard_id, s->id));
    assert_true(span_eq(answer.order.room_id, SPAN("r")));
    json_decref(doc);
    buf_clear(&body);
    recorder_free(r);
}

/* It may serve the client before its next orders come. */
static void who_asks_and_owns_the_shard_hears_of_its_bans(void **state)
{
    static const struct {
        const char *asker;
        size_t bans;
    } rows[] = {{"a", 2}, {"b", 0}};
    struct recorder *r = recorder_new();
    struct room *room;
    struct order_ban ban;

    (void)state;
    fleet_join(r, "a");
    room = recorder_room(r, "r", 1, NULL);
    (void)ban_put(&r->core.registry, room, SPAN("ann"), r->now.wall_ms + 5000, r->now);
    (void)ban_put(&r->core.registry, room, SPAN("bob"), r->now.wall_ms + 9000, r->now);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct resolve q = {.asker = span_str(rows[i].asker),
                            .reason = RESOLVE_UNKNOWN,
                            .shard_id = recorder_shard(room, 0)->id};
        struct resolved answer;
        struct buf body = {0};
        const json_t *bans;
        json_t *doc;
        size_t at = 0;

        resolve_add(&body, &q);
        buf_add_char(&body, '\0');
        assert_int_equal(recorder_post(r, "/resolve", body.data), 200);
        assert_int_equal(resolved_read(&answer, &doc, &bans, span_str(recorder_last(r)->body)),
                         ERR_OK);
        assert_true(span_eq(answer.node, SPAN("a")));
        assert_int_equal(json_array_size(bans), rows[i].bans);
        if (rows[i].bans > 0) {
            assert_true(order_next_ban(bans, &at, &ban));
            assert_true(span_eq(ban.session, SPAN("ann")));
            assert_int_equal(ban.ttl_ms, 5000);
        }
        json_decref(doc);
        buf_clear(&body);
    }
    recorder_free(r);
}

/* A node asks for its first client in the same moment in which it is first heard. */
static void who_asks_before_its_first_beat_waits_for_it(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    struct resolve q = {
        .asker = SPAN("a"), .asker_epoch = 100, .shard_id = s->id, .reason = RESOLVE_UNKNOWN};
    struct buf body = {0};

    (void)state;
    resolve_add(&body, &q);
    buf_add_char(&body, '\0');
    assert_int_equal(recorder_post(r, "/resolve", body.data), 0);
    fleet_join(r, "a");
    recorder_pass(r, PARK_LOOK_MS);
    assert_int_equal(recorder_last(r)->status, 200);
    assert_true(fleet_has(s, "a"));
    buf_clear(&body);
    recorder_free(r);
}

static void a_world_process_hears_who_could_adopt(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    fleet_join(r, "a");
    assert_int_equal(recorder_post(r, "/resolve", "{\"shardId\":\"x\",\"reason\":\"unknown\"}"),
                     404);
    assert_non_null(strstr(recorder_last(r)->body, "\"adopt\":true,\"node\":\"a\",\"url\":\""));
    assert_int_equal(
        recorder_post(r, "/resolve", "{\"shardId\":\"x\",\"reason\":\"unknown\",\"asker\":\"b\"}"),
        404);
    assert_string_equal(recorder_last(r)->body,
                        "{\"error\":\"Nobody created this shard\",\"adopt\":true}");
    recorder_free(r);
}

static void who_adopts_hears_that_the_room_is_private(void **state)
{
    struct recorder *r = fleet_new(0);
    struct room *room = recorder_room(r, "r", 0, NULL);
    struct room_settings settings = room->settings;

    (void)state;
    settings.is_public = false;
    registry_set_room(&r->core.registry, room, &settings);
    assert_int_equal(recorder_post(r, "/resolve",
                                   "{\"shardId\":\"r:world-a:1700000000000-1\",\"reason\":"
                                   "\"unknown\",\"asker\":\"b\"}"),
                     404);
    assert_non_null(strstr(recorder_last(r)->body, "\"adopt\":true,\"private\":true}"));
    recorder_free(r);
}

/* Nodes learn worlds from clients, so the first client of a world has to reach one. */
static void a_world_without_nodes_sends_clients_to_those_of_others(void **state)
{
    struct recorder *r = fleet_new(0);
    struct credentials secret = {.access_count = 1, .access = SPAN(SHARD_SECRET)};
    struct credentials nobody = {.access_count = 0};
    struct resolve q = {.reason = RESOLVE_UNKNOWN};
    struct buf body = {0};

    (void)state;
    fleet_join(r, "a");
    assert_int_equal(recorder_ask(r, "POST", "/parties/world/world-b/connect", &nobody,
                                  SPAN("{\"roomId\":\"r\"}")),
                     200);
    q.shard_id =
        CONTAINER_OF(list_first(&registry_world(&r->core.registry, SPAN("world-b"))->shard_list),
                     struct shard, node)
            ->id;
    resolve_add(&body, &q);
    assert_int_equal(
        recorder_ask(r, "POST", "/parties/world/world-b/resolve", &secret, buf_span(&body)), 404);
    assert_non_null(strstr(recorder_last(r)->body, "\"adopt\":true,\"node\":\"a\",\"url\":\""));
    buf_clear(&body);
    recorder_free(r);
}

static void who_is_nowhere_hears_whether_to_adopt(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room;

    (void)state;
    assert_int_equal(recorder_post(r, "/resolve", "{\"shardId\":\"x\",\"reason\":\"unknown\"}"),
                     404);
    assert_string_equal(recorder_last(r)->body,
                        "{\"error\":\"Nobody created this shard\",\"adopt\":true}");
    room = recorder_room(r, "r", 1, NULL);
    assert_int_equal(recorder_report(r, recorder_shard(room, 0)->id, 0, "maintenance"), 200);
    retired_add(&r->core.registry, room->world, SPAN("q:world-a:1760000000000-1"),
                r->now.wall_ms + 1000);
    assert_int_equal(
        recorder_post(r, "/resolve",
                      "{\"shardId\":\"q:world-a:1760000000000-1\",\"reason\":\"unknown\"}"),
        404);
    assert_string_equal(recorder_last(r)->body, "{\"error\":\"This shard is gone\"}");
    retired_add(&r->core.registry, room->world, SPAN("r:world-a:1760000000000-1"),
                r->now.wall_ms + 1000);
    assert_int_equal(
        recorder_post(r, "/resolve",
                      "{\"shardId\":\"r:world-a:1760000000000-1\",\"reason\":\"unknown\"}"),
        0); /* there is no node for it */
    recorder_pass(r, PARK_NODE_MS + PARK_LOOK_MS);
    assert_int_equal(recorder_last(r)->status, 503);
    assert_non_null(strstr(recorder_last(r)->headers, "Retry-After: "));
    recorder_free(r);
}

static void the_last_beat_is_answered_too(void **state)
{
    struct recorder *r = recorder_new();
    struct orders o;
    json_t *doc;

    (void)state;
    fleet_join(r, "a");
    assert_int_equal(fleet_beat(r, &(struct said){.id = "a", .gone = true}, NULL, 0), 200);
    assert_int_equal(orders_read(&o, &doc, span_str(recorder_last(r)->body)), ERR_OK);
    assert_true(o.unchanged);
    json_decref(doc);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_shard_secret_opens_them),
        cmocka_unit_test(a_bad_body_is_400_with_the_member_at_fault),
        cmocka_unit_test(ids_beyond_their_bounds_are_400),
        cmocka_unit_test(epochs_that_no_clock_reaches_are_400),
        cmocka_unit_test(resolves_answer_with_the_order_the_node_and_its_address),
        cmocka_unit_test(who_asks_and_owns_the_shard_hears_of_its_bans),
        cmocka_unit_test(who_asks_before_its_first_beat_waits_for_it),
        cmocka_unit_test(a_world_without_nodes_sends_clients_to_those_of_others),
        cmocka_unit_test(a_world_process_hears_who_could_adopt),
        cmocka_unit_test(who_adopts_hears_that_the_room_is_private),
        cmocka_unit_test(who_is_nowhere_hears_whether_to_adopt),
        cmocka_unit_test(the_last_beat_is_answered_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
