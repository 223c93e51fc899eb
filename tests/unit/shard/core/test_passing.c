/* Clients that pass: they count like any other, and no room hears of them. */
#include "shard/core/parting.h"
#include "shard/core/session.h"
#include "tests/unit/shard/core/beating.h"

static enum err tries(struct recorder *r, const char *session, bool follows, struct handle *h,
                      enum node_reason *why)
{
    *why = NODE_REASON_COUNT;
    return node_client_pass(r->node, SPAN(SHARD), span_str(session), follows, r->now, h, why);
}

static struct handle goes_past(struct recorder *r, const char *name, const char *session)
{
    struct handle h;
    enum node_reason why;
    assert_int_equal(tries(r, session, true, &h, &why), ERR_OK);
    r->clients[r->client_count].handle = h;
    snprintf(r->clients[r->client_count].name, sizeof r->clients[0].name, "%s", name);
    r->client_count++;
    return h;
}

static void no_room_hears_of_one_who_passes(void **state)
{
    struct recorder *r = *state;
    struct handle a = goes_past(r, "a", "ann");
    goes_past(r, "b", "");
    passes(r, 60000);
    assert_int_equal(r->link_count, 0);
    assert_int_equal(node_stats(r->node)->clients, 2);
    assert_int_equal(node_stats(r->node)->passing, 2);
    assert_int_equal(node_stats(r->node)->sessions, 2);
    leaves(r, a);
    node_check(r->node);
    assert_int_equal(node_stats(r->node)->passing, 1);
    assert_int_equal(r->link_count, 0);
}

static void others_of_its_shard_go_by_the_link(void **state)
{
    struct recorder *r = *state;
    r->show_reports = false;
    struct handle b = opens(r, "b", "bob");
    goes_past(r, "a", "ann");
    link_comes_up(r);
    forget(r);
    room_says(r, "{\"all\":1}");
    room_says(r, "{\"targetClientId\":\"ann\",\"data\":\"x\"}");
    expect(r, "send b text:{\"all\":1}\n");
    assert_int_equal(node_stats(r->node)->unknown_target, 1);
    leaves(r, b);
    expect(r, LEAVE("L1", "bob"));
    link_falls(r);
    forget(r);
    passes(r, 60000);
    expect(r, ""); /* nobody needs the link now */
}

static void one_session_may_come_both_ways(void **state)
{
    struct recorder *r = *state;
    r->show_reports = false;
    struct handle by_link = opens(r, "link", "ann");
    struct handle past = goes_past(r, "past", "ann");
    link_comes_up(r);
    forget(r);
    room_says(r, "{\"type\":\"shard.closeClient\",\"privateId\":\"ann\"}");
    expect(r, LEAVE("L1", "ann") "close link 0 \n");
    by_link = opens(r, "link2", "ann");
    forget(r);
    leaves(r, by_link);
    expect(r, LEAVE("L1", "ann"));
    assert_non_null(session_find_passing(shard_of(r), SPAN("ann")));
    leaves(r, past);
    expect(r, "");
    assert_int_equal(shard_sessions(shard_of(r)), 0);
}

static void its_seat_is_counted_and_kept_like_any_other(void **state)
{
    struct recorder *r = *state;
    struct handle h, refused;
    enum node_reason why;
    settles(r); /* one client, 20 seats */
    r->show_reports = false;
    shard_of(r)->seating.max = 2;
    assert_int_equal(tries(r, "bob", true, &h, &why), ERR_OK);
    assert_int_equal(tries(r, "eve", true, &refused, &why), ERR_FULL);
    assert_int_equal(why, NODE_REFUSED_NO_SEAT);
    assert_int_equal(tries(r, "ann", true, &refused, &why), ERR_OK); /* the other way */
    node_client_closed(r->node, refused, NODE_PEER_CLOSED, r->now);
    assert_int_equal(seating_kept(&shard_of(r)->seating), 0);
    node_client_closed(r->node, h, NODE_UPSTREAM_GONE, r->now);
    assert_int_equal(seating_kept(&shard_of(r)->seating), 1);
    assert_int_equal(tries(r, "eve", true, &refused, &why), ERR_FULL);
    assert_int_equal(tries(r, "bob", true, &h, &why), ERR_OK);
    node_client_closed(r->node, h, NODE_UPSTREAM_REFUSED, r->now);
    assert_int_equal(seating_kept(&shard_of(r)->seating), 0);
    node_check(r->node);
}

