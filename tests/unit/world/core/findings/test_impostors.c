/* Who calls himself a node without the secret. */
#include "world/core/findings/impostors.h"

#include "tests/unit/world/core/fleet.h"

static const char beat[] = "{\"node\":{\"id\":\"n1\",\"epoch\":1},\"seq\":1,\"shards\":[]}";

/* From the n-th address, to that world. */
static void come(struct recorder *r, unsigned n, const char *world, const char *secret,
                 const char *body)
{
    struct credentials c = {.access_count = 1, .access = span_str(secret)};
    char path[64], address[32];

    (void)snprintf(path, sizeof path, "/parties/world/%s/heartbeat", world);
    (void)snprintf(address, sizeof address, "10.0.0.%u", n);
    assert_int_equal(addr_parse(span_str(address), &r->client), ERR_OK);
    assert_int_equal(recorder_ask(r, "POST", path, &c, span_str(body)), 403);
}

static void assert_found(const struct findings *f, const char *address, const char *detail)
{
    const struct finding *item = findings_get(f, FINDING_NODE_SECRET, span_str(address));

    if (detail == NULL) {
        assert_null(item);
        return;
    }
    assert_non_null(item);
    if (!span_eq(item->detail, span_str(detail)))
        fail_msg("got %.*s", SPAN_ARG(item->detail));
}

static void a_wrong_secret_is_found_where_it_was_shown(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    (void)fleet_join(r, "a");
    come(r, 7, "world-a", "wrong", beat);
    assert_found(&fleet_world(r)->findings, "10.0.0.7", "calls itself node n1, of world-a");
    come(r, 7, "world-unknown", "wrong", beat);
    assert_null(registry_world(&r->core.registry, SPAN("world-unknown")));
    assert_found(&r->core.findings, "10.0.0.7", "calls itself node n1, of world-unknown");
    assert_int_equal(core_findings(&r->core, FINDING_NODE_SECRET), 2);
    recorder_free(r);
}

static void whoever_shows_no_secret_is_no_node(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    (void)fleet_join(r, "a");
    come(r, 7, "world-a", "", beat);
    assert_int_equal(core_findings(&r->core, FINDING_NODE_SECRET), 0);
    recorder_free(r);
}

static void a_body_is_not_believed(void **state)
{
    static const char *const bodies[] = {"", "{", "{\"node\":{\"id\":\"a\\u0000\"",
                                         "{\"node\": {\"id\":\"n1\"}}", "nonsense"};
    struct recorder *r = fleet_new(0);

    (void)state;
    (void)fleet_join(r, "a");
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        come(r, 7, "world-a", "wrong", bodies[i]);
        assert_found(&fleet_world(r)->findings, "10.0.0.7", "calls itself a node of world-a");
    }
    recorder_free(r);
}

static void it_is_forgotten_when_nobody_comes_any_more(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    come(r, 7, "world-b", "wrong", beat);
    recorder_pass(r, IMPOSTORS_KEEP_MS - 1000);
    come(r, 7, "world-b", "wrong", beat);
    recorder_pass(r, IMPOSTORS_KEEP_MS - 1000);
    core_tick(&r->core, r->now);
    assert_int_equal(core_findings(&r->core, FINDING_NODE_SECRET), 1);
    recorder_pass(r, 1000);
    core_tick(&r->core, r->now);
    assert_int_equal(core_findings(&r->core, FINDING_NODE_SECRET), 0);
    assert_int_equal(r->core.impostors.count, 0);
    recorder_free(r);
}

static void there_are_no_more_than_the_bound(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    (void)fleet_join(r, "a");
    for (unsigned n = 0; n < 3 * IMPOSTORS_MAX; n++)
        come(r, n, n % 2 == 0 ? "world-a" : "world-b", "wrong", beat);
    assert_int_equal(r->core.impostors.count, IMPOSTORS_MAX);
    assert_int_equal(core_findings(&r->core, FINDING_NODE_SECRET), IMPOSTORS_MAX);
    recorder_pass(r, IMPOSTORS_KEEP_MS);
    core_tick(&r->core, r->now);
    assert_int_equal(core_findings(&r->core, FINDING_NODE_SECRET), 0);
    recorder_free(r);
}

static void one_address_does_not_hide_the_others(void **state)
{
    struct recorder *r = fleet_new(0);
    char world[32];

    (void)state;
    (void)fleet_join(r, "a");
    for (int n = 0; n < 3 * IMPOSTORS_MAX; n++) {
        (void)snprintf(world, sizeof world, "world-%d", n);
        come(r, 66, world, "wrong", beat);
    }
    come(r, 7, "world-a", "wrong", beat);
    assert_found(&fleet_world(r)->findings, "10.0.0.7", "calls itself node n1, of world-a");
    assert_int_equal(r->core.impostors.count, IMPOSTORS_WORLDS + 1);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_secret_is_found_where_it_was_shown),
        cmocka_unit_test(whoever_shows_no_secret_is_no_node),
        cmocka_unit_test(a_body_is_not_believed),
        cmocka_unit_test(it_is_forgotten_when_nobody_comes_any_more),
        cmocka_unit_test(there_are_no_more_than_the_bound),
        cmocka_unit_test(one_address_does_not_hide_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
