/* Requests on their way to another server: the tries, and what the client is told. */
#include "common/net/forward.h"

#include "passage.h"

/* The owner of the request under test, and what it has heard. */
static struct {
    struct forwards forwards;
    struct forward_stats stats;
    uint64_t now;
    struct forward *forward;
    struct http_pool *a, *b;
    struct http_pool *next; /* tried inside `failed`, once */
    struct buf reason;
    enum forward_failure why;
    size_t failed, ended;
} owner;

static const struct http_pool_settings pool_settings = {.connect_ms = 3000,
                                                        .answer_ms = 5000,
                                                        .max_idle = 4,
                                                        .idle_ms = 4000,
                                                        .high_water = 256 * 1024};

static void on_failed(void *ctx, struct forward *f, enum forward_failure why)
{
    struct http_pool *next = owner.next;
    assert_ptr_equal(ctx, &owner);
    assert_ptr_equal(f, owner.forward);
    owner.failed++;
    owner.why = why;
    owner.next = NULL;
    buf_reset(&owner.reason);
    buf_add_span(&owner.reason, forward_reason(f));
    if (next != NULL)
        forward_try(f, next);
}

static void on_ended(void *ctx)
{
    assert_ptr_equal(ctx, &owner);
    owner.ended++;
    owner.forward = NULL;
}

static const struct forward_kind kind = {.name = "there",
                                         .failed = on_failed,
                                         .ended = on_ended,
                                         .failed_status = 502,
                                         .timeout_status = 504,
                                         .failed_body = "lost"};

static void take(struct http_exchange *x)
{
    struct buf head = {0};
    buf_add_span(&head, x->head->method);
    buf_add_span(&head, SPAN(" /there HTTP/1.1\r\n"));
    owner.forward = forward_new(&owner.forwards, x, &head, &kind, &owner);
}

static int set_up(void **state)
{
    (void)state;
    memset(&owner, 0, sizeof owner);
    door_open(take);
    forwards_init(&owner.forwards, &owner.stats, &owner.now);
    owner.a = http_pool_new(door.loop, &door.a.origin, &pool_settings);
    owner.b = http_pool_new(door.loop, &door.b.origin, &pool_settings);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    forwards_clear(&owner.forwards);
    assert_int_equal(owner.ended, 1);
    assert_int_equal(owner.now, 0);
    http_pool_free(owner.a);
    http_pool_free(owner.b);
    turn_some(door.loop);
    door_close();
    buf_clear(&owner.reason);
    return 0;
}

static void begin(const char *request)
{
    peer_send(&door.client, request);
    TURN_UNTIL(door.loop, owner.forward != NULL);
}

#define GET  "GET /here HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST "POST /here HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n"
#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
#define MISDIRECTED                                                                                \
    "HTTP/1.1 421 Misdirected Request\r\nx-terrane-reason: full\r\nContent-Length: 0\r\n\r\n"

static void owner_may_name_the_server_later(void **state)
{
    (void)state;
    begin(POST "abc");
    turn_some(door.loop);
    forward_try(owner.forward, owner.a);
    struct scripted_conn *c = server_hears(&door.a, "\r\n\r\nabc");
    peer_send(&door.client, "def");
    server_hears(&door.a, "\r\n\r\nabcdef");
    scripted_say(c, OK);
    client_hears("\r\n\r\ngood");
    assert_int_equal(owner.stats.answers[2], 1);
}

static size_t other_failed, other_ended;

static void on_other_failed(void *ctx, struct forward *f, enum forward_failure why)
{
    (void)ctx;
    (void)why;
    assert_true(span_eq(forward_reason(f), SPAN("full")));
    other_failed++;
}

static void on_other_ended(void *ctx)
{
    (void)ctx;
    other_ended++;
}

static const struct forward_kind other_kind = {
    .name = "elsewhere", .failed = on_other_failed, .ended = on_other_ended, .failed_status = 500};

/* A second head and owner, as when the world says that the request is to be served elsewhere. */
static void turn_to_other(void)
{
    struct buf head = {0};
    other_failed = other_ended = 0;
    buf_add_span(&head, SPAN("POST /elsewhere HTTP/1.1\r\n"));
    forward_turn(owner.forward, &head, &other_kind, NULL);
}

static void request_that_is_turned_keeps_its_body(void **state)
{
    (void)state;
    begin(POST "abcdef");
    forward_try(owner.forward, owner.a);
    scripted_say(server_hears(&door.a, "\r\n\r\nabcdef"), MISDIRECTED);
    TURN_UNTIL(door.loop, owner.failed == 1);
    turn_to_other();
    forward_try(owner.forward, owner.b);
    struct scripted_conn *c = server_hears(&door.b, "\r\n\r\nabcdef");
    assert_true(scripted_has(c, "POST /elsewhere "));
    scripted_say(c, OK);
    client_hears("\r\n\r\ngood");
    assert_int_equal(other_ended, 1);
    assert_int_equal(owner.ended, 0);
    owner.ended = 1; /* nobody told the first owner */
}

