/* Back-pressure. The buffer holds 4 000 bytes here, so the high water is at 2 000. */
#include "tests/unit/shard/core/recorder.h"

static struct handle joins(struct recorder *r, const char *name)
{
    struct handle h = opens(r, name, name);
    if (!node_stats(r->node)->links_up)
        link_comes_up(r);
    forget(r);
    return h;
}

/* A message whose envelope has about `len` bytes. */
static void says_much(struct recorder *r, struct handle client, size_t len)
{
    struct buf text = {.len = 0};
    buf_add_char(&text, '"');
    while (text.len < len - 60)
        buf_add_char(&text, 'x');
    buf_add_char(&text, '"');
    node_client_message(r->node, client, buf_span(&text), false, r->now);
    buf_clear(&text);
}

static void client_that_sends_into_a_full_link_is_paused_once(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a");
    joins(r, "b");
    r->queued = 1999;
    says(r, a, "1");
    forget(r);
    r->queued = 2000;
    says(r, a, "2");
    says(r, a, "3");
    expect(r, "L1 {\"type\":\"shard.clientMessage\",\"privateId\":\"a\",\"payload\":2}\n"
              "pause a\n"
              "L1 {\"type\":\"shard.clientMessage\",\"privateId\":\"a\",\"payload\":3}\n");
    assert_int_equal(node_stats(r->node)->link_pauses, 1);
}

static void drained_link_lets_everybody_go_on(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a"), b = joins(r, "b");
    joins(r, "c");
    r->queued = 2500;
    says(r, b, "1");
    says(r, a, "1");
    forget(r);
    r->queued = 900;
    node_link_drained(r->node, last_link(r), r->now);
    expect(r, "resume a\nresume b\n");
    node_link_drained(r->node, last_link(r), r->now);
    passes(r, 60000);
    expect(r, "ping L1 1\n"); /* receipt.h */
    assert_int_equal(node_stats(r->node)->clients, 3);
}

static void overfull_link_pauses_everybody_and_takes_no_more(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a"), c = joins(r, "c");
    joins(r, "b");
    r->queued = 4001;
    says(r, a, "1");
    forget(r);
    says(r, c, "1"); /* was on its way */
    expect(r, "L1 {\"type\":\"shard.clientDisconnected\",\"privateId\":\"c\"}\n"
              "close c 1013 Room connection overloaded\n");
    assert_int_equal(node_stats(r->node)->reasons[NODE_LINK_OVERFLOW], 1);
    assert_int_equal(node_stats(r->node)->messages_up, 1);
    r->queued = 0;
    node_link_drained(r->node, last_link(r), r->now);
    expect(r, "resume a\nresume b\n");
}

static void overfull_link_takes_no_newcomers(void **state)
{
    struct recorder *r = *state;
    struct handle h;
    enum node_reason why;
    joins(r, "a");
    r->queued = 4001;
    assert_int_equal(
        node_client_open(r->node, SPAN(RECORDER_SHARD), SPAN("b"), SPAN("{}"), r->now, &h, &why),
        ERR_FULL);
    expect(r, "");
    r->queued = 4000;
    opens(r, "b", "b");
    assert_int_equal(node_stats(r->node)->clients, 2);
}

static void paused_clients_of_a_link_that_never_drains_are_closed(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a");
    joins(r, "b");
    r->queued = 2000;
    says(r, a, "1");
    passes(r, 14990);
    forget(r);
    passes(r, 20);
    expect(r, "L1 {\"type\":\"shard.clientDisconnected\",\"privateId\":\"a\"}\n"
              "close a 1013 Room connection overloaded\n");
    assert_int_equal(node_stats(r->node)->reasons[NODE_LINK_OVERFLOW], 1);
    assert_int_equal(node_stats(r->node)->clients, 1);
}

static void only_those_are_closed_whose_own_pause_was_so_long(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a"), b = joins(r, "b");
    r->queued = 2000;
    says(r, a, "1");
    passes(r, 10000);
    says(r, b, "1");
    passes(r, 4990);
    forget(r);
    passes(r, 120);
    expect(r, "L1 {\"type\":\"shard.clientDisconnected\",\"privateId\":\"a\"}\n"
              "close a 1013 Room connection overloaded\n");
    assert_int_equal(node_stats(r->node)->paused, 1);
    passes(r, 9800);
    expect(r, "");
    passes(r, 200);
    expect(r, "L1 {\"type\":\"shard.clientDisconnected\",\"privateId\":\"b\"}\n"
              "close b 1013 Room connection overloaded\n");
}

