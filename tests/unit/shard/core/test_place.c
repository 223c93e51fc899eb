/* Where arrivals are served: the rules as a table, and what answers of worlds change. */
#include "shard/core/place.h"

#include "recorder.h"
#include "shard/core/node_state.h"
#include "shard/core/shard.h"
#include "shard/core/world.h"

#define SHARD "room:world-a:1700000000000-7"
#define OTHER "room:world-a:1700000000000-8"

enum have { NONE, GUEST, OWNED, FULL, DRAINING, ADOPTED, ADOPTED_FULL };
enum { SOCKET, HTTP };
enum { HOPPED = 1, CACHED = 2, CLOSING = 4, REFUSE = 8, AT_HOME = 16, TRIED = 32, LATE = 64 };

static struct recorder r;

static struct world *world_a(void)
{
    return world_reach(r.node, SPAN("world-a"), r.now);
}

static void start(enum world_mode mode)
{
    recorder_init(&r);
    r.settings.protocol = NODE_PROTOCOL_AUTO;
    r.settings.id = "us";
    r.settings.adopt = true;
    r.settings.enforce_seats = true;
    recorder_start(&r);
    world_a()->mode = mode;
    world_a()->epoch = 5;
}

static void stop(void)
{
    node_free(r.node);
    buf_clear(&r.lines);
}

static void have_shard(enum have have)
{
    struct shard *shard;
    if (have == NONE)
        return;
    assert_int_equal(shard_reach(r.node, SPAN(SHARD), r.now, &shard), ERR_OK);
    shard->owned = have == OWNED || have == FULL || have == DRAINING;
    shard->adopted = have == ADOPTED || have == ADOPTED_FULL;
    shard->status = have == DRAINING ? ORDER_DRAINING : ORDER_ACTIVE;
    shard->seating.bounded = true;
    shard->seating.max = have == FULL || have == ADOPTED_FULL ? 1 : 10;
}

static void join(const char *session)
{
    struct handle client;
    enum node_reason why;
    assert_int_equal(
        node_client_open(r.node, SPAN(SHARD), span_str(session), SPAN("{}"), r.now, &client, &why),
        ERR_OK);
}

static const char *words(const struct place *p)
{
    static char text[128];
    switch (p->kind) {
    case PLACE_HERE:
        return "here";
    case PLACE_THERE:
        (void)snprintf(text, sizeof text, "there %.*s %.*s", SPAN_ARG(p->node), SPAN_ARG(p->url));
        return text;
    case PLACE_WAIT:
        return "wait";
    case PLACE_ASK:
        assert_true(span_eq(p->world, SPAN("world-a")));
        (void)snprintf(text, sizeof text, "ask %s", resolve_reason_names[p->reason]);
        return text;
    case PLACE_ELSEWHERE:
        (void)snprintf(text, sizeof text, "elsewhere %s%s%.*s", resolve_reason_names[p->reason],
                       p->url.len > 0 ? " " : "", SPAN_ARG(p->url));
        return text;
    case PLACE_REFUSED:
        assert_int_not_equal(node_stats(r.node)->reasons[p->why], 0);
        return node_reason_text(p->why);
    }
    return "";
}

