/* Arrivals between a client, a world and another node, both of which the test itself speaks for. */
#include "shard/io/arrival.h"

#include "tests/unit/common/net/passage.h"

#include "common/base/log.h"
#include "common/proto/ws_handshake.h"

static const struct secrets secrets = {SPAN_INIT("secret")};

#define SHARD "room:world-a:1700000000000-7"
#define OTHER "room:world-a:1700000000000-8"
#define UPGRADE                                                                                    \
    "GET /parties/shard/" SHARD "?id=me HTTP/1.1\r\nHost: game.example\r\n"                        \
    "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
#define POST                                                                                       \
    "POST /parties/shard/" SHARD "/score?x=1 HTTP/1.1\r\nHost: game.example\r\n"                   \
    "Content-Length: 6\r\n\r\nabcdef"
#define SWITCHING   "HTTP/1.1 101 Switching Protocols\r\n\r\n"
#define MISDIRECTED "HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n"
#define FULL                                                                                       \
    "HTTP/1.1 421 Misdirected Request\r\nx-terrane-reason: full\r\nContent-Length: 0\r\n\r\n"

static struct {
    struct node *node;
    struct node_settings settings;
    struct ticker ticker;
    struct worlds worlds;
    struct questions questions;
    struct tunnels tunnels;
    struct tunnel_stats tunnel_stats;
    struct forwards forwards;
    struct forward_stats forward_stats[FORWARD_TARGETS];
    uint64_t forwards_now;
    struct pools pools;
    struct arrivals arrivals;
    struct arrival_stats stats;
    struct buf scratch;
    bool hopped;
    size_t world_answers;
    char served[512]; /* what was served here last: its path, shard and whether it is held */
} s;

static const struct http_pool_settings pool_settings = {
    .connect_ms = 1000, .answer_ms = 5000, .max_idle = 4, .idle_ms = 4000, .high_water = 65536};

