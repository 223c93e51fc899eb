/* Peers that say whether Redis answers them, say nonsense, or nothing. */
#include "world/io/redis/peers.h"

#include "common/base/log.h"
#include "common/net/http_server.h"
#include "common/proto/hop_sign.h"
#include "tests/unit/common/net/scripted.h"

static const struct secrets secrets = {SPAN_INIT("secret")};

enum { COUNT = 3 };

static const struct signer signers[] = {
    {.secrets = &secrets, .id = SPAN_INIT("0000000000000000")},
    {.secrets = &secrets, .id = SPAN_INIT("1111111111111111")},
    {.secrets = &secrets, .id = SPAN_INIT("2222222222222222")},
};

/* Processes; the first asks. */
static struct process {
    struct peers peers;
    struct peers_events events;
    struct http_server *server;
    struct listener *listener;
    char url[64];
    struct lease_reach reach;
    const char *instead; /* of its answer */
    bool silent;
} processes[COUNT];

static struct loop *loop;
static struct lease_answers heard;
static char heard_url[64];
static size_t times;
static int64_t heard_asked_ms;
static const struct http_limits limits = {
    .header_ms = SCRIPTED_WAIT_MS, .body_ms = SCRIPTED_WAIT_MS, .idle_ms = SCRIPTED_WAIT_MS};

static void no_log(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static void on_said(void *ctx, const struct lease_answers *said, int64_t asked_ms)
{
    (void)ctx;
    times++;
    heard = *said;
    heard_asked_ms = asked_ms;
    (void)snprintf(heard_url, sizeof heard_url, "%.*s", SPAN_ARG(said->url));
}

static struct lease_reach on_tell(void *ctx)
{
    return ((struct process *)ctx)->reach;
}

static void on_begin(void *ctx, struct http_exchange *x)
{
    struct process *p = ctx;
    struct hop_signed from;
    assert_int_equal(hop_sign_check(x->head, &secrets, clock_wall_ms(), &from), ERR_OK);
    if (p->instead != NULL)
        http_respond(x, 200, SPAN(""), span_str(p->instead));
    else if (!p->silent)
        assert_true(peers_take(&p->peers, x));
}

static void on_nothing(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    (void)x;
}

static void on_body(void *ctx, struct http_exchange *x, struct span part)
{
    (void)ctx;
    (void)x;
    (void)part;
}

static const struct http_app app = {
    .begin = on_begin, .body = on_body, .complete = on_nothing, .gone = on_nothing};

static void process_open(struct process *p, const struct signer *signer)
{
    const char *why;
    *p = (struct process){.events = {.ctx = p, .said = on_said, .tell = on_tell}};
    p->server = http_server_new(loop, &app, p, &limits, SPAN(""));
    assert_int_equal(
        listener_open(&p->listener, loop, "127.0.0.1", 0, http_server_accept, p->server, &why),
        ERR_OK);
    (void)snprintf(p->url, sizeof p->url, "http://%s", listener_address(p->listener));
    peers_init(&p->peers, loop, signer, &p->events);
}

static int set_up(void **state)
{
    (void)state;
    log_capture(no_log);
    loop = loop_new();
    times = 0;
    for (size_t i = 0; i < COUNT; i++)
        process_open(&processes[i], &signers[i]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        peers_clear(&processes[i].peers);
        listener_close(processes[i].listener);
        http_server_free(processes[i].server);
    }
    for (int i = 0; i < 3; i++)
        loop_turn(loop, 0);
    loop_free(loop);
    return 0;
}

/* Asks both, and `also` if it is not NULL. */
static void ask(const char *also)
{
    const struct lease_peer peers[] = {
        {.id = signers[1].id, .url = span_str(processes[1].url)},
        {.id = signers[2].id, .url = span_str(processes[2].url)},
        {.id = SPAN("3"), .url = span_str(also)},
    };
    size_t before = times;
    peers_ask(&processes[0].peers, peers, also == NULL ? 2 : 3);
    assert_int_equal(times, before);
    TURN_UNTIL(loop, times == before + 1);
}

static void answers_are_summed_up(void **state)
{
    (void)state;
    processes[1].reach = (struct lease_reach){.ago_ms = 700};
    processes[2].reach = (struct lease_reach){.ago_ms = 500};
    ask(NULL);
    assert_int_equal(heard.reach, 0);
    assert_int_equal(heard.away, 2);
    assert_int_equal(heard.ago_ms, 500);
    assert_string_equal(heard_url, "");
    processes[2].reach = (struct lease_reach){.reaches = true, .ago_ms = 20};
    ask(NULL);
    assert_int_equal(heard.reach, 1);
    assert_int_equal(heard.away, 1);
    assert_int_equal(heard.ago_ms, 20);
    assert_string_equal(heard_url, processes[2].url);
}

static void who_does_not_answer_is_in_neither_count(void **state)
{
    int64_t begin = clock_mono_ms();
    (void)state;
    processes[1].silent = true;
    ask("http://127.0.0.1:1");
    assert_int_equal(heard.reach, 0);
    assert_int_equal(heard.away, 1);
    assert_in_range(clock_mono_ms() - begin, PEERS_ASK_MS - 10, LEASES_ASK_PEERS_MS * 10);
    assert_true(heard_asked_ms <= begin + 10);
}

static void what_is_no_answer_does_not_count(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "{\"id\":\"3\"}",
        "{\"id\":\"3\",\"reachesRedis\":\"true\"}",
        "{\"id\":\"\",\"reachesRedis\":true}",
        "{\"id\":\"3\",\"reachesRedis\":true,\"agoMs\":-1}",
        "{\"id\":\"0000000000000000\",\"reachesRedis\":true,\"agoMs\":1}", /* our own */
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        processes[1].instead = texts[i];
        ask("nonsense");
        assert_int_equal(heard.reach, 0);
        assert_int_equal(heard.away, 1);
    }
}

static void nobody_to_ask_is_an_answer_too(void **state)
{
    (void)state;
    peers_ask(&processes[0].peers, NULL, 0);
    assert_int_equal(times, 0);
    TURN_UNTIL(loop, times == 1);
    assert_int_equal(heard.reach + heard.away, 0);
}

static void who_asks_anew_hears_of_that_only(void **state)
{
    const struct lease_peer peer = {.id = signers[1].id, .url = span_str(processes[1].url)};
    (void)state;
    processes[1].silent = true;
    peers_ask(&processes[0].peers, &peer, 1);
    ask(NULL);
    assert_int_equal(times, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(answers_are_summed_up),
        TEST(who_does_not_answer_is_in_neither_count),
        TEST(what_is_no_answer_does_not_count),
        TEST(nobody_to_ask_is_an_answer_too),
        TEST(who_asks_anew_hears_of_that_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
