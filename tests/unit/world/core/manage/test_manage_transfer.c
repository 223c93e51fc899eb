#include "tests/unit/world/core/fleet.h"

#include "world/core/rooms/shards.h"

#define A "/api/v1/worlds/world-a"

static char *export(struct recorder *r)
{
    assert_int_equal(recorder_manage(r, NULL, "GET", A "/export", NULL), 200);
    return xspandup(span_str(strstr(recorder_last(r)->body, "\"records\"")));
}

static int import(struct recorder *r, const char *records, const char *more)
{
    struct buf body = {0};
    int status;

    buf_addf(&body, "{\"version\":1,\"world\":\"world-a\"%s,%s", more, records);
    buf_add_char(&body, '\0');
    status = recorder_manage(r, NULL, "POST", A "/import", body.data);
    buf_clear(&body);
    return status;
}

/* Two rooms, three shards, a node, a ban and a drain. */
static void fill(struct recorder *r)
{
    struct room *room;

    (void)fleet_join(r, "a");
    room = recorder_room(r, "r", 2, "p2c");
    (void)recorder_room(r, "q\\\"/", 1, NULL);
    registry_set_max(&r->core.registry, recorder_shard(room, 0), 7);
    assert_int_equal(recorder_manage(r, NULL, "PUT", A "/rooms/r/bans/p", "{\"seconds\":60}"), 201);
}

static void an_export_comes_back_as_it_was(void **state)
{
    struct recorder *before = fleet_new(0), *after = fleet_new(0);
    char *first, *second;

    (void)state;
    fill(before);
    first = export(before);
    assert_int_equal(import(after, first, ""), 200);
    assert_string_equal(recorder_last(after)->body,
                        "{\"room\":2,\"shard\":3,\"node\":1,\"server\":0,\"ban\":1,\"skipped\":0}");
    second = export(after);
    assert_string_equal(first, second);
    assert_true(after->record_count >= 7);
    free(first);
    free(second);
    recorder_free(before);
    recorder_free(after);
}

static void what_is_there_is_not_replaced_unasked(void **state)
{
    struct recorder *r = fleet_new(0);
    char *first, *second;

    (void)state;
    fill(r);
    first = export(r);
    assert_int_equal(import(r, first, ""), 409);
    assert_string_equal(recorder_last(r)->body,
                        "{\"error\":\"Record 0 (room r): it is there already\"}");
    registry_set_max(&r->core.registry, recorder_shard(world_room(fleet_world(r), SPAN("r")), 0),
                     3);
    assert_int_equal(import(r, first, ",\"replace\":true"), 200);
    second = export(r);
    assert_string_equal(first, second);
    free(first);
    free(second);
    recorder_free(r);
}

#define ROOM                                                                                       \
    "{\"kind\":\"room\",\"key\":\"x\",\"value\":{\"balancingStrategy\":\"random\",\"public\":"     \
    "true,"                                                                                        \
    "\"maxPlayersPerShard\":5,\"minShards\":0}}"

static void a_bad_record_keeps_all_out(void **state)
{
    static const char *const rows[] = {
        ROOM "," ROOM,
        ROOM ",{\"kind\":\"room\",\"key\":\"y\",\"value\":{}}",
        ROOM ",{\"kind\":\"room\",\"key\":\"y\"}",
        ROOM ",{\"kind\":\"rooms\",\"key\":\"y\",\"value\":{}}",
        ROOM ",{\"kind\":\"retired\",\"key\":\"y\",\"value\":{\"until\":1}}",
        ROOM ",{\"kind\":\"node\",\"key\":\"\",\"value\":{}}",
        ROOM ",{\"kind\":\"server\",\"key\":\"nowhere\",\"value\":{}}",
        ROOM ",{\"kind\":\"ban\",\"key\":\"k\",\"value\":{\"roomId\":\"z\",\"session\":\"p\","
             "\"until\":9}}",
        ROOM ",{\"kind\":\"shard\",\"key\":\"x:world-b:1760000000000-1\",\"value\":{\"roomId\":"
             "\"x\",\"url\":\"u\",\"maxConnections\":5,\"status\":\"active\"}}",
        ROOM ",{\"kind\":\"shard\",\"key\":\"z:world-a:1760000000000-1\",\"value\":{\"roomId\":"
             "\"z\",\"url\":\"u\",\"maxConnections\":5,\"status\":\"active\"}}",
        ROOM ",7",
    };
    struct recorder *r = fleet_new(0);
    char records[1024];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)snprintf(records, sizeof(records), "\"records\":[%s]}", rows[i]);
        if (import(r, records, "") != 400)
            fail_msg("row %zu: %s", i, recorder_last(r)->body);
        assert_int_equal(r->core.registry.room_count, 0);
    }
    assert_int_equal(recorder_manage(r, NULL, "POST", A "/import",
                                     "{\"version\":2,\"world\":\"world-a\",\"records\":[]}"),
                     400);
    assert_int_equal(recorder_manage(r, NULL, "POST", A "/import",
                                     "{\"version\":1,\"world\":\"world-b\",\"records\":[]}"),
                     400);
    (void)snprintf(records, sizeof(records), "\"records\":[%s]}", ROOM);
    assert_int_equal(import(r, records, ""), 200);
    recorder_free(r);
}

