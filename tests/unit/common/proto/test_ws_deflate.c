#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/proto/ws_deflate.h"

enum { LIMIT = 1 << 20 };

static struct ws_deflate *z;

static int set_up(void **state)
{
    (void)state;
    z = ws_deflate_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ws_deflate_free(z);
    return 0;
}

static struct frame *frame_with(enum ws_opcode opcode, struct span payload)
{
    uint8_t head[WS_HEAD_MAX];
    size_t len = ws_encode_head(head, opcode, payload.len, NULL);
    struct frame *f = frame_new(len + payload.len);
    frame_add(f, head, len);
    frame_add(f, payload.ptr, payload.len);
    return f;
}

/* Inflates data of its own memory. */
static enum err inflate_text(const char *data, size_t len, size_t max, struct ws_event *e)
{
    char *copy = xspandup(span_of(data, len));
    *e = (struct ws_event){.opcode = WS_TEXT, .compressed = true, .data = copy, .len = len};
    enum err got = ws_inflate(z, e, max);
    free(copy);
    return got;
}

/* Section 7.2.3 of RFC 7692. */
static void the_messages_of_the_rfc_say_hello(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t len;
        const char *text;
    } rows[] = {
        {"\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello"},                          /* 7.2.3.1 */
        {"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11, "Hello"},         /* 7.2.3.3 */
        {"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8, "Hello"},                      /* 7.2.3.4 */
        {"\xf3\x48\xcd\xc9\xc9\x07\x00", 7, "Hello"},                          /* careless */
        {"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13, "Hello"}, /* 7.2.3.5 */
        {"\x00", 1, ""},                                                       /* 7.2.3.6 */
        {"", 0, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ws_event e;
        assert_int_equal(inflate_text(rows[i].data, rows[i].len, LIMIT, &e), ERR_OK);
        assert_true(span_eq(span_of(e.data, e.len), span_str(rows[i].text)));
        assert_false(e.compressed);
        assert_non_null(e.data);
    }
}

static void what_is_no_message_is_denied(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t len;
    } rows[] = {
        {"\xff", 1},             /* a block of no type */
        {"\xf2\x48\xcd\xc9", 4}, /* cut in the middle */
        {"\xf2", 1},
        {"\x00\x05\x00\xfa\xff\x48", 6},                  /* a stored block, cut */
        {"\x00\x05\x00\x00\x00\x48\x65\x6c\x6c\x6f", 10}, /* its length is not confirmed */
        {"\xf3\x48\xcd\xc9\xc9\x07\x00\x00\x01", 9},      /* more behind the last block */
        {"\xf3\x48\xcd\xc9\xc9\x07\x00\x01", 8},
        {"\x4b\x04\x06\x00\x00", 5}, /* a distance beyond the start */
        {"hello", 5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ws_event e;
        enum err got = inflate_text(rows[i].data, rows[i].len, LIMIT, &e);
        if (got != ERR_DENIED)
            fail_msg("row %zu: %d", i, (int)got);
        assert_int_equal(inflate_text("\xf2\x48\xcd\xc9\xc9\x07\x00", 7, LIMIT, &e), ERR_OK);
    }
}

static void utf8_is_checked_of_what_comes_out(void **state)
{
    (void)state;
    struct frame *plain = frame_with(WS_TEXT, SPAN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xff"));
    struct frame *packed = ws_deflate_frame(z, plain);
    assert_non_null(packed);
    struct ws_event e;
    assert_int_equal(inflate_text(packed->data + 2, packed->len - 2, LIMIT, &e), ERR_DENIED);
    e = (struct ws_event){
        .opcode = WS_BINARY, .compressed = true, .data = packed->data + 2, .len = packed->len - 2};
    assert_int_equal(ws_inflate(z, &e, LIMIT), ERR_OK);
    frame_unref(plain);
    frame_unref(packed);
}

static void a_bomb_costs_no_more_than_its_limit(void **state)
{
    (void)state;
    static char zeros[16 << 20];
    struct frame *plain = frame_with(WS_BINARY, span_of(zeros, sizeof zeros));
    struct frame *packed = ws_deflate_frame(z, plain);
    size_t head = packed->len - 2 > UINT16_MAX ? 10 : 4;
    assert_true(packed->len < sizeof zeros / 100);
    struct ws_event e = {.opcode = WS_BINARY,
                         .compressed = true,
                         .data = packed->data + head,
                         .len = packed->len - head};
    struct ws_event again = e;
    assert_int_equal(ws_inflate(z, &e, LIMIT), ERR_LIMIT);
    assert_int_equal(e.len, LIMIT + 1);
    assert_int_equal(ws_inflate(z, &again, sizeof zeros), ERR_OK);
    assert_int_equal(again.len, sizeof zeros);
    ws_inflate_release(z);
    frame_unref(plain);
    frame_unref(packed);
}

/* Packs a payload and reads it back as a client would: frame by ws_decode, message by ws_inflate.
 */
static void round_trip(struct span payload, bool shrinks)
{
    struct frame *plain = frame_with(WS_TEXT, payload), *packed = ws_deflate_frame(z, plain);
    assert_int_equal(packed != NULL, shrinks);
    if (packed != NULL) {
        struct ws_decoder d;
        struct ws_event e;
        size_t used;
        assert_true(packed->len < plain->len);
        ws_decoder_init(&d, false, payload.len);
        d.deflate = true;
        assert_int_equal(ws_decode(&d, packed->data, packed->len, &used, &e), ERR_OK);
        assert_int_equal(used, packed->len);
        assert_true(e.compressed);
        assert_int_equal(e.opcode, WS_TEXT);
        assert_int_equal(ws_inflate(z, &e, payload.len), ERR_OK);
        assert_true(span_eq(span_of(e.data, e.len), payload));
        ws_decoder_clear(&d);
    }
    frame_unref(plain);
    frame_unref(packed);
}

static void what_is_packed_comes_out_the_same(void **state)
{
    (void)state;
    static char text[300000];
    struct rng rng;
    rng_seed(&rng, 1);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + rng_below(&rng, 3));
    static const size_t sizes[] = {100, 125, 126, 500, 1000, 65535, 65536, 70000, sizeof text};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        round_trip(span_of(text, sizes[i]), true);
}

static void what_does_not_shrink_stays_plain(void **state)
{
    (void)state;
    static char noise[100000];
    struct rng rng;
    rng_seed(&rng, 2);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(rng_below(&rng, 128));
    round_trip(SPAN(""), false);
    round_trip(SPAN("abcd"), false);
    round_trip(SPAN("{\"a\":1}"), false);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)rng_next(&rng);
    struct frame *plain = frame_with(WS_BINARY, span_of(noise, sizeof noise));
    assert_null(ws_deflate_frame(z, plain));
    frame_unref(plain);
}

static void nothing_is_kept_from_message_to_message(void **state)
{
    (void)state;
    struct span text = SPAN("the same words, and the same words, and the same words again");
    struct frame *plain = frame_with(WS_TEXT, text);
    struct frame *first = ws_deflate_frame(z, plain), *second = ws_deflate_frame(z, plain);
    assert_true(span_eq(span_of(first->data, first->len), span_of(second->data, second->len)));
    frame_unref(plain);
    frame_unref(first);
    frame_unref(second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_messages_of_the_rfc_say_hello),       TEST(what_is_no_message_is_denied),
        TEST(utf8_is_checked_of_what_comes_out),       TEST(a_bomb_costs_no_more_than_its_limit),
        TEST(what_is_packed_comes_out_the_same),       TEST(what_does_not_shrink_stays_plain),
        TEST(nothing_is_kept_from_message_to_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
