/* The demo room as shards see it: what it answers to envelopes. */
#include "deploy/demo/room/demo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "common/base/mem.h"

enum { FRAMES = 64 };

/* A link that writes down what it is told. */
struct recorder {
    char *frames[FRAMES];
    size_t count;
};

static void record(void *peer, struct span text)
{
    struct recorder *r = peer;
    assert_true(r->count < FRAMES);
    r->frames[r->count++] = xspandup(text);
}

static void forget(struct recorder *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->frames[i]);
    r->count = 0;
}

struct fixture {
    struct demo *demo;
    struct recorder a, b;
    struct demo_link *link_a, *link_b;
};

static const struct demo_port port = {.send = record};

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    f->demo = demo_new(&port, 1);
    assert_int_equal(demo_link_open(f->demo, SPAN("lobby"), &f->a, &f->link_a), ERR_OK);
    assert_int_equal(demo_link_open(f->demo, SPAN("lobby"), &f->b, &f->link_b), ERR_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    demo_free(f->demo);
    forget(&f->a);
    forget(&f->b);
    free(f);
    return 0;
}

static void say(struct demo_link *l, const char *text)
{
    demo_link_frame(l, span_str(text), 1000);
}

static void join(struct demo_link *l, const char *id, const char *name)
{
    char text[256];
    (void)snprintf(
        text, sizeof text,
        "{\"type\":\"shard.clientConnected\",\"privateId\":\"%s\",\"requestInfo\":"
        "{\"headers\":{},\"url\":\"http://x/parties/shard/s?name=%s\",\"method\":\"GET\"}}",
        id, name);
    say(l, text);
}

static void act(struct demo_link *l, const char *id, const char *payload)
{
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"shard.clientMessage\",\"privateId\":\"%s\",\"payload\":%s}", id,
                   payload);
    say(l, text);
}

static void a_newcomer_gets_the_state_and_everyone_hears_of_it(void **state)
{
    struct fixture *f = *state;
    join(f->link_a, "ann", "Ann+B");
    assert_int_equal(f->a.count, 2);
    assert_int_equal(f->b.count, 1);
    assert_string_equal(f->a.frames[0], f->b.frames[0]);
    assert_non_null(strstr(f->a.frames[0], "{\"name\":\"Ann B\",\"connected\":true}"));
    assert_non_null(strstr(f->a.frames[1], "{\"targetClientId\":\"ann\",\"data\":\""));
    assert_non_null(strstr(f->a.frames[1], "\\\"pId\\\":"));
    assert_non_null(strstr(f->a.frames[1], "\\\"count\\\":0"));
}

static void the_counter_is_told_to_every_shard(void **state)
{
    static const struct {
        const char *payload;
        const char *frame; /* NULL: nothing happens */
    } rows[] = {
        {"{\"action\":\"increment\",\"value\":{}}", "{\"type\":\"sync\",\"value\":{\"count\":1}}"},
        {"{\"action\":\"increment\",\"value\":{\"amount\":4}}",
         "{\"type\":\"sync\",\"value\":{\"count\":5}}"},
        {"{\"action\":\"increment\"}", "{\"type\":\"sync\",\"value\":{\"count\":6}}"},
        {"{\"action\":\"increment\",\"value\":{\"amount\":\"4\"}}", NULL},
        {"{\"action\":\"increment\",\"value\":{\"amount\":1e300}}", NULL},
        {"{\"action\":\"fly\"}", NULL},
        {"null", NULL},
        {"5", NULL},
    };
    struct fixture *f = *state;
    join(f->link_a, "ann", "Ann");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        forget(&f->a);
        forget(&f->b);
        act(f->link_a, "ann", rows[i].payload);
        assert_int_equal(f->a.count, rows[i].frame != NULL);
        assert_int_equal(f->b.count, rows[i].frame != NULL);
        if (rows[i].frame != NULL)
            assert_string_equal(f->b.frames[0], rows[i].frame);
    }
}

static void chat_keeps_the_last_lines(void **state)
{
    struct fixture *f = *state;
    struct buf out = {0};
    join(f->link_a, "ann", "Ann");
    for (int i = 0; i < DEMO_CHAT_LINES + 2; i++) {
        char payload[128];
        forget(&f->a);
        forget(&f->b);
        (void)snprintf(payload, sizeof payload,
                       "{\"action\":\"chat\",\"value\":{\"text\":\" line \\\"%d\\\" \"}}", i);
        act(f->link_a, "ann", payload);
    }
    assert_string_equal(f->b.frames[0],
                        "{\"type\":\"sync\",\"value\":{\"chat\":{\"51\":{\"name\":\"Ann\","
                        "\"text\":\"line \\\"51\\\"\"},\"1\":\"$delete\"}}}");
    assert_true(demo_state(f->demo, SPAN("lobby"), &out));
    json_t *whole = json_decode(buf_span(&out));
    assert_int_equal(json_object_size(json_object_get(whole, "chat")), DEMO_CHAT_LINES);
    json_decref(whole);
    buf_clear(&out);
}

