/* What operators see of findings, and of the process. */
#include "tests/unit/world/core/fleet.h"

#define A "/api/v1/worlds/world-a"

static int ask(struct recorder *r, const char *method, const char *path)
{
    return recorder_manage(r, NULL, method, path, NULL);
}

static const char *last(const struct recorder *r)
{
    return recorder_last(r)->body;
}

static void tell(struct recorder *r, const char *id, const char *findings, int64_t checkup)
{
    struct said said = {.id = id, .findings = findings, .checkup = checkup};

    assert_int_equal(fleet_beat(r, &said, NULL, 0), 200);
}

static void a_world_without_anything_has_no_findings(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    assert_int_equal(ask(r, "GET", A "/findings"), 200);
    assert_string_equal(last(r), "{\"checkup\":null,\"items\":[]}");
    assert_int_equal(ask(r, "POST", A "/checkup"), 202);
    assert_string_equal(last(r), "{\"checkup\":null,\"items\":[]}");
    assert_null(fleet_world(r));
    recorder_free(r);
}

static void the_worst_come_first(void **state)
{
    struct recorder *r = fleet_new(0);
    static const char *const order[] = {"\"redis-evicts\"", "\"node-id\"", "\"room-secret\"",
                                        "\"certificate\"", "\"one-address\""};

    (void)state;
    r->settings.process = SPAN("p1");
    tell(r, "a",
         "[{\"check\":\"one-address\",\"since\":3},{\"check\":\"room-secret\",\"subject\":\"x\"}]",
         0);
    (void)findings_put(&fleet_world(r)->findings, FINDING_NODE_ID, SPAN("a"), SPAN("d"), 5);
    (void)findings_put(&r->core.findings, FINDING_CERTIFICATE, SPAN("f"), SPAN(""), 6);
    (void)findings_put(&r->core.findings, FINDING_REDIS_EVICTS, SPAN(""), SPAN("lru"), 7);
    assert_int_equal(ask(r, "GET", A "/findings"), 200);
    const char *at = last(r);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        at = strstr(at, order[i]);
        if (at == NULL)
            fail_msg("%s is not behind the one before: %s", order[i], last(r));
    }
    assert_non_null(strstr(last(r),
                           "{\"check\":\"room-secret\",\"level\":\"error\",\"by\":{\"node\":\"a\"},"
                           "\"subject\":\"x\",\"detail\":\"\",\"means\":\"The room server "));
    assert_non_null(strstr(last(r), "\"by\":{\"world\":\"p1\"}"));
    assert_non_null(strstr(last(r), "\"since\":5}"));
    recorder_free(r);
}

static void what_a_lost_node_told_is_not_shown(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    tell(r, "a", "[{\"check\":\"room-secret\"}]", 0);
    fleet_pass(r, FLEET_DEAD_MS + 2000, NULL);
    assert_int_equal(ask(r, "GET", A "/findings"), 200);
    assert_null(strstr(last(r), "room-secret"));
    assert_non_null(strstr(last(r), "node-lost"));
    recorder_free(r);
}

static void a_checkup_is_shown_until_it_is_over(void **state)
{
    struct recorder *r = fleet_new(0);
    char want[128];

    (void)state;
    tell(r, "a", "[]", 0);
    assert_int_equal(ask(r, "POST", A "/checkup"), 202);
    (void)snprintf(want, sizeof want,
                   "{\"checkup\":{\"id\":%lld,\"startedAt\":%lld,\"waiting\":[\"a\"]},",
                   (long long)r->now.wall_ms, (long long)r->now.wall_ms);
    assert_ptr_equal(strstr(last(r), want), last(r));
    int64_t id = r->now.wall_ms;
    recorder_pass(r, 500);
    assert_int_equal(ask(r, "POST", A "/checkup"), 202);
    assert_ptr_equal(strstr(last(r), want), last(r));
    tell(r, "a", "[]", id);
    assert_int_equal(ask(r, "GET", A "/findings"), 200);
    assert_ptr_equal(strstr(last(r), "{\"checkup\":null,"), last(r));
    recorder_free(r);
}

