/* Bans: whom they close, whom they refuse, and until when. */
#include "common/base/json.h"
#include "common/proto/orders.h"
#include "shard/core/bans.h"
#include "shard/core/node_state.h"
#include "shard/core/shard.h"
#include "tests/unit/shard/core/recorder.h"

/* `list` as an order of a world has it. */
static void orders_bans(struct recorder *r, const char *list)
{
    struct shard *shard;
    json_t *doc = json_decode(span_str(list));
    assert_non_null(doc);
    assert_int_equal(shard_reach(r->node, SPAN(RECORDER_SHARD), r->now, &shard), ERR_OK);
    bans_set(shard, doc, r->now);
    json_decref(doc);
}

static enum err comes(struct recorder *r, const char *session, enum node_reason *why)
{
    struct handle h;
    enum err e = node_client_open(r->node, SPAN(RECORDER_SHARD), span_str(session), SPAN("{}"),
                                  r->now, &h, why);
    return e;
}

static void is_refused(struct recorder *r, const char *session)
{
    enum node_reason why;
    assert_int_equal(comes(r, session, &why), ERR_DENIED);
    assert_int_equal(why, NODE_REFUSED_BANNED);
}

static void ban_closes_the_sockets_of_its_session_and_refuses_it(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    opens(r, "a2", "ann");
    opens(r, "b", "bob");
    link_comes_up(r);
    forget(r);
    orders_bans(r, "[{\"session\":\"ann\",\"ttlMs\":60000}]");
    expect(r, "close a 1008 kicked\n" LEAVE("L1", "ann") "close a2 1008 kicked\n");
    is_refused(r, "ann");
    assert_int_equal(node_stats(r->node)->reasons[NODE_REFUSED_BANNED], 1);
    assert_int_equal(node_stats(r->node)->reasons[NODE_KICKED], 2);
}

static void ban_ends_with_its_time(void **state)
{
    struct recorder *r = *state;
    orders_bans(r, "[{\"session\":\"ann\",\"ttlMs\":1000},{\"session\":\"bob\",\"ttlMs\":5000}]");
    passes(r, 900);
    is_refused(r, "ann");
    passes(r, 200);
    opens(r, "a", "ann");
    is_refused(r, "bob");
    passes(r, 4000);
    opens(r, "b", "bob");
    forget(r);
}

static void list_replaces_what_was_ordered_before(void **state)
{
    struct recorder *r = *state;
    orders_bans(r, "[{\"session\":\"ann\",\"ttlMs\":60000}]");
    orders_bans(r, "[{\"session\":\"bob\",\"ttlMs\":60000},{\"session\":\"bob\",\"ttlMs\":1}]");
    opens(r, "a", "ann");
    passes(r, 100);
    is_refused(r, "bob");
    orders_bans(r, "[]");
    opens(r, "b", "bob");
    forget(r);
}

static void banned_session_loses_its_kept_seat(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    struct shard *shard = map_get(&r->node->shard_map, SPAN(RECORDER_SHARD));
    r->settings.enforce_seats = true;
    shard->seating.bounded = true;
    shard->seating.max = 1;
    node_client_closed(r->node, a, NODE_PEER_GONE, r->now);
    orders_bans(r, "[{\"session\":\"ann\",\"ttlMs\":60000}]");
    opens(r, "b", "bob");
    forget(r);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, recorder_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        CASE(ban_closes_the_sockets_of_its_session_and_refuses_it),
        CASE(ban_ends_with_its_time),
        CASE(list_replaces_what_was_ordered_before),
        CASE(banned_session_loses_its_kept_seat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
