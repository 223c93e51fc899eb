/* What farewell ends is written down in its order; time is the test's. */
#include "world/io/farewell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "world/io/passage.h"
#include "world/io/redis/cluster.h"

#define SOCKETS " doors drain feeds shards"

struct fake {
    struct farewell farewell;
    struct server server;
    struct feed_sockets feeds;
    struct shard_proxy shards;
    int64_t begun_ms;
    struct buf said; /* a word for each thing that was ended */
    size_t connections, passed_feeds;
    bool released, others;
};

static struct fake *fake; /* of the test that runs */

static void say(const char *word)
{
    buf_add_char(&fake->said, ' ');
    buf_add_span(&fake->said, span_str(word));
}

static void assert_said(const char *words)
{
    if (!span_eq(buf_span(&fake->said), span_str(words)))
        fail_msg("it said%.*s", SPAN_ARG(buf_span(&fake->said)));
}

/* ---- in place of what ends */

void server_dismiss(struct server *s)
{
    assert_ptr_equal(s, &fake->server);
    say("dismiss");
}

void server_drain(struct server *s)
{
    assert_ptr_equal(s, &fake->server);
    say("drain");
}

size_t server_connections(const struct server *s)
{
    assert_ptr_equal(s, &fake->server);
    return fake->connections;
}

void feed_sockets_close(struct feed_sockets *s, uint16_t code, struct span reason)
{
    assert_ptr_equal(s, &fake->feeds);
    assert_int_equal(code, WS_CODE_RESTART);
    assert_true(span_eq(reason, SPAN("restart")));
    say("feeds");
}

void shard_proxy_close(struct shard_proxy *p)
{
    assert_ptr_equal(p, &fake->shards);
    say("shards");
}

void cluster_release(struct cluster *c)
{
    (void)c;
    say("release");
}

bool cluster_is_released(const struct cluster *c)
{
    (void)c;
    return fake->released;
}

bool cluster_has_others(const struct cluster *c)
{
    (void)c;
    return fake->others;
}

size_t passage_feeds(const struct passage *p)
{
    (void)p;
    return fake->passed_feeds;
}

void passage_close(struct passage *p)
{
    (void)p;
    say("passed");
}

static void close_doors(void *ctx)
{
    assert_ptr_equal(ctx, fake);
    say("doors");
}

/* ---- the process */

/* One connection is open. */
static int set_up(bool is_one_of_several)
{
    fake = xcalloc(1, sizeof(*fake));
    fake->farewell = (struct farewell){
        .loop = loop_new(),
        .server = &fake->server,
        .feeds = &fake->feeds,
        .shards = &fake->shards,
        .close_doors = close_doors,
        .ctx = fake,
        .cluster = is_one_of_several ? (struct cluster *)fake : NULL, /* nobody looks into it */
    };
    fake->connections = 1;
    fake->others = true;
    fake->begun_ms = loop_now(fake->farewell.loop);
    return 0;
}

static int set_up_alone(void **state)
{
    (void)state;
    return set_up(false);
}

static int set_up_several(void **state)
{
    (void)state;
    return set_up(true);
}

static int tear_down(void **state)
{
    (void)state;
    farewell_stop(&fake->farewell);
    loop_free(fake->farewell.loop);
    buf_clear(&fake->said);
    free(fake);
    return 0;
}

static void begin(void)
{
    assert_true(farewell_begin(&fake->farewell));
}

/* So long after it began farewell looks, and is in that state behind it. */
static void assert_after(int64_t ms, enum farewell_state state)
{
    struct farewell *f = &fake->farewell;

    f->look.fire(&f->look, fake->begun_ms + ms);
    assert_int_equal(f->state, state);
}

/* ---- tests */

static void with_nothing_left_the_loop_stops(void **state)
{
    (void)state;
    fake->connections = 0;
    begin();
    loop_run(fake->farewell.loop);
    assert_int_equal(fake->farewell.state, FAREWELL_OVER);
    assert_said(SOCKETS);
}

static void it_begins_once(void **state)
{
    (void)state;
    begin();
    assert_false(farewell_begin(&fake->farewell));
    assert_said(SOCKETS);
}

static void who_is_connected_has_time_to_go(void **state)
{
    (void)state;
    begin();
    assert_after(2999, FAREWELL_SOCKETS);
    fake->connections = 0;
    fake->feeds.sockets.count = 1;
    assert_after(2999, FAREWELL_SOCKETS);
    fake->feeds.sockets.count = 0;
    assert_after(2999, FAREWELL_OVER);
}

static void who_stays_is_cut_off_after_three_seconds(void **state)
{
    (void)state;
    begin();
    assert_after(3000, FAREWELL_OVER);
}

static void doors_stay_open_until_others_have_the_leases(void **state)
{
    (void)state;
    begin();
    assert_after(20, FAREWELL_RELEASE);
    assert_said(" dismiss release");
    fake->released = true;
    assert_after(40, FAREWELL_FORWARD);
    assert_after(2039, FAREWELL_FORWARD);
    assert_said(" dismiss release");
    assert_after(2040, FAREWELL_SOCKETS);
    assert_said(" dismiss release" SOCKETS " passed");
}

static void leases_that_do_not_go_are_waited_for_three_seconds(void **state)
{
    (void)state;
    begin();
    assert_after(2999, FAREWELL_RELEASE);
    assert_after(3000, FAREWELL_FORWARD);
}

static void without_others_nothing_is_passed_on(void **state)
{
    (void)state;
    fake->others = false;
    fake->released = true;
    begin();
    assert_after(0, FAREWELL_SOCKETS);
}

static void with_nobody_connected_nothing_is_waited_for(void **state)
{
    (void)state;
    fake->connections = 0;
    fake->released = true;
    begin();
    assert_after(0, FAREWELL_OVER);
    assert_said(" dismiss release" SOCKETS " passed");
}

/* Who had its answer may come again, by a connection that is not there yet. */
static void with_nobody_connected_any_more_it_still_passes_on(void **state)
{
    (void)state;
    fake->released = true;
    begin();
    assert_after(0, FAREWELL_FORWARD);
    fake->connections = 0;
    assert_after(1999, FAREWELL_FORWARD);
    assert_after(2000, FAREWELL_OVER);
}

static void feeds_that_go_through_have_time_to_go(void **state)
{
    (void)state;
    fake->released = true;
    fake->others = false;
    fake->passed_feeds = 1;
    begin();
    fake->connections = 0;
    assert_after(2999, FAREWELL_SOCKETS);
    fake->passed_feeds = 0;
    assert_after(2999, FAREWELL_OVER);
}

#define ALONE(test)   cmocka_unit_test_setup_teardown(test, set_up_alone, tear_down)
#define SEVERAL(test) cmocka_unit_test_setup_teardown(test, set_up_several, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALONE(with_nothing_left_the_loop_stops),
        ALONE(it_begins_once),
        ALONE(who_is_connected_has_time_to_go),
        ALONE(who_stays_is_cut_off_after_three_seconds),
        SEVERAL(doors_stay_open_until_others_have_the_leases),
        SEVERAL(leases_that_do_not_go_are_waited_for_three_seconds),
        SEVERAL(without_others_nothing_is_passed_on),
        SEVERAL(with_nobody_connected_nothing_is_waited_for),
        SEVERAL(with_nobody_connected_any_more_it_still_passes_on),
        SEVERAL(feeds_that_go_through_have_time_to_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
