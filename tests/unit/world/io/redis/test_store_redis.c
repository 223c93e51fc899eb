#include "world/io/redis/store_redis.h"

#include "tests/unit/world/io/redis/redis_server.h"
#include "world/io/moment_now.h"

#define ID    "00000000000000aa"
#define WORLD SPAN("world-a")
#define ROOM(name)                                                                                 \
    "{\"name\":\"" name "\",\"balancingStrategy\":\"random\",\"public\":true,"                     \
    "\"maxPlayersPerShard\":5,\"minShards\":1}"

enum { EPOCH = 7 };

/* A core whose worlds are in a real Redis. */
struct rig {
    struct redis_server redis;
    struct loop *loop;
    struct recorder *r;
    struct store_redis *store;
    struct store_stats stats;
    size_t loaded, closed, lost;
    enum err e; /* of the last load, */
    struct buf why;
};

static void on_loaded(void *ctx, struct span world, enum err e, struct span why)
{
    struct rig *rig = ctx;

    assert_true(span_eq(world, WORLD));
    rig->loaded++;
    rig->e = e;
    buf_reset(&rig->why);
    buf_add_span(&rig->why, why);
    buf_add_char(&rig->why, '\0');
}

static void on_closed(void *ctx, struct span world)
{
    assert_true(span_eq(world, WORLD));
    ((struct rig *)ctx)->closed++;
}

static void on_lost(void *ctx, struct span world)
{
    assert_true(span_eq(world, WORLD));
    ((struct rig *)ctx)->lost++;
}

static void on_up(void *ctx)
{
    struct rig *rig = ctx;

    if (rig->store != NULL)
        store_redis_up(rig->store);
}

static const char *ask(struct rig *rig, const char *command)
{
    return redis_server_ask(&rig->redis, command);
}

static void take_lease(struct rig *rig, const char *lease)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "SET t:lease:world-a %s PX 60000", lease);
    assert_string_equal(ask(rig, command), "OK");
}

/* A process with a core of its own. */
static void begin(struct rig *rig, int64_t replicas)
{
    const struct store_redis_settings settings = {
        .prefix = SPAN("t"), .id = SPAN(ID), .wait_replicas = replicas, .timeout_ms = 200};
    const struct store_redis_events events = {rig, on_loaded, on_closed, on_lost};

    rig->r = recorder_new();
    rig->r->hold = true;
    rig->r->now = moment_now(rig->loop);
    rig->store = store_redis_new(rig->loop, &rig->r->core, rig->redis.redis, &settings, &events,
                                 &rig->stats);
    rig->r->port.store = store_redis_port(rig->store);
}

/* It ends, and another begins. */
static void begin_again(struct rig *rig)
{
    store_redis_drop(rig->store, WORLD);
    core_drop_world(&rig->r->core, WORLD, moment_now(rig->loop));
    recorder_free(rig->r);
    store_redis_free(rig->store);
    begin(rig, 0);
}

static void load(struct rig *rig)
{
    size_t before = rig->loaded;

    store_redis_load(rig->store, WORLD, EPOCH);
    assert_int_equal(rig->loaded, before);
    TURN_UNTIL(rig->loop, rig->loaded > before);
}

static struct rig *rig_new(int64_t replicas)
{
    struct rig *rig = xcalloc(1, sizeof(*rig));

    rig->loop = loop_new();
    redis_server_open(&rig->redis, rig->loop);
    rig->redis.up = on_up;
    rig->redis.ctx = rig;
    begin(rig, replicas);
    take_lease(rig, "7~" ID "~http://a");
    return rig;
}

static void rig_free(struct rig *rig)
{
    redis_server_close(&rig->redis);
    store_redis_free(rig->store);
    recorder_free(rig->r);
    loop_free(rig->loop);
    buf_clear(&rig->why);
    free(rig);
}

static int post(struct rig *rig, const char *verb, const char *body)
{
    size_t before = rig->r->answer_count;

    rig->r->now = moment_now(rig->loop);
    (void)recorder_post(rig->r, verb, body);
    TURN_UNTIL(rig->loop, rig->r->answer_count > before);
    return recorder_last(rig->r)->status;
}

