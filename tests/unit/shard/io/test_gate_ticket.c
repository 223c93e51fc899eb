/* Who may come in by a ticket, and who into a room that is not public. */
#include "tests/unit/shard/core/recorder.h"

#include "shard/core/shard.h"
#include "shard/core/world.h"
#include "shard/io/gate.h"
#include "tests/unit/common/proto/signed_token.h"

#define NOW   INT64_C(1700000000000)
#define SHARD "lobby:world-a:1700000000000-1"
#define OTHER "lobby:world-a:1700000000000-2"
#define HALL  "hall:world-a:1700000000000-3"

static const struct secrets secrets = {SPAN_INIT("secret")};
static const struct ticket sample = {
    .world = SPAN_INIT("world-a"),
    .shard = SPAN_INIT(SHARD),
    .room = SPAN_INIT("lobby"),
    .session = SPAN_INIT(" ann "),
    .epoch = 5,
    .expires_ms = NOW + 15000,
};

static struct {
    struct recorder r;
    struct token_keys *keys;
    struct routes *routes;
    struct gate gate;
    struct shown shown;
    struct buf head, scratch;
} g;

static int set_up(void **state)
{
    (void)state;
    recorder_init(&g.r);
    g.r.settings.protocol = NODE_PROTOCOL_AUTO;
    recorder_start(&g.r);
    world_reach(g.r.node, SPAN("world-a"), g.r.now)->epoch = 5;
    assert_int_equal(token_keys_new(&g.keys, TOKEN_HS256, SPAN("key")), ERR_OK);
    assert_int_equal(routes_parse(&g.routes, SPAN(""), &g.scratch), ERR_OK);
    g.gate = (struct gate){.keys = g.keys,
                           .fallback = ROUTE_AUTH_TICKET,
                           .world_id = "world-default",
                           .secrets = &secrets,
                           .node = g.r.node};
    spent_init(&g.gate.spent, 2, g.r.now);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gate_clear(&g.gate);
    shown_clear(&g.shown);
    token_keys_free(g.keys);
    routes_free(g.routes);
    node_free(g.r.node);
    buf_clear(&g.r.lines);
    buf_clear(&g.head);
    buf_clear(&g.scratch);
    return 0;
}

/* What orders say of a shard. */
static void order(const char *shard_id, const char *room, bool is_private)
{
    const struct order o = {.shard_id = span_str(shard_id),
                            .room_id = span_str(room),
                            .max_connections = 10,
                            .is_private = is_private};
    world_follow(world_reach(g.r.node, SPAN("world-a"), g.r.now), &o, NULL, g.r.now);
}

/* Judges an upgrade at `shard_id`, for which the client named `dialled`, with this in its query. */
static enum gate_verdict judge(const char *shard_id, const char *dialled, struct span session,
                               struct span query, int64_t wall_ms)
{
    struct http_head head;
    buf_reset(&g.head);
    buf_reset(&g.scratch);
    buf_addf(&g.head, "GET /parties/shard/%s?%.*s HTTP/1.1\r\nHost: h\r\n\r\n", shard_id,
             SPAN_ARG(query));
    assert_int_equal(http_head_parse_request(&head, g.head.data, g.head.len), ERR_OK);
    struct route r = route_of(g.routes, head.target, &g.scratch);
    enum gate_verdict verdict = gate_judge(&g.gate, &head, &r, true, session, wall_ms, &g.shown);
    if (verdict != GATE_OPEN)
        return verdict;
    return gate_judge_ticket(&g.gate, &head, &r, true, span_str(dialled), session, wall_ms,
                             &g.shown);
}

static enum gate_verdict judge_ticket(const struct ticket *t, const char *shard_id,
                                      const char *dialled, const char *session, int64_t wall_ms)
{
    struct buf query = {0};
    BUF_ADD_LIT(&query, "ticket=");
    ticket_add(&query, &secrets, t);
    enum gate_verdict verdict =
        judge(shard_id, dialled, span_str(session), buf_span(&query), wall_ms);
    buf_clear(&query);
    return verdict;
}

static enum gate_verdict enter(const char *shard_id, bool is_socket)
{
    return gate_enter(&g.gate, span_str(shard_id), &g.shown, is_socket, g.r.now);
}

