#include "passage_rig.h"

#include "world/io/question.h"

#define TOKEN                                                                                      \
    "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ3b3JsZHMiOlsiKiJdfQ."           \
    "xFeOj-MMbMNCii_ZJOQEE9KCFVX87J6CCJy_THcp2I8\r\n"

#define CONNECT "{\"roomId\":\"r\"}"
#define OK_7    "HTTP/1.1 200 OK\r\nx-terrane-epoch: 7\r\nContent-Type: application/json\r\n"

#define ELSEWHERE "{\"error\":\"Another process decides for this world\"}"
#define NOBODY    "{\"error\":\"No process decides for this world just now\"}"

static void request_is_passed_on_whole_and_signed(void **state)
{
    struct passage_rig *pr = pr_new(5000);
    struct http_head h;
    struct hop_signed from;
    size_t scanned = 0, len = 0;

    (void)state;
    pr_post(pr, "/connect", CONNECT);
    struct scripted_conn *owner = pr_heard(pr, 0, CONNECT);
    assert_int_equal(http_head_find(owner->got.data, owner->got.len, &scanned, &len), ERR_OK);
    assert_int_equal(http_head_parse_request(&h, owner->got.data, len), ERR_OK);
    assert_true(span_eq(h.method, SPAN("POST")));
    assert_true(span_eq(h.target, SPAN("/parties/world/world-a/connect")));
    assert_true(span_eq(http_head_get(&h, SPAN("x-access-shard")), SPAN(RIG_SECRET)));
    assert_int_equal(hop_sign_check(&h, &rig_secrets, clock_wall_ms(), &from), ERR_OK);
    assert_true(from.by_world);
    assert_int_equal(from.epoch, 7);
    assert_true(span_eq(span_of(from.entry, from.entry_len), SPAN("process-1")));
    scripted_say(owner, OK_7 "X-Mine: 1\r\nContent-Length: 8\r\n\r\n{\"a\":12}");
    pr_answered(pr, "HTTP/1.1 200 ", "{\"a\":12}");
    assert_non_null(strstr(pr->answer.data, "X-Mine: 1\r\n"));
    assert_null(strstr(pr->answer.data, "terrane"));
    assert_int_equal(pr->stats.requests.passed, 1);
    assert_int_equal(pr->stats.requests.now, 0);
    assert_int_equal(passage_count(pr->passage), 0);
    pr_free(pr);
}

static void connection_to_the_owner_is_kept(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        pr_post(pr, "/connect", CONNECT);
        struct scripted_conn *owner = pr_heard(pr, 0, CONNECT);
        buf_reset(&owner->got);
        scripted_say(owner, OK_7 "Content-Length: 2\r\n\r\n{}");
        pr_answered(pr, "HTTP/1.1 200 ", "{}");
    }
    assert_int_equal(pr->owner.count, 1);
    pr_free(pr);
}

/* Another client's. */
static int post_too(struct passage_rig *pr, const char *verb, const char *body)
{
    struct buf request = {0};
    int fd = rig_dial(pr->rig);

    rig_add_post(&request, verb, body);
    rig_write(fd, buf_span(&request));
    buf_clear(&request);
    return fd;
}

static void expect_answer(struct passage_rig *pr, int fd, const char *end)
{
    rig_read_until(pr->rig, fd, &pr->answer, span_str(end));
    (void)close(fd);
}

static void quick_requests_of_a_kind_share_a_connection(void **state)
{
    struct passage_rig *pr = pr_new(5000);
    int two, three;

    (void)state;
    pr_sought(pr);
    pr_post(pr, "/connect", CONNECT);
    TURN_UNTIL(pr->rig->loop, pr->stats.seekers.waited == 1);
    two = post_too(pr, "/connect", "{\"roomId\":\"2\"}");
    TURN_UNTIL(pr->rig->loop, pr->stats.seekers.waited == 2);
    three = post_too(pr, "/scale-room", "{}"); /* waits for the store */
    TURN_UNTIL(pr->rig->loop, pr->stats.seekers.waited == 3);
    pr_at_owner(pr);
    pr_moved(pr);
    struct scripted_conn *owner = pr_heard(pr, 0, "{\"roomId\":\"2\"}");
    assert_true(scripted_has(owner, CONNECT));
    scripted_say(pr_heard(pr, 1, "/scale-room "), OK_7 "Content-Length: 1\r\n\r\n3");
    expect_answer(pr, three, "\r\n\r\n3");
    scripted_say(owner, OK_7 "Content-Length: 1\r\n\r\n1" OK_7 "Content-Length: 1\r\n\r\n2");
    pr_answered(pr, "HTTP/1.1 200 ", "\r\n\r\n1");
    expect_answer(pr, two, "\r\n\r\n2");
    assert_int_equal(pr->owner.count, 2);
    pr_free(pr);
}

