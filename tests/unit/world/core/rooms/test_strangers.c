#include "world/core/rooms/strangers.h"

#include "tests/unit/world/core/fleet.h"

#define REMOTE "192.0.2.7"

static const struct credentials nobody;

/* POST connect of world `world` from `remote`. */
static int connect_from(struct recorder *r, const char *remote, const char *world,
                        const struct credentials *credentials, const char *body)
{
    char path[64];
    struct api_request request = {
        .reply = {.slot = ++r->replies, .gen = 1},
        .method = SPAN("POST"),
        .credentials = *credentials,
        .body = span_str(body),
    };

    assert_int_equal(addr_parse(span_str(remote), &request.client), ERR_OK);
    (void)snprintf(path, sizeof(path), "/parties/world/%s/connect", world);
    request.path = span_str(path);
    api_handle(&r->core, &request, r->now);
    return recorder_last(r)->status;
}

static int connect_room(struct recorder *r, const char *remote, unsigned n)
{
    char body[64];

    (void)snprintf(body, sizeof(body), "{\"roomId\":\"room-%u\"}", n);
    return connect_from(r, remote, "world-a", &nobody, body);
}

static const struct world *world_a(const struct recorder *r)
{
    return registry_world(&r->core.registry, SPAN("world-a"));
}

static void assert_refused(const struct recorder *r, enum refusal why, const char *text,
                           const char *seconds)
{
    char line[64];

    (void)snprintf(line, sizeof(line), "Retry-After: %s\r\n", seconds);
    assert_int_equal(recorder_last(r)->status, 429);
    assert_int_equal(r->core.stats.refusals[why], 1);
    if (strstr(recorder_last(r)->body, text) == NULL)
        fail_msg("%s", recorder_last(r)->body);
    if (strstr(recorder_last(r)->headers, line) == NULL)
        fail_msg("no %s in %s", line, recorder_last(r)->headers);
}

static void strangers_make_so_many_rooms_and_shards(void **state)
{
    struct recorder *r = recorder_new();
    unsigned made = 0;

    (void)state;
    while (made < 6000 && connect_room(r, "127.0.0.1", made) == 200)
        made++;
    print_message("strangers made %u rooms and %zu shards, then: %s\n", made,
                  r->core.registry.shard_count, recorder_last(r)->body);
    assert_int_equal(made, 5000);
    assert_int_equal(r->core.registry.shard_count, 5000);
    assert_refused(r, REFUSAL_CREATE_MAX,
                   "Too many rooms and shards were made without credentials in world world-a",
                   "60");
    /* What is there serves on. */
    assert_int_equal(connect_room(r, "127.0.0.1", 4711), 200);
    assert_int_equal(connect_from(r, REMOTE, "world-b", &nobody, "{\"roomId\":\"r\"}"), 200);
    recorder_free(r);
}

/* Orders name every room of a node twice. */
static void strangers_make_fewer_rooms_of_long_names(void **state)
{
    enum { NAME_LEN = 8000, WEIGHT = 8, MADE = 10000 / (2 * WEIGHT) };
    struct recorder *r = recorder_new();
    static char body[NAME_LEN + 32];
    unsigned made = 0;

    (void)state;
    do {
        (void)snprintf(body, sizeof(body), "{\"roomId\":\"%0*u\"}", NAME_LEN, made);
    } while (connect_from(r, "127.0.0.1", "world-a", &nobody, body) == 200 && ++made < 2 * MADE);
    assert_int_equal(made, MADE);
    assert_int_equal(world_a(r)->strangers.count, 10000);
    recorder_free(r);
}

static void strangers_make_no_more_than_their_rate(void **state)
{
    struct recorder *r = recorder_new();
    unsigned made = 0, later = 0;

    (void)state;
    recorder_room(r, "known", 1, NULL);
    while (connect_room(r, REMOTE, made) == 200)
        made++;
    assert_int_equal(made, 100); /* a burst of 200 rooms and shards */
    assert_refused(r, REFUSAL_CREATE_RATE, "Rooms and shards are made too fast in world world-a",
                   "1");
    assert_int_equal(connect_room(r, "127.0.0.1", 1000), 200);
    assert_int_equal(connect_room(r, "[::1]:5000", 1001), 200);
    for (unsigned ms = 0; ms < 10000; ms += 5) {
        recorder_pass(r, 5);
        later += connect_room(r, REMOTE, 2000 + ms) == 200;
    }
    print_message("strangers made %u rooms at once and %u in the next 10 s\n", made, later);
    assert_int_equal(later, 500);
    recorder_free(r);
}

static void good_credentials_are_not_limited(void **state)
{
    static const struct credentials rows[] = {
        {.access_count = 1, .access = {SHARD_SECRET, sizeof(SHARD_SECRET) - 1}},
        {.authorization = {"Bearer " TOKEN_A, sizeof("Bearer " TOKEN_A) - 1}},
        {.query = {"world-auth-token=" TOKEN_ALL, sizeof("world-auth-token=" TOKEN_ALL) - 1}},
    };
    static const struct credentials bad[] = {
        {0},
        {.access_count = 1, .access = {"no secret", 9}},
        {.authorization = {"Bearer " TOKEN_FORGED, sizeof("Bearer " TOKEN_FORGED) - 1}},
        {.authorization = {"Bearer " TOKEN_EXPIRED, sizeof("Bearer " TOKEN_EXPIRED) - 1}},
    };
    struct recorder *r = recorder_new();

    (void)state;
    r->settings.strangers.max = 0;
    r->settings.strangers.worlds = 0;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(connect_from(r, REMOTE, "world-a", &bad[i], "{\"roomId\":\"r\"}"), 429);
    assert_null(world_a(r));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char body[64];
        (void)snprintf(body, sizeof(body), "{\"roomId\":\"r%zu\"}", i);
        assert_int_equal(connect_from(r, REMOTE, "world-a", &rows[i], body), 200);
    }
    assert_int_equal(world_a(r)->strangers.count, 0);
    recorder_free(r);
}

