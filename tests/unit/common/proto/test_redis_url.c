#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/proto/redis_url.h"

static void assert_text(const char *text, const char *expected)
{
    if (expected == NULL)
        assert_null(text);
    else
        assert_string_equal(text, expected);
}

static void urls_name_servers_and_how_to_log_in(void **state)
{
    static const struct {
        const char *text, *servers, *master, *user, *password;
        uint32_t db;
    } rows[] = {
        {"redis://localhost", "localhost:6379 ", NULL, NULL, NULL, 0},
        {"redis://localhost/", "localhost:6379 ", NULL, NULL, NULL, 0},
        {"REDIS://h:1/15", "h:1 ", NULL, NULL, NULL, 15},
        {"redis://:pass@h", "h:6379 ", NULL, NULL, "pass", 0},
        {"redis://user:pass@h", "h:6379 ", NULL, "user", "pass", 0},
        {"redis://user:p@ss:w@h", "h:6379 ", NULL, "user", "p@ss:w", 0},
        {"redis://u%40:%2f%3A%25@h", "h:6379 ", NULL, "u@", "/:%", 0},
        {"redis://[::1]", "[::1]:6379 ", NULL, NULL, NULL, 0},
        {"redis://:p@[::1]:7/2", "[::1]:7 ", NULL, NULL, "p", 2},
        {"redis+sentinel://a/m", "a:26379 ", "m", NULL, NULL, 0},
        {"redis+sentinel://a:1,b,[::2]:3/m/4", "a:1 b:26379 [::2]:3 ", "m", NULL, NULL, 4},
        {"redis+sentinel://u:p@a,b/my%20m/", "a:26379 b:26379 ", "my m", "u", "p", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct redis_url u;
        struct buf servers = {.len = 0};
        const char *why;
        if (redis_url_parse(span_str(rows[i].text), &u, &why) != ERR_OK)
            fail_msg("%s: %s", rows[i].text, why);
        for (size_t s = 0; s < u.count; s++)
            buf_addf(&servers, "%s ", u.servers[s].text);
        assert_true(span_eq(buf_span(&servers), span_str(rows[i].servers)));
        assert_int_equal(u.kind, rows[i].master == NULL ? REDIS_SERVER : REDIS_SENTINEL);
        assert_text(u.master, rows[i].master);
        assert_text(u.user, rows[i].user);
        assert_text(u.password, rows[i].password);
        assert_int_equal(u.db, rows[i].db);
        buf_clear(&servers);
        redis_url_clear(&u);
    }
}

static void what_is_wrong_with_others_is_said_without_the_password(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "does not begin"},
        {"localhost:6379", "does not begin"},
        {"http://h", "neither"},
        {"redis-cluster://h", "neither"},
        {"rediss://:secret@h", "no TLS"},
        {"RedisS://h", "no TLS"},
        {"rediss+sentinel://h/m", "no TLS"},
        {"redis+tls://h", "no TLS"},
        {"redis+ssl://h", "no TLS"},
        {"redis://h?tls=true", "no TLS"},
        {"redis://h/0?ssl_cert_reqs=none", "no TLS"},
        {"redis://h?timeout=1", "nothing may follow"},
        {"redis://:secret?@h", "nothing may follow"},
        {"redis://", "hosts"},
        {"redis:///1", "hosts"},
        {"redis://:secret@", "hosts"},
        {"redis://h:0", "hosts"},
        {"redis://h:65536", "hosts"},
        {"redis://::1", "hosts"},
        {"redis://[::1", "hosts"},
        {"redis://:sec/ret@h", "%2F"},
        {"redis://a,b", "one server"},
        {"redis://user@h", "no password"},
        {"redis://user:@h", "no password"},
        {"redis://@h", "no password"},
        {"redis://:%zz@h", "percent"},
        {"redis://:%ff@h", "percent"},
        {"redis://:secret%00@h", "percent"},
        {"redis://%zz:secret@h", "percent"},
        {"redis://h/x", "number"},
        {"redis://h/-1", "number"},
        {"redis://h/1/2", "number"},
        {"redis://h/99999999999", "number"},
        {"redis+sentinel://a,b", "master is missing"},
        {"redis+sentinel://a,b/", "master is missing"},
        {"redis+sentinel://a,b//1", "master is missing"},
        {"redis+sentinel://a,,b/m", "hosts"},
        {"redis+sentinel://a/%zz", "name of its master"},
        {"redis+sentinel://a/m/x", "number"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct redis_url u;
        const char *why = "";
        if (redis_url_parse(span_str(rows[i].text), &u, &why) != ERR_SYNTAX)
            fail_msg("%s is accepted", rows[i].text);
        if (strstr(why, rows[i].says) == NULL || strstr(why, "sec") != NULL)
            fail_msg("%s: %s", rows[i].text, why);
        assert_int_equal(u.count, 0);
        assert_null(u.password);
    }
}

static void every_truncation_is_accepted_or_refused(void **state)
{
    static const char text[] = "redis+sentinel://u%40:p%3a@a:1,[::2]:3/m/4";
    (void)state;
    for (size_t len = 0; len < sizeof text; len++) {
        char *cut = xspandup(span_of(text, len));
        struct redis_url u;
        const char *why;
        enum err e = redis_url_parse(span_of(cut, len), &u, &why);
        assert_int_equal(e == ERR_OK, why == NULL);
        redis_url_clear(&u);
        free(cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_name_servers_and_how_to_log_in),
        cmocka_unit_test(what_is_wrong_with_others_is_said_without_the_password),
        cmocka_unit_test(every_truncation_is_accepted_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
