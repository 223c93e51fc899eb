#include "passage_rig.h"

#define UPGRADE                                                                                    \
    "GET /parties/world/world-a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n"                    \
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"                                          \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define SECRET "X-Access-Shard: " RIG_SECRET "\r\n"
#define WELCOME                                                                                    \
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"            \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

static void admin_hears_the_owner(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_send(pr, UPGRADE SECRET "\r\n");
    struct scripted_conn *owner = pr_heard(pr, 0, "\r\n\r\n");
    assert_true(scripted_has(owner, "GET /parties/world/world-a HTTP/1.1\r\n"));
    assert_true(scripted_has(owner, "Upgrade: websocket\r\n"));
    assert_true(scripted_has(owner, "x-terrane-hop: process-1;world;7\r\n"));
    scripted_say(owner, WELCOME "\x81\x02hi");
    pr_answered(pr, "HTTP/1.1 101 ", "\x81\x02hi");
    assert_int_equal(passage_feeds(pr->passage), 1);
    assert_int_equal(pr->stats.feeds.now, 1);
    conn_close(&owner->conn);
    rig_read_until(pr->rig, pr->fd, &pr->answer, (struct span){0});
    TURN_UNTIL(pr->rig->loop, passage_count(pr->passage) == 0);
    pr_free(pr);
}

static void strangers_stay_where_they_are(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_send(pr, UPGRADE "\r\n");
    pr_answered(pr, "HTTP/1.1 101 ", "\r\n\r\n");
    assert_int_equal(feed_sockets_count(&pr->rig->feeds), 1);
    assert_int_equal(pr->owner.count, 0);
    pr_free(pr);
}

static void admin_waits_for_this_process(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_sought(pr);
    pr_send(pr, UPGRADE SECRET "\r\n");
    TURN_UNTIL(pr->rig->loop, pr->stats.seekers.waited == 1);
    pr_here(pr, 8);
    pr_moved(pr);
    pr_answered(pr, "HTTP/1.1 101 ", "}");
    assert_non_null(strstr(pr->answer.data, "\"sync\""));
    assert_int_equal(passage_feeds(pr->passage), 0);
    pr_free(pr);
}

static void owner_that_is_misdirected_is_tried_no_more(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_send(pr, UPGRADE SECRET "\r\n");
    struct scripted_conn *owner = pr_heard(pr, 0, "\r\n\r\n");
    pr_here(pr, 8);
    scripted_say(owner, "HTTP/1.1 421 X\r\nContent-Length: 0\r\n\r\n");
    pr_answered(pr, "HTTP/1.1 101 ", "}");
    assert_int_equal(pr->doubts, 1);
    pr_free(pr);
}

static void nobody_is_waited_for_longer_than_that(void **state)
{
    struct passage_rig *pr = pr_new(60);

    (void)state;
    pr_sought(pr);
    pr_send(pr, UPGRADE SECRET "\r\n");
    pr_answered(pr, "HTTP/1.1 503 ", "{\"error\":\"No process decides for this world just now\"}");
    pr_free(pr);
}

static void client_may_leave_while_it_waits(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_sought(pr);
    pr_send(pr, UPGRADE SECRET "\r\n");
    TURN_UNTIL(pr->rig->loop, pr->stats.seekers.waited == 1);
    struct linger cut = {.l_onoff = 1};
    assert_int_equal(setsockopt(pr->fd, SOL_SOCKET, SO_LINGER, &cut, sizeof(cut)), 0);
    (void)close(pr->fd);
    TURN_UNTIL(pr->rig->loop, passage_count(pr->passage) == 0);
    pr->fd = rig_dial(pr->rig);
    pr_free(pr);
}

static void what_was_passed_on_is_not_passed_on_again(void **state)
{
    struct passage_rig *pr = pr_new(5000);
    struct hop_sign sign = {.method = SPAN("GET"),
                            .target = SPAN("/parties/world/world-a"),
                            .entry = SPAN("process-2"),
                            .client_ip = SPAN("203.0.113.7"),
                            .by_world = true};
    struct buf request = {0};

    (void)state;
    BUF_ADD_LIT(&request, UPGRADE SECRET);
    hop_sign_add(&request, &rig_secrets, &sign, clock_wall_ms());
    BUF_ADD_LIT(&request, "\r\n");
    rig_write(pr->fd, buf_span(&request));
    pr_answered(pr, "HTTP/1.1 421 ", "{\"error\":\"Another process decides for this world\"}");
    assert_non_null(strstr(pr->answer.data, "x-terrane-owner: http://127.0.0.1:"));
    assert_int_equal(pr->owner.count, 0);
    buf_clear(&request);
    pr_free(pr);
}

static void process_that_stops_closes_what_goes_through_it(void **state)
{
    struct passage_rig *pr = pr_new(5000);
    int waiting = rig_dial(pr->rig);

    (void)state;
    pr_send(pr, UPGRADE SECRET "\r\n");
    scripted_say(pr_heard(pr, 0, "\r\n\r\n"), WELCOME);
    pr_answered(pr, "HTTP/1.1 101 ", "\r\n\r\n");
    pr_sought(pr);
    rig_write(waiting, SPAN(UPGRADE SECRET "\r\n"));
    TURN_UNTIL(pr->rig->loop, pr->stats.seekers.waited == 1);
    passage_close(pr->passage);
    rig_read_until(pr->rig, waiting, &pr->answer, SPAN("just now\"}"));
    assert_true(span_starts(buf_span(&pr->answer), SPAN("HTTP/1.1 503 ")));
    rig_read_until(pr->rig, pr->fd, &pr->answer, SPAN("restart"));
    assert_memory_equal(pr->answer.data, "\x88\x09\x03\xf4", 4);
    (void)close(waiting);
    pr_free(pr);
}

static void sockets_on_their_way_count_as_connections(void **state)
{
    struct passage_rig *pr = pr_new(5000);
    int more = rig_dial(pr->rig);

    (void)state;
    pr->rig->server_settings.limits.max_connections = 2;
    pr_send(pr, UPGRADE SECRET "\r\n");
    scripted_say(pr_heard(pr, 0, "\r\n\r\n"), WELCOME);
    pr_answered(pr, "HTTP/1.1 101 ", "\r\n\r\n");
    rig_write(more, SPAN(UPGRADE SECRET "\r\n"));
    TURN_UNTIL(pr->rig->loop, passage_count(pr->passage) == 2);
    int third = rig_dial(pr->rig);
    rig_write(third, SPAN(UPGRADE SECRET "\r\n"));
    rig_read_until(pr->rig, third, &pr->answer, SPAN("{\"error\":\"Too many connections\"}"));
    metrics_write(&pr->rig->metrics, &pr->answer, false);
    buf_add_char(&pr->answer, '\0');
    assert_non_null(strstr(pr->answer.data, "\nterrane_world_passage_feeds 2\n"));
    (void)close(third);
    (void)close(more);
    pr_free(pr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(admin_hears_the_owner),
        cmocka_unit_test(strangers_stay_where_they_are),
        cmocka_unit_test(admin_waits_for_this_process),
        cmocka_unit_test(owner_that_is_misdirected_is_tried_no_more),
        cmocka_unit_test(nobody_is_waited_for_longer_than_that),
        cmocka_unit_test(client_may_leave_while_it_waits),
        cmocka_unit_test(what_was_passed_on_is_not_passed_on_again),
        cmocka_unit_test(process_that_stops_closes_what_goes_through_it),
        cmocka_unit_test(sockets_on_their_way_count_as_connections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
