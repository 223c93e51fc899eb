#include "world/io/shard_proxy.h"

#include "rig.h"

static void a_world_that_carries_all_it_may_says_so_and_counts_it(void **state)
{
    struct rig *rig = rig_new(0);
    struct shard_proxy shards;
    struct buf answer = {0};
    int fd = rig_dial(rig);

    (void)state;
    shard_proxy_init(&shards, rig->loop, &rig->server, &rig_secrets, 1);
    rig->server.shards = &shards;
    rig->metrics.shards = &shards.stats;
    shards.tunnels.count = 1; /* as if one were open */
    rig_write(fd, SPAN("GET /parties/shard/r:world-a:1760000000000-1 HTTP/1.1\r\nHost: h\r\n"
                       "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                       "Sec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
    rig_read_until(rig, fd, &answer, SPAN("}"));
    assert_true(span_starts(buf_span(&answer), SPAN("HTTP/1.1 503 ")));
    assert_non_null(strstr(answer.data, "Retry-After: 1\r\n"));
    shards.tunnels.count = 0;
    (void)close(fd);
    buf_reset(&answer);
    metrics_write(&rig->metrics, &answer, false);
    buf_add_char(&answer, '\0');
    assert_non_null(strstr(answer.data, "\nterrane_world_shard_proxy_refused_full_total 1\n"));
    assert_non_null(strstr(answer.data, "\nterrane_world_shard_proxy_tunnels 0\n"));
    shard_proxy_abort(&shards);
    shard_proxy_clear(&shards);
    buf_clear(&answer);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_world_that_carries_all_it_may_says_so_and_counts_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
