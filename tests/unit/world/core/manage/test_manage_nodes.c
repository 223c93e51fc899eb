#include "tests/unit/world/core/fleet.h"

#define A "/api/v1/worlds/world-a"

static int ask(struct recorder *r, const char *method, const char *path, const char *body)
{
    return recorder_manage(r, NULL, method, path, body);
}

/* A request about the shard. */
static int ask_shard(struct recorder *r, const struct shard *s, const char *verb, const char *body)
{
    char path[256];

    (void)snprintf(path, sizeof(path), A "/shards/%.*s%s", SPAN_ARG(s->id), verb);
    return ask(r, "POST", path, body);
}

static const char *last(const struct recorder *r)
{
    return recorder_last(r)->body;
}

static void nodes_are_shown(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    (void)fleet_join(r, "a");
    (void)fleet_join(r, "b");
    assert_int_equal(ask(r, "GET", A "/nodes?limit=1", NULL), 200);
    assert_ptr_equal(
        strstr(last(r), "{\"items\":[{\"node\":\"a\",\"state\":\"alive\",\"usable\":true,"),
        last(r));
    assert_null(strstr(last(r), "\"next\":null"));
    assert_int_equal(ask(r, "GET", A "/nodes/b", NULL), 200);
    assert_non_null(strstr(last(r), "\"url\":\"http://node\",\"internalUrl\":"));
    assert_int_equal(ask(r, "GET", A "/nodes/c", NULL), 404);
    assert_string_equal(last(r), "{\"error\":\"Node c is not known\"}");
    recorder_free(r);
}

static void a_node_is_drained_and_not_any_more(void **state)
{
    struct recorder *r = fleet_new(0);
    struct node *a = fleet_join(r, "a"), *b = fleet_join(r, "b");
    struct shard *s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    char path[64];

    (void)state;
    (void)snprintf(path, sizeof(path), A "/nodes/%.*s/drain", SPAN_ARG(s->owner->id));
    struct node *other = s->owner == a ? b : a;
    assert_int_equal(ask(r, "POST", path, "{\"deadlineMs\":60000,\"rate\":5}"), 200);
    assert_non_null(
        strstr(last(r), "\"draining\":true,\"drain\":{\"deadlineMs\":60000,\"rate\":5}"));
    assert_ptr_equal(s->owner, other);
    assert_int_equal(ask(r, "POST", path, "{\"rate\":-1}"), 400);
    assert_int_equal(ask(r, "POST", A "/nodes/a/undrain", NULL), 200);
    assert_int_equal(ask(r, "POST", A "/nodes/b/undrain", NULL), 200);
    assert_true(a->usable && b->usable);
    recorder_free(r);
}

/* The node goes on saying so until it has heard that it need not. */
static void an_undrained_node_is_not_shown_as_draining(void **state)
{
    struct recorder *r = fleet_new(0);
    struct node *a = fleet_join(r, "a");

    (void)state;
    assert_int_equal(ask(r, "POST", A "/nodes/a/drain", "{}"), 200);
    fleet_beat(r, &(struct said){.id = "a", .partial = true, .draining = true}, NULL, 0);
    int64_t have = a->version_of_orders;
    assert_int_equal(ask(r, "POST", A "/nodes/a/undrain", NULL), 200);
    assert_non_null(strstr(last(r), "\"draining\":false"));
    fleet_beat(r,
               &(struct said){.id = "a", .partial = true, .draining = true, .have_version = have},
               NULL, 0);
    assert_int_equal(ask(r, "GET", A "/nodes/a", NULL), 200);
    assert_non_null(strstr(last(r), "\"usable\":false"));
    assert_non_null(strstr(last(r), "\"draining\":false"));
    /* it knows, and ends for reasons of its own */
    fleet_beat(r, &(struct said){.id = "a", .partial = true, .draining = true}, NULL, 0);
    assert_int_equal(ask(r, "POST", A "/nodes/a/undrain", NULL), 200);
    assert_non_null(strstr(last(r), "\"draining\":true"));
    recorder_free(r);
}

