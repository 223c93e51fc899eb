#include "tests/unit/world/core/recorder.h"

#define A "/api/v1/worlds/world-a"
#define S A "/servers/http%3A%2F%2Fh%3A3000"

static void room_servers_are_managed(void **state)
{
    static const struct {
        const char *method, *path, *body;
        int status;
        const char *answer;
    } rows[] = {
        {"GET", S, NULL, 404, "{\"error\":\"Room server http://h:3000 is not known\"}"},
        {"PUT", S, NULL, 201,
         "{\"server\":\"http://h:3000\",\"state\":\"unknown\",\"configured\":false,"
         "\"registered\":true,\"draining\":false,\"rooms\":0,\"awaited\":0}"},
        {"PUT", S, "{\"draining\":true}", 200, NULL},
        {"PUT", S, "{\"draining\":1}", 400, NULL},
        {"GET", S, NULL, 200,
         "{\"server\":\"http://h:3000\",\"state\":\"unknown\",\"configured\":false,"
         "\"registered\":true,\"draining\":true,\"rooms\":0,\"awaited\":0}"},
        {"PUT", A "/servers/nowhere", NULL, 400, "{\"error\":\"nowhere is no http origin\"}"},
        {"POST", A "/rooms/r/move", "{\"server\":\"http://h:3000\"}", 409, NULL},
        {"POST", A "/rooms/r/move", "{\"server\":\"http://x:3000\"}", 404, NULL},
        {"POST", A "/rooms/x/move", "{\"server\":\"http://h:3000\"}", 404, NULL},
        {"POST", A "/rooms/r/move", "{}", 400, NULL},
        {"DELETE", S, NULL, 204, ""},
        {"DELETE", A "/servers/http%3A%2F%2Fx", NULL, 404, NULL},
    };
    struct recorder *r = recorder_new();

    (void)state;
    (void)recorder_room(r, "r", 1, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int status = recorder_manage(r, NULL, rows[i].method, rows[i].path, rows[i].body);
        const char *body = recorder_last(r)->body;
        if (status != rows[i].status)
            fail_msg("row %zu: %d %s", i, status, body);
        if (rows[i].answer != NULL)
            assert_string_equal(body, rows[i].answer);
    }
    assert_int_equal(recorder_manage(r, NULL, "GET", A "/servers", NULL), 200);
    recorder_free(r);
}

static void states_are_told(void **state)
{
    struct recorder *r = recorder_new();
    struct world_server *at;

    (void)state;
    assert_int_equal(recorder_manage(r, NULL, "GET", A "/events", NULL), 0);
    assert_int_equal(recorder_manage(r, NULL, "PUT", S, NULL), 201);
    at = servers_find(registry_world(&r->core.registry, SPAN("world-a")), SPAN("http://h:3000"));
    recorder_pass(r, 250); /* a probe goes out */
    servers_probed(&r->core.registry, at->server->self, true, r->now);
    assert_non_null(strstr(r->streamed.data, "event: server.state\ndata: "
                                             "{\"server\":\"http://h:3000\",\"state\":\"up\"}"));
    recorder_free(r);
}

static void room_says_which_server_it_is_on(void **state)
{
    struct recorder *r = recorder_new();
    struct world_server *at;

    (void)state;
    assert_int_equal(recorder_manage(r, NULL, "PUT", A "/rooms/early", NULL), 201);
    assert_null(strstr(recorder_last(r)->body, "\"server\""));
    assert_int_equal(recorder_manage(r, NULL, "PUT", S, NULL), 201);
    at = servers_find(registry_world(&r->core.registry, SPAN("world-a")), SPAN("http://h:3000"));
    recorder_pass(r, 250); /* a probe goes out */
    servers_probed(&r->core.registry, at->server->self, true, r->now);
    assert_int_equal(recorder_manage(r, NULL, "PUT", A "/rooms/late", NULL), 201);
    assert_non_null(strstr(recorder_last(r)->body, "\"server\":\"http://h:3000\"}"));
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(room_servers_are_managed),
                                       cmocka_unit_test(states_are_told),
                                       cmocka_unit_test(room_says_which_server_it_is_on)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
