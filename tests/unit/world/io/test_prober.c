#include "world/io/prober.h"

#include "common/base/log.h"
#include "rig.h"

/* A loopback port on which nobody answers: closed, or (`listens`) open and mute. */
static int mute_port(bool listens, int *fd)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);

    *fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(*fd >= 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&at, &len), 0);
    if (listens)
        assert_int_equal(listen(*fd, 4), 0);
    return ntohs(at.sin_port);
}

/* Probes a server at that port; answers what became of it. */
static enum server_state probed(struct rig *rig, struct prober *prober, int port)
{
    struct registry *r = &rig->core.registry;
    struct world *w = registry_make_world(r, SPAN("world-a"));
    int64_t deadline = clock_mono_ms() + 5000;
    struct world_server *at;
    enum server_state state;
    char origin[64];

    (void)snprintf(origin, sizeof(origin), "http://127.0.0.1:%d", port);
    rig->port.probe = prober_port(prober);
    assert_int_equal(servers_add(r, w, span_str(origin), moment_now(rig->loop), &at), ERR_OK);
    core_tick(&rig->core, moment_now(rig->loop));
    while (at->server->state == SERVER_UNKNOWN && clock_mono_ms() < deadline)
        loop_turn(rig->loop, 10);
    state = at->server->state;
    servers_remove(r, at);
    servers_tidy(r);
    return state;
}

static void any_http_answer_is_a_sign_of_life(void **state)
{
    struct rig *rig = rig_new(100);
    struct prober prober;

    (void)state;
    prober_init(&prober, rig->loop, &rig->core);
    assert_int_equal(probed(rig, &prober, listener_port(rig->listener)), SERVER_UP); /* a 404 */
    prober_clear(&prober);
    rig_free(rig);
}

static void a_server_that_is_closed_or_mute_is_down(void **state)
{
    struct rig *rig = rig_new(100);
    struct prober prober;

    (void)state;
    prober_init(&prober, rig->loop, &rig->core);
    for (int listens = 0; listens <= 1; listens++) {
        int fd;
        assert_int_equal(probed(rig, &prober, mute_port(listens == 1, &fd)), SERVER_DOWN);
        close(fd);
    }
    prober_clear(&prober);
    rig_free(rig);
}

static void probes_that_are_under_way_go_with_the_prober(void **state)
{
    struct rig *rig = rig_new(100);
    struct world *w = registry_make_world(&rig->core.registry, SPAN("world-a"));
    struct world_server *at;
    struct prober prober;

    (void)state;
    prober_init(&prober, rig->loop, &rig->core);
    rig->port.probe = prober_port(&prober);
    assert_int_equal(
        servers_add(&rig->core.registry, w, SPAN("http://127.0.0.1:9"), moment_now(rig->loop), &at),
        ERR_OK);
    core_tick(&rig->core, moment_now(rig->loop));
    assert_false(list_empty(&prober.probes));
    ticker_stop(&rig->ticker);
    prober_clear(&prober);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_http_answer_is_a_sign_of_life),
        cmocka_unit_test(a_server_that_is_closed_or_mute_is_down),
        cmocka_unit_test(probes_that_are_under_way_go_with_the_prober),
    };

    log_open("test", LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
