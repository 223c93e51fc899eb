#include "world/ctl/event_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void is(const char *what, const struct buf *got, const char *want)
{
    if (!span_eq(buf_span(got), span_str(want)))
        fail_msg("%s:\n%.*s\nnot\n%s", what, SPAN_ARG(buf_span(got)), want);
}

static void events_are_one_line_each(void **state)
{
    static const struct {
        const char *name, *data, *want;
    } rows[] = {
        {"room.put", "{\"name\":\"chess\",\"currentConnections\":0,\"maxConnections\":50}",
         "room.put chess 0/50"},
        {"room.delete", "{\"name\":\"a\\u001b[2Jb\"}", "room.delete a\\x1b[2Jb"},
        {"shard.status",
         "{\"shardId\":\"s-1\",\"roomId\":\"chess\",\"status\":\"draining\",\"node\":\"n1\","
         "\"currentConnections\":12,\"maxConnections\":50}",
         "shard.status s-1 draining 12/50"},
        {"shard.owner", "{\"shardId\":\"s-1\",\"status\":\"active\",\"node\":\"n1\"}",
         "shard.owner s-1 active on n1"},
        {"shard.owner", "{\"shardId\":\"s-1\",\"node\":null}", "shard.owner s-1 on no node"},
        {"node.state", "{\"node\":\"n1\",\"state\":\"alive\",\"usable\":false,\"draining\":true}",
         "node.state n1 alive draining unusable"},
        {"server.state", "{\"server\":\"http://h:1\",\"state\":\"down\"}",
         "server.state http://h:1 down"},
        {"drain.progress", "{\"shardId\":\"s-1\",\"roomId\":\"r\",\"currentConnections\":3}",
         "drain.progress s-1 3"},
        {"placement.refused", "{\"roomId\":\"r\",\"reason\":\"no-capacity\"}",
         "placement.refused r no-capacity"},
        {"gap", "{}", "gap events were missed here: read the lists anew"},
        {"later", "nonsense", "later"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        event_line(&out, span_str(rows[i].name), span_str(rows[i].data));
        is(rows[i].name, &out, rows[i].want);
        buf_clear(&out);
    }
}

static void frames_are_a_line_for_each_thing(void **state)
{
    static const struct {
        const char *frame, *want;
        bool first, good;
    } rows[] = {
        {"{\"type\":\"sync\",\"value\":{\"pId\":\"x\",\"rooms\":{\"a\":{}},\"shards\":{}}}",
         "sync rooms=1 shards=0\n", true, true},
        {"{\"type\":\"sync\",\"value\":{\"rooms\":{\"a\":{\"minShards\":2},\"b\":\"$delete\"},"
         "\"shards\":{\"s-1\":{\"status\":\"draining\",\"currentConnections\":3}}}}",
         "room a minShards=2\nroom b is gone\nshard s-1 status=draining currentConnections=3\n",
         false, true},
        {"{\"type\":\"sync\"}", "", false, false},
        {"nonsense", "", true, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        assert_int_equal(feed_lines(&out, span_str(rows[i].frame), rows[i].first), rows[i].good);
        is(rows[i].frame, &out, rows[i].want);
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_one_line_each),
        cmocka_unit_test(frames_are_a_line_for_each_thing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