static void who_is_sent_elsewhere_leaves_the_others_their_answers(void **state)
{
    struct passage_rig *pr = pr_new(5000);
    int two;

    (void)state;
    pr_sought(pr);
    two = post_too(pr, "/connect", "{\"roomId\":\"2\"}");
    TURN_UNTIL(pr->rig->loop, pr->stats.seekers.waited == 1);
    pr_post(pr, "/connect", CONNECT);
    TURN_UNTIL(pr->rig->loop, pr->stats.seekers.waited == 2);
    pr_at_owner(pr);
    pr_moved(pr);
    struct scripted_conn *owner = pr_heard(pr, 0, CONNECT);
    buf_reset(&owner->got);
    scripted_say(owner, "HTTP/1.1 421 X\r\nx-terrane-epoch: 7\r\nContent-Length: 2\r\n\r\n{}" OK_7
                        "Content-Length: 1\r\n\r\n1");
    pr_answered(pr, "HTTP/1.1 200 ", "\r\n\r\n1");
    scripted_say(pr_heard(pr, 0, "{\"roomId\":\"2\"}"), OK_7 "Content-Length: 1\r\n\r\n2");
    expect_answer(pr, two, "\r\n\r\n2");
    assert_int_equal(pr->stats.requests.misdirected, 1);
    assert_int_equal(pr->owner.count, 1);
    pr_free(pr);
}

static void request_waits_for_an_owner(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_sought(pr);
    pr_post(pr, "/connect", CONNECT);
    TURN_UNTIL(pr->rig->loop, pr->stats.seekers.waited == 1);
    assert_int_equal(pr->owner.count, 0);
    pr_at_owner(pr);
    pr_moved(pr);
    scripted_say(pr_heard(pr, 0, CONNECT), OK_7 "Content-Length: 2\r\n\r\n{}");
    pr_answered(pr, "HTTP/1.1 200 ", "{}");
    pr_free(pr);
}

static void request_that_waited_is_decided_here(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_sought(pr);
    pr_post(pr, "/connect", CONNECT);
    TURN_UNTIL(pr->rig->loop, pr->stats.seekers.waited == 1);
    pr_here(pr, 8);
    pr_moved(pr);
    pr_answered(pr, "HTTP/1.1 200 ", "\"}");
    assert_non_null(strstr(pr->answer.data, "\"shardId\":\"r:world-a:"));
    assert_int_equal(pr->stats.requests.passed, 0);
    pr_free(pr);
}

static void nobody_is_waited_for_longer_than_that(void **state)
{
    struct passage_rig *pr = pr_new(60);

    (void)state;
    pr_sought(pr);
    pr_post(pr, "/connect", CONNECT);
    pr_answered(pr, "HTTP/1.1 503 ", NOBODY);
    assert_non_null(strstr(pr->answer.data, "Retry-After: 1\r\n"));
    assert_int_equal(pr->stats.seekers.timed_out, 1);
    pr_free(pr);
}

static void owner_that_is_misdirected_is_doubted_and_another_found(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_post(pr, "/connect", CONNECT);
    struct scripted_conn *owner = pr_heard(pr, 0, CONNECT);
    buf_reset(&owner->got);
    pr_sought(pr);
    scripted_say(owner, "HTTP/1.1 421 X\r\nx-terrane-epoch: 9\r\nContent-Length: 2\r\n\r\n{}");
    TURN_UNTIL(pr->rig->loop, pr->stats.seekers.waited == 1);
    assert_int_equal(pr->doubts, 1);
    assert_int_equal(pr->seen, 9);
    assert_int_equal(pr->stats.requests.misdirected, 1);
    pr_here(pr, 10);
    pr_moved(pr);
    pr_answered(pr, "HTTP/1.1 200 ", "\"}");
    pr_free(pr);
}

