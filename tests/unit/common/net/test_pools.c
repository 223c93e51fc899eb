/* Pools that come with their first use and go when nobody uses them. */
#include "common/net/pools.h"

#include "scripted.h"

static struct loop *loop;
static struct pools pools;
static struct scripted server;
static size_t ended;

static const struct http_pool_settings settings = {
    .connect_ms = 3000, .answer_ms = 5000, .max_idle = 4, .idle_ms = 4000};

static int set_up(void **state)
{
    (void)state;
    ended = 0;
    loop = loop_new();
    pools_init(&pools, loop, &settings);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pools_clear(&pools);
    assert_int_equal(pools_count(&pools), 0);
    loop_turn(loop, 0);
    loop_free(loop);
    return 0;
}

static struct http_pool *get(unsigned number)
{
    struct buf text = {0};
    buf_addf(&text, "http://10.0.0.1:%u", number + 1);
    struct http_pool *p = pools_get(&pools, buf_span(&text));
    buf_clear(&text);
    return p;
}

/* As if `ms` had gone by; connections do not notice. */
static void later(int64_t ms)
{
    pools.sweep.fire(&pools.sweep, loop_now(loop) + ms);
}

static void on_head(void *ctx, const struct http_head *h)
{
    (void)ctx, (void)h;
}

static void on_body(void *ctx, struct span part)
{
    (void)ctx, (void)part;
}

static void on_end(void *ctx)
{
    (void)ctx;
    ended++;
}

static void on_failed(void *ctx, enum err why)
{
    (void)ctx, (void)why;
}

static const struct http_call_ops call_ops = {
    .head = on_head, .body = on_body, .end = on_end, .failed = on_failed};

static void same_origin_has_one_pool(void **state)
{
    (void)state;
    struct http_pool *p = get(1);
    assert_non_null(p);
    assert_ptr_equal(get(1), p);
    assert_ptr_not_equal(get(2), p);
    assert_int_equal(pools_count(&pools), 2);
}

static void what_is_no_origin_has_none(void **state)
{
    static const char *const rows[] = {"", "x", "https://a:0", "http://", "http://a/b"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_null(pools_get(&pools, span_str(rows[i])));
    assert_int_equal(pools_count(&pools), 0);
}

static void unused_pool_goes_after_a_while(void **state)
{
    (void)state;
    assert_non_null(get(1));
    later(POOLS_IDLE_MS - 1);
    assert_int_equal(pools_count(&pools), 1);
    later(POOLS_IDLE_MS);
    assert_int_equal(pools_count(&pools), 0);
}

static void busy_pool_stays(void **state)
{
    (void)state;
    scripted_start(&server, loop);
    struct buf text = {0};
    buf_addf(&text, "http://%s", server.origin.text);
    struct http_pool *p = pools_get(&pools, buf_span(&text));
    http_pool_call(p, SPAN("GET / HTTP/1.1\r\n"), HTTP_BODY_NO, &call_ops, NULL);
    TURN_UNTIL(loop, server.count > 0 && scripted_has(&server.conns[0], "\r\n\r\n"));
    later(POOLS_IDLE_MS);
    assert_int_equal(pools_count(&pools), 1);
    scripted_say(&server.conns[0], "HTTP/1.1 204 No\r\n\r\n");
    TURN_UNTIL(loop, ended == 1);
    later(POOLS_IDLE_MS);
    assert_int_equal(pools_count(&pools), 0);
    TURN_UNTIL(loop, !server.conns[0].open);
    scripted_stop(&server);
    buf_clear(&text);
}

static void least_recently_used_makes_room(void **state)
{
    (void)state;
    for (unsigned i = 0; i < POOLS_MAX; i++)
        assert_non_null(get(i));
    struct http_pool *first = get(0);
    assert_non_null(get(POOLS_MAX));
    assert_int_equal(pools_count(&pools), POOLS_MAX);
    assert_ptr_equal(get(0), first);
    assert_null(map_get(&pools.by_text, SPAN("http://10.0.0.1:2")));
    assert_non_null(map_get(&pools.by_text, SPAN("http://10.0.0.1:3")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(same_origin_has_one_pool),       TEST(what_is_no_origin_has_none),
        TEST(unused_pool_goes_after_a_while), TEST(busy_pool_stays),
        TEST(least_recently_used_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
