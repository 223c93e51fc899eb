/* What /connect gives to clients that want a ticket, and to those of private rooms. */
#include "world/core/api/verbs.h"

#include "tests/unit/world/core/fleet.h"

#include "common/proto/ticket.h"

#define CONNECT "/parties/world/world-a/connect"
/* Signed with JWT_SECRET: {"rooms":["r","b"]}, {"rooms":["*"],"worlds":["world-a"]}, the same of
 * world-b, {"rooms":["x"]}, {"rooms":["*"],"exp":…} of 1700000000, {"rooms":"r"}. */
#define ROOMS_R TOKEN_HEAD "eyJyb29tcyI6WyJyIiwiYiJdfQ.6Xl_oaMK22qFEABcskp6J6TvQR-TYR5eIz5vFd0PR5U"
#define ROOMS_ALL_A                                                                                \
    TOKEN_HEAD "eyJyb29tcyI6WyIqIl0sIndvcmxkcyI6WyJ3b3JsZC1hIl19."                                 \
               "Vj70OsFLlYknJADrQCnUMaZpdB3o-us6vRRKlBNZt-w"
#define ROOMS_ALL_B                                                                                \
    TOKEN_HEAD "eyJyb29tcyI6WyIqIl0sIndvcmxkcyI6WyJ3b3JsZC1iIl19."                                 \
               "bGN77KKq4UB9YhNv0mftOtmUz08LnQjFdoal0B-UEk0"
#define ROOMS_X TOKEN_HEAD "eyJyb29tcyI6WyJ4Il19.oW7vRDyVXh4a3ykdLB7MLvnY8Nk-g5cv9Dg_ZDAOLYw"
#define ROOMS_EXPIRED                                                                              \
    TOKEN_HEAD "eyJyb29tcyI6WyIqIl0sImV4cCI6MTcwMDAwMDAwMH0."                                      \
               "chCxZWnxDn41bYLbaGqAdxv_6dNiz5a6qibNbf9bxyU"
#define ROOMS_NO_LIST TOKEN_HEAD "eyJyb29tcyI6InIifQ.-TQI6Fm-63e2fOTnFGahDNiL92CyueewXx2XPIIdO6A"

/* The last answer, and the ticket in it. The spans live until answer_clear. */
struct answer {
    json_t *doc;
    struct buf scratch;
    struct ticket ticket;
    struct span endpoint, session;
    int64_t expires_ms;
};

static void answer_read(struct answer *out, const struct recorder *r)
{
    struct span text;

    *out = (struct answer){.doc = json_decode(span_str(recorder_last(r)->body))};
    assert_true(json_get_span(out->doc, "ticket", &text));
    assert_int_equal(
        ticket_open(&recorder_secrets, text, r->now.wall_ms, &out->scratch, &out->ticket), ERR_OK);
    (void)json_get_span(out->doc, "endpoint", &out->endpoint);
    assert_true(json_get_span(out->doc, "session", &out->session));
    assert_true(json_get_int(out->doc, "expiresAt", 0, INT64_C(1) << 52, &out->expires_ms));
}

static void answer_clear(struct answer *a)
{
    json_decref(a->doc);
    buf_clear(&a->scratch);
}

static void a_direct_answer_has_a_ticket_that_ends_with_the_promise(void **state)
{
    struct recorder *r = fleet_new(7000);
    struct room *room = recorder_room(r, "r", 1, NULL);
    const struct shard *s = recorder_shard(room, 0);
    struct answer a;

    (void)state;
    assert_int_equal(
        recorder_post(r, "/connect", "{\"roomId\":\"r\",\"direct\":true,\"session\":\"p 1\"}"),
        200);
    answer_read(&a, r);
    assert_true(span_eq(a.ticket.world, SPAN("world-a")) && span_eq(a.ticket.shard, s->id));
    assert_true(span_eq(a.ticket.room, SPAN("r")) && span_eq(a.ticket.session, SPAN("p 1")));
    assert_true(span_eq(a.session, SPAN("p 1")));
    assert_int_equal(a.ticket.epoch, fleet_world(r)->epoch);
    assert_int_equal(a.ticket.expires_ms, r->now.wall_ms + 7000);
    assert_int_equal(a.expires_ms, a.ticket.expires_ms);
    assert_null(a.endpoint.ptr); /* no node has the shard */
    assert_int_equal(s->reserved, 1);
    answer_clear(&a);
    recorder_free(r);
}

