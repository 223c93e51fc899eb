/* Questions to worlds that answer, refuse, keep silent or are not there. */
#include "shard/io/questions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/net/http_server.h"
#include "common/net/listener.h"
#include "shard/core/place.h"
#include "tests/unit/common/net/turn_until.h"

static const struct secrets secrets = {SPAN_INIT("secret")};

enum { ASKERS = 200, DEADLINE_MS = 5000 };

/* A world that answers all requests with one status, at once or when it is told to. */
struct world {
    struct http_server *server;
    struct listener *listener;
    struct http_exchange *held[ASKERS];
    size_t held_count, requests;
    int status;
    bool holds;
    struct buf last; /* the last request: its target, a blank, its body */
};

struct asker {
    struct asking asking;
    size_t answers, shared;
    int status;
    char body[64];
};

static struct loop *loop;
static struct ticker ticker;
static struct worlds worlds;
static struct questions questions;
static struct world first, second;
static struct asker askers[ASKERS];

static const struct http_limits limits = {
    .header_ms = DEADLINE_MS, .body_ms = DEADLINE_MS, .idle_ms = DEADLINE_MS};

static void no_log(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static void world_begin(void *ctx, struct http_exchange *x)
{
    struct world *w = ctx;
    w->requests++;
    buf_reset(&w->last);
    buf_add_span(&w->last, x->head->target);
    buf_add_char(&w->last, ' ');
}

static void world_body(void *ctx, struct http_exchange *x, struct span part)
{
    (void)x;
    buf_add_span(&((struct world *)ctx)->last, part);
}

static void world_complete(void *ctx, struct http_exchange *x)
{
    struct world *w = ctx;
    if (w->holds)
        w->held[w->held_count++] = x;
    else
        http_respond(x, w->status, SPAN(""), SPAN("it is so"));
}

static void world_gone(void *ctx, struct http_exchange *x)
{
    struct world *w = ctx;
    for (size_t i = 0; i < w->held_count; i++)
        if (w->held[i] == x)
            w->held[i] = w->held[--w->held_count];
}

static const struct http_app world_app = {
    .begin = world_begin, .body = world_body, .complete = world_complete, .gone = world_gone};

static void world_open(struct world *w)
{
    const char *why;
    *w = (struct world){.status = 200};
    w->server = http_server_new(loop, &world_app, w, &limits, SPAN(""));
    assert_int_equal(
        listener_open(&w->listener, loop, "127.0.0.1", 0, http_server_accept, w->server, &why),
        ERR_OK);
}

static void world_close(struct world *w)
{
    listener_close(w->listener);
    w->listener = NULL;
    if (w->server != NULL)
        http_server_free(w->server);
    w->server = NULL;
    buf_clear(&w->last);
}

static void answered(struct asking *asking, int status, struct span body, bool shared)
{
    struct asker *who = CONTAINER_OF(asking, struct asker, asking);
    who->answers++;
    who->shared += shared ? 1 : 0;
    who->status = status;
    assert_true(body.len < sizeof who->body);
    if (body.len > 0)
        memcpy(who->body, body.ptr, body.len);
    who->body[body.len] = '\0';
}

static void ask(size_t who, const char *shard, enum resolve_reason reason, bool alone)
{
    const struct resolve r = {
        .asker = SPAN("node-a"), .shard_id = span_str(shard), .reason = reason};
    askers[who].asking.answered = answered;
    questions_ask(&questions, &askers[who].asking, SPAN("world-a"), &r, alone);
    assert_int_equal(askers[who].answers, 0); /* never before it returns */
}

static int setup(void **state)
{
    struct buf urls = {0};
    struct origins origins;
    struct span bad;
    (void)state;
    log_capture(no_log);
    memset(askers, 0, sizeof askers);
    loop = loop_new();
    world_open(&first);
    world_open(&second);
    buf_addf(&urls, "http://%s,http://%s", listener_address(first.listener),
             listener_address(second.listener));
    assert_int_equal(origins_parse(&origins, buf_span(&urls), &bad), ERR_OK);
    buf_clear(&urls);
    worlds_init(&worlds, loop, &origins);
    ticker = (struct ticker){.loop = loop};
    questions_init(&questions, &ticker, &worlds, &secrets);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    questions_clear(&questions);
    world_close(&first);
    world_close(&second);
    worlds_clear(&worlds);
    for (int i = 0; i < 3; i++)
        loop_turn(loop, 0);
    loop_free(loop);
    return 0;
}

static size_t answers(void)
{
    size_t count = 0;
    for (size_t i = 0; i < ASKERS; i++)
        count += askers[i].answers;
    return count;
}

static void an_answer_comes_back_as_the_world_gave_it(void **state)
{
    (void)state;
    first.status = 404;
    ask(0, "s", RESOLVE_UNKNOWN, false);
    TURN_UNTIL(loop, answers() == 1);
    assert_int_equal(askers[0].status, 404);
    assert_string_equal(askers[0].body, "it is so");
    buf_add_char(&first.last, '\0');
    assert_string_equal(first.last.data,
                        "/parties/world/world-a/resolve {\"shardId\":\"s\",\"reason\":\"unknown\","
                        "\"askerEpoch\":0,\"asker\":\"node-a\"}");
}

static void the_same_question_of_many_is_asked_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < ASKERS; i++)
        ask(i, i % 2 == 0 ? "s" : "t", RESOLVE_UNKNOWN, false);
    TURN_UNTIL(loop, answers() == ASKERS);
    assert_int_equal(first.requests, 2);
    assert_int_equal(askers[0].shared, 0);
    assert_int_equal(askers[1].shared, 0);
    for (size_t i = 2; i < ASKERS; i++)
        assert_int_equal(askers[i].shared, 1);
}

