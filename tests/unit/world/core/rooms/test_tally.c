#include "world/core/rooms/tally.h"

#include "tests/unit/world/core/fleet.h"

static void assert_tally(struct tally t, uint64_t open, uint64_t reserved, uint64_t returning,
                         uint64_t max)
{
    assert_int_equal(t.open, open);
    assert_int_equal(t.reserved, reserved);
    assert_int_equal(t.returning, returning);
    assert_int_equal(t.max, max);
}

static void rooms_and_worlds_have_sums_of_their_shards(void **state)
{
    struct recorder *r = fleet_new(8000);
    struct room *room, *other;
    struct world *w;

    (void)state;
    (void)fleet_join(r, "a");
    room = recorder_room(r, "r", 2, NULL);
    other = recorder_room(r, "s", 1, NULL);
    w = room->world;
    assert_tally(w->tally, 0, 0, 0, 30);
    fleet_hold(r, "a", recorder_shard(room, 0), 4);
    fleet_hold(r, "a", recorder_shard(other, 0), 3);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\"}"), 200);
    assert_tally(room->tally, 4, 1, 0, 20);
    assert_tally(w->tally, 7, 1, 0, 30);
    recorder_free(r);
}

static void what_goes_is_taken_out_again(void **state)
{
    struct recorder *r = fleet_new(8000);
    struct room *room;

    (void)state;
    (void)fleet_join(r, "a");
    room = recorder_room(r, "r", 2, NULL);
    fleet_hold(r, "a", recorder_shard(room, 0), 4);
    fleet_pass(r, FLEET_DEAD_MS + 1000, NULL); /* its clients are kept seats now */
    assert_tally(room->world->tally, 0, 0, 4, 20);
    fleet_pass(r, SEATS_RETURN_MS + 1000, NULL);
    assert_tally(room->world->tally, 0, 0, 0, 20);
    recorder_report(r, recorder_shard(room, 1)->id, 5, "draining");
    assert_tally(room->world->tally, 5, 0, 0, 20);
    recorder_report(r, recorder_shard(room, 1)->id, 0, NULL);
    assert_tally(room->tally, 0, 0, 0, 10);
    assert_tally(room->world->tally, 0, 0, 0, 10);
    assert_int_equal(room->world->by_status[SHARD_ACTIVE], 1);
    assert_int_equal(room->world->by_status[SHARD_DRAINING], 0);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rooms_and_worlds_have_sums_of_their_shards),
        cmocka_unit_test(what_goes_is_taken_out_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
