/* What is believed of the way a request came. */
#include "common/proto/whence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct addr_set trusted;

static void assert_whence(const char *peer, const char *lines, const char *want)
{
    struct buf text = {0};
    struct http_head h;
    struct whence w;
    struct addr addr;
    char ip[ADDR_TEXT_MAX], got[512];
    buf_addf(&text, "GET / HTTP/1.1\r\nHost: own\r\n%s\r\n", lines);
    assert_int_equal(http_head_parse_request(&h, text.data, text.len), ERR_OK);
    assert_int_equal(addr_parse(span_str(peer), &addr), ERR_OK);
    whence_read(&w, &h, &addr, &trusted);
    addr_format(&w.client, ip);
    (void)snprintf(got, sizeof got, "%s %s://%.*s", ip, w.https ? "https" : "http",
                   SPAN_ARG(whence_host(&w, &h)));
    if (strcmp(got, want) != 0)
        fail_msg("%s from %s: got %s, expected %s", lines, peer, got, want);
    buf_clear(&text);
}

static void the_outermost_trusted_proxy_tells_the_way(void **state)
{
    static const struct {
        const char *peer, *lines, *want;
    } rows[] = {
        {"10.0.0.1", "", "10.0.0.1 http://own"},
        {"9.9.9.9", "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\n",
         "9.9.9.9 http://own"},
        {"9.9.9.9", "Forwarded: for=1.1.1.1;proto=https;host=evil\r\n", "9.9.9.9 http://own"},
        {"10.0.0.1",
         "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: game:8443\r\n",
         "1.1.1.1 https://game:8443"},
        {"10.0.0.1", "X-Forwarded-Proto: HTTPS\r\n", "10.0.0.1 https://own"},
        {"10.0.0.1", "X-Forwarded-Proto: wss\r\n", "10.0.0.1 https://own"},
        {"10.0.0.1", "X-Forwarded-Host: a b\r\n", "10.0.0.1 http://own"},
        /* Lists: the entry of the proxy that vouches for the client. */
        {"10.0.0.1",
         "X-Forwarded-For: 6.6.6.6, 1.1.1.1, 10.0.0.2\r\n"
         "X-Forwarded-Proto: http, https, http\r\nX-Forwarded-Host: evil, game, in\r\n",
         "1.1.1.1 https://game"},
        {"10.0.0.1", "X-Forwarded-For: 6.6.6.6, 1.1.1.1\r\nX-Forwarded-Proto: https, http\r\n",
         "1.1.1.1 http://own"},
        {"10.0.0.1", "X-Forwarded-For: 1.1.1.1, 10.0.0.2\r\nX-Forwarded-Proto: https\r\n",
         "1.1.1.1 https://own"},
        {"10.0.0.1",
         "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 10.0.0.2\r\n"
         "X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n",
         "1.1.1.1 https://own"},
        /* Forwarded. */
        {"10.0.0.1", "Forwarded: for=1.1.1.1;proto=https;host=game.example\r\n",
         "1.1.1.1 https://game.example"},
        {"10.0.0.1",
         "Forwarded: for=6.6.6.6;host=evil, for=1.1.1.1;proto=https;host=game\r\n"
         "Forwarded: for=10.0.0.2;proto=http;host=in\r\n",
         "1.1.1.1 https://game"},
        {"10.0.0.1", "Forwarded: for=1.1.1.1;proto=https, for=10.0.0.2\r\n", "1.1.1.1 https://own"},
        {"10.0.0.1", "Forwarded: for=\", for=\"[2001:db8::1]\";proto=https\r\n",
         "2001:db8::1 https://own"},
        {"10.0.0.1", "Forwarded: for=6.6.6.6, for=unknown;proto=https\r\n", "10.0.0.1 https://own"},
        {"10.0.0.1", "Forwarded: for=6.6.6.6, for=_a, for=10.0.0.7\r\n", "10.0.0.7 http://own"},
        {"10.0.0.1", "Forwarded: for=6.6.6.6, proto=https\r\n", "10.0.0.1 https://own"},
        {"10.0.0.1", "Forwarded: for=6.6.6.6, nonsense\r\n", "10.0.0.1 http://own"},
        {"10.0.0.1", "Forwarded: \r\n", "10.0.0.1 http://own"},
        /* Both: the older family, whatever the other says. */
        {"10.0.0.1", "Forwarded: for=6.6.6.6;proto=https;host=evil\r\nX-Forwarded-For: 1.1.1.1\r\n",
         "1.1.1.1 http://own"},
        {"10.0.0.1", "Forwarded: for=6.6.6.6;host=evil\r\nX-Forwarded-Proto: https\r\n",
         "10.0.0.1 https://own"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_whence(rows[i].peer, rows[i].lines, rows[i].want);
}

static int set_up(void **state)
{
    struct span bad;
    (void)state;
    return addr_set_parse(&trusted, SPAN("10.0.0.0/8"), &bad) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    addr_set_clear(&trusted);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_outermost_trusted_proxy_tells_the_way),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