static void one_more_shard_of_a_full_room_counts_too(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 1, NULL);
    const char *body = "{\"roomId\":\"r\"}";

    (void)state;
    r->settings.strangers.max = 1;
    assert_int_equal(recorder_report(r, recorder_shard(room, 0)->id, 10, NULL), 200);
    assert_int_equal(connect_from(r, REMOTE, "world-a", &nobody, body), 200);
    assert_int_equal(room_shards(room), 2);
    assert_int_equal(world_a(r)->strangers.count, 1);
    assert_int_equal(recorder_report(r, recorder_shard(room, 1)->id, 10, NULL), 200);
    assert_int_equal(connect_from(r, REMOTE, "world-a", &nobody, body), 429);
    /* A room that may not grow is full, whoever asks. */
    assert_int_equal(
        connect_from(r, REMOTE, "world-a", &nobody, "{\"roomId\":\"r\",\"autoCreate\":false}"),
        503);
    /* What is removed does not count any more. */
    assert_int_equal(recorder_report(r, recorder_shard(room, 1)->id, 0, "draining"), 200);
    assert_int_equal(world_a(r)->strangers.count, 0);
    assert_int_equal(connect_from(r, REMOTE, "world-a", &nobody, body), 200);
    recorder_free(r);
}

static void strangers_name_so_many_worlds(void **state)
{
    struct recorder *r = recorder_new();
    unsigned burst = 0, made;

    (void)state;
    for (made = 0; made < 1500; made++) {
        char world[32];
        (void)snprintf(world, sizeof(world), "world-%u", made);
        if (connect_from(r, burst == 0 ? REMOTE : "127.0.0.1", world, &nobody,
                         "{\"roomId\":\"r\"}") == 200)
            continue;
        if (burst > 0)
            break;
        burst = made--;
        assert_refused(r, REFUSAL_WORLDS_RATE, "Worlds are made too fast, there is no world world-",
                       "1");
    }
    print_message("strangers named %u worlds at once, %u in all\n", burst, made);
    assert_int_equal(burst, 20);
    assert_int_equal(made, 1000);
    assert_int_equal(r->core.registry.world_count, 1000);
    assert_refused(r, REFUSAL_WORLDS_MAX, "Too many worlds were made without credentials", "60");
    /* An operator still may. */
    recorder_room(r, "r", 1, NULL);
    assert_int_equal(r->core.registry.world_count, 1001);
    recorder_free(r);
}

/* Whoever dials a shard of any world at a node makes the node beat to it. */
static void a_world_that_only_beats_made_counts_when_a_stranger_uses_it(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    r->settings.strangers.worlds = 1;
    fleet_join(r, "a");
    assert_int_equal(connect_from(r, REMOTE, "world-b", &nobody, "{\"roomId\":\"r\"}"), 200);
    assert_int_equal(connect_room(r, REMOTE, 1), 429);
    assert_refused(r, REFUSAL_WORLDS_MAX, "Too many worlds were made without credentials", "60");
    recorder_free(r);
}

static void a_read_makes_nothing(void **state)
{
    struct recorder *r = recorder_new();
    struct feed_request feed = {.socket = {.slot = 1, .gen = 1},
                                .path = SPAN("/parties/world/world-a")};
    struct handle admin;
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "PUT"};

    (void)state;
    assert_int_equal(
        connect_from(r, REMOTE, "world-a", &nobody, "{\"roomId\":\"r\",\"autoCreate\":false}"),
        404);
    assert_int_equal(connect_from(r, REMOTE, "world-a", &nobody, "{\"roomId\":5}"), 404);
    assert_int_equal(core_feed_open(&r->core, &feed, &admin, r->now), FEED_SILENT);
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        recorder_ask(r, methods[i], "/parties/world/world-a/connect", &nobody, (struct span){0});
    recorder_ask(r, "POST", "/parties/world/world-a/register-room", &nobody, SPAN("{}"));
    assert_int_equal(r->core.registry.world_count, 0);
    assert_int_equal(r->core.strangers.worlds, 0);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_make_so_many_rooms_and_shards),
        cmocka_unit_test(strangers_make_fewer_rooms_of_long_names),
        cmocka_unit_test(strangers_make_no_more_than_their_rate),
        cmocka_unit_test(good_credentials_are_not_limited),
        cmocka_unit_test(one_more_shard_of_a_full_room_counts_too),
        cmocka_unit_test(strangers_name_so_many_worlds),
        cmocka_unit_test(a_world_that_only_beats_made_counts_when_a_stranger_uses_it),
        cmocka_unit_test(a_read_makes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
