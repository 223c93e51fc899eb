/* What worlds are told, and what their answers mean. */
#include "tests/unit/shard/core/recorder.h"

#include "common/proto/orders.h"
#include "shard/core/node_state.h"
#include "shard/core/shard.h"
#include "shard/core/world.h"

#define SHARD         RECORDER_SHARD
#define REPORT(count) "report " SHARD " world=world-a " count "\n"
#define FULL          "\"full\":true"

static int beats_setup(void **state)
{
    recorder_setup(state);
    struct recorder *r = *state;
    r->settings.protocol = NODE_PROTOCOL_AUTO;
    r->settings.enforce_seats = true;
    r->show_reports = true;
    recorder_restart(r);
    return 0;
}

/* ---- the world's side */

static void answers(struct recorder *r, int status, const char *body)
{
    assert_true(r->beat_under_way);
    r->beat_under_way = false;
    node_beat_answered(r->node, r->world, status, span_str(body), r->now);
    node_check(r->node);
}

#define EPOCH_1   "{\"epoch\":1,\"version\":1,\"intervalMs\":1000"
#define EPOCH_2   "{\"epoch\":2,\"version\":1,\"intervalMs\":1000"
#define UNCHANGED EPOCH_1 ",\"unchanged\":true}"
#define NAMED(more)                                                                                \
    "{\"shardId\":\"" SHARD                                                                        \
    "\",\"roomId\":\"room\",\"status\":\"active\",\"maxConnections\":20" more "}"
#define ORDERS(version, shards)                                                                    \
    "{\"epoch\":1,\"version\":" version ",\"intervalMs\":1000,\"full\":true,\"shards\":[" shards   \
    "],\"drop\":[]}"
#define DROP(version)                                                                              \
    "{\"epoch\":1,\"version\":" version ",\"intervalMs\":1000,\"shards\":[],\"drop\":[\"" SHARD    \
    "\"]}"

/* The node beats within `ms`. */
static void beats(struct recorder *r, int64_t ms)
{
    size_t before = r->beats;
    assert_false(r->beat_under_way);
    for (int64_t end = r->now + ms; r->beats == before && r->now < end;)
        passes(r, 10);
    assert_int_equal(r->beats, before + 1);
}

/* It does not. */
static void is_silent(struct recorder *r, int64_t ms)
{
    size_t before = r->beats;
    passes(r, ms);
    assert_int_equal(r->beats, before);
}

static bool beat_has(struct recorder *r, const char *text)
{
    buf_add_char(&r->beat, '\0');
    r->beat.len--;
    return strstr(r->beat.data, text) != NULL;
}

/* What the last beat says of the shard, but for texts. */
static bool beat_shard(struct recorder *r, struct beat_shard *out)
{
    struct beat b;
    json_t *doc;
    const char *why;
    assert_int_equal(beat_read(&b, &doc, buf_span(&r->beat), &why), ERR_OK);
    bool found = false;
    for (size_t at = 0; !found && beat_next_shard(doc, &at, out);)
        found = span_eq(out->shard_id, SPAN(SHARD));
    out->shard_id = out->server = SPAN("");
    json_decref(doc);
    return found;
}

static uint64_t beat_open_count(struct recorder *r)
{
    struct beat_shard s;
    assert_true(beat_shard(r, &s));
    return s.open;
}

static bool tells_shard(struct recorder *r)
{
    struct beat_shard s;
    return beat_shard(r, &s);
}

static enum beat_link beat_link_state(struct recorder *r)
{
    struct beat_shard s;
    assert_true(beat_shard(r, &s));
    return s.link;
}

/* A world that knows our shard, which has one client and a standing link. */
static struct handle settles(struct recorder *r)
{
    struct handle h = opens(r, "a", "ann");
    link_comes_up(r);
    beats(r, 100);
    answers(r, 200, ORDERS("1", NAMED("")));
    is_silent(r, 60);
    forget(r);
    return h;
}