static void pause_that_nobody_ended_ends_by_itself(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a");
    r->queued = 2000;
    says(r, a, "1");
    r->queued = 0; /* io never said so */
    passes(r, 1010);
    forget(r);
    passes(r, 14000);
    expect(r, "resume a\n");
}

static void full_backlog_pauses_those_who_send(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a"), b = joins(r, "b");
    link_falls(r);
    says_much(r, a, 1500);
    expect(r, "");
    says_much(r, a, 1500);
    expect(r, "pause a\n");
    says_much(r, b, 2100);
    expect(r, "pause b\n");
    assert_int_equal(node_stats(r->node)->messages_up, 3);
}

static void backlog_never_holds_much_more_than_its_limit(void **state)
{
    struct recorder *r = *state;
    link_falls((joins(r, "z"), r));
    for (int i = 0; i < 50; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        struct handle c = opens(r, name, name);
        says_much(r, c, 1000);
    }
    assert_true(node_stats(r->node)->bytes_up <= 4000 + 1000);
    assert_true(node_stats(r->node)->reasons[NODE_LINK_OVERFLOW] >= 44);
}

static void strangers_who_say_a_word_and_go_fill_the_backlog_too(void **state)
{
    struct recorder *r = *state;
    link_falls((joins(r, "z"), r));
    for (int i = 0; i < 50; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        struct handle c = opens(r, name, name);
        says(r, c, "1");
        leaves(r, c);
    }
    assert_true(node_stats(r->node)->messages_up < 30); /* the words alone would all fit */
    assert_int_equal(node_stats(r->node)->reasons[NODE_LINK_OVERFLOW],
                     50 - node_stats(r->node)->messages_up);
    passes(r, 15010);
    struct handle d = opens(r, "d", "d");
    says(r, d, "1");
    assert_int_equal(node_stats(r->node)->clients, 2);
}

static void great_message_is_taken_into_an_empty_backlog(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a");
    link_falls(r);
    says_much(r, a, 100000);
    expect(r, "pause a\n");
    passes(r, 1010);
    forget(r);
    link_comes_up(r);
    assert_true(r->lines.len > 100000);
    assert_int_equal(node_stats(r->node)->clients, 1);
}

static void pauses_end_when_the_backlog_is_gone(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a");
    link_falls(r);
    says_much(r, a, 2100);
    passes(r, 1010);
    forget(r);
    link_comes_up(r);
    buf_add_char(&r->lines, '\0');
    assert_non_null(strstr(r->lines.data, "\nresume a\n"));
}

static void pauses_last_while_io_still_holds_the_backlog(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a");
    link_falls(r);
    says_much(r, a, 2100);
    passes(r, 1010);
    r->queued = 2000;
    link_comes_up(r);
    forget(r);
    passes(r, 100);
    r->queued = 0;
    node_link_drained(r->node, last_link(r), r->now);
    expect(r, "resume a\n");
}

static void pauses_end_when_a_full_link_falls(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a");
    r->queued = 2000;
    says(r, a, "1");
    forget(r);
    link_falls(r); /* what io held is lost */
    expect(r, "resume a\n");
    r->queued = 0;
    passes(r, 60000);
    assert_int_equal(node_stats(r->node)->clients, 1);
}

static void clients_are_served_while_the_link_is_full(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a");
    r->queued = 4001;
    says(r, a, "1");
    forget(r);
    room_says(r, "{\"x\":1}");
    expect(r, "send a text:{\"x\":1}\n");
    leaves(r, a);
    expect(r, "L1 {\"type\":\"shard.clientDisconnected\",\"privateId\":\"a\"}\n");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, recorder_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(client_that_sends_into_a_full_link_is_paused_once),
        TEST(drained_link_lets_everybody_go_on),
        TEST(overfull_link_pauses_everybody_and_takes_no_more),
        TEST(overfull_link_takes_no_newcomers),
        TEST(paused_clients_of_a_link_that_never_drains_are_closed),
        TEST(only_those_are_closed_whose_own_pause_was_so_long),
        TEST(pause_that_nobody_ended_ends_by_itself),
        TEST(full_backlog_pauses_those_who_send),
        TEST(backlog_never_holds_much_more_than_its_limit),
        TEST(strangers_who_say_a_word_and_go_fill_the_backlog_too),
        TEST(great_message_is_taken_into_an_empty_backlog),
        TEST(pauses_end_when_the_backlog_is_gone),
        TEST(pauses_last_while_io_still_holds_the_backlog),
        TEST(pauses_end_when_a_full_link_falls),
        TEST(clients_are_served_while_the_link_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