static void dead_owner_is_tried_again_but_not_in_a_tight_loop(void **state)
{
    struct passage_rig *pr = pr_new(200);

    (void)state;
    listener_close(pr->owner.listener);
    pr->owner.listener = NULL;
    pr_post(pr, "/connect", CONNECT);
    pr_answered(pr, "HTTP/1.1 503 ", NOBODY);
    assert_in_range(pr->stats.seekers.retried, 2, 200 / SEEKER_PAUSE_MS);
    assert_int_equal(pr->doubts, pr->stats.seekers.retried);
    pr_free(pr);
}

static void answer_that_breaks_off_is_asked_for_again(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_post(pr, "/connect", CONNECT);
    struct scripted_conn *owner = pr_heard(pr, 0, CONNECT);
    scripted_say(owner, OK_7 "Content-Length: 20\r\n\r\n{\"half\":");
    conn_close(&owner->conn);
    scripted_say(pr_heard(pr, 1, CONNECT), OK_7 "Content-Length: 2\r\n\r\n{}");
    pr_answered(pr, "HTTP/1.1 200 ", "{}");
    assert_null(strstr(pr->answer.data, "half"));
    assert_int_equal(pr->stats.seekers.retried, 1);
    pr_free(pr);
}

static void request_that_may_have_been_obeyed_is_not_sent_twice(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_send(pr, "POST /api/v1/worlds/world-a/rooms/r/scale HTTP/1.1\r\nHost: h\r\n" TOKEN
                "Content-Length: 2\r\n\r\n{}");
    struct scripted_conn *owner = pr_heard(pr, 0, "/scale");
    TURN_UNTIL(pr->rig->loop, scripted_has(owner, "\r\n\r\n{}"));
    conn_close(&owner->conn);
    pr_answered(pr, "HTTP/1.1 502 ", "may have been obeyed\"}");
    assert_non_null(strstr(pr->answer.data, "\r\nContent-Type: application/problem+json\r\n"));
    assert_int_equal(pr->owner.count, 1);
    assert_int_equal(pr->doubts, 1);
    assert_int_equal(pr->stats.requests.broken, 1);
    pr_free(pr);
}

static void what_sets_or_takes_away_may_be_sent_twice(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_send(pr, "DELETE /api/v1/worlds/world-a/rooms/r HTTP/1.1\r\nHost: h\r\n" TOKEN "\r\n");
    conn_close(&pr_heard(pr, 0, "DELETE ")->conn);
    scripted_say(pr_heard(pr, 1, "DELETE "), "HTTP/1.1 204 X\r\nx-terrane-epoch: 7\r\n\r\n");
    pr_answered(pr, "HTTP/1.1 204 ", "\r\n\r\n");
    pr_free(pr);
}

static void answer_of_an_older_epoch_is_not_believed(void **state)
{
    static const char *const older[] = {"x-terrane-epoch: 6\r\n", ""};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct passage_rig *pr = pr_new(5000);
        struct buf answer = {0};
        pr_post(pr, "/connect", CONNECT);
        struct scripted_conn *owner = pr_heard(pr, 0, CONNECT);
        buf_reset(&owner->got);
        buf_addf(&answer, "HTTP/1.1 200 OK\r\n%sContent-Length: 5\r\n\r\n{old}%c", older[i], 0);
        scripted_say(owner, answer.data);
        TURN_UNTIL(pr->rig->loop, pr->stats.requests.outdated == 1);
        scripted_say(pr_heard(pr, 1, CONNECT), OK_7 "Content-Length: 2\r\n\r\n{}");
        pr_answered(pr, "HTTP/1.1 200 ", "{}");
        buf_clear(&answer);
        pr_free(pr);
    }
}

static void refusal_without_an_epoch_is_believed(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_post(pr, "/connect", CONNECT);
    scripted_say(pr_heard(pr, 0, CONNECT), "HTTP/1.1 404 X\r\nContent-Length: 4\r\n\r\nnope");
    pr_answered(pr, "HTTP/1.1 404 ", "nope");
    pr_free(pr);
}

