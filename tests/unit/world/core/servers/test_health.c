#include "servers_rig.h"

static void one_probe_at_a_time_whoever_names_the_server(void **state)
{
    struct recorder *r = recorder_new_with(SERVER_A);

    (void)state;
    (void)registry_make_world(&r->core.registry, SPAN("world-a"));
    (void)registry_make_world(&r->core.registry, SPAN("world-b"));
    for (int i = 0; i < 40; i++) {
        recorder_pass(r, 250);
        core_tick(&r->core, r->now);
    }
    assert_int_equal(r->probe_count, 1); /* it was not answered */
    assert_string_equal(r->probed_origins[0], SERVER_A);
    rig_answer(r, NULL);
    assert_int_equal(rig_state(r, SERVER_A), SERVER_UP);
    r->core.registry.servers.probes = 0;
    rig_pass(r, 20000, NULL, false);
    assert_in_range(r->core.registry.servers.probes, 8, 11);
    recorder_free(r);
}

static void a_silent_server_is_down_then_dead_then_up_again(void **state)
{
    struct recorder *r = rig_servers(BOTH, 0);

    (void)state;
    (void)registry_make_world(&r->core.registry, SPAN("world-a"));
    rig_pass(r, 2500, SERVER_A, false);
    assert_int_equal(rig_state(r, SERVER_A), SERVER_DOWN);
    rig_pass(r, 3500, SERVER_A, false);
    assert_int_equal(rig_state(r, SERVER_A), SERVER_DEAD);
    assert_int_equal(rig_state(r, SERVER_B), SERVER_UP);
    rig_pass(r, 2500, NULL, false);
    assert_int_equal(rig_state(r, SERVER_A), SERVER_UP);
    recorder_free(r);
}

static void a_link_that_stands_keeps_a_server_from_being_dead(void **state)
{
    struct recorder *r = rig_servers(SERVER_A, 0);
    struct room *room;
    struct shard *s;

    (void)state;
    fleet_join(r, "n");
    room = recorder_room(r, "r", 1, NULL);
    s = recorder_shard(room, 0);
    rig_link(r, s, BEAT_LINK_UP, SERVER_A, 0);
    rig_pass(r, 20000, SERVER_A, true);
    assert_int_equal(rig_state(r, SERVER_A), SERVER_DOWN);
    rig_link(r, s, BEAT_LINK_DOWN, SERVER_A, 0);
    rig_pass(r, 500, SERVER_A, true);
    assert_int_equal(rig_state(r, SERVER_A), SERVER_DEAD);
    rig_link(r, s, BEAT_LINK_UP, SERVER_A, 0); /* one link is enough */
    assert_int_equal(rig_state(r, SERVER_A), SERVER_UP);
    recorder_free(r);
}

static void what_a_silent_node_said_does_not_count(void **state)
{
    struct recorder *r = rig_servers(SERVER_A, 0);
    struct room *room;

    (void)state;
    fleet_join(r, "n");
    room = recorder_room(r, "r", 1, NULL);
    rig_link(r, recorder_shard(room, 0), BEAT_LINK_UP, SERVER_A, 0);
    rig_pass(r, 8000, SERVER_A, false);
    assert_int_equal(rig_state(r, SERVER_A), SERVER_DEAD);
    recorder_free(r);
}

static void a_fallen_link_has_its_server_probed_at_once(void **state)
{
    struct recorder *r = rig_servers(SERVER_A, 0);
    struct room *room;

    (void)state;
    fleet_join(r, "n");
    room = recorder_room(r, "r", 1, NULL);
    rig_link(r, recorder_shard(room, 0), BEAT_LINK_UP, SERVER_A, 0);
    rig_link(r, recorder_shard(room, 0), BEAT_LINK_DOWN, SERVER_A, 0);
    recorder_pass(r, 250);
    assert_int_equal(r->probe_count, 1);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_probe_at_a_time_whoever_names_the_server),
        cmocka_unit_test(a_silent_server_is_down_then_dead_then_up_again),
        cmocka_unit_test(a_link_that_stands_keeps_a_server_from_being_dead),
        cmocka_unit_test(what_a_silent_node_said_does_not_count),
        cmocka_unit_test(a_fallen_link_has_its_server_probed_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
