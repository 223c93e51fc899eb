/* The settings of a shard process. */
#include "shard/io/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Loads with one flag besides the secret. */
static enum config_verdict load(struct settings *s, const char *flag)
{
    char *text = strdup(flag);
    char program[] = "terrane-shard", secret[] = "--shard-secret=s";
    char *argv[] = {program, secret, text, NULL};
    FILE *null = fopen("/dev/null", "w");
    assert_non_null(null);
    *s = (struct settings){0};
    enum config_verdict v = config_load(&settings_table, s, 3, argv, null, null);
    (void)fclose(null);
    free(text);
    return v;
}

static void defaults_are_what_the_documents_say(void **state)
{
    struct settings s;
    (void)state;
    assert_int_equal(load(&s, "--host=::1"), CONFIG_RUN);
    assert_string_equal(s.common.host, "::1");
    assert_int_equal(s.common.port, 3010);
    assert_string_equal(s.world_urls, "http://127.0.0.1:3002");
    assert_string_equal(s.room_servers, "http://127.0.0.1:3003");
    assert_string_equal(s.world_id, "world-default");
    assert_int_equal(s.report_ms, 0);
    assert_string_equal(s.internal_url, "");
    assert_int_equal(s.http_proxy_path, PROXY_PATH_ROOM);
    assert_false(s.strict_envelope);
    assert_int_equal(s.link_buffer, 8 << 20);
    assert_int_equal(s.link_frame_max, 8 << 20);
    assert_int_equal(s.link_wait_ms, 15000);
    assert_int_equal(s.common.message_max, 1 << 20);
    assert_int_equal(s.client_queue, 1 << 20);
    assert_int_equal(s.slow_client, SLOW_CLIENT_CLOSE);
    assert_int_equal(s.slow_ms, 30000);
    assert_int_equal(s.message_ms, 60000);
    assert_int_equal(s.buffer_max, 1 << 30);
    assert_int_equal(s.message_rate.per_s, 1000);
    assert_int_equal(s.message_rate.burst, 2000);
    assert_int_equal(s.common.ping_ms, 25000);
    assert_int_equal(s.common.pong_ms, 10000);
    assert_int_equal(s.common.header_ms, 10000);
    assert_int_equal(s.common.body_ms, 30000);
    assert_int_equal(s.common.idle_ms, 60000);
    assert_int_equal(s.max_shards, 10000);
    config_clear(&settings_table, &s);
}

static void settings_that_are_not_there_yet_are_refused(void **state)
{
    static const struct {
        const char *flag;
        enum config_verdict verdict;
    } rows[] = {
        {"--seat-ttl=0", CONFIG_RUN},
        {"--seat-ttl=15s", CONFIG_RUN},
        {"--unregistered-shards=refuse", CONFIG_RUN},
        {"--unregistered-shards=perhaps", CONFIG_BAD},
        {"--require-ticket=0", CONFIG_RUN},
        {"--require-ticket=1", CONFIG_RUN},
        {"--private-rooms=ignore", CONFIG_RUN},
        {"--private-rooms=enforce", CONFIG_RUN},
        {"--private-rooms=yes", CONFIG_BAD},
        {"--client-rate=50", CONFIG_RUN},
        {"--client-rate=auto", CONFIG_RUN},
        {"--client-rate=often", CONFIG_BAD},
        {"--connect-rate=off", CONFIG_RUN},
        {"--connect-rate=auto", CONFIG_BAD},
        {"--room-failover=move", CONFIG_BAD},
        {"--world-protocol=reference", CONFIG_RUN},
        {"--world-protocol=heartbeat", CONFIG_BAD},
        {"--http-proxy-path=nested", CONFIG_RUN},
        {"--http-proxy-path=flat", CONFIG_BAD},
        {"--port=65536", CONFIG_BAD},
        {"--ping-interval=0", CONFIG_RUN},
        {"--link-buffer=1", CONFIG_BAD},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct settings s;
        enum config_verdict v = load(&s, rows[i].flag);
        if (v != rows[i].verdict)
            fail_msg("%s: %d", rows[i].flag, (int)v);
        if (v == CONFIG_RUN)
            config_clear(&settings_table, &s);
    }
}

