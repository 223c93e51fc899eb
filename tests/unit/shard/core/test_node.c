/* Who may come in, what is counted, how a node ends. */
#include "tests/unit/shard/core/recorder.h"

#define A_ROOM_OF_64    "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"
#define A_SESSION_OF_32 "ssssssssssssssssssssssssssssssss"

static void first_client_dials_and_joins_when_the_link_stands(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    expect(r, "dial L1 " RECORDER_SHARD " world=world-a room=room\n");
    link_comes_up(r);
    expect(r, "L1 {\"type\":\"shard.clientConnected\",\"privateId\":\"ann\","
              "\"requestInfo\":{\"of\":\"a\"}}\n");
}

static void client_of_a_standing_link_joins_at_once(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    link_comes_up(r);
    forget(r);
    opens(r, "b", "bob");
    expect(r, "L1 {\"type\":\"shard.clientConnected\",\"privateId\":\"bob\","
              "\"requestInfo\":{\"of\":\"b\"}}\n");
}

static void ids_are_read_as_room_and_world(void **state)
{
    struct recorder *r = *state;
    static const struct {
        const char *id, *line;
    } rows[] = {
        {"a:world-x:1", "dial L1 a:world-x:1 world=world-x room=a\n"},
        {"a:b:world-x:1700000000000-12",
         "dial L2 a:b:world-x:1700000000000-12 world=world-x room=a:b\n"},
        {"plain", "dial L3 plain world=world-default room=plain\n"},
        {"two:parts", "dial L4 two:parts world=world-default room=two\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        opens_at(r, rows[i].id, "c", "x");
        expect(r, rows[i].line);
    }
    assert_int_equal(node_stats(r->node)->shards, 4);
}

static void client_without_an_id_gets_one_of_eleven_characters(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "");
    opens(r, "b", "");
    forget(r);
    link_comes_up(r);
    assert_int_equal(node_stats(r->node)->sessions, 2);
    static const char head[] = "L1 {\"type\":\"shard.clientConnected\",\"privateId\":\"";
    const char *at = r->lines.data;
    buf_add_char(&r->lines, '\0');
    assert_int_equal(strncmp(at, head, sizeof head - 1), 0);
    at += sizeof head - 1;
    assert_int_equal(strspn(at, "0123456789abcdefghijklmnopqrstuvwxyz"), 11);
    assert_int_equal(at[11], '"');
}

static void session_ids_of_any_text_are_escaped(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "q\"b\\n\n\xc3\xa9\xf0\x9f\x98\x80");
    link_comes_up(r);
    forget(r);
    room_says(r, "{\"targetClientId\":\"q\\\"b\\\\n\\n\\u00e9\\ud83d\\ude00\",\"data\":\"hi\"}");
    expect(r, "send a text:hi\n");
}

struct refusal {
    const char *shard, *session;
    enum err e;
    enum node_reason why;
};

static void refuses(struct recorder *r, const struct refusal *row)
{
    struct handle h = {.slot = 7, .gen = 7};
    enum node_reason why = NODE_REASON_COUNT;
    uint64_t before = node_stats(r->node)->reasons[row->why];
    enum err e = node_client_open(r->node, span_str(row->shard), span_str(row->session), SPAN("{}"),
                                  r->now, &h, &why);
    assert_int_equal(e, row->e);
    assert_int_equal(why, row->why);
    assert_true(handle_is_none(h));
    assert_int_equal(node_stats(r->node)->reasons[row->why], before + 1);
    assert_int_equal(node_stats(r->node)->accepted, node_stats(r->node)->clients);
    expect(r, "");
}