static void no_log(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static void here(void *ctx, const struct arrived *a)
{
    (void)ctx;
    assert_true(span_eq(buf_span(&a->shown->subject), SPAN("me")) && a->shown->ours);
    (void)snprintf(s.served, sizeof s.served, "%.*s %.*s%s%s", SPAN_ARG(a->route->path),
                   SPAN_ARG(a->route->shard_id), a->body_complete ? " complete" : "",
                   a->forward != NULL ? " forwarded" : "");
    struct http_exchange *x = a->forward != NULL ? forward_give_back(a->forward) : a->x;
    http_respond(x, 200, SPAN(""), SPAN("served here"));
}

static int refusal(void *ctx, enum node_reason why, struct span shard_id, struct span *headers,
                   struct buf *body)
{
    (void)ctx;
    *headers = SPAN("X-A: 1\r\n");
    buf_addf(body, "%s %.*s", node_reason_text(why), SPAN_ARG(shard_id));
    return 503;
}

static const struct arrival_ops ops = {.here = here, .refusal = refusal};

static void take(struct http_exchange *x)
{
    buf_reset(&s.scratch);
    struct route r = route_of(&routes_builtin, x->head->target, &s.scratch);
    assert_int_equal(r.kind, ROUTE_SHARD);
    struct sender from = {.hopped = s.hopped, .client = x->peer};
    struct shown shown = {.ours = true};
    buf_add_span(&shown.subject, SPAN("me"));
    arrivals_take(&s.arrivals, x, &r, x->head->upgrade, &from, &shown);
    shown_clear(&shown);
}

/* What core asks for is of no interest here. */
static void no_beat(void *io, struct handle world, struct span id, struct span body)
{
    (void)io;
    (void)world;
    (void)id;
    (void)body;
}

static const struct node_port port = {.beat = no_beat};

static void start_worlds(void)
{
    struct buf url = {0};
    struct origins origins;
    struct span bad;
    buf_addf(&url, "http://%s", door.a.origin.text);
    assert_int_equal(origins_parse(&origins, buf_span(&url), &bad), ERR_OK);
    worlds_init(&s.worlds, door.loop, &origins);
    buf_clear(&url);
}

static int set_up(void **state)
{
    (void)state;
    memset(&s, 0, sizeof s);
    log_capture(no_log);
    door_open(take);
    start_worlds();
    s.settings = (struct node_settings){
        .id = "us",
        .internal_url = "http://us",
        .world_ids = "",
        .world_id = "world-a",
        .adopt = true,
        .report_ms = 3600000,
        .beat_ms = 3600000,
        .link_retry_min_ms = 100,
        .link_retry_max_ms = 100,
        .max_shards = 10,
        .max_room_id = 100,
        .max_session_id = 100,
    };
    s.node = node_new(&port, NULL, &s.settings, 1, loop_now(door.loop));
    ticker_init(&s.ticker, door.loop, s.node);
    questions_init(&s.questions, &s.ticker, &s.worlds, &secrets);
    tunnels_init(&s.tunnels, door.loop, &s.tunnel_stats);
    forwards_init(&s.forwards, s.forward_stats, &s.forwards_now);
    pools_init(&s.pools, door.loop, &pool_settings);
    s.arrivals = (struct arrivals){
        .routes = &routes_builtin,
        .ticker = &s.ticker,
        .questions = &s.questions,
        .ways = {.tunnels = &s.tunnels, .forwards = &s.forwards, .pools = &s.pools},
        .node = &s.settings,
        .secrets = &secrets,
        .ops = &ops,
        .stats = &s.stats,
    };
    arrivals_init(&s.arrivals);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    forwards_clear(&s.forwards);
    tunnels_abort(&s.tunnels);
    turn_some(door.loop);
    arrivals_clear(&s.arrivals);
    assert_true(list_empty(&s.arrivals.all));
    assert_int_equal(s.stats.held_now, 0);
    questions_clear(&s.questions);
    pools_clear(&s.pools);
    worlds_clear(&s.worlds);
    turn_some(door.loop);
    ticker_stop(&s.ticker);
    node_free(s.node);
    buf_clear(&s.scratch);
    door_close();
    return 0;
}

/* Waits for the world to be asked for this reason, and lets it answer. */
static void world_says(const char *reason, int status, const char *body)
{
    char asked[64];
    struct buf answer = {0};
    (void)snprintf(asked, sizeof asked, "\"reason\":\"%s\"", reason);
    struct scripted_conn *c = server_hears(&door.a, asked);
    assert_true(scripted_has(c, "POST /parties/world/world-a/resolve HTTP/1.1\r\n"));
    assert_true(scripted_has(c, "x-access-shard: secret\r\n"));
    TURN_UNTIL(door.loop, scripted_has(c, "}")); /* the whole question */
    buf_reset(&c->got);
    buf_addf(&answer, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n%s%c", status, strlen(body),
             body, '\0');
    scripted_say(c, answer.data);
    buf_clear(&answer);
}

static void world_names(const char *reason, const char *shard, const char *node,
                        const struct url_origin *at)
{
    struct buf body = {0}, url = {0};
    buf_addf(&url, "http://%s", at->text);
    const struct resolved r = {
        .epoch = 5,
        .node = span_str(node),
        .url = buf_span(&url),
        .order = {.shard_id = span_str(shard), .room_id = SPAN("room"), .max_connections = 10},
    };
    resolved_add(&body, &r, NULL, 0);
    buf_add_char(&body, '\0');
    world_says(reason, 200, body.data);
    buf_clear(&body);
    buf_clear(&url);
}

static void client_goes_through_to_the_owner(void **state)
{
    (void)state;
    peer_send(&door.client, UPGRADE);
    world_names("unknown", SHARD, "b", &door.b.origin);
    struct scripted_conn *c = server_hears(&door.b, "\r\n\r\n");
    assert_true(scripted_has(c, "GET /parties/shard/" SHARD "?id=me HTTP/1.1\r\n"));
    assert_true(scripted_has(c, "x-terrane-hop: us\r\nx-terrane-client: 127.0.0.1\r\n"));
    assert_true(scripted_has(c, "x-terrane-host: game.example\r\n"));
    assert_true(scripted_has(c, "x-terrane-sign: v1 "));
    scripted_say(c, SWITCHING "\x81\x02hi");
    client_hears("\x81\x02hi");
    assert_int_equal(s.tunnel_stats.opened, 1);
    assert_int_equal(s.stats.held.count, 1);
}

static void request_goes_to_the_owner_with_its_body(void **state)
{
    (void)state;
    peer_send(&door.client, POST);
    world_names("unknown", SHARD, "b", &door.b.origin);
    struct scripted_conn *c = server_hears(&door.b, "\r\n\r\nabcdef");
    assert_true(scripted_has(c, "POST /parties/shard/" SHARD "/score?x=1 HTTP/1.1\r\n"));
    scripted_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
    client_hears("\r\n\r\ngood");
}

static void owner_that_is_known_is_not_asked_for(void **state)
{
    (void)state;
    client_goes_through_to_the_owner(state);
    struct peer second = peer_connect(listener_port(door.listener));
    peer_send(&second, UPGRADE);
    TURN_UNTIL(door.loop, door.b.count == 2);
    assert_int_equal(s.questions.sent, 1);
    peer_close(&second);
    TURN_UNTIL(door.loop, s.stats.held_now == 1);
}

static void substitute_is_dialled_in_place_of_the_shard(void **state)
{
    (void)state;
    peer_send(&door.client, UPGRADE);
    world_names("unknown", OTHER, "b", &door.b.origin);
    struct scripted_conn *c = server_hears(&door.b, "\r\n\r\n");
    assert_true(scripted_has(c, "/parties/shard/room%3Aworld-a%3A1700000000000-8?id=me HTTP"));
    scripted_say(c, SWITCHING);
    client_hears("101");
}

static void shard_that_moved_here_is_served_here(void **state)
{
    (void)state;
    peer_send(&door.client, UPGRADE);
    world_names("unknown", SHARD, "us", &door.b.origin);
    client_hears("served here");
    assert_string_equal(s.served, "/parties/shard/" SHARD " " SHARD " complete");
}

static void owner_that_is_away_is_told_to_the_world(void **state)
{
    struct url_origin closed = closed_origin();
    (void)state;
    peer_send(&door.client, UPGRADE);
    world_names("unknown", SHARD, "b", &closed);
    world_names("unreachable", SHARD, "us", &closed);
    client_hears("served here");
    assert_int_equal(s.stats.unreachable, 1);
    url_origin_clear(&closed);
}

static void request_that_was_misdirected_is_served_here_with_its_body(void **state)
{
    (void)state;
    peer_send(&door.client, POST);
    world_names("unknown", SHARD, "b", &door.b.origin);
    scripted_say(server_hears(&door.b, "\r\n\r\nabcdef"), MISDIRECTED);
    world_names("unknown", SHARD, "us", &door.b.origin);
    client_hears("served here");
    assert_non_null(strstr(s.served, "forwarded"));
    assert_int_equal(s.stats.misdirected, 1);
}

static void full_owner_is_told_to_the_world(void **state)
{
    (void)state;
    peer_send(&door.client, UPGRADE);
    world_names("unknown", SHARD, "b", &door.b.origin);
    scripted_say(server_hears(&door.b, "\r\n\r\n"), FULL);
    world_says("full", 503, "{}");
    client_hears("refused_no_seat " SHARD);
}

static void held_request_is_refused_for_a_reason(void **state)
{
    (void)state;
    s.settings.adopt = false;
    peer_send(&door.client, POST);
    world_says("unknown", 404, "{\"error\":\"?\",\"adopt\":true}");
    client_hears("X-A: 1\r\n\r\nrefused_unknown_shard " SHARD);
}

static void request_that_was_held_keeps_its_connection(void **state)
{
    (void)state;
    peer_send(&door.client, "GET /parties/shard/" SHARD " HTTP/1.1\r\nHost: h\r\n\r\n");
    world_says("unknown", 404, "{\"error\":\"?\",\"adopt\":true}");
    client_hears("served here");
    peer_forget(&door.client);
    peer_send(&door.client, POST); /* it is ours now */
    client_hears("served here");
    assert_int_equal(s.questions.sent, 1);
}

static void what_was_passed_on_in_error_is_421(void **state)
{
    struct buf owner = {0};
    (void)state;
    s.hopped = true;
    peer_send(&door.client, UPGRADE);
    world_names("unknown", SHARD, "b", &door.b.origin);
    buf_addf(&owner, "x-terrane-owner: http://%s\r\n%c", door.b.origin.text, '\0');
    client_hears("HTTP/1.1 421 ");
    client_hears(owner.data);
    assert_int_equal(s.stats.elsewhere, 1);
    assert_int_equal(door.b.count, 0);
    buf_clear(&owner);
}

static void client_that_leaves_is_forgotten(void **state)
{
    (void)state;
    peer_send(&door.client, UPGRADE);
    server_hears(&door.a, "\"reason\":\"unknown\"");
    assert_int_equal(s.stats.held_now, 1);
    peer_reset(&door.client);
    TURN_UNTIL(door.loop, s.stats.held_now == 0);
    assert_int_equal(s.questions.under_way_count, 0);
}

static void client_that_leaves_while_its_owner_thinks_is_forgotten(void **state)
{
    (void)state;
    peer_send(&door.client, UPGRADE);
    world_names("unknown", SHARD, "b", &door.b.origin);
    server_hears(&door.b, "\r\n\r\n");
    peer_reset(&door.client);
    TURN_UNTIL(door.loop, s.stats.held_now == 0);
}

static void without_a_world_all_are_served_here(void **state)
{
    (void)state;
    peer_send(&door.client, UPGRADE);
    struct scripted_conn *c = server_hears(&door.a, "}");
    conn_abort(&c->conn);
    TURN_UNTIL(door.loop, door.a.count == 2); /* it is asked once more */
    conn_abort(&server_hears(&door.a, "}")->conn);
    client_hears("served here");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(client_goes_through_to_the_owner),
        TEST(request_goes_to_the_owner_with_its_body),
        TEST(owner_that_is_known_is_not_asked_for),
        TEST(substitute_is_dialled_in_place_of_the_shard),
        TEST(shard_that_moved_here_is_served_here),
        TEST(owner_that_is_away_is_told_to_the_world),
        TEST(request_that_was_misdirected_is_served_here_with_its_body),
        TEST(full_owner_is_told_to_the_world),
        TEST(held_request_is_refused_for_a_reason),
        TEST(request_that_was_held_keeps_its_connection),
        TEST(what_was_passed_on_in_error_is_421),
        TEST(client_that_leaves_is_forgotten),
        TEST(client_that_leaves_while_its_owner_thinks_is_forgotten),
        TEST(without_a_world_all_are_served_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
