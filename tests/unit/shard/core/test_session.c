/* Sessions with several sockets, and what passes between clients and the room. */
#include "tests/unit/shard/core/recorder.h"

static struct handle joins(struct recorder *r, const char *name, const char *session)
{
    struct handle h = opens(r, name, session);
    if (!node_stats(r->node)->links_up)
        link_comes_up(r);
    forget(r);
    return h;
}

static void each_socket_of_a_session_is_announced(void **state)
{
    struct recorder *r = *state;
    joins(r, "a1", "ann");
    opens(r, "a2", "ann");
    expect(r, JOIN("L1", "ann", "a2"));
    assert_int_equal(node_stats(r->node)->sessions, 1);
    assert_int_equal(node_stats(r->node)->clients, 2);
}

static void only_the_last_socket_of_a_session_takes_leave(void **state)
{
    struct recorder *r = *state;
    struct handle a1 = joins(r, "a1", "ann"), a2 = joins(r, "a2", "ann");
    leaves(r, a1);
    expect(r, "");
    leaves(r, a2);
    expect(r, LEAVE("L1", "ann"));
    assert_int_equal(node_stats(r->node)->sessions, 0);
}

static void session_that_returns_is_a_new_one(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a", "ann");
    leaves(r, a);
    opens(r, "b", "ann");
    expect(r, LEAVE("L1", "ann") JOIN("L1", "ann", "b"));
}

static void sessions_of_two_shards_are_strangers(void **state)
{
    struct recorder *r = *state;
    joins(r, "a", "ann");
    opens_at(r, "other", "b", "ann");
    link_comes_up(r);
    forget(r);
    room_says(r, "{\"targetClientId\":\"ann\",\"data\":\"to L2\"}");
    expect(r, "send b text:to L2\n");
}