static void owner_that_stands_still_is_left_for_a_new_one(void **state)
{
    struct passage_rig *pr = pr_new(5000);
    struct scripted other;
    char url[64];

    (void)state;
    pr_post(pr, "/connect", CONNECT);
    struct scripted_conn *owner = pr_heard(pr, 0, CONNECT);
    scripted_start(&other, pr->rig->loop);
    (void)snprintf(url, sizeof(url), "http://%s", other.origin.text);
    pr->place.url = span_str(url);
    pr->place.epoch = 8;
    pr_moved(pr);
    TURN_UNTIL(pr->rig->loop, other.count > 0 && scripted_has(&other.conns[0], CONNECT));
    TURN_UNTIL(pr->rig->loop, !owner->open);
    scripted_say(&other.conns[0],
                 "HTTP/1.1 200 OK\r\nx-terrane-epoch: 8\r\nContent-Length: 2\r\n\r\n{}");
    pr_answered(pr, "HTTP/1.1 200 ", "{}");
    scripted_stop(&other);
    pr_free(pr);
}

static void client_that_leaves_takes_its_request_along(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_post(pr, "/connect", CONNECT);
    struct scripted_conn *owner = pr_heard(pr, 0, CONNECT);
    struct linger cut = {.l_onoff = 1};
    assert_int_equal(setsockopt(pr->fd, SOL_SOCKET, SO_LINGER, &cut, sizeof(cut)), 0);
    (void)close(pr->fd);
    TURN_UNTIL(pr->rig->loop, !owner->open);
    assert_int_equal(passage_count(pr->passage), 0);
    assert_int_equal(pr->rig->server.requests.count, 0);
    pr->fd = rig_dial(pr->rig);
    pr_free(pr);
}

static void client_may_leave_while_it_waits(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_sought(pr);
    pr_post(pr, "/connect", CONNECT);
    TURN_UNTIL(pr->rig->loop, pr->stats.seekers.waited == 1);
    struct linger cut = {.l_onoff = 1};
    assert_int_equal(setsockopt(pr->fd, SOL_SOCKET, SO_LINGER, &cut, sizeof(cut)), 0);
    (void)close(pr->fd);
    TURN_UNTIL(pr->rig->loop, passage_count(pr->passage) == 0);
    pr->fd = rig_dial(pr->rig);
    pr_free(pr);
}

#define EVENTS_7                                                                                   \
    "HTTP/1.1 200 OK\r\nx-terrane-epoch: 7\r\nContent-Type: text/event-stream\r\n"                 \
    "Transfer-Encoding: chunked\r\n\r\n"

static struct scripted_conn *open_events(struct passage_rig *pr)
{
    pr_send(pr, "GET /api/v1/worlds/world-a/events HTTP/1.1\r\nHost: h\r\n" TOKEN "\r\n");
    struct scripted_conn *owner = pr_heard(pr, 0, "\r\n\r\n");
    scripted_say(owner, EVENTS_7 "3\r\na\n\n\r\n");
    pr_answered(pr, "HTTP/1.1 200 ", "3\r\na\n\n\r\n");
    return owner;
}

static void events_stream_and_end_with_their_client(void **state)
{
    struct passage_rig *pr = pr_new(100);

    (void)state;
    struct scripted_conn *owner = open_events(pr);
    pr_moved(pr); /* nothing is tried anew any more */
    scripted_say(owner, "3\r\nb\n\n\r\n");
    rig_read_until(pr->rig, pr->fd, &pr->answer, SPAN("3\r\nb\n\n\r\n"));
    struct linger cut = {.l_onoff = 1};
    assert_int_equal(setsockopt(pr->fd, SOL_SOCKET, SO_LINGER, &cut, sizeof(cut)), 0);
    (void)close(pr->fd);
    TURN_UNTIL(pr->rig->loop, !owner->open);
    pr->fd = rig_dial(pr->rig);
    pr_free(pr);
}

static void events_break_off_with_their_owner(void **state)
{
    struct passage_rig *pr = pr_new(100);

    (void)state;
    conn_close(&open_events(pr)->conn);
    rig_read_until(pr->rig, pr->fd, &pr->answer, (struct span){0});
    assert_false(span_ends(buf_span(&pr->answer), SPAN("0\r\n\r\n")));
    pr_free(pr);
}

