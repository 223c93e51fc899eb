#include "world/core/feed/events.h"

#include "tests/unit/world/core/recorder.h"

#define A "/api/v1/worlds/world-a"

/* Opens a stream of world-a that goes on behind that id; NULL: a fresh one. */
static struct handle open_stream(struct recorder *r, const char *last_id)
{
    char path[128];

    (void)snprintf(path, sizeof(path), A "/events%s%s",
                   last_id == NULL ? "" : "?lastEventId=", last_id == NULL ? "" : last_id);
    assert_int_equal(recorder_manage(r, NULL, "GET", path, NULL), 0); /* no whole answer */
    return r->stream;
}

/* How often the text was sent; then forgets what was. */
static unsigned count_sent(struct recorder *r, const char *text)
{
    unsigned count = 0;

    for (const char *at = r->streamed.data; r->streamed.len > 0 && (at = strstr(at, text)) != NULL;
         at++)
        count++;
    buf_reset(&r->streamed);
    return count;
}

static void each_change_is_told(void **state)
{
    static const struct {
        const char *method, *path, *body, *event;
    } rows[] = {
        {"PUT", "/rooms/r", "{\"minShards\":0}", "event: room.put\ndata: {\"name\":\"r\","},
        {"POST", "/rooms/r/shards", NULL, "event: shard.add\ndata: {\"shardId\":\"r:world-a:"},
        {"PUT", "/rooms/r", "{\"minShards\":0,\"public\":false}", "event: room.put\n"},
        {"POST", "/rooms/r/scale", "{\"target\":2}", "event: shard.add\n"},
        {"POST", "/rooms/r/scale", "{\"target\":1}", "event: shard.delete\n"},
        {"DELETE", "/rooms/r", NULL, "event: room.delete\ndata: {\"name\":\"r\"}\n\n"},
    };
    struct recorder *r = recorder_new();
    char path[64];

    (void)state;
    (void)open_stream(r, NULL);
    assert_string_equal(r->streamed.data, "retry: 2000\n\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)snprintf(path, sizeof(path), A "%s", rows[i].path);
        assert_true(recorder_manage(r, NULL, rows[i].method, path, rows[i].body) < 300);
        if (count_sent(r, rows[i].event) != 1)
            fail_msg("row %zu", i);
    }
    recorder_free(r);
}

static void worlds_hear_of_themselves_only(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    (void)open_stream(r, NULL);
    assert_int_equal(recorder_manage(r, TOKEN_ALL, "PUT", "/api/v1/worlds/world-b/rooms/r", NULL),
                     201);
    assert_int_equal(count_sent(r, "event:"), 0);
    recorder_free(r);
}

static void a_drain_is_told_once_a_second(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 1, NULL);
    struct shard *s = recorder_shard(room, 0);

    (void)state;
    (void)open_stream(r, NULL);
    recorder_report(r, s->id, 9, "draining");
    assert_int_equal(count_sent(r, "event: shard.status\n"), 1);
    for (unsigned open = 8; open > 4; open--)
        recorder_report(r, s->id, open, NULL);
    assert_int_equal(count_sent(r, "event: "), 0);
    recorder_pass(r, 1010);
    assert_int_equal(count_sent(r, "event: drain.progress\n"), 1);
    recorder_report(r, s->id, 4, NULL);
    recorder_report(r, s->id, 0, NULL);
    assert_int_equal(count_sent(r, "event: shard.delete\n"), 1);
    recorder_pass(r, 2000);
    assert_int_equal(count_sent(r, "event: "), 0);
    recorder_free(r);
}

static void refusals_are_told_once_a_second_and_reason(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 1, NULL);

    (void)state;
    recorder_report(r, recorder_shard(room, 0)->id, 10, NULL);
    (void)open_stream(r, NULL);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\",\"autoCreate\":false}"),
                         503);
    assert_int_equal(count_sent(r, "event: placement.refused\ndata: "
                                   "{\"roomId\":\"r\",\"reason\":\"full\"}\n\n"),
                     1);
    recorder_pass(r, 1000);
    assert_int_equal(recorder_post(r, "/connect", "{\"roomId\":\"r\",\"autoCreate\":false}"), 503);
    assert_int_equal(count_sent(r, "event: placement.refused\n"), 1);
    recorder_free(r);
}

/* The id of the first event that was sent. */
static uint64_t first_id(const struct recorder *r)
{
    const char *at = strstr(r->streamed.data, "id: ");

    assert_non_null(at);
    return strtoull(at + 4, NULL, 10);
}

