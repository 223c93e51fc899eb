#include "world/core/api/api.h"

#include "tests/unit/world/core/recorder.h"

#include "common/base/json.h"
#include "world/core/api/api_body.h"

#define OK_ROOM                                                                                    \
    "\"balancingStrategy\":\"random\",\"public\":true,\"maxPlayersPerShard\":5,\"minShards\":1"

static const struct credentials nobody;
static const struct credentials shard = {.access_count = 1,
                                         .access = {SHARD_SECRET, sizeof(SHARD_SECRET) - 1}};

struct row {
    const char *verb, *body;
    int status;
    const char *answer; /* the whole body, or how it begins when `begins` */
    bool begins;
};

/* Rows are asked in order, of one world. */
static void ask_rows(const struct row *rows, size_t count)
{
    struct recorder *r = recorder_new();

    for (size_t i = 0; i < count; i++) {
        int status = recorder_post(r, rows[i].verb, rows[i].body);
        const char *body = recorder_last(r)->body;
        if (status != rows[i].status)
            fail_msg("row %zu: %d %s", i, status, body);
        if (rows[i].begins)
            assert_memory_equal(body, rows[i].answer, strlen(rows[i].answer));
        else
            assert_string_equal(body, rows[i].answer);
        json_t *parsed = json_decode(span_str(body));
        assert_non_null(parsed);
        json_decref(parsed);
    }
    recorder_free(r);
}

static void errors_are_problems_on_our_own_routes_alone(void **state)
{
    static const struct {
        const char *method, *path;
        bool problem;
    } rows[] = {
        {"POST", "/parties/world/world-a/connect", false},
        {"POST", "/parties/world/world-a/register-room", false},
        {"POST", "/parties/world/world-a/nothing", false},
        {"POST", "/parties/world/world-a/heartbeat", true},
        {"POST", "/parties/world/world-a/resolve", true},
        {"GET", "/api/v1/worlds", true},
        {"GET", "/api/v1/nothing", true},
        {"GET", "/api/v1/worlds/world-a/rooms/%2", true},
    };
    struct recorder *r = recorder_new();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        recorder_ask(r, rows[i].method, rows[i].path, &nobody, SPAN(""));
        if ((strstr(recorder_last(r)->headers, "application/problem+json") != NULL) !=
            rows[i].problem)
            fail_msg("%s: %s", rows[i].path, recorder_last(r)->headers);
    }
    r->outside = true; /* there is nothing at it */
    assert_int_equal(recorder_ask(r, "GET", "/api/v1/worlds", &nobody, SPAN("")), 404);
    assert_null(strstr(recorder_last(r)->headers, "problem"));
    recorder_free(r);
}

