#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/proto/addr.h"

static struct addr addr_of(const char *text)
{
    struct addr a;
    if (addr_parse(span_str(text), &a) != ERR_OK)
        fail_msg("\"%s\" is no address", text);
    return a;
}

static void assert_addr(const struct addr *a, const char *expected)
{
    char text[ADDR_TEXT_MAX];
    addr_format(a, text);
    assert_string_equal(text, expected);
}

static void addresses_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text, *written; /* NULL: ERR_SYNTAX */
    } rows[] = {
        {"1.2.3.4", "1.2.3.4"},
        {"255.255.255.255", "255.255.255.255"},
        {"0.0.0.0", "0.0.0.0"},
        {"10.209.99.100", "10.209.99.100"},
        {"1.2.3.4:65535", "1.2.3.4"},
        {"::", "::"},
        {"::1", "::1"},
        {"2001:DB8::0:1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"[2001:db8::1]:80", "2001:db8::1"},
        {"::ffff:1.2.3.4", "1.2.3.4"},
        {"[::ffff:1.2.3.4]:1", "1.2.3.4"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"", NULL},
        {"unknown", NULL},
        {"_hidden", NULL},
        {"1.2.3", NULL},
        {"1.2.3.4.5", NULL},
        {"1.2.3.256", NULL},
        {"01.2.3.4", NULL},
        {" 1.2.3.4", NULL},
        {"1.2.3.4 ", NULL},
        {"1.2.3.4:", NULL},
        {"1.2.3.4:x", NULL},
        {"1.2.3.4:65536", NULL},
        {"1.2.3.4:-1", NULL},
        {"[1.2.3.4]", NULL},
        {"[1.2.3.4]:80", NULL},
        {"[::1", NULL},
        {"::1]", NULL},
        {"[]", NULL},
        {"[::1]80", NULL},
        {"[::1]:", NULL},
        {"::1::", NULL},
        {":1", NULL},
        {"fe80::1%eth0", NULL},
        {"1.2.3.4/8", NULL},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct addr a;
        enum err e = addr_parse(span_str(rows[i].text), &a);
        if (e != (rows[i].written == NULL ? ERR_SYNTAX : ERR_OK))
            fail_msg("%s: \"%s\"", err_text(e), rows[i].text);
        if (e == ERR_OK)
            assert_addr(&a, rows[i].written);
    }
    struct addr a;
    assert_int_equal(addr_parse(SPAN("1.2.3.4\0"), &a), ERR_SYNTAX);
    assert_int_equal(addr_parse((struct span){.ptr = NULL}, &a), ERR_SYNTAX);
}

static void loopback_is_127_slash_8_and_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool loopback;
    } rows[] = {
        {"127.0.0.1", true},  {"127.255.0.9", true}, {"::1", true},  {"::ffff:127.0.0.1", true},
        {"128.0.0.1", false}, {"0.0.0.1", false},    {"::2", false}, {"::", false},
        {"7f00::1", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct addr a = addr_of(rows[i].text);
        assert_int_equal(addr_is_loopback(&a), rows[i].loopback);
    }
}

static void sets_hold_their_networks(void **state)
{
    (void)state;
    static const struct {
        const char *set, *address;
        bool has;
    } rows[] = {
        {"", "1.2.3.4", false},
        {" ", "1.2.3.4", false},
        {"1.2.3.4", "1.2.3.4", true},
        {"1.2.3.4", "1.2.3.5", false},
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.1.2.3/8", "10.9.9.9", true}, /* bits behind the prefix do not count */
        {"10.0.0.0/9", "10.127.0.1", true},
        {"10.0.0.0/9", "10.128.0.1", false},
        {"10.0.0.0/31", "10.0.0.1", true},
        {"10.0.0.0/31", "10.0.0.2", false},
        {"10.0.0.0/8", "::ffff:10.1.1.1", true},
        {"::ffff:10.0.0.0/104", "10.1.1.1", true},
        {"0.0.0.0/0", "255.1.1.1", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "1.2.3.4", true},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"::1/128", "::1", true},
        {"::1", "::2", false},
        {"10.0.0.0/8, ::1 ,192.168.1.0/24", "192.168.1.77", true},
        {"10.0.0.0/8, ::1 ,192.168.1.0/24", "::1", true},
        {"10.0.0.0/8, ::1 ,192.168.1.0/24", "192.168.2.1", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct addr_set set;
        struct span bad;
        struct addr a = addr_of(rows[i].address);
        assert_int_equal(addr_set_parse(&set, span_str(rows[i].set), &bad), ERR_OK);
        if (addr_set_has(&set, &a) != rows[i].has)
            fail_msg("%s in \"%s\"", rows[i].address, rows[i].set);
        addr_set_clear(&set);
    }
}