static struct shard *shard_of(struct recorder *r)
{
    return map_get(&r->node->shard_map, SPAN(SHARD));
}

/* ---- what is told, and when */

static void first_beat_is_full_and_says_who_we_are(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    beats(r, 100);
    assert_true(beat_has(r, "{\"node\":{\"id\":\"node-1\",\"epoch\":1700000000000,"
                            "\"url\":\"http://node-1\",\"internalUrl\":\"http://10.0.0.1:3010\","
                            "\"version\":\"1.0.0\",\"maxConnections\":100,\"connections\":1,"));
    assert_true(beat_has(r, "\"seq\":1,\"full\":true,\"haveOrders\":{\"epoch\":0,\"version\":0}"));
    assert_int_equal(beat_open_count(r), 1);
    assert_int_equal(beat_link_state(r), BEAT_LINK_DOWN);
}

static void configured_worlds_hear_of_a_node_without_shards(void **state)
{
    struct recorder *r = *state;
    r->settings.world_ids = "world-b , world-c";
    recorder_restart(r);
    passes(r, 10);
    assert_int_equal(r->beats, 2);
    assert_int_equal(node_stats(r->node)->worlds_unheard, 2);
}

static void only_what_changed_is_told(void **state)
{
    struct recorder *r = *state;
    settles(r);
    struct handle other = opens_at(r, "other:world-a:1700000000000-8", "b", "bob");
    beats(r, 100);
    assert_false(tells_shard(r));
    assert_true(beat_has(r, "\"full\":false"));
    assert_true(beat_has(r, "\"connections\":2"));
    assert_true(beat_has(r, "other:world-a"));
    answers(r, 200, UNCHANGED);
    leaves(r, other);
    opens(r, "c", "cat");
    beats(r, 100);
    assert_int_equal(beat_open_count(r), 2);
    answers(r, 200, UNCHANGED);
    beats(r, 1200); /* nothing to tell: by its time */
    assert_true(beat_has(r, "\"shards\":[]"));
}

static void changes_within_50_ms_are_one_beat(void **state)
{
    struct recorder *r = *state;
    settles(r);
    passes(r, 100);
    opens(r, "b", "bob");
    passes(r, 10);
    assert_int_equal(beat_open_count(r), 2);
    answers(r, 200, UNCHANGED);
    size_t before = r->beats;
    for (int i = 0; i < 3; i++) {
        opens(r, "c", "cat");
        passes(r, 10);
    }
    assert_int_equal(r->beats, before);
    passes(r, 30);
    assert_int_equal(r->beats, before + 1);
    assert_int_equal(beat_open_count(r), 5);
}

static void change_that_came_to_nothing_is_not_told(void **state)
{
    struct recorder *r = *state;
    settles(r);
    world_shard_changed(shard_of(r));
    is_silent(r, 500);
}

static void one_beat_is_under_way_at_a_time(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    link_comes_up(r);
    beats(r, 100);
    opens(r, "b", "bob");
    is_silent(r, 5000);
    answers(r, 200, ORDERS("1", NAMED("")));
    beats(r, 20);
    assert_int_equal(beat_open_count(r), 2);
    assert_true(beat_has(r, "\"seq\":2,"));
}

static void what_was_not_confirmed_is_told_again(void **state)
{
    struct recorder *r = *state;
    settles(r);
    opens(r, "b", "bob");
    beats(r, 100);
    answers(r, 0, "");
    opens_at(r, "other:world-a:1700000000000-8", "c", "cat");
    link_comes_up(r);
    is_silent(r, 700); /* a world in trouble hears of it with the next beat by time */
    beats(r, 500);
    assert_int_equal(beat_open_count(r), 2);
    assert_true(beat_has(r, "\"full\":false"));
    answers(r, 503, "{}");
    beats(r, 1200);
    assert_int_equal(beat_open_count(r), 2);
    answers(r, 200, UNCHANGED);
    beats(r, 1200);
    assert_true(beat_has(r, "\"shards\":[]"));
    assert_int_equal(node_stats(r->node)->beat_failures, 2);
}