static void connect_answers_every_body(void **state)
{
    static const struct row rows[] = {
        {"/connect", "", 400, "{\"error\":\"Request body is empty\"}", false},
        {"/connect", " \r\n\t ", 400, "{\"error\":\"Request body is empty\"}", false},
        {"/connect", "{", 400, "{\"error\":\"Invalid JSON in request body\"}", false},
        {"/connect", "{\"roomId\":\"a\"} x", 400, "{\"error\":\"Invalid JSON in request body\"}",
         false},
        {"/connect", "null", 400, "{\"error\":\"roomId parameter is required\"}", false},
        {"/connect", "5", 400, "{\"error\":\"roomId parameter is required\"}", false},
        {"/connect", "[]", 400, "{\"error\":\"roomId parameter is required\"}", false},
        {"/connect", "{\"roomId\":\"\"}", 400, "{\"error\":\"roomId parameter is required\"}",
         false},
        {"/connect", "{\"roomId\":0}", 400, "{\"error\":\"roomId parameter is required\"}", false},
        {"/connect", "{\"roomId\":\"r\",\"autoCreate\":false}", 404,
         "{\"error\":\"Room r does not exist\"}", false},
        {"/connect", "{\"roomId\":\"r\",\"autoCreate\":null}", 404,
         "{\"error\":\"Room r does not exist\"}", false},
        {"/connect", "{\"roomId\":5}", 404, "{\"error\":\"Failed to create room 5\"}", false},
        {"/connect", "{\"roomId\":1e21}", 404, "{\"error\":\"Failed to create room 1e+21\"}",
         false},
        {"/connect", "{\"roomId\":[\"x\",\"y\"]}", 404, "{\"error\":\"Failed to create room x,y\"}",
         false},
        {"/connect", "{\"roomId\":{},\"autoCreate\":0}", 404,
         "{\"error\":\"Room [object Object] does not exist\"}", false},
        {"/connect", "{\"roomId\":\"q\\\"\\n\",\"autoCreate\":\"\"}", 404,
         "{\"error\":\"Room q\\\"\\n does not exist\"}", false},
        {"/connect", "{\"roomId\":\"r\"}", 200,
         "{\"success\":true,\"shardId\":\"r:world-a:1760000000000-", true},
        {"/connect", "{\"roomId\":\"r\",\"autoCreate\":false}", 200,
         "{\"success\":true,\"shardId\":\"r:world-a:1760000000000-", true},
        {"/connect", "{\"roomId\":\"__proto__\"}", 200,
         "{\"success\":true,\"shardId\":\"__proto__:world-a:1760000000000-", true},
        {"/connect", "{\"roomId\":\"f\",\"autoCreate\":\"false\"}", 200, "{\"success\":true", true},
        {"/connect", "{\"roomId\":\"one\",\"roomId\":\"two\"}", 200,
         "{\"success\":true,\"shardId\":\"two:", true},
        {"/connect", "{\"roomId\":\"r\",\"session\":\"p\"}", 200, "{\"success\":true", true},
        {"/connect", "{\"roomId\":\"r\",\"session\":5}", 200, "{\"success\":true", true},
        {"/connect", "{\"roomId\":\"r\",\"session\":{\"a\":[]}}", 200, "{\"success\":true", true},
        {"/connect/", "{\"roomId\":\"r\"}", 200, "{\"success\":true", true},
    };

    (void)state;
    ask_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void a_session_may_have_4096_bytes(void **state)
{
    struct recorder *r = recorder_new();
    char body[5000];

    (void)state;
    for (int len = 4096; len <= 4097; len++) {
        (void)snprintf(body, sizeof(body), "{\"roomId\":\"r\",\"session\":\"%0*d\"}", len, 7);
        assert_int_equal(recorder_post(r, "/connect", body), len == 4096 ? 200 : 400);
    }
    assert_string_equal(recorder_last(r)->body, "{\"error\":\"session is too long\"}");
    assert_int_equal(r->core.stats.refusals[REFUSAL_SESSION_TOO_LONG], 1);
    recorder_free(r);
}

static void every_strategy_can_be_registered(void **state)
{
    static const char *const names[] = {
        "round-robin", "least-connections", "random", "packed", "p2c", "hash"};
    struct recorder *r = recorder_new();

    (void)state;
    assert_int_equal(sizeof(names) / sizeof(names[0]), STRATEGY_COUNT);
    for (size_t i = 0; i < STRATEGY_COUNT; i++) {
        const struct room *room = recorder_room(r, names[i], 1, names[i]);
        char body[64];
        assert_string_equal(strategy_names[room->settings.strategy], names[i]);
        (void)snprintf(body, sizeof(body), "{\"roomId\":\"%s\",\"session\":\"p\"}", names[i]);
        assert_int_equal(recorder_post(r, "/connect", body), 200);
        assert_int_equal(r->core.stats.placements[i], 1);
    }
    recorder_free(r);
}

static void register_answers_every_body(void **state)
{
    static const struct row rows[] = {
        {"/register-room", "", 400, "{\"error\":\"Request body is empty\"}", false},
        {"/register-room", "{\"name\":", 400, "{\"error\":\"Invalid JSON in request body\"}",
         false},
        {"/register-room", "null", 400,
         "{\"error\":\"Invalid room configuration\",\"details\":{\"issues\":[{\"code\":"
         "\"invalid_type\",\"expected\":\"object\",\"received\":\"null\",\"path\":[],"
         "\"message\":\"Expected object, received null\"}],\"name\":\"ZodError\"}}",
         false},
        {"/register-room", "{\"name\":\"r\"," OK_ROOM "}", 200, "{}", false},
        {"/register-room", "{\"name\":\"\"," OK_ROOM ",\"maxShards\":1}", 200, "{}", false},
        {"/register-room", "{\"name\":\"r\"," OK_ROOM ",\"maxShards\":2.0,\"foo\":1}", 200, "{}",
         false},
        {"/register-room", "{\"name\":\"r\"," OK_ROOM ",\"minShards\":3,\"maxShards\":2}", 400,
         "{\"error\":\"minShards cannot be greater than maxShards\"}", false},
        {"/register-room", "{\"name\":\"r\"," OK_ROOM ",\"minShards\":1e9}", 400,
         "{\"error\":\"A room cannot have more than 50 shards on this server\"}", false},
        {"/register-room", "{\"name\":\"r\"," OK_ROOM ",\"maxShards\":null}", 400,
         "{\"error\":\"Invalid room configuration\",\"details\":{\"issues\":[{\"code\":"
         "\"invalid_type\",\"expected\":\"number\",\"received\":\"null\",\"path\":[\"maxShards\"],"
         "\"message\":\"Expected number, received null\"}],\"name\":\"ZodError\"}}",
         false},
    };

    (void)state;
    ask_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

/* How many issues a body gets, and a part of their text. */
static void every_bad_field_is_an_issue_of_its_own(void **state)
{
    static const struct {
        const char *verb, *body;
        size_t issues;
        const char *part;
    } rows[] = {
        {"/register-room", "{}", 5, "\"path\":[\"minShards\"],\"message\":\"Required\""},
        {"/register-room",
         "{\"name\":5,\"balancingStrategy\":\"fastest\",\"public\":\"yes\","
         "\"maxPlayersPerShard\":-1.5,\"minShards\":-1,\"maxShards\":0}",
         7,
         "\"message\":\"Invalid enum value. Expected 'round-robin' | 'least-connections' | "
         "'random', received 'fastest'\""},
        {"/register-room",
         "{\"name\":\"a\",\"balancingStrategy\":5,\"public\":true,\"maxPlayersPerShard\":1,"
         "\"minShards\":0}",
         1, "\"message\":\"Expected 'round-robin' | 'least-connections' | 'random', received"},
        {"/register-room",
         "{\"name\":\"a\",\"balancingStrategy\":\"random\",\"public\":true,"
         "\"maxPlayersPerShard\":1e300,\"minShards\":0.5}",
         2, "\"maximum\":9007199254740991,\"type\":\"number\""},
        {"/update-shard", "{}", 2, "\"path\":[\"shardId\"],\"message\":\"Required\""},
        {"/update-shard", "{\"shardId\":\"s\",\"connections\":-1,\"status\":\"\"}", 2,
         "\"message\":\"Number must be greater than or equal to 0\""},
        {"/update-shard", "{\"shardId\":\"s\",\"connections\":1.5,\"worldId\":null}", 2,
         "\"expected\":\"integer\",\"received\":\"float\""},
        {"/scale-room", "{\"roomId\":[],\"targetShardCount\":0}", 2,
         "\"message\":\"Number must be greater than 0\""},
        {"/scale-room", "{\"roomId\":\"r\",\"targetShardCount\":1,\"shardTemplate\":null}", 1,
         "\"path\":[\"shardTemplate\"],\"message\":\"Expected object, received null\""},
        {"/scale-room", "{\"roomId\":\"r\",\"targetShardCount\":1,\"shardTemplate\":{}}", 2,
         "\"path\":[\"shardTemplate\",\"urlTemplate\"],\"message\":\"Required\""},
    };
    struct recorder *r = recorder_new();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(recorder_post(r, rows[i].verb, rows[i].body), 400);
        json_t *answer = json_decode(span_str(recorder_last(r)->body));
        assert_non_null(answer);
        json_t *issues = json_object_get(json_object_get(answer, "details"), "issues");
        assert_int_equal(json_array_size(issues), rows[i].issues);
        if (strstr(recorder_last(r)->body, rows[i].part) == NULL)
            fail_msg("row %zu: %s", i, recorder_last(r)->body);
        json_decref(answer);
    }
    recorder_free(r);
}

static void update_knows_its_shards(void **state)
{
    static const struct row rows[] = {
        {"/update-shard", "", 400, "{\"error\":\"Request body is empty\"}", false},
        {"/update-shard", "]", 400, "{\"error\":\"Invalid JSON in request body\"}", false},
        {"/update-shard", "5", 400, "{\"error\":\"Invalid shard stats\",\"details\":", true},
        {"/update-shard", "{\"shardId\":\"s\",\"connections\":1}", 404,
         "{\"error\":\"Shard s not found\"}", false},
        {"/update-shard", "{\"shardId\":\"toString\",\"connections\":1,\"worldId\":\"world-b\"}",
         404, "{\"error\":\"Shard toString not found\"}", false},
    };
    struct recorder *r = recorder_new();
    char body[256];

    (void)state;
    ask_rows(rows, sizeof(rows) / sizeof(rows[0]));

    struct span id = recorder_shard(recorder_room(r, "r", 1, NULL), 0)->id;
    (void)snprintf(body, sizeof(body),
                   "{\"shardId\":\"%.*s\",\"connections\":1,\"worldId\":\"world-b\"}",
                   SPAN_ARG(id));
    assert_int_equal(recorder_post(r, "/update-shard", body), 400);
    assert_non_null(strstr(recorder_last(r)->body, "belongs to world world-b, not world-a"));
    (void)snprintf(body, sizeof(body), "{\"shardId\":\"%.*s\",\"connections\":3,\"worldId\":\"\"}",
                   SPAN_ARG(id));
    assert_int_equal(recorder_post(r, "/update-shard", body), 200);
    assert_string_equal(recorder_last(r)->body, "{}");
    recorder_free(r);
}

static void scale_answers_every_body(void **state)
{
    static const struct row rows[] = {
        {"/scale-room", "", 400, "{\"error\":\"Request body is empty\"}", false},
        {"/scale-room", "]", 400, "{\"error\":\"Invalid JSON in request body\"}", false},
        {"/scale-room", "{}", 400, "{\"error\":\"Invalid scale room request\",\"details\":", true},
        {"/scale-room", "{\"roomId\":\"r\",\"targetShardCount\":2}", 404,
         "{\"error\":\"Room r does not exist\"}", false},
        {"/register-room", "{\"name\":\"r\"," OK_ROOM ",\"maxShards\":4}", 200, "{}", false},
        {"/scale-room", "{\"roomId\":\"r\",\"targetShardCount\":5}", 400,
         "{\"error\":\"Cannot scale beyond maximum allowed shards (4)\",\"roomId\":\"r\","
         "\"currentShardCount\":1}",
         false},
        {"/scale-room", "{\"roomId\":\"r\",\"targetShardCount\":4}", 200, "{}", false},
        {"/register-room", "{\"name\":\"r\"," OK_ROOM "}", 200, "{}", false},
        {"/scale-room", "{\"roomId\":\"r\",\"targetShardCount\":51}", 400,
         "{\"error\":\"A room cannot have more than 50 shards on this server\"}", false},
        {"/scale-room", "{\"roomId\":\"r\",\"targetShardCount\":50}", 200, "{}", false},
    };

    (void)state;
    ask_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void full_rooms_say_when_to_come_back(void **state)
{
    struct recorder *r = recorder_new();
    struct span id;

    (void)state;
    assert_int_equal(
        recorder_post(r, "/register-room", "{\"name\":\"r\"," OK_ROOM ",\"maxShards\":1}"), 200);
    id =
        recorder_shard(world_room(registry_world(&r->core.registry, SPAN("world-a")), SPAN("r")), 0)
            ->id;
    assert_int_equal(recorder_report(r, id, 5, NULL), 200);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 503);
    assert_string_equal(recorder_last(r)->body,
                        "{\"error\":\"No shard capacity available for room r\"}");
    assert_non_null(strstr(recorder_last(r)->headers, "Retry-After: 1\r\n"));
    assert_int_equal(r->core.stats.refusals[REFUSAL_FULL], 1);

    assert_int_equal(recorder_report(r, id, 1, "maintenance"), 200);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 503);
    assert_string_equal(recorder_last(r)->body,
                        "{\"error\":\"No active shards available for room r\"}");
    assert_int_equal(r->core.stats.refusals[REFUSAL_NO_ACTIVE], 1);

    assert_int_equal(recorder_report(r, id, 0, "draining"), 200);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\",\"autoCreate\":false}"), 404);
    assert_string_equal(recorder_last(r)->body, "{\"error\":\"No shards available for room r\"}");
    recorder_free(r);
}