static const struct {
    const char *rule;
    enum have have;
    int what; /* SOCKET, HTTP */
    unsigned flags, asked;
    enum told told;
    const char *want;
} rows[] = {
    /* ours */
    {"our shard", OWNED, SOCKET, 0, 0, TOLD_NOTHING, "here"},
    {"our shard, hopped", OWNED, SOCKET, HOPPED, 0, TOLD_NOTHING, "here"},
    {"our shard, whatever we remember", OWNED, SOCKET, CACHED, 0, TOLD_NOTHING, "here"},
    {"our full shard", FULL, SOCKET, 0, 0, TOLD_NOTHING, "ask full"},
    {"our full shard, a request", FULL, HTTP, 0, 0, TOLD_NOTHING, "here"},
    {"our full shard, a session of it", FULL, SOCKET, AT_HOME, 0, TOLD_NOTHING, "here"},
    {"our full shard, hopped", FULL, SOCKET, HOPPED, 0, TOLD_NOTHING, "elsewhere full"},
    {"our full shard, all are full", FULL, SOCKET, 0, 1, TOLD_FULL, "refused_no_seat"},
    {"our full shard, no world", FULL, SOCKET, 0, 1, TOLD_NOBODY, "refused_no_seat"},
    {"our full shard, still", FULL, SOCKET, 0, 1, TOLD_OWNER, "ask full"},
    {"our full shard, again and again", FULL, SOCKET, 0, 3, TOLD_OWNER, "refused_no_seat"},
    {"our full shard, for long", FULL, SOCKET, LATE, 1, TOLD_OWNER, "refused_no_seat"},
    {"our draining shard", DRAINING, SOCKET, 0, 0, TOLD_NOTHING, "ask draining"},
    {"our draining shard, a request", DRAINING, HTTP, 0, 0, TOLD_NOTHING, "here"},
    {"our draining shard, a session of it", DRAINING, SOCKET, AT_HOME, 0, TOLD_NOTHING, "here"},
    {"our draining shard, hopped", DRAINING, SOCKET, HOPPED, 0, TOLD_NOTHING, "elsewhere draining"},
    {"we end", OWNED, SOCKET, CLOSING, 0, TOLD_NOTHING, "ask draining"},
    {"we end, and nobody takes it", OWNED, SOCKET, CLOSING, 1, TOLD_FULL, "refused_no_seat"},
    /* adopted */
    {"adopted", ADOPTED, SOCKET, 0, 0, TOLD_NOTHING, "here"},
    {"adopted and full", ADOPTED_FULL, SOCKET, 0, 0, TOLD_NOTHING, "refused_no_seat"},
    {"adopted and full, a request", ADOPTED_FULL, HTTP, 0, 0, TOLD_NOTHING, "here"},
    {"adopted, and we end", ADOPTED, SOCKET, CLOSING, 0, TOLD_NOTHING, "refused_full"},
    /* not ours */
    {"unknown", NONE, SOCKET, 0, 0, TOLD_NOTHING, "ask unknown"},
    {"unknown, a request", NONE, HTTP, 0, 0, TOLD_NOTHING, "ask unknown"},
    {"not ours any more", GUEST, SOCKET, 0, 0, TOLD_NOTHING, "ask unknown"},
    {"not ours any more, a session of it", GUEST, SOCKET, AT_HOME, 0, TOLD_NOTHING, "here"},
    {"another's", NONE, SOCKET, CACHED, 0, TOLD_NOTHING, "there b http://b"},
    {"another's, a request", GUEST, HTTP, CACHED, 0, TOLD_NOTHING, "there b http://b"},
    {"another's, hopped", NONE, SOCKET, HOPPED | CACHED, 0, TOLD_NOTHING, "ask unknown"},
    {"another's, hopped and asked", NONE, SOCKET, HOPPED | CACHED, 1, TOLD_OWNER,
     "elsewhere unknown http://b"},
    {"another's, and we end", NONE, SOCKET, CACHED | CLOSING, 0, TOLD_NOTHING, "there b http://b"},
    {"not reached", NONE, SOCKET, TRIED, 1, TOLD_OWNER, "ask unreachable"},
    {"not reached, too often", NONE, SOCKET, TRIED, 3, TOLD_OWNER, "refused_no_owner"},
    {"not reached, for long", NONE, SOCKET, TRIED | LATE, 1, TOLD_OWNER, "refused_no_owner"},
    {"hopped, and no answer helps", NONE, SOCKET, HOPPED, 3, TOLD_OWNER, "elsewhere unknown"},
    {"no world", NONE, SOCKET, 0, 1, TOLD_NOBODY, "here"},
    {"no world, hopped", NONE, SOCKET, HOPPED, 1, TOLD_NOBODY, "here"},
    {"no world, and we end", NONE, SOCKET, CLOSING, 1, TOLD_NOBODY, "refused_full"},
    {"all are full", NONE, SOCKET, 0, 1, TOLD_FULL, "refused_no_seat"},
    {"never created", NONE, SOCKET, 0, 1, TOLD_ADOPT, "here"},
    {"never created, hopped", NONE, SOCKET, HOPPED, 1, TOLD_ADOPT, "here"},
    {"never created, and we end", NONE, SOCKET, CLOSING, 1, TOLD_ADOPT, "refused_full"},
    {"never created, and no adoption", NONE, SOCKET, REFUSE, 1, TOLD_ADOPT,
     "refused_unknown_shard"},
    {"not to be served", NONE, SOCKET, 0, 1, TOLD_UNKNOWN, "refused_unknown_shard"},
};