static void what_could_not_be_used_is_refused(void **state)
{
    static const struct {
        const char *flag;
        enum config_verdict verdict;
    } rows[] = {
        {"--room-servers=none", CONFIG_RUN},
        {"--room-servers=", CONFIG_RUN},
        {"--room-servers=http://a:1, http://b:2", CONFIG_RUN},
        {"--room-servers=room-host:3003", CONFIG_BAD},
        {"--room-servers=wss://a:1", CONFIG_BAD},
        {"--room-servers=http://a:1/path", CONFIG_BAD},
        {"--world-urls=", CONFIG_BAD},
        {"--world-urls=none", CONFIG_BAD},
        {"--world-id=world-2", CONFIG_RUN},
        {"--world-id=second", CONFIG_BAD},
        {"--world-ids=world-1, world-2", CONFIG_RUN},
        {"--world-ids=world-1,second", CONFIG_BAD},
        {"--internal-url=http://10.0.0.1:3010", CONFIG_RUN},
        {"--internal-url=10.0.0.1:3010", CONFIG_BAD},
        {"--internal-url=http://a:1,http://b:1", CONFIG_BAD},
        {"--node-url=https://n1.example/edge", CONFIG_RUN},
        {"--node-url=n1.example", CONFIG_BAD},
        {"--node-id=a\nb", CONFIG_BAD},
        {"--trusted-proxies=10.0.0.0/8,::1", CONFIG_RUN},
        {"--trusted-proxies=10.0.0.0/33", CONFIG_BAD},
        {"--client-auth=none", CONFIG_RUN},
        {"--client-auth=jwt", CONFIG_BAD}, /* without a key */
        {"--client-auth=maybe", CONFIG_BAD},
        {"--auth-jwt-secret=new,old", CONFIG_RUN},
        {"--auth-jwt-secret=new,", CONFIG_BAD},
        {"--shard-secret=new,old", CONFIG_RUN},
        {"--shard-secret=new,", CONFIG_BAD},
        {"--shard-secret=two words", CONFIG_BAD},
        {"--node-id=node 1", CONFIG_RUN},
        {"--node-id=\xff", CONFIG_BAD},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct settings s;
        enum config_verdict v = load(&s, rows[i].flag);
        if (v != rows[i].verdict)
            fail_msg("%s: %d", rows[i].flag, (int)v);
        if (v == CONFIG_RUN)
            config_clear(&settings_table, &s);
    }
}

static void addresses_have_a_rate_behind_trusted_proxies(void **state)
{
    static const struct {
        const char *flag;
        struct rate_limit rate;
    } rows[] = {
        {"--host=::1", {0, 0}},         {"--trusted-proxies=10.0.0.0/8", {50, 200}},
        {"--client-rate=auto", {0, 0}}, {"--client-rate=7", {7, 7}},
        {"--client-rate=1:3", {1, 3}},  {"--client-rate=off", {0, 0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct settings s;
        assert_int_equal(load(&s, rows[i].flag), CONFIG_RUN);
        assert_int_equal(settings_client_rate(&s).per_s, rows[i].rate.per_s);
        assert_int_equal(settings_client_rate(&s).burst, rows[i].rate.burst);
        assert_int_equal(s.connect_rate.per_s, 2000);
        assert_int_equal(s.connect_rate.burst, 10000);
        config_clear(&settings_table, &s);
    }
}

static void clients_get_what_descriptors_are_left(void **state)
{
    (void)state;
    assert_int_equal(process_max_connections(0, 20000), 18976);
    assert_int_equal(process_max_connections(0, 4096), 3072);
    assert_int_equal(process_max_connections(0, 1000), 750);
    assert_int_equal(process_max_connections(7, 1000), 7);
    assert_int_equal(process_max_connections(800, 1000), 750); /* no more than there are */
    for (uint64_t n = 1; n < 10000; n += 7) {
        assert_true(process_max_connections(0, process_wanted_descriptors(n)) >= n);
        assert_true(process_max_connections(0, process_wanted_descriptors(n) - 1) < n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_what_the_documents_say),
        cmocka_unit_test(settings_that_are_not_there_yet_are_refused),
        cmocka_unit_test(what_could_not_be_used_is_refused),
        cmocka_unit_test(addresses_have_a_rate_behind_trusted_proxies),
        cmocka_unit_test(clients_get_what_descriptors_are_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