static void checks_come_in_order(void **state)
{
    static const struct {
        const char *method, *path;
        bool secret;
        int status;
        const char *body;
    } rows[] = {
        {"OPTIONS", "/parties/world/nope/what", false, 200, "{}"},
        {"OPTIONS", "/parties/world/world-a/connect", false, 200, "{}"},
        {"POST", "/parties/world/nope/connect", false, 404, "{\"error\":\"Not found\"}"},
        {"POST", "/parties/world/world-/connect", false, 404, "{\"error\":\"Not found\"}"},
        {"POST", "/parties/world/World-a/connect", false, 404, "{\"error\":\"Not found\"}"},
        {"POST", "/parties/world/nope/register-room", true, 404, "{\"error\":\"Not found\"}"},
        {"GET", "/parties/world/world-a/connect", false, 404, "{\"error\":\"Not found\"}"},
        {"GET", "/parties/world/world-a", false, 404, "{\"error\":\"Not found\"}"},
        {"POST", "/parties/world/world-a/", true, 404, "{\"error\":\"Not found\"}"},
        {"POST", "/parties/world/world-a/connectXYZ", false, 404, "{\"error\":\"Not found\"}"},
        {"POST", "/parties/world/world-a/connect/x", false, 404, "{\"error\":\"Not found\"}"},
        {"POST", "/parties/world/world-a/connect%2F", false, 404, "{\"error\":\"Not found\"}"},
        {"POST", "/parties/world/world-a//connect", false, 404, "{\"error\":\"Not found\"}"},
        {"POST", "/parties/world/world-a/connect//", false, 404, "{\"error\":\"Not found\"}"},
        {"POST", "/parties/world/world-a/Connect", false, 404, "{\"error\":\"Not found\"}"},
        {"POST", "/parties/world/world-a/register-shard", true, 404, "{\"error\":\"Not found\"}"},
        {"POST", "/parties/world/world-a/register-room", false, 403,
         "{\"error\":\"Not permitted\"}"},
        {"POST", "/parties/world/world-a/update-shard", false, 403,
         "{\"error\":\"Not permitted\"}"},
        {"POST", "/parties/world/world-a/scale-room/", false, 403, "{\"error\":\"Not permitted\"}"},
        {"POST", "/parties/world/world-a/register-room", true, 400,
         "{\"error\":\"Request body is empty\"}"},
        {"POST", "/parties/world/%77orld%2Da/connect", false, 400,
         "{\"error\":\"Request body is empty\"}"},
        {"POST", "/parties/world/world-b/../world-a/connect", false, 400,
         "{\"error\":\"Request body is empty\"}"},
        {"POST", "/parties/world/%zz/connect", false, 400,
         "{\"error\":\"Bad escape in the path\"}"},
        {"POST", "/parties/world/world-a/%zz", false, 400,
         "{\"error\":\"Bad escape in the path\"}"},
        {"GET", "/%zz", false, 400, "{\"error\":\"Bad escape in the path\"}"},
        {"GET", "/", false, 404, "Not Found"},
        {"GET", "/parties/world/", false, 404, "Not Found"},
        {"GET", "/parties/world", false, 404, "Not Found"},
        {"GET", "/parties/shard/a:b:c", false, 404, "Not Found"},
        {"POST", "/Parties/world/world-a/connect", false, 404, "Not Found"},
    };
    struct recorder *r = recorder_new();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int status = recorder_ask(r, rows[i].method, rows[i].path,
                                  rows[i].secret ? &shard : &nobody, (struct span){0});
        if (status != rows[i].status)
            fail_msg("row %zu: %d %s", i, status, recorder_last(r)->body);
        assert_string_equal(recorder_last(r)->body, rows[i].body);
        bool plain = rows[i].body[0] != '{';
        assert_non_null(strstr(recorder_last(r)->headers,
                               plain ? "text/plain" : "Access-Control-Allow-Origin: *\r\n"));
    }
    recorder_free(r);
}