static void who_only_reads_begins_no_checkup(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    assert_int_equal(recorder_manage(r, TOKEN_READ_ALL, "POST", A "/checkup", NULL), 403);
    assert_int_equal(recorder_manage(r, TOKEN_READ_ALL, "GET", A "/findings", NULL), 200);
    assert_int_equal(recorder_manage(r, TOKEN_READ_ALL, "GET", "/api/v1/process", NULL), 200);
    assert_int_equal(recorder_manage(r, TOKEN_FORGED, "GET", A "/findings", NULL), 403);
    assert_int_equal(recorder_manage(r, TOKEN_FORGED, "GET", "/api/v1/process", NULL), 403);
    assert_int_equal(recorder_manage(r, TOKEN_NO_WORLDS, "GET", "/api/v1/process", NULL), 403);
    assert_int_equal(ask(r, "DELETE", A "/checkup"), 405);
    assert_int_equal(ask(r, "POST", "/api/v1/process"), 405);
    assert_int_equal(ask(r, "GET", "/api/v1/processes"), 404);
    recorder_free(r);
}

static bool get_peer(void *ctx, size_t i, struct span *id, struct span *url)
{
    (void)ctx;
    *id = SPAN("p2");
    *url = SPAN("http://p2");
    return i < 1;
}

static void the_process_is_shown_whoever_decides(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    (void)fleet_join(r, "a");
    r->settings.process = SPAN("p1");
    r->settings.store = "redis";
    r->port.peers.get = get_peer;
    (void)findings_put(&r->core.findings, FINDING_REDIS_UNREACHABLE, SPAN(""), SPAN("away"), 7);
    assert_int_equal(ask(r, "GET", "/api/v1/process"), 200);
    assert_non_null(strstr(last(r), "{\"process\":\"terrane-world\",\"id\":\"p1\",\"version\":\""));
    assert_non_null(strstr(last(r), "\"store\":\"redis\",\"worlds\":[\"world-a\"],"
                                    "\"peers\":[{\"id\":\"p2\",\"url\":\"http://p2\"}],"
                                    "\"findings\":[{\"check\":\"redis-unreachable\""));
    r->owner = OWNER_SOUGHT;
    assert_int_equal(ask(r, "GET", "/api/v1/process"), 200);
    assert_non_null(strstr(last(r), "\"worlds\":[],"));
    assert_int_equal(r->pass_count, 0);
    assert_int_equal(ask(r, "GET", A "/findings"), 0);
    assert_int_equal(r->pass_count, 1);
    recorder_free(r);
}

static void a_token_of_one_world_reads_nothing_of_others(void **state)
{
    struct recorder *r = fleet_new(0);
    static const char *const paths[] = {A "/findings", "/api/v1/process"};

    (void)state;
    (void)findings_put(&r->core.findings, FINDING_NODE_SECRET, SPAN("10.0.0.7"),
                       SPAN("calls itself node n1, of world-b"), 7);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_int_equal(recorder_manage(r, TOKEN_A, "GET", paths[i], NULL), 200);
        assert_non_null(strstr(last(r), "\"detail\":\"calls itself a node of another world\""));
        assert_null(strstr(last(r), "world-b"));
        assert_int_equal(recorder_manage(r, TOKEN_READ_ALL, "GET", paths[i], NULL), 200);
        assert_non_null(strstr(last(r), "calls itself node n1, of world-b"));
    }
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_world_without_anything_has_no_findings),
        cmocka_unit_test(the_worst_come_first),
        cmocka_unit_test(what_a_lost_node_told_is_not_shown),
        cmocka_unit_test(a_checkup_is_shown_until_it_is_over),
        cmocka_unit_test(who_only_reads_begins_no_checkup),
        cmocka_unit_test(the_process_is_shown_whoever_decides),
        cmocka_unit_test(a_token_of_one_world_reads_nothing_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