static void beats_count_it_and_do_not_name_it(void **state)
{
    struct recorder *r = *state;
    struct beat_shard s;
    enum node_reason why;
    settles(r);
    goes_past(r, "b", "bob");
    assert_int_equal(node_visitor_open(r->node, &why), ERR_OK);
    beats(r, 100);
    assert_true(beat_shard(r, &s));
    assert_int_equal(s.open, 2);
    assert_int_equal(s.sessions, 2);
    assert_int_equal(s.admitted, 2);
    assert_false(beat_has(r, "bob"));
    assert_true(beat_has(r, "\"connections\":3"));
    answers(r, 200, UNCHANGED);
    node_visitor_closed(r->node);
}

static void visitors_and_clients_share_the_nodes_limit(void **state)
{
    struct recorder *r = *state;
    struct handle h;
    enum node_reason why;
    r->settings.max_connections = 2;
    assert_int_equal(node_visitor_open(r->node, &why), ERR_OK);
    assert_int_equal(node_visitor_open(r->node, &why), ERR_OK);
    assert_int_equal(node_visitor_open(r->node, &why), ERR_FULL);
    assert_int_equal(why, NODE_REFUSED_FULL);
    assert_int_equal(tries(r, "ann", true, &h, &why), ERR_FULL);
    node_visitor_closed(r->node);
    assert_int_equal(tries(r, "ann", true, &h, &why), ERR_OK);
    assert_int_equal(node_visitor_open(r->node, &why), ERR_FULL);
    node_visitor_closed(r->node);
    assert_int_equal(node_stats(r->node)->visitors, 0);
}

static void kick_closes_both_ways(void **state)
{
    struct recorder *r = *state;
    settles(r);
    goes_past(r, "a2", "ann");
    goes_past(r, "b", "bob");
    beats(r, 100);
    forget(r);
    answers(r, 200,
            ORDERS("2", NAMED(",\"bans\":[{\"session\":\"ann\",\"ttlMs\":5000},"
                              "{\"session\":\"bob\",\"ttlMs\":5000}]")));
    expect(r, LEAVE("L1", "ann") "close a 1008 kicked\nclose a2 1008 kicked\n"
                                 "close b 1008 kicked\n");
    enum node_reason why;
    struct handle h;
    assert_int_equal(tries(r, "bob", true, &h, &why), ERR_DENIED);
}

static void drain_closes_it_without_a_word_to_the_room(void **state)
{
    struct recorder *r = *state;
    const struct order_drain how = {.deadline_ms = 8000};
    goes_past(r, "a", "ann");
    goes_past(r, "b", "bob");
    r->show_reports = false;
    forget(r);
    drain_start(&shard_of(r)->drain, &how, r->now);
    passes(r, 100);
    expect(r, "close a 1012 restart;retry=1000-5000\n");
    passes(r, 8000);
    expect(r, "close b 1012 restart;retry=1000-5000\n");
    assert_int_equal(node_stats(r->node)->reasons[NODE_DRAINED], 2);
}

static void drain_takes_those_of_the_link_first(void **state)
{
    struct recorder *r = *state;
    const struct order_drain how = {.deadline_ms = 8000};
    r->show_reports = false;
    goes_past(r, "past", "p");
    opens(r, "b", "bob");
    link_comes_up(r);
    forget(r);
    drain_start(&shard_of(r)->drain, &how, r->now);
    passes(r, 100);
    expect(r, "pause b\nping L1 1\n");
    room_pongs(r, 1);
    passes(r, PARTING_SETTLE_MS + 100);
    expect(r, LEAVE("L1", "bob") "close b 1012 restart;retry=1000-5000\n");
    passes(r, 8000);
    expect(r, "close past 1012 restart;retry=1000-5000\n");
}

static void shutdown_closes_it(void **state)
{
    struct recorder *r = *state;
    r->show_reports = false;
    goes_past(r, "a", "ann");
    forget(r);
    node_shutdown(r->node, r->now);
    expect(r, "close a 1012 restart;retry=1000-5000\n");
}

#define AT(server) NAMED(",\"roomServer\":\"" server "\"")