static void a_ticket_is_for_its_shard_session_world_and_time(void **state)
{
    static const struct {
        const char *shard_id, *dialled, *session;
        int64_t late_ms;
        enum gate_verdict want;
    } rows[] = {
        {SHARD, SHARD, "", 0, GATE_OPEN},
        {SHARD, SHARD, "ann", 0, GATE_OPEN},
        {SHARD, SHARD, "Ann", 0, GATE_WRONG_TICKET},
        {OTHER, OTHER, "", 0, GATE_WRONG_TICKET},
        {OTHER, SHARD, "", 0, GATE_OPEN}, /* found for it by another process */
        {SHARD, OTHER, "", 0, GATE_WRONG_TICKET},
        {SHARD, SHARD, "", 15000 + TICKET_LEEWAY_MS, GATE_OPEN},
        {SHARD, SHARD, "", 15001 + TICKET_LEEWAY_MS, GATE_OLD_TICKET},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum gate_verdict got = judge_ticket(&sample, rows[i].shard_id, rows[i].dialled,
                                             rows[i].session, NOW + rows[i].late_ms);
        if (got != rows[i].want)
            fail_msg("row %zu: %d", i, (int)got);
        if (got == GATE_OPEN)
            assert_true(span_eq(buf_span(&g.shown.session), SPAN("ann")));
    }
    struct ticket t = sample;
    t.world = SPAN("world-b");
    assert_int_equal(judge_ticket(&t, SHARD, SHARD, "", NOW), GATE_WRONG_TICKET);
}

static void an_epoch_that_is_over_does_not_count(void **state)
{
    struct ticket t = sample;
    (void)state;
    t.epoch = 4;
    assert_int_equal(judge_ticket(&t, SHARD, SHARD, "", NOW), GATE_PAST_TICKET);
    t.epoch = 6; /* its world has told the client first */
    assert_int_equal(judge_ticket(&t, SHARD, SHARD, "", NOW), GATE_OPEN);
    assert_int_equal(judge_ticket(&sample, SHARD, SHARD, "", NOW), GATE_OPEN);
    order(SHARD, "lobby", false);
    world_reach(g.r.node, SPAN("world-a"), g.r.now)->epoch = 6; /* while it was held */
    assert_int_equal(enter(SHARD, true), GATE_PAST_TICKET);
}

static void a_ticket_is_used_when_its_client_is_in(void **state)
{
    (void)state;
    order(SHARD, "lobby", false);
    for (int i = 0; i < 2; i++) { /* no seat, the first time */
        assert_int_equal(judge_ticket(&sample, SHARD, SHARD, "", NOW), GATE_OPEN);
        assert_int_equal(enter(SHARD, true), GATE_OPEN);
    }
    gate_entered(&g.gate, &g.shown, NOW, g.r.now);
    assert_int_equal(enter(SHARD, true), GATE_SPENT);
    assert_int_equal(enter(SHARD, false), GATE_OPEN); /* a request uses none, and needs none new */
    g.r.now += 15000 + TICKET_LEEWAY_MS;              /* so long it can be shown */
    assert_int_equal(enter(SHARD, true), GATE_SPENT);
}

static void when_no_more_are_remembered_nobody_comes_in(void **state)
{
    struct ticket t = sample;
    (void)state;
    order(SHARD, "lobby", false);
    for (uint8_t i = 0; i < 3; i++) {
        t.nonce[0] = i;
        assert_int_equal(judge_ticket(&t, SHARD, SHARD, "", NOW), GATE_OPEN);
        assert_int_equal(enter(SHARD, true), i < 2 ? GATE_OPEN : GATE_BUSY);
        if (i < 2)
            gate_entered(&g.gate, &g.shown, NOW, g.r.now);
    }
    g.r.now += 200000;
    assert_int_equal(enter(SHARD, true), GATE_OPEN);
}

static void a_substitute_is_of_the_same_room(void **state)
{
    (void)state;
    order(OTHER, "lobby", false);
    order(HALL, "hall", false);
    assert_int_equal(judge_ticket(&sample, SHARD, SHARD, "", NOW), GATE_OPEN);
    assert_int_equal(enter(OTHER, true), GATE_OPEN);
    assert_int_equal(enter(HALL, true), GATE_WRONG_TICKET);
    assert_int_equal(enter("lobby:world-b:1700000000000-2", true), GATE_WRONG_TICKET);
}

