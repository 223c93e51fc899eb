/* Knocks at nodes that hear them, do not, or are not there. */
#include "world/io/redis/knock.h"

#include "common/base/log.h"
#include "common/net/http_server.h"
#include "common/proto/hop_sign.h"
#include "tests/unit/common/net/scripted.h"

static const struct secrets both = {SPAN_INIT("first-secret,second")};

static const struct secrets first = {SPAN_INIT("first-secret")};

enum { HELD_MAX = 2 * KNOCK_UNDER_WAY };

/* A node that checks signatures, and answers at once or when it is told to. */
static struct {
    struct http_server *server;
    struct listener *listener;
    struct http_exchange *held[HELD_MAX];
    size_t held_count, good;
    struct buf last; /* method and target */
    bool holds;
} node;

static const struct http_limits limits = {
    .header_ms = SCRIPTED_WAIT_MS, .body_ms = SCRIPTED_WAIT_MS, .idle_ms = SCRIPTED_WAIT_MS};
static const struct signer signer = {.secrets = &both, .id = SPAN_INIT("0123456789abcdef")};
static struct loop *loop;
static struct knock knock;
static struct buf url;

static void no_log(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static void node_begin(void *ctx, struct http_exchange *x)
{
    struct hop_signed from;
    (void)ctx;
    buf_reset(&node.last);
    buf_addf(&node.last, "%.*s %.*s", SPAN_ARG(x->head->method), SPAN_ARG(x->head->target));
    if (hop_sign_check(x->head, &first, clock_wall_ms(), &from) == ERR_OK &&
        span_eq(span_of(from.entry, from.entry_len), signer.id))
        node.good++;
}

static void node_complete(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    if (node.holds)
        node.held[node.held_count++] = x;
    else
        http_respond(x, 204, SPAN(""), SPAN(""));
}

static void node_body(void *ctx, struct http_exchange *x, struct span part)
{
    (void)ctx;
    (void)x;
    (void)part;
}

static void node_gone(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    for (size_t i = 0; i < node.held_count; i++)
        if (node.held[i] == x)
            node.held[i] = node.held[--node.held_count];
}

static const struct http_app app = {
    .begin = node_begin, .body = node_body, .complete = node_complete, .gone = node_gone};

static int set_up(void **state)
{
    const char *why;
    (void)state;
    log_capture(no_log);
    loop = loop_new();
    memset(&node, 0, sizeof node);
    node.server = http_server_new(loop, &app, NULL, &limits, SPAN(""));
    assert_int_equal(
        listener_open(&node.listener, loop, "127.0.0.1", 0, http_server_accept, node.server, &why),
        ERR_OK);
    buf_addf(&url, "http://%s", listener_address(node.listener));
    knock_init(&knock, loop, &signer);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    knock_clear(&knock);
    listener_close(node.listener);
    http_server_free(node.server);
    for (int i = 0; i < 3; i++)
        loop_turn(loop, 0);
    buf_clear(&node.last);
    buf_clear(&url);
    loop_free(loop);
    return 0;
}

static void knock_is_signed_and_names_its_world(void **state)
{
    (void)state;
    knock_at(&knock, SPAN("world a"), buf_span(&url));
    TURN_UNTIL(loop, knock.heard == 1);
    assert_int_equal(node.good, 1);
    assert_true(span_eq(buf_span(&node.last), SPAN("POST /terrane/beat/world%20a")));
    assert_int_equal(knock.under_way_count, 0);
}

static void knocks_beyond_the_bound_wait(void **state)
{
    (void)state;
    node.holds = true;
    for (int i = 0; i < KNOCK_UNDER_WAY + 5; i++)
        knock_at(&knock, SPAN("w"), buf_span(&url));
    assert_int_equal(knock.under_way_count, KNOCK_UNDER_WAY);
    TURN_UNTIL(loop, node.held_count == KNOCK_UNDER_WAY);
    node.holds = false;
    while (node.held_count > 0)
        http_respond(node.held[--node.held_count], 204, SPAN(""), SPAN(""));
    TURN_UNTIL(loop, knock.heard == KNOCK_UNDER_WAY + 5);
    assert_int_equal(knock.sent, KNOCK_UNDER_WAY + 5);
}

static void nodes_that_are_not_there_or_silent_are_given_up(void **state)
{
    (void)state;
    node.holds = true;
    knock_at(&knock, SPAN("w"), buf_span(&url));
    knock_at(&knock, SPAN("w"), SPAN("http://127.0.0.1:1"));
    knock_at(&knock, SPAN("w"), SPAN("nonsense"));
    assert_int_equal(knock.sent, 2);
    TURN_UNTIL(loop, knock.under_way_count == 0);
    assert_int_equal(knock.heard, 0);
}

static void cleared_knocks_are_no_more(void **state)
{
    (void)state;
    node.holds = true;
    for (int i = 0; i < KNOCK_UNDER_WAY + 1; i++)
        knock_at(&knock, SPAN("w"), buf_span(&url));
    TURN_UNTIL(loop, node.held_count > 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(knock_is_signed_and_names_its_world),
        TEST(knocks_beyond_the_bound_wait),
        TEST(nodes_that_are_not_there_or_silent_are_given_up),
        TEST(cleared_knocks_are_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