/* Adds so many bans of the room x, from the first on, until that time. */
static void add_bans(struct buf *out, unsigned first, unsigned count, int64_t until_ms)
{
    for (unsigned i = first; i < first + count; i++)
        buf_addf(
            out,
            ",{\"kind\":\"ban\",\"key\":\"k%u\",\"value\":{\"roomId\":\"x\",\"session\":\"s%u\","
            "\"until\":%lld}}",
            i, i, (long long)until_ms);
}

/* Imports the room x, if it comes in, and what `add` is in `records`, which is emptied. */
static int import_with_room(struct recorder *r, bool room, struct buf *records)
{
    struct buf all = {0};
    int status;

    buf_addf(&all, "\"records\":[%s", room ? ROOM : "");
    buf_add_span(&all, span_slice(buf_span(records), room ? 0 : 1, records->len));
    buf_addf(&all, "]}");
    buf_add_char(&all, '\0');
    status = import(r, all.data, "");
    buf_clear(&all);
    buf_reset(records);
    return status;
}

static void more_bans_than_a_room_can_have_keep_all_out(void **state)
{
    struct recorder *r = fleet_new(0);
    int64_t later = r->now.wall_ms + 60000;
    struct buf records = {0};

    (void)state;
    add_bans(&records, 0, BANS_MAX + 1, later);
    assert_int_equal(import_with_room(r, true, &records), 400);
    assert_string_equal(recorder_last(r)->body,
                        "{\"error\":\"Record 1001 (ban k1000): its room would have more than 1000 "
                        "bans\"}");
    assert_int_equal(r->core.registry.room_count, 0);
    add_bans(&records, 0, BANS_MAX - 1, later);
    assert_int_equal(import_with_room(r, true, &records), 200);
    add_bans(&records, BANS_MAX, 2, later); /* beside those that are there */
    assert_int_equal(import_with_room(r, false, &records), 400);
    assert_int_equal(world_room(fleet_world(r), SPAN("x"))->bans.count, BANS_MAX - 1);
    buf_clear(&records);
    recorder_free(r);
}

static void bans_that_are_over_are_skipped_and_not_counted(void **state)
{
    struct recorder *r = fleet_new(0);
    struct buf records = {0};

    (void)state;
    add_bans(&records, 0, BANS_MAX, r->now.wall_ms);
    add_bans(&records, BANS_MAX, 2, r->now.wall_ms + 60000);
    assert_int_equal(import_with_room(r, true, &records), 200);
    assert_string_equal(recorder_last(r)->body, "{\"room\":1,\"shard\":0,\"node\":0,\"server\":0,"
                                                "\"ban\":2,\"skipped\":1000}");
    buf_clear(&records);
    recorder_free(r);
}

static void add_servers(struct buf *out, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        buf_addf(out,
                 ",{\"kind\":\"server\",\"key\":\"http://h:%u\",\"value\":{\"registered\":true,"
                 "\"drain\":false}}",
                 i + 1);
}

static void more_servers_than_a_world_can_have_keep_all_out(void **state)
{
    struct recorder *r = recorder_new_with("http://h:1,http://h:2000");
    struct buf records = {0};

    (void)state;
    add_servers(&records, SERVERS_MAX); /* h:1 is in the list anyway, h:2000 beside them */
    assert_int_equal(import_with_room(r, true, &records), 400);
    assert_string_equal(
        recorder_last(r)->body,
        "{\"error\":\"Record 1000 (server http://h:1000): the world would have more "
        "than 1000 room servers\"}");
    assert_int_equal(r->core.registry.world_count, 0);
    add_servers(&records, SERVERS_MAX - 1);
    assert_int_equal(import_with_room(r, true, &records), 200);
    assert_string_equal(recorder_last(r)->body, "{\"room\":1,\"shard\":0,\"node\":0,"
                                                "\"server\":999,\"ban\":0,\"skipped\":0}");
    assert_int_equal(servers_listed(&r->core.registry, fleet_world(r)), SERVERS_MAX);
    buf_clear(&records);
    recorder_free(r);
}

static void a_node_that_is_there_is_skipped(void **state)
{
    struct recorder *r = fleet_new(0);
    char *all;

    (void)state;
    fill(r);
    all = export(r);
    assert_int_equal(import(r, all, ",\"replace\":true"), 200);
    assert_string_equal(recorder_last(r)->body, "{\"room\":2,\"shard\":3,\"node\":0,\"server\":0,"
                                                "\"ban\":1,\"skipped\":1}");
    free(all);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_export_comes_back_as_it_was),
        cmocka_unit_test(what_is_there_is_not_replaced_unasked),
        cmocka_unit_test(a_bad_record_keeps_all_out),
        cmocka_unit_test(more_bans_than_a_room_can_have_keep_all_out),
        cmocka_unit_test(bans_that_are_over_are_skipped_and_not_counted),
        cmocka_unit_test(more_servers_than_a_world_can_have_keep_all_out),
        cmocka_unit_test(a_node_that_is_there_is_skipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
