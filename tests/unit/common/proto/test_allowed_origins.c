/* Which pages may connect. */
#include "common/proto/allowed_origins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LIST                                                                                       \
    "https://game.example, https://*.play.example:8443,http://localhost:5173 , app://local,"       \
    "http://[::1]:3000"

static void origins_are_compared_as_browsers_write_them(void **state)
{
    static const struct {
        const char *list, *origin;
        bool in;
    } rows[] = {
        {LIST, "https://game.example", true},
        {LIST, "https://game.example:443", true},
        {LIST, "HTTPS://Game.Example", true},
        {LIST, "http://game.example", false},
        {LIST, "https://game.example:444", false},
        {LIST, "https://a.game.example", false},
        {LIST, "https://game.example.evil", false},
        {LIST, "https://evilgame.example", false},
        {LIST, "https://game.example/", false},
        {LIST, "https://game.example@evil", false},
        {LIST, "https://a.play.example:8443", true},
        {LIST, "https://a.b.PLAY.example:8443", true},
        {LIST, "https://play.example:8443", false},
        {LIST, "https://.play.example:8443", false},
        {LIST, "https://a.play.example", false},
        {LIST, "https://evilplay.example:8443", false},
        {LIST, "https://*.play.example:8443", false},
        {LIST, "http://localhost:5173", true},
        {LIST, "http://localhost", false},
        {LIST, "app://local", true},
        {LIST, "http://[::1]:3000", true},
        {LIST, "null", false},
        {LIST, "", false},
        {LIST, "https://game.example, https://game.example", false},
        {LIST, "https://game.example https://evil.example", false},
        {LIST ",null", "null", true},
        {LIST ",null", "", false},
        {LIST ",null", "://", false},
        {"null", "NULL", false},
        {"http://a:80", "http://a", true},
        {"", "https://anything.example", true},
        {"", "nonsense", true},
        {" ", "null", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (allowed_origins_has(span_str(rows[i].list), span_str(rows[i].origin)) != rows[i].in)
            fail_msg("%s in %s", rows[i].origin, rows[i].list);
}

static void a_list_with_what_is_no_origin_is_refused(void **state)
{
    static const struct {
        const char *list, *bad; /* NULL: it is good */
    } rows[] = {
        {LIST, NULL},
        {"", NULL},
        {"null", NULL},
        {"https://*.game.example", NULL},
        {"game.example", "game.example"},
        {"https://a,", ""},
        {"https://a,,https://b", ""},
        {"https://a, *", "*"},
        {"https://", "https://"},
        {"https://*", "https://*"},
        {"https://a.*.example", "https://a.*.example"},
        {"https://*.", "https://*."},
        {"https://a/b", "https://a/b"},
        {"https://user@a", "https://user@a"},
        {"https://a:65536", "https://a:65536"},
        {"1http://a", "1http://a"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span bad;
        enum err e = allowed_origins_check(span_str(rows[i].list), &bad);
        if (e != (rows[i].bad == NULL ? ERR_OK : ERR_SYNTAX))
            fail_msg("%s", rows[i].list);
        assert_true(rows[i].bad == NULL || span_eq(bad, span_str(rows[i].bad)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(origins_are_compared_as_browsers_write_them),
        cmocka_unit_test(a_list_with_what_is_no_origin_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