static void a_read_makes_no_world(void **state)
{
    static const struct {
        const char *verb, *body;
        size_t worlds; /* after it */
    } rows[] = {
        {"/nothing", "", 0},
        {"/connect", "{\"roomId\":\"r\",\"autoCreate\":false}", 0},
        {"/connect", "{\"roomId\":5}", 0},
        {"/update-shard", "{\"shardId\":\"s\",\"connections\":1}", 0},
        {"/scale-room", "{\"roomId\":\"r\",\"targetShardCount\":2}", 0},
        {"/register-room", "{}", 0},
        {"/connect", "{\"roomId\":\"r\"}", 1},
    };
    struct recorder *r = recorder_new();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        recorder_post(r, rows[i].verb, rows[i].body);
        assert_int_equal(r->core.registry.world_count, rows[i].worlds);
    }
    recorder_free(r);
}

static void names_have_a_limit(void **state)
{
    struct recorder *r = recorder_new();
    struct buf body = {0};

    (void)state;
    for (size_t len = ROOM_ID_MAX; len <= ROOM_ID_MAX + 1; len++) {
        bool fits = len == ROOM_ID_MAX;
        char *name = xcalloc(1, len + 1);
        memset(name, 'L', len);

        buf_reset(&body);
        buf_addf(&body, "{\"roomId\":\"%s\"}%c", name, '\0');
        assert_int_equal(recorder_post(r, "/connect", body.data), fits ? 200 : 400);
        assert_int_equal(strcmp(recorder_last(r)->body, "{\"error\":\"roomId is too long\"}") == 0,
                         !fits);
        buf_reset(&body);
        buf_addf(&body, "{\"name\":\"%s\"," OK_ROOM "}%c", name, '\0');
        assert_int_equal(recorder_post(r, "/register-room", body.data), fits ? 200 : 400);
        assert_int_equal(
            strstr(recorder_last(r)->body, "String must contain at most 8192 character(s)") != NULL,
            !fits);
        free(name);
    }
    buf_clear(&body);
    recorder_free(r);
}