static void room_that_moves_takes_those_along_who_follow(void **state)
{
    struct recorder *r = *state;
    struct handle h;
    enum node_reason why;
    struct span room, world, server;
    settles(r);
    r->show_reports = false;
    goes_past(r, "b", "bob");
    assert_int_equal(tries(r, "eve", false, &h, &why), ERR_OK); /* to a server of its own */
    beats(r, 100);
    forget(r);
    answers(r, 200, ORDERS("2", NAMED(",\"hold\":true")));
    expect(r, "ping L1 1\nclose b 1012 restart;retry=100-2000\n");
    assert_int_equal(tries(r, "bob", true, &h, &why), ERR_FULL);
    assert_int_equal(why, NODE_REFUSED_MOVING);
    assert_int_equal(node_reach(r->node, SPAN(SHARD), r->now, &room, &world, &server), ERR_AGAIN);
    beats(r, 2000);
    answers(r, 200, ORDERS("3", AT("http://new:1")));
    assert_int_equal(node_reach(r->node, SPAN(SHARD), r->now, &room, &world, &server), ERR_OK);
    assert_true(span_eq(room, SPAN("room")) && span_eq(world, SPAN("world-a")));
    assert_true(span_eq(server, SPAN("http://new:1")));
    assert_int_equal(tries(r, "bob", true, &h, &why), ERR_OK);
    assert_int_equal(node_stats(r->node)->passing, 2);
    assert_int_equal(node_stats(r->node)->reasons[NODE_ROOM_MOVED], 1);
}

/* Random lives; node_check, which runs after each step, is what is tested. */
static void counts_hold_whatever_happens(void **state)
{
    struct recorder *r = *state;
    struct rng rng;
    struct handle open[64];
    size_t count = 0;
    enum node_reason why;
    static const enum node_reason ends[] = {NODE_PEER_CLOSED, NODE_PEER_GONE, NODE_UPSTREAM_GONE};
    rng_seed(&rng, 7);
    settles(r);
    r->show_reports = false;
    shard_of(r)->seating.max = 12;
    for (int step = 0; step < 5000; step++) {
        char session[8] = "";
        struct handle h;
        uint64_t what = rng_below(&rng, 10);
        if (rng_below(&rng, 5) > 0)
            snprintf(session, sizeof session, "s%d", (int)rng_below(&rng, 6));
        if (what < 6 && count < 64) {
            enum err e = what < 3 ? tries(r, session, what == 0, &h, &why)
                                  : node_client_open(r->node, SPAN(SHARD), span_str(session),
                                                     SPAN("{}"), r->now, &h, &why);
            if (e == ERR_OK)
                open[count++] = h;
        } else if (what < 9 && count > 0) {
            size_t at = (size_t)rng_below(&rng, count);
            node_client_closed(r->node, open[at], ends[rng_below(&rng, 3)], r->now);
            open[at] = open[--count];
        } else {
            passes(r, (int64_t)rng_below(&rng, 4000));
            if (r->beat_under_way)
                answers(r, 200, UNCHANGED);
        }
        node_check(r->node);
        forget(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_room_hears_of_one_who_passes, recorder_setup,
                                        recorder_teardown),
        cmocka_unit_test_setup_teardown(others_of_its_shard_go_by_the_link, recorder_setup,
                                        recorder_teardown),
        cmocka_unit_test_setup_teardown(one_session_may_come_both_ways, recorder_setup,
                                        recorder_teardown),
        cmocka_unit_test_setup_teardown(its_seat_is_counted_and_kept_like_any_other, beats_setup,
                                        recorder_teardown),
        cmocka_unit_test_setup_teardown(beats_count_it_and_do_not_name_it, beats_setup,
                                        recorder_teardown),
        cmocka_unit_test_setup_teardown(visitors_and_clients_share_the_nodes_limit, recorder_setup,
                                        recorder_teardown),
        cmocka_unit_test_setup_teardown(kick_closes_both_ways, beats_setup, recorder_teardown),
        cmocka_unit_test_setup_teardown(drain_closes_it_without_a_word_to_the_room, recorder_setup,
                                        recorder_teardown),
        cmocka_unit_test_setup_teardown(drain_takes_those_of_the_link_first, recorder_setup,
                                        recorder_teardown),
        cmocka_unit_test_setup_teardown(shutdown_closes_it, recorder_setup, recorder_teardown),
        cmocka_unit_test_setup_teardown(room_that_moves_takes_those_along_who_follow, beats_setup,
                                        recorder_teardown),
        cmocka_unit_test_setup_teardown(counts_hold_whatever_happens, beats_setup,
                                        recorder_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
