#include "world/core/manage/manage.h"
#include "world/core/rooms/shards.h"

#include "tests/unit/world/core/recorder.h"

#include "common/base/json.h"

#define A "/api/v1/worlds/world-a"

struct row {
    const char *method, *path, *body;
    int status;
    const char *answer; /* the whole body; NULL: any */
};

static void check_json(const char *body)
{
    json_t *doc = json_decode(span_str(body));

    assert_non_null(doc);
    json_decref(doc);
}

static void ask(struct recorder *r, const struct row *row)
{
    int status = recorder_manage(r, NULL, row->method, row->path, row->body);
    const char *body = recorder_last(r)->body;

    if (status != row->status)
        fail_msg("%s %s %s: %d %s", row->method, row->path, row->body == NULL ? "" : row->body,
                 status, body);
    if (row->answer != NULL)
        assert_string_equal(body, row->answer);
    if (status == 204)
        assert_string_equal(body, "");
    else
        check_json(body);
}

/* Rows are asked in order, of one world with the room `r` and its two shards. */
static void ask_rows(const struct row *rows, size_t count)
{
    struct recorder *r = recorder_new();

    (void)recorder_room(r, "r", 2, NULL);
    for (size_t i = 0; i < count; i++)
        ask(r, &rows[i]);
    recorder_free(r);
}

#define ASK_ROWS(rows) ask_rows((rows), sizeof(rows) / sizeof((rows)[0]))

/* ---- who may */

static void only_tokens_open_it(void **state)
{
    struct recorder *r = recorder_new();
    struct credentials secret = {.access_count = 1, .access = SPAN(SHARD_SECRET)};
    struct credentials both = secret, query = {.query = SPAN("world-auth-token=" TOKEN_A)};

    (void)state;
    both.authorization = SPAN("Bearer " TOKEN_A);
    assert_int_equal(recorder_ask(r, "GET", A "/rooms", &secret, SPAN("")), 403);
    assert_string_equal(recorder_last(r)->body, "{\"error\":\"Not permitted\"}");
    assert_int_equal(recorder_ask(r, "GET", A "/rooms", &both, SPAN("")), 200);
    assert_int_equal(recorder_ask(r, "GET", A "/rooms", &query, SPAN("")), 200);
    assert_int_equal(recorder_manage(r, TOKEN_EXPIRED, "GET", A "/rooms", NULL), 403);
    assert_int_equal(recorder_manage(r, TOKEN_NO_WORLDS, "GET", A "/rooms", NULL), 403);
    assert_int_equal(recorder_manage(r, TOKEN_FORGED, "GET", A "/rooms", NULL), 403);
    assert_int_equal(recorder_manage(r, TOKEN_A, "GET", "/api/v1/worlds/world-b/rooms", NULL), 403);
    assert_int_equal(recorder_manage(r, TOKEN_ALL, "GET", "/api/v1/worlds/world-b/rooms", NULL),
                     200);
    assert_int_equal(r->core.registry.world_count, 0); /* reading makes no world */
    recorder_free(r);
}