static void place_by_row(size_t i, struct place *out)
{
    struct arrival a = {
        .shard_id = SPAN(SHARD),
        .session = rows[i].what == HTTP ? SPAN("") : SPAN("newcomer"),
        .is_socket = rows[i].what == SOCKET,
        .hopped = (rows[i].flags & HOPPED) != 0,
        .since_ms = r.now,
        .asked = rows[i].asked,
        .told = rows[i].told,
    };
    have_shard(rows[i].have);
    if (rows[i].have != NONE)
        join("first");
    if ((rows[i].flags & CACHED) != 0)
        owners_put(&r.node->owners, SPAN(SHARD), SPAN("b"), SPAN("http://b"), 5, r.now);
    if ((rows[i].flags & AT_HOME) != 0)
        a.session = SPAN("first");
    if ((rows[i].flags & TRIED) != 0) {
        a.tried = SPAN("b");
        a.tried_why = RESOLVE_UNREACHABLE;
    }
    if ((rows[i].flags & LATE) != 0)
        a.since_ms -= PLACE_HOLD_MS;
    r.settings.adopt = (rows[i].flags & REFUSE) == 0;
    r.node->closing = (rows[i].flags & CLOSING) != 0;
    node_place(r.node, &a, r.now, out);
}

static void every_rule_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct place p;
        start(WORLD_BEATS);
        place_by_row(i, &p);
        if (strcmp(words(&p), rows[i].want) != 0)
            fail_msg("%s: %s, not %s", rows[i].rule, words(&p), rows[i].want);
        stop();
    }
}

static void a_world_without_nodes_is_never_asked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct place p;
        start(WORLD_REFERENCE);
        place_by_row(i, &p);
        assert_string_equal(words(&p), "here");
        stop();
    }
}

static void bad_ids_are_for_the_door_to_refuse(void **state)
{
    struct place p;
    (void)state;
    start(WORLD_BEATS);
    struct arrival a = {.shard_id = SPAN(":world-a:1700000000000-7"), .is_socket = true};
    node_place(r.node, &a, r.now, &p);
    assert_string_equal(words(&p), "here");
    a = (struct arrival){.shard_id = SPAN(SHARD), .session = SPAN("\xff"), .is_socket = true};
    node_place(r.node, &a, r.now, &p);
    assert_string_equal(words(&p), "here");
    stop();
}

static void an_adopted_shard_is_marked_and_counted(void **state)
{
    struct place p;
    const struct arrival a = {.shard_id = SPAN(SHARD), .is_socket = true, .told = TOLD_ADOPT};
    (void)state;
    start(WORLD_BEATS);
    node_place(r.node, &a, r.now, &p);
    const struct shard *shard = map_get(&r.node->shard_map, SPAN(SHARD));
    assert_true(shard != NULL && shard->adopted && !shard->owned);
    assert_int_equal(shard->seating.max, SEATING_ADOPTED_MAX);
    assert_int_equal(node_stats(r.node)->adopted, 1);
    stop();
}

static void nothing_is_adopted_for_whom_nobody_knows(void **state)
{
    struct place p;
    struct arrival a = {
        .shard_id = SPAN(SHARD), .is_socket = true, .told = TOLD_ADOPT, .greets = true};
    (void)state;
    start(WORLD_BEATS);
    node_place(r.node, &a, r.now, &p);
    assert_string_equal(words(&p), "here");
    assert_null(map_get(&r.node->shard_map, SPAN(SHARD)));
    a.greets = false; /* it has said so */
    node_place(r.node, &a, r.now, &p);
    assert_string_equal(words(&p), "here");
    assert_non_null(map_get(&r.node->shard_map, SPAN(SHARD)));
    stop();
}

static void invented_ids_leave_room_for_what_is_ordered(void **state)
{
    struct place p;
    struct shard *shard;
    char id[64];
    int adopted = 0;
    (void)state;
    start(WORLD_BEATS);
    for (int i = 0; i < 20; i++) {
        (void)snprintf(id, sizeof id, "room:world-a:1700000000000-%d", i);
        const struct arrival a = {.shard_id = span_str(id), .told = TOLD_ADOPT};
        node_place(r.node, &a, r.now, &p);
        adopted += p.kind == PLACE_HERE ? 1 : 0;
    }
    assert_string_equal(words(&p), "refused_full");
    assert_int_equal(adopted, r.settings.max_shards / 2);
    assert_int_equal(shard_reach_in(r.node, SPAN("r:world-a:1-1"), world_a(), r.now, &shard),
                     ERR_OK);
    stop();
}