static void bad_ids_are_refused(void **state)
{
    struct recorder *r = *state;
    static const struct refusal rows[] = {
        {"", "x", ERR_SYNTAX, NODE_REFUSED_BAD_ID},
        {":world-a:1", "x", ERR_SYNTAX, NODE_REFUSED_BAD_ID},
        {"room\xff:world-a:1", "x", ERR_SYNTAX, NODE_REFUSED_BAD_ID},
        {A_ROOM_OF_64 "r:world-a:1", "x", ERR_LIMIT, NODE_REFUSED_BAD_ID},
        {"room", "\xc3", ERR_SYNTAX, NODE_REFUSED_BAD_ID},
        {"room", A_SESSION_OF_32 "s", ERR_LIMIT, NODE_REFUSED_BAD_ID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refuses(r, &rows[i]);
    assert_int_equal(node_stats(r->node)->shards, 0);
}

static void shard_ids_of_any_tail_are_bounded(void **state)
{
    struct recorder *r = *state;
    static char id[8192];
    memset(id, ':', sizeof id - 1);
    id[0] = 'r';
    refuses(r, &(struct refusal){id, "x", ERR_LIMIT, NODE_REFUSED_BAD_ID});
}

static void ids_as_long_as_allowed_are_taken(void **state)
{
    struct recorder *r = *state;
    opens_at(r, A_ROOM_OF_64 ":world-a:1", "a", A_SESSION_OF_32);
    assert_int_equal(node_stats(r->node)->clients, 1);
}

static void node_refuses_beyond_its_connections(void **state)
{
    struct recorder *r = *state;
    r->settings.max_connections = 2;
    struct handle a = opens(r, "a", "x");
    opens(r, "b", "x");
    forget(r);
    refuses(r, &(struct refusal){RECORDER_SHARD, "x", ERR_FULL, NODE_REFUSED_FULL});
    leaves(r, a);
    opens(r, "c", "x");
    assert_int_equal(node_stats(r->node)->clients, 2);
}

static void node_refuses_beyond_its_shards(void **state)
{
    struct recorder *r = *state;
    r->settings.max_shards = 1;
    opens(r, "a", "x");
    forget(r);
    struct handle h;
    enum node_reason why;
    assert_int_equal(
        node_client_open(r->node, SPAN("other"), SPAN("x"), SPAN("{}"), r->now, &h, &why),
        ERR_FULL);
    assert_int_equal(why, NODE_REFUSED_FULL);
    struct span room, world, server;
    assert_int_equal(node_http(r->node, SPAN("other"), r->now, &room, &world, &server), ERR_FULL);
    opens(r, "b", "y");
    expect(r, "");
}

static void late_news_of_a_client_find_nothing(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "x");
    link_comes_up(r);
    leaves(r, a);
    forget(r);
    says(r, a, "1");
    leaves(r, a);
    opens(r, "b", "y"); /* takes the slot */
    forget(r);
    says(r, a, "1");
    leaves(r, a);
    says(r, (struct handle){.gen = 0}, "1");
    expect(r, "");
    assert_int_equal(node_stats(r->node)->reasons[NODE_PEER_CLOSED], 1);
}

static void ends_are_counted_by_their_reason(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "x"), b = opens(r, "b", "y");
    node_client_closed(r->node, a, NODE_PEER_CLOSED, r->now);
    node_client_closed(r->node, b, NODE_PEER_GONE, r->now);
    assert_int_equal(node_stats(r->node)->reasons[NODE_PEER_CLOSED], 1);
    assert_int_equal(node_stats(r->node)->reasons[NODE_PEER_GONE], 1);
    assert_int_equal(node_stats(r->node)->accepted, 2);
    assert_int_equal(node_stats(r->node)->clients, 0);
}

static void every_reason_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < NODE_REASON_COUNT; i++) {
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(node_reason_text(i), node_reason_text(k));
    }
}

static void http_request_starts_the_shard(void **state)
{
    struct recorder *r = *state;
    r->show_reports = true;
    struct span room, world, server;
    assert_int_equal(node_http(r->node, SPAN(RECORDER_SHARD), r->now, &room, &world, &server),
                     ERR_OK);
    assert_true(span_eq(room, SPAN("room")));
    assert_true(span_eq(world, SPAN("world-a")));
    expect(r, "report " RECORDER_SHARD " world=world-a 0\n"
              "dial L1 " RECORDER_SHARD " world=world-a room=room\n");
    assert_int_equal(node_http(r->node, SPAN(RECORDER_SHARD), r->now, &room, &world, &server),
                     ERR_OK);
    expect(r, "");
}

static void http_request_that_finds_no_room_may_try_again(void **state)
{
    struct recorder *r = *state;
    struct span room, world, server;
    assert_int_equal(node_http(r->node, SPAN("room"), r->now, &room, &world, &server), ERR_OK);
    link_falls(r);
    forget(r);
    passes(r, 20000);
    expect(r, "");
    assert_int_equal(node_http(r->node, SPAN("room"), r->now, &room, &world, &server), ERR_OK);
    expect(r, "dial L2 room world=world-default room=room\n");
}

