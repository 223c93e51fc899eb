/* Reading, and that it reads what beat.c writes. */
#include "common/proto/beat_doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct beat sample = {
    .node_id = SPAN_INIT("node-\"1\""),
    .epoch = 1700000000123,
    .url = SPAN_INIT("https://n1.example"),
    .internal_url = SPAN_INIT("http://10.0.0.1:3010"),
    .version = SPAN_INIT("1.2.3"),
    .max_connections = 5000,
    .connections = 17,
    .draining = true,
    .gone = true,
    .lag_ms = 3,
    .now_ms = 1700000000999,
    .checkup = 5,
    .findings = SPAN_INIT("[{\"check\":\"clock\",\"subject\":\"w\"}]"),
    .seq = 42,
    .full = true,
    .have_epoch = 7,
    .have_version = 9,
};

static const struct beat_shard sample_shards[] = {
    {.shard_id = SPAN_INIT("room:world-a:1700000000000-7"),
     .open = 5,
     .returning = 1,
     .admitted = 9007199254740991,
     .readmitted = 2,
     .sessions = 4,
     .link = BEAT_LINK_UP,
     .server = SPAN_INIT("http://rooms:3003"),
     .left = SPAN_INIT("[\"x\",\"y\\u0000\"]"),
     .joined = SPAN_INIT("[\"y\"]")},
    {.shard_id = SPAN_INIT("caf\xc3\xa9"), .link = BEAT_LINK_DOWN},
    {.shard_id = SPAN_INIT("x"), .link = BEAT_LINK_IDLE},
};

enum { SAMPLES = sizeof sample_shards / sizeof *sample_shards };

static void add_sample(struct buf *out)
{
    beat_open(out, &sample);
    for (size_t i = 0; i < SAMPLES; i++)
        beat_add_shard(out, &sample_shards[i], i == 0);
    beat_close(out);
}

static void assert_spans(struct span got, struct span want)
{
    if (!span_eq(got, want))
        fail_msg("got %.*s, want %.*s", SPAN_ARG(got), SPAN_ARG(want));
}

static void assert_shard(const struct beat_shard *got, const struct beat_shard *want)
{
    assert_spans(got->shard_id, want->shard_id);
    assert_spans(got->server, want->server);
    assert_int_equal(got->open, want->open);
    assert_int_equal(got->returning, want->returning);
    assert_int_equal(got->admitted, want->admitted);
    assert_int_equal(got->readmitted, want->readmitted);
    assert_int_equal(got->sessions, want->sessions);
    assert_int_equal(got->link, want->link);
    assert_spans(got->left, want->left);
    assert_spans(got->joined, want->joined);
}

static void assert_head(const struct beat *got, const struct beat *want)
{
    assert_spans(got->node_id, want->node_id);
    assert_spans(got->url, want->url);
    assert_spans(got->internal_url, want->internal_url);
    assert_spans(got->version, want->version);
    assert_int_equal(got->epoch, want->epoch);
    assert_int_equal(got->max_connections, want->max_connections);
    assert_int_equal(got->connections, want->connections);
    assert_int_equal(got->draining, want->draining);
    assert_int_equal(got->gone, want->gone);
    assert_int_equal(got->lag_ms, want->lag_ms);
    assert_int_equal(got->now_ms, want->now_ms);
    assert_int_equal(got->checkup, want->checkup);
    assert_int_equal(got->seq, want->seq);
    assert_int_equal(got->full, want->full);
    assert_int_equal(got->have_epoch, want->have_epoch);
    assert_int_equal(got->have_version, want->have_version);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct buf text = {0};
    add_sample(&text);
    struct beat got;
    struct beat_doc doc;
    const char *why;
    assert_int_equal(beat_read(&got, &doc, buf_span(&text), &why), ERR_OK);
    assert_null(why);
    assert_head(&got, &sample);
    assert_true(doc.tells_findings);
    assert_non_null(findings_get(&doc.findings, FINDING_CLOCK, SPAN("w")));
    struct beat_shard shard;
    size_t at = 0, count = 0;
    while (beat_next_shard(&doc, &at, &shard)) {
        assert_true(count < SAMPLES);
        assert_shard(&shard, &sample_shards[count++]);
    }
    assert_int_equal(count, SAMPLES);
    beat_doc_clear(&doc);
    buf_clear(&text);
}