static void request_that_is_given_back_can_be_answered(void **state)
{
    (void)state;
    begin(POST "abcdef");
    turn_to_other();
    forward_try(owner.forward, owner.a);
    scripted_say(server_hears(&door.a, "\r\n\r\nabcdef"),
                 "HTTP/1.1 421 Misdirected Request\r\nx-terrane-reason: full\r\n"
                 "Content-Length: 0\r\n\r\n");
    TURN_UNTIL(door.loop, other_failed == 1);
    http_respond(forward_give_back(owner.forward), 503, SPAN(""), SPAN("full"));
    client_hears("\r\n\r\nfull");
    assert_int_equal(other_ended, 0);
    owner.ended = 1; /* nobody told either of them */
}

static void owner_may_refuse_without_a_try(void **state)
{
    (void)state;
    begin(GET);
    forward_refuse(owner.forward, 404, SPAN("X-A: 1\r\n"), SPAN("none"));
    client_hears("X-A: 1\r\n\r\nnone");
    assert_int_equal(owner.stats.answers[0], 1);
}

static void body_is_sent_again_to_the_next_server(void **state)
{
    struct url_origin closed = closed_origin();
    struct http_pool *nobody = http_pool_new(door.loop, &closed, &pool_settings);
    (void)state;
    begin(POST "abc");
    forward_try(owner.forward, nobody);
    TURN_UNTIL(door.loop, owner.failed == 1);
    assert_int_equal(owner.why, FORWARD_UNREACHABLE);
    peer_send(&door.client, "def"); /* while the owner thinks */
    turn_some(door.loop);
    forward_try(owner.forward, owner.a);
    scripted_say(server_hears(&door.a, "\r\n\r\nabcdef"), OK);
    client_hears("good");
    http_pool_free(nobody);
    turn_some(door.loop);
    url_origin_clear(&closed);
}

static void misdirected_request_goes_to_the_owner_named(void **state)
{
    (void)state;
    begin(POST "abcdef");
    owner.next = owner.b;
    forward_try(owner.forward, owner.a);
    scripted_say(server_hears(&door.a, "abcdef"), MISDIRECTED);
    scripted_say(server_hears(&door.b, "\r\n\r\nabcdef"), OK);
    client_hears("good");
    assert_int_equal(owner.why, FORWARD_MISDIRECTED);
    assert_true(span_eq(buf_span(&owner.reason), SPAN("full")));
    assert_false(peer_has(&door.client, "421"));
}

static void big_body_that_was_begun_is_not_sent_again(void **state)
{
    enum { BIG = 2 * FORWARD_KEPT_MAX };
    char *body = xmalloc(BIG);
    struct buf head = {0};
    (void)state;
    memset(body, 'x', BIG);
    buf_addf(&head, "POST /here HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%c", BIG + 1,
             '\0');
    begin(head.data);
    forward_try(owner.forward, owner.a);
    struct scripted_conn *c = server_hears(&door.a, "\r\n\r\n");
    size_t before = c->got.len;
    peer_send_bytes(&door.client, body, BIG);
    TURN_UNTIL(door.loop, c->got.len == before + BIG);
    scripted_say(c, MISDIRECTED);
    client_hears("lost");
    client_hears("HTTP/1.1 502 ");
    assert_int_equal(owner.failed, 0);
    free(body);
    buf_clear(&head);
}

static void body_waits_while_its_owner_thinks(void **state)
{
    enum { BIG = 8 * 1024 * 1024 };
    struct buf request = {0};
    size_t sent = 0;
    (void)state;
    buf_addf(&request, "POST /here HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", BIG);
    size_t head = request.len;
    memset(buf_reserve(&request, BIG), 'y', BIG);
    request.len += BIG;
    for (int quiet = 0; quiet < 50;) {
        ssize_t n = send(door.client.fd, request.data + sent, request.len - sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        quiet = n > 0 ? 0 : quiet + 1;
        sent += n > 0 ? (size_t)n : 0;
        loop_turn(door.loop, 1);
    }
    assert_true(sent < request.len);
    forward_try(owner.forward, owner.a);
    struct scripted_conn *c = server_hears(&door.a, "\r\n\r\n");
    while (sent < request.len) {
        ssize_t n = send(door.client.fd, request.data + sent, request.len - sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        loop_turn(door.loop, 1);
    }
    TURN_UNTIL(door.loop, c->got.len >= BIG && memchr(c->got.data, 'y', c->got.len) != NULL);
    scripted_say(c, OK);
    client_hears("good");
    assert_true(head < sent);
    buf_clear(&request);
}

static void client_that_leaves_while_its_owner_thinks_ends_it(void **state)
{
    (void)state;
    begin(GET);
    peer_reset(&door.client);
    TURN_UNTIL(door.loop, owner.ended == 1);
}

static void request_that_broke_off_is_not_tried_again(void **state)
{
    (void)state;
    begin(POST "abcdef");
    forward_try(owner.forward, owner.a);
    conn_abort(&server_hears(&door.a, "abcdef")->conn);
    client_hears("lost");
    assert_int_equal(owner.failed, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(owner_may_name_the_server_later),
        TEST(request_that_is_turned_keeps_its_body),
        TEST(request_that_is_given_back_can_be_answered),
        TEST(owner_may_refuse_without_a_try),
        TEST(body_is_sent_again_to_the_next_server),
        TEST(misdirected_request_goes_to_the_owner_named),
        TEST(big_body_that_was_begun_is_not_sent_again),
        TEST(body_waits_while_its_owner_thinks),
        TEST(client_that_leaves_while_its_owner_thinks_ends_it),
        TEST(request_that_broke_off_is_not_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