static void an_admins_answer_waits_for_the_store(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    r->hold = true;
    assert_int_equal(recorder_post(r, "/register-room", "{\"name\":\"r\"," OK_ROOM "}"), 0);
    assert_int_equal(r->rooms_put, 1);
    assert_int_equal(r->shards_put, 1);
    assert_int_equal(r->token_count, 1);
    /* A client does not wait, and overtakes. */
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 200);
    assert_int_equal(recorder_last(r)->reply.slot, 2);
    recorder_store(r, ERR_OK);
    assert_int_equal(recorder_last(r)->reply.slot, 1);
    assert_int_equal(recorder_last(r)->status, 200);
    recorder_free(r);
}

static void answers_go_to_those_who_asked_in_any_order(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    r->hold = true;
    for (int i = 0; i < 3; i++)
        assert_int_equal(recorder_post(r, "/register-room", "{\"name\":\"r\"," OK_ROOM "}"), 0);
    assert_int_equal(r->token_count, 3);
    core_stored(&r->core, r->tokens[2], ERR_OK);
    assert_int_equal(recorder_last(r)->reply.slot, 3);
    core_stored(&r->core, r->tokens[0], ERR_IO);
    assert_int_equal(recorder_last(r)->reply.slot, 1);
    assert_int_equal(recorder_last(r)->status, 507);
    assert_int_equal(r->core.stats.refusals[REFUSAL_STORE], 1);
    core_stored(&r->core, r->tokens[0], ERR_OK); /* twice: nobody waits any more */
    assert_int_equal(r->answer_count, 2);
    core_stored(&r->core, r->tokens[1], ERR_OK);
    assert_int_equal(recorder_last(r)->reply.slot, 2);
    recorder_free(r);
}