static void a_read_token_changes_nothing(void **state)
{
    static const struct {
        const char *method, *path;
        bool reads;
    } rows[] = {
        {"GET", "/rooms", true},
        {"GET", "/rooms/r", true},
        {"PUT", "/rooms/r", false},
        {"DELETE", "/rooms/r", false},
        {"POST", "/rooms/r/scale", false},
        {"POST", "/rooms/r/shards", false},
        {"GET", "/rooms/r/explain", true},
        {"POST", "/shards/s/move", false},
        {"GET", "/nodes", true},
        {"GET", "/nodes/n", true},
        {"DELETE", "/nodes/n", false},
        {"POST", "/nodes/n/drain", false},
        {"POST", "/nodes/n/undrain", false},
        {"POST", "/rooms/r/move", false},
        {"GET", "/servers", true},
        {"GET", "/servers/http%3A%2F%2Fh", true},
        {"PUT", "/servers/http%3A%2F%2Fh", false},
        {"DELETE", "/servers/http%3A%2F%2Fh", false},
        {"GET", "/export", true},
        {"POST", "/import", false},
        {"GET", "/events", true},
        {"POST", "/rooms/r/kick", false},
        {"GET", "/rooms/r/bans", true},
        {"GET", "/rooms/r/bans/p", true},
        {"PUT", "/rooms/r/bans/p", false},
        {"DELETE", "/rooms/r/bans/p", false},
        {"GET", "/shards", true},
        {"GET", "/shards/s", true},
        {"PATCH", "/shards/s", false},
        {"DELETE", "/shards/s", false},
        {"GET", "/shards/s/seats", true},
        {"POST", "/shards/s/drain", false},
        {"POST", "/shards/s/undrain", false},
        {"POST", "/shards/s/activate", false},
        {"POST", "/shards/s/maintenance", false},
    };
    struct recorder *r = recorder_new();
    char path[128];

    (void)state;
    (void)recorder_room(r, "r", 1, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t before = r->record_count;
        int status;
        (void)snprintf(path, sizeof(path), A "%s", rows[i].path);
        status = recorder_manage(r, TOKEN_READ_ALL, rows[i].method, path, "{}");
        assert_int_equal(r->record_count, before);
        if (rows[i].reads) {
            assert_int_not_equal(status, 403);
            continue;
        }
        assert_int_equal(status, 403);
        assert_string_equal(recorder_last(r)->body, "{\"error\":\"This token may only read\"}");
    }
    recorder_free(r);
}

static void a_read_token_opens_no_guarded_route_of_the_reference(void **state)
{
    struct credentials c = {.authorization = SPAN(TOKEN_READ_ALL)};
    struct recorder *r = recorder_new();

    (void)state;
    assert_int_equal(recorder_ask(r, "POST", "/parties/world/world-a/scale-room", &c, SPAN("")),
                     403);
    assert_string_equal(recorder_last(r)->body, "{\"error\":\"This token may only read\"}");
    recorder_free(r);
}

static void every_path_has_its_answer(void **state)
{
    static const struct row rows[] = {
        {"GET", "/api/v1", NULL, 404, "{\"error\":\"Not found\"}"},
        {"GET", "/api/v1/", NULL, 404, "{\"error\":\"Not found\"}"},
        {"GET", "/api/v1/world", NULL, 404, "{\"error\":\"Not found\"}"},
        {"GET", "/api/v1/worlds", NULL, 200,
         "{\"items\":[{\"worldId\":\"world-a\",\"rooms\":1,\"shards\":2,"
         "\"connections\":0,\"capacity\":20,"
         "\"findings\":{\"error\":0,\"warning\":0,\"notice\":0}}],\"next\":null}"},
        {"POST", "/api/v1/worlds", NULL, 405, "{\"error\":\"Method not allowed\"}"},
        {"GET", "/api/v1/worlds/", NULL, 404, NULL},
        {"GET", "/api/v1/worlds/world-a", NULL, 404, NULL},
        {"GET", "/api/v1/worlds/world/rooms", NULL, 404, NULL},
        {"GET", "/api/v1/worlds/world-%zz/rooms", NULL, 400,
         "{\"error\":\"Bad escape in the path\"}"},
        {"GET", "/api/v1/worlds/world%2Da/rooms", NULL, 200, NULL},
        {"GET", A "/rooms/%2", NULL, 400, "{\"error\":\"Bad escape in the path\"}"},
        {"GET", A "/rooms/%ff", NULL, 400, "{\"error\":\"Bad escape in the path\"}"},
        {"GET", A "/room", NULL, 404, "{\"error\":\"Not found\"}"},
        {"GET", A "/rooms/r/x", NULL, 404, "{\"error\":\"Not found\"}"},
        {"DELETE", A "/rooms", NULL, 405, NULL},
        {"POST", A "/rooms/r", NULL, 405, NULL},
        {"GET", A "/rooms/x", NULL, 404, "{\"error\":\"Room x does not exist\"}"},
        {"GET", A "/shards/x", NULL, 404, "{\"error\":\"Shard x does not exist\"}"},
        {"OPTIONS", A "/shards/x", NULL, 200, "{}"},
    };

    (void)state;
    ASK_ROWS(rows);
}

