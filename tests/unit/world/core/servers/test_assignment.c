#include "common/base/log.h"
#include "common/proto/origins.h"
#include "servers_rig.h"

/* A node "n", and a room "r" with one shard whose link stands at its server. */
static struct room *running(struct recorder *r)
{
    struct room *room;

    fleet_join(r, "n");
    room = recorder_room(r, "r", 1, NULL);
    rig_link(r, recorder_shard(room, 0), BEAT_LINK_UP, rig_where(room), 0);
    return room;
}

static struct world_server *entry(const struct recorder *r, const char *server)
{
    return servers_find(fleet_world(r), span_str(server));
}

static void a_room_is_where_its_name_has_it(void **state)
{
    struct recorder *r = rig_servers(BOTH, 0);
    struct origins origins;
    struct span bad;
    char name[16];

    (void)state;
    assert_int_equal(origins_parse(&origins, SPAN(BOTH), &bad), ERR_OK);
    for (int i = 0; i < 20; i++) {
        struct span at, host;
        (void)snprintf(name, sizeof(name), "room-%d", i);
        at = assignment_origin(recorder_room(r, name, 1, NULL));
        host = url_origin_host(at);
        assert_true(span_eq(host, span_str(origins_choose(&origins, span_str(name))->text)));
    }
    origins_clear(&origins);
    recorder_free(r);
}

static void orders_name_the_server_and_the_store_keeps_it(void **state)
{
    struct recorder *r = rig_servers(BOTH, 0);
    struct room *room = recorder_room(r, "r", 1, NULL);
    char text[64];

    (void)state;
    assert_at(room, rig_where(room), false);
    (void)snprintf(text, sizeof(text), "\"server\":\"%s\"", rig_where(room));
    for (size_t i = 0; i < r->record_count; i++)
        if (r->records[i].kind == RECORD_ROOM)
            assert_non_null(strstr(r->records[i].value, text));
    recorder_free(r);
}

static void without_servers_orders_name_none(void **state)
{
    struct recorder *r = rig_servers("", 0);

    (void)state;
    assert_at(recorder_room(r, "r", 1, NULL), "", false);
    assert_int_equal(r->core.registry.servers.count, 0);
    recorder_free(r);
}

/* Two servers are added to a world whose room runs at `server` ("": it does not). */
static struct room *add_servers_to_running(struct recorder *r, const char *server)
{
    struct room *room;
    struct world_server *at;

    fleet_join(r, "n");
    room = recorder_room(r, "r", 1, NULL);
    if (*server != '\0')
        rig_link(r, recorder_shard(room, 0), BEAT_LINK_UP, server, 0);
    assert_int_equal(servers_add(&r->core.registry, room->world, SPAN(SERVER_A), r->now, &at), 0);
    assert_int_equal(servers_add(&r->core.registry, room->world, SPAN(SERVER_B), r->now, &at), 0);
    rig_pass(r, 1000, NULL, true);
    return room;
}

static void a_room_in_use_stays_where_its_node_has_it(void **state)
{
    static const char *const servers[] = {SERVER_A, SERVER_B}; /* its name has it at one of them */

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct recorder *r = rig_servers("", 0);
        assert_at(add_servers_to_running(r, servers[i]), servers[i], false);
        recorder_free(r);
    }
}

static void a_room_in_use_elsewhere_is_assigned_once_it_is_idle(void **state)
{
    struct recorder *r = rig_servers("", 0);
    struct room *room = add_servers_to_running(r, "http://c:3");

    (void)state;
    assert_at(room, "", false);
    rig_link(r, recorder_shard(room, 0), BEAT_LINK_IDLE, "", 0);
    rig_pass(r, 500, NULL, true);
    assert_at(room, rig_where(room), false);
    recorder_free(r);
}

static void a_room_moves_when_all_links_are_closed(void **state)
{
    struct recorder *r = rig_servers(BOTH, 0);
    struct room *room = running(r);
    struct shard *s = recorder_shard(room, 0);
    const char *from = rig_where(room), *to = rig_other(from);
    int64_t had = fleet_node(r, "n")->version_of_orders;

    (void)state;
    assert_int_equal(room_move(&r->core.registry, room, entry(r, to), r->now), ERR_OK);
    assert_at(room, from, true);
    rig_link(r, s, BEAT_LINK_IDLE, "", had); /* idle, but it has not heard of the hold */
    assert_at(room, from, true);
    rig_link(r, s, BEAT_LINK_UP, from, 0);
    rig_pass(r, 5000, NULL, true);
    assert_at(room, from, true); /* it has heard, and closes */
    rig_link(r, s, BEAT_LINK_IDLE, "", 0);
    assert_at(room, to, false);
    assert_non_null(strstr(recorder_last(r)->body, to)); /* the same answer tells it */
    recorder_free(r);
}

