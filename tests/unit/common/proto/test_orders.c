#include "common/proto/orders.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct order plain = {
    .shard_id = SPAN_INIT("a:world-x:1700000000000-1"),
    .room_id = SPAN_INIT("a"),
    .status = ORDER_ACTIVE,
    .max_connections = 75,
};
static const struct order full_of_all = {
    .shard_id = SPAN_INIT("a\"\\\0\n:b:world-x:1700000000000-2"),
    .room_id = SPAN_INIT("a\"\\\0\n:b"),
    .status = ORDER_DRAINING,
    .max_connections = 9007199254740991,
    .room_server = SPAN_INIT("http://[::1]:3000"),
    .hold = true,
    .is_private = true,
    .drain = {.deadline_ms = 1, .rate = 2, .retry_min_ms = 3, .retry_max_ms = 4},
};

static void assert_span(struct span a, struct span b)
{
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.ptr, b.ptr, b.len);
}

static void assert_drain(const struct order_drain *a, const struct order_drain *b)
{
    assert_int_equal(a->deadline_ms, b->deadline_ms);
    assert_int_equal(a->rate, b->rate);
    assert_int_equal(a->retry_min_ms, b->retry_min_ms);
    assert_int_equal(a->retry_max_ms, b->retry_max_ms);
}

static void assert_order(const struct order *a, const struct order *b)
{
    assert_span(a->shard_id, b->shard_id);
    assert_span(a->room_id, b->room_id);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->max_connections, b->max_connections);
    assert_int_equal(a->room_server.len, b->room_server.len);
    assert_int_equal(a->hold, b->hold);
    assert_int_equal(a->is_private, b->is_private);
    assert_drain(&a->drain, &b->drain);
}

static void write_all(struct buf *out)
{
    struct orders o = {.epoch = 1700000000000,
                       .version = 12,
                       .interval_ms = 1000,
                       .full = true,
                       .log = {.id = 7, .level = 3, .ttl_ms = 1500},
                       .renew = true,
                       .drain_node = true,
                       .drain = {.deadline_ms = 60000},
                       .others = 3};
    struct order_ban bans[] = {{SPAN("s\"1"), 1000}, {SPAN("__proto__"), 0}};
    orders_open(out, &o);
    orders_add_shard(out, &plain, NULL, 0, true);
    orders_add_shard(out, &full_of_all, bans, 2, false);
    orders_open_drops(out);
    orders_add_drop(out, SPAN("gone"), true);
    orders_add_drop(out, SPAN("gone\n"), false);
    orders_open_guests(out);
    orders_add_shard(out, &plain, NULL, 0, true);
    orders_open_missing(out);
    orders_add_missing(out, SPAN("s\n"), SPAN("[\"ann\",\"b\\u0000b\"]"), true);
    orders_add_missing(out, SPAN("t"), SPAN("[]"), false);
    orders_close(out);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    struct buf text = {0};
    struct orders o;
    struct order order;
    struct order_ban ban;
    struct span drop;
    const json_t *bans;
    json_t *doc;
    size_t at = 0, ban_at = 0, drop_at = 0;

    write_all(&text);
    assert_int_equal(orders_read(&o, &doc, buf_span(&text)), ERR_OK);
    assert_int_equal(o.epoch, 1700000000000);
    assert_int_equal(o.version, 12);
    assert_int_equal(o.interval_ms, 1000);
    assert_int_equal(o.others, 3);
    assert_true(o.log.id == 7 && o.log.level == 3 && o.log.ttl_ms == 1500);
    assert_true(o.full && o.drain_node && o.renew && !o.unchanged);
    assert_int_equal(o.drain.deadline_ms, 60000);

    assert_true(orders_next_shard(doc, &at, &order, &bans));
    assert_order(&order, &plain);
    assert_false(order_next_ban(bans, &ban_at, &ban));
    assert_true(orders_next_shard(doc, &at, &order, &bans));
    assert_order(&order, &full_of_all);
    assert_true(order_next_ban(bans, &ban_at, &ban));
    assert_span(ban.session, SPAN("s\"1"));
    assert_int_equal(ban.ttl_ms, 1000);
    assert_true(order_next_ban(bans, &ban_at, &ban));
    assert_false(order_next_ban(bans, &ban_at, &ban));
    assert_false(orders_next_shard(doc, &at, &order, &bans));

    assert_true(orders_next_drop(doc, &drop_at, &drop));
    assert_span(drop, SPAN("gone"));
    assert_true(orders_next_drop(doc, &drop_at, &drop));
    assert_span(drop, SPAN("gone\n"));
    assert_false(orders_next_drop(doc, &drop_at, &drop));
    at = 0;
    assert_true(orders_next_guest(doc, &at, &order));
    assert_order(&order, &plain);
    assert_false(orders_next_guest(doc, &at, &order));
    json_decref(doc);
    buf_clear(&text);
}

