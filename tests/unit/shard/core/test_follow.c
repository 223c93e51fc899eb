/* What is done about orders: shards that come and go, links that are held and moved, drains, bans.
 */
#include "tests/unit/shard/core/beating.h"

static void ordered_shards_exist_without_clients(void **state)
{
    struct recorder *r = *state;
    r->settings.world_ids = "world-a";
    recorder_restart(r);
    beats(r, 100);
    answers(r, 200, ORDERS("1", NAMED("")));
    expect(r, ""); /* nothing is dialled for them */
    assert_int_equal(node_stats(r->node)->shards_owned, 1);
    assert_int_equal(shard_of(r)->seating.max, 20);
    for (int i = 0; i < 200; i++) {
        beats(r, 1200);
        answers(r, 200, UNCHANGED);
    }
    assert_int_equal(node_stats(r->node)->shards, 1);
    enum node_reason why;
    struct handle h;
    for (int i = 0; i < 20; i++)
        opens(r, "a", "");
    assert_int_equal(
        node_client_open(r->node, SPAN(SHARD), SPAN("cat"), SPAN("{}"), r->now, &h, &why),
        ERR_FULL);
    assert_int_equal(why, NODE_REFUSED_NO_SEAT);
}

static void drop_keeps_the_guests_until_they_leave(void **state)
{
    struct recorder *r = *state;
    struct handle a = settles(r);
    beats(r, 1100);
    answers(r, 200, DROP("2"));
    expect(r, "");
    assert_int_equal(node_stats(r->node)->shards_owned, 0);
    assert_int_equal(node_stats(r->node)->guests, 1);
    says(r, a, "1");
    expect(r, SAYS("L1", "ann", "1"));
    for (int i = 0; i < 100; i++) {
        beats(r, 1200);
        answers(r, 200, EPOCH_1 ",\"unchanged\":true}");
    }
    assert_int_equal(node_stats(r->node)->guests, 1);
    leaves(r, a);
    beats(r, 100);
    assert_int_equal(beat_open_count(r), 0);
    answers(r, 200, UNCHANGED);
    bool told = false;
    for (int i = 0; i < 70; i++) {
        beats(r, 1200);
        told = told || tells_shard(r);
        answers(r, 200, UNCHANGED);
    }
    assert_int_equal(node_stats(r->node)->shards, 0);
    assert_true(told); /* that its link is no more */
}

static void full_orders_drop_what_they_do_not_name(void **state)
{
    struct recorder *r = *state;
    settles(r);
    beats(r, 1100);
    answers(r, 200, ORDERS("2", ""));
    assert_int_equal(node_stats(r->node)->guests, 1);
    beats(r, 1100);
    assert_true(beat_has(r, "\"version\":2}"));
    answers(r, 200, ORDERS("3", NAMED("")));
    assert_int_equal(node_stats(r->node)->guests, 0);
    assert_int_equal(node_stats(r->node)->shards_owned, 1);
}

static void orders_beyond_our_bounds_are_counted_and_bounded(void **state)
{
    struct recorder *r = *state;
    struct buf text = {0};
    settles(r);
    beats(r, 1100);
    BUF_ADD_LIT(&text, EPOCH_1 ",\"full\":true,\"shards\":[" NAMED(""));
    for (int i = 0; i < 30; i++)
        buf_addf(&text,
                 ",{\"shardId\":\"r:world-a:1-%d\",\"roomId\":\"r\",\"status\":\"active\","
                 "\"maxConnections\":1}",
                 i);
    BUF_ADD_LIT(&text, "],\"drop\":[]}");
    buf_add_char(&text, '\0');
    answers(r, 200, text.data);
    assert_int_equal(node_stats(r->node)->shards_owned, 10);
    assert_int_equal(node_stats(r->node)->refused_orders, 21);
    buf_clear(&text);
}

