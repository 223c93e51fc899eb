#include "rig.h"

#define TOKEN                                                                                      \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ3b3JsZHMiOlsiKiJdfQ."                                 \
    "xFeOj-MMbMNCii_ZJOQEE9KCFVX87J6CCJy_THcp2I8"

/* A client that reads world-a's events; its stream has begun. */
static int open_stream(struct rig *rig, struct buf *got)
{
    int fd = rig_dial(rig);

    rig_write(fd, SPAN("GET /api/v1/worlds/world-a/events HTTP/1.1\r\nHost: h\r\n"
                       "Authorization: Bearer " TOKEN "\r\n\r\n"));
    rig_read_until(rig, fd, got, SPAN("retry: 2000\n\n\r\n"));
    assert_non_null(strstr(got->data, "HTTP/1.1 200 "));
    assert_non_null(strstr(got->data, "Content-Type: text/event-stream\r\n"));
    assert_non_null(strstr(got->data, "Access-Control-Allow-Origin: *\r\n"));
    assert_int_equal(rig->core.events.count, 1);
    return fd;
}

/* A new room, whose name has `len` bytes. */
static void make_room(struct rig *rig, int len, unsigned n)
{
    struct world *w = registry_make_world(&rig->core.registry, SPAN("world-a"));
    char *name = xcalloc(1, (size_t)len + 1);

    (void)snprintf(name, (size_t)len + 1, "%0*u", len, n);
    registry_add_room(&rig->core.registry, w, span_str(name), &room_settings_default);
    free(name);
}

static void turn_until_left(struct rig *rig)
{
    int64_t deadline = clock_mono_ms() + 4 * CONN_LINGER_MS; /* a close may take one of them */

    while (rig->core.events.count > 0 && clock_mono_ms() < deadline)
        loop_turn(rig->loop, 10);
    assert_int_equal(rig->core.events.count, 0);
}

static void events_arrive_as_they_happen(void **state)
{
    struct rig *rig = rig_new(0);
    struct buf got = {0};
    int fd = open_stream(rig, &got);

    (void)state;
    make_room(rig, 4, 7);
    rig_read_until(rig, fd, &got, SPAN("\n\n\r\n"));
    assert_non_null(strstr(got.data, "event: room.put\ndata: {\"name\":\"0007\","));
    close(fd); /* half a connection, until something is sent */
    make_room(rig, 4, 8);
    turn_until_left(rig);
    make_room(rig, 4, 9);
    buf_clear(&got);
    rig_free(rig);
}

static void a_reader_that_does_not_read_is_cut(void **state)
{
    struct rig *rig = rig_new(0);
    struct buf got = {0};
    int fd = open_stream(rig, &got);
    unsigned n = 0;

    (void)state;
    for (; rig->core.events.count > 0 && n < 4000; n++) {
        make_room(rig, 8000, n);
        loop_turn(rig->loop, 0);
    }
    assert_int_equal(rig->core.events.count, 0);
    assert_true(n > 100);
    close(fd);
    buf_clear(&got);
    rig_free(rig);
}

static void streams_end_when_the_server_drains(void **state)
{
    struct rig *rig = rig_new(0);
    struct buf got = {0};
    int fd = open_stream(rig, &got);

    (void)state;
    server_drain(&rig->server);
    assert_int_equal(rig->core.events.count, 0);
    rig_read_until(rig, fd, &got, (struct span){0});
    assert_string_equal(got.data, "0\r\n\r\n");
    close(fd);
    buf_clear(&got);
    rig_free(rig);
}

static void streams_of_a_world_that_goes_end(void **state)
{
    struct rig *rig = rig_new(0);
    struct buf got = {0};
    int fd = open_stream(rig, &got);

    (void)state;
    core_drop_world(&rig->core, SPAN("world-a"), moment_now(rig->loop));
    assert_int_equal(rig->core.events.count, 0);
    rig_read_until(rig, fd, &got, SPAN("0\r\n\r\n"));
    close(fd);
    loop_turn(rig->loop, 10);
    buf_clear(&got);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_arrive_as_they_happen),
        cmocka_unit_test(a_reader_that_does_not_read_is_cut),
        cmocka_unit_test(streams_of_a_world_that_goes_end),
        cmocka_unit_test(streams_end_when_the_server_drains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