static void nodes_with_guests_follow_too(void **state)
{
    struct recorder *r = rig_servers(BOTH, 0);
    struct room *room = running(r);
    struct shard *s = recorder_shard(room, 0);
    const char *to = rig_other(rig_where(room));
    int64_t had;

    (void)state;
    shard_set_owner(&r->core.registry, s, fleet_join(r, "m"), r->now);
    fleet_still(r, "m");
    fleet_still(r, "n");
    assert_int_equal(room_move(&r->core.registry, room, entry(r, to), r->now), ERR_OK);
    had = fleet_node(r, "n")->have_version;
    fleet_still(r, "m");
    rig_link(r, s, BEAT_LINK_IDLE, "", had);
    assert_at(room, rig_other(to), true);
    assert_non_null(strstr(recorder_last(r)->body, "\"guests\":[{"));
    assert_non_null(strstr(recorder_last(r)->body, "\"hold\":true"));
    rig_link(r, s, BEAT_LINK_IDLE, "", 0);
    assert_at(room, to, false);
    assert_non_null(strstr(recorder_last(r)->body, to));
    recorder_free(r);
}

static void a_node_that_does_not_follow_is_not_waited_for_forever(void **state)
{
    struct recorder *r = rig_servers(BOTH, 0);
    struct room *room = running(r);
    const char *to = rig_other(rig_where(room));

    (void)state;
    assert_int_equal(room_move(&r->core.registry, room, entry(r, to), r->now), ERR_OK);
    rig_pass(r, ASSIGNMENT_LATE_MS - 500, NULL, true);
    assert_at(room, rig_other(to), true);
    rig_pass(r, 1000, NULL, true);
    assert_at(room, to, false);
    recorder_free(r);
}

static void a_silent_node_is_waited_for_until_it_is_suspect(void **state)
{
    struct recorder *r = rig_servers(BOTH, 0);
    struct room *room = running(r);
    const char *to = rig_other(rig_where(room));

    (void)state;
    assert_int_equal(room_move(&r->core.registry, room, entry(r, to), r->now), ERR_OK);
    rig_pass(r, FLEET_SUSPECT_MS - 500, NULL, false);
    assert_at(room, rig_other(to), true);
    rig_pass(r, 1000, NULL, false);
    assert_at(room, to, false);
    recorder_free(r);
}

/* Kills the server of a running room, and answers after how many ms its links are to close. */
static int64_t time_until_hold(struct recorder *r, struct room *room)
{
    const char *from = rig_where(room);
    int64_t start = r->now.mono_ms;

    rig_link(r, recorder_shard(room, 0), BEAT_LINK_DOWN, from, 0);
    while (!assignment_holds(&room->assignment) && r->now.mono_ms - start < 60000)
        rig_pass(r, 250, from, true);
    return r->now.mono_ms - start;
}

static void a_dead_server_is_left_at_once_or_after_a_while(void **state)
{
    struct recorder *moves = rig_servers(BOTH, 0), *waits = rig_servers(BOTH, 30000);

    (void)state;
    assert_in_range(time_until_hold(moves, running(moves)), 3000, 5000);
    assert_in_range(time_until_hold(waits, running(waits)), 33000, 35000);
    assert_int_equal(moves->core.registry.servers.moves[SERVER_MOVE_DEAD], 1);
    recorder_free(moves);
    recorder_free(waits);
}

static void without_a_server_that_is_up_rooms_stay(void **state)
{
    struct recorder *r = rig_servers(BOTH, 0);
    struct room *room = running(r);
    const char *from = rig_where(room);

    (void)state;
    rig_link(r, recorder_shard(room, 0), BEAT_LINK_DOWN, from, 0);
    rig_pass(r, 20000, "*", true);
    assert_at(room, from, false);
    assert_int_equal(room_move(&r->core.registry, room, entry(r, rig_other(from)), r->now),
                     ERR_DENIED);
    recorder_free(r);
}

static void a_target_that_dies_meanwhile_is_not_taken(void **state)
{
    struct recorder *r = rig_servers(BOTH, 0);
    struct room *room = running(r);
    const char *from = rig_where(room), *to = rig_other(from);

    (void)state;
    assert_int_equal(room_move(&r->core.registry, room, entry(r, to), r->now), ERR_OK);
    assert_int_equal(room_move(&r->core.registry, room, entry(r, to), r->now), ERR_EXISTS);
    rig_pass(r, 3000, to, true);
    rig_link(r, recorder_shard(room, 0), BEAT_LINK_IDLE, "", 0);
    assert_at(room, from, false);
    recorder_free(r);
}

static void rooms_leave_a_server_that_is_drained_or_removed(void **state)
{
    struct recorder *r = rig_servers(BOTH, 0);
    struct room *room = running(r);
    const char *from = rig_where(room), *to = rig_other(from);

    (void)state;
    servers_drain(&r->core.registry, entry(r, from), true);
    rig_pass(r, 500, NULL, true);
    assert_at(room, from, true);
    rig_link(r, recorder_shard(room, 0), BEAT_LINK_IDLE, "", 0);
    assert_at(room, to, false);
    assert_at(recorder_room(r, "other", 1, NULL), to, false);
    recorder_free(r);
}