static void full_beat_that_failed_is_full_again(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    for (int i = 0; i < 3; i++) {
        beats(r, 1200);
        assert_true(beat_has(r, FULL));
        answers(r, 0, "");
    }
}

static void world_says_how_often_it_wants_beats(void **state)
{
    struct recorder *r = *state;
    settles(r);
    beats(r, 1100);
    answers(r, 200, "{\"epoch\":1,\"version\":1,\"intervalMs\":5000,\"unchanged\":true}");
    is_silent(r, 4400);
    beats(r, 1100);
}

/* ---- epochs */

static void another_world_epoch_brings_a_full_beat(void **state)
{
    struct recorder *r = *state;
    settles(r);
    beats(r, 1100);
    assert_true(beat_has(r, "\"haveOrders\":{\"epoch\":1,\"version\":1}"));
    answers(r, 200, EPOCH_2 ",\"unchanged\":true}");
    beats(r, 60);
    assert_true(beat_has(r, FULL));
    assert_true(beat_has(r, "\"haveOrders\":{\"epoch\":0,\"version\":0}"));
    assert_int_equal(beat_open_count(r), 1);
    assert_true(shard_of(r)->owned);
}

static void lower_world_epoch_is_ignored(void **state)
{
    struct recorder *r = *state;
    settles(r);
    beats(r, 1100);
    answers(r, 200, EPOCH_2 ",\"full\":true,\"shards\":[" NAMED("") "],\"drop\":[]}");
    beats(r, 60);
    answers(r, 200, ORDERS("9", ""));
    assert_true(shard_of(r)->owned);
    assert_int_equal(node_stats(r->node)->stale_orders, 1);
    beats(r, 1100);
    assert_true(beat_has(r, "\"haveOrders\":{\"epoch\":2,\"version\":1}"));
    assert_true(beat_has(r, FULL)); /* the one whose answer was ignored was full */
}

static void node_whose_id_another_has_stops(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    beats(r, 100);
    forget(r);
    answers(r, 409,
            "{\"error\":\"x\",\"epoch\":1700000000001,\"ageMs\":500,\"url\":\"http://other:1\"}");
    expect(r, "fatal NODE_ID in use by http://other:1\n");
    assert_int_equal(node_stats(r->node)->beat_conflicts, 1);
}

static void node_whose_id_another_had_goes_on_with_a_later_epoch(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    beats(r, 100);
    forget(r);
    answers(r, 409,
            "{\"error\":\"x\",\"epoch\":1700000000500,\"ageMs\":3001,\"url\":\"http://other:1\"}");
    expect(r, "");
    beats(r, 100);
    assert_true(beat_has(r, "\"epoch\":1700000000501,"));
    assert_true(beat_has(r, FULL));
    answers(r, 200, ORDERS("1", NAMED("")));
}

static void beat_that_came_twice_is_no_conflict(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    beats(r, 100);
    forget(r);
    answers(
        r, 409,
        "{\"error\":\"x\",\"epoch\":1700000000000,\"ageMs\":5,\"url\":\"http://10.0.0.1:3010\"}");
    expect(r, "");
    beats(r, 1200);
    assert_true(beat_has(r, "\"seq\":2,"));
}

/* ---- worlds that know no beats */

static void world_without_beats_gets_reports_and_is_tried_again(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    link_comes_up(r);
    beats(r, 100);
    forget(r);
    answers(r, 404, "{\"error\":\"Not found\"}");
    expect(r, REPORT("1"));
    assert_int_equal(node_stats(r->node)->worlds_reference, 1);
    world_answers_all(r, true);
    opens(r, "b", "bob");
    world_answers_all(r, true);
    passes(r, 20);
    r->show_reports = false;
    is_silent(r, 26000);
    beats(r, 8000);
    assert_true(beat_has(r, FULL));
    answers(r, 200, ORDERS("1", NAMED("")));
    assert_int_equal(node_stats(r->node)->worlds_beats, 1);
    world_answers_all(r, true);
    uint64_t reports = node_stats(r->node)->reports;
    opens(r, "c", "cat");
    beats(r, 100);
    answers(r, 200, UNCHANGED);
    assert_int_equal(node_stats(r->node)->reports, reports);
}