/* ---- answers */

static enum told resolved(int status, const char *body, struct span *id)
{
    const struct arrival a = {.shard_id = SPAN(SHARD), .is_socket = true, .since_ms = r.now};
    *id = (struct span){0};
    return node_resolved(r.node, &a, status, span_str(body), r.now, id);
}

static void add_answer(struct buf *out, int64_t epoch, const char *node, const char *shard)
{
    const struct resolved answer = {
        .version = 7,
        .epoch = epoch,
        .node = span_str(node),
        .url = SPAN("http://there"),
        .order = {.shard_id = span_str(shard), .room_id = SPAN("room"), .max_connections = 10},
    };
    buf_reset(out);
    resolved_add(out, &answer, NULL, 0);
    buf_add_char(out, '\0');
}

static void answers_mean_what_they_say(void **state)
{
    struct span id;
    (void)state;
    start(WORLD_BEATS);
    assert_int_equal(resolved(0, "", &id), TOLD_NOBODY);
    assert_int_equal(resolved(502, "{}", &id), TOLD_NOBODY);
    assert_int_equal(resolved(503, "{\"error\":\"full\"}", &id), TOLD_FULL);
    assert_int_equal(resolved(404, "{\"error\":\"?\",\"adopt\":true}", &id), TOLD_ADOPT);
    assert_int_equal(resolved(404, "{\"adopt\":true,\"private\":true}", &id), TOLD_ADOPT_PRIVATE);
    assert_int_equal(resolved(404, "{\"error\":\"?\"}", &id), TOLD_UNKNOWN);
    assert_int_equal(resolved(404, "Not Found", &id), TOLD_UNKNOWN);
    assert_int_equal(resolved(200, "{}", &id), TOLD_NOBODY);
    assert_int_equal(resolved(200, "<html>", &id), TOLD_NOBODY);
    stop();
}

/* One that is not the owner any more, and does not know it: it might give away what is taken. */
static void answer_of_a_lower_epoch_is_as_if_it_was_not_asked(void **state)
{
    struct span id;
    struct buf answer = {0};
    (void)state;
    start(WORLD_BEATS);
    add_answer(&answer, 4, "us", SHARD);
    assert_int_equal(resolved(200, answer.data, &id), TOLD_NOTHING);
    add_answer(&answer, 4, "them", SHARD);
    assert_int_equal(resolved(200, answer.data, &id), TOLD_NOTHING);
    assert_null(map_get(&r.node->shard_map, SPAN(SHARD)));
    assert_null(owners_get(&r.node->owners, SPAN(SHARD), 0, r.now));
    assert_int_equal(node_stats(r.node)->stale_answers, 2);
    add_answer(&answer, 6, "them", SHARD);
    assert_int_equal(resolved(200, answer.data, &id), TOLD_OWNER);
    buf_clear(&answer);
    stop();
}

static void a_404_of_a_world_that_was_never_heard_says_nothing(void **state)
{
    struct span id;
    (void)state;
    start(WORLD_UNHEARD);
    assert_int_equal(resolved(404, "Not Found", &id), TOLD_NOBODY);
    assert_int_equal(resolved(404, "{\"error\":\"?\",\"adopt\":true}", &id), TOLD_ADOPT);
    stop();
}

static void nobody_asks_a_world_before_it_has_said_what_it_is(void **state)
{
    struct place p;
    struct arrival a = {.shard_id = SPAN(OTHER), .is_socket = true};
    (void)state;
    start(WORLD_UNHEARD);
    a.since_ms = r.now;
    node_place(r.node, &a, r.now, &p);
    assert_string_equal(words(&p), "wait");
    node_place(r.node, &a, r.now + PLACE_ASK_MS, &p);
    assert_string_equal(words(&p), "ask unknown");
    world_answered(world_a(), 0, SPAN(""), r.now); /* the beat failed: ask another process */
    node_place(r.node, &a, r.now, &p);
    assert_string_equal(words(&p), "ask unknown");
    stop();
}

