#include "world/io/server.h"

#include "rig.h"

#include "common/base/log.h"
#include "common/proto/hop_sign.h"

#define REGISTER                                                                                   \
    "{\"name\":\"r\",\"balancingStrategy\":\"random\",\"public\":true,\"maxPlayersPerShard\":5,"   \
    "\"minShards\":1}"

static void get_at(struct rig *rig, const struct listener *at, const char *path, struct buf *out)
{
    int fd = rig_dial_at(at);
    struct buf request = {0};

    buf_addf(&request, "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", path);
    rig_write(fd, buf_span(&request));
    rig_read_until(rig, fd, out, (struct span){0});
    buf_clear(&request);
    (void)close(fd);
}

static void get(struct rig *rig, const char *path, struct buf *out)
{
    get_at(rig, rig->listener, path, out);
}

static void pipelined_answers_keep_their_order_while_one_waits(void **state)
{
    struct rig *rig = rig_new(0);
    struct buf request = {0}, answers = {0};
    int fd = rig_dial(rig);

    (void)state;
    rig->hold = true;
    rig_add_post(&request, "/register-room", REGISTER);
    rig_add_post(&request, "/connect", "{\"roomId\":\"r\"}");
    rig_add_post(&request, "/nothing", "");
    rig_write(fd, buf_span(&request));
    while (rig->token_count == 0)
        loop_turn(rig->loop, 10);
    for (int i = 0; i < 5; i++)
        loop_turn(rig->loop, 1);
    assert_int_equal(recv(fd, buf_reserve(&answers, 1), 1, MSG_DONTWAIT), -1);
    assert_int_equal(rig->core.stats.placements[STRATEGY_RANDOM], 0);
    rig_store(rig, ERR_OK);
    rig_read_until(rig, fd, &answers, SPAN("{\"error\":\"Not found\"}"));
    const char *first = strstr(answers.data, "\r\n\r\n{}HTTP/1.1 200 OK\r\n");
    assert_non_null(first);
    assert_non_null(strstr(first, "{\"success\":true,\"shardId\":\"r:world-a:"));
    assert_int_equal(rig->server.requests.count, 0);
    buf_clear(&request);
    buf_clear(&answers);
    (void)close(fd);
    rig_free(rig);
}

static void a_client_that_left_is_not_answered(void **state)
{
    struct rig *rig = rig_new(0);
    struct buf request = {0};
    int fd = rig_dial(rig);

    (void)state;
    rig->hold = true;
    rig_add_post(&request, "/register-room", REGISTER);
    rig_write(fd, buf_span(&request));
    while (rig->token_count == 0)
        loop_turn(rig->loop, 10);
    struct linger cut = {.l_onoff = 1};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &cut, sizeof(cut)), 0);
    (void)close(fd);
    while (rig->server.requests.count > 0)
        loop_turn(rig->loop, 10);
    rig_store(rig, ERR_OK);
    assert_int_equal(rig->core.pending.count, 0);
    assert_int_equal(rig->core.registry.shard_count, 1);
    buf_clear(&request);
    rig_free(rig);
}

static void what_is_under_way_is_dropped_at_the_end(void **state)
{
    struct rig *rig = rig_new(0);
    struct buf request = {0};
    int fd = rig_dial(rig), half = rig_dial(rig);

    (void)state;
    rig->hold = true;
    rig_add_post(&request, "/register-room", REGISTER);
    rig_write(fd, buf_span(&request));
    rig_write(half, span_slice(buf_span(&request), 0, request.len - 10));
    while (rig->server.requests.count < 2)
        loop_turn(rig->loop, 10);
    buf_clear(&request);
    rig_free(rig); /* the leak check sees whether both are freed */
    (void)close(fd);
    (void)close(half);
}

