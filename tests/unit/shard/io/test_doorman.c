/* Who waits at the door, and what those hear who may not come in. */
#include "shard/io/doorman.h"

#include "tests/unit/common/net/passage.h"

#include "common/base/log.h"

#define UPGRADE                                                                                    \
    "GET /parties/shard/s HTTP/1.1\r\nHost: game.example\r\n"                                      \
    "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
#define GET  "GET /parties/shard/s HTTP/1.1\r\nHost: game.example\r\n\r\n"
#define BUSY "HTTP/1.1 503 Service Unavailable\r\n"
#define MANY "HTTP/1.1 429 Too Many Requests\r\n"

enum { CLIENTS = 8 };

static struct {
    struct node *node;
    struct node_settings settings;
    struct ticker ticker;
    struct addr_set trusted;
    struct io_stats stats;
    struct doorman doorman;
    struct peer clients[CLIENTS];
    const char *address; /* of whoever connects */
    bool hopped, known;
    int admitted;
} s;

static void no_log(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static void serve(struct http_exchange *x)
{
    http_respond(x, 200, SPAN(""), SPAN("served"));
}

static void admitted(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    s.admitted++;
    serve(x);
}

static void take(struct http_exchange *x)
{
    struct sender from = {.hopped = s.hopped};
    assert_int_equal(addr_parse(span_str(s.address), &from.client), ERR_OK);
    if (!doorman_lets_connect(&s.doorman, x, &from, x->head->upgrade))
        return;
    if (!x->head->upgrade || doorman_admits(&s.doorman, x, &from, s.known))
        serve(x);
}

static void no_beat(void *io, struct handle world, struct span id, struct span body)
{
    (void)io;
    (void)world;
    (void)id;
    (void)body;
}

static const struct node_port port = {.beat = no_beat};

static int set_up(void **state)
{
    struct span bad;
    (void)state;
    memset(&s, 0, sizeof s);
    log_capture(no_log);
    door_open(take);
    s.address = "192.0.2.1";
    assert_int_equal(addr_set_parse(&s.trusted, SPAN("198.51.100.0/24"), &bad), ERR_OK);
    s.settings = (struct node_settings){.id = "us",
                                        .world_ids = "",
                                        .world_id = "world-a",
                                        .report_ms = 3600000,
                                        .beat_ms = 3600000,
                                        .link_retry_min_ms = 100,
                                        .link_retry_max_ms = 100,
                                        .max_shards = 10};
    s.node = node_new(&port, NULL, &s.settings, 1, loop_now(door.loop));
    ticker_init(&s.ticker, door.loop, s.node);
    s.doorman = (struct doorman){
        .ticker = &s.ticker, .trusted = &s.trusted, .stats = &s.stats, .admitted = admitted};
    return 0;
}

static void open_door(struct rate_limit client_rate, struct rate_limit connect_rate)
{
    doorman_init(&s.doorman, client_rate, connect_rate);
    for (int i = 0; i < CLIENTS; i++)
        s.clients[i] = peer_connect(listener_port(door.listener));
}

static int tear_down(void **state)
{
    (void)state;
    doorman_clear(&s.doorman);
    assert_int_equal(s.stats.admission.held_now, 0);
    for (int i = 0; i < CLIENTS; i++)
        peer_close(&s.clients[i]);
    turn_some(door.loop);
    ticker_stop(&s.ticker);
    node_free(s.node);
    addr_set_clear(&s.trusted);
    door_close();
    return 0;
}

static void hears(int client, const char *text)
{
    struct peer *p = &s.clients[client];
    TURN_UNTIL(door.loop, peer_has(p, text) || peer_ended(p));
    if (!peer_has(p, text))
        fail_msg("ended without \"%s\": %.*s", text, (int)p->in.len, p->in.data);
}

/* The clients from `first` to `last` ask for an upgrade, one after the other. */
static void ask(int first, int last)
{
    for (int i = first; i <= last; i++) {
        uint64_t before = s.stats.admission.at_once + s.stats.admission.held_now +
                          s.stats.admission.refused + s.stats.admission.after_wait;
        peer_send(&s.clients[i], UPGRADE);
        TURN_UNTIL(door.loop, s.stats.admission.at_once + s.stats.admission.held_now +
                                      s.stats.admission.refused + s.stats.admission.after_wait >
                                  before);
    }
}

static void whoever_must_wait_is_served_when_it_is_his_turn(void **state)
{
    (void)state;
    open_door((struct rate_limit){0}, (struct rate_limit){2, 1});
    ask(0, 2);
    assert_int_equal(s.stats.admission.held_now, 2);
    hears(0, "served");
    hears(1, "served");
    assert_int_equal(s.stats.admission.held_now, 1);
    hears(2, "served");
    assert_int_equal(s.admitted, 2);
    assert_int_equal(s.stats.admission.waited.count, 2);
    assert_false(timer_is_set(&s.doorman.look));
}

static void a_session_that_is_known_overtakes(void **state)
{
    (void)state;
    open_door((struct rate_limit){0}, (struct rate_limit){2, 1});
    ask(0, 2);
    s.known = true;
    ask(3, 3);
    hears(3, "served");
    assert_false(peer_has(&s.clients[1], "served"));
    assert_false(peer_has(&s.clients[2], "served"));
}

static void no_time_of_the_server_ends_one_that_waits(void **state)
{
    (void)state;
    door.limits.header_ms = door.limits.body_ms = door.limits.idle_ms = 20;
    open_door((struct rate_limit){0}, (struct rate_limit){4, 1});
    ask(0, 1);
    hears(1, "served");
}

static void whoever_goes_away_costs_no_token(void **state)
{
    (void)state;
    open_door((struct rate_limit){0}, (struct rate_limit){1, 1});
    ask(0, 2);
    assert_int_equal(s.stats.admission.held_now, 2);
    assert_int_equal(shutdown(s.clients[1].fd, SHUT_WR), 0); /* as a closed tab */
    TURN_UNTIL(door.loop, s.stats.admission.held_now == 1);
    peer_reset(&s.clients[2]);
    s.clients[2] = peer_connect(listener_port(door.listener));
    TURN_UNTIL(door.loop, s.stats.admission.held_now == 0);
    assert_false(timer_is_set(&s.doorman.look));
    assert_int_equal(s.admitted, 0);
}

static void whoever_sends_much_before_his_answer_is_cut(void **state)
{
    static char frames[20 * 1024];
    (void)state;
    open_door((struct rate_limit){0}, (struct rate_limit){1, 1});
    ask(0, 2);
    peer_send(&s.clients[1], "some");
    peer_send_bytes(&s.clients[2], frames, sizeof frames);
    TURN_UNTIL(door.loop, peer_ended(&s.clients[2]));
    assert_int_equal(s.stats.admission.held_now, 1);
    hears(1, "served");
}

static void beyond_what_can_wait_the_answer_is_503(void **state)
{
    (void)state;
    open_door((struct rate_limit){0}, (struct rate_limit){1, 1});
    ask(0, 4);
    hears(4, BUSY);
    hears(4, "\r\nRetry-After: ");
    hears(4, "\r\nConnection: close\r\n");
    hears(4, "{\"error\":\"Too many clients are connecting\"}");
    assert_int_equal(s.stats.refusals[REFUSED_CONNECT_RATE], 1);
    assert_int_equal(s.stats.admission.held_now, 3);
    s.known = true;
    ask(5, 5); /* the last newcomer makes room */
    hears(3, BUSY);
    assert_int_equal(s.stats.admission.held_now, 3);
}

static void those_who_wait_hear_that_the_node_stops(void **state)
{
    (void)state;
    open_door((struct rate_limit){0}, (struct rate_limit){1, 1});
    ask(0, 2);
    doorman_dismiss(&s.doorman);
    hears(1, BUSY);
    hears(2, "Retry-After: 1\r\n");
    assert_int_equal(s.stats.refusals[REFUSED_STOPPING], 2);
    assert_false(timer_is_set(&s.doorman.look));
}

static void a_node_that_drains_keeps_nobody_waiting(void **state)
{
    (void)state;
    open_door((struct rate_limit){0}, (struct rate_limit){2, 1});
    ask(0, 1);
    node_end(s.node, loop_now(door.loop));
    hears(1, BUSY);
    assert_int_equal(s.admitted, 0);
}

static void what_another_process_let_in_never_waits(void **state)
{
    (void)state;
    open_door((struct rate_limit){1, 1}, (struct rate_limit){1, 1});
    s.hopped = true;
    for (int i = 0; i < 4; i++) {
        peer_send(&s.clients[i], UPGRADE);
        hears(i, "served");
    }
    assert_int_equal(s.stats.admission.uninvited, 4);
    s.hopped = false;
    ask(4, 4);
    assert_int_equal(s.stats.admission.held_now, 1); /* they took what there was */
}

static void without_a_limit_nobody_waits_any_more(void **state)
{
    (void)state;
    open_door((struct rate_limit){0}, (struct rate_limit){1, 1});
    ask(0, 3);
    assert_int_equal(s.stats.admission.held_now, 3);
    doorman_limit(&s.doorman, (struct rate_limit){0}, (struct rate_limit){0});
    for (int i = 0; i < 4; i++)
        hears(i, "served");
}

/* ---- addresses */

static void an_address_over_its_rate_hears_429_and_is_cut(void **state)
{
    (void)state;
    open_door((struct rate_limit){1, 2}, (struct rate_limit){0});
    for (int i = 0; i < 2; i++) {
        peer_send(&s.clients[i], UPGRADE);
        hears(i, "served");
    }
    peer_send(&s.clients[2], UPGRADE);
    hears(2, MANY);
    hears(2, "\r\nRetry-After: 1\r\n");
    hears(2, "{\"error\":\"Too many connections from this address\"}");
    peer_send(&s.clients[3], GET);
    hears(3, MANY);
    hears(3, "\r\nConnection: close\r\n");
    assert_int_equal(s.stats.refusals[REFUSED_CLIENT_RATE], 2);
    s.address = "192.0.2.2";
    peer_send(&s.clients[4], UPGRADE);
    hears(4, "served");
}

static void requests_of_one_connection_count_once(void **state)
{
    (void)state;
    open_door((struct rate_limit){1, 2}, (struct rate_limit){0});
    for (int i = 0; i < 10; i++) {
        buf_reset(&s.clients[0].in);
        peer_send(&s.clients[0], GET);
        hears(0, "served");
    }
    peer_send(&s.clients[1], GET);
    hears(1, "served");
    peer_send(&s.clients[2], GET);
    hears(2, MANY);
}

static void some_are_not_asked(void **state)
{
    static const char *const addresses[] = {"127.0.0.1", "::1", "198.51.100.7"};
    (void)state;
    open_door((struct rate_limit){1, 1}, (struct rate_limit){0});
    for (int i = 0; i < 6; i++) {
        s.address = addresses[i / 2];
        peer_send(&s.clients[i], UPGRADE);
        hears(i, "served");
    }
    s.hopped = true;
    s.address = "192.0.2.1";
    for (int i = 6; i < 8; i++) {
        peer_send(&s.clients[i], UPGRADE);
        hears(i, "served");
    }
    assert_int_equal(address_rates_count(&s.doorman.addresses), 0);
}

#define DOORMAN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOORMAN_TEST(whoever_must_wait_is_served_when_it_is_his_turn),
        DOORMAN_TEST(a_session_that_is_known_overtakes),
        DOORMAN_TEST(no_time_of_the_server_ends_one_that_waits),
        DOORMAN_TEST(whoever_goes_away_costs_no_token),
        DOORMAN_TEST(whoever_sends_much_before_his_answer_is_cut),
        DOORMAN_TEST(beyond_what_can_wait_the_answer_is_503),
        DOORMAN_TEST(those_who_wait_hear_that_the_node_stops),
        DOORMAN_TEST(a_node_that_drains_keeps_nobody_waiting),
        DOORMAN_TEST(what_another_process_let_in_never_waits),
        DOORMAN_TEST(without_a_limit_nobody_waits_any_more),
        DOORMAN_TEST(an_address_over_its_rate_hears_429_and_is_cut),
        DOORMAN_TEST(requests_of_one_connection_count_once),
        DOORMAN_TEST(some_are_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
