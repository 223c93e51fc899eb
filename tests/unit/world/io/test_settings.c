#include "world/io/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/span.h"
#include "common/proto/token.h"

/* Loads the settings from these flags beside the two that are required. */
static enum config_verdict load(struct settings *s, const char *first, const char *second,
                                char **message)
{
    char *argv[] = {(char *)(uintptr_t) "terrane-world",
                    (char *)(uintptr_t) "--auth-jwt-secret=j",
                    (char *)(uintptr_t) "--shard-secret=s",
                    (char *)(uintptr_t)first,
                    (char *)(uintptr_t)second,
                    NULL};
    int argc = second != NULL ? 5 : (first != NULL ? 4 : 3);
    size_t len;
    FILE *err = open_memstream(message, &len);
    enum config_verdict verdict;

    memset(s, 0, sizeof(*s));
    verdict = config_load(&settings_table, s, argc, argv, stdout, err);
    (void)fclose(err);
    return verdict;
}

static void defaults_are_those_of_the_manual(void **state)
{
    struct settings s;
    char *message;

    (void)state;
    assert_int_equal(load(&s, NULL, NULL, &message), CONFIG_RUN);
    assert_string_equal(s.common.host, "127.0.0.1");
    assert_int_equal(s.common.port, 3002);
    assert_int_equal(s.jwt_alg, TOKEN_HS256);
    assert_string_equal(s.url_template, "{shardId}");
    assert_int_equal(s.max_room_shards, 100000);
    assert_int_equal(s.common.header_ms, 10000);
    assert_int_equal(s.common.body_ms, 30000);
    assert_int_equal(s.common.idle_ms, 60000);
    assert_int_equal(s.body_max, 2 * 1024 * 1024);
    assert_int_equal(s.common.ping_ms, 25000);
    assert_int_equal(s.common.pong_ms, 10000);
    assert_int_equal(s.seat_ttl_ms, 15000);
    assert_int_equal(s.anonymous_create_max, 10000);
    assert_int_equal(s.anonymous_create_rate, 100);
    assert_int_equal(s.anonymous_worlds, 1000);
    assert_string_equal(s.data_dir, "");
    assert_int_equal(s.store_sync, STORE_SYNC_NORMAL);
    assert_string_equal(s.redis_url, "");
    assert_string_equal(s.redis_prefix, "terrane");
    assert_int_equal(s.redis_wait, 0);
    assert_int_equal(s.redis_timeout_ms, 500);
    assert_int_equal(s.lease_ttl_ms, 3000);
    assert_int_equal(s.world_wait_ms, 5000);
    assert_string_equal(s.internal_url, "");
    config_clear(&settings_table, &s);
    free(message);
}

static void algorithms_are_in_the_order_of_the_enum(void **state)
{
    const struct config_row *row = settings_table.rows;

    (void)state;
    while (strcmp(row->name, "AUTH_JWT_ALG") != 0)
        row++;
    assert_string_equal(row->choices[TOKEN_HS256], "HS256");
    assert_string_equal(row->choices[TOKEN_RS256], "RS256");
    assert_string_equal(row->choices[TOKEN_ES256], "ES256");
    assert_null(row->choices[TOKEN_ES256 + 1]);
}

