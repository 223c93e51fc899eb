/* Who is missing of a node that is lost, and who is not. */
#include "tests/unit/world/core/fleet.h"
#include "world/core/rooms/shards.h"

enum { TTL_MS = 15000 };

/* A partial (or full) beat about one shard, with JSON arrays of those who left and who came. */
static void names(struct recorder *r, const char *id, const struct shard *s, const char *left,
                  const char *joined, bool full)
{
    struct beat_shard told = {
        .shard_id = s->id,
        .open = 5,
        .admitted = 5,
        .left = span_str(left),
        .joined = span_str(joined),
    };

    assert_int_equal(fleet_beat(r, &(struct said){.id = id, .partial = !full}, &told, 1), 200);
    crowd_check(s->room);
}

/* The beat of a node is answered with these as missing: "id,id" of each shard, with a bar behind
 * each. */
static void assert_missing(struct recorder *r, const char *id, const char *want)
{
    struct buf got = {0};
    struct orders o;
    json_t *doc;
    const json_t *sessions;
    struct span shard, session;

    fleet_still(r, id);
    assert_int_equal(orders_read(&o, &doc, span_str(recorder_last(r)->body)), ERR_OK);
    for (size_t at = 0; orders_next_missing(doc, &at, &shard, &sessions);) {
        const struct shard *s = world_shard(fleet_world(r), shard);
        assert_true(s != NULL && s->owner == fleet_node(r, id));
        for (size_t i = 0; orders_next_session(sessions, &i, &session);)
            buf_addf(&got, "%.*s,", SPAN_ARG(session));
        got.data[got.len - 1] = '|';
    }
    buf_add_char(&got, '\0');
    assert_string_equal(got.data, want);
    buf_clear(&got);
    json_decref(doc);
}

/* A node "a" that has the shards of a room (of which the first is answered), and an idle "b". */
static struct shard *pair(struct recorder *r, unsigned shards)
{
    struct room *room;

    fleet_join(r, "a");
    room = recorder_room(r, "r", shards, NULL);
    fleet_join(r, "b");
    return recorder_shard(room, 0);
}

/* It is silent until all has happened that silence brings. */
static void dies(struct recorder *r)
{
    fleet_pass(r, FLEET_DEAD_MS + CROWD_RETURN_MS, "b");
}

static void who_does_not_come_back_is_named_to_the_new_owner(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r, 1);

    (void)state;
    names(r, "a", s, "", "[\"ann\",\"bob\",\"cat\"]", false);
    names(r, "a", s, "[\"bob\"]", "", false);
    fleet_pass(r, FLEET_DEAD_MS, "b");
    assert_true(fleet_has(s, "b"));
    fleet_pass(r, CROWD_RETURN_MS - 500, "b");
    assert_missing(r, "b", "");
    fleet_pass(r, 750, "b");
    assert_missing(r, "b", "ann,cat|");
    assert_missing(r, "b", "ann,cat|"); /* until it says that it has heard */
    names(r, "b", s, "[\"cat\"]", "[\"ann\"]", false);
    assert_missing(r, "b", "");
    assert_true(list_empty(&r->core.registry.lost_crowds));
    recorder_free(r);
}

static void who_came_back_is_not_missing(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r, 2), *other = recorder_shard(s->room, 1);

    (void)state;
    names(r, "a", s, "", "[\"ann\",\"bob\",\"cat\",\"dan\"]", false);
    shard_set_owner(&r->core.registry, other, fleet_node(r, "b"), r->now);
    names(r, "b", other, "", "[\"dan\"]", false); /* is there, too */
    fleet_pass(r, FLEET_DEAD_MS, "b");
    names(r, "b", s, "", "[\"ann\"]", false);
    names(r, "b", other, "", "[\"bob\"]", false); /* another shard, the same room */
    names(r, "b", s, "[\"ann\"]", "", false);     /* and left in order */
    fleet_pass(r, CROWD_RETURN_MS, "b");
    assert_missing(r, "b", "cat|");
    recorder_free(r);
}

/* The node was cut off when ann left it, and tells of it after she came to another and was lost. */
static void old_news_of_a_leaving_ends_no_loss(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r, 1);

    (void)state;
    names(r, "b", s, "", "[\"ann\"]", false);
    names(r, "a", s, "", "[\"ann\"]", false);
    fleet_pass(r, FLEET_DEAD_MS, "b");
    names(r, "b", s, "[\"ann\"]", "", false);
    fleet_pass(r, CROWD_RETURN_MS, "b");
    assert_missing(r, "b", "ann|");
    names(r, "b", s, "[\"ann\"]", "", false); /* the room has heard it */
    assert_missing(r, "b", "");
    recorder_free(r);
}