static void bodies_are_joined_and_limited(void **state)
{
    struct rig *rig = rig_new(0);
    struct buf answer = {0};
    int fd = rig_dial(rig);

    (void)state;
    rig_write(fd, SPAN("POST /parties/world/world-a/connect HTTP/1.1\r\nHost: h\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"roo\r\n"));
    for (int i = 0; i < 3; i++)
        loop_turn(rig->loop, 5);
    rig_write(fd, SPAN("9\r\nmId\":\"r\"}\r\n0\r\n\r\n"));
    rig_read_until(rig, fd, &answer, SPAN("\"}"));
    assert_non_null(strstr(answer.data, "{\"success\":true,\"shardId\":\"r:world-a:"));
    (void)close(fd);

    fd = rig_dial(rig);
    rig_write(fd, SPAN("POST /parties/world/world-a/connect HTTP/1.1\r\nHost: h\r\n"
                       "Content-Length: 4097\r\n\r\n"));
    rig_read_until(rig, fd, &answer, SPAN("}"));
    assert_true(span_starts(buf_span(&answer), SPAN("HTTP/1.1 413 ")));
    assert_non_null(strstr(answer.data, "Access-Control-Allow-Origin: *\r\n"));
    (void)close(fd);
    buf_clear(&answer);
    rig_free(rig);
}

/* A beat of 5 000 bytes, blanks before it; answers what became of it. */
static void beat_long(struct rig *rig, const char *secret, struct buf *answer)
{
    static const char beat[] =
        "{\"node\":{\"id\":\"n\",\"epoch\":1,\"url\":\"http://n\",\"internalUrl\":\"http://n\","
        "\"version\":\"1\",\"maxConnections\":9,\"connections\":0,\"draining\":false,\"lagMs\":0},"
        "\"seq\":1,\"full\":true,\"haveOrders\":{\"epoch\":0,\"version\":0},\"shards\":[]}";
    struct buf request = {0};
    int fd = rig_dial(rig);

    buf_addf(&request,
             "POST /parties/world/world-a/heartbeat HTTP/1.1\r\nHost: h\r\n"
             "x-access-shard: %s\r\nContent-Length: 5000\r\n\r\n%*s%s",
             secret, (int)(5000 - strlen(beat)), "", beat);
    rig_write(fd, buf_span(&request));
    buf_reset(answer);
    rig_read_until(rig, fd, answer, SPAN("}"));
    buf_clear(&request);
    (void)close(fd);
}

static void only_nodes_may_send_more_than_others(void **state)
{
    struct rig *rig = rig_new(0);
    struct buf answer = {0};

    (void)state;
    beat_long(rig, RIG_SECRET, &answer);
    assert_true(span_starts(buf_span(&answer), SPAN("HTTP/1.1 200 ")));
    beat_long(rig, "guessed", &answer);
    assert_true(span_starts(buf_span(&answer), SPAN("HTTP/1.1 413 ")));
    buf_clear(&answer);
    rig_free(rig);
}

static void probes_answer_beside_the_api(void **state)
{
    static const struct {
        const char *path, *status, *part;
    } rows[] = {
        {"/livez", "HTTP/1.1 200 ", "{\"status\":\"live\"}"},
        {"/livez?x=1", "HTTP/1.1 200 ", "{\"status\":\"live\"}"},
        {"/readyz", "HTTP/1.1 200 ", "{\"status\":\"ready\"}"},
        {"/version", "HTTP/1.1 200 ", "{\"name\":\"terrane-world\",\"version\":\""},
        {"/metrics", "HTTP/1.1 200 ", "\nterrane_world_refusals_total{reason=\"full\"} 0\n"},
        {"/metrics", "HTTP/1.1 200 ",
         "\nterrane_world_requests_total{route=\"probe\",class=\"2xx\"} "},
        {"/metrics", "HTTP/1.1 200 ",
         "\nterrane_world_placements_total{strategy=\"least-connections\"} 0\n"},
        {"/metrics", "HTTP/1.1 200 ",
         "\nterrane_world_request_duration_seconds_count{route=\"probe\"} "},
        {"/metrics", "HTTP/1.1 200 ", "\nterrane_world_connections 1\n"},
        {"/livez/", "HTTP/1.1 404 ", "Not Found"},
        {"/elsewhere", "HTTP/1.1 404 ", "Content-Type: text/plain\r\n"},
        {"*", "HTTP/1.1 400 ", "{\"error\":"},
    };
    struct rig *rig = rig_new(0);
    struct buf answer = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        get(rig, rows[i].path, &answer);
        if (!span_starts(buf_span(&answer), span_str(rows[i].status)) ||
            strstr(answer.data, rows[i].part) == NULL)
            fail_msg("row %zu: %s", i, answer.data);
    }
    buf_clear(&answer);
    rig_free(rig);
}

static void a_stopping_world_says_so_and_lives(void **state)
{
    struct rig *rig = rig_new(0);
    struct buf answer = {0};

    (void)state;
    rig->server.stopping = true;
    get(rig, "/readyz", &answer);
    assert_true(span_starts(buf_span(&answer), SPAN("HTTP/1.1 503 ")));
    get(rig, "/livez", &answer);
    assert_true(span_starts(buf_span(&answer), SPAN("HTTP/1.1 200 ")));
    buf_clear(&answer);
    rig_free(rig);
}

static struct buf logged;

static void keep_log(const char *line, size_t len)
{
    buf_add(&logged, line, len);
}

/* Asks for what is refused, so that the log says who asked; the secret signs. */
static void ask_signed(struct rig *rig, const char *secret, struct buf *answer)
{
    struct hop_sign sign = {.method = SPAN("GET"),
                            .target = SPAN("/parties/world/world-a/nothing"),
                            .entry = SPAN("node-1"),
                            .client_ip = SPAN("203.0.113.7")};
    struct buf request = {0};
    int fd = rig_dial(rig);

    buf_addf(&request, "GET %.*s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n",
             SPAN_ARG(sign.target));
    hop_sign_add(&request, &(struct secrets){span_str(secret)}, &sign, clock_wall_ms());
    buf_add_span(&request, SPAN("\r\n"));
    rig_write(fd, buf_span(&request));
    rig_read_until(rig, fd, answer, (struct span){0});
    buf_clear(&request);
    (void)close(fd);
}

static void signed_word_of_another_process_names_the_client(void **state)
{
    struct rig *rig = rig_new(0);
    struct buf answer = {0};

    (void)state;
    log_open("test", LOG_DEBUG, LOG_TEXT);
    log_capture(keep_log);
    ask_signed(rig, RIG_SECRET, &answer);
    log_open("test", LOG_INFO, LOG_TEXT);
    log_capture(NULL);
    buf_add_char(&logged, '\0');
    assert_true(span_starts(buf_span(&answer), SPAN("HTTP/1.1 404 ")));
    assert_non_null(strstr(logged.data, "remote=203.0.113.7"));
    buf_clear(&logged);
    buf_clear(&answer);
    rig_free(rig);
}

static void badly_signed_request_is_refused(void **state)
{
    struct rig *rig = rig_new(0);
    struct buf answer = {0};

    (void)state;
    ask_signed(rig, "another", &answer);
    assert_true(span_starts(buf_span(&answer), SPAN("HTTP/1.1 403 ")));
    assert_true(span_ends(buf_span(&answer), SPAN("{\"error\":\"Bad internal signature\"}")));
    get(rig, "/metrics", &answer);
    assert_non_null(strstr(answer.data, "\nterrane_world_http_refusals_total{status=\"403\"} 1\n"));
    buf_clear(&answer);
    rig_free(rig);
}

static void management_is_answered_at_the_back_door_alone(void **state)
{
    static const struct {
        const char *path, *front, *back;
    } rows[] = {
        {"/metrics", "HTTP/1.1 404 ", "HTTP/1.1 200 "},
        {"/api/v1/worlds", "HTTP/1.1 404 ", "HTTP/1.1 403 "},
        {"/livez", "HTTP/1.1 200 ", "HTTP/1.1 200 "},
        {"/readyz", "HTTP/1.1 200 ", "HTTP/1.1 200 "},
        {"/version", "HTTP/1.1 200 ", "HTTP/1.1 200 "},
        {"/elsewhere", "HTTP/1.1 404 ", "HTTP/1.1 404 "},
        {"/", "HTTP/1.1 404 ", "HTTP/1.1 200 "},
        {"/console/main.js", "HTTP/1.1 404 ", "HTTP/1.1 200 "},
    };
    struct rig *rig = rig_new_doors(0, true);
    struct buf answer = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        get_at(rig, rig->listener, rows[i].path, &answer);
        if (!span_starts(buf_span(&answer), span_str(rows[i].front)))
            fail_msg("row %zu, front: %s", i, answer.data);
        get_at(rig, rig->back_listener, rows[i].path, &answer);
        if (!span_starts(buf_span(&answer), span_str(rows[i].back)))
            fail_msg("row %zu, back: %s", i, answer.data);
    }
    buf_clear(&answer);
    rig_free(rig);
}