static void beat_has_its_documented_form(void **state)
{
    (void)state;
    struct buf text = {0};
    struct beat b = {.node_id = SPAN("n"), .epoch = 1, .seq = 2};
    beat_open(&text, &b);
    beat_add_shard(&text, &sample_shards[2], true);
    beat_close(&text);
    assert_spans(buf_span(&text),
                 SPAN("{\"node\":{\"id\":\"n\",\"epoch\":1,\"url\":\"\",\"internalUrl\":\"\","
                      "\"version\":\"\",\"maxConnections\":0,\"connections\":0,"
                      "\"draining\":false,\"lagMs\":0},\"seq\":2,\"full\":false,"
                      "\"haveOrders\":{\"epoch\":0,\"version\":0},\"shards\":[{\"shardId\":\"x\","
                      "\"open\":0,\"returning\":0,\"admitted\":0,\"readmitted\":0,"
                      "\"sessions\":0,\"link\":\"idle\"}]}"));
    buf_clear(&text);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct buf text = {0};
    add_sample(&text);
    for (size_t len = 0; len < text.len; len++) {
        struct beat got;
        struct beat_doc doc;
        const char *why;
        assert_int_equal(beat_read(&got, &doc, span_of(text.data, len), &why), ERR_SYNTAX);
        assert_non_null(why);
        beat_doc_clear(&doc);
    }
    buf_clear(&text);
}

#define NODE  "\"node\":{\"id\":\"n\",\"epoch\":1}"
#define SHARD "{\"shardId\":\"s\"}"

static const struct {
    const char *text;
    enum err e;
    const char *why;
} rows[] = {
    {"{" NODE ",\"seq\":1,\"shards\":[]}", ERR_OK, NULL},
    {"{" NODE ",\"seq\":1,\"shards\":[" SHARD "],\"later\":{}}", ERR_OK, NULL},
    /* Whatever a URL can carry: one client must not make its node unheard. */
    {"{" NODE ",\"seq\":1,\"shards\":[{\"shardId\":\"a\\u0000\\n\\u007f\"}]}", ERR_OK, NULL},
    {"", ERR_SYNTAX, "JSON"},
    {"nonsense", ERR_SYNTAX, "JSON"},
    {"null", ERR_SYNTAX, "node"},
    {"[]", ERR_SYNTAX, "node"},
    {"{}", ERR_SYNTAX, "node"},
    {"{\"node\":[]}", ERR_SYNTAX, "node"},
    {"{\"node\":{\"id\":\"\",\"epoch\":1},\"seq\":1,\"shards\":[]}", ERR_SYNTAX, "id"},
    {"{\"node\":{\"id\":\"a\\nb\",\"epoch\":1},\"seq\":1,\"shards\":[]}", ERR_SYNTAX, "id"},
    {"{\"node\":{\"id\":\"a\\u0000\",\"epoch\":1},\"seq\":1,\"shards\":[]}", ERR_SYNTAX, "id"},
    {"{\"node\":{\"id\":7,\"epoch\":1},\"seq\":1,\"shards\":[]}", ERR_SYNTAX, "id"},
    {"{\"node\":{\"id\":\"n\"},\"seq\":1,\"shards\":[]}", ERR_SYNTAX, "epoch"},
    {"{\"node\":{\"id\":\"n\",\"epoch\":-1},\"seq\":1,\"shards\":[]}", ERR_SYNTAX, "epoch"},
    {"{\"node\":{\"id\":\"n\",\"epoch\":9007199254740992},\"seq\":1,\"shards\":[]}", ERR_SYNTAX,
     "epoch"},
    {"{\"node\":{\"id\":\"n\",\"epoch\":1,\"draining\":1},\"seq\":1,\"shards\":[]}", ERR_SYNTAX,
     "draining"},
    {"{\"node\":{\"id\":\"n\",\"epoch\":1,\"url\":null},\"seq\":1,\"shards\":[]}", ERR_SYNTAX,
     "url"},
    {"{\"node\":{\"id\":\"n\",\"epoch\":1,\"findings\":{}},\"seq\":1,\"shards\":[]}", ERR_SYNTAX,
     "findings"},
    {"{\"node\":{\"id\":\"n\",\"epoch\":1,\"nowMs\":\"1\"},\"seq\":1,\"shards\":[]}", ERR_SYNTAX,
     "nowMs"},
    {"{\"node\":{\"id\":\"n\",\"epoch\":1,\"checkup\":-1},\"seq\":1,\"shards\":[]}", ERR_SYNTAX,
     "checkup"},
    {"{" NODE ",\"shards\":[]}", ERR_SYNTAX, "seq"},
    {"{" NODE ",\"seq\":0,\"shards\":[]}", ERR_SYNTAX, "seq"},
    {"{" NODE ",\"seq\":1.5,\"shards\":[]}", ERR_SYNTAX, "seq"},
    {"{" NODE ",\"seq\":1}", ERR_SYNTAX, "shards"},
    {"{" NODE ",\"seq\":1,\"shards\":{}}", ERR_SYNTAX, "shards"},
    {"{" NODE ",\"seq\":1,\"shards\":[null]}", ERR_SYNTAX, "shardId"},
    {"{" NODE ",\"seq\":1,\"shards\":[" SHARD ",{\"shardId\":\"\"}]}", ERR_SYNTAX, "shardId"},
    {"{" NODE ",\"seq\":1,\"shards\":[{\"shardId\":\"s\",\"open\":-1}]}", ERR_SYNTAX, "open"},
    {"{" NODE ",\"seq\":1,\"shards\":[{\"shardId\":\"s\",\"open\":1e300}]}", ERR_SYNTAX, "open"},
    {"{" NODE ",\"seq\":1,\"shards\":[{\"shardId\":\"s\",\"open\":\"1\"}]}", ERR_SYNTAX, "open"},
    {"{" NODE ",\"seq\":1,\"shards\":[{\"shardId\":\"s\",\"link\":\"UP\"}]}", ERR_SYNTAX, "link"},
    {"{" NODE ",\"seq\":1,\"shards\":[{\"shardId\":\"s\",\"link\":1}]}", ERR_SYNTAX, "link"},
    {"{" NODE ",\"seq\":1,\"shards\":[{\"shardId\":\"s\",\"open\":9007199254740992}]}", ERR_SYNTAX,
     "open"},
    {"{" NODE ",\"seq\":1,\"shards\":[{\"shardId\":\"s\",\"server\":\"a\\n\"}]}", ERR_SYNTAX,
     "server"},
    {"{" NODE ",\"seq\":1,\"full\":\"\",\"shards\":[]}", ERR_SYNTAX, "full"},
    {"{" NODE ",\"seq\":1,\"shards\":[{\"shardId\":\"s\",\"left\":\"a\"}]}", ERR_SYNTAX, "left"},
    {"{" NODE ",\"seq\":1,\"shards\":[{\"shardId\":\"s\",\"left\":[\"\"]}]}", ERR_SYNTAX, "left"},
    {"{" NODE ",\"seq\":1,\"shards\":[{\"shardId\":\"s\",\"joined\":[\"a\",1]}]}", ERR_SYNTAX,
     "joined"},
    {"{" NODE ",\"seq\":1,\"shards\":[{\"shardId\":\"s\",\"joined\":null}]}", ERR_SYNTAX, "joined"},
};