static void a_reader_goes_on_where_it_was(void **state)
{
    struct recorder *r = recorder_new();
    struct handle stream = open_stream(r, NULL);
    char id[32];

    (void)state;
    (void)recorder_room(r, "one", 0, NULL);
    (void)snprintf(id, sizeof(id), "%llu", (unsigned long long)first_id(r));
    core_stream_gone(&r->core, stream);
    buf_reset(&r->streamed);
    (void)recorder_room(r, "two", 0, NULL);
    (void)recorder_room(r, "three", 0, NULL);
    assert_int_equal(r->streamed.len, 0);
    (void)open_stream(r, id);
    assert_null(strstr(r->streamed.data, "\"one\""));
    assert_true(strstr(r->streamed.data, "\"two\"") < strstr(r->streamed.data, "\"three\""));
    assert_int_equal(first_id(r), strtoull(id, NULL, 10) + 1);
    assert_int_equal(count_sent(r, "event: gap"), 0);
    recorder_free(r);
}

static void a_reader_hears_that_it_missed_something(void **state)
{
    static const char *const ids[] = {"1", "x", "-1", "99999999999999999"};
    struct recorder *r = recorder_new();

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        core_stream_gone(&r->core, open_stream(r, ids[i]));
        assert_int_equal(count_sent(r, "event: gap\ndata: {}\n\n"), 1);
    }
    recorder_free(r);
}

static void the_last_thousand_are_kept(void **state)
{
    struct event_ring ring = {0};
    struct buf out = {0};
    char text[32];

    (void)state;
    event_ring_open(&ring, 0);
    assert_true(event_ring_reaches(&ring, 0));
    for (unsigned i = 1; i <= 1500; i++) {
        (void)snprintf(text, sizeof(text), "<%u>", i);
        event_ring_add(&ring, span_str(text));
    }
    assert_false(event_ring_reaches(&ring, 499));
    assert_true(event_ring_reaches(&ring, 500));
    assert_true(event_ring_reaches(&ring, 1500));
    assert_false(event_ring_reaches(&ring, 1501));
    event_ring_copy(&ring, 1498, &out);
    assert_true(span_eq(buf_span(&out), SPAN("<1499><1500>")));
    buf_clear(&out);
    event_ring_clear(&ring);
}

static void the_ring_is_bounded_in_bytes(void **state)
{
    struct event_ring ring = {0};
    char *big = xcalloc(1, EVENT_RING_BYTES / 3);

    (void)state;
    event_ring_open(&ring, 7);
    for (unsigned i = 0; i < 10; i++)
        event_ring_add(&ring, span_of(big, EVENT_RING_BYTES / 3));
    assert_int_equal(ring.len, 3);
    assert_int_equal(ring.last_id, 17);
    event_ring_clear(&ring);
    free(big);
}

static void silent_readers_hear_a_comment(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    (void)open_stream(r, NULL);
    buf_reset(&r->streamed);
    recorder_pass(r, EVENTS_BEAT_MS - 1);
    assert_int_equal(r->streamed.len, 0);
    recorder_pass(r, 1);
    assert_true(span_eq(buf_span(&r->streamed), SPAN(":\n\n")));
    recorder_pass(r, EVENTS_BEAT_MS);
    assert_int_equal(r->streamed.len, 6);
    recorder_free(r);
}

static void a_slow_reader_is_one_no_more(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    (void)open_stream(r, NULL);
    (void)open_stream(r, NULL);
    r->stream_slow = true;
    (void)recorder_room(r, "r", 0, NULL);
    assert_int_equal(r->core.events.count, 0);
    recorder_free(r);
}

static void a_hundred_may_read(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    for (unsigned i = 0; i < EVENTS_READERS_MAX; i++)
        (void)open_stream(r, NULL);
    assert_int_equal(recorder_manage(r, NULL, "GET", A "/events", NULL), 429);
    assert_non_null(strstr(recorder_last(r)->headers, "Retry-After: 1\r\n"));
    core_stream_gone(&r->core, r->stream);
    (void)open_stream(r, NULL);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change_is_told),
        cmocka_unit_test(worlds_hear_of_themselves_only),
        cmocka_unit_test(a_drain_is_told_once_a_second),
        cmocka_unit_test(refusals_are_told_once_a_second_and_reason),
        cmocka_unit_test(a_reader_goes_on_where_it_was),
        cmocka_unit_test(a_reader_hears_that_it_missed_something),
        cmocka_unit_test(the_last_thousand_are_kept),
        cmocka_unit_test(the_ring_is_bounded_in_bytes),
        cmocka_unit_test(silent_readers_hear_a_comment),
        cmocka_unit_test(a_slow_reader_is_one_no_more),
        cmocka_unit_test(a_hundred_may_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
