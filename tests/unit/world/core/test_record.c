#include "world/core/record.h"

#include "recorder.h"

static void kinds_have_names(void **state)
{
    static const char *const names[] = {"room", "shard", "node", "server", "ban", "retired"};

    (void)state;
    for (int kind = 0; kind < RECORD_COUNT; kind++)
        assert_string_equal(record_kind_names[kind], names[kind]);
    assert_null(record_kind_names[RECORD_COUNT]);
}

static void rooms_come_back_as_they_were(void **state)
{
    static const struct room_settings rows[] = {
        {STRATEGY_ROUND_ROBIN, true, 75, 1, 0, false},
        {STRATEGY_LEAST_CONNECTIONS, false, 1, 0, 1, false},
        {STRATEGY_RANDOM, true, 9007199254740991, 9007199254740991, 9007199254740991, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct room room = {.settings = rows[i]};
        struct room_settings got;
        struct buf text = {0};

        record_add_room(&text, &room);
        assert_int_equal(record_read_room(buf_span(&text), &got), ERR_OK);
        assert_int_equal(got.strategy, rows[i].strategy);
        assert_int_equal(got.is_public, rows[i].is_public);
        assert_int_equal(got.max_players, rows[i].max_players);
        assert_int_equal(got.min_shards, rows[i].min_shards);
        assert_int_equal(got.max_shards, rows[i].max_shards);
        for (size_t cut = 0; cut < text.len; cut++)
            assert_int_equal(record_read_room(span_slice(buf_span(&text), 0, cut), &got),
                             ERR_SYNTAX);
        buf_clear(&text);
    }
}

static void shards_come_back_as_they_were(void **state)
{
    struct room room = {.name = SPAN("a \"b\":\xc3\xa9\n")};
    struct buf text = {0};

    (void)state;
    for (int status = 0; status < SHARD_STATUS_COUNT; status++) {
        struct shard shard = {.room = &room,
                              .url = SPAN("wss://h/\\{shardId}"),
                              .max = 12,
                              .open = (uint64_t)status * 7,
                              .status = (enum shard_status)status};
        struct shard_record got;

        buf_reset(&text);
        record_add_shard(&text, &shard);
        assert_int_equal(record_read_shard(buf_span(&text), &got), ERR_OK);
        assert_true(span_eq(got.room, room.name));
        assert_true(span_eq(got.url, shard.url));
        assert_int_equal(got.node.len, 0);
        assert_int_equal(got.max, 12);
        assert_int_equal(got.open, shard.open);
        assert_int_equal(got.status, shard.status);
        shard_record_clear(&got);
        for (size_t cut = 0; cut < text.len; cut++)
            assert_int_equal(record_read_shard(span_slice(buf_span(&text), 0, cut), &got),
                             ERR_SYNTAX);
    }
    buf_clear(&text);
}

#define ROOM "\"balancingStrategy\":\"random\",\"public\":true,\"maxPlayersPerShard\":5"

static void values_of_rooms_are_read_strictly(void **state)
{
    static const struct {
        const char *value;
        enum err e;
    } rows[] = {
        {"{" ROOM ",\"minShards\":1}", ERR_OK},
        {"{" ROOM ",\"minShards\":1,\"newer\":{\"a\":[1]}}", ERR_OK},
        {"{" ROOM ",\"minShards\":-1}", ERR_SYNTAX},
        {"{" ROOM ",\"minShards\":\"1\"}", ERR_SYNTAX},
        {"{" ROOM ",\"minShards\":1.5}", ERR_SYNTAX},
        {"{" ROOM ",\"minShards\":9007199254740992}", ERR_SYNTAX},
        {"{" ROOM ",\"minShards\":1,\"maxShards\":0}", ERR_SYNTAX},
        {"{" ROOM ",\"minShards\":1,\"maxShards\":null}", ERR_SYNTAX},
        {"{" ROOM "}", ERR_SYNTAX},
        {"{" ROOM ",\"minShards\":1}x", ERR_SYNTAX},
        {"[" ROOM "]", ERR_SYNTAX},
        {"[]", ERR_SYNTAX},
        {"null", ERR_SYNTAX},
        {"", ERR_SYNTAX},
        {"\xff\xfe\x01", ERR_SYNTAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct room_settings got;
        if (record_read_room(span_str(rows[i].value), &got) != rows[i].e)
            fail_msg("row %zu: %s", i, rows[i].value);
    }
}

static void values_of_shards_are_read_strictly(void **state)
{
    static const struct {
        const char *value;
        enum err e;
    } rows[] = {
        {"{\"roomId\":\"r\",\"url\":\"u\",\"maxConnections\":1,\"status\":\"active\"}", ERR_OK},
        {"{\"roomId\":\"r\",\"url\":\"u\",\"maxConnections\":1,\"status\":\"active\",\"x\":0}",
         ERR_OK},
        {"{\"roomId\":\"r\",\"url\":\"u\",\"maxConnections\":0,\"status\":\"active\"}", ERR_SYNTAX},
        {"{\"roomId\":\"r\",\"url\":\"u\",\"maxConnections\":1,\"status\":\"lazy\"}", ERR_SYNTAX},
        {"{\"roomId\":1,\"url\":\"u\",\"maxConnections\":1,\"status\":\"active\"}", ERR_SYNTAX},
        {"{\"roomId\":\"r\",\"maxConnections\":1,\"status\":\"active\"}", ERR_SYNTAX},
        {"{\"roomId\":\"r\",\"url\":\"u\",\"maxConnections\":1,\"status\":\"active\",\"open\":-1}",
         ERR_SYNTAX},
        {"{\"roomId\":\"r\",\"url\":\"u\",\"maxConnections\":1,\"status\":\"active\",\"node\":1}",
         ERR_SYNTAX},
        {"7", ERR_SYNTAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct shard_record got;
        if (record_read_shard(span_str(rows[i].value), &got) != rows[i].e)
            fail_msg("row %zu: %s", i, rows[i].value);
        if (rows[i].e == ERR_OK)
            shard_record_clear(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_have_names),
        cmocka_unit_test(rooms_come_back_as_they_were),
        cmocka_unit_test(shards_come_back_as_they_were),
        cmocka_unit_test(values_of_rooms_are_read_strictly),
        cmocka_unit_test(values_of_shards_are_read_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