static void events_end_when_the_process_stops(void **state)
{
    struct passage_rig *pr = pr_new(100);

    (void)state;
    (void)open_events(pr);
    server_drain(&pr->rig->server);
    rig_read_until(pr->rig, pr->fd, &pr->answer, (struct span){0});
    assert_true(span_ends(buf_span(&pr->answer), SPAN("0\r\n\r\n")));
    pr_free(pr);
}

static void slow_reader_holds_the_owner_back(void **state)
{
    enum { PART = 64 * 1024, PARTS = 512 };
    struct passage_rig *pr = pr_new(100);
    char *part = xcalloc(1, PART + 1);

    (void)state;
    memset(part, 'x', PART);
    struct scripted_conn *owner = open_events(pr);
    for (size_t i = 0; i < PARTS; i++) {
        scripted_say(owner, "10000\r\n");
        scripted_say(owner, part);
        scripted_say(owner, "\r\n");
    }
    for (int i = 0; i < 50; i++)
        loop_turn(pr->rig->loop, 1);
    assert_true(conn_queued(&owner->conn) > 0);
    scripted_say(owner, "0\r\n\r\n");
    rig_read_until(pr->rig, pr->fd, &pr->answer, SPAN("\r\n0\r\n\r\n"));
    assert_true(pr->answer.len > (size_t)PART * PARTS);
    free(part);
    pr_free(pr);
}

static void long_answer_goes_through_as_it_comes(void **state)
{
    enum { LEN = 3 * PASSING_KEPT_MAX };
    struct passage_rig *pr = pr_new(5000);
    char *text = xcalloc(1, LEN + 1);
    struct buf head = {0};

    (void)state;
    memset(text, 'x', LEN - 1);
    text[LEN - 1] = '!';
    pr_send(pr, "GET /api/v1/worlds/world-a/export HTTP/1.1\r\nHost: h\r\n" TOKEN "\r\n");
    struct scripted_conn *owner = pr_heard(pr, 0, "\r\n\r\n");
    buf_addf(&head, OK_7 "Content-Length: %d\r\n\r\n%c", LEN, 0);
    scripted_say(owner, head.data);
    scripted_say(owner, text);
    pr_answered(pr, "HTTP/1.1 200 ", "x!");
    assert_true(pr->answer.len > LEN);
    assert_non_null(strstr(pr->answer.data, "Content-Length: 3145728\r\n"));
    buf_clear(&head);
    free(text);
    pr_free(pr);
}

/* As another world passes it on. */
static void post_hopped(struct passage_rig *pr)
{
    struct hop_sign sign = {.method = SPAN("POST"),
                            .target = SPAN("/parties/world/world-a/connect"),
                            .entry = SPAN("process-2"),
                            .client_ip = SPAN("203.0.113.7"),
                            .by_world = true,
                            .epoch = 12};
    struct buf request = {0};

    BUF_ADD_LIT(&request, "POST /parties/world/world-a/connect HTTP/1.1\r\nHost: h\r\n");
    hop_sign_add(&request, &rig_secrets, &sign, clock_wall_ms());
    BUF_ADD_LIT(&request, "Content-Length: 14\r\n\r\n" CONNECT);
    rig_write(pr->fd, buf_span(&request));
    buf_clear(&request);
}

static void answer_to_another_world_names_the_epoch(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_here(pr, 12);
    post_hopped(pr);
    pr_answered(pr, "HTTP/1.1 200 ", "\"}");
    assert_non_null(strstr(pr->answer.data, "x-terrane-epoch: 12\r\n"));
    assert_int_equal(pr->seen, 12); /* and has heard of the one that the sender knew */
    pr->seen = 0;
    pr_post(pr, "/connect", CONNECT);
    pr_answered(pr, "HTTP/1.1 200 ", "\"}");
    assert_null(strstr(pr->answer.data, "x-terrane-epoch"));
    assert_int_equal(pr->seen, 0);
    pr_free(pr);
}

static void what_was_passed_on_is_not_passed_on_again(void **state)
{
    struct passage_rig *pr = pr_new(5000);
    char owner[128];

    (void)state;
    post_hopped(pr);
    pr_answered(pr, "HTTP/1.1 421 ", ELSEWHERE);
    (void)snprintf(owner, sizeof(owner), "x-terrane-owner: %s\r\nx-terrane-epoch: 7\r\n", pr->url);
    assert_non_null(strstr(pr->answer.data, owner));
    assert_int_equal(pr->owner.count, 0);
    assert_int_equal(pr->looks, 1); /* whoever sent it may know better */
    pr_free(pr);
}