static void reports_go_on_while_a_world_is_tried_again(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    link_comes_up(r);
    beats(r, 100);
    answers(r, 404, "");
    world_answers_all(r, true);
    r->show_reports = false;
    for (int i = 0; i < 3; i++) {
        beats(r, 34000);
        answers(r, i == 1 ? 0 : 404, "");
        world_answers_all(r, true);
    }
    uint64_t reports = node_stats(r->node)->reports;
    opens(r, "b", "bob");
    assert_int_equal(node_stats(r->node)->reports, reports + 1);
}

static void reference_protocol_never_beats(void **state)
{
    struct recorder *r = *state;
    r->settings.protocol = NODE_PROTOCOL_REFERENCE;
    r->settings.world_ids = "world-a,world-b";
    recorder_restart(r);
    forget(r);
    opens(r, "a", "ann");
    link_comes_up(r);
    passes(r, 200000);
    assert_int_equal(r->beats, 0);
}

/* ---- orders */

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

static void shutdown_says_that_the_node_ends(void **state)
{
    struct recorder *r = *state;
    settles(r);
    node_shutdown(r->node, r->now);
    beats(r, 100); /* that its client is gone */
    assert_false(beat_has(r, "\"gone\":true"));
    answers(r, 200, UNCHANGED);
    node_say_gone(r->node);
    assert_false(node_has_said_gone(r->node));
    beats(r, 100);
    assert_true(beat_has(r, "\"gone\":true"));
    assert_true(beat_has(r, "\"full\":true"));
    answers(r, 200, UNCHANGED);
    assert_true(node_has_said_gone(r->node));
    is_silent(r, 10000);
}

static void last_word_waits_for_the_beat_under_way_only(void **state)
{
    struct recorder *r = *state;
    settles(r);
    node_shutdown(r->node, r->now);
    beats(r, 100); /* that its client is gone */
    node_say_gone(r->node);
    is_silent(r, 100);
    answers(r, 200, UNCHANGED);
    beats(r, 100);
    assert_true(beat_has(r, "\"gone\":true"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, beats_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(first_beat_is_full_and_says_who_we_are),
        TEST(configured_worlds_hear_of_a_node_without_shards),
        TEST(only_what_changed_is_told),
        TEST(changes_within_50_ms_are_one_beat),
        TEST(change_that_came_to_nothing_is_not_told),
        TEST(one_beat_is_under_way_at_a_time),
        TEST(what_was_not_confirmed_is_told_again),
        TEST(full_beat_that_failed_is_full_again),
        TEST(world_says_how_often_it_wants_beats),
        TEST(another_world_epoch_brings_a_full_beat),
        TEST(lower_world_epoch_is_ignored),
        TEST(node_whose_id_another_has_stops),
        TEST(node_whose_id_another_had_goes_on_with_a_later_epoch),
        TEST(beat_that_came_twice_is_no_conflict),
        TEST(world_without_beats_gets_reports_and_is_tried_again),
        TEST(reports_go_on_while_a_world_is_tried_again),
        TEST(reference_protocol_never_beats),
        TEST(ordered_shards_exist_without_clients),
        TEST(drop_keeps_the_guests_until_they_leave),
        TEST(full_orders_drop_what_they_do_not_name),
        TEST(shards_that_nobody_ordered_end_when_they_are_idle),
        TEST(link_goes_where_the_world_says),
        TEST(link_moves_to_another_server),
        TEST(hold_closes_the_link_and_messages_wait),
        TEST(held_shard_is_not_dialled_for_newcomers),
        TEST(dial_is_given_up_for_a_hold),
        TEST(shutdown_says_that_the_node_ends),
        TEST(last_word_waits_for_the_beat_under_way_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