static void another_reason_is_another_question(void **state)
{
    (void)state;
    ask(0, "s", RESOLVE_UNKNOWN, false);
    ask(1, "s", RESOLVE_UNREACHABLE, false);
    TURN_UNTIL(loop, answers() == 2);
    assert_int_equal(first.requests, 2);
}

static void whoever_needs_a_seat_asks_alone_and_a_bounded_number_at_a_time(void **state)
{
    (void)state;
    first.holds = true;
    for (size_t i = 0; i < ASKERS; i++)
        ask(i, "s", RESOLVE_FULL, true);
    TURN_UNTIL(loop, first.held_count == QUESTIONS_UNDER_WAY);
    assert_int_equal(questions.sent, QUESTIONS_UNDER_WAY);
    first.holds = false;
    while (first.held_count > 0)
        http_respond(first.held[--first.held_count], 200, SPAN(""), SPAN(""));
    TURN_UNTIL(loop, answers() == ASKERS);
    assert_int_equal(first.requests, ASKERS);
    for (size_t i = 0; i < ASKERS; i++)
        assert_int_equal(askers[i].shared, 0);
}

static void a_world_that_is_away_is_passed_over(void **state)
{
    (void)state;
    world_close(&first);
    ask(0, "s", RESOLVE_UNKNOWN, false);
    TURN_UNTIL(loop, answers() == 1);
    assert_int_equal(askers[0].status, 200);
    assert_int_equal(worlds.current, 1);
}

static void without_any_world_the_answer_is_none(void **state)
{
    (void)state;
    world_close(&first);
    world_close(&second);
    ask(0, "s", RESOLVE_UNKNOWN, false);
    ask(1, "s", RESOLVE_UNKNOWN, false);
    TURN_UNTIL(loop, answers() == 2);
    assert_int_equal(askers[0].status, 0);
    assert_int_equal(questions.unanswered, 1);
}

static void a_silent_world_is_waited_for_a_second(void **state)
{
    (void)state;
    first.holds = true;
    int64_t begin = clock_mono_ms();
    ask(0, "s", RESOLVE_UNKNOWN, false);
    TURN_UNTIL(loop, answers() == 1);
    assert_int_equal(askers[0].status, 0);
    assert_in_range(clock_mono_ms() - begin, PLACE_ASK_MS - WHEEL_TICK_MS, DEADLINE_MS);
    assert_int_equal(worlds.current, 1); /* the next question goes elsewhere */
}

static void nobody_waits_while_all_worlds_are_silent(void **state)
{
    (void)state;
    first.holds = second.holds = true;
    ask(0, "s", RESOLVE_UNKNOWN, false);
    TURN_UNTIL(loop, answers() == 1);
    ask(1, "t", RESOLVE_UNKNOWN, false);
    TURN_UNTIL(loop, answers() == 2);
    assert_int_equal(second.requests, 1);
    for (size_t i = 2; i < 5; i++)
        ask(i, "u", RESOLVE_UNKNOWN, true);
    int64_t begin = clock_mono_ms();
    TURN_UNTIL(loop, answers() == 5);
    assert_in_range(clock_mono_ms() - begin, 0, PLACE_ASK_MS / 2);
    assert_int_equal(askers[4].status, 0);
    assert_int_equal(questions.sent, 2);
    assert_int_equal(questions.unanswered, 5);
    TURN_UNTIL(loop, loop_now(loop) >= questions.silent_until_ms[0]);
    first.holds = false;
    ask(5, "u", RESOLVE_UNKNOWN, false);
    TURN_UNTIL(loop, answers() == 6);
    assert_int_equal(askers[5].status, 200);
}

static void a_question_that_nobody_asks_any_more_is_given_up(void **state)
{
    (void)state;
    first.holds = true;
    for (size_t i = 0; i <= QUESTIONS_UNDER_WAY; i++)
        ask(i, "s", RESOLVE_FULL, true);
    TURN_UNTIL(loop, first.held_count == QUESTIONS_UNDER_WAY);
    asking_stop(&askers[0].asking);
    asking_stop(&askers[0].asking);
    TURN_UNTIL(loop, questions.sent == QUESTIONS_UNDER_WAY + 1);
    asking_stop(&askers[QUESTIONS_UNDER_WAY].asking);
    first.holds = false;
    while (first.held_count > 0)
        http_respond(first.held[--first.held_count], 200, SPAN(""), SPAN(""));
    TURN_UNTIL(loop, answers() == QUESTIONS_UNDER_WAY - 1);
    assert_int_equal(askers[0].answers, 0);
}

static void one_of_many_that_leaves_does_not_disturb_the_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        ask(i, "s", RESOLVE_UNKNOWN, false);
    asking_stop(&askers[0].asking);
    TURN_UNTIL(loop, answers() == 2);
    assert_int_equal(askers[0].answers, 0);
    assert_int_equal(askers[1].shared, 0);
    assert_int_equal(askers[2].shared, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_comes_back_as_the_world_gave_it),
        TEST(the_same_question_of_many_is_asked_once),
        TEST(another_reason_is_another_question),
        TEST(whoever_needs_a_seat_asks_alone_and_a_bounded_number_at_a_time),
        TEST(a_world_that_is_away_is_passed_over),
        TEST(without_any_world_the_answer_is_none),
        TEST(a_silent_world_is_waited_for_a_second),
        TEST(nobody_waits_while_all_worlds_are_silent),
        TEST(a_question_that_nobody_asks_any_more_is_given_up),
        TEST(one_of_many_that_leaves_does_not_disturb_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