static void missing_sessions_are_read_back(void **state)
{
    (void)state;
    struct buf text = {0};
    struct orders o = {.epoch = 7, .unchanged = true};
    const json_t *sessions;
    struct span shard, id;
    size_t at = 0, session_at = 0;
    json_t *doc;

    for (int unchanged = 0; unchanged <= 1; unchanged++, at = session_at = 0) {
        buf_reset(&text);
        if (unchanged) {
            orders_open(&text, &o);
            orders_open_missing(&text);
            orders_add_missing(&text, SPAN("s\n"), SPAN("[\"ann\",\"b\\u0000b\"]"), true);
            orders_add_missing(&text, SPAN("t"), SPAN("[]"), false);
            orders_close(&text);
        } else {
            write_all(&text);
        }
        assert_int_equal(orders_read(&o, &doc, buf_span(&text)), ERR_OK);
        assert_true(orders_next_missing(doc, &at, &shard, &sessions));
        assert_span(shard, SPAN("s\n"));
        assert_true(orders_next_session(sessions, &session_at, &id));
        assert_span(id, SPAN("ann"));
        assert_true(orders_next_session(sessions, &session_at, &id));
        assert_span(id, SPAN("b\0b"));
        assert_false(orders_next_session(sessions, &session_at, &id));
        assert_true(orders_next_missing(doc, &at, &shard, &sessions));
        assert_false(orders_next_missing(doc, &at, &shard, &sessions));
        json_decref(doc);
        o = (struct orders){.epoch = 7, .unchanged = true};
    }
    buf_clear(&text);
}

static void unchanged_orders_are_short(void **state)
{
    (void)state;
    struct buf text = {0};
    struct orders o = {.epoch = 7, .version = 2, .interval_ms = 1000, .unchanged = true};
    json_t *doc;
    struct order order;
    const json_t *bans;
    size_t at = 0;

    orders_open(&text, &o);
    orders_close(&text);
    assert_span(buf_span(&text), SPAN("{\"epoch\":7,\"version\":2,\"intervalMs\":1000,\"others\":0,"
                                      "\"unchanged\":true,\"drop\":[]}"));
    assert_int_equal(orders_read(&o, &doc, buf_span(&text)), ERR_OK);
    assert_true(o.unchanged && !o.drain_node && !o.renew);
    assert_false(orders_next_shard(doc, &at, &order, &bans));
    json_decref(doc);
    buf_clear(&text);
}

static void a_drain_without_figures_is_a_drain(void **state)
{
    (void)state;
    struct buf text = {0};
    struct orders o = {.epoch = 7, .drain_node = true};
    json_t *doc;

    orders_open(&text, &o);
    orders_open_drops(&text);
    orders_close(&text);
    assert_int_equal(orders_read(&o, &doc, buf_span(&text)), ERR_OK);
    assert_true(o.drain_node);
    json_decref(doc);
    buf_clear(&text);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct buf text = {0};
    struct orders o;
    json_t *doc;

    write_all(&text);
    for (size_t len = 0; len < text.len; len++) {
        assert_int_equal(orders_read(&o, &doc, span_of(text.data, len)), ERR_SYNTAX);
        json_decref(doc);
    }
    buf_clear(&text);
}