static void a_405_names_the_methods(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    assert_int_equal(recorder_manage(r, NULL, "POST", A "/rooms/r", NULL), 405);
    assert_non_null(strstr(recorder_last(r)->headers, "Allow: GET, PUT, DELETE\r\n"));
    assert_int_equal(r->core.stats.refusals[REFUSAL_METHOD], 1);
    recorder_free(r);
}

/* ---- rooms */

#define EMPTY                                                                                      \
    "\"shards\":{\"total\":0,\"active\":0,\"maintenance\":0,\"draining\":0},"                      \
    "\"currentConnections\":0,\"reserved\":0,\"returning\":0,\"maxConnections\":0}"

static void rooms_are_applied(void **state)
{
    static const struct row rows[] = {
        {"PUT", A "/rooms/n", "{\"minShards\":0}", 201,
         "{\"name\":\"n\",\"balancingStrategy\":\"round-robin\",\"public\":true,"
         "\"maxPlayersPerShard\":75,\"minShards\":0," EMPTY},
        {"PUT", A "/rooms/n",
         "{\"balancingStrategy\":\"p2c\",\"public\":false,\"maxPlayersPerShard\":7,\"minShards\":0,"
         "\"maxShards\":3}",
         200,
         "{\"name\":\"n\",\"balancingStrategy\":\"p2c\",\"public\":false,\"maxPlayersPerShard\":7,"
         "\"minShards\":0,\"maxShards\":3," EMPTY},
        {"PUT", A "/rooms/n", "{\"minShards\":0}", 200,
         "{\"name\":\"n\",\"balancingStrategy\":\"round-robin\",\"public\":true,"
         "\"maxPlayersPerShard\":75,\"minShards\":0," EMPTY},
        {"PUT", A "/rooms/m", NULL, 201, NULL},
        {"PUT", A "/rooms/n", "{\"name\":\"n\"}", 400, "{\"error\":\"Unknown member name\"}"},
        {"PUT", A "/rooms/n", "{\"minShards\":-1}", 400,
         "{\"error\":\"minShards must be a whole number from 0 to 50\"}"},
        {"PUT", A "/rooms/n", "{\"minShards\":1.5}", 400, NULL},
        {"PUT", A "/rooms/n", "{\"minShards\":\"1\"}", 400, NULL},
        {"PUT", A "/rooms/n", "{\"maxShards\":0}", 400, NULL},
        {"PUT", A "/rooms/n", "{\"maxPlayersPerShard\":0}", 400, NULL},
        {"PUT", A "/rooms/n", "{\"public\":1}", 400,
         "{\"error\":\"public must be true or false\"}"},
        {"PUT", A "/rooms/n", "{\"balancingStrategy\":\"best\"}", 400,
         "{\"error\":\"balancingStrategy must be one of round-robin, least-connections, random, "
         "packed, p2c, hash\"}"},
        {"PUT", A "/rooms/n", "{\"minShards\":3,\"maxShards\":2}", 400,
         "{\"error\":\"minShards cannot be greater than maxShards\"}"},
        {"PUT", A "/rooms/n", "[]", 400, "{\"error\":\"The request body must be an object\"}"},
        {"PUT", A "/rooms/n", "{", 400, "{\"error\":\"Invalid JSON in request body\"}"},
        {"GET", A "/rooms/n", NULL, 200,
         "{\"name\":\"n\",\"balancingStrategy\":\"round-robin\",\"public\":true,"
         "\"maxPlayersPerShard\":75,\"minShards\":0," EMPTY},
        {"DELETE", A "/rooms/n", NULL, 204, NULL},
        {"DELETE", A "/rooms/n", NULL, 404, NULL},
    };

    (void)state;
    ASK_ROWS(rows);
}