static void node_that_is_heard_again_misses_nobody(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r, 1);

    (void)state;
    names(r, "a", s, "", "[\"ann\"]", false);
    dies(r);
    assert_missing(r, "b", "ann|");
    fleet_still(r, "a");
    assert_missing(r, "b", "");
    fleet_pass(r, 60000, "a"); /* b dies now, and has nobody */
    assert_missing(r, "a", "");
    fleet_pass(r, 60000, "b");
    fleet_pass(r, NODES_BEAT_MS, "b");
    assert_missing(r, "b", "ann|"); /* still known */
    recorder_free(r);
}

static bool is_to_renew(struct recorder *r, const char *id, bool full)
{
    struct orders o;
    json_t *doc;

    assert_int_equal(fleet_beat(r, &(struct said){.id = id, .partial = !full}, NULL, 0), 200);
    assert_int_equal(orders_read(&o, &doc, span_str(recorder_last(r)->body)), ERR_OK);
    json_decref(doc);
    return o.renew;
}

static void node_that_was_missed_renews_what_it_told(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r, 1);

    (void)state;
    names(r, "a", s, "", "[\"ann\"]", false);
    fleet_pass(r, FLEET_DEAD_MS + CROWD_RETURN_MS - 500, "b");
    assert_false(is_to_renew(r, "a", false)); /* in time */
    dies(r);
    assert_true(is_to_renew(r, "a", true)); /* it did not know yet */
    assert_true(is_to_renew(r, "a", false));
    assert_false(is_to_renew(r, "a", true));
    assert_false(is_to_renew(r, "a", false));
    assert_false(is_to_renew(r, "b", false));
    recorder_free(r);
}

static void restarted_node_is_told_whom_it_had(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s;
    struct said anew = {.id = "a", .epoch = 200, .stranger = true};

    (void)state;
    fleet_join(r, "a");
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    names(r, "a", s, "", "[\"ann\",\"bob\"]", false);
    assert_int_equal(fleet_beat(r, &anew, NULL, 0), 200);
    crowd_check(s->room);
    for (int i = 0; i < CROWD_RETURN_MS / 250 + 1; i++) {
        struct said still = {.id = "a", .epoch = 200, .partial = true};
        recorder_pass(r, 250);
        core_tick(&r->core, r->now);
        assert_int_equal(fleet_beat(r, &still, NULL, 0), 200);
    }
    assert_non_null(strstr(recorder_last(r)->body, "\"sessions\":[\"ann\",\"bob\"]"));
    recorder_free(r);
}

static void node_that_ends_in_order_leaves_nobody_behind(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r, 1);

    (void)state;
    names(r, "a", s, "", "[\"ann\"]", false);
    assert_int_equal(fleet_beat(r, &(struct said){.id = "a", .gone = true}, NULL, 0), 200);
    assert_int_equal(r->core.registry.session_count, 0);
    fleet_pass(r, CROWD_RETURN_MS, "b");
    assert_missing(r, "b", "");
    recorder_free(r);
}

static void full_beat_tells_anew_who_is_there(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r, 2);

    (void)state;
    names(r, "a", s, "", "[\"ann\",\"bob\"]", false);
    names(r, "a", recorder_shard(s->room, 1), "", "[\"cat\"]", false);
    names(r, "a", s, "", "[\"bob\",\"bob\"]", true);
    assert_int_equal(r->core.registry.session_count, 1);
    recorder_free(r);
}

static void shard_that_goes_leaves_its_missing_to_another_of_the_room(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r, 2);

    (void)state;
    names(r, "a", s, "", "[\"ann\"]", false);
    fleet_pass(r, FLEET_DEAD_MS, "b");
    registry_remove_shard(&r->core.registry, s);
    fleet_pass(r, CROWD_RETURN_MS, "b");
    assert_missing(r, "b", "ann|");
    recorder_free(r);
}

static void shard_that_goes_while_there_is_no_node_leaves_its_missing_too(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r, 2), *other = recorder_shard(s->room, 1);

    (void)state;
    names(r, "a", s, "", "[\"ann\"]", false);
    fleet_pass(r, FLEET_DEAD_MS, "b");
    shard_set_owner(&r->core.registry, s, NULL, r->now);
    shard_set_owner(&r->core.registry, other, NULL, r->now);
    registry_remove_shard(&r->core.registry, s);
    shard_set_owner(&r->core.registry, other, fleet_node(r, "b"), r->now);
    fleet_pass(r, CROWD_RETURN_MS, "b");
    assert_missing(r, "b", "ann|");
    recorder_free(r);
}

static void missing_of_the_last_shard_are_forgotten(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r, 1);

    (void)state;
    names(r, "a", s, "", "[\"ann\"]", false);
    fleet_pass(r, FLEET_DEAD_MS, "b");
    registry_remove_shard(&r->core.registry, s);
    assert_int_equal(r->core.registry.session_count, 0);
    recorder_free(r);
}