static void who_answers_a_beat_with_something_else_is_not_asked(void **state)
{
    struct place p;
    struct arrival a = {.shard_id = SPAN(OTHER), .is_socket = true};
    (void)state;
    start(WORLD_UNHEARD);
    a.since_ms = r.now;
    world_answered(world_a(), 200, SPAN("{}"), r.now);
    assert_int_equal(world_a()->mode, WORLD_REFERENCE);
    node_place(r.node, &a, r.now, &p);
    assert_string_equal(words(&p), "here");
    stop();
}

static void another_owner_is_remembered_until_it_is_misplaced(void **state)
{
    struct buf text = {0};
    struct span id;
    struct place p;
    const struct arrival a = {.shard_id = SPAN(OTHER), .is_socket = true, .since_ms = r.now};
    (void)state;
    start(WORLD_BEATS);
    add_answer(&text, 5, "b", OTHER);
    assert_int_equal(resolved(200, text.data, &id), TOLD_OWNER);
    assert_true(span_eq(id, SPAN(OTHER)));
    node_place(r.node, &a, r.now, &p);
    assert_string_equal(words(&p), "there b http://there");
    node_misplaced(r.node, SPAN(OTHER));
    node_place(r.node, &a, r.now, &p);
    assert_string_equal(words(&p), "ask unknown");
    buf_clear(&text);
    stop();
}

static void what_we_are_ordered_is_followed_at_once(void **state)
{
    struct buf text = {0};
    struct span id;
    struct place p;
    (void)state;
    start(WORLD_BEATS);
    add_answer(&text, 5, "us", SHARD);
    assert_int_equal(resolved(200, text.data, &id), TOLD_OWNER);
    const struct arrival a = {.shard_id = SPAN(SHARD), .is_socket = true, .since_ms = r.now};
    node_place(r.node, &a, r.now, &p);
    assert_string_equal(words(&p), "here");
    const struct shard *shard = map_get(&r.node->shard_map, SPAN(SHARD));
    assert_true(shard != NULL && shard->owned && shard->seating.max == 10);
    buf_clear(&text);
    stop();
}