static void messages_pass_unchanged(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a", "ann");
    static const char *const texts[] = {"5",
                                        "null",
                                        "true",
                                        "\"s\"",
                                        "[1.0]",
                                        "{\"n\":0.1}",
                                        "{\"a\":1,\"a\":12345678901234567890}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        says(r, a, texts[i]);
    expect(r, SAYS("L1", "ann", "5") SAYS("L1", "ann", "null") SAYS("L1", "ann", "true")
                  SAYS("L1", "ann", "\"s\"") SAYS("L1", "ann", "[1.0]")
                      SAYS("L1", "ann", "{\"n\":0.1}")
                          SAYS("L1", "ann", "{\"a\":1,\"a\":12345678901234567890}"));
    assert_int_equal(node_stats(r->node)->messages_up, 7);
}

static void what_is_not_json_is_dropped_and_counted(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a", "ann");
    static const char *const texts[] = {"nope", "", "{a:1}", "[1,]", "1 2"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        says(r, a, texts[i]);
    char bad[] = "\xff\xfe";
    node_client_message(r->node, a, span_of(bad, 2), true, r->now);
    static char deep[4001];
    memset(deep, '[', 2000);
    memset(deep + 2000, ']', 2000);
    says(r, a, deep);
    says(r, a, "1");
    expect(r, SAYS("L1", "ann", "1"));
    assert_int_equal(node_stats(r->node)->dropped_not_json, 6);
    assert_int_equal(node_stats(r->node)->dropped_too_deep, 1);
    assert_int_equal(node_stats(r->node)->messages_up, 1);
}

static void binary_messages_pass_as_text(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a", "ann");
    char text[] = "\xef\xbb\xbf{\"bin\":true}";
    node_client_message(r->node, a, span_of(text, sizeof text - 1), true, r->now);
    expect(r, SAYS("L1", "ann", "{\"bin\":true}"));
}

static void broadcast_reaches_all_byte_for_byte(void **state)
{
    struct recorder *r = *state;
    joins(r, "a", "ann");
    joins(r, "b", "bob");
    joins(r, "b2", "bob");
    static const char text[] = "{ \"type\":\"sync\",  \"v\" : 1.0 }";
    room_says(r, text);
    expect(r, "send a text:{ \"type\":\"sync\",  \"v\" : 1.0 }\n"
              "send b text:{ \"type\":\"sync\",  \"v\" : 1.0 }\n"
              "send b2 text:{ \"type\":\"sync\",  \"v\" : 1.0 }\n");
    assert_int_equal(node_stats(r->node)->messages_down, 3);
    assert_int_equal(node_stats(r->node)->bytes_down, 3 * (sizeof text - 1));
}

static void targeted_frame_reaches_all_sockets_of_its_session(void **state)
{
    struct recorder *r = *state;
    joins(r, "a", "ann");
    joins(r, "b", "bob");
    joins(r, "b2", "bob");
    room_says(r, "{\"targetClientId\":\"bob\",\"data\":\"{\\\"x\\\" : 1}\"}");
    expect(r, "send b text:{\"x\" : 1}\nsend b2 text:{\"x\" : 1}\n");
    room_says(r, "{\"targetClientId\":\"ann\"}");
    expect(r, "send a binary:\n");
}

static void frame_for_an_unknown_session_is_dropped(void **state)
{
    struct recorder *r = *state;
    joins(r, "a", "ann");
    room_says(r, "{\"targetClientId\":\"nobody\",\"data\":\"x\"}");
    room_says(r, "{\"type\":\"shard.closeClient\",\"privateId\":\"nobody\"}");
    expect(r, "");
    assert_int_equal(node_stats(r->node)->unknown_target, 2);
    room_says(r, "null");
    room_says(r, "not json");
    expect(r, "");
    assert_int_equal(node_stats(r->node)->dropped_from_room, 2);
}

static void frames_of_every_length_are_framed(void **state)
{
    struct recorder *r = *state;
    joins(r, "a", "ann");
    static const size_t lengths[] = {125, 126, 65535, 65536};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct buf text = {.len = 0}, line = {.len = 0};
        buf_add_char(&text, '"');
        while (text.len < lengths[i] - 1)
            buf_add_char(&text, 'y');
        buf_add_char(&text, '"');
        node_link_frame(r->node, last_link(r), buf_span(&text), r->now);
        buf_addf(&line, "send a text:%.*s\n", SPAN_ARG(buf_span(&text)));
        buf_add_char(&line, '\0');
        expect(r, line.data);
        buf_clear(&text);
        buf_clear(&line);
    }
}

static void room_closes_all_sockets_of_a_session(void **state)
{
    struct recorder *r = *state;
    struct handle a1 = joins(r, "a1", "ann");
    joins(r, "b", "bob");
    joins(r, "a2", "ann");
    room_says(r, "{\"type\":\"shard.closeClient\",\"privateId\":\"ann\"}");
    expect(r, "close a1 0 \n" LEAVE("L1", "ann") "close a2 0 \n");
    assert_int_equal(node_stats(r->node)->reasons[NODE_ROOM_CLOSED], 2);
    leaves(r, a1); /* io says so later; it is known */
    room_says(r, "{\"targetClientId\":\"ann\",\"data\":\"x\"}");
    expect(r, "");
}

static void broadcast_without_clients_goes_nowhere(void **state)
{
    struct recorder *r = *state;
    leaves(r, joins(r, "a", "ann"));
    forget(r);
    room_says(r, "{\"x\":1}");
    expect(r, "");
    assert_int_equal(node_stats(r->node)->messages_down, 0);
}

static void strict_envelopes_leave_broadcasts_alone(void **state)
{
    struct recorder *r = *state;
    r->settings.strict_envelope = true;
    joins(r, "a", "ann");
    room_says(r, "{\"type\":\"trade\",\"targetClientId\":\"someone\"}");
    expect(r, "send a text:{\"type\":\"trade\",\"targetClientId\":\"someone\"}\n");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, recorder_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_socket_of_a_session_is_announced),
        TEST(only_the_last_socket_of_a_session_takes_leave),
        TEST(session_that_returns_is_a_new_one),
        TEST(sessions_of_two_shards_are_strangers),
        TEST(messages_pass_unchanged),
        TEST(what_is_not_json_is_dropped_and_counted),
        TEST(binary_messages_pass_as_text),
        TEST(broadcast_reaches_all_byte_for_byte),
        TEST(targeted_frame_reaches_all_sockets_of_its_session),
        TEST(frame_for_an_unknown_session_is_dropped),
        TEST(frames_of_every_length_are_framed),
        TEST(room_closes_all_sockets_of_a_session),
        TEST(broadcast_without_clients_goes_nowhere),
        TEST(strict_envelopes_leave_broadcasts_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