/* Registers a room at that door; answers what came. */
static void register_at(struct rig *rig, const struct listener *at, struct buf *answer)
{
    struct buf request = {0};
    int fd = rig_dial_at(at);

    rig_add_post(&request, "/register-room", REGISTER);
    rig_write(fd, buf_span(&request));
    rig_read_until(rig, fd, answer, SPAN("}"));
    buf_clear(&request);
    (void)close(fd);
}

static void rooms_are_registered_at_the_back_door(void **state)
{
    struct rig *rig = rig_new_doors(0, true);
    struct buf answer = {0};

    (void)state;
    register_at(rig, rig->listener, &answer);
    assert_true(span_starts(buf_span(&answer), SPAN("HTTP/1.1 404 ")));
    register_at(rig, rig->back_listener, &answer);
    assert_true(span_starts(buf_span(&answer), SPAN("HTTP/1.1 200 ")));
    buf_clear(&answer);
    rig_free(rig);
}

/* Opens a feed socket with the secret; `answer` is all that comes of it. */
static int feed_at(struct rig *rig, const struct listener *at, struct buf *answer)
{
    int fd = rig_dial_at(at);

    rig_write(fd, SPAN("GET /parties/world/world-a HTTP/1.1\r\nHost: h\r\n"
                       "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Access-Shard: " RIG_SECRET
                       "\r\n\r\n"));
    rig_read_until(rig, fd, answer, at == rig->listener ? SPAN("\r\n\r\n") : SPAN("}"));
    return fd;
}

