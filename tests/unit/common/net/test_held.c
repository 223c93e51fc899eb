/* Held exchanges: they wait, are tried at one node after the other, and come back to their owner.
 */
#include "common/net/held.h"

#include "passage.h"

static const struct http_pool_settings pool_settings = {
    .connect_ms = 1000, .answer_ms = 1000, .max_idle = 2, .idle_ms = 1000, .high_water = 64 * 1024};

/* The owner, and what it has heard. */
static struct {
    struct tunnels tunnels;
    struct tunnel_stats tunnel_stats;
    struct forwards forwards;
    struct forward_stats forward_stats;
    uint64_t forwards_now;
    struct pools pools;
    struct held_ways ways;
    struct held held;
    enum resolve_reason why;
    size_t failed, over;
} owner;

static void add_head(struct held *h, struct buf *head)
{
    assert_ptr_equal(h, &owner.held);
    buf_add_span(head, h->is_socket ? SPAN("GET /s HTTP/1.1\r\nUpgrade: websocket\r\n")
                                    : SPAN("POST /r HTTP/1.1\r\n"));
}

static void on_failed(struct held *h, enum resolve_reason why)
{
    assert_ptr_equal(h, &owner.held);
    owner.failed++;
    owner.why = why;
}

static void on_over(struct held *h)
{
    assert_ptr_equal(h, &owner.held);
    owner.over++;
}

static const struct held_ops ops = {.add_head = add_head, .failed = on_failed, .over = on_over};

static void take(struct http_exchange *x)
{
    held_begin(&owner.held, &owner.ways, x, x->head->upgrade);
}

static int set_up(void **state)
{
    (void)state;
    memset(&owner, 0, sizeof owner);
    door_open(take);
    tunnels_init(&owner.tunnels, door.loop, &owner.tunnel_stats);
    forwards_init(&owner.forwards, &owner.forward_stats, &owner.forwards_now);
    pools_init(&owner.pools, door.loop, &pool_settings);
    owner.ways = (struct held_ways){
        .tunnels = &owner.tunnels, .forwards = &owner.forwards, .pools = &owner.pools};
    held_ways_init(&owner.ways, &ops, 0, SPAN("x-lost: 1\r\n"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tunnels_abort(&owner.tunnels);
    forwards_clear(&owner.forwards);
    turn_some(door.loop);
    assert_int_equal(owner.over, 1);
    pools_clear(&owner.pools);
    turn_some(door.loop);
    door_close();
    return 0;
}

#define POST    "POST /here HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n"
#define UPGRADE "GET /here HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
#define MISDIRECTED(reason)                                                                        \
    "HTTP/1.1 421 Misdirected Request\r\nx-terrane-reason: " reason "\r\nContent-Length: "         \
    "0\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"

static void begin(const char *request)
{
    peer_send(&door.client, request);
    TURN_UNTIL(door.loop, owner.held.x != NULL);
}

static void try_at(const struct url_origin *origin)
{
    struct buf url = {0};
    buf_addf(&url, "http://%s", origin->text);
    held_try(&owner.held, buf_span(&url));
    buf_clear(&url);
}

/* Its owner answers. */
static void answer_it(void)
{
    http_respond(held_take_back(&owner.held), 404, SPAN(""), SPAN("no"));
    client_hears("404 ");
    assert_int_equal(owner.over, 0);
    owner.over = 1; /* for tear_down */
}

static void fails(enum resolve_reason why)
{
    size_t before = owner.failed;
    TURN_UNTIL(door.loop, owner.failed > before);
    assert_int_equal(owner.why, why);
    assert_int_equal(owner.over, 0);
}

static void request_goes_to_the_next_node_with_its_body(void **state)
{
    (void)state;
    begin(POST "abcdef");
    turn_some(door.loop);
    assert_true(held_waits(&owner.held));
    try_at(&door.a.origin);
    scripted_say(server_hears(&door.a, "\r\n\r\nabcdef"), MISDIRECTED("full"));
    fails(RESOLVE_FULL);
    try_at(&door.b.origin);
    scripted_say(server_hears(&door.b, "\r\n\r\nabcdef"), OK);
    client_hears("\r\n\r\ngood");
    assert_int_equal(owner.over, 1);
}

static void socket_goes_to_the_next_node(void **state)
{
    (void)state;
    begin(UPGRADE);
    try_at(&door.a.origin);
    assert_false(held_waits(&owner.held));
    scripted_say(server_hears(&door.a, "\r\n\r\n"), MISDIRECTED("draining"));
    fails(RESOLVE_DRAINING);
    assert_true(held_waits(&owner.held));
    try_at(&door.b.origin);
    scripted_say(server_hears(&door.b, "\r\n\r\n"), MISDIRECTED("unheard-of"));
    fails(RESOLVE_UNKNOWN);
    answer_it();
}

static void node_that_refuses_connections_is_unreachable(void **state)
{
    struct url_origin closed = closed_origin();
    (void)state;
    begin(UPGRADE);
    try_at(&closed);
    fails(RESOLVE_UNREACHABLE);
    url_origin_clear(&closed);
    peer_reset(&door.client);
    TURN_UNTIL(door.loop, owner.over == 1);
}

static void what_is_no_origin_is_unreachable_at_once(void **state)
{
    (void)state;
    begin(POST "abc");
    held_try(&owner.held, SPAN("nowhere"));
    assert_int_equal(owner.failed, 1);
    assert_int_equal(owner.why, RESOLVE_UNREACHABLE);
    answer_it();
}

static void request_that_broke_off_is_answered_for(void **state)
{
    (void)state;
    begin(POST "abcdef");
    try_at(&door.a.origin);
    conn_abort(&server_hears(&door.a, "\r\n\r\nabcdef")->conn);
    client_hears("The owner of the shard does not answer");
    assert_true(peer_has(&door.client, "502 "));
    assert_true(peer_has(&door.client, "x-lost: 1\r\n"));
    assert_int_equal(owner.failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(request_goes_to_the_next_node_with_its_body),
        TEST(socket_goes_to_the_next_node),
        TEST(node_that_refuses_connections_is_unreachable),
        TEST(what_is_no_origin_is_unreachable_at_once),
        TEST(request_that_broke_off_is_answered_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