static void what_could_not_be_used_is_refused_by_name(void **state)
{
    static const struct {
        const char *flag;
        const char *name; /* NULL: accepted */
    } rows[] = {
        {"--trusted-proxies=10.0.0.0/8,::1", NULL},
        {"--trusted-proxies=10.0.0.0/33", "TRUSTED_PROXIES"},
        {"--shard-secret=new,old", NULL},
        {"--shard-secret=new,", "SHARD_SECRET"},
        {"--auth-jwt-alg=RS256", "AUTH_JWT_SECRET"},
        {"--auth-jwt-alg=ES256", "AUTH_JWT_SECRET"},
        {"--auth-jwt-secret=,", "AUTH_JWT_SECRET"},
        {"--room-servers=https://a,http://b", NULL},
        {"--room-servers=ftp://a", "ROOM_SERVERS"},
        {"--room-servers=http://a,", "ROOM_SERVERS"},
        {"--internal-listen=3004", NULL},
        {"--internal-listen=[::1]:0", NULL},
        {"--internal-listen=3004:", "INTERNAL_LISTEN"},
        {"--tls-cert=a", "TLS_CERT, TLS_KEY"},
        {"--internal-key=a", "INTERNAL_CERT, INTERNAL_KEY"},
        {"--redis-url=redis://user:p%40ss@[::1]:6380/2", NULL},
        {"--redis-url=redis+sentinel://a:1,b:2/main", NULL},
        {"--redis-url=http://127.0.0.1", "REDIS_URL"},
        {"--redis-url=rediss://127.0.0.1", "REDIS_URL: the installed hiredis has no TLS"},
        {"--redis-prefix=", "REDIS_PREFIX"},
        {"--internal-url=http://10.0.0.1:3002", NULL},
        {"--internal-url=http://10.0.0.1/x", "INTERNAL_URL"},
        {"--lease-ttl=299ms", "lease-ttl"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct settings s;
        char *message;
        enum config_verdict verdict = load(&s, rows[i].flag, NULL, &message);
        if (verdict != (rows[i].name == NULL ? CONFIG_RUN : CONFIG_BAD))
            fail_msg("%s: %s", rows[i].flag, message);
        if (rows[i].name != NULL)
            assert_non_null(strstr(message, rows[i].name));
        config_clear(&settings_table, &s);
        free(message);
    }
}

static void registry_is_kept_in_one_place(void **state)
{
    struct settings s;
    char *message;

    (void)state;
    assert_int_equal(load(&s, "--redis-url=redis://:pass@a", "--data-dir=/tmp/x", &message),
                     CONFIG_BAD);
    assert_non_null(strstr(message, "REDIS_URL"));
    assert_non_null(strstr(message, "DATA_DIR"));
    assert_null(strstr(message, "pass"));
    free(message);
}

static void the_admin_address_is_a_port_or_host_and_port(void **state)
{
    static const struct {
        const char *flag;
        enum err e;
        const char *host;
        uint16_t port;
    } rows[] = {
        {"--admin-listen=", ERR_MISSING, NULL, 0},
        {"--admin-listen=3004", ERR_OK, "127.0.0.1", 3004},
        {"--admin-listen=0", ERR_OK, "127.0.0.1", 0},
        {"--admin-listen=10.0.0.1:3004", ERR_OK, "10.0.0.1", 3004},
        {"--admin-listen=localhost:0", ERR_OK, "localhost", 0},
        {"--admin-listen=[::1]:3004", ERR_OK, "::1", 3004},
        {"--admin-listen=65536", ERR_SYNTAX, NULL, 0},
        {"--admin-listen=localhost", ERR_SYNTAX, NULL, 0},
        {"--admin-listen=localhost:", ERR_SYNTAX, NULL, 0},
        {"--admin-listen=:3004", ERR_SYNTAX, NULL, 0},
        {"--admin-listen=[::1]", ERR_SYNTAX, NULL, 0},
        {"--admin-listen=a:65536", ERR_SYNTAX, NULL, 0},
        {"--admin-listen=http://a:1", ERR_SYNTAX, NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct settings s;
        struct buf host = {0};
        uint16_t port = 0;
        char *message;
        enum config_verdict verdict = load(&s, rows[i].flag, NULL, &message);
        if (rows[i].e == ERR_SYNTAX) {
            if (verdict != CONFIG_BAD || strstr(message, "ADMIN_LISTEN") == NULL)
                fail_msg("%s: %s", rows[i].flag, message);
        } else {
            assert_int_equal(verdict, CONFIG_RUN);
            assert_int_equal(settings_admin_listen(&s, &host, &port), rows[i].e);
            assert_int_equal(port, rows[i].port);
        }
        if (rows[i].host != NULL)
            assert_string_equal(host.data, rows[i].host);
        buf_clear(&host);
        config_clear(&settings_table, &s);
        free(message);
    }
}

static void what_is_not_there_yet_is_refused_by_name(void **state)
{
    static const struct {
        const char *flag;
        bool accepted;
    } rows[] = {
        {"--seat-ttl=0", true},
        {"--anonymous-create-max=0", true},
        {"--anonymous-create-rate=1", true},
        {"--anonymous-create-rate=0", false},
        {"--anonymous-worlds=0", true},
        {"--anonymous-worlds=-1", false},
        {"--seat-ttl=250ms", true},
        {"--seat-ttl=1h", true},
        {"--seat-ttl=61m", false},
        {"--seat-ttl=-1s", false},
        {"--seat-ttl=15", false},
        {"--require-ticket=0", true},
        {"--require-ticket=1", true},
        {"--private-rooms=ignore", true},
        {"--private-rooms=enforce", true},
        {"--private-rooms=yes", false},
        {"--data-dir=/tmp", true},
        {"--store-sync=full", true},
        {"--store-sync=off", false},
        {"--admin-listen=127.0.0.1:1", true},
        {"--client-rate=50", false},
        {"--room-servers=http://127.0.0.1:3003, http://b", true},
        {"--room-servers=none", true},
        {"--room-failover=move", true},
        {"--room-failover=stay", false},
        {"--room-failover-wait=0", true},
        {"--port=65536", false},
        {"--body-max=1KiB", true},
        {"--body-max=1023", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct settings s;
        char *message;
        enum config_verdict verdict = load(&s, rows[i].flag, NULL, &message);
        if (verdict != (rows[i].accepted ? CONFIG_RUN : CONFIG_BAD))
            fail_msg("%s: %s", rows[i].flag, message);
        if (!rows[i].accepted) {
            struct span flag = span_str(rows[i].flag);
            char name[64];
            (void)snprintf(name, sizeof(name), "%.*s", (int)span_index(flag, '='), flag.ptr);
            assert_non_null(strstr(message, name));
        }
        config_clear(&settings_table, &s);
        free(message);
    }
}

static void connections_follow_the_descriptor_limit(void **state)
{
    static const struct {
        int64_t setting;
        uint64_t descriptors;
        size_t connections;
    } rows[] = {
        {0, 20000, 20000 - 1024},
        {0, 1024, 768},
        {0, 4096, 3072},
        {50, 20000, 50},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(process_max_connections(rows[i].setting, rows[i].descriptors),
                         rows[i].connections);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_manual),
        cmocka_unit_test(algorithms_are_in_the_order_of_the_enum),
        cmocka_unit_test(what_could_not_be_used_is_refused_by_name),
        cmocka_unit_test(registry_is_kept_in_one_place),
        cmocka_unit_test(the_admin_address_is_a_port_or_host_and_port),
        cmocka_unit_test(what_is_not_there_yet_is_refused_by_name),
        cmocka_unit_test(connections_follow_the_descriptor_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
