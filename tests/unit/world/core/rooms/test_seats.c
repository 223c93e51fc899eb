#include "world/core/rooms/seats.h"
#include "world/core/rooms/shards.h"
#include "world/core/rooms/silence.h"

#include "tests/unit/world/core/recorder.h"

enum { TTL_MS = 15000 };

static struct recorder *with_seats(void)
{
    struct recorder *r = recorder_new();

    r->settings.seat_ttl_ms = TTL_MS;
    r->settings.max_room_shards = 1000;
    r->core.registry.seat_ttl_ms = TTL_MS;
    return r;
}

/* A room "r" of so many shards and no more. */
static struct room *room_of(struct recorder *r, unsigned shards, unsigned capacity,
                            const char *strategy)
{
    char body[256];

    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"r\",\"balancingStrategy\":\"%s\",\"public\":true,"
                   "\"maxPlayersPerShard\":%u,\"minShards\":%u,\"maxShards\":%u}",
                   strategy, capacity, shards, shards);
    assert_int_equal(recorder_post(r, "/register-room", body), 200);
    return world_room(registry_world(&r->core.registry, SPAN("world-a")), SPAN("r"));
}

static int connect(struct recorder *r)
{
    return recorder_post(r, "/connect", "{\"roomId\":\"r\"}");
}

/* Of `callers` so many are admitted, the others hear 503. */
static unsigned call(struct recorder *r, unsigned callers)
{
    unsigned admitted = 0;

    for (unsigned i = 0; i < callers; i++) {
        int status = connect(r);
        assert_true(status == 200 || status == 503);
        admitted += status == 200;
    }
    return admitted;
}

static void assert_seats(const struct shard *s, uint64_t open, uint64_t reserved,
                         uint64_t returning)
{
    seats_check(s);
    assert_int_equal(s->open, open);
    assert_int_equal(s->reserved, reserved);
    assert_int_equal(s->returning, returning);
}

static void assert_retry_after(const struct recorder *r, const char *seconds)
{
    char line[64];

    (void)snprintf(line, sizeof(line), "Retry-After: %s\r\n", seconds);
    assert_int_equal(recorder_last(r)->status, 503);
    if (strstr(recorder_last(r)->headers, line) == NULL)
        fail_msg("no %s in %s", line, recorder_last(r)->headers);
}

/* Lets time pass as a process would live it: whoever is woken is woken in time. */
static void live(struct recorder *r, int64_t ms)
{
    for (int64_t end = r->now.mono_ms + ms; r->now.mono_ms < end;)
        recorder_pass(r, end - r->now.mono_ms < 10 ? end - r->now.mono_ms : 10);
}

static void a_storm_fills_every_shard_exactly(void **state)
{
    static const char *const strategies[] = {
        "least-connections", "round-robin", "random", "packed", "p2c", "hash"};

    (void)state;
    for (size_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++) {
        struct recorder *r = with_seats();
        struct room *room = room_of(r, 100, 100, strategies[i]);
        uint64_t least = UINT64_MAX, most = 0;
        unsigned admitted = call(r, 10000);
        int last = connect(r);

        for (unsigned n = 0; n < 100; n++) {
            uint64_t used = shard_used(recorder_shard(room, n));
            least = used < least ? used : least;
            most = used > most ? used : most;
        }
        print_message("%s: %u of 10000 admitted to 100 shards of 100, %llu to %llu a shard; "
                      "the 10001st: %d\n",
                      strategies[i], admitted, (unsigned long long)least, (unsigned long long)most,
                      last);
        assert_int_equal(admitted, 10000);
        assert_int_equal(least, 100);
        assert_int_equal(most, 100);
        assert_int_equal(last, 503);
        recorder_free(r);
    }
}

static void a_hundred_callers_share_fifteen_seats(void **state)
{
    static const char *const strategies[] = {
        "least-connections", "round-robin", "random", "packed", "p2c", "hash"};

    (void)state;
    for (size_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++) {
        struct recorder *r = with_seats();
        struct room *room = room_of(r, 3, 5, strategies[i]);
        unsigned admitted = call(r, 100), again;

        for (unsigned n = 0; n < 3; n++)
            assert_seats(recorder_shard(room, n), 0, 5, 0);
        live(r, TTL_MS + SEATS_GRAIN_MS);
        for (unsigned n = 0; n < 3; n++)
            assert_seats(recorder_shard(room, n), 0, 0, 0);
        again = call(r, 100);
        print_message("%s: %u of 100 admitted to 3 shards of 5, after SEAT_TTL %u of 100 again\n",
                      strategies[i], admitted, again);
        assert_int_equal(admitted, 15);
        assert_int_equal(again, 15);
        recorder_free(r);
    }
}

