/* Drains: how one client goes, and how fast all of them do. */
#include "shard/core/drain.h"
#include "shard/core/node_state.h"
#include "shard/core/parting.h"
#include "shard/core/shard.h"
#include "tests/unit/shard/core/recorder.h"

static struct shard *shard_named(struct recorder *r, const char *id)
{
    return map_get(&r->node->shard_map, span_str(id));
}

static void drains(struct recorder *r, int64_t deadline_ms, uint64_t rate)
{
    const struct order_drain how = {.deadline_ms = deadline_ms, .rate = rate};
    drain_start(&shard_named(r, RECORDER_SHARD)->drain, &how, r->now);
}

/* Two sessions on a link that is up. */
static struct handle two_sessions(struct recorder *r)
{
    struct handle a = opens(r, "a", "ann");
    opens(r, "b", "bob");
    link_comes_up(r);
    forget(r);
    return a;
}

static void client_parts_in_five_steps(void **state)
{
    struct recorder *r = *state;
    struct handle a = two_sessions(r);
    drains(r, 8000, 0);
    says(r, a, "1");
    passes(r, 10);
    expect(r, SAYS("L1", "ann", "1") "pause a\nping L1 1\n");
    says(r, a, "2"); /* was read before the pause */
    room_says(r, "{\"targetClientId\":\"ann\",\"data\":\"echo\"}");
    room_pongs(r, 1);
    room_says(r, "{\"targetClientId\":\"ann\",\"data\":\"late\"}");
    expect(r, SAYS("L1", "ann", "2") "send a text:echo\nsend a text:late\n");
    passes(r, PARTING_SETTLE_MS - WHEEL_TICK_MS);
    expect(r, "");
    passes(r, 2 * WHEEL_TICK_MS);
    expect(r, LEAVE("L1", "ann") "close a 1012 restart;retry=1000-5000\n");
    assert_int_equal(node_stats(r->node)->reasons[NODE_DRAINED], 1);
}

static void room_that_does_not_answer_is_not_waited_for(void **state)
{
    struct recorder *r = *state;
    two_sessions(r);
    drains(r, 60000, 0);
    passes(r, PARTING_MAX_MS - WHEEL_TICK_MS);
    expect(r, "pause a\nping L1 1\n");
    passes(r, 3 * WHEEL_TICK_MS);
    expect(r, LEAVE("L1", "ann") "close a 1012 restart;retry=1000-5000\n");
}

static void client_parts_at_once_while_the_link_is_down_and_loses_nothing(void **state)
{
    struct recorder *r = *state;
    struct handle a = two_sessions(r);
    link_falls(r);
    says(r, a, "1");
    drains(r, 60000, 0);
    passes(r, 30);
    expect(r, "pause a\nclose a 1012 restart;retry=1000-5000\n");
    redials(r);
    link_comes_up(r);
    passes(r, 1000);
    expect(r,
           JOIN("L2", "bob", "b") JOIN("L2", "ann", "a") SAYS("L2", "ann", "1") LEAVE("L2", "ann"));
}

static void all_sockets_of_a_session_part_together(void **state)
{
    struct recorder *r = *state;
    two_sessions(r);
    opens(r, "a2", "ann");
    forget(r);
    drains(r, 60000, 0);
    passes(r, 10);
    room_pongs(r, 1);
    passes(r, PARTING_SETTLE_MS + WHEEL_TICK_MS);
    expect(r, "pause a\npause a2\nping L1 1\n"
              "close a 1012 restart;retry=1000-5000\n" LEAVE(
                  "L1", "ann") "close a2 1012 restart;retry=1000-5000\n");
}

static void socket_that_leaves_while_it_parts_is_forgotten(void **state)
{
    struct recorder *r = *state;
    struct handle a = two_sessions(r);
    drains(r, 60000, 0);
    passes(r, 10);
    leaves(r, a);
    room_pongs(r, 1);
    passes(r, 1000);
    expect(r, "pause a\nping L1 1\n" LEAVE("L1", "ann"));
}

static void order_says_when_to_come_back(void **state)
{
    struct recorder *r = *state;
    two_sessions(r);
    const struct order_drain how = {.deadline_ms = 60000, .retry_min_ms = 7, .retry_max_ms = 9};
    drain_start(&shard_named(r, RECORDER_SHARD)->drain, &how, r->now);
    passes(r, 1100);
    expect(r, "pause a\nping L1 1\n" LEAVE("L1", "ann") "close a 1012 restart;retry=7-9\n");
}

static void without_a_deadline_nobody_is_closed(void **state)
{
    struct recorder *r = *state;
    two_sessions(r);
    drains(r, 0, 100);
    assert_true(shard_named(r, RECORDER_SHARD)->drain.on);
    passes(r, 3600000);
    expect(r, "");
}

static void stopped_drain_closes_nobody_else(void **state)
{
    struct recorder *r = *state;
    two_sessions(r);
    drains(r, 10000, 0);
    passes(r, 100);
    drain_stop(&shard_named(r, RECORDER_SHARD)->drain);
    passes(r, 60000);
    assert_int_equal(node_stats(r->node)->clients, 1);
}