static struct world *world(struct rig *rig)
{
    return registry_world(&rig->r->core.registry, WORLD);
}

static void what_is_written_comes_back_in_its_order(void **state)
{
    struct rig *rig = rig_new(0);
    struct room *room;

    (void)state;
    load(rig);
    assert_int_equal(rig->e, ERR_OK);
    assert_int_equal(post(rig, "/register-room", ROOM("b")), 200);
    assert_int_equal(post(rig, "/register-room", ROOM("a")), 200);
    assert_int_equal(post(rig, "/scale-room", "{\"roomId\":\"b\",\"targetShardCount\":3}"), 200);
    assert_int_equal(post(rig, "/register-room", ROOM("b")), 200);
    assert_string_equal(ask(rig, "HLEN t:shard:world-a"), "4");
    assert_int_equal(strncmp(ask(rig, "HGET t:room:world-a b"), "1 {", 3), 0);
    assert_string_equal(ask(rig, "HMGET t:meta:world-a format epoch rev"), "1 7 3");
    assert_string_equal(ask(rig, "SMEMBERS t:worlds"), "world-a");
    begin_again(rig);
    load(rig);
    assert_int_equal(rig->e, ERR_OK);
    room = world_room(world(rig), SPAN("b"));
    assert_non_null(room);
    assert_non_null(world_room(world(rig), SPAN("a")));
    assert_int_equal(rig->r->core.registry.shard_count, 4);
    assert_int_equal(post(rig, "/register-room", ROOM("c")), 200);
    assert_string_equal(ask(rig, "HGET t:meta:world-a rev"), "4");
    assert_int_equal(rig->stats.failing, 0);
    rig_free(rig);
}

static void an_empty_world_leaves_nothing(void **state)
{
    struct rig *rig = rig_new(0);

    (void)state;
    load(rig);
    assert_int_equal(rig->e, ERR_OK);
    store_redis_up(rig->store);
    store_redis_raise(rig->store, WORLD, EPOCH);
    store_redis_close(rig->store, WORLD);
    TURN_UNTIL(rig->loop, rig->closed == 1);
    assert_string_equal(ask(rig, "KEYS t:*"), "t:lease:world-a");
    rig_free(rig);
}

/* A change that was refused, because somebody else has the lease or nobody. */
static void is_refused(struct rig *rig, const char *lease)
{
    size_t before = rig->lost;

    take_lease(rig, lease);
    rig->r->now = moment_now(rig->loop);
    (void)recorder_post(rig->r, "/register-room", ROOM("a"));
    TURN_UNTIL(rig->loop, rig->lost > before);
    assert_int_equal(rig->r->answer_count, 0);
}

static void without_the_lease_nothing_is_written(void **state)
{
    static const char *const leases[] = {"7~00000000000000bb~http://b", "garbage"};
    struct rig *rig = rig_new(0);

    (void)state;
    load(rig);
    is_refused(rig, "8~" ID "~http://a");
    for (size_t i = 0; i < 2; i++) { /* it is tried again */
        size_t before = rig->lost;

        take_lease(rig, leases[i]);
        TURN_UNTIL(rig->loop, rig->lost > before + 1);
        assert_string_equal(ask(rig, "EXISTS t:room:world-a t:meta:world-a"), "0");
    }
    assert_int_equal(rig->stats.failing, 1);
    assert_int_equal(rig->r->answer_count, 0);
    store_redis_drop(rig->store, WORLD);
    assert_int_equal(rig->r->pass_count, 1); /* whoever waits is passed on */
    assert_int_equal(rig->stats.failing, 0);
    assert_int_equal(rig->stats.pending, 0);
    rig_free(rig);
}

static void what_was_refused_is_written_under_a_higher_epoch(void **state)
{
    struct rig *rig = rig_new(0);

    (void)state;
    load(rig);
    is_refused(rig, "9~" ID "~http://a");
    store_redis_raise(rig->store, WORLD, 9);
    TURN_UNTIL(rig->loop, rig->r->answer_count == 1);
    assert_int_equal(recorder_last(rig->r)->status, 200);
    assert_string_equal(ask(rig, "HLEN t:room:world-a"), "1");
    rig_free(rig);
}