static void reports_of_counts_alone_are_not_stored(void **state)
{
    struct recorder *r = recorder_new();
    struct span id = recorder_shard(recorder_room(r, "r", 1, NULL), 0)->id;

    (void)state;
    assert_int_equal(r->shards_put, 1);
    assert_int_equal(recorder_report(r, id, 3, NULL), 200);
    assert_int_equal(r->shards_put, 1);
    assert_int_equal(recorder_report(r, id, 3, "draining"), 200);
    assert_int_equal(r->shards_put, 2);
    assert_int_equal(recorder_report(r, id, 0, NULL), 200);
    assert_int_equal(r->shards_deleted, 1);
    recorder_free(r);
}

static uint64_t requests_counted(const struct recorder *r)
{
    uint64_t count = 0;

    for (int route = 0; route < ROUTE_COUNT; route++)
        for (int class = 0; class < CLASS_COUNT; class ++)
            count += r->core.stats.requests[route][class];
    return count;
}

static void requests_for_worlds_of_others_are_passed_on(void **state)
{
    static const struct {
        const char *method, *path;
    } rows[] = {
        {"POST", "/parties/world/world-a/connect"},
        {"POST", "/parties/world/world-a/heartbeat"},
        {"GET", "/api/v1/worlds/world-a/rooms"},
        {"DELETE", "/api/v1/worlds/world-a/rooms/r"},
    };
    static const enum owner owners[] = {OWNER_OTHER, OWNER_SOUGHT};
    struct recorder *r = recorder_new();
    const struct credentials c = {
        .authorization = SPAN(TOKEN_A), .access_count = 1, .access = SPAN(SHARD_SECRET)};
    size_t passed = 0;

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        r->owner = owners[i % 2];
        assert_int_equal(recorder_ask(r, rows[i / 2].method, rows[i / 2].path, &c, SPAN("{")), 0);
        assert_int_equal(r->pass_count, ++passed);
        assert_int_equal(r->passed.slot, r->replies);
    }
    assert_int_equal(r->core.registry.world_count, 0);
    assert_int_equal(requests_counted(r), 0);
    recorder_free(r);
}