static void with_the_last_server_removed_nodes_choose_again(void **state)
{
    struct recorder *r = rig_servers("", 0);
    struct room *room = add_servers_to_running(r, SERVER_A);

    (void)state;
    assert_at(room, SERVER_A, false);
    servers_remove(&r->core.registry, entry(r, SERVER_A));
    servers_remove(&r->core.registry, entry(r, SERVER_B));
    rig_pass(r, 500, NULL, true);
    assert_at(room, SERVER_A, true);
    rig_link(r, recorder_shard(room, 0), BEAT_LINK_IDLE, "", 0);
    assert_at(room, "", false);
    rig_pass(r, 250, NULL, true);
    assert_null(entry(r, SERVER_A));
    recorder_free(r);
}

/* Hands the newest of what one core has stored to another. */
static void carry_over(const struct recorder *from, struct recorder *to)
{
    for (int kind = 0; kind < RECORD_COUNT; kind++) {
        for (size_t i = 0; i < from->record_count; i++) {
            const struct recorded_record *r = &from->records[i];
            bool last = (int)r->kind == kind;
            for (size_t j = i + 1; j < from->record_count; j++)
                last = last && (from->records[j].kind != r->kind ||
                                strcmp(from->records[j].key, r->key) != 0);
            if (last)
                assert_int_equal(
                    core_restore(&to->core,
                                 &(struct record){r->kind, span_str(r->world), span_str(r->key),
                                                  span_str(r->value)},
                                 to->now),
                    ERR_OK);
        }
    }
}

static void a_restarted_world_finishes_a_move(void **state)
{
    struct recorder *before = rig_servers(BOTH, 0), *after = rig_servers(BOTH, 0);
    struct room *room = running(before);
    const char *from = rig_where(room), *to = rig_other(from);

    (void)state;
    assert_int_equal(room_move(&before->core.registry, room, entry(before, to), before->now), 0);
    carry_over(before, after);
    room = world_room(fleet_world(after), SPAN("r"));
    assert_at(room, from, true);
    rig_pass(after, 1000, NULL, false);
    assert_at(room, from, true); /* the node was not heard yet */
    fleet_join(after, "n");
    rig_link(after, recorder_shard(room, 0), BEAT_LINK_UP, from, 0);
    assert_at(room, from, true);
    rig_link(after, recorder_shard(room, 0), BEAT_LINK_IDLE, "", 0);
    assert_at(room, to, false);
    recorder_free(before);
    recorder_free(after);
}

static void rooms_leave_servers_that_a_restart_does_not_know(void **state)
{
    struct recorder *before = rig_servers(SERVER_A, 0), *after = rig_servers(SERVER_B, 0);
    struct room *room;

    (void)state;
    fleet_join(before, "n");
    (void)recorder_room(before, "r", 1, NULL);
    carry_over(before, after);
    room = world_room(fleet_world(after), SPAN("r"));
    assert_at(room, SERVER_A, false);
    fleet_join(after, "n");
    rig_pass(after, 500, NULL, true);
    assert_at(room, SERVER_B, false);
    recorder_free(before);
    recorder_free(after);
}

static void added_servers_survive_a_restart(void **state)
{
    struct recorder *before = rig_servers("", 0), *after = rig_servers("", 0);

    (void)state;
    (void)add_servers_to_running(before, SERVER_A);
    servers_drain(&before->core.registry, entry(before, SERVER_B), true);
    carry_over(before, after);
    assert_true(server_takes_rooms(entry(after, SERVER_A)));
    assert_false(server_takes_rooms(entry(after, SERVER_B)));
    assert_at(world_room(fleet_world(after), SPAN("r")), SERVER_A, false);
    recorder_free(before);
    recorder_free(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_room_is_where_its_name_has_it),
        cmocka_unit_test(orders_name_the_server_and_the_store_keeps_it),
        cmocka_unit_test(without_servers_orders_name_none),
        cmocka_unit_test(a_room_in_use_stays_where_its_node_has_it),
        cmocka_unit_test(a_room_in_use_elsewhere_is_assigned_once_it_is_idle),
        cmocka_unit_test(a_room_moves_when_all_links_are_closed),
        cmocka_unit_test(nodes_with_guests_follow_too),
        cmocka_unit_test(a_node_that_does_not_follow_is_not_waited_for_forever),
        cmocka_unit_test(a_silent_node_is_waited_for_until_it_is_suspect),
        cmocka_unit_test(a_dead_server_is_left_at_once_or_after_a_while),
        cmocka_unit_test(without_a_server_that_is_up_rooms_stay),
        cmocka_unit_test(a_target_that_dies_meanwhile_is_not_taken),
        cmocka_unit_test(rooms_leave_a_server_that_is_drained_or_removed),
        cmocka_unit_test(with_the_last_server_removed_nodes_choose_again),
        cmocka_unit_test(a_restarted_world_finishes_a_move),
        cmocka_unit_test(rooms_leave_servers_that_a_restart_does_not_know),
        cmocka_unit_test(added_servers_survive_a_restart),
    };

    log_open("test", LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