static void bad_text_is_not_said(void **state)
{
    struct fixture *f = *state;
    char payload[1024], filler[DEMO_TEXT_MAX + 2];
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    (void)snprintf(payload, sizeof payload, "{\"action\":\"chat\",\"value\":{\"text\":\"%s\"}}",
                   filler);
    join(f->link_a, "ann", "Ann");
    forget(&f->b);
    act(f->link_a, "ann", payload);
    act(f->link_a, "ann", "{\"action\":\"chat\",\"value\":{\"text\":\"  \"}}");
    act(f->link_a, "ann", "{\"action\":\"chat\",\"value\":{\"text\":5}}");
    act(f->link_a, "nobody", "{\"action\":\"chat\",\"value\":{\"text\":\"x\"}}");
    assert_int_equal(f->b.count, 0);
}

static void someone_on_two_shards_leaves_with_the_last(void **state)
{
    struct fixture *f = *state;
    join(f->link_a, "ann", "Ann");
    join(f->link_b, "ann", "Ann");
    forget(&f->a);
    say(f->link_a, "{\"type\":\"shard.clientDisconnected\",\"privateId\":\"ann\"}");
    assert_int_equal(f->a.count, 0);
    say(f->link_b, "{\"type\":\"shard.clientDisconnected\",\"privateId\":\"ann\"}");
    assert_int_equal(f->a.count, 1);
    assert_non_null(strstr(f->a.frames[0], "\"connected\":false"));
}

static void a_lost_link_takes_its_clients_along(void **state)
{
    struct fixture *f = *state;
    join(f->link_a, "ann", "Ann");
    forget(&f->b);
    demo_link_close(f->link_a, 1000);
    assert_int_equal(f->b.count, 1);
    assert_non_null(strstr(f->b.frames[0], "\"connected\":false"));
}

static void who_left_long_ago_is_forgotten(void **state)
{
    struct fixture *f = *state;
    join(f->link_a, "ann", "Ann");
    say(f->link_a, "{\"type\":\"shard.clientDisconnected\",\"privateId\":\"ann\"}");
    forget(&f->b);
    demo_tick(f->demo, 1000 + DEMO_FORGET_MS - 1);
    assert_int_equal(f->b.count, 0);
    demo_tick(f->demo, 1000 + DEMO_FORGET_MS);
    assert_int_equal(f->b.count, 1);
    assert_non_null(strstr(f->b.frames[0], "\"$delete\""));
}

static void ids_and_rooms_may_hold_anything_json_can(void **state)
{
    struct fixture *f = *state;
    struct demo_link *odd;
    struct buf out = {0};
    assert_int_equal(demo_link_open(f->demo, SPAN("lob\0by"), &f->b, &odd), ERR_OK);
    join(odd, "a\\u0000b", "One");
    join(odd, "a\\u0000c", "Two");
    join(odd, "\\\"\\\\\\ud83d\\ude00", "Three");
    assert_true(demo_state(f->demo, SPAN("lob\0by"), &out));
    json_t *whole = json_decode(buf_span(&out));
    assert_int_equal(json_object_size(json_object_get(whole, "users")), 3);
    json_decref(whole);
    buf_clear(&out);
}

static void what_is_no_envelope_is_ignored(void **state)
{
    static const char *const rows[] = {
        "",
        "null",
        "[]",
        "{",
        "{\"type\":5}",
        "{\"type\":\"shard.clientMessage\"}",
        "{\"type\":\"shard.clientConnected\",\"privateId\":7}",
        "{\"type\":\"shard.clientDisconnected\",\"privateId\":\"nobody\"}",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        say(f->link_a, rows[i]);
    assert_int_equal(f->a.count + f->b.count, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_newcomer_gets_the_state_and_everyone_hears_of_it),
        TEST(the_counter_is_told_to_every_shard),
        TEST(chat_keeps_the_last_lines),
        TEST(bad_text_is_not_said),
        TEST(someone_on_two_shards_leaves_with_the_last),
        TEST(a_lost_link_takes_its_clients_along),
        TEST(who_left_long_ago_is_forgotten),
        TEST(ids_and_rooms_may_hold_anything_json_can),
        TEST(what_is_no_envelope_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