static void who_may_not_ask_is_not_passed_on(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    r->owner = OWNER_OTHER;
    assert_int_equal(recorder_ask(r, "POST", "/parties/world/world-a/scale-room",
                                  &(struct credentials){0}, SPAN("{}")),
                     403);
    assert_int_equal(recorder_manage(r, TOKEN_FORGED, "GET", "/api/v1/worlds/world-a/rooms", NULL),
                     403);
    assert_int_equal(recorder_post(r, "/nowhere", "{}"), 404);
    assert_int_equal(r->pass_count, 0);
    recorder_free(r);
}

static void a_broken_world_says_what_is_wrong(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    r->owner = OWNER_BROKEN;
    r->why = "terrane:meta:world-a is of another version";
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 503);
    assert_string_equal(recorder_last(r)->body,
                        "{\"error\":\"World world-a cannot be read: terrane:meta:world-a is of "
                        "another version\"}");
    assert_non_null(strstr(recorder_last(r)->headers, "Retry-After: 1\r\n"));
    assert_int_equal(r->core.stats.refusals[REFUSAL_BROKEN], 1);
    recorder_free(r);
}

static void who_lost_the_world_meanwhile_answers_nothing(void **state)
{
    struct recorder *r = recorder_new();
    uint64_t counted;

    (void)state;
    (void)recorder_room(r, "r", 1, NULL);
    counted = requests_counted(r);
    r->ours_left = 1;
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 0);
    assert_int_equal(r->pass_count, 1);
    r->owner = OWNER_US;
    r->ours_left = 1;
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"none\"}"), 0);
    assert_int_equal(r->pass_count, 2);
    assert_int_equal(requests_counted(r), counted);
    r->owner = OWNER_US;
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 200);
    recorder_free(r);
}

static void what_a_lost_store_did_not_keep_is_asked_of_the_owner(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    r->hold = true;
    assert_int_equal(recorder_post(r, "/register-room",
                                   "{\"name\":\"r\",\"balancingStrategy\":\"random\","
                                   "\"public\":true,\"maxPlayersPerShard\":5,\"minShards\":0}"),
                     0);
    assert_int_equal(
        recorder_manage(r, NULL, "PUT", "/api/v1/worlds/world-a/rooms/q", "{\"minShards\":1}"), 0);
    recorder_store(r, ERR_DENIED);
    assert_int_equal(r->pass_count, 2);
    assert_int_equal(r->answer_count, 0);
    /* It may have been made, and must not be made twice. */
    assert_int_equal(
        recorder_manage(r, NULL, "POST", "/api/v1/worlds/world-a/rooms/q/shards", "{\"count\":1}"),
        0);
    recorder_store(r, ERR_DENIED);
    assert_int_equal(r->pass_count, 2);
    assert_int_equal(recorder_last(r)->status, 507);
    recorder_free(r);
}