static void odd_names_are_names(void **state)
{
    static const char *const paths[] = {"a%22b", "a.b",    "a:b", "__proto__", "a%2Fb", "%252F",
                                        "..",    "%C3%A9", "",    "a+b",       "%00"};
    static const char *const names[] = {"a\\\"b", "a.b", "a:b", "__proto__", "a/b",    "%2F",
                                        "..",     "é",   "",    "a+b",       "\\u0000"};
    struct recorder *r = recorder_new();
    char path[128], name[64];

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        (void)snprintf(path, sizeof(path), A "/rooms/%s", paths[i]);
        (void)snprintf(name, sizeof(name), "{\"name\":\"%s\",", names[i]);
        ask(r, &(struct row){"PUT", path, "{\"minShards\":1}", 201, NULL});
        ask(r, &(struct row){"GET", path, NULL, 200, NULL});
        assert_memory_equal(recorder_last(r)->body, name, strlen(name));
        ask(r, &(struct row){"DELETE", path, NULL, 204, NULL});
    }
    assert_int_equal(r->core.registry.room_count, 0);
    assert_int_equal(r->core.registry.shard_count, 0);
    recorder_free(r);
}

static void names_may_have_8_kib(void **state)
{
    struct recorder *r = recorder_new();
    char path[9000];

    (void)state;
    for (int len = 8192; len <= 8193; len++) {
        (void)snprintf(path, sizeof(path), A "/rooms/%0*d", len, 1);
        assert_int_equal(recorder_manage(r, NULL, "PUT", path, NULL), len == 8192 ? 201 : 400);
    }
    recorder_free(r);
}

static void a_room_with_clients_is_removed_by_force_and_with_its_last_shard(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 2, NULL);
    struct shard *s = recorder_shard(room, 1);

    (void)state;
    recorder_report(r, s->id, 3, NULL);
    ask(r, &(struct row){"DELETE", A "/rooms/r", NULL, 409,
                         "{\"error\":\"Room r still holds clients\"}"});
    ask(r, &(struct row){"DELETE", A "/rooms/r?force=2", NULL, 400,
                         "{\"error\":\"Query parameter force must be 1 or 0\"}"});
    ask(r, &(struct row){"DELETE", A "/rooms/r?force=1", NULL, 200, NULL});
    assert_non_null(strstr(recorder_last(r)->body, "\"leaving\":true"));
    assert_int_equal(room_shards(room), 1);
    assert_int_equal(s->drain.deadline_ms, MANAGE_FORCE_MS);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 503);
    recorder_report(r, s->id, 0, NULL);
    assert_null(world_room(registry_world(&r->core.registry, SPAN("world-a")), SPAN("r")));
    assert_int_equal(r->core.registry.room_count, 0);
    recorder_free(r);
}

static void a_leaving_room_stays_when_it_is_applied_again(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 1, NULL);
    struct shard *s = recorder_shard(room, 0);

    (void)state;
    recorder_report(r, s->id, 3, NULL);
    ask(r, &(struct row){"DELETE", A "/rooms/r?force=1", NULL, 200, NULL});
    ask(r, &(struct row){"PUT", A "/rooms/r", "{\"minShards\":0}", 200, NULL});
    assert_null(strstr(recorder_last(r)->body, "leaving"));
    recorder_report(r, s->id, 0, NULL);
    assert_int_equal(r->core.registry.room_count, 1);
    recorder_free(r);
}

static void admins_hear_of_removed_rooms(void **state)
{
    struct recorder *r = recorder_new();
    struct feed_request request = {.path = SPAN("/parties/world/world-a"),
                                   .socket = {.slot = 1, .gen = 1},
                                   .credentials.authorization = SPAN(TOKEN_A)};
    struct handle admin;

    (void)state;
    (void)recorder_room(r, "r", 0, NULL);
    assert_int_equal(core_feed_open(&r->core, &request, &admin, r->now), FEED_ADMIN);
    ask(r, &(struct row){"DELETE", A "/rooms/r", NULL, 204, NULL});
    assert_string_equal(r->frames[1].text,
                        "{\"type\":\"sync\",\"value\":{\"rooms\":{\"r\":\"$delete\"}}}");
    ask(r, &(struct row){"PUT", A "/rooms/q", "{\"minShards\":0}", 201, NULL});
    ask(r, &(struct row){"DELETE", A "/rooms/q", NULL, 204, NULL});
    ask(r, &(struct row){"PUT", A "/rooms/q", "{\"minShards\":0}", 201, NULL});
    recorder_pass(r, 500);
    assert_memory_equal(
        r->frames[2].text,
        "{\"type\":\"sync\",\"value\":{\"rooms\":{\"q\":\"$delete\",\"q\":{\"name\"", 58);
    core_feed_close(&r->core, admin);
    recorder_free(r);
}

