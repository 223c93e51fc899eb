#include "world/io/feed_sockets.h"

#include "rig.h"

#define UPGRADE(path, headers)                                                                     \
    SPAN("GET " path " HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"       \
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" headers    \
         "\r\n")

static int open_socket(struct rig *rig, struct span request, struct buf *out, struct span end)
{
    int fd = rig_dial(rig);

    rig_write(fd, request);
    rig_read_until(rig, fd, out, end);
    return fd;
}

static void an_admin_hears_the_registry_and_its_changes(void **state)
{
    struct rig *rig = rig_new(0);
    struct buf text = {0}, request = {0};
    int fd = open_socket(
            rig, UPGRADE("/parties/world/world-a?x=1", "X-Access-Shard: " RIG_SECRET "\r\n"), &text,
            SPAN("\"rooms\":{},\"shards\":{}}}")),
        other = rig_dial(rig);

    (void)state;
    assert_true(span_starts(buf_span(&text), SPAN("HTTP/1.1 101 ")));
    assert_non_null(strstr(text.data, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    rig_add_post(&request, "/connect", "{\"roomId\":\"r\"}");
    rig_write(other, buf_span(&request));
    rig_read_until(rig, fd, &text, SPAN("{\"rooms\":{\"r\":{\"name\":\"r\"}}}}"));
    /* The tail comes by the clock of the loop, half a second later. */
    rig_read_until(rig, fd, &text, SPAN("}}}}"));
    assert_non_null(strstr(text.data, "\"lastHeartbeat\":"));

    feed_sockets_close(&rig->feeds, WS_CODE_RESTART, SPAN("restart"));
    rig_read_until(rig, fd, &text, SPAN("\x88\x09\x03\xf4restart"));
    rig_write(fd, SPAN("\x88\x82\x00\x00\x00\x00\x03\xf4"));
    while (feed_sockets_count(&rig->feeds) > 0)
        loop_turn(rig->loop, 10);
    assert_int_equal(rig->core.admins.count, 0);
    buf_clear(&text);
    buf_clear(&request);
    (void)close(fd);
    (void)close(other);
    rig_free(rig);
}

static void an_admin_of_a_world_that_goes_is_told_to_come_again(void **state)
{
    struct rig *rig = rig_new(0);
    struct buf text = {0};
    int fd =
        open_socket(rig, UPGRADE("/parties/world/world-a", "X-Access-Shard: " RIG_SECRET "\r\n"),
                    &text, SPAN("\"rooms\":{},\"shards\":{}}}"));

    (void)state;
    core_drop_world(&rig->core, SPAN("world-a"), moment_now(rig->loop));
    assert_int_equal(rig->core.admins.count, 0);
    rig_read_until(rig, fd, &text, SPAN("\x88\x09\x03\xf4restart"));
    rig_write(fd, SPAN("\x88\x82\x00\x00\x00\x00\x03\xf4"));
    while (feed_sockets_count(&rig->feeds) > 0)
        loop_turn(rig->loop, 10);
    buf_clear(&text);
    (void)close(fd);
    rig_free(rig);
}

static void strangers_get_a_handshake_or_a_close_and_no_frame(void **state)
{
    struct rig *rig = rig_new(0);
    struct buf text = {0};
    struct span closed = SPAN("\r\n\r\n\x88\x00");
    int silent, bad_world, pretender;

    (void)state;
    silent = open_socket(rig, UPGRADE("/parties/world/world-a", ""), &text, SPAN("\r\n\r\n"));
    bad_world = open_socket(rig, UPGRADE("/parties/world/nope", ""), &text, closed);
    pretender =
        open_socket(rig, UPGRADE("/parties/world/world-a", "X-Shard-Id: a:b:c\r\n"), &text, closed);
    assert_int_equal(rig->core.registry.world_count, 0);
    assert_int_equal(rig->core.stats.refusals[REFUSAL_FEED_DENIED], 1);
    assert_int_equal(rig->core.stats.refusals[REFUSAL_FEED_WORLD_ID], 1);
    assert_int_equal(rig->core.stats.refusals[REFUSAL_FEED_SHARD], 1);
    assert_int_equal(rig->core.stats.requests[ROUTE_FEED][CLASS_1XX], 3);
    buf_clear(&text);
    (void)close(silent);
    (void)close(bad_world);
    (void)close(pretender);
    rig_free(rig);
}

static void a_bad_handshake_is_told_what_is_wrong(void **state)
{
    struct rig *rig = rig_new(0);
    struct buf text = {0};
    int fd = open_socket(rig,
                         SPAN("GET /parties/world/world-a HTTP/1.1\r\nHost: h\r\nConnection: "
                              "Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
                         &text, SPAN("\"}"));

    (void)state;
    assert_true(span_starts(buf_span(&text), SPAN("HTTP/1.1 400 ")));
    assert_non_null(strstr(text.data, "Sec-WebSocket-Version: 13, 8\r\n"));
    assert_int_equal(rig->core.stats.requests[ROUTE_FEED][CLASS_4XX], 1);
    buf_clear(&text);
    (void)close(fd);
    rig_free(rig);
}

static void sockets_count_against_the_limit_of_connections(void **state)
{
    struct rig *rig = rig_new(2);
    struct buf text = {0};
    struct span request = UPGRADE("/parties/world/world-a", "");
    int first = open_socket(rig, request, &text, SPAN("\r\n\r\n")),
        second = open_socket(rig, request, &text, SPAN("\r\n\r\n")),
        third = open_socket(rig, request, &text, SPAN("\"}"));

    (void)state;
    assert_true(span_starts(buf_span(&text), SPAN("HTTP/1.1 503 ")));
    assert_non_null(strstr(text.data, "Retry-After: 1\r\n"));
    assert_int_equal(rig->core.stats.refusals[REFUSAL_CROWDED], 1);
    buf_clear(&text);
    (void)close(first);
    (void)close(second);
    (void)close(third);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_admin_hears_the_registry_and_its_changes),
        cmocka_unit_test(an_admin_of_a_world_that_goes_is_told_to_come_again),
        cmocka_unit_test(strangers_get_a_handshake_or_a_close_and_no_frame),
        cmocka_unit_test(a_bad_handshake_is_told_what_is_wrong),
        cmocka_unit_test(sockets_count_against_the_limit_of_connections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