/* Ten shards of that name, and no others. */
static void orders_ten(struct recorder *r, const char *version, const char *name)
{
    struct buf text = {0};
    buf_addf(&text, "{\"epoch\":1,\"version\":%s,\"full\":true,\"shards\":[", version);
    for (int i = 0; i < 10; i++)
        buf_addf(&text,
                 "%s{\"shardId\":\"%s:world-a:1-%d\",\"roomId\":\"r\",\"status\":\"active\","
                 "\"maxConnections\":1}",
                 i == 0 ? "" : ",", name, i);
    BUF_ADD_LIT(&text, "],\"drop\":[]}");
    buf_add_char(&text, '\0');
    beats(r, 1100);
    answers(r, 200, text.data);
    buf_clear(&text);
}

static void what_was_dropped_makes_room_for_what_is_ordered(void **state)
{
    struct recorder *r = *state;
    r->settings.world_ids = "world-a";
    recorder_restart(r);
    for (int i = 0; i < 4; i++) {
        orders_ten(r, i % 2 == 0 ? "1" : "2", i % 2 == 0 ? "a" : "b");
        assert_int_equal(node_stats(r->node)->shards_owned, 10);
    }
    assert_int_equal(node_stats(r->node)->shards, 10);
    assert_int_equal(node_stats(r->node)->refused_orders, 0);
}

static void a_guest_is_no_spare_shard(void **state)
{
    struct recorder *r = *state;
    settles(r);
    orders_ten(r, "2", "a");
    assert_int_equal(node_stats(r->node)->guests, 1);
    assert_int_equal(node_stats(r->node)->shards_owned, 9);
    assert_int_equal(node_stats(r->node)->refused_orders, 1);
}

static void shards_that_nobody_ordered_end_when_they_are_idle(void **state)
{
    struct recorder *r = *state;
    leaves(r, opens(r, "a", "ann"));
    for (int i = 0; i < 70 && node_stats(r->node)->shards > 0; i++) {
        beats(r, 1200);
        answers(r, i % 2 == 0 ? 0 : 200, UNCHANGED);
    }
    assert_int_equal(node_stats(r->node)->shards, 0);
    assert_int_equal(r->node->world_map.count, 1);
    for (int i = 0; i < 70 && r->node->world_map.count > 0; i++) {
        passes(r, 1200);
        if (r->beat_under_way)
            answers(r, 200, UNCHANGED);
    }
    assert_int_equal(r->node->world_map.count, 0);
    assert_int_equal(node_next_ms(r->node), INT64_MAX);
}

static void shard_that_starts_again_is_told_behind_its_end(void **state)
{
    struct recorder *r = *state;
    struct beat b;
    struct beat_shard s;
    struct beat_doc doc;
    const char *why;
    uint64_t told = 0;
    leaves(r, opens(r, "a", "ann"));
    for (int i = 0; i < 70 && node_stats(r->node)->shards > 0; i++) {
        beats(r, 1200);
        answers(r, i % 2 == 0 ? 0 : 200, UNCHANGED);
    }
    opens(r, "b", "bob");
    beats(r, 1200);
    assert_int_equal(beat_read(&b, &doc, buf_span(&r->beat), &why), ERR_OK);
    for (size_t at = 0; beat_next_shard(&doc, &at, &s); told++)
        assert_int_equal(s.open, told);
    assert_int_equal(told, 2);
    beat_doc_clear(&doc);
}

/* ---- links by order */

#define AT_A ",\"roomServer\":\"http://room-a:1\""
#define AT_B ",\"roomServer\":\"http://room-b:1\""

static void link_goes_where_the_world_says(void **state)
{
    struct recorder *r = *state;
    r->settings.world_ids = "world-a";
    r->settings.has_rooms = false;
    recorder_restart(r);
    beats(r, 100);
    answers(r, 200, ORDERS("1", NAMED(AT_A)));
    opens(r, "a", "ann");
    expect(r, "dial L1 " SHARD " world=world-a room=room at=http://room-a:1\n");
    link_comes_up(r);
    beats(r, 100);
    assert_true(beat_has(r, "\"link\":\"up\",\"server\":\"http://room-a:1\""));
}