static void outside_there_is_no_management(void **state)
{
    static const struct {
        const char *method, *path;
        int status;
        const char *answer; /* NULL: any */
    } rows[] = {
        {"POST", "/parties/world/world-a/register-room", 404, "{\"error\":\"Not found\"}"},
        {"POST", "/parties/world/world-a/scale-room/", 404, "{\"error\":\"Not found\"}"},
        {"OPTIONS", "/parties/world/world-a/scale-room", 200, "{}"},
        {"GET", "/api/v1/worlds", 404, "Not Found"},
        {"GET", "/api/v1/worlds/world-a/rooms", 404, "Not Found"},
        {"OPTIONS", "/api/v1/worlds", 404, "Not Found"},
        {"POST", "/parties/world/world-a/update-shard", 400, NULL},
        {"POST", "/parties/world/world-a/heartbeat", 400, NULL},
        {"POST", "/parties/world/world-a/resolve", 400, NULL},
        {"POST", "/parties/world/world-a/connect", 400, NULL},
    };
    struct recorder *r = recorder_new();
    struct credentials both = shard;

    (void)state;
    both.authorization = SPAN(TOKEN_A);
    r->outside = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int status = recorder_ask(r, rows[i].method, rows[i].path, &both, SPAN(""));
        const char *body = recorder_last(r)->body;
        if (status != rows[i].status)
            fail_msg("row %zu: %d %s", i, status, body);
        if (rows[i].answer != NULL)
            assert_string_equal(body, rows[i].answer);
    }
    assert_int_equal(r->core.registry.world_count, 0);
    recorder_free(r);
}

static void outside_nobody_is_an_admin(void **state)
{
    struct recorder *r = recorder_new();
    struct feed_request request = {
        .path = SPAN("/parties/world/world-a"), .credentials = shard, .outside = true};
    struct handle admin;

    (void)state;
    assert_int_equal(core_feed_open(&r->core, &request, &admin, r->now), FEED_SILENT);
    assert_int_equal(r->core.admins.count, 0);
    request.path = SPAN("/parties/world/nope");
    assert_int_equal(core_feed_open(&r->core, &request, &admin, r->now), FEED_CLOSE);
    recorder_free(r);
}

static void what_may_wait_for_the_store_is_not_quick(void **state)
{
    static const struct {
        const char *path;
        bool quick;
    } rows[] = {
        {"/parties/world/w/connect", true},        {"/parties/world/w/heartbeat", true},
        {"/parties/world/w/resolve", true},        {"/parties/world/w/update-shard", false},
        {"/parties/world/w/register-room", false}, {"/parties/world/w", false},
        {"/api/v1/worlds/w/rooms/connect", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(api_is_quick(span_str(rows[i].path)), rows[i].quick);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_problems_on_our_own_routes_alone),
        cmocka_unit_test(connect_answers_every_body),
        cmocka_unit_test(a_session_may_have_4096_bytes),
        cmocka_unit_test(every_strategy_can_be_registered),
        cmocka_unit_test(register_answers_every_body),
        cmocka_unit_test(every_bad_field_is_an_issue_of_its_own),
        cmocka_unit_test(update_knows_its_shards),
        cmocka_unit_test(scale_answers_every_body),
        cmocka_unit_test(full_rooms_say_when_to_come_back),
        cmocka_unit_test(checks_come_in_order),
        cmocka_unit_test(outside_there_is_no_management),
        cmocka_unit_test(outside_nobody_is_an_admin),
        cmocka_unit_test(a_read_makes_no_world),
        cmocka_unit_test(names_have_a_limit),
        cmocka_unit_test(an_admins_answer_waits_for_the_store),
        cmocka_unit_test(answers_go_to_those_who_asked_in_any_order),
        cmocka_unit_test(reports_of_counts_alone_are_not_stored),
        cmocka_unit_test(requests_for_worlds_of_others_are_passed_on),
        cmocka_unit_test(who_may_not_ask_is_not_passed_on),
        cmocka_unit_test(a_broken_world_says_what_is_wrong),
        cmocka_unit_test(who_lost_the_world_meanwhile_answers_nothing),
        cmocka_unit_test(what_may_wait_for_the_store_is_not_quick),
        cmocka_unit_test(what_a_lost_store_did_not_keep_is_asked_of_the_owner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