static void only_beats_are_beats(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct beat got;
        struct beat_doc doc;
        const char *why;
        enum err e = beat_read(&got, &doc, span_str(rows[i].text), &why);
        bool same = why == rows[i].why || (why != NULL && strcmp(why, rows[i].why) == 0);
        if (e != rows[i].e || !same)
            fail_msg("%s: %s, %s", rows[i].text, err_text(e), why == NULL ? "nothing" : why);
        beat_doc_clear(&doc);
    }
}

static void findings_may_be_none_or_not_told(void **state)
{
    static const struct {
        const char *text;
        bool tells;
    } told[] = {
        {"{" NODE ",\"seq\":1,\"shards\":[]}", false},
        {"{\"node\":{\"id\":\"n\",\"epoch\":1,\"findings\":[]},\"seq\":1,\"shards\":[]}", true},
    };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct beat got;
        struct beat_doc doc;
        const char *why;
        assert_int_equal(beat_read(&got, &doc, span_str(told[i].text), &why), ERR_OK);
        assert_int_equal(doc.tells_findings, told[i].tells);
        assert_int_equal(doc.findings.count, 0);
        assert_int_equal(got.now_ms, 0);
        beat_doc_clear(&doc);
    }
}

static void any_json_of_a_shard_is_read(void **state)
{
    static const char text[] =
        " {\"shards\":[3], \"shards\" : [ {\"link\":\"u\\u0070\",\"shardId\":\"a\\nb\",\"open\":1,"
        "\"op\\u0065n\":2.0e1 ,\"later\":[{\"open\":9}],\"server\":\"http:\\/\\/r\"} , "
        "{\"sessions\":1234567890123456,\"link\":\"\",\"shardId\":\"c\"}] ," NODE ",\"seq\":1}";
    static const struct beat_shard want[] = {
        {.shard_id = SPAN_INIT("a\nb"),
         .open = 20,
         .link = BEAT_LINK_UP,
         .server = SPAN_INIT("http://r")},
        {.shard_id = SPAN_INIT("c"), .sessions = 1234567890123456},
    };
    (void)state;
    struct beat got;
    struct beat_doc doc;
    struct beat_shard shard;
    const char *why;
    size_t at = 0;
    assert_int_equal(beat_read(&got, &doc, span_str(text), &why), ERR_OK);
    for (size_t i = 0; i < 2; i++) {
        assert_true(beat_next_shard(&doc, &at, &shard));
        assert_shard(&shard, &want[i]);
    }
    assert_false(beat_next_shard(&doc, &at, &shard));
    beat_doc_clear(&doc);
}