static void orders_count_a_shards_deadline_down(void **state)
{
    struct recorder *r = fleet_new(0);
    struct shard *s;

    (void)state;
    (void)fleet_join(r, "a");
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    recorder_report(r, s->id, 3, NULL);
    assert_int_equal(ask_shard(r, s, "/drain", "{\"deadlineMs\":9000,\"retryMs\":[50,60]}"), 200);
    recorder_pass(r, 500);
    assert_int_equal(
        fleet_beat(r, &(struct said){.id = "a", .stranger = true, .partial = true}, NULL, 0), 200);
    assert_non_null(strstr(last(r), "\"status\":\"draining\""));
    assert_non_null(strstr(last(r), "\"drain\":{\"deadlineMs\":8500"));
    assert_non_null(strstr(last(r), "\"retryMinMs\":50,\"retryMaxMs\":60"));
    recorder_free(r);
}

static void shards_are_moved(void **state)
{
    struct recorder *r = fleet_new(0);
    struct node *a = fleet_join(r, "a"), *b = fleet_join(r, "b"), *other;
    struct shard *s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    char body[64];

    (void)state;
    other = s->owner == a ? b : a;
    (void)snprintf(body, sizeof(body), "{\"node\":\"%.*s\"}", SPAN_ARG(other->id));
    assert_int_equal(ask_shard(r, s, "/move", body), 200);
    assert_ptr_equal(s->owner, other);
    assert_int_equal(ask_shard(r, s, "/move", body), 200); /* once more changes nothing */
    assert_int_equal(ask_shard(r, s, "/move", "{\"node\":\"x\"}"), 404);
    assert_int_equal(ask_shard(r, s, "/move", "{}"), 400);
    node_drain(&r->core.registry, a, true, &(struct order_drain){0}, r->now);
    node_drain(&r->core.registry, b, true, &(struct order_drain){0}, r->now);
    (void)snprintf(body, sizeof(body), "{\"node\":\"%s\"}", other == a ? "b" : "a");
    assert_int_equal(ask_shard(r, s, "/move", body), 409);
    recorder_free(r);
}

static void dead_nodes_can_be_forgotten(void **state)
{
    struct recorder *r = fleet_new(0);
    struct shard *s;

    (void)state;
    (void)fleet_join(r, "a");
    s = recorder_shard(recorder_room(r, "r", 1, NULL), 0);
    assert_int_equal(ask(r, "DELETE", A "/nodes/a", NULL), 409);
    assert_string_equal(last(r), "{\"error\":\"Node a still lives\"}");
    for (unsigned i = 0; i < 60; i++)
        recorder_pass(r, 250);
    assert_int_equal(fleet_node(r, "a")->state, NODE_DEAD);
    assert_int_equal(ask(r, "DELETE", A "/nodes/a", NULL), 204);
    assert_null(fleet_node(r, "a"));
    assert_null(s->owner);
    recorder_free(r);
}

static void states_and_owners_are_told(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    assert_int_equal(ask(r, "GET", A "/events", NULL), 0);
    (void)fleet_join(r, "a");
    assert_non_null(
        strstr(r->streamed.data, "event: node.state\ndata: {\"node\":\"a\",\"state\":\"alive\""));
    (void)recorder_room(r, "r", 1, NULL);
    assert_non_null(strstr(r->streamed.data, "\"node\":\"a\"}\n\n"));
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_are_shown),
        cmocka_unit_test(a_node_is_drained_and_not_any_more),
        cmocka_unit_test(an_undrained_node_is_not_shown_as_draining),
        cmocka_unit_test(orders_count_a_shards_deadline_down),
        cmocka_unit_test(shards_are_moved),
        cmocka_unit_test(dead_nodes_can_be_forgotten),
        cmocka_unit_test(states_and_owners_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