static void http_request_with_a_bad_id_is_refused(void **state)
{
    struct recorder *r = *state;
    struct span room, world, server;
    assert_int_equal(node_http(r->node, SPAN(""), r->now, &room, &world, &server), ERR_SYNTAX);
    assert_int_equal(node_http(r->node, SPAN(A_ROOM_OF_64 "r"), r->now, &room, &world, &server),
                     ERR_LIMIT);
}

static void node_without_room_servers_closes_its_clients_at_once(void **state)
{
    struct recorder *r = *state;
    r->settings.has_rooms = false;
    struct span room, world, server;
    assert_int_equal(node_http(r->node, SPAN("room"), r->now, &room, &world, &server), ERR_MISSING);
    struct handle a = opens_at(r, "room", "a", "x");
    says(r, a, "1");
    expect(r, ""); /* not before io knows the client */
    assert_true(node_next_ms(r->node) <= r->now + 10);
    passes(r, 10);
    expect(r, "close a 1011 Unable to start room connection\n");
    assert_int_equal(node_stats(r->node)->reasons[NODE_LINK_UNREACHABLE], 1);
}

static void shutdown_tells_the_room_and_asks_clients_to_return(void **state)
{
    struct recorder *r = *state;
    opens(r, "a1", "ann");
    opens(r, "a2", "ann");
    link_comes_up(r);
    opens_at(r, "cold", "b", "bob");
    forget(r);
    node_shutdown(r->node, r->now);
    expect(r, "close a1 1012 restart;retry=1000-5000\n"
              "L1 {\"type\":\"shard.clientDisconnected\",\"privateId\":\"ann\"}\n"
              "close a2 1012 restart;retry=1000-5000\n"
              "close b 1012 restart;retry=1000-5000\n"
              "hang up L2 1000\n");
    assert_int_equal(node_stats(r->node)->reasons[NODE_SHUTDOWN], 3);
}

static void nobody_comes_in_after_the_shutdown(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "x");
    link_comes_up(r);
    node_shutdown(r->node, r->now);
    forget(r);
    struct handle h;
    enum node_reason why;
    assert_int_equal(
        node_client_open(r->node, SPAN(RECORDER_SHARD), SPAN("x"), SPAN("{}"), r->now, &h, &why),
        ERR_FULL);
    assert_int_equal(why, NODE_REFUSED_FULL);
    struct span room, world, server;
    assert_int_equal(node_http(r->node, SPAN(RECORDER_SHARD), r->now, &room, &world, &server),
                     ERR_FULL);
    link_falls(r);
    passes(r, 60000);
    expect(r, "");
}

static void shutdown_counts_what_could_not_be_said(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "x");
    says(r, a, "12345");
    node_shutdown(r->node, r->now);
    assert_true(node_stats(r->node)->link_lost_bytes > 5);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, recorder_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(first_client_dials_and_joins_when_the_link_stands),
        TEST(client_of_a_standing_link_joins_at_once),
        TEST(ids_are_read_as_room_and_world),
        TEST(client_without_an_id_gets_one_of_eleven_characters),
        TEST(session_ids_of_any_text_are_escaped),
        TEST(bad_ids_are_refused),
        TEST(shard_ids_of_any_tail_are_bounded),
        TEST(ids_as_long_as_allowed_are_taken),
        TEST(node_refuses_beyond_its_connections),
        TEST(node_refuses_beyond_its_shards),
        TEST(late_news_of_a_client_find_nothing),
        TEST(ends_are_counted_by_their_reason),
        TEST(every_reason_has_a_name_of_its_own),
        TEST(http_request_starts_the_shard),
        TEST(http_request_that_finds_no_room_may_try_again),
        TEST(http_request_with_a_bad_id_is_refused),
        TEST(node_without_room_servers_closes_its_clients_at_once),
        TEST(shutdown_tells_the_room_and_asks_clients_to_return),
        TEST(nobody_comes_in_after_the_shutdown),
        TEST(shutdown_counts_what_could_not_be_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