static void without_one_it_depends_on_the_rule(void **state)
{
    static const struct {
        enum route_auth fallback;
        bool require;
        const char *query;
        enum gate_verdict want;
    } rows[] = {
        {ROUTE_AUTH_TICKET, false, "", GATE_NO_TICKET},
        {ROUTE_AUTH_NONE, true, "", GATE_NO_TICKET},
        {ROUTE_AUTH_MESSAGE, true, "", GATE_NO_TICKET},
        {ROUTE_AUTH_NONE, true, "ticket=own", GATE_BAD_TICKET},
        {ROUTE_AUTH_NONE, true, "ticket=t1.a.b&ticket=t1.a.b", GATE_BAD_TICKET},
        {ROUTE_AUTH_NONE, false, "", GATE_OPEN},
        {ROUTE_AUTH_NONE, false, "ticket=own", GATE_OPEN},
        {ROUTE_AUTH_NONE, false, "ticket=own&ticket=own", GATE_OPEN},
        {ROUTE_AUTH_NONE, false, "ticket=t1.a.b", GATE_BAD_TICKET},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        g.gate.fallback = rows[i].fallback;
        g.gate.require_ticket = rows[i].require;
        enum gate_verdict got = judge(SHARD, SHARD, (struct span){0}, span_str(rows[i].query), NOW);
        if (got != rows[i].want)
            fail_msg("row %zu: %d", i, (int)got);
        if (got == GATE_OPEN)
            assert_false(g.shown.ours);
    }
}

static void a_private_room_is_for_those_whom_something_covers(void **state)
{
    static const struct {
        const char *claims; /* NULL: no token */
        const char *key;
        enum gate_verdict want;
    } rows[] = {
        {NULL, NULL, GATE_PRIVATE},
        {"{\"rooms\":[\"lobby\"]}", "key", GATE_OPEN},
        {"{\"rooms\":[\"*\"],\"worlds\":[\"world-a\"]}", "key", GATE_OPEN},
        {"{\"rooms\":[\"*\"],\"worlds\":[\"world-b\"]}", "key", GATE_NOT_HERE},
        {"{\"rooms\":[\"hall\"]}", "key", GATE_NOT_HERE},
        {"{}", "key", GATE_NOT_HERE},
        {"{\"rooms\":[\"lobby\"]}", "other", GATE_PRIVATE},
        {"{\"rooms\":[\"lobby\"],\"exp\":1}", "key", GATE_PRIVATE},
    };
    (void)state;
    g.gate.fallback = ROUTE_AUTH_NONE;
    g.gate.private_rooms = true;
    order(SHARD, "lobby", true);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf query = {0};
        if (rows[i].claims != NULL) {
            struct buf token =
                make_token(SPAN("{\"alg\":\"HS256\"}"), span_str(rows[i].claims), rows[i].key, 256);
            buf_addf(&query, "token=%.*s", SPAN_ARG(buf_span(&token)));
            buf_clear(&token);
        }
        assert_int_equal(judge(SHARD, SHARD, (struct span){0}, buf_span(&query), NOW), GATE_OPEN);
        enum gate_verdict got = enter(SHARD, true);
        if (got != rows[i].want)
            fail_msg("row %zu: %d", i, (int)got);
        assert_int_equal(enter(SHARD, false), rows[i].want);
        buf_clear(&query);
    }
    assert_int_equal(judge_ticket(&sample, SHARD, SHARD, "", NOW), GATE_OPEN);
    assert_int_equal(enter(SHARD, true), GATE_OPEN);
}

static void what_is_not_said_to_be_public_is_not(void **state)
{
    (void)state;
    g.gate.fallback = ROUTE_AUTH_NONE;
    g.gate.private_rooms = true;
    assert_int_equal(judge(SHARD, SHARD, (struct span){0}, (struct span){0}, NOW), GATE_OPEN);
    assert_int_equal(enter(SHARD, true), GATE_PRIVATE);
    assert_int_equal(enter("", true), GATE_OPEN); /* a rule without a shard */
    order(SHARD, "lobby", false);
    assert_int_equal(enter(SHARD, true), GATE_OPEN);
    order(SHARD, "lobby", true);
    assert_int_equal(enter(SHARD, true), GATE_PRIVATE);
    g.shown.greets = true; /* it is asked when it has said who it is */
    assert_int_equal(enter(SHARD, true), GATE_OPEN);
    g.shown.greets = false;
    g.gate.private_rooms = false;
    assert_int_equal(enter(SHARD, true), GATE_OPEN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_ticket_is_for_its_shard_session_world_and_time),
        TEST(an_epoch_that_is_over_does_not_count),
        TEST(a_ticket_is_used_when_its_client_is_in),
        TEST(when_no_more_are_remembered_nobody_comes_in),
        TEST(a_substitute_is_of_the_same_room),
        TEST(without_one_it_depends_on_the_rule),
        TEST(a_private_room_is_for_those_whom_something_covers),
        TEST(what_is_not_said_to_be_public_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
