#include "common/base/log.h"
#include "servers_rig.h"

static void every_world_has_the_configured_ones(void **state)
{
    struct recorder *r = rig_servers(BOTH "," SERVER_A "/", 0);
    struct world *w = registry_make_world(&r->core.registry, SPAN("world-b"));

    (void)state;
    assert_int_equal(r->core.registry.servers.count, 2);
    assert_non_null(servers_find(w, SPAN(SERVER_A "/")));
    assert_non_null(servers_find(w, SPAN(SERVER_B)));
    assert_null(servers_find(w, SPAN("http://c:3")));
    assert_null(servers_find(w, SPAN("a:1")));
    recorder_free(r);
}

static void operators_add_drain_and_remove(void **state)
{
    struct recorder *r = rig_servers(SERVER_A, 0);
    struct world *w = registry_make_world(&r->core.registry, SPAN("world-a"));
    struct registry *registry = &r->core.registry;
    struct world_server *at;

    (void)state;
    assert_int_equal(servers_add(registry, w, SPAN("b:2"), r->now, &at), ERR_SYNTAX);
    assert_int_equal(servers_add(registry, w, SPAN(SERVER_A), r->now, &at), ERR_EXISTS);
    assert_int_equal(servers_add(registry, w, SPAN(SERVER_B "/"), r->now, &at), ERR_OK);
    assert_true(server_takes_rooms(at));
    assert_int_equal(r->records[r->record_count - 1].kind, RECORD_SERVER);
    assert_string_equal(r->records[r->record_count - 1].key, SERVER_B);
    servers_drain(registry, at, true);
    assert_false(server_takes_rooms(at));
    servers_drain(registry, at, false);
    assert_true(server_takes_rooms(at));
    servers_remove(registry, at);
    rig_pass(r, 250, NULL, false);
    assert_null(servers_find(w, SPAN(SERVER_B)));
    assert_int_equal(registry->servers.count, 1);
    servers_remove(registry, servers_find(w, SPAN(SERVER_A))); /* it is configured */
    rig_pass(r, 250, NULL, false);
    assert_true(server_takes_rooms(servers_find(w, SPAN(SERVER_A))));
    recorder_free(r);
}

static void an_answer_for_a_forgotten_server_is_ignored(void **state)
{
    struct recorder *r = recorder_new();
    struct world *w = registry_make_world(&r->core.registry, SPAN("world-a"));
    struct world_server *at;

    (void)state;
    assert_int_equal(servers_add(&r->core.registry, w, SPAN(SERVER_A), r->now, &at), ERR_OK);
    core_tick(&r->core, r->now);
    assert_int_equal(r->probe_count, 1);
    servers_remove(&r->core.registry, at);
    recorder_pass(r, 250);
    assert_int_equal(r->core.registry.servers.count, 0);
    rig_answer(r, NULL);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_world_has_the_configured_ones),
        cmocka_unit_test(operators_add_drain_and_remove),
        cmocka_unit_test(an_answer_for_a_forgotten_server_is_ignored),
    };

    log_open("test", LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