static void expired_seat_returns_to_its_shard(void **state)
{
    struct recorder *r = with_seats();
    struct shard *s = recorder_shard(room_of(r, 1, 2, "random"), 0);

    (void)state;
    assert_int_equal(connect(r), 200);
    live(r, 5000);
    assert_int_equal(connect(r), 200);
    assert_int_equal(connect(r), 503);
    live(r, TTL_MS - 5000 - 1);
    assert_seats(s, 0, 2, 0);
    live(r, 1 + SEATS_GRAIN_MS);
    assert_seats(s, 0, 1, 0);
    assert_int_equal(connect(r), 200);
    assert_int_equal(connect(r), 503);
    live(r, 5000);
    assert_seats(s, 0, 1, 0);
    live(r, TTL_MS);
    assert_seats(s, 0, 0, 0);
    recorder_free(r);
}

static void a_refusal_says_when_the_first_seat_could_be_free(void **state)
{
    struct recorder *r = with_seats();
    struct shard *s = recorder_shard(room_of(r, 1, 2, "random"), 0);

    (void)state;
    assert_int_equal(connect(r), 200);
    assert_int_equal(call(r, 2), 1);
    assert_retry_after(r, "15");
    live(r, 8500);
    assert_int_equal(call(r, 1), 0);
    assert_retry_after(r, "7");
    live(r, 6400);
    assert_int_equal(call(r, 1), 0);
    assert_retry_after(r, "1");
    /* Nothing is promised any more, all seats are taken. */
    assert_int_equal(recorder_report(r, s->id, 2, NULL), 200);
    assert_int_equal(call(r, 1), 0);
    assert_retry_after(r, "1");
    recorder_free(r);
}

static void the_wait_is_that_of_the_rooms_first_promise(void **state)
{
    struct recorder *r = with_seats();
    struct room *room = room_of(r, 2, 1, "round-robin");

    (void)state;
    assert_int_equal(connect(r), 200);
    live(r, 4000);
    assert_int_equal(connect(r), 200);
    assert_int_equal(connect(r), 503);
    assert_retry_after(r, "11");
    /* The first one came: the other's promise is the first now. */
    seats_admit(&r->core.registry, recorder_shard(room, 0), 1, r->now);
    tally_open(recorder_shard(room, 0), 1);
    registry_reindex(&r->core.registry, recorder_shard(room, 0));
    assert_int_equal(connect(r), 503);
    assert_retry_after(r, "15");
    recorder_free(r);
}

static void admitted_clients_take_the_oldest_promises(void **state)
{
    struct recorder *r = with_seats();
    struct shard *s = recorder_shard(room_of(r, 1, 10, "random"), 0);

    (void)state;
    assert_int_equal(call(r, 2), 2);
    live(r, 10000);
    assert_int_equal(call(r, 3), 3);
    seats_admit(&r->core.registry, s, 2, r->now);
    assert_seats(s, 0, 3, 0);
    live(r, 6000);
    assert_seats(s, 0, 3, 0); /* the oldest were taken, so none of theirs ended */
    seats_admit(&r->core.registry, s, 7, r->now);
    assert_seats(s, 0, 0, 0);
    recorder_free(r);
}

static void admitted_clients_take_kept_seats_last(void **state)
{
    struct recorder *r = with_seats();
    struct shard *s = recorder_shard(room_of(r, 1, 10, "random"), 0);

    (void)state;
    seats_keep(&r->core.registry, s, 4, r->now);
    assert_int_equal(call(r, 10), 6);
    assert_seats(s, 0, 6, 4);
    seats_admit(&r->core.registry, s, 7, r->now);
    assert_seats(s, 0, 0, 3);
    seats_unkeep(&r->core.registry, s, 1);
    assert_seats(s, 0, 0, 2);
    seats_unkeep(&r->core.registry, s, 5);
    assert_seats(s, 0, 0, 0);
    recorder_free(r);
}

static void kept_seats_end_after_half_a_minute(void **state)
{
    struct recorder *r = with_seats();
    struct shard *s = recorder_shard(room_of(r, 1, 3, "random"), 0);

    (void)state;
    seats_keep(&r->core.registry, s, 3, r->now);
    assert_int_equal(connect(r), 503);
    live(r, SEATS_RETURN_MS - 1);
    assert_int_equal(connect(r), 503);
    live(r, 1 + WHEEL_TICK_MS);
    assert_seats(s, 0, 0, 0);
    assert_int_equal(call(r, 4), 3);
    recorder_free(r);
}

