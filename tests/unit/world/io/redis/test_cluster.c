/* One process of a cluster on a real Redis, whole; the other processes are what the test writes
 * there. */
#include "world/io/redis/cluster.h"

#include "tests/unit/world/io/redis/redis_server.h"
#include "tests/unit/world/io/rig.h"

#define WORLD SPAN("world-a")
#define URL   "http://127.0.0.1:1" /* nobody asks there */
#define OTHER "00000000000000bb~" URL

struct process {
    struct redis_server redis; /* its connection is the test's */
    struct rig *rig;
    struct cluster_settings settings;
    char url[64];
    struct cluster *cluster;
    struct buf answer;
};

static const char *ask(struct process *p, const char *command)
{
    return redis_server_ask(&p->redis, command);
}

static enum owner owner(const struct process *p)
{
    const struct owner_port *port = &p->rig->port.owner;

    return port->find(port->ctx, WORLD);
}

static void start(struct process *p)
{
    cluster_start(p->cluster, &p->rig->server, SPAN("http://127.0.0.1:2"));
}

static void post(struct process *p, const char *verb, const char *body, const char *end)
{
    struct buf request = {0};
    int fd = rig_dial(p->rig);

    rig_add_post(&request, verb, body);
    rig_write(fd, buf_span(&request));
    rig_read_until(p->rig, fd, &p->answer, span_str(end));
    (void)close(fd);
    buf_clear(&request);
}

static void register_room(struct process *p, const char *name)
{
    char body[160];

    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"%s\",\"balancingStrategy\":\"random\",\"public\":true,"
                   "\"maxPlayersPerShard\":5,\"minShards\":1}",
                   name);
    post(p, "/register-room", body, "\r\n\r\n{}");
}

/* The same lease, but another's and of the next epoch. */
static void lose_lease(struct process *p)
{
    long long epoch = strtoll(ask(p, "GET t:lease:world-a"), NULL, 10);
    char command[128];

    (void)snprintf(command, sizeof(command), "SET t:lease:world-a %lld~" OTHER " PX 60000",
                   epoch + 1);
    assert_string_equal(ask(p, command), "OK");
}

static int set_up(void **state)
{
    struct process *p = xcalloc(1, sizeof(*p));

    p->rig = rig_new(0);
    redis_server_open(&p->redis, p->rig->loop);
    (void)snprintf(p->url, sizeof(p->url), "redis://127.0.0.1:%u", p->redis.port);
    p->settings = (struct cluster_settings){.url = span_str(p->url),
                                            .prefix = SPAN("t"),
                                            .secrets = &rig_secrets,
                                            .redis_timeout_ms = 2000,
                                            .ttl_ms = 3000,
                                            .wait_ms = 5000};
    p->cluster = cluster_new(p->rig->loop, &p->rig->core, &p->settings);
    p->rig->port.store = cluster_store_port(p->cluster);
    p->rig->port.owner = cluster_owner_port(p->cluster);
    TURN_UNTIL(p->rig->loop, cluster_reaches_redis(p->cluster));
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct process *p = *state;

    cluster_abort(p->cluster);
    for (int i = 0; i < 3; i++)
        loop_turn(p->rig->loop, 0);
    cluster_free(p->cluster);
    p->rig->server.passage = NULL;
    p->rig->server.cluster = NULL;
    redis_server_close(&p->redis);
    rig_free(p->rig);
    buf_clear(&p->answer);
    free(p);
    return 0;
}

static void nobody_decides_before_it_takes_part(void **state)
{
    struct process *p = *state;

    assert_int_equal(owner(p), OWNER_SOUGHT);
    start(p);
    assert_int_equal(owner(p), OWNER_SOUGHT);
    TURN_UNTIL(p->rig->loop, owner(p) == OWNER_US);
    assert_non_null(strstr(ask(p, "GET t:lease:world-a"), " http://127.0.0.1:2"));
}

static void what_is_answered_is_in_redis(void **state)
{
    struct process *p = *state;

    start(p);
    register_room(p, "a");
    assert_string_equal(ask(p, "HKEYS t:room:world-a"), "a");
    assert_int_equal(cluster_stats(p->cluster)->store.pending, 0);
}

static void leases_are_given_back_when_all_is_written(void **state)
{
    struct process *p = *state;

    start(p);
    register_room(p, "a");
    cluster_release(p->cluster);
    TURN_UNTIL(p->rig->loop, cluster_is_released(p->cluster));
    assert_int_not_equal(owner(p), OWNER_US);
    assert_string_equal(ask(p, "EXISTS t:lease:world-a"), "0");
    assert_string_equal(ask(p, "HLEN t:room:world-a"), "1");
}

static void what_another_has_is_not_taken(void **state)
{
    struct process *p = *state;

    assert_string_equal(ask(p, "SET t:lease:world-a 7~" OTHER " PX 60000"), "OK");
    start(p);
    (void)owner(p);
    TURN_UNTIL(p->rig->loop, owner(p) != OWNER_SOUGHT);
    assert_int_equal(owner(p), OWNER_OTHER);
    assert_int_equal(p->rig->core.registry.world_count, 0);
}

/* The lease goes without a word: the first write finds out, and is another's to answer. */
static void a_refused_write_gives_the_world_up(void **state)
{
    struct process *p = *state;

    start(p);
    register_room(p, "a");
    lose_lease(p);
    post(p, "/connect", "{\"roomId\":\"b\"}", "}");
    TURN_UNTIL(p->rig->loop, owner(p) == OWNER_OTHER);
    assert_int_equal(p->rig->core.registry.world_count, 0);
    assert_string_equal(ask(p, "HKEYS t:room:world-a"), "a");
}

static void a_redis_that_comes_back_empty_gets_all_again(void **state)
{
    struct process *p = *state;

    start(p);
    register_room(p, "a");
    redis_server_stop(&p->redis);
    TURN_UNTIL(p->rig->loop, !cluster_reaches_redis(p->cluster));
    redis_server_start(&p->redis);
    register_room(p, "b"); /* answered when it is kept */
    TURN_UNTIL(p->rig->loop, p->redis.ups == 2);
    assert_string_equal(ask(p, "HLEN t:room:world-a"), "2");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(nobody_decides_before_it_takes_part),
        TEST(what_is_answered_is_in_redis),
        TEST(leases_are_given_back_when_all_is_written),
        TEST(what_another_has_is_not_taken),
        TEST(a_refused_write_gives_the_world_up),
        TEST(a_redis_that_comes_back_empty_gets_all_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