/* Of a shard that its world has not spoken of, nothing is public. */
static void facts_are_what_worlds_have_said(void **state)
{
    static const struct {
        const char *private; /* in orders; NULL: it was adopted */
        enum told told;
        bool is_public;
    } facts_of[] = {
        {"", TOLD_OWNER, true},
        {",\"private\":true", TOLD_OWNER, false},
        {NULL, TOLD_ADOPT, true},
        {NULL, TOLD_ADOPT_PRIVATE, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof facts_of / sizeof facts_of[0]; i++) {
        struct place_facts facts;
        struct place p;
        struct span id;
        char text[512];
        start(WORLD_BEATS);
        node_facts(r.node, SPAN(SHARD), &facts);
        assert_true(span_eq(facts.world, SPAN("world-a")) && span_eq(facts.room, SPAN("room")));
        assert_false(facts.is_public);
        assert_int_equal(facts.epoch, 5);
        (void)snprintf(text, sizeof text,
                       "{\"epoch\":5,\"version\":7,\"node\":\"us\",\"url\":\"http://us\",\"shard\":"
                       "{\"shardId\":\"" SHARD "\",\"roomId\":\"other\",\"status\":\"active\","
                       "\"maxConnections\":5%s}}",
                       facts_of[i].private == NULL ? "" : facts_of[i].private);
        if (facts_of[i].private != NULL)
            assert_int_equal(resolved(200, text, &id), TOLD_OWNER);
        const struct arrival a = {.shard_id = SPAN(SHARD), .told = facts_of[i].told};
        node_place(r.node, &a, r.now, &p);
        assert_string_equal(words(&p), "here");
        node_facts(r.node, SPAN(SHARD), &facts);
        assert_int_equal(facts.is_public, facts_of[i].is_public);
        assert_true(
            span_eq(facts.room, facts_of[i].private == NULL ? SPAN("room") : SPAN("other")));
        stop();
    }
}

static void facts_of_nobodys_world_have_no_epoch(void **state)
{
    struct place_facts facts;
    (void)state;
    start(WORLD_BEATS);
    node_facts(r.node, SPAN("x:world-z:1700000000000-1"), &facts);
    assert_true(span_eq(facts.world, SPAN("world-z")) && facts.epoch == 0 && !facts.is_public);
    node_facts(r.node, SPAN("x"), &facts);
    assert_true(span_eq(facts.world, span_str(r.settings.world_id)));
    stop();
}

/* The shard was given to us, and taken away again by orders that came first. */
static void an_answer_that_orders_have_overtaken_is_not_followed(void **state)
{
    struct buf text = {0};
    struct span id;
    (void)state;
    start(WORLD_BEATS);
    world_a()->orders_version = 8;
    add_answer(&text, 5, "us", SHARD);
    assert_int_equal(resolved(200, text.data, &id), TOLD_OWNER);
    assert_null(map_get(&r.node->shard_map, SPAN(SHARD)));
    world_a()->orders_version = 7;
    assert_int_equal(resolved(200, text.data, &id), TOLD_OWNER);
    assert_non_null(map_get(&r.node->shard_map, SPAN(SHARD)));
    buf_clear(&text);
    stop();
}

static void answer_keeps_out_whom_the_room_has_banned(void **state)
{
    const struct resolved answer = {
        .version = 7,
        .epoch = 5,
        .node = SPAN("us"),
        .url = SPAN("http://us"),
        .order = {.shard_id = SPAN(SHARD), .room_id = SPAN("room"), .max_connections = 10},
    };
    const struct order_ban ban = {.session = SPAN("ann"), .ttl_ms = 60000};
    struct buf body = {0};
    struct handle client;
    enum node_reason why;
    struct span id;
    (void)state;
    start(WORLD_BEATS);
    resolved_add(&body, &answer, &ban, 1);
    buf_add_char(&body, '\0');
    assert_int_equal(resolved(200, body.data, &id), TOLD_OWNER);
    assert_int_equal(
        node_client_open(r.node, SPAN(SHARD), SPAN("ann"), SPAN("{}"), r.now, &client, &why),
        ERR_DENIED);
    assert_int_equal(why, NODE_REFUSED_BANNED);
    buf_clear(&body);
    stop();
}

static void a_session_with_a_socket_or_a_kept_seat_is_known(void **state)
{
    struct handle client;
    enum node_reason why;
    (void)state;
    start(WORLD_BEATS);
    assert_false(node_knows(r.node, SPAN(SHARD), SPAN("me")));
    have_shard(OWNED);
    assert_int_equal(
        node_client_open(r.node, SPAN(SHARD), SPAN("me"), SPAN("{}"), r.now, &client, &why),
        ERR_OK);
    assert_true(node_knows(r.node, SPAN(SHARD), SPAN("me")));
    assert_false(node_knows(r.node, SPAN(SHARD), SPAN("you")));
    assert_false(node_knows(r.node, SPAN(SHARD), SPAN("")));
    assert_false(node_knows(r.node, SPAN(OTHER), SPAN("me")));
    node_client_closed(r.node, client, NODE_PEER_GONE, r.now);
    assert_true(node_knows(r.node, SPAN(SHARD), SPAN("me")));
    node_tick(r.node, r.now + SEATING_KEEP_MS);
    assert_false(node_knows(r.node, SPAN(SHARD), SPAN("me")));
    buf_clear(&r.beat);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_with_a_socket_or_a_kept_seat_is_known),
        cmocka_unit_test(every_rule_holds),
        cmocka_unit_test(facts_are_what_worlds_have_said),
        cmocka_unit_test(facts_of_nobodys_world_have_no_epoch),
        cmocka_unit_test(a_world_without_nodes_is_never_asked),
        cmocka_unit_test(bad_ids_are_for_the_door_to_refuse),
        cmocka_unit_test(an_adopted_shard_is_marked_and_counted),
        cmocka_unit_test(nothing_is_adopted_for_whom_nobody_knows),
        cmocka_unit_test(invented_ids_leave_room_for_what_is_ordered),
        cmocka_unit_test(answers_mean_what_they_say),
        cmocka_unit_test(answer_keeps_out_whom_the_room_has_banned),
        cmocka_unit_test(answer_of_a_lower_epoch_is_as_if_it_was_not_asked),
        cmocka_unit_test(a_404_of_a_world_that_was_never_heard_says_nothing),
        cmocka_unit_test(nobody_asks_a_world_before_it_has_said_what_it_is),
        cmocka_unit_test(who_answers_a_beat_with_something_else_is_not_asked),
        cmocka_unit_test(another_owner_is_remembered_until_it_is_misplaced),
        cmocka_unit_test(what_we_are_ordered_is_followed_at_once),
        cmocka_unit_test(an_answer_that_orders_have_overtaken_is_not_followed),
    };
    log_capture(recorder_no_log);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
