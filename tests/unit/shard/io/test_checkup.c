/* Checkups: what other nodes and room servers answer, and what core makes of it. */
#include "shard/io/checkup.h"

#include "common/base/log.h"
#include "common/proto/hop_sign.h"
#include "common/proto/ws_handshake.h"
#include "shard/core/checks.h"
#include "tests/unit/common/net/scripted.h"

static const struct secrets secrets = {SPAN_INIT("secret")};
static const struct http_pool_settings pool_settings = {
    .connect_ms = 3000, .answer_ms = 3000, .max_idle = 4, .idle_ms = 3000, .high_water = 64 * 1024};
static char node_id[] = "n1";
static const struct node_settings node_settings = {
    .id = node_id,
    .beat_ms = 1000,
    .world_id = "world-default",
    .world_ids = "",
    .report_ms = 3600000,
    .link_retry_min_ms = 100,
    .link_retry_max_ms = 100,
};
static const struct node_port port;

static struct loop *loop;
static struct node *node;
static struct ticker ticker;
static struct pools peers;
static struct room_servers rooms;
static struct checkups checkups;
static struct scripted server;

static void no_log(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static int set_up(void **state)
{
    struct origins none = {0};
    (void)state;
    log_capture(no_log);
    loop = loop_new();
    scripted_start(&server, loop);
    node = node_new(&port, NULL, &node_settings, 1, loop_now(loop));
    ticker_init(&ticker, loop, node);
    pools_init(&peers, loop, &pool_settings);
    room_servers_init(&rooms, loop, &none);
    checkups = (struct checkups){.ticker = &ticker,
                                 .peers = &peers,
                                 .rooms = &rooms,
                                 .secrets = &secrets,
                                 .node = &node_settings};
    checkups_init(&checkups);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    checkups_clear(&checkups);
    pools_clear(&peers);
    room_servers_clear(&rooms);
    for (int i = 0; i < 3; i++)
        loop_turn(loop, 0);
    scripted_stop(&server);
    ticker_stop(&ticker);
    node_free(node);
    loop_turn(loop, 0);
    loop_free(loop);
    log_capture(NULL);
    return 0;
}

/* Has these looked at: JSON arrays. */
static void look_at(const char *those_peers, const char *servers)
{
    struct buf text = {0};
    struct checkup asked;
    buf_addf(&text, "{\"id\":7,\"peers\":%s,\"servers\":%s}", those_peers, servers);
    json_t *doc = json_decode(buf_span(&text));
    assert_true(checkup_read(doc, &asked));
    checkups_start(&checkups, (struct handle){0}, &asked);
    json_decref(doc);
    buf_clear(&text);
}

static void look_at_peer(const char *id)
{
    char text[128];
    (void)snprintf(text, sizeof text, "[{\"node\":\"%s\",\"url\":\"http://%s\"}]", id,
                   server.origin.text);
    look_at(text, "[]");
}

static void look_at_room(void)
{
    char text[128];
    (void)snprintf(text, sizeof text, "[\"http://%s\"]", server.origin.text);
    look_at("[]", text);
}

/* Whether the only finding is this; -1: there is none. */
static void assert_found(int check, const char *detail)
{
    const struct findings *f = node_findings(node);
    assert_int_equal(f->count, check < 0 ? 0 : 1);
    if (check < 0)
        return;
    assert_int_equal(f->items[0].check, check);
    assert_true(span_ends(f->items[0].detail, span_str(detail)));
}

static void forget_findings(void)
{
    struct span origin = SPAN("");
    for (const struct findings *f = node_findings(node); f->count > 0;) {
        origin = f->items[0].subject;
        checks_disproved(node_checks(node), f->items[0].check, origin);
    }
}

/* ---- other nodes */

#define ANSWER(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body

static void a_node_is_known_by_what_it_answers(void **state)
{
    static const struct {
        const char *answer;
        int check;
        const char *detail;
    } rows[] = {
        {ANSWER("200 OK", "{\"node\":\"n2\"}"), -1, NULL},
        {ANSWER("200 OK", "{\"node\":\"n3\"}"), FINDING_PEER_UNREACHABLE,
         ": the node n3 answers there"},
        {ANSWER("200 OK", "hello"), FINDING_PEER_UNREACHABLE, ": no node answers there"},
        {ANSWER("404 Not Found", ""), FINDING_PEER_UNREACHABLE, ": no node answers there"},
        {ANSWER("403 Forbidden", "{\"error\":\"" HOP_SIGN_BAD "\"}"), FINDING_PEER_SECRET,
         " answers with 403"},
        {ANSWER("403 Forbidden", "{\"error\":\"" HOP_SIGN_LATE "\"}"), FINDING_PEER_SECRET,
         "its clock and ours are more than a minute apart"},
        {"nonsense\r\n\r\n", FINDING_PEER_UNREACHABLE, ": answer is not HTTP"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        look_at_peer("n2");
        TURN_UNTIL(loop, server.count > i && scripted_has(&server.conns[i], "\r\n\r\n"));
        assert_true(scripted_has(&server.conns[i], "GET /version HTTP/1.1\r\n"));
        assert_true(scripted_has(&server.conns[i], "x-terrane-sign: v1 "));
        scripted_say(&server.conns[i], rows[i].answer);
        conn_close(&server.conns[i].conn);
        TURN_UNTIL(loop, !checkups.running);
        assert_found(rows[i].check, rows[i].detail);
        forget_findings();
    }
}

static void the_node_itself_is_not_dialled(void **state)
{
    (void)state;
    look_at_peer(node_id);
    TURN_UNTIL(loop, !checkups.running);
    assert_int_equal(server.count, 0);
}

static void many_are_dialled_a_few_at_a_time(void **state)
{
    enum { PEERS = 60 };
    struct buf text = {0};
    size_t most = 0;
    (void)state;
    listener_close(server.listener);
    server.listener = NULL;
    for (int i = 0; i < PEERS; i++)
        buf_addf(&text, "%c{\"node\":\"p%d\",\"url\":\"http://%s\"}", i == 0 ? '[' : ',', i,
                 server.origin.text);
    buf_add_char(&text, ']');
    buf_add_char(&text, '\0');
    look_at(text.data, "[]");
    while (checkups.running) {
        most = checkups.under_way_count > most ? checkups.under_way_count : most;
        loop_turn(loop, 10);
    }
    assert_true(most <= CHECKUP_UNDER_WAY);
    assert_int_equal(findings_count(node_findings(node), FINDING_PEER_UNREACHABLE),
                     FINDINGS_OF_CHECK_MAX);
    buf_clear(&text);
}

/* ---- room servers */

/* The warm-up is here: answers it, and waits for the upgrade on the next connection. */
static struct scripted_conn *warms_up(void)
{
    size_t first = server.count;
    look_at_room();
    TURN_UNTIL(loop, server.count > first && scripted_has(&server.conns[first], "\r\n\r\n"));
    assert_true(scripted_has(&server.conns[first], "OPTIONS /parties/main/terrane-checkup "));
    scripted_say(&server.conns[first], ANSWER("404 Not Found", ""));
    conn_close(&server.conns[first].conn);
    struct scripted_conn *c = &server.conns[first + 1];
    TURN_UNTIL(loop, server.count > first + 1 && scripted_has(c, "\r\n\r\n"));
    assert_true(scripted_has(c, "x-access-shard: secret\r\n"));
    assert_true(scripted_has(c, "x-shard-id: terrane-checkup\r\n"));
    return c;
}

/* Accepts the upgrade. */
static void accepts(struct scripted_conn *c)
{
    struct http_head head;
    struct span key;
    struct buf answer = {0};
    assert_int_equal(http_head_parse_request(&head, c->got.data, c->got.len), ERR_OK);
    assert_null(ws_handshake_check(&head, &key));
    ws_handshake_answer(&answer, key, (struct span){0}, (struct span){0});
    conn_write_span(&c->conn, buf_span(&answer));
    buf_clear(&answer);
}

static void a_room_server_is_known_by_how_it_takes_the_upgrade(void **state)
{
    static const struct {
        const char *answer;
        int check;
        const char *detail;
    } rows[] = {
        {ANSWER("404 Not Found", ""), FINDING_ROOM_UPGRADE, "answered the upgrade with 404"},
        {ANSWER("401 Unauthorized", ""), FINDING_ROOM_SECRET, "answered the upgrade with 401"},
        {"", FINDING_ROOM_UPGRADE, "upgrade failed: closed without an answer"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scripted_conn *c = warms_up();
        scripted_say(c, rows[i].answer);
        conn_close(&c->conn);
        TURN_UNTIL(loop, !checkups.running);
        assert_found(rows[i].check, rows[i].detail);
    }
}

static void one_that_closes_the_link_at_once_has_another_secret(void **state)
{
    (void)state;
    struct scripted_conn *c = warms_up();
    accepts(c);
    conn_write(&c->conn, "\x88\x00", 2);
    TURN_UNTIL(loop, !checkups.running);
    assert_found(FINDING_ROOM_SECRET, "closed the link at once");
}

static void one_that_keeps_the_link_is_well_and_sees_it_closed(void **state)
{
    (void)state;
    struct scripted_conn *c = warms_up();
    accepts(c);
    TURN_UNTIL(loop, !checkups.running);
    assert_found(-1, NULL);
    TURN_UNTIL(loop, scripted_has(c, "\x88\x82")); /* a close frame with a code */
    conn_close(&c->conn);
    TURN_UNTIL(loop, list_empty(&checkups.closing));
}

static void one_that_says_something_is_well_at_once(void **state)
{
    (void)state;
    struct scripted_conn *c = warms_up();
    accepts(c);
    conn_write(&c->conn, "\x81\x02{}", 4);
    TURN_UNTIL(loop, !checkups.running);
    assert_found(-1, NULL);
    TURN_UNTIL(loop, scripted_has(c, "\x88\x82"));
}

static void one_that_is_not_there_is_unreachable(void **state)
{
    (void)state;
    listener_close(server.listener);
    server.listener = NULL;
    look_at_room();
    TURN_UNTIL(loop, !checkups.running);
    assert_found(FINDING_ROOM_UNREACHABLE, "connection refused");
}

/* ---- the end */

/* tear_down does it: nothing is left, whatever is under way. */
static void a_checkup_may_be_given_up_before_it_begins(void **state)
{
    (void)state;
    look_at_peer("n2");
    look_at_room();
}

static void a_checkup_may_be_given_up_while_it_dials(void **state)
{
    (void)state;
    look_at_peer("n2");
    look_at_room();
    loop_turn(loop, 0);
}

static void a_checkup_may_be_given_up_while_answers_are_awaited(void **state)
{
    (void)state;
    look_at_peer("n2");
    look_at_room();
    TURN_UNTIL(loop, server.count == 2 && scripted_has(&server.conns[0], "\r\n\r\n") &&
                         scripted_has(&server.conns[1], "\r\n\r\n"));
}

static void a_checkup_may_be_given_up_in_the_upgrade(void **state)
{
    (void)state;
    (void)warms_up();
}

static void a_checkup_may_be_given_up_while_a_link_stands(void **state)
{
    (void)state;
    struct scripted_conn *c = warms_up();
    accepts(c);
    TURN_UNTIL(loop, !list_empty(&checkups.closing));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_node_is_known_by_what_it_answers),
        TEST(the_node_itself_is_not_dialled),
        TEST(many_are_dialled_a_few_at_a_time),
        TEST(a_room_server_is_known_by_how_it_takes_the_upgrade),
        TEST(one_that_closes_the_link_at_once_has_another_secret),
        TEST(one_that_keeps_the_link_is_well_and_sees_it_closed),
        TEST(one_that_says_something_is_well_at_once),
        TEST(one_that_is_not_there_is_unreachable),
        TEST(a_checkup_may_be_given_up_before_it_begins),
        TEST(a_checkup_may_be_given_up_while_it_dials),
        TEST(a_checkup_may_be_given_up_while_answers_are_awaited),
        TEST(a_checkup_may_be_given_up_in_the_upgrade),
        TEST(a_checkup_may_be_given_up_while_a_link_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
