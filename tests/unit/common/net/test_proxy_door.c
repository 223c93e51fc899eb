/* Connections that must say first whose they are. */
#include "http_app.h"

#include "common/net/proxy_door.h"

static struct door_rig {
    struct proxy_door door;
    struct proxy_door_stats stats;
    struct addr_set networks;
    struct listener *listener;
    char peer[ADDR_TEXT_MAX];
} rig;

static void entered(void *ctx, int fd, const struct addr *peer)
{
    addr_format(peer, rig.peer);
    http_server_accept_from(ctx, fd, peer);
}

static int open_door(void **state, const char *networks)
{
    struct span bad;
    if (set_up(state) != 0)
        return -1;
    rig = (struct door_rig){.door = {.loop = app.loop,
                                     .networks = &rig.networks,
                                     .limits = &app.limits,
                                     .enter = entered,
                                     .ctx = app.server,
                                     .stats = &rig.stats}};
    assert_int_equal(addr_set_parse(&rig.networks, span_str(networks), &bad), ERR_OK);
    proxy_door_init(&rig.door);
    rig.listener = listen_any(app.loop, proxy_door_accept, &rig.door);
    return 0;
}

static int open_for_loopback(void **state)
{
    return open_door(state, "127.0.0.0/8");
}

static int open_for_others(void **state)
{
    return open_door(state, "10.0.0.0/8");
}

static int close_door(void **state)
{
    listener_close(rig.listener);
    proxy_door_clear(&rig.door);
    assert_int_equal(rig.stats.waiting, 0);
    addr_set_clear(&rig.networks);
    return tear_down(state);
}

static struct peer dial_door(void)
{
    return peer_connect(listener_port(rig.listener));
}

#define REQUEST "GET /now HTTP/1.1\r\nHost: x\r\n\r\n"
#define V1      "PROXY TCP4 192.0.2.7 10.0.0.1 12345 443\r\n"
#define V2      "\r\n\r\n\0\r\nQUIT\n"

static void assert_served_as(struct peer *p, const char *ip)
{
    until_text(p, "\r\n\r\nnow");
    assert_string_equal(rig.peer, ip);
    peer_close(p);
}

static void the_header_says_where_a_connection_began(void **state)
{
    static const struct {
        struct span text;
        const char *ip;
    } rows[] = {
        {SPAN_INIT(V1), "192.0.2.7"},
        {SPAN_INIT("PROXY TCP6 2001:db8::7 2001:db8::1 1 2\r\n"), "2001:db8::7"},
        {SPAN_INIT("PROXY UNKNOWN\r\n"), "127.0.0.1"},
        {SPAN_INIT(V2 "\x21\x11\0\x10\xc0\x00\x02\x07\x0a\x00\x00\x01\x30\x39\x01\xbb\x04\0\x01x"),
         "192.0.2.7"},
        {SPAN_INIT(V2 "\x20\0\0\0"), "127.0.0.1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf text = {0};
        struct peer p = dial_door();
        buf_add_span(&text, rows[i].text);
        BUF_ADD_LIT(&text, REQUEST);
        peer_send_bytes(&p, text.data, text.len);
        assert_served_as(&p, rows[i].ip);
        assert_int_equal(rig.stats.taken, i + 1);
        buf_clear(&text);
    }
}

static void a_header_may_come_byte_by_byte(void **state)
{
    (void)state;
    struct peer p = dial_door();
    for (const char *at = V1; *at != '\0'; at++) {
        peer_send_bytes(&p, at, 1);
        loop_turn(app.loop, 1);
        assert_int_equal(app.begun, 0);
    }
    peer_send(&p, REQUEST);
    assert_served_as(&p, "192.0.2.7");
}

static void anything_else_is_closed_without_a_word(void **state)
{
    static const char *const rows[] = {REQUEST, "\x16\x03\x01", ("PROXY TCP4 x\r\n" REQUEST),
                                       "PROXY"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct peer p = dial_door();
        peer_send(&p, rows[i]);
        if (i == 3) {
            turn_some(app.loop);
            (void)shutdown(p.fd, SHUT_WR);
        }
        TURN_UNTIL(app.loop, peer_ended(&p));
        assert_int_equal(p.in.len, 0);
        assert_int_equal(rig.stats.bad, i + 1);
        peer_close(&p);
    }
    assert_int_equal(app.begun, 0);
    assert_int_equal(rig.stats.taken, 0);
}

static void a_health_check_is_no_fault(void **state)
{
    (void)state;
    struct peer p = dial_door();
    peer_close(&p);
    TURN_UNTIL(app.loop, rig.stats.ended == 1);
    assert_int_equal(rig.stats.bad, 0);
}

static void who_is_slow_is_closed(void **state)
{
    (void)state;
    app.limits.header_ms = 30;
    struct peer p = dial_door();
    peer_send(&p, "PROXY TCP4 192.0.2.7 ");
    TURN_UNTIL(app.loop, peer_ended(&p));
    assert_int_equal(rig.stats.slow, 1);
    peer_close(&p);
}

static void only_so_many_wait(void **state)
{
    (void)state;
    app.limits.max_connections = 2;
    struct peer a = dial_door(), b = dial_door(), c = dial_door();
    TURN_UNTIL(app.loop, rig.stats.full == 1);
    assert_int_equal(rig.stats.waiting, 2);
    TURN_UNTIL(app.loop, peer_ended(&a) || peer_ended(&b) || peer_ended(&c));
    peer_close(&a);
    peer_close(&b);
    peer_close(&c);
}

static void those_from_other_networks_speak_http_at_once(void **state)
{
    (void)state;
    struct peer p = dial_door();
    peer_send(&p, REQUEST);
    assert_served_as(&p, "127.0.0.1");
    p = dial_door();
    peer_send(&p, V1 REQUEST);
    until_text(&p, "HTTP/1.1 400 ");
    peer_close(&p);
    p = dial_door();
    peer_send_bytes(&p, V2 "\x20\0\0\0" REQUEST, 16 + sizeof REQUEST - 1);
    until_text(&p, "HTTP/1.1 400 ");
    peer_close(&p);
    assert_int_equal(rig.stats.taken + rig.stats.bad, 0);
}

#define DOOR_TEST(name) cmocka_unit_test_setup_teardown(name, open_for_loopback, close_door)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOOR_TEST(the_header_says_where_a_connection_began),
        DOOR_TEST(a_header_may_come_byte_by_byte),
        DOOR_TEST(anything_else_is_closed_without_a_word),
        DOOR_TEST(a_health_check_is_no_fault),
        DOOR_TEST(who_is_slow_is_closed),
        DOOR_TEST(only_so_many_wait),
        cmocka_unit_test_setup_teardown(those_from_other_networks_speak_http_at_once,
                                        open_for_others, close_door),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