static void while_leases_are_not_known_changes_are_refused_and_kept(void **state)
{
    struct rig *rig = rig_new(0);

    (void)state;
    load(rig);
    is_refused(rig, "8~" ID "~http://a");
    store_redis_refuse(rig->store);
    TURN_UNTIL(rig->loop, rig->r->answer_count == 1);
    assert_int_equal(recorder_last(rig->r)->status, 507);
    store_redis_hold(rig->store);
    (void)recorder_post(rig->r, "/register-room", ROOM("b"));
    (void)ask(rig, "PING");
    store_redis_refuse(rig->store);
    TURN_UNTIL(rig->loop, rig->r->answer_count == 2);
    assert_int_equal(recorder_last(rig->r)->status, 507);
    assert_int_equal(rig->stats.failing, 1);
    take_lease(rig, "9~" ID "~http://a");
    store_redis_raise(rig->store, WORLD, 9);
    store_redis_up(rig->store);
    TURN_UNTIL(rig->loop, rig->stats.failing == 0 && rig->stats.pending == 0);
    assert_string_equal(ask(rig, "HLEN t:room:world-a"), "2");
    rig_free(rig);
}

static void a_raised_world_is_written_anew(void **state)
{
    struct rig *rig = rig_new(0);

    (void)state;
    load(rig);
    assert_int_equal(post(rig, "/register-room", ROOM("a")), 200);
    take_lease(rig, "9~" ID "~http://a");
    (void)ask(rig, "HSET t:meta:world-a epoch 9");
    (void)ask(rig, "HDEL t:room:world-a a");
    store_redis_raise(rig->store, WORLD, 9);
    TURN_UNTIL(rig->loop, rig->stats.commits > 1);
    assert_string_equal(ask(rig, "HLEN t:room:world-a"), "1");
    assert_string_equal(ask(rig, "HMGET t:meta:world-a epoch rev"), "9 2");
    rig_free(rig);
}

static void what_redis_has_lost_is_written_anew(void **state)
{
    struct rig *rig = rig_new(0);
    size_t ups;

    (void)state;
    load(rig);
    assert_int_equal(post(rig, "/register-room", ROOM("a")), 200);
    assert_int_equal(post(rig, "/register-room", ROOM("b")), 200);
    ups = rig->redis.ups;
    redis_server_stop(&rig->redis);
    TURN_UNTIL(rig->loop, !redis_is_up(rig->redis.redis));
    redis_server_start(&rig->redis);
    TURN_UNTIL(rig->loop, rig->redis.ups > ups);
    take_lease(rig, "7~" ID "~http://a");
    TURN_UNTIL(rig->loop, rig->stats.failing == 0);
    TURN_UNTIL(rig->loop, strcmp(ask(rig, "HLEN t:shard:world-a"), "2") == 0);
    assert_string_equal(ask(rig, "HLEN t:room:world-a"), "2");
    assert_int_equal(post(rig, "/register-room", ROOM("c")), 200);
    assert_string_equal(ask(rig, "HLEN t:room:world-a"), "3");
    rig_free(rig);
}

static void while_redis_is_away_changes_wait(void **state)
{
    struct rig *rig = rig_new(0);

    (void)state;
    load(rig);
    redis_server_stop(&rig->redis);
    assert_int_equal(post(rig, "/register-room", ROOM("a")), 507);
    assert_int_equal(post(rig, "/register-room", ROOM("b")), 507);
    assert_int_equal(rig->stats.failing, 1);
    redis_server_start(&rig->redis);
    TURN_UNTIL(rig->loop, redis_is_up(rig->redis.redis));
    take_lease(rig, "7~" ID "~http://a");
    TURN_UNTIL(rig->loop, rig->stats.failing == 0 && rig->stats.pending == 0);
    assert_string_equal(ask(rig, "HLEN t:room:world-a"), "2");
    rig_free(rig);
}

