/* The loop's turns, and listening sockets. */
#include "wire.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include "common/net/conn.h"

static struct loop *loop;
static size_t fds;

static int set_up(void **state)
{
    (void)state;
    fds = open_fds();
    loop = loop_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    loop_free(loop);
    assert_int_equal(open_fds(), fds);
    return 0;
}

/* ---- turns ---- */

static char order[16];

static void note(char c)
{
    size_t len = strlen(order);
    assert_true(len + 1 < sizeof order);
    order[len] = c;
    order[len + 1] = '\0';
}

static struct turn_end ends[3];

static void end_a(struct turn_end *t)
{
    (void)t;
    note('a');
    loop_at_turn_end(loop, &ends[2]); /* in the same turn, behind what is there */
}

static void end_b(struct turn_end *t)
{
    (void)t;
    note('b');
}

static void end_c(struct turn_end *t)
{
    (void)t;
    note('c');
}

static void timer_note(struct timer *t, int64_t now)
{
    (void)t;
    assert_int_equal(now, loop_now(loop));
    note('t');
}

static void the_end_of_a_turn_comes_after_its_timers_and_in_order(void **state)
{
    (void)state;
    struct timer timer = {.fire = timer_note};
    ends[0].fn = end_a;
    ends[1].fn = end_b;
    ends[2].fn = end_c;
    order[0] = '\0';
    loop_at_turn_end(loop, &ends[0]);
    loop_at_turn_end(loop, &ends[1]);
    loop_at_turn_end(loop, &ends[0]);
    wheel_set(loop_wheel(loop), &timer, 0);
    loop_turn(loop, 1000); /* does not wait: something is to be done */
    assert_string_equal(order, "tabc");
    loop_turn(loop, 0);
    assert_string_equal(order, "tabc");
    loop_at_turn_end(loop, &ends[1]);
    loop_not_at_turn_end(&ends[1]);
    loop_not_at_turn_end(&ends[1]);
    loop_turn(loop, 0);
    assert_string_equal(order, "tabc");
}

static void stop_timer(struct timer *t, int64_t now)
{
    (void)t, (void)now;
    loop_stop(loop);
}

static void timers_wake_the_loop_and_are_not_early(void **state)
{
    (void)state;
    struct timer timer = {.fire = stop_timer};
    int64_t began = clock_mono_ms();
    wheel_set(loop_wheel(loop), &timer, began + 250);
    loop_run(loop);
    int64_t took = clock_mono_ms() - began;
    assert_true(took >= 250);
    assert_true(took < 2000);
    const struct loop_stats *stats = loop_stats(loop);
    assert_true(stats->turns >= 2);
    assert_true(stats->lag.count >= 1); /* every 100 ms */
    assert_int_equal(stats->turn.count, stats->turns);
    assert_true(stats->turn.sum_us < (uint64_t)took * 1000); /* without the wait */
}

/* Is busy for 250 ms. */
static void hold_up(struct timer *t, int64_t now)
{
    (void)t, (void)now;
    for (int64_t began = clock_mono_ms(); clock_mono_ms() - began < 250;)
        continue;
    loop_stop(loop);
}

static void the_worst_lateness_is_told_once(void **state)
{
    (void)state;
    struct timer timer = {.fire = hold_up};
    (void)loop_take_lag(loop);
    wheel_set(loop_wheel(loop), &timer, clock_mono_ms());
    loop_run(loop);
    loop_turn(loop, 0); /* the timer that is due every 100 ms was held up, too */
    assert_true(loop_take_lag(loop) >= 100);
    assert_int_equal(loop_take_lag(loop), 0);
}

static void a_turn_waits_no_longer_than_it_should(void **state)
{
    (void)state;
    int64_t began = clock_mono_ms();
    loop_turn(loop, 0);
    loop_turn(loop, 20);
    assert_true(clock_mono_ms() - began < 2000);
}

static void fresh_now(struct conn *c, char *data, size_t len)
{
    (void)c, (void)data, (void)len;
    assert_true(clock_mono_ms() - loop_now(loop) < 50);
    note('d');
}

static void not_closed(struct conn *c, enum conn_end end)
{
    (void)c, (void)end;
}

static struct peer now_peer;

/* The time inside a callback is that of the callback, not of the turn before it: here the process
 * did not turn the loop for a while. */
static void now_is_fresh_inside_callbacks(void **state)
{
    (void)state;
    static const struct conn_ops ops = {.data = fresh_now, .closed = not_closed};
    struct conn c = {.fd = -1};
    int fd;
    now_peer = peer_pair(&fd);
    conn_open(&c, loop, fd, &ops);
    loop_turn(loop, 0);
    order[0] = '\0';
    for (int64_t stale = loop_now(loop); clock_mono_ms() < stale + 90;)
        (void)sched_yield();
    peer_send(&now_peer, "x");
    loop_turn(loop, 1000);
    assert_string_equal(order, "d");
    conn_abort(&c);
    loop_turn(loop, 0);
    peer_close(&now_peer);
}

static int signals;

static void count_signal(void *ctx)
{
    assert_ptr_equal(ctx, &signals);
    if (++signals == 2)
        loop_stop(loop);
}