static void link_stays_that_is_where_the_world_says_already(void **state)
{
    struct recorder *r = *state;
    r->settings.world_ids = "world-a";
    recorder_restart(r);
    beats(r, 100);
    answers(r, 200, ORDERS("1", NAMED("")));
    opens(r, "a", "ann");
    link_comes_up(r);
    beats(r, 100);
    assert_true(beat_has(r, "\"link\":\"up\",\"server\":\"" RECORDER_OWN "\""));
    forget(r);
    answers(r, 200, ORDERS("2", NAMED(",\"roomServer\":\"" RECORDER_OWN "\"")));
    expect(r, "");
    beats(r, 1100);
    answers(r, 200, ORDERS("3", NAMED("")));
    expect(r, "");
    beats(r, 1100);
    answers(r, 200, ORDERS("4", NAMED(AT_B)));
    expect(r, "ping L1 1\n");
}

#define GUESTS(version, shards)                                                                    \
    "{\"epoch\":1,\"version\":" version                                                            \
    ",\"intervalMs\":1000,\"shards\":[],\"drop\":[],\"guests\":[" shards "]}"

static void guests_follow_their_room_to_another_server(void **state)
{
    struct recorder *r = *state;
    settles(r);
    beats(r, 1100);
    answers(r, 200, DROP("2"));
    forget(r);
    beats(r, 1100);
    answers(r, 200, GUESTS("3", NAMED(AT_B ",\"hold\":true")));
    expect(r, "ping L1 1\n");
    node_link_pong(r->node, last_link(r), 1, r->now);
    passes(r, 110);
    expect(r, "finish L1 1000\n");
    link_falls(r);
    if (!r->beat_under_way)
        beats(r, 1100);
    answers(r, 200, GUESTS("4", NAMED(AT_B)));
    passes(r, 10);
    expect(r, "dial L2 " SHARD " world=world-a room=room at=http://room-b:1\n");
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a"));
    assert_int_equal(node_stats(r->node)->shards_owned, 0);
}

static void link_moves_to_another_server(void **state)
{
    struct recorder *r = *state;
    struct handle a = settles(r);
    beats(r, 1100);
    answers(r, 200, ORDERS("2", NAMED(AT_B)));
    expect(r, "ping L1 1\n");
    says(r, a, "1");
    node_link_pong(r->node, last_link(r), 1, r->now);
    passes(r, 90);
    expect(r, "");
    passes(r, 20);
    expect(r, "finish L1 1000\n");
    link_falls(r);
    passes(r, 10);
    expect(r, "dial L2 " SHARD " world=world-a room=room at=http://room-b:1\n");
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a") SAYS("L2", "ann", "1"));
}

static void hold_closes_the_link_and_messages_wait(void **state)
{
    struct recorder *r = *state;
    struct handle a = settles(r);
    beats(r, 1100);
    answers(r, 200, ORDERS("2", NAMED(",\"hold\":true")));
    expect(r, "ping L1 1\n");
    beats(r, 1200);
    passes(r, 500); /* no pong comes */
    expect(r, "finish L1 1000\n");
    assert_false(tells_shard(r)); /* not closed yet */
    answers(r, 200, UNCHANGED);
    says(r, a, "1");
    comes_back(r, SAYS("L1", "ann", "0")); /* was queued and not sent */
    link_falls(r);
    beats(r, 100);
    assert_int_equal(beat_link_state(r), BEAT_LINK_IDLE);
    answers(r, 200, UNCHANGED);
    struct handle b = opens(r, "b", "bob");
    says(r, b, "2");
    passes(r, 700);
    expect(r, "");
    if (!r->beat_under_way)
        beats(r, 1100);
    answers(r, 200, ORDERS("3", NAMED(AT_B)));
    passes(r, 10);
    expect(r, "dial L2 " SHARD " world=world-a room=room at=http://room-b:1\n");
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a") JOIN("L2", "bob", "b") SAYS("L2", "ann", "0")
                  SAYS("L2", "ann", "1") SAYS("L2", "bob", "2"));
}