static void bad_networks_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *set, *bad;
    } rows[] = {
        {"10.0.0.0/8, nonsense ,::1", "nonsense"},
        {"10.0.0.0/33", "10.0.0.0/33"},
        {"::/129", "::/129"},
        {"10.0.0.0/", "10.0.0.0/"},
        {"10.0.0.0/-1", "10.0.0.0/-1"},
        {"10.0.0.0/8/8", "10.0.0.0/8/8"},
        {"10.0.0.0:80", "10.0.0.0:80"},
        {"[::1]", "[::1]"},
        {"10.0.0.1,,::1", ""},
        {"10.0.0.1,", ""},
        {"localhost", "localhost"},
        {"10.0.0.0/18446744073709551617", "10.0.0.0/18446744073709551617"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct addr_set set;
        struct span bad;
        assert_int_equal(addr_set_parse(&set, span_str(rows[i].set), &bad), ERR_SYNTAX);
        if (!span_eq(bad, span_str(rows[i].bad)))
            fail_msg("\"%.*s\" of \"%s\"", SPAN_ARG(bad), rows[i].set);
        assert_null(set.nets);
        assert_int_equal(set.count, 0);
    }
}

static void client_is_the_right_most_that_nobody_vouches_for(void **state)
{
    (void)state;
    static const struct {
        const char *peer, *forwarded, *client;
    } rows[] = {
        {"9.9.9.9", "1.1.1.1", "9.9.9.9"}, /* not trusted: its word counts for nothing */
        {"10.0.0.1", "", "10.0.0.1"},
        {"10.0.0.1", "1.1.1.1", "1.1.1.1"},
        {"10.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"},
        {"10.0.0.1", "6.6.6.6,1.1.1.1,10.0.0.2", "1.1.1.1"},
        {"10.0.0.1", "6.6.6.6, 1.1.1.1 , 10.0.0.2\t, ::1", "1.1.1.1"},
        {"10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
        {"10.0.0.1", "1.1.1.1:1234", "1.1.1.1"},
        {"10.0.0.1", "[2001:db8::1]:99", "2001:db8::1"},
        {"::ffff:10.0.0.1", "1.1.1.1", "1.1.1.1"},
        {"10.0.0.1", "unknown", "10.0.0.1"},
        {"10.0.0.1", "1.1.1.1, unknown", "10.0.0.1"},
        {"10.0.0.1", "1.1.1.1, unknown, 10.0.0.2", "10.0.0.2"},
        {"10.0.0.1", "1.1.1.1,", "10.0.0.1"},
        {"10.0.0.1", ",", "10.0.0.1"},
        {"10.0.0.1", ",1.1.1.1", "1.1.1.1"},
        {"10.0.0.1", ",10.0.0.2", "10.0.0.2"},
    };
    struct addr_set trusted;
    struct span bad;
    size_t hops;
    assert_int_equal(addr_set_parse(&trusted, SPAN("10.0.0.0/8,::1"), &bad), ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct addr peer = addr_of(rows[i].peer);
        struct addr client = addr_of_client(&trusted, &peer, span_str(rows[i].forwarded), &hops);
        assert_addr(&client, rows[i].client);
    }
    struct addr peer = addr_of("10.0.0.1");
    struct addr client =
        addr_of_client(&(struct addr_set){.count = 0}, &peer, SPAN("1.1.1.1"), &hops);
    assert_addr(&client, "10.0.0.1");
    assert_int_equal(hops, 0);
    peer = addr_of("::1");
    (void)addr_of_client(&trusted, &peer, SPAN("6.6.6.6, 1.1.1.1, 10.1.1.1"), &hops);
    assert_int_equal(hops, 2);
    addr_set_clear(&trusted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written),
        cmocka_unit_test(loopback_is_127_slash_8_and_one),
        cmocka_unit_test(sets_hold_their_networks),
        cmocka_unit_test(bad_networks_are_named),
        cmocka_unit_test(client_is_the_right_most_that_nobody_vouches_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