static void what_was_passed_on_does_not_wait_for_a_process_that_ends(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_sought(pr);
    pr->place.leaving = true;
    post_hopped(pr);
    pr_answered(pr, "HTTP/1.1 421 ", ELSEWHERE);
    pr_free(pr);
}

static void what_was_passed_on_waits_for_this_process(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_sought(pr);
    pr->place.url = span_str(pr->url); /* a guess is not good enough */
    post_hopped(pr);
    TURN_UNTIL(pr->rig->loop, pr->stats.seekers.waited == 1);
    pr_here(pr, 8);
    pr_moved(pr);
    pr_answered(pr, "HTTP/1.1 200 ", "\"}");
    assert_int_equal(pr->owner.count, 0);
    pr_free(pr);
}

static void what_was_passed_on_and_waited_in_vain_is_elsewhere(void **state)
{
    struct passage_rig *pr = pr_new(60);

    (void)state;
    pr_sought(pr);
    post_hopped(pr);
    pr_answered(pr, "HTTP/1.1 421 ", ELSEWHERE);
    assert_null(strstr(pr->answer.data, "x-terrane-owner"));
    pr_free(pr);
}

static struct buf told;
static int told_status;
static size_t told_count;

static void on_told(struct server_question *q, int status, struct span body)
{
    (void)q;
    told_status = status;
    told_count++;
    buf_reset(&told);
    buf_add_span(&told, body);
}

/* A flood of those that waited; none is lost. */
static void owner_is_not_dialled_by_all_at_once(void **state)
{
    enum { QUESTIONS = LANE_MAX + 40 };
    struct passage_rig *pr = pr_new(150);
    struct server_question *q = xcalloc(QUESTIONS, sizeof(*q));

    (void)state;
    told_count = 0;
    pr_sought(pr);
    for (size_t i = 0; i < QUESTIONS; i++) {
        q[i].answered = on_told;
        server_ask(&pr->rig->server, &q[i], SPAN("/parties/world/world-a/resolve"), SPAN("{}"));
    }
    pr->place.owner = OWNER_OTHER;
    pr->place.url = SPAN("http://127.0.0.1:1"); /* nobody listens there */
    pr_moved(pr);
    TURN_UNTIL(pr->rig->loop, told_count == QUESTIONS);
    assert_int_equal(told_status, 503);
    assert_int_equal(pr->stats.seekers.timed_out, QUESTIONS);
    assert_int_equal(passage_count(pr->passage), 0);
    for (size_t i = 0; i < QUESTIONS; i++)
        server_question_drop(&pr->rig->server, &q[i]);
    free(q);
    buf_clear(&told);
    pr_free(pr);
}

static void question_of_our_own_is_passed_on(void **state)
{
    struct passage_rig *pr = pr_new(5000);
    struct server_question q = {.answered = on_told};

    (void)state;
    told_status = 0;
    server_ask(&pr->rig->server, &q, SPAN("/parties/world/world-a/resolve"), SPAN("{\"x\":1}"));
    struct scripted_conn *owner = pr_heard(pr, 0, "{\"x\":1}");
    assert_true(scripted_has(owner, "POST /parties/world/world-a/resolve HTTP/1.1\r\n"));
    assert_true(scripted_has(owner, "x-access-shard: " RIG_SECRET "\r\n"));
    scripted_say(owner, OK_7 "Content-Length: 7\r\n\r\n{\"y\":2}");
    TURN_UNTIL(pr->rig->loop, told_status == 200);
    assert_true(span_eq(buf_span(&told), SPAN("{\"y\":2}")));
    server_question_drop(&pr->rig->server, &q);
    buf_clear(&told);
    pr_free(pr);
}

static void question_may_be_taken_back(void **state)
{
    struct passage_rig *pr = pr_new(5000);
    struct server_question q = {.answered = on_told};

    (void)state;
    server_ask(&pr->rig->server, &q, SPAN("/parties/world/world-a/resolve"), SPAN("{\"x\":1}"));
    struct scripted_conn *owner = pr_heard(pr, 0, "{\"x\":1}");
    server_question_drop(&pr->rig->server, &q);
    assert_int_equal(passage_count(pr->passage), 0);
    TURN_UNTIL(pr->rig->loop, !owner->open);
    pr_free(pr);
}

