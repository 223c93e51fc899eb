#include "world/core/rooms/bans.h"

#include "tests/unit/world/core/fleet.h"

#define A "/api/v1/worlds/world-a"

static int ask(struct recorder *r, const char *method, const char *path, const char *body)
{
    return recorder_manage(r, NULL, method, path, body);
}

static const char *last(const struct recorder *r)
{
    return recorder_last(r)->body;
}

static void bans_are_kept_shown_and_taken_back(void **state)
{
    static const struct {
        const char *method, *path, *body;
        int status;
        const char *answer;
    } rows[] = {
        {"PUT", A "/rooms/r/bans/p%2Fq", "{\"seconds\":60}", 201,
         "{\"session\":\"p/q\",\"until\":1760000060000,\"leftMs\":60000}"},
        {"PUT", A "/rooms/r/bans/p%2Fq", "{\"seconds\":61}", 200,
         "{\"session\":\"p/q\",\"until\":1760000061000,\"leftMs\":61000}"},
        {"GET", A "/rooms/r/bans/p%2Fq", NULL, 200,
         "{\"session\":\"p/q\",\"until\":1760000061000,\"leftMs\":61000}"},
        {"POST", A "/rooms/r/kick", "{\"session\":\"p/q\"}", 200,
         "{\"session\":\"p/q\",\"until\":1760000061000,\"leftMs\":61000}"},
        {"POST", A "/rooms/r/kick", "{\"session\":\"z\"}", 200,
         "{\"session\":\"z\",\"until\":1760000005000,\"leftMs\":5000}"},
        {"GET", A "/rooms/r/bans?limit=2", NULL, 200,
         "{\"items\":[{\"session\":\"p/q\",\"until\":1760000061000,\"leftMs\":61000},"
         "{\"session\":\"z\",\"until\":1760000005000,\"leftMs\":5000}],\"next\":null}"},
        {"DELETE", A "/rooms/r/bans/p%2Fq", NULL, 204, ""},
        {"DELETE", A "/rooms/r/bans/p%2Fq", NULL, 404, "{\"error\":\"Session p/q is not banned\"}"},
        {"GET", A "/rooms/r/bans/x", NULL, 404, NULL},
        {"PUT", A "/rooms/r/bans/x", "{\"seconds\":0}", 400, NULL},
        {"PUT", A "/rooms/r/bans/x", "{}", 400, NULL},
        {"PUT", A "/rooms/r/bans/", "{\"seconds\":1}", 400, NULL},
        {"PUT", A "/rooms/x/bans/x", "{\"seconds\":1}", 404, NULL},
        {"POST", A "/rooms/r/kick", "{\"session\":\"\"}", 400, NULL},
        {"POST", A "/rooms/r/kick", "{}", 400, NULL},
    };
    struct recorder *r = fleet_new(0);

    (void)state;
    (void)recorder_room(r, "r", 1, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int status = ask(r, rows[i].method, rows[i].path, rows[i].body);
        if (status != rows[i].status)
            fail_msg("row %zu: %d %s", i, status, last(r));
        if (rows[i].answer != NULL)
            assert_string_equal(last(r), rows[i].answer);
    }
    recorder_free(r);
}

static void orders_tell_the_nodes(void **state)
{
    struct recorder *r = fleet_new(0);
    struct said said = {.id = "a", .partial = true};

    (void)state;
    (void)fleet_join(r, "a");
    (void)recorder_room(r, "r", 1, NULL);
    assert_int_equal(fleet_beat(r, &said, NULL, 0), 200);
    assert_int_equal(ask(r, "PUT", A "/rooms/r/bans/p", "{\"seconds\":60}"), 201);
    said.have_version = 1;
    recorder_pass(r, 500);
    assert_int_equal(fleet_beat(r, &said, NULL, 0), 200);
    assert_non_null(strstr(last(r), "\"bans\":[{\"session\":\"p\",\"ttlMs\":59500}]"));
    recorder_free(r);
}

static void a_ban_ends_by_itself(void **state)
{
    struct recorder *r = fleet_new(0);
    const struct room *room = recorder_room(r, "r", 1, NULL);

    (void)state;
    assert_int_equal(ask(r, "POST", A "/rooms/r/kick", "{\"session\":\"p\"}"), 200);
    recorder_pass(r, 4990);
    assert_int_equal(room->bans.count, 1);
    recorder_pass(r, 30);
    assert_int_equal(room->bans.count, 0);
    recorder_free(r);
}

static void a_room_has_a_thousand_at_most(void **state)
{
    struct recorder *r = fleet_new(0);
    char path[64];

    (void)state;
    (void)recorder_room(r, "r", 1, NULL);
    for (unsigned i = 0; i <= BANS_MAX; i++) {
        (void)snprintf(path, sizeof(path), A "/rooms/r/bans/%u", i);
        assert_int_equal(ask(r, "PUT", path, "{\"seconds\":9}"), i < BANS_MAX ? 201 : 409);
    }
    recorder_free(r);
}

static void bans_survive_a_restart(void **state)
{
    struct recorder *before = fleet_new(0), *after = fleet_new(0);
    const struct recorded_record *stored;
    struct room *room;

    (void)state;
    (void)recorder_room(before, "r", 0, NULL);
    (void)recorder_room(after, "r", 0, NULL);
    assert_int_equal(ask(before, "PUT", A "/rooms/r/bans/p%22", "{\"seconds\":60}"), 201);
    stored = &before->records[(before->record_count - 1) % RECORDED_MAX];
    assert_int_equal(stored->kind, RECORD_BAN);
    assert_string_equal(stored->key, "[\"r\",\"p\\\"\"]");
    struct record record = {RECORD_BAN, span_str(stored->world), span_str(stored->key),
                            span_str(stored->value)};
    assert_int_equal(core_restore(&after->core, &record, after->now), ERR_OK);
    room = world_room(fleet_world(after), SPAN("r"));
    assert_non_null(ban_find(room, SPAN("p\"")));
    recorder_pass(after, 61000);
    assert_int_equal(room->bans.count, 0);
    assert_int_equal(core_restore(&after->core, &record, after->now), ERR_OK); /* it is over */
    assert_int_equal(room->bans.count, 0);
    recorder_free(before);
    recorder_free(after);
}

static void bans_go_with_their_room(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    (void)recorder_room(r, "r", 1, NULL);
    assert_int_equal(ask(r, "PUT", A "/rooms/r/bans/p", "{\"seconds\":60}"), 201);
    assert_int_equal(ask(r, "DELETE", A "/rooms/r", NULL), 204);
    recorder_pass(r, 61000);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bans_are_kept_shown_and_taken_back),
        cmocka_unit_test(orders_tell_the_nodes),
        cmocka_unit_test(a_ban_ends_by_itself),
        cmocka_unit_test(a_room_has_a_thousand_at_most),
        cmocka_unit_test(bans_survive_a_restart),
        cmocka_unit_test(bans_go_with_their_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