static void without_promises_a_ticket_is_good_for_a_while(void **state)
{
    struct recorder *r = fleet_new(0);
    struct answer a;

    (void)state;
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\",\"direct\":1}"), 200);
    answer_read(&a, r);
    assert_int_equal(a.expires_ms, r->now.wall_ms + 15000);
    answer_clear(&a);
    recorder_free(r);
}

static void who_brings_no_session_gets_one_of_its_own(void **state)
{
    static const char *const rows[] = {
        "{\"roomId\":\"r\",\"direct\":true}",
        "{\"roomId\":\"r\",\"direct\":true,\"session\":\"\"}",
        "{\"roomId\":\"r\",\"direct\":true,\"session\":\" \\u00a0\"}",
        "{\"roomId\":\"r\",\"direct\":true,\"session\":5}",
    };
    struct recorder *r = fleet_new(7000);
    struct answer a[4];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(recorder_post(r, "/connect", rows[i]), 200);
        answer_read(&a[i], r);
        assert_int_equal(a[i].session.len, 22);
        assert_true(span_eq(a[i].session, a[i].ticket.session));
        for (size_t k = 0; k < i; k++) {
            assert_false(span_eq(a[i].session, a[k].session));
            assert_memory_not_equal(a[i].ticket.nonce, a[k].ticket.nonce, TICKET_NONCE_LEN);
        }
    }
    for (size_t i = 0; i < 4; i++)
        answer_clear(&a[i]);
    recorder_free(r);
}

static void the_endpoint_is_at_the_shards_node(void **state)
{
    static const struct {
        const char *url, *endpoint;
    } rows[] = {
        {"http://node", "ws://node/parties/shard/"},
        {"https://node.example:8443/", "wss://node.example:8443/parties/shard/"},
        {"https://edge.example/n1", "wss://edge.example/n1/parties/shard/"},
        {"", NULL},
        {"node.example", NULL},
    };
    struct recorder *r = fleet_new(7000);
    struct node *n = fleet_join(r, "a");
    struct answer a;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)node_set_text(&n->url, span_str(rows[i].url));
        assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"a b\",\"direct\":true}"), 200);
        answer_read(&a, r);
        if (rows[i].endpoint == NULL) {
            assert_null(a.endpoint.ptr);
        } else {
            assert_true(span_starts(a.endpoint, span_str(rows[i].endpoint)));
            assert_non_null(strstr(recorder_last(r)->body, "/parties/shard/a%20b%3Aworld-a%3A"));
        }
        answer_clear(&a);
    }
    recorder_free(r);
}

static void only_who_asks_gets_a_ticket_unless_it_is_set(void **state)
{
    static const char *const rows[] = {
        "{\"roomId\":\"r\"}",
        "{\"roomId\":\"r\",\"session\":\"p\",\"direct\":false}",
        "{\"roomId\":\"r\",\"session\":\"p\",\"autoCreate\":true,\"direct\":0}",
    };
    struct recorder *r = fleet_new(7000);

    (void)state;
    for (unsigned set = 0; set < 2; set++) {
        r->settings.tickets = set == 1;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            assert_int_equal(recorder_post(r, "/connect", rows[i]), 200);
            assert_int_equal(strstr(recorder_last(r)->body, "\"ticket\":\"t1.") != NULL, set);
        }
    }
    recorder_free(r);
}

static void names_that_no_ticket_holds_are_refused(void **state)
{
    struct recorder *r = fleet_new(7000);
    char body[9000];

    (void)state;
    (void)snprintf(body, sizeof(body), "{\"roomId\":\"%0*d\",\"direct\":true}", 7000, 7);
    assert_int_equal(recorder_post(r, "/connect", body), 400);
    assert_string_equal(recorder_last(r)->body,
                        "{\"error\":\"roomId and session are too long for a ticket\"}");
    recorder_free(r);
}

static int connect_with(struct recorder *r, const char *authorization, const char *query,
                        const char *body)
{
    struct credentials c = {.authorization = span_str(authorization), .query = span_str(query)};

    return recorder_ask(r, "POST", CONNECT, &c, span_str(body));
}

static struct recorder *with_private_room(void)
{
    struct recorder *r = fleet_new(7000);
    struct room *room = recorder_room(r, "r", 1, NULL);
    struct room_settings settings = room->settings;

    settings.is_public = false;
    registry_set_room(&r->core.registry, room, &settings);
    r->settings.private_rooms = true;
    return r;
}