static void who_waits_when_the_process_stops_is_refused(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_sought(pr);
    pr_post(pr, "/connect", CONNECT);
    TURN_UNTIL(pr->rig->loop, pr->stats.seekers.waited == 1);
    passage_close(pr->passage);
    pr_answered(pr, "HTTP/1.1 503 ", NOBODY);
    assert_int_equal(passage_count(pr->passage), 0);
    pr_free(pr);
}

static void who_is_passed_on_when_the_process_stops_has_its_answer(void **state)
{
    struct passage_rig *pr = pr_new(5000);

    (void)state;
    pr_post(pr, "/connect", CONNECT);
    struct scripted_conn *owner = pr_heard(pr, 0, CONNECT);
    passage_close(pr->passage);
    scripted_say(owner, OK_7 "Content-Length: 2\r\n\r\n{}");
    pr_answered(pr, "HTTP/1.1 200 ", "{}");
    pr_free(pr);
}

static void end_of_the_process_frees_what_is_under_way(void **state)
{
    struct passage_rig *pr = pr_new(5000);
    int waiting = rig_dial(pr->rig);

    (void)state;
    pr_post(pr, "/connect", CONNECT);
    (void)pr_heard(pr, 0, CONNECT);
    pr_sought(pr);
    (void)close(pr->fd);
    pr->fd = waiting;
    pr_post(pr, "/connect", CONNECT);
    TURN_UNTIL(pr->rig->loop, pr->stats.seekers.waited == 1);
    pr_free(pr); /* the leak check sees whether all is freed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_is_passed_on_whole_and_signed),
        cmocka_unit_test(connection_to_the_owner_is_kept),
        cmocka_unit_test(quick_requests_of_a_kind_share_a_connection),
        cmocka_unit_test(who_is_sent_elsewhere_leaves_the_others_their_answers),
        cmocka_unit_test(request_waits_for_an_owner),
        cmocka_unit_test(request_that_waited_is_decided_here),
        cmocka_unit_test(nobody_is_waited_for_longer_than_that),
        cmocka_unit_test(owner_that_is_misdirected_is_doubted_and_another_found),
        cmocka_unit_test(dead_owner_is_tried_again_but_not_in_a_tight_loop),
        cmocka_unit_test(answer_that_breaks_off_is_asked_for_again),
        cmocka_unit_test(request_that_may_have_been_obeyed_is_not_sent_twice),
        cmocka_unit_test(what_sets_or_takes_away_may_be_sent_twice),
        cmocka_unit_test(answer_of_an_older_epoch_is_not_believed),
        cmocka_unit_test(refusal_without_an_epoch_is_believed),
        cmocka_unit_test(owner_that_stands_still_is_left_for_a_new_one),
        cmocka_unit_test(client_that_leaves_takes_its_request_along),
        cmocka_unit_test(client_may_leave_while_it_waits),
        cmocka_unit_test(events_stream_and_end_with_their_client),
        cmocka_unit_test(events_break_off_with_their_owner),
        cmocka_unit_test(events_end_when_the_process_stops),
        cmocka_unit_test(slow_reader_holds_the_owner_back),
        cmocka_unit_test(long_answer_goes_through_as_it_comes),
        cmocka_unit_test(answer_to_another_world_names_the_epoch),
        cmocka_unit_test(what_was_passed_on_is_not_passed_on_again),
        cmocka_unit_test(what_was_passed_on_does_not_wait_for_a_process_that_ends),
        cmocka_unit_test(what_was_passed_on_waits_for_this_process),
        cmocka_unit_test(what_was_passed_on_and_waited_in_vain_is_elsewhere),
        cmocka_unit_test(owner_is_not_dialled_by_all_at_once),
        cmocka_unit_test(question_of_our_own_is_passed_on),
        cmocka_unit_test(question_may_be_taken_back),
        cmocka_unit_test(who_waits_when_the_process_stops_is_refused),
        cmocka_unit_test(who_is_passed_on_when_the_process_stops_has_its_answer),
        cmocka_unit_test(end_of_the_process_frees_what_is_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