static void growth_of_a_report_takes_promises(void **state)
{
    struct recorder *r = with_seats();
    struct shard *s = recorder_shard(room_of(r, 1, 10, "random"), 0);

    (void)state;
    assert_int_equal(call(r, 6), 6);
    assert_int_equal(recorder_report(r, s->id, 4, NULL), 200);
    assert_seats(s, 4, 2, 0);
    assert_int_equal(recorder_report(r, s->id, 1, NULL), 200); /* three left, nobody came */
    assert_seats(s, 1, 2, 0);
    assert_int_equal(recorder_report(r, s->id, 1, NULL), 200);
    assert_seats(s, 1, 2, 0);
    assert_int_equal(call(r, 10), 7);
    assert_int_equal(recorder_report(r, s->id, 10, NULL), 200);
    assert_seats(s, 10, 0, 0);
    assert_int_equal(call(r, 10), 0);
    recorder_free(r);
}

static void a_draining_shard_stays_until_its_promises_end(void **state)
{
    struct recorder *r = with_seats();
    struct room *room = room_of(r, 2, 10, "round-robin");
    struct shard *s = recorder_shard(room, 0);

    (void)state;
    assert_int_equal(connect(r), 200);
    assert_int_equal(recorder_report(r, s->id, 0, "draining"), 200);
    assert_int_equal(room_shards(room), 2);
    assert_seats(s, 0, 1, 0);
    live(r, TTL_MS + SEATS_GRAIN_MS);
    assert_int_equal(room_shards(room), 1);
    assert_int_equal(r->core.registry.shard_count, 1);
    recorder_free(r);
}

static void a_removed_shard_takes_its_promises_along(void **state)
{
    struct recorder *r = with_seats();
    struct room *room = room_of(r, 2, 5, "round-robin");

    (void)state;
    assert_int_equal(call(r, 10), 10);
    seats_keep(&r->core.registry, recorder_shard(room, 1), 2, r->now);
    live(r, 10);
    /* Far beyond the silence, in one jump: the shards go, and no timer of theirs fires later. */
    r->now.mono_ms += REGISTRY_SILENCE_MS + CORE_SWEEP_MS;
    assert_int_equal(registry_expire(&r->core.registry, r->now), 2);
    assert_int_equal(seats_due_ms(room), INT64_MAX);
    assert_int_equal(r->core.registry.wheel.count, 0);
    live(r, 100);
    recorder_free(r);
}

static void a_ttl_of_zero_promises_and_keeps_nothing(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *s = recorder_shard(room_of(r, 1, 2, "random"), 0);

    (void)state;
    assert_int_equal(call(r, 50), 50);
    seats_keep(&r->core.registry, s, 2, r->now);
    assert_seats(s, 0, 0, 0);
    assert_int_equal(r->core.registry.wheel.count, 0);
    recorder_free(r);
}

static void promises_are_not_shown_to_admins(void **state)
{
    struct recorder *r = with_seats();
    struct credentials secret = {.access_count = 1, .access = SPAN(SHARD_SECRET)};
    struct feed_request request = {.socket = {.slot = 1, .gen = 1},
                                   .path = SPAN("/parties/world/world-a"),
                                   .credentials = secret};
    struct handle admin;
    size_t frames;

    (void)state;
    room_of(r, 1, 5, "random");
    assert_int_equal(core_feed_open(&r->core, &request, &admin, r->now), FEED_ADMIN);
    frames = r->frame_count;
    assert_int_equal(call(r, 9), 5);
    live(r, 2 * TTL_MS);
    assert_int_equal(r->frame_count, frames);
    core_feed_close(&r->core, admin);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_storm_fills_every_shard_exactly),
        cmocka_unit_test(a_hundred_callers_share_fifteen_seats),
        cmocka_unit_test(expired_seat_returns_to_its_shard),
        cmocka_unit_test(a_refusal_says_when_the_first_seat_could_be_free),
        cmocka_unit_test(the_wait_is_that_of_the_rooms_first_promise),
        cmocka_unit_test(admitted_clients_take_the_oldest_promises),
        cmocka_unit_test(admitted_clients_take_kept_seats_last),
        cmocka_unit_test(kept_seats_end_after_half_a_minute),
        cmocka_unit_test(growth_of_a_report_takes_promises),
        cmocka_unit_test(a_draining_shard_stays_until_its_promises_end),
        cmocka_unit_test(a_removed_shard_takes_its_promises_along),
        cmocka_unit_test(a_ttl_of_zero_promises_and_keeps_nothing),
        cmocka_unit_test(promises_are_not_shown_to_admins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