static void a_private_room_takes_tokens_that_cover_it(void **state)
{
    static const struct {
        const char *authorization, *query, *more;
        int status;
    } rows[] = {
        {NULL, NULL, "", 401},
        {"", NULL, "", 401},
        {"Bearer nope", NULL, "", 401},
        {"Bearer " ROOMS_EXPIRED, NULL, "", 401},
        {"Bearer " TOKEN_FORGED, NULL, "", 401},
        {"Bearer " ROOMS_R, NULL, "", 200},
        {ROOMS_R, NULL, "", 200},
        {"Bearer " ROOMS_ALL_A, NULL, "", 200},
        {"Bearer " ROOMS_ALL_B, NULL, "", 403},
        {"Bearer " ROOMS_X, NULL, "", 403},
        {"Bearer " ROOMS_NO_LIST, NULL, "", 403},
        {"Bearer " TOKEN_ALL, NULL, "", 403}, /* an operator's says nothing of rooms */
        {NULL, "world-auth-token=" ROOMS_R, "", 200},
        {NULL, NULL, ",\"token\":\"" ROOMS_R "\"", 200},
        {NULL, NULL, ",\"token\":\"" ROOMS_X "\"", 403},
        {NULL, NULL, ",\"token\":5", 401},
        {"Bearer " ROOMS_X, NULL, ",\"token\":\"" ROOMS_R "\"", 403},
    };
    struct recorder *r = with_private_room();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char body[512];
        (void)snprintf(body, sizeof(body), "{\"roomId\":\"r\"%s}", rows[i].more);
        int status = connect_with(r, rows[i].authorization, rows[i].query, body);
        if (status != rows[i].status)
            fail_msg("row %zu: %d %s", i, status, recorder_last(r)->body);
    }
    recorder_free(r);
}

static void a_refusal_says_how_to_show_a_token(void **state)
{
    struct recorder *r = with_private_room();

    (void)state;
    assert_int_equal(connect_with(r, NULL, NULL, "{\"roomId\":\"r\"}"), 401);
    assert_string_equal(recorder_last(r)->body,
                        "{\"error\":\"A token is needed for private room r\"}");
    assert_non_null(strstr(recorder_last(r)->headers, "WWW-Authenticate: Bearer\r\n"));
    assert_non_null(strstr(recorder_last(r)->headers, "Access-Control-Allow-Origin: *\r\n"));
    assert_int_equal(connect_with(r, ROOMS_X, NULL, "{\"roomId\":\"r\"}"), 403);
    assert_string_equal(recorder_last(r)->body,
                        "{\"error\":\"The token does not cover private room r\"}");
    assert_int_equal(recorder_shard(world_room(fleet_world(r), SPAN("r")), 0)->reserved, 0);
    recorder_free(r);
}

static void other_rooms_and_other_settings_ask_for_nothing(void **state)
{
    struct recorder *r = with_private_room();

    (void)state;
    assert_int_equal(connect_with(r, NULL, NULL, "{\"roomId\":\"other\"}"), 200);
    r->settings.private_rooms = false;
    assert_int_equal(connect_with(r, NULL, NULL, "{\"roomId\":\"r\"}"), 200);
    recorder_free(r);
}

static void a_token_of_rooms_opens_nothing_else(void **state)
{
    struct recorder *r = with_private_room();
    struct credentials c = {.authorization = SPAN("Bearer " ROOMS_ALL_A)};

    (void)state;
    assert_int_equal(
        recorder_ask(r, "POST", "/parties/world/world-a/register-room", &c,
                     SPAN("{\"name\":\"n\",\"balancingStrategy\":\"random\",\"public\":"
                          "true,\"maxPlayersPerShard\":5,\"minShards\":1}")),
        403);
    assert_int_equal(recorder_manage(r, ROOMS_ALL_A, "GET", "/api/v1/worlds/world-a/rooms", NULL),
                     403);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_direct_answer_has_a_ticket_that_ends_with_the_promise),
        cmocka_unit_test(without_promises_a_ticket_is_good_for_a_while),
        cmocka_unit_test(who_brings_no_session_gets_one_of_its_own),
        cmocka_unit_test(the_endpoint_is_at_the_shards_node),
        cmocka_unit_test(only_who_asks_gets_a_ticket_unless_it_is_set),
        cmocka_unit_test(names_that_no_ticket_holds_are_refused),
        cmocka_unit_test(a_private_room_takes_tokens_that_cover_it),
        cmocka_unit_test(a_refusal_says_how_to_show_a_token),
        cmocka_unit_test(other_rooms_and_other_settings_ask_for_nothing),
        cmocka_unit_test(a_token_of_rooms_opens_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