/* A beat whose node id, or else whose shard's id, is so long. */
static enum err read_long(size_t node_id, size_t shard_id)
{
    struct buf long_id = {0}, text = {0};
    for (size_t i = 0; i < node_id + shard_id; i++)
        buf_add_char(&long_id, 'a');
    struct span all = buf_span(&long_id);
    struct beat b = {.node_id = span_slice(all, 0, node_id), .epoch = 1, .seq = 1};
    struct beat_shard s = {.shard_id = span_slice(all, node_id, all.len)};
    beat_open(&text, &b);
    beat_add_shard(&text, &s, true);
    beat_close(&text);
    struct beat got;
    struct beat_doc doc;
    const char *why;
    enum err e = beat_read(&got, &doc, buf_span(&text), &why);
    beat_doc_clear(&doc);
    buf_clear(&text);
    buf_clear(&long_id);
    return e;
}

static void ids_have_their_limits(void **state)
{
    (void)state;
    assert_int_equal(read_long(BEAT_NODE_ID_MAX, BEAT_SHARD_ID_MAX), ERR_OK);
    assert_int_equal(read_long(BEAT_NODE_ID_MAX + 1, 1), ERR_LIMIT);
    assert_int_equal(read_long(1, BEAT_SHARD_ID_MAX + 1), ERR_LIMIT);
}

/* What it names of sessions, with bars between them; "-" for a beat that cannot be read. */
static void assert_sessions(const char *joined, const char *want, bool full)
{
    struct buf text = {0}, ids = {0};
    struct beat got;
    struct beat_doc doc;
    struct beat_shard shard;
    struct span id;
    const char *why;
    size_t at = 0;
    buf_addf(&text,
             "{" NODE ",\"seq\":1,\"full\":%s,\"shards\":[{\"joined\":%s,\"shardId\":\"s\"}]}",
             full ? "true" : "false", joined);
    if (beat_read(&got, &doc, buf_span(&text), &why) != ERR_OK) {
        assert_string_equal(why, "joined");
        BUF_ADD_LIT(&ids, "-");
    } else {
        assert_true(beat_next_shard(&doc, &at, &shard) && shard.all == full);
        for (at = 0; beat_next_session(&doc, shard.joined, &at, &id); BUF_ADD_LIT(&ids, "|"))
            buf_add_span(&ids, id);
    }
    assert_spans(buf_span(&ids), span_str(want));
    beat_doc_clear(&doc);
    buf_clear(&ids);
    buf_clear(&text);
}

static void sessions_are_walked_through(void **state)
{
#define LONG_ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    (void)state;
    assert_sessions("[]", "", false);
    assert_sessions("[ \"a\" , \"\\u0062c\\n\",\"d\"]", "a|bc\n|d|", true);
    assert_sessions("[\"" LONG_ID "\"]", LONG_ID "|", false);
    assert_sessions("[\"\\u0030" LONG_ID "\"]", "-", false);
}

static void no_beat_names_more_sessions_than_the_bound(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct buf list = {0}, text = {0};
        struct beat b = {.node_id = SPAN("n"), .epoch = 1, .seq = 1};
        struct beat got;
        struct beat_doc doc;
        const char *why;
        BUF_ADD_LIT(&list, "[\"a\"");
        for (int i = 1; i < BEAT_SESSIONS_MAX / 2; i++)
            BUF_ADD_LIT(&list, ",\"a\"");
        BUF_ADD_LIT(&list, "]");
        struct beat_shard s = {.shard_id = SPAN("s"), .left = buf_span(&list)};
        struct beat_shard one = {.shard_id = SPAN("t"), .joined = SPAN("[\"a\"]")};
        beat_open(&text, &b);
        beat_add_shard(&text, &s, true);
        beat_add_shard(&text, &s, false);
        if (over)
            beat_add_shard(&text, &one, false);
        beat_close(&text);
        assert_int_equal(beat_read(&got, &doc, buf_span(&text), &why), over ? ERR_LIMIT : ERR_OK);
        beat_doc_clear(&doc);
        buf_clear(&list);
        buf_clear(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(beat_has_its_documented_form),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(only_beats_are_beats),
        cmocka_unit_test(findings_may_be_none_or_not_told),
        cmocka_unit_test(any_json_of_a_shard_is_read),
        cmocka_unit_test(ids_have_their_limits),
        cmocka_unit_test(sessions_are_walked_through),
        cmocka_unit_test(no_beat_names_more_sessions_than_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