static void held_shard_is_not_dialled_for_newcomers(void **state)
{
    struct recorder *r = *state;
    r->settings.world_ids = "world-a";
    recorder_restart(r);
    beats(r, 100);
    answers(r, 200, ORDERS("1", NAMED(",\"hold\":true")));
    opens(r, "a", "ann");
    passes(r, 10);
    expect(r, "");
    if (!r->beat_under_way)
        beats(r, 100);
    answers(r, 200, ORDERS("2", NAMED("")));
    passes(r, 10);
    expect(r, "dial L1 " SHARD " world=world-a room=room\n");
}

static void dial_is_given_up_for_a_hold(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    beats(r, 100);
    forget(r);
    answers(r, 200, ORDERS("1", NAMED(",\"hold\":true")));
    expect(r, "hang up L1 1000\n");
    passes(r, 5000);
    expect(r, "");
    assert_int_equal(node_stats(r->node)->clients, 1);
}

/* ---- what else is ordered */

static void banned_session_is_closed(void **state)
{
    struct recorder *r = *state;
    settles(r);
    beats(r, 1100);
    answers(r, 200, ORDERS("2", NAMED(",\"bans\":[{\"session\":\"ann\",\"ttlMs\":60000}]")));
    expect(r, LEAVE("L1", "ann") "close a 1008 kicked\n");
    beats(r, 100);
    assert_int_equal(beat_open_count(r), 0);
}

static void draining_shard_closes_its_clients_in_time(void **state)
{
    struct recorder *r = *state;
    settles(r);
    beats(r, 1100);
    answers(r, 200,
            ORDERS("2", "{\"shardId\":\"" SHARD "\",\"roomId\":\"room\",\"status\":\"draining\","
                        "\"maxConnections\":20,\"drain\":{\"deadlineMs\":2000}}"));
    assert_true(shard_of(r)->drain.on);
    passes(r, 2100);
    assert_int_equal(node_stats(r->node)->clients, 0);
    if (!r->beat_under_way)
        beats(r, 1100);
    answers(r, 200, ORDERS("3", NAMED("")));
    assert_false(shard_of(r)->drain.on);
}

static void node_that_is_drained_says_so_until_it_is_taken_back(void **state)
{
    struct recorder *r = *state;
    settles(r);
    beats(r, 1100);
    answers(r, 200,
            "{\"epoch\":1,\"version\":2,\"intervalMs\":1000,\"drainNode\":{\"deadlineMs\":60000},"
            "\"shards\":[],\"drop\":[]}");
    assert_true(node_is_draining(r->node));
    beats(r, 100);
    assert_true(beat_has(r, "\"draining\":true"));
    answers(r, 200, "{\"epoch\":1,\"version\":3,\"intervalMs\":1000,\"shards\":[],\"drop\":[]}");
    assert_false(node_is_draining(r->node));
    beats(r, 100);
    assert_true(beat_has(r, "\"draining\":false"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, beats_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(ordered_shards_exist_without_clients),
        TEST(drop_keeps_the_guests_until_they_leave),
        TEST(full_orders_drop_what_they_do_not_name),
        TEST(orders_beyond_our_bounds_are_counted_and_bounded),
        TEST(what_was_dropped_makes_room_for_what_is_ordered),
        TEST(a_guest_is_no_spare_shard),
        TEST(shards_that_nobody_ordered_end_when_they_are_idle),
        TEST(shard_that_starts_again_is_told_behind_its_end),
        TEST(link_goes_where_the_world_says),
        TEST(link_stays_that_is_where_the_world_says_already),
        TEST(guests_follow_their_room_to_another_server),
        TEST(link_moves_to_another_server),
        TEST(hold_closes_the_link_and_messages_wait),
        TEST(held_shard_is_not_dialled_for_newcomers),
        TEST(dial_is_given_up_for_a_hold),
        TEST(banned_session_is_closed),
        TEST(draining_shard_closes_its_clients_in_time),
        TEST(node_that_is_drained_says_so_until_it_is_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