static void sockets_in_front_do_not_shut_admins_out(void **state)
{
    struct rig *rig = rig_new_doors(2, true);
    struct buf answer = {0};
    int fds[3];

    (void)state;
    fds[0] = feed_at(rig, rig->listener, &answer);
    fds[1] = feed_at(rig, rig->listener, &answer);
    assert_true(span_starts(buf_span(&answer), SPAN("HTTP/1.1 101 ")));
    fds[2] = feed_at(rig, rig->back_listener, &answer);
    assert_true(span_starts(buf_span(&answer), SPAN("HTTP/1.1 101 ")));
    assert_non_null(strstr(answer.data, "\"sync\""));
    assert_int_equal(rig->core.admins.count, 1);
    assert_int_equal(feed_sockets_count_by(&rig->feeds, true), 2);
    assert_int_equal(feed_sockets_count_by(&rig->feeds, false), 1);
    for (size_t i = 0; i < 3; i++)
        (void)close(fds[i]);
    while (feed_sockets_count(&rig->feeds) > 0)
        loop_turn(rig->loop, 10);
    assert_int_equal(feed_sockets_count_by(&rig->feeds, true), 0);
    buf_clear(&answer);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipelined_answers_keep_their_order_while_one_waits),
        cmocka_unit_test(a_client_that_left_is_not_answered),
        cmocka_unit_test(what_is_under_way_is_dropped_at_the_end),
        cmocka_unit_test(bodies_are_joined_and_limited),
        cmocka_unit_test(only_nodes_may_send_more_than_others),
        cmocka_unit_test(probes_answer_beside_the_api),
        cmocka_unit_test(a_stopping_world_says_so_and_lives),
        cmocka_unit_test(signed_word_of_another_process_names_the_client),
        cmocka_unit_test(badly_signed_request_is_refused),
        cmocka_unit_test(management_is_answered_at_the_back_door_alone),
        cmocka_unit_test(rooms_are_registered_at_the_back_door),
        cmocka_unit_test(sockets_in_front_do_not_shut_admins_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