/* ---- shards */

static void rooms_are_scaled(void **state)
{
    static const struct row rows[] = {
        {"POST", A "/rooms/r/scale", "{\"target\":4}", 200, NULL},
        {"POST", A "/rooms/r/scale", "{\"target\":51}", 400,
         "{\"error\":\"The room can have at most 50 shards\"}"},
        {"POST", A "/rooms/r/scale", "{\"target\":0}", 400, NULL},
        {"POST", A "/rooms/r/scale", "{}", 400,
         "{\"error\":\"target is missing: it must be a whole number from 1 to 9007199254740991\"}"},
        {"POST", A "/rooms/r/scale", "{\"target\":1,\"deadlineMs\":\"10s\"}", 400, NULL},
        {"POST", A "/rooms/r/scale", "{\"target\":1,\"deadlineMs\":1000}", 200, NULL},
        {"POST", A "/rooms/x/scale", "{\"target\":1}", 404, NULL},
        {"POST", A "/rooms/r/shards", NULL, 201, NULL},
        {"POST", A "/rooms/r/shards", "{\"count\":48}", 201, NULL},
        {"POST", A "/rooms/r/shards", NULL, 400,
         "{\"error\":\"The room can have at most 50 shards\"}"},
        {"POST", A "/rooms/r/shards", "{\"count\":1001}", 400, NULL},
        {"POST", A "/rooms/r/shards", "{\"urlTemplate\":\"\"}", 400, NULL},
        {"POST", A "/rooms/x/shards", NULL, 404, NULL},
    };

    (void)state;
    ASK_ROWS(rows);
}

static void shards_are_made_as_asked(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 0, NULL);

    (void)state;
    ask(r, &(struct row){"POST", A "/rooms/r/shards",
                         "{\"count\":2,\"urlTemplate\":\"ws://h/{roomId}\",\"maxConnections\":3}",
                         201, NULL});
    assert_int_equal(room_shards(room), 2);
    assert_int_equal(recorder_shard(room, 1)->max, 3);
    assert_true(span_eq(recorder_shard(room, 0)->url, SPAN("ws://h/r")));
    recorder_free(r);
}

/* A path of the room's n-th shard. */
static const char *shard_path(const struct room *room, unsigned n, const char *rest)
{
    static char path[256];

    (void)snprintf(path, sizeof(path), A "/shards/%.*s%s", SPAN_ARG(recorder_shard(room, n)->id),
                   rest);
    return path;
}