static void garbage_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "null",
        "[]",
        "\"x\"",
        "{}",
        "{\"error\":\"Not found\"}",
        "{\"epoch\":0}",
        "{\"epoch\":-1}",
        "{\"epoch\":1.5}",
        "{\"epoch\":1e300}",
        "{\"epoch\":\"1\"}",
        "{\"epoch\":1,\"version\":null}",
        "{\"epoch\":1,\"unchanged\":1}",
        "{\"epoch\":1,\"shards\":{}}",
        "{\"epoch\":1,\"shards\":[null]}",
        "{\"epoch\":1,\"shards\":[{}]}",
        "{\"epoch\":1,\"shards\":[{\"shardId\":\"\",\"status\":\"active\"}]}",
        "{\"epoch\":1,\"shards\":[{\"shardId\":\"a\",\"status\":\"odd\"}]}",
        "{\"epoch\":1,\"shards\":[{\"shardId\":\"a\",\"status\":\"active\",\"bans\":[1]}]}",
        "{\"epoch\":1,\"shards\":[{\"shardId\":\"a\",\"status\":\"active\",\"drain\":[]}]}",
        "{\"epoch\":1,\"drop\":[\"\"]}",
        "{\"epoch\":1,\"drop\":[1]}",
        "{\"epoch\":1,\"drop\":\"a\"}",
        "{\"epoch\":1,\"missing\":{}}",
        "{\"epoch\":1,\"missing\":[1]}",
        "{\"epoch\":1,\"missing\":[{\"sessions\":[\"a\"]}]}",
        "{\"epoch\":1,\"missing\":[{\"shardId\":\"s\",\"sessions\":[\"\"]}]}",
        "{\"epoch\":1,\"missing\":[{\"shardId\":\"s\",\"sessions\":[1]}]}",
        "{\"epoch\":1,\"missing\":[{\"shardId\":\"s\",\"sessions\":\"a\"}]}",
        "{\"epoch\":1,\"drainNode\":true}",
        "{\"epoch\":1,\"drainNode\":{\"rate\":-1}}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct orders o;
        json_t *doc;
        assert_int_equal(orders_read(&o, &doc, span_str(rows[i])), ERR_SYNTAX);
        json_decref(doc);
    }
}

static void orders_of_too_many_values_are_refused(void **state)
{
    static const char head[] = "{\"epoch\":1,\"newer\":[";
    struct buf text = {0};
    struct orders o;
    json_t *doc;
    (void)state;
    for (size_t more = 0; more < 2; more++) { /* the head makes four, each of the others one */
        buf_reset(&text);
        buf_add(&text, head, sizeof head - 1);
        for (size_t i = 0; i < ORDERS_VALUES_MAX - 4 + more; i++)
            BUF_ADD_LIT(&text, "0,");
        BUF_ADD_LIT(&text, "0]}");
        assert_int_equal(orders_read(&o, &doc, buf_span(&text)), more == 0 ? ERR_OK : ERR_SYNTAX);
        json_decref(doc);
    }
    buf_clear(&text);
}

static void members_of_a_newer_world_are_ignored(void **state)
{
    (void)state;
    struct orders o;
    json_t *doc;
    struct span text = SPAN("{\"epoch\":1,\"new\":[],\"shards\":[{\"shardId\":\"a\",\"status\":"
                            "\"active\",\"colour\":3}]}");

    assert_int_equal(orders_read(&o, &doc, text), ERR_OK);
    json_decref(doc);
}

static void a_conflict_is_read_back(void **state)
{
    (void)state;
    struct buf text = {0};
    struct orders_conflict c = {.epoch = 5,
                                .age_ms = 0,
                                .interval_ms = 1000,
                                .url = SPAN_INIT("http://a\"b:1")},
                           read;
    json_t *doc;

    orders_conflict_add(&text, &c);
    assert_int_equal(orders_conflict_read(&read, &doc, buf_span(&text)), ERR_OK);
    assert_int_equal(read.epoch, 5);
    assert_int_equal(read.age_ms, 0);
    assert_int_equal(read.interval_ms, 1000);
    assert_span(read.url, c.url);
    json_decref(doc);
    for (size_t len = 0; len < text.len; len++) {
        assert_int_equal(orders_conflict_read(&read, &doc, span_of(text.data, len)), ERR_SYNTAX);
        json_decref(doc);
    }
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(missing_sessions_are_read_back),
        cmocka_unit_test(unchanged_orders_are_short),
        cmocka_unit_test(a_drain_without_figures_is_a_drain),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(garbage_is_refused),
        cmocka_unit_test(orders_of_too_many_values_are_refused),
        cmocka_unit_test(members_of_a_newer_world_are_ignored),
        cmocka_unit_test(a_conflict_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