static void who_comes_in_all_the_same_goes_by_the_deadline(void **state)
{
    struct recorder *r = *state;
    two_sessions(r);
    drains(r, 10000, 0);
    passes(r, 9000);
    assert_int_equal(node_stats(r->node)->clients, 0);
    opens(r, "late", "ann");
    passes(r, 1100);
    assert_int_equal(node_stats(r->node)->clients, 0);
    opens(r, "later", "ann");
    passes(r, 1300);
    assert_int_equal(node_stats(r->node)->clients, 0);
}

/* ---- the pace */

struct pace_run {
    unsigned shards, clients; /* in each */
    int64_t deadline_ms;
    uint64_t rate;
    bool repeats;   /* the order, each second */
    unsigned slack; /* closes a second beyond twice the mean: what a step cannot divide */
};

static void fill(struct recorder *r, const struct pace_run *run)
{
    char shard[32];
    for (unsigned s = 0; s < run->shards; s++) {
        snprintf(shard, sizeof shard, "room%u:world-a:1", s);
        for (unsigned c = 0; c < run->clients; c++)
            opens_at(r, shard, "c", "");
        link_comes_up(r);
    }
    forget(r);
}

/* As a room server that answers each ping at once. */
static void answer_pings(struct recorder *r)
{
    for (size_t i = 0; i < r->link_count; i++)
        node_link_pong(r->node, r->links[i], UINT32_MAX / 2, r->now);
}

static void run_pace(struct recorder *r, const struct pace_run *run, uint64_t per_second[64])
{
    const struct order_drain how = {.deadline_ms = run->deadline_ms, .rate = run->rate};
    uint64_t before = node_stats(r->node)->clients;
    drain_start(&r->node->drain, &how, r->now);
    for (int second = 0; second * 1000 < run->deadline_ms; second++) {
        for (int i = 0; i < 100; i++) {
            passes(r, 10);
            answer_pings(r);
            forget(r);
        }
        per_second[second] = before - node_stats(r->node)->clients;
        before = node_stats(r->node)->clients;
        struct order_drain again = how;
        again.deadline_ms -= (second + 1) * 1000;
        if (run->repeats && again.deadline_ms > 0)
            drain_start(&r->node->drain, &again, r->now);
    }
}

static void closes_are_spread_over_the_time_up_to_the_deadline(void **state)
{
    struct recorder *r = *state;
    static const struct pace_run runs[] = {
        {1, 500, 10000, 0, false, 0},   {10, 50, 10000, 0, false, 0}, {7, 70, 3000, 0, false, 0},
        {1, 3, 10000, 0, false, 1},     {10, 3, 10000, 0, true, 0},   {1, 500, 10000, 20, false, 0},
        {1, 500, 10000, 1000, true, 0}, {5, 100, 10000, 60, true, 0},
    };
    r->settings.max_connections = 10000;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        uint64_t seconds[64] = {0};
        r->client_count = r->link_count = r->report_count = 0;
        recorder_restart(r);
        fill(r, &runs[i]);
        run_pace(r, &runs[i], seconds);
        uint64_t all = (uint64_t)runs[i].shards * runs[i].clients;
        uint64_t mean = all * 1000 / (uint64_t)runs[i].deadline_ms;
        assert_int_equal(node_stats(r->node)->clients, 0);
        for (int s = 0; s * 1000 < runs[i].deadline_ms; s++)
            assert_true(seconds[s] <= 2 * mean + runs[i].slack);
    }
}

static void rate_holds_for_as_long_as_the_deadline_can_be_kept(void **state)
{
    struct recorder *r = *state;
    const struct pace_run run = {1, 500, 10000, 20, false, 0};
    uint64_t seconds[64] = {0};
    r->settings.max_connections = 10000;
    recorder_restart(r);
    fill(r, &run);
    run_pace(r, &run, seconds);
    for (int s = 0; s < 4; s++)
        assert_true(seconds[s] <= 20);
    assert_int_equal(node_stats(r->node)->clients, 0);
}

static void node_takes_its_shards_in_turn(void **state)
{
    struct recorder *r = *state;
    const struct pace_run run = {5, 20, 10000, 0, false, 0};
    fill(r, &run);
    const struct order_drain how = {.deadline_ms = 10000};
    drain_start(&r->node->drain, &how, r->now);
    passes(r, 5000);
    size_t least = 20, most = 0;
    LIST_EACH (&r->node->shards, it) {
        size_t left = CONTAINER_OF(it, struct shard, in_node)->client_count;
        least = left < least ? left : least;
        most = left > most ? left : most;
    }
    assert_true(most - least <= 1);
    forget(r);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, recorder_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        CASE(client_parts_in_five_steps),
        CASE(room_that_does_not_answer_is_not_waited_for),
        CASE(client_parts_at_once_while_the_link_is_down_and_loses_nothing),
        CASE(all_sockets_of_a_session_part_together),
        CASE(socket_that_leaves_while_it_parts_is_forgotten),
        CASE(order_says_when_to_come_back),
        CASE(without_a_deadline_nobody_is_closed),
        CASE(stopped_drain_closes_nobody_else),
        CASE(who_comes_in_all_the_same_goes_by_the_deadline),
        CASE(closes_are_spread_over_the_time_up_to_the_deadline),
        CASE(rate_holds_for_as_long_as_the_deadline_can_be_kept),
        CASE(node_takes_its_shards_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