static void shards_are_changed(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 2, NULL);
    struct shard *s = recorder_shard(room, 0);
    const struct row rows[] = {
        {"PATCH", "", "{\"maxConnections\":5}", 200, NULL},
        {"PATCH", "", "{\"maxConnections\":0}", 400, NULL},
        {"PATCH", "", "{\"status\":\"active\"}", 400, "{\"error\":\"Unknown member status\"}"},
        {"POST", "/maintenance", NULL, 200, NULL},
        {"POST", "/activate", "{\"x\":1}", 400, "{\"error\":\"Unknown member x\"}"},
        {"POST", "/drain", "{\"deadlineMs\":5000,\"rate\":10,\"retryMs\":[100,200]}", 200, NULL},
        {"POST", "/drain", "{\"retryMs\":[200,100]}", 400,
         "{\"error\":\"retryMs must be two whole numbers in order, from 1 to 604800000\"}"},
        {"POST", "/drain", "{\"retryMs\":[200]}", 400, NULL},
        {"POST", "/drain", "{\"deadline\":1}", 400, "{\"error\":\"Unknown member deadline\"}"},
    };

    (void)state;
    recorder_report(r, s->id, 4, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct row row = rows[i];
        row.path = shard_path(room, 0, rows[i].path);
        ask(r, &row);
    }
    assert_int_equal(s->max, 5);
    assert_int_equal(s->status, SHARD_DRAINING);
    assert_int_equal(s->drain.rate, 10);
    recorder_pass(r, 1000);
    assert_int_equal(shard_drain(s, r->now).deadline_ms, 4000);
    ask(r, &(struct row){"GET", shard_path(room, 0, ""), NULL, 200, NULL});
    assert_non_null(strstr(recorder_last(r)->body, "\"node\":null,\"drain\":{\"deadlineMs\":4000,"
                                                   "\"rate\":10,\"retryMs\":[100,200]}}"));
    ask(r, &(struct row){"POST", shard_path(room, 0, "/undrain"), NULL, 200, NULL});
    assert_int_equal(shard_drain(s, r->now).deadline_ms, 0);
    assert_int_equal(s->status, SHARD_ACTIVE);
    recorder_free(r);
}

static void a_shard_with_clients_is_removed_by_force(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 3, NULL);

    (void)state;
    recorder_report(r, recorder_shard(room, 0)->id, 1, NULL);
    ask(r, &(struct row){"DELETE", shard_path(room, 0, ""), NULL, 409, NULL});
    ask(r, &(struct row){"DELETE", shard_path(room, 0, "?force=1"), NULL, 200, NULL});
    ask(r, &(struct row){"DELETE", shard_path(room, 1, ""), NULL, 204, NULL});
    ask(r, &(struct row){"POST", shard_path(room, 1, "/drain"), NULL, 204, NULL});
    assert_int_equal(room_shards(room), 1);
    assert_int_equal(recorder_shard(room, 0)->status, SHARD_DRAINING);
    recorder_free(r);
}

static void changes_are_answered_when_they_are_stored(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    r->hold = true;
    assert_int_equal(recorder_manage(r, NULL, "PUT", A "/rooms/n", "{\"minShards\":1}"), 0);
    assert_int_equal(r->answer_count, 0);
    recorder_store(r, ERR_OK);
    assert_int_equal(recorder_last(r)->status, 201);
    assert_memory_equal(recorder_last(r)->body, "{\"name\":\"n\"", 11);
    assert_int_equal(recorder_manage(r, NULL, "DELETE", A "/rooms/n", NULL), 0);
    recorder_store(r, ERR_OK);
    assert_int_equal(recorder_last(r)->status, 204);
    assert_null(strstr(recorder_last(r)->headers, "Content-Type:"));
    assert_int_equal(recorder_manage(r, NULL, "PUT", A "/rooms/n", NULL), 0);
    recorder_store(r, ERR_IO);
    assert_int_equal(recorder_last(r)->status, 507);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_tokens_open_it),
        cmocka_unit_test(a_read_token_changes_nothing),
        cmocka_unit_test(a_read_token_opens_no_guarded_route_of_the_reference),
        cmocka_unit_test(every_path_has_its_answer),
        cmocka_unit_test(a_405_names_the_methods),
        cmocka_unit_test(rooms_are_applied),
        cmocka_unit_test(odd_names_are_names),
        cmocka_unit_test(names_may_have_8_kib),
        cmocka_unit_test(a_room_with_clients_is_removed_by_force_and_with_its_last_shard),
        cmocka_unit_test(a_leaving_room_stays_when_it_is_applied_again),
        cmocka_unit_test(admins_hear_of_removed_rooms),
        cmocka_unit_test(rooms_are_scaled),
        cmocka_unit_test(shards_are_made_as_asked),
        cmocka_unit_test(shards_are_changed),
        cmocka_unit_test(a_shard_with_clients_is_removed_by_force),
        cmocka_unit_test(changes_are_answered_when_they_are_stored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