static void what_is_held_is_written_once_leases_are_known(void **state)
{
    struct rig *rig = rig_new(0);
    size_t before;

    (void)state;
    load(rig);
    assert_int_equal(post(rig, "/register-room", ROOM("old")), 200);
    store_redis_hold(rig->store);
    store_redis_raise(rig->store, WORLD, 9);
    before = rig->r->answer_count;
    (void)recorder_post(rig->r, "/register-room", ROOM("new"));
    assert_string_equal(ask(rig, "HLEN t:room:world-a"), "1");
    assert_int_equal(rig->lost, 0);
    take_lease(rig, "9~" ID "~http://a");
    store_redis_up(rig->store);
    TURN_UNTIL(rig->loop, rig->r->answer_count > before);
    assert_int_equal(recorder_last(rig->r)->status, 200);
    assert_string_equal(ask(rig, "HLEN t:room:world-a"), "2");
    assert_int_equal(rig->lost, 0);
    rig_free(rig);
}

static void replicas_are_waited_for(void **state)
{
    struct rig *rig = rig_new(1);

    (void)state;
    load(rig);
    assert_int_equal(post(rig, "/register-room", ROOM("a")), 507);
    assert_string_equal(ask(rig, "HLEN t:room:world-a"), "1");
    assert_int_equal(rig->stats.failing, 1);
    rig_free(rig);
}

static void a_world_is_closed_when_all_is_written(void **state)
{
    struct rig *rig = rig_new(0);

    (void)state;
    load(rig);
    rig->r->now = moment_now(rig->loop);
    (void)recorder_post(rig->r, "/register-room", ROOM("a"));
    store_redis_close(rig->store, WORLD);
    assert_int_equal(rig->closed, 0);
    TURN_UNTIL(rig->loop, rig->closed == 1);
    assert_string_equal(ask(rig, "HLEN t:room:world-a"), "1");
    rig_free(rig);
}

static void a_world_is_closed_when_it_cannot_be_written(void **state)
{
    struct rig *rig = rig_new(0);

    (void)state;
    load(rig);
    take_lease(rig, "8~00000000000000bb~http://b");
    rig->r->now = moment_now(rig->loop);
    (void)recorder_post(rig->r, "/register-room", ROOM("a"));
    store_redis_close(rig->store, WORLD);
    TURN_UNTIL(rig->loop, rig->closed == 1);
    rig_free(rig);
}

struct garbage {
    const char *commands[3];
    const char *why;
};

static const struct garbage garbage[] = {
    {{"SET t:meta:world-a x"}, "t:meta:world-a: WRONGTYPE"},
    {{"HSET t:meta:world-a what is"}, "t:meta:world-a is not ours"},
    {{"HSET t:meta:world-a format 2"}, "t:meta:world-a was written by another version: format 2"},
    {{"HSET t:meta:world-a format 1"}, "t:meta:world-a has no epoch"},
    {{"HSET t:meta:world-a format 1 epoch 5 rev x clock 1 seq 1"}, "t:meta:world-a has no rev"},
    {{"HSET t:room:world-a a 1~{}"}, "t:room:world-a is there without t:meta:world-a"},
    {{"HSET t:meta:world-a format 1 epoch 5 rev 1 clock 1 seq 1", "LPUSH t:ban:world-a x"},
     "t:ban:world-a: WRONGTYPE"},
    {{"HSET t:meta:world-a format 1 epoch 5 rev 1 clock 1 seq 1", "HSET t:room:world-a a garbage"},
     "t:room:world-a holds \"a\", whose value is not a record's"},
    {{"HSET t:meta:world-a format 1 epoch 5 rev 1 clock 1 seq 1", "HSET t:room:world-a a 1~"},
     "t:room:world-a holds \"a\", whose value is not a record's"},
    {{"HSET t:meta:world-a format 1 epoch 5 rev 1 clock 1 seq 1",
      "HSET t:room:world-a a 9999999999999999~{}"},
     "t:room:world-a holds \"a\", whose value is not a record's"},
    {{"HSET t:meta:world-a format 1 epoch 5 rev 1 clock 1 seq 1", "HSET t:room:world-a a 1~{}"},
     "t:room:world-a holds a record that cannot be used: \"a\""},
    {{"HSET t:meta:world-a format 1 epoch 5 rev 1 clock 1 seq 1", "HSET t:shard:world-a s 1~{}"},
     "t:shard:world-a holds a record that cannot be used: \"s\""},
    {{"HSET t:meta:world-a format 1 epoch 5 rev 1 clock 1 seq 1", "HSET t:node:world-a n 1~[]"},
     "t:node:world-a holds a record that cannot be used: \"n\""},
    {{"HSET t:meta:world-a format 1 epoch 5 rev 1 clock 1 seq 1", "HSET t:server:world-a s 1~3"},
     "t:server:world-a holds a record that cannot be used: \"s\""},
    {{"HSET t:meta:world-a format 1 epoch 5 rev 1 clock 1 seq 1", "HSET t:ban:world-a b 1~{}"},
     "t:ban:world-a holds a record that cannot be used: \"b\""},
    {{"HSET t:meta:world-a format 1 epoch 5 rev 1 clock 1 seq 1", "HSET t:retired:world-a r 1~{}"},
     "t:retired:world-a holds a record that cannot be used: \"r\""},
};