static void signals_are_called_in_the_loop(void **state)
{
    (void)state;
    signals = 0;
    loop_on_signal(loop, SIGUSR1, count_signal, &signals);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(signals, 0);
    TURN_UNTIL(loop, signals == 1);
    assert_int_equal(raise(SIGUSR1), 0);
    loop_run(loop);
    assert_int_equal(signals, 2);
}

static void what_waits_for_the_end_is_run_before_the_loop_is_freed(void **state)
{
    (void)state;
    struct loop *other = loop_new();
    ends[1].fn = end_b;
    order[0] = '\0';
    loop_at_turn_end(other, &ends[1]);
    loop_free(other);
    assert_string_equal(order, "b");
}

/* ---- listening ---- */

static size_t accepted;

static void close_accepted(void *ctx, int fd)
{
    assert_ptr_equal(ctx, &accepted);
    accepted++;
    int on = 0, flags = fcntl(fd, F_GETFL);
    socklen_t len = sizeof on;
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    assert_true(on != 0 && (flags & O_NONBLOCK) != 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    (void)close(fd);
}

static void a_listener_accepts_all_that_come(void **state)
{
    (void)state;
    enum { COUNT = 150 }; /* more than one batch */
    struct peer peers[COUNT];
    accepted = 0;
    struct listener *l = listen_any(loop, close_accepted, &accepted);
    char address[32];
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", listener_port(l));
    assert_string_equal(listener_address(l), address);
    for (size_t i = 0; i < COUNT; i++)
        peers[i] = peer_connect(listener_port(l));
    TURN_UNTIL(loop, accepted == COUNT);
    for (size_t i = 0; i < COUNT; i++)
        peer_close(&peers[i]);
    listener_close(l);
    listener_close(NULL);
}

static void what_cannot_be_listened_on_is_said(void **state)
{
    (void)state;
    struct listener *l = listen_any(loop, close_accepted, &accepted), *other;
    const char *why = NULL;
    enum err e =
        listener_open(&other, loop, "127.0.0.1", listener_port(l), close_accepted, &accepted, &why);
    assert_int_equal(e, ERR_IO);
    assert_string_equal(why, "Address already in use");
    why = NULL;
    e = listener_open(&other, loop, "no..name", 0, close_accepted, &accepted, &why);
    assert_int_equal(e, ERR_MISSING);
    assert_non_null(why);
    listener_close(l);
}

static void both_families_fit_one_listener(void **state)
{
    (void)state;
    struct listener *l;
    const char *why;
    if (listener_open(&l, loop, "::", 0, close_accepted, &accepted, &why) != ERR_OK)
        skip(); /* a machine without IPv6 */
    char address[32];
    (void)snprintf(address, sizeof address, "[::]:%u", listener_port(l));
    assert_string_equal(listener_address(l), address);
    accepted = 0;
    struct peer p = peer_connect(listener_port(l)); /* by IPv4 */
    TURN_UNTIL(loop, accepted == 1);
    peer_close(&p);
    listener_close(l);
}

static void without_descriptors_newcomers_are_refused_not_left_waiting(void **state)
{
    (void)state;
    enum { COUNT = 5 };
    accepted = 0;
    struct listener *l = listen_any(loop, close_accepted, &accepted);
    struct peer peers[COUNT];
    struct rlimit before, tight;
    for (size_t i = 0; i < COUNT; i++)
        peers[i] = peer_connect(listener_port(l));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int highest = dup(0);
    assert_true(highest > 0);
    (void)close(highest);
    tight = before;
    tight.rlim_cur = (rlim_t)highest; /* no descriptor is left */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    for (int i = 0; i < 1000 && listener_refused(l) < COUNT; i++)
        loop_turn(loop, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(listener_refused(l), COUNT);
    assert_int_equal(accepted, 0);
    for (size_t i = 0; i < COUNT; i++) {
        TURN_UNTIL(loop, peer_ended(&peers[i]));
        peer_close(&peers[i]);
    }
    peers[0] = peer_connect(listener_port(l)); /* and all is well again */
    TURN_UNTIL(loop, accepted == 1);
    peer_close(&peers[0]);
    listener_close(l);
}

static void the_limit_of_descriptors_is_raised_to_the_hard_one(void **state)
{
    (void)state;
    struct rlimit before, after;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(fd_limit_raise(), before.rlim_max);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &after), 0);
    assert_int_equal(after.rlim_cur, after.rlim_max);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_end_of_a_turn_comes_after_its_timers_and_in_order),
        TEST(timers_wake_the_loop_and_are_not_early),
        TEST(the_worst_lateness_is_told_once),
        TEST(a_turn_waits_no_longer_than_it_should),
        TEST(now_is_fresh_inside_callbacks),
        TEST(signals_are_called_in_the_loop),
        TEST(what_waits_for_the_end_is_run_before_the_loop_is_freed),
        TEST(a_listener_accepts_all_that_come),
        TEST(what_cannot_be_listened_on_is_said),
        TEST(both_families_fit_one_listener),
        TEST(without_descriptors_newcomers_are_refused_not_left_waiting),
        TEST(the_limit_of_descriptors_is_raised_to_the_hard_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
