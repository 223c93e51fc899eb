#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/proto/resolve.h"

static void assert_span(struct span a, struct span b)
{
    assert_int_equal(a.len, b.len);
    if (b.len > 0)
        assert_memory_equal(a.ptr, b.ptr, b.len);
}

static const struct resolve questions[] = {
    {.shard_id = SPAN_INIT("a:world-x:1700000000000-1"), .reason = RESOLVE_UNKNOWN},
    {.asker = SPAN_INIT("node-1"),
     .asker_epoch = 1700000000000,
     .shard_id = SPAN_INIT("a\"\0:b"),
     .session = SPAN_INIT("__proto__"),
     .reason = RESOLVE_UNREACHABLE,
     .node = SPAN_INIT("node.\"2\"")},
};

static void a_question_is_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        const struct resolve *q = &questions[i];
        struct buf text = {0};
        struct resolve read;
        const char *why;
        json_t *doc;
        resolve_add(&text, q);
        assert_int_equal(resolve_read(&read, &doc, buf_span(&text), &why), ERR_OK);
        assert_null(why);
        assert_span(read.shard_id, q->shard_id);
        assert_span(read.asker, q->asker);
        assert_span(read.session, q->session);
        assert_span(read.node, q->node);
        assert_int_equal(read.reason, q->reason);
        assert_int_equal(read.asker_epoch, q->asker_epoch);
        json_decref(doc);
        for (size_t len = 0; len < text.len; len++) {
            assert_int_equal(resolve_read(&read, &doc, span_of(text.data, len), &why), ERR_SYNTAX);
            assert_non_null(why);
            json_decref(doc);
        }
        buf_clear(&text);
    }
}

static void a_bad_question_names_the_member_at_fault(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "shardId"},
        {"null", "shardId"},
        {"[]", "shardId"},
        {"{}", "shardId"},
        {"{\"shardId\":\"\"}", "shardId"},
        {"{\"shardId\":1}", "shardId"},
        {"{\"shardId\":\"a\"}", "reason"},
        {"{\"shardId\":\"a\",\"reason\":\"odd\"}", "reason"},
        {"{\"shardId\":\"a\",\"reason\":\"full\",\"asker\":1}", "asker"},
        {"{\"shardId\":\"a\",\"reason\":\"full\",\"askerEpoch\":-1}", "askerEpoch"},
        {"{\"shardId\":\"a\",\"reason\":\"full\",\"askerEpoch\":1e99}", "askerEpoch"},
        {"{\"shardId\":\"a\",\"reason\":\"full\",\"session\":{}}", "session"},
        {"{\"shardId\":\"a\",\"reason\":\"full\",\"node\":false}", "node"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct resolve read;
        const char *why;
        json_t *doc;
        assert_int_equal(resolve_read(&read, &doc, span_str(rows[i].text), &why), ERR_SYNTAX);
        assert_string_equal(why, rows[i].why);
        json_decref(doc);
    }
}

static void ids_have_bounds(void **state)
{
    (void)state;
    struct buf id = {0}, text = {0};
    struct resolve q = {.reason = RESOLVE_FULL}, read;
    const char *why;
    json_t *doc;

    for (size_t i = 0; i <= ORDERS_ID_MAX; i++)
        buf_add_char(&id, 'x');
    q.shard_id = buf_span(&id);
    resolve_add(&text, &q);
    assert_int_equal(resolve_read(&read, &doc, buf_span(&text), &why), ERR_SYNTAX);
    json_decref(doc);
    buf_clear(&text);
    buf_clear(&id);
}

static void an_answer_is_read_back(void **state)
{
    (void)state;
    struct resolved answer = {
        .epoch = 9,
        .version = 12,
        .order = {.shard_id = SPAN_INIT("s"), .room_id = SPAN_INIT("r"), .max_connections = 3},
        .node = SPAN_INIT("n"),
        .url = SPAN_INIT("http://n"),
    };
    struct order_ban ban = {.session = SPAN_INIT("x"), .ttl_ms = 5};
    struct buf text = {0};
    struct resolved read;
    const json_t *bans;
    json_t *doc;
    size_t at = 0;

    resolved_add(&text, &answer, &ban, 1);
    assert_int_equal(resolved_read(&read, &doc, &bans, buf_span(&text)), ERR_OK);
    assert_int_equal(read.epoch, 9);
    assert_int_equal(read.version, 12);
    assert_span(read.node, answer.node);
    assert_span(read.url, answer.url);
    assert_span(read.order.shard_id, answer.order.shard_id);
    assert_int_equal(read.order.max_connections, 3);
    assert_true(order_next_ban(bans, &at, &ban));
    assert_span(ban.session, SPAN("x"));
    json_decref(doc);
    for (size_t len = 0; len < text.len; len++) {
        assert_int_equal(resolved_read(&read, &doc, &bans, span_of(text.data, len)), ERR_SYNTAX);
        json_decref(doc);
    }
    buf_clear(&text);
}

static void an_answer_without_a_shard_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{\"epoch\":1,\"node\":\"n\",\"url\":\"u\"}",
        "{\"epoch\":1,\"node\":\"\",\"shard\":{\"shardId\":\"s\",\"status\":\"active\"}}",
        "{\"epoch\":0,\"node\":\"n\",\"shard\":{\"shardId\":\"s\",\"status\":\"active\"}}",
        "{\"epoch\":1,\"node\":\"n\",\"shard\":\"s\"}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct resolved read;
        const json_t *bans;
        json_t *doc;
        assert_int_equal(resolved_read(&read, &doc, &bans, span_str(rows[i])), ERR_SYNTAX);
        json_decref(doc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_read_back),
        cmocka_unit_test(a_bad_question_names_the_member_at_fault),
        cmocka_unit_test(ids_have_bounds),
        cmocka_unit_test(an_answer_is_read_back),
        cmocka_unit_test(an_answer_without_a_shard_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
