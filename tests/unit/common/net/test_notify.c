/* What a service manager hears: the manager is a socket of the test. */
#include "common/net/notify.h"

#include "wire.h"

static struct loop *loop;
static struct notify notify;
static int manager = -1;
static char dir[] = "/tmp/terrane-notify-XXXXXX", path[sizeof dir + 8], said[512];

static int set_up(void **state)
{
    (void)state;
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
    loop = loop_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    notify_clear(&notify);
    loop_free(loop);
    if (manager >= 0)
        (void)close(manager);
    manager = -1;
    (void)unlink(path);
    return 0;
}

/* The manager listens at `name`, and the process is told so. */
static void manage(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    assert_true(len < sizeof at.sun_path);
    memcpy(at.sun_path, name, len);
    if (*name == '@')
        at.sun_path[0] = '\0';
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(manager, (struct sockaddr *)&at,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                     0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
}

static void manage_a_path(void)
{
    (void)snprintf(path, sizeof path, "%s/notify", dir);
    manage(path);
}

/* The next datagram; empty: there is none. */
static const char *heard(void)
{
    ssize_t len = recv(manager, said, sizeof said - 1, 0);
    said[len > 0 ? len : 0] = '\0';
    return said;
}

static bool has_come(void)
{
    return *heard() != '\0';
}

static void add_two_lines(void *ctx, struct buf *out)
{
    buf_addf(out, "%s\nclients", (const char *)ctx);
}

static void without_a_manager_nothing_is_opened(void **state)
{
    size_t fds = open_fds();
    (void)state;
    notify_init(&notify, loop);
    notify_ready(&notify);
    notify_reloading(&notify);
    notify_stopping(&notify);
    assert_false(notify.on);
    assert_int_equal(open_fds(), fds);
}

static void ready_and_the_end_are_told_at_a_path(void **state)
{
    (void)state;
    manage_a_path();
    notify_init(&notify, loop);
    assert_string_equal(heard(), "");
    notify_ready(&notify);
    assert_string_equal(heard(), "READY=1\n");
    notify_stopping(&notify);
    assert_string_equal(heard(), "STOPPING=1\n");
}

static void abstract_names_are_known(void **state)
{
    char name[64];
    (void)state;
    (void)snprintf(name, sizeof name, "@terrane-notify-%ld", (long)getpid());
    manage(name);
    notify_init(&notify, loop);
    notify_ready(&notify);
    assert_string_equal(heard(), "READY=1\n");
}

static void status_is_one_line(void **state)
{
    char three[] = "3";
    (void)state;
    manage_a_path();
    notify_init(&notify, loop);
    notify.add_status = add_two_lines;
    notify.ctx = three;
    notify_ready(&notify);
    assert_string_equal(heard(), "READY=1\nSTATUS=3 clients\n");
}

static void reloading_says_since_when(void **state)
{
    int64_t before = clock_mono_us();
    long long at;
    (void)state;
    manage_a_path();
    notify_init(&notify, loop);
    notify_reloading(&notify);
    assert_int_equal(sscanf(heard(), "RELOADING=1\nMONOTONIC_USEC=%lld\n", &at), 1);
    assert_true(at >= before && at <= clock_mono_us());
    notify_ready(&notify);
    assert_string_equal(heard(), "READY=1\n");
}

static void the_loop_is_alive_as_long_as_it_turns(void **state)
{
    (void)state;
    manage_a_path();
    (void)setenv("WATCHDOG_USEC", "40000", 1);
    notify_init(&notify, loop);
    assert_int_equal(notify.every_ms, 20);
    notify_ready(&notify);
    assert_string_equal(heard(), "READY=1\n");
    TURN_UNTIL(loop, has_come());
    assert_string_equal(said, "WATCHDOG=1\n");
    assert_string_equal(heard(), ""); /* nobody turns it: nothing comes */
    TURN_UNTIL(loop, has_come());
    assert_string_equal(said, "WATCHDOG=1\n");
    notify_stopping(&notify);
    assert_string_equal(heard(), "STOPPING=1\n");
    TURN_UNTIL(loop, has_come());
    assert_string_equal(said, "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=15000000\n");
}

static void another_process_s_watchdog_is_not_ours(void **state)
{
    char pid[24];
    (void)state;
    manage_a_path();
    (void)setenv("WATCHDOG_USEC", "40000", 1);
    (void)setenv("WATCHDOG_PID", "1", 1);
    notify_init(&notify, loop);
    assert_true(notify.on);
    assert_false(notify.watched);
    notify_clear(&notify);
    (void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
    (void)setenv("WATCHDOG_PID", pid, 1);
    notify_init(&notify, loop);
    assert_true(notify.watched);
}

static void what_is_no_address_is_none(void **state)
{
    char many[200];
    (void)state;
    memset(many, 'x', sizeof many - 1);
    many[0] = '/';
    many[sizeof many - 1] = '\0';
    const char *const names[] = {"", "/", "relative", "vsock:2:1234", many};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)setenv("NOTIFY_SOCKET", names[i], 1);
        notify_init(&notify, loop);
        assert_false(notify.on);
    }
}

static void a_manager_that_is_gone_does_no_harm(void **state)
{
    (void)state;
    manage_a_path();
    notify_init(&notify, loop);
    (void)close(manager);
    manager = -1;
    (void)unlink(path);
    notify_ready(&notify);
    notify_stopping(&notify);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(without_a_manager_nothing_is_opened),
        TEST(ready_and_the_end_are_told_at_a_path),
        TEST(abstract_names_are_known),
        TEST(status_is_one_line),
        TEST(reloading_says_since_when),
        TEST(the_loop_is_alive_as_long_as_it_turns),
        TEST(another_process_s_watchdog_is_not_ours),
        TEST(what_is_no_address_is_none),
        TEST(a_manager_that_is_gone_does_no_harm),
    };
    if (mkdtemp(dir) == NULL)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)rmdir(dir);
    return failed;
}