static void node_that_does_not_follow_is_not_told_for_ever(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r, 1);

    (void)state;
    names(r, "a", s, "", "[\"ann\"]", false);
    dies(r);
    fleet_pass(r, CROWD_NAMED_MS - 1000, "b");
    assert_missing(r, "b", "ann|");
    fleet_pass(r, 1500, "b");
    assert_missing(r, "b", "");
    assert_int_equal(r->core.registry.session_count, 0);
    recorder_free(r);
}

static void next_owner_is_told_what_the_last_one_was(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r, 1);

    (void)state;
    names(r, "a", s, "", "[\"ann\",\"bob\"]", false);
    dies(r);
    assert_missing(r, "b", "ann,bob|");
    names(r, "b", s, "", "[\"bob\"]", false); /* has it as a ghost, and dies, too */
    fleet_join(r, "c");
    shard_set_owner(&r->core.registry, s, fleet_node(r, "c"), r->now);
    assert_missing(r, "c", "ann|");
    names(r, "c", s, "[\"ann\"]", "", false);
    fleet_pass(r, FLEET_DEAD_MS + CROWD_RETURN_MS, "c");
    assert_missing(r, "c", "bob|");
    recorder_free(r);
}

static void those_of_nodes_that_fell_silent_together_wait_longer(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s;

    (void)state;
    fleet_join(r, "a");
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    names(r, "a", s, "", "[\"ann\"]", false);
    fleet_join(r, "x");
    fleet_join(r, "b");
    dies(r); /* a and x, which is most of them */
    assert_true(fleet_node(r, "a")->held);
    shard_set_owner(&r->core.registry, s, fleet_node(r, "b"), r->now);
    fleet_pass(r, NODES_FORGET_MS - FLEET_DEAD_MS - CROWD_RETURN_MS - 1000, "b");
    assert_missing(r, "b", "");
    fleet_pass(r, 1500, "b");
    assert_missing(r, "b", "ann|");
    recorder_free(r);
}

static void who_cannot_be_reached_is_waited_for_until_he_is_dead(void **state)
{
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r, 1);

    (void)state;
    r->core.registry.beat_ms = 6000;
    names(r, "a", s, "", "[\"ann\"]", false);
    (void)shard_move(&r->core.registry, s, fleet_node(r, "b"), MOVE_UNREACHABLE, r->now);
    fleet_pass(r, CROWD_RETURN_MS + 1000, "b");
    assert_missing(r, "b", "");
    fleet_pass(r, 30000, "b");
    assert_int_equal(fleet_node(r, "a")->state, NODE_DEAD);
    assert_missing(r, "b", "ann|");
    recorder_free(r);
}

static void answer_names_no_more_than_its_bound(void **state)
{
    enum { MANY = CROWD_ORDERS_MAX + 10 };
    struct recorder *r = fleet_new(TTL_MS);
    struct shard *s = pair(r, 1);
    struct buf ids = {0}, first = {0};

    (void)state;
    for (int i = 0; i < MANY; i++)
        buf_addf(i < CROWD_ORDERS_MAX ? &first : &ids, "%c\"%d\"",
                 i % CROWD_ORDERS_MAX == 0 ? '[' : ',', i);
    BUF_ADD_LIT(&first, "]");
    BUF_ADD_LIT(&ids, "]");
    buf_add_char(&first, '\0');
    buf_add_char(&ids, '\0');
    names(r, "a", s, "", first.data, false);
    names(r, "a", s, "", ids.data, false);
    assert_int_equal(r->core.registry.session_count, MANY);
    dies(r);
    fleet_still(r, "b");
    assert_null(strstr(recorder_last(r)->body, "\"20000\""));
    names(r, "b", s, first.data, "", false);
    assert_missing(r, "b", "20000,20001,20002,20003,20004,20005,20006,20007,20008,20009|");
    buf_clear(&first);
    buf_clear(&ids);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_does_not_come_back_is_named_to_the_new_owner),
        cmocka_unit_test(who_came_back_is_not_missing),
        cmocka_unit_test(old_news_of_a_leaving_ends_no_loss),
        cmocka_unit_test(node_that_is_heard_again_misses_nobody),
        cmocka_unit_test(node_that_was_missed_renews_what_it_told),
        cmocka_unit_test(restarted_node_is_told_whom_it_had),
        cmocka_unit_test(node_that_ends_in_order_leaves_nobody_behind),
        cmocka_unit_test(full_beat_tells_anew_who_is_there),
        cmocka_unit_test(shard_that_goes_leaves_its_missing_to_another_of_the_room),
        cmocka_unit_test(shard_that_goes_while_there_is_no_node_leaves_its_missing_too),
        cmocka_unit_test(missing_of_the_last_shard_are_forgotten),
        cmocka_unit_test(node_that_does_not_follow_is_not_told_for_ever),
        cmocka_unit_test(next_owner_is_told_what_the_last_one_was),
        cmocka_unit_test(those_of_nodes_that_fell_silent_together_wait_longer),
        cmocka_unit_test(who_cannot_be_reached_is_waited_for_until_he_is_dead),
        cmocka_unit_test(answer_names_no_more_than_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