static void what_is_not_ours_is_refused_by_name(void **state)
{
    struct rig *rig = rig_new(0);

    (void)state;
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        for (size_t n = 0; n < 3 && garbage[i].commands[n] != NULL; n++)
            (void)ask(rig, garbage[i].commands[n]);
        load(rig);
        assert_int_equal(rig->e, ERR_SYNTAX);
        assert_non_null(strstr(rig->why.data, garbage[i].why));
        assert_null(world(rig));
        (void)ask(rig, "FLUSHALL");
    }
    load(rig);
    assert_int_equal(rig->e, ERR_OK);
    rig_free(rig);
}

static void a_foreign_key_beside_the_world_is_not_overwritten(void **state)
{
    static const char *const rows[][2] = {{"SET t:room:world-a x", "GET t:room:world-a"},
                                          {"SET t:ban:world-a x", "GET t:ban:world-a"},
                                          {"SET t:worlds x", "GET t:worlds"},
                                          {"SET t:meta:world-a x", "GET t:meta:world-a"}};
    struct rig *rig = rig_new(0);

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        load(rig);
        (void)ask(rig, rows[i][0]);
        assert_int_equal(post(rig, "/register-room", ROOM("a")), 507);
        store_redis_raise(rig->store, WORLD, EPOCH);
        TURN_UNTIL(rig->loop, rig->stats.errors > i * 2 + 1);
        assert_string_equal(ask(rig, rows[i][1]), "x");
        (void)ask(rig, "FLUSHALL");
        begin_again(rig);
        rig->stats.errors = (i + 1) * 2;
        take_lease(rig, "7~" ID "~http://a");
    }
    rig_free(rig);
}

static void a_load_without_redis_fails(void **state)
{
    struct rig *rig = rig_new(0);

    (void)state;
    redis_server_stop(&rig->redis);
    load(rig);
    assert_int_equal(rig->e, ERR_IO);
    redis_server_start(&rig->redis);
    TURN_UNTIL(rig->loop, redis_is_up(rig->redis.redis));
    load(rig);
    assert_int_equal(rig->e, ERR_OK);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_comes_back_in_its_order),
        cmocka_unit_test(an_empty_world_leaves_nothing),
        cmocka_unit_test(without_the_lease_nothing_is_written),
        cmocka_unit_test(what_was_refused_is_written_under_a_higher_epoch),
        cmocka_unit_test(while_leases_are_not_known_changes_are_refused_and_kept),
        cmocka_unit_test(a_raised_world_is_written_anew),
        cmocka_unit_test(what_redis_has_lost_is_written_anew),
        cmocka_unit_test(while_redis_is_away_changes_wait),
        cmocka_unit_test(what_is_held_is_written_once_leases_are_known),
        cmocka_unit_test(replicas_are_waited_for),
        cmocka_unit_test(a_world_is_closed_when_all_is_written),
        cmocka_unit_test(a_world_is_closed_when_it_cannot_be_written),
        cmocka_unit_test(what_is_not_ours_is_refused_by_name),
        cmocka_unit_test(a_foreign_key_beside_the_world_is_not_overwritten),
        cmocka_unit_test(a_load_without_redis_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
