#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/proto/ws.h"

enum { FRAMES_MAX = 6, LIMIT = 70000, WHOLE = 0 };

static bool deflates; /* the decoders do */

static const uint8_t MASK[4] = {0x37, 0xfa, 0x21, 0x3d}; /* of section 5.7 */

/* One frame as a test writes it down: its first byte and its payload. */
struct test_frame {
    uint8_t first;
    const char *payload;
    size_t len;
};
#define FRAME(first, literal)                                                                      \
    {                                                                                              \
        (first), (literal), sizeof(literal) - 1                                                    \
    }

static void add_frame(struct buf *out, const struct test_frame *f, bool server)
{
    uint8_t head[WS_HEAD_MAX];
    size_t n = ws_encode_head(head, WS_TEXT, f->len, server ? MASK : NULL);
    head[0] = f->first;
    buf_add(out, head, n);
    char *payload = buf_reserve(out, f->len + 1);
    if (server)
        ws_mask(payload, f->payload, f->len, MASK, 0);
    else if (f->len > 0)
        memcpy(payload, f->payload, f->len);
    out->len += f->len;
}

/* Writes an event down: "text:hello|", "close 1000:bye|". Long payloads: their length only. */
static void log_event(struct buf *log, const struct ws_event *e)
{
    static const char *const names[] = {[WS_TEXT] = "text",
                                        [WS_BINARY] = "binary",
                                        [WS_CLOSE] = "close",
                                        [WS_PING] = "ping",
                                        [WS_PONG] = "pong"};
    buf_addf(log, "%s%s", e->compressed ? "packed " : "", names[e->opcode]);
    if (e->code != 0)
        buf_addf(log, " %d", e->code);
    buf_add_char(log, ':');
    if (e->len <= 40)
        buf_add(log, e->data, e->len);
    else
        buf_addf(log, "(%zu)", e->len);
    buf_add_char(log, '|');
}

/* Feeds one piece, which lies in memory of just its size. False after an error, which is logged. */
static bool feed(struct ws_decoder *d, struct span piece, struct buf *log)
{
    char *data = xmalloc(piece.len + (piece.len == 0));
    size_t at = 0, used;
    enum err e = ERR_OK;
    if (piece.len > 0)
        memcpy(data, piece.ptr, piece.len);
    while (e == ERR_OK) {
        struct ws_event event;
        e = ws_decode(d, data + at, piece.len - at, &used, &event);
        at += used;
        if (e == ERR_OK)
            log_event(log, &event);
    }
    assert_int_equal(at, piece.len); /* no byte is left with the caller */
    if (e != ERR_AGAIN) {
        struct ws_event event;
        assert_int_equal(ws_decode(d, data, piece.len, &used, &event), e); /* for ever */
        buf_addf(log, "!%d", ws_error_code(e));
    }
    free(data);
    return e == ERR_AGAIN;
}

/* The log of bytes cut into two pieces at `split`, or into pieces of `step` bytes (WHOLE: one). */
static void decode_log(struct buf *log, struct span bytes, bool server, size_t split, size_t step)
{
    struct ws_decoder d = {.left = 0};
    ws_decoder_init(&d, server, LIMIT);
    d.deflate = deflates;
    buf_reset(log);
    (void)buf_reserve(log, 1);
    for (size_t at = 0; at < bytes.len;) {
        size_t n = step != WHOLE ? step : at < split ? split - at : bytes.len;
        struct span piece = span_slice(bytes, at, at + n);
        if (!feed(&d, piece, log))
            break;
        at += piece.len;
    }
    ws_decoder_clear(&d);
}

static void assert_log(const struct buf *log, struct span expected, const char *name, size_t where)
{
    if (!span_eq(buf_span(log), expected))
        fail_msg("%s at %zu: \"%.*s\" is not \"%.*s\"", name, where, SPAN_ARG(buf_span(log)),
                 SPAN_ARG(expected));
}

static void assert_every_split_and_truncation(struct span bytes, bool server, struct span expected,
                                              const char *name)
{
    struct buf log = {.len = 0};
    decode_log(&log, bytes, server, 0, WHOLE);
    assert_log(&log, expected, name, 0);
    decode_log(&log, bytes, server, 0, 1);
    assert_log(&log, expected, name, 1);
    decode_log(&log, bytes, server, 0, 7);
    assert_log(&log, expected, name, 7);
    size_t stride = 1 + bytes.len / 500;
    for (size_t i = 1; i < bytes.len; i += stride) {
        decode_log(&log, bytes, server, i, WHOLE);
        assert_log(&log, expected, name, i);
        decode_log(&log, span_slice(bytes, 0, i), server, 0, WHOLE);
        if (!span_starts(expected, buf_span(&log)))
            fail_msg("%s cut at %zu: \"%.*s\"", name, i, SPAN_ARG(buf_span(&log)));
    }
    buf_clear(&log);
}

struct row {
    const char *name;
    struct test_frame frames[FRAMES_MAX];
    const char *expected;
};

#define ALL_LENGTHS "\xc3\xa9t\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" /* 2, 3 and 4 bytes */

static const struct row good[] = {
    {"text", {FRAME(0x81, "Hello")}, "text:Hello|"},
    {"empty text", {FRAME(0x81, "")}, "text:|"},
    {"binary is not checked", {FRAME(0x82, "\xff\xfe\xc3")}, "binary:\xff\xfe\xc3|"},
    {"characters of all lengths", {FRAME(0x81, ALL_LENGTHS)}, "text:" ALL_LENGTHS "|"},
    {"two fragments", {FRAME(0x01, "Hel"), FRAME(0x80, "lo")}, "text:Hello|"},
    {"a ping inside a message",
     {FRAME(0x01, "Hel"), FRAME(0x89, "p"), FRAME(0x00, "l"), FRAME(0x8a, ""), FRAME(0x80, "o")},
     "ping:p|pong:|text:Hello|"},
    {"a character over three fragments",
     {FRAME(0x01, "\xe2"), FRAME(0x00, "\x82"), FRAME(0x80, "\xac")},
     "text:\xe2\x82\xac|"},
    {"empty fragments",
     {FRAME(0x02, ""), FRAME(0x00, ""), FRAME(0x00, "a"), FRAME(0x80, "")},
     "binary:a|"},
    {"all fragments empty", {FRAME(0x01, ""), FRAME(0x80, "")}, "text:|"},
    {"only the last fragment full", {FRAME(0x01, ""), FRAME(0x80, "x")}, "text:x|"},
    {"several messages",
     {FRAME(0x81, "a"), FRAME(0x82, "b"), FRAME(0x01, "c"), FRAME(0x80, "d"), FRAME(0x81, "e")},
     "text:a|binary:b|text:cd|text:e|"},
    {"close without a code", {FRAME(0x88, "")}, "close 1005:|"},
    {"close with a code", {FRAME(0x88, "\x03\xe8")}, "close 1000:|"},
    {"close with a reason", {FRAME(0x88, "\x0f\xa0" ALL_LENGTHS)}, "close 4000:" ALL_LENGTHS "|"},
    {"nothing is read behind a close",
     {FRAME(0x81, "a"), FRAME(0x88, ""), FRAME(0x81, "b"), FRAME(0xff, "c")},
     "text:a|close 1005:|"},
    {"close inside a message", {FRAME(0x01, "a"), FRAME(0x88, "")}, "close 1005:|"},
};

static const struct row bad[] = {
    {"RSV1", {FRAME(0xc1, "a")}, "!1002"},
    {"RSV2", {FRAME(0xa1, "a")}, "!1002"},
    {"RSV3", {FRAME(0x91, "a")}, "!1002"},
    {"RSV of a control frame", {FRAME(0xc9, "a")}, "!1002"},
    {"reserved opcode 3", {FRAME(0x83, "")}, "!1002"},
    {"reserved opcode 7", {FRAME(0x87, "")}, "!1002"},
    {"reserved opcode 11", {FRAME(0x8b, "")}, "!1002"},
    {"reserved opcode 15", {FRAME(0x8f, "")}, "!1002"},
    {"continuation of nothing", {FRAME(0x80, "a")}, "!1002"},
    {"continuation after the end",
     {FRAME(0x01, "a"), FRAME(0x80, "b"), FRAME(0x80, "c")},
     "text:ab|!1002"},
    {"text inside a message", {FRAME(0x01, "a"), FRAME(0x81, "b")}, "!1002"},
    {"binary inside a text", {FRAME(0x01, "a"), FRAME(0x02, "b")}, "!1002"},
    {"fragmented ping", {FRAME(0x09, "")}, "!1002"},
    {"fragmented close", {FRAME(0x08, "")}, "!1002"},
    {"close of one byte", {FRAME(0x88, "\x03")}, "!1002"},
    {"close 0", {FRAME(0x88, "\x00\x00")}, "!1002"},
    {"close 999", {FRAME(0x88, "\x03\xe7")}, "!1002"},
    {"close 1004", {FRAME(0x88, "\x03\xec")}, "!1002"},
    {"close 1005", {FRAME(0x88, "\x03\xed")}, "!1002"},
    {"close 1006", {FRAME(0x88, "\x03\xee")}, "!1002"},
    {"close 1015", {FRAME(0x88, "\x03\xf7")}, "!1002"},
    {"close 2999", {FRAME(0x88, "\x0b\xb7")}, "!1002"},
    {"close 5000", {FRAME(0x88, "\x13\x88")}, "!1002"},
    {"bad code before bad reason", {FRAME(0x88, "\x03\xe7\xff")}, "!1002"},
    {"bad UTF-8 in a reason", {FRAME(0x88, "\x03\xe8\xc3\x28")}, "!1007"},
    {"reason ends inside a character", {FRAME(0x88, "\x03\xe8\xc3")}, "!1007"},
    {"bad UTF-8", {FRAME(0x81, "\xc3\x28")}, "!1007"},
    {"overlong", {FRAME(0x81, "\xc0\x80")}, "!1007"},
    {"surrogate", {FRAME(0x81, "\xed\xa0\x80")}, "!1007"},
    {"above U+10FFFF", {FRAME(0x81, "\xf4\x90\x80\x80")}, "!1007"},
    {"text ends inside a character", {FRAME(0x81, "a\xe2\x82")}, "!1007"},
    {"fragments end inside a character", {FRAME(0x01, "\xe2"), FRAME(0x80, "\x82")}, "!1007"},
    {"bad UTF-8 fails before the message ends",
     {FRAME(0x01, "\xe2"), FRAME(0x00, "A"), FRAME(0x89, "p")},
     "!1007"},
    {"a good message before a bad frame",
     {FRAME(0x81, "a"), FRAME(0x89, "b"), FRAME(0x83, "c")},
     "text:a|ping:b|!1002"},
};

static void assert_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (int server = 0; server < 2; server++) {
            struct buf bytes = {.len = 0};
            for (size_t k = 0; k < FRAMES_MAX && rows[i].frames[k].payload != NULL; k++)
                add_frame(&bytes, &rows[i].frames[k], server != 0);
            assert_every_split_and_truncation(buf_span(&bytes), server != 0,
                                              span_str(rows[i].expected), rows[i].name);
            buf_clear(&bytes);
        }
    }
}

static void good_frames_give_their_events_at_every_split(void **state)
{
    (void)state;
    assert_rows(good, sizeof good / sizeof *good);
}

static void bad_frames_fail_with_their_code_at_every_split(void **state)
{
    (void)state;
    assert_rows(bad, sizeof bad / sizeof *bad);
}

/* RFC 7692 section 6: where it was negotiated, RSV1 says that a message is compressed. */
static void compressed_messages_are_told_from_others(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"compressed", {FRAME(0xc1, "a")}, "packed text:a|"},
        {"not compressed", {FRAME(0x81, "a"), FRAME(0x82, "b")}, "text:a|binary:b|"},
        {"both",
         {FRAME(0xc2, "a"), FRAME(0x81, "b"), FRAME(0xc1, "")},
         "packed binary:a|text:b|packed text:|"},
        {"in fragments, with a ping inside",
         {FRAME(0x41, "\xff"), FRAME(0x00, "b"), FRAME(0x89, "p"), FRAME(0x80, "c"),
          FRAME(0x81, "d")},
         "ping:p|packed text:\xff"
         "bc|text:d|"},
        {"what is inside is not looked at", {FRAME(0xc1, "\xff\xc0")}, "packed text:\xff\xc0|"},
        {"what is not compressed is",
         {FRAME(0xc1, "\xff"), FRAME(0x81, "\xff")},
         "packed text:\xff|!1007"},
        {"RSV1 of a continuation", {FRAME(0x41, "a"), FRAME(0xc0, "b")}, "!1002"},
        {"RSV1 of a continuation alone", {FRAME(0x01, "a"), FRAME(0xc0, "b")}, "!1002"},
        {"RSV1 of a ping", {FRAME(0xc9, "")}, "!1002"},
        {"RSV1 of a close frame", {FRAME(0xc8, "")}, "!1002"},
        {"RSV2", {FRAME(0xe1, "")}, "!1002"},
        {"RSV3", {FRAME(0xd1, "")}, "!1002"},
    };
    deflates = true;
    assert_rows(rows, sizeof rows / sizeof *rows);
    deflates = false;
}

/* The frames of RFC 6455 section 5.7, byte for byte. */
static void examples_of_the_rfc_are_decoded(void **state)
{
    (void)state;
    const struct {
        bool server;
        struct span bytes;
        const char *expected;
    } rows[] = {
        {false, SPAN("\x81\x05Hello"), "text:Hello|"},
        {true, SPAN("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "text:Hello|"},
        {false, SPAN("\x01\x03Hel\x80\x02lo"), "text:Hello|"},
        {false, SPAN("\x89\x05Hello"), "ping:Hello|"},
        {true, SPAN("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "pong:Hello|"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_every_split_and_truncation(rows[i].bytes, rows[i].server, span_str(rows[i].expected),
                                          "rfc");
}

static void heads_are_checked_byte_by_byte(void **state)
{
    (void)state;
    const struct {
        const char *name;
        bool server;
        struct span bytes;
        const char *expected;
    } rows[] = {
        {"unmasked at a server", true, SPAN("\x81\x02{}"), "!1002"},
        {"masked at a client", false, SPAN("\x81\x82\0\0\0\0{}"), "!1002"},
        {"ping of 126 bytes", true, SPAN("\x89\xfe\x00\x7e\0\0\0\0"), "!1002"},
        {"close of 64-bit length", true, SPAN("\x88\xff\0\0\0\0\0\0\0\1\0\0\0\0"), "!1002"},
        {"2^63 - 1", true, SPAN("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"), "!1009"},
        {"2^64 - 1", true, SPAN("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"), "!1009"},
        {"2^63", false, SPAN("\x82\x7f\x80\0\0\0\0\0\0\0"), "!1009"},
        {"one over the limit", false, SPAN("\x82\x7f\0\0\0\0\0\x01\x11\x71"), "!1009"},
        {"RSV before length", false, SPAN("\xc2\x7f\x80\0\0\0\0\0\0\0"), "!1002"},
        {"5 in 16 bits", false, SPAN("\x81\x7e\x00\x05Hello"), "!1002"},
        {"5 in 64 bits", false, SPAN("\x81\x7f\0\0\0\0\0\0\0\5Hello"), "!1002"},
        {"125 in 16 bits", false, SPAN("\x82\x7e\0\x7d"), "!1002"},
        {"126 in 64 bits", false, SPAN("\x82\x7f\0\0\0\0\0\0\0\x7e"), "!1002"},
        {"65535 in 64 bits", true, SPAN("\x82\xff\0\0\0\0\0\0\xff\xff\1\2\3\4"), "!1002"},
        {"65536 in 64 bits", false, SPAN("\x82\x7f\0\0\0\0\0\1\0\0"), ""},
        {"126 in 16 bits", false, SPAN("\x82\x7e\0\x7e"), ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_every_split_and_truncation(rows[i].bytes, rows[i].server, span_str(rows[i].expected),
                                          rows[i].name);
}

static void lengths_around_the_encodings_round_trip(void **state)
{
    (void)state;
    static const struct {
        size_t len, head;
    } rows[] = {{0, 2}, {1, 2}, {125, 2}, {126, 4}, {127, 4}, {65535, 4}, {65536, 10}, {LIMIT, 10}};
    char *payload = xmalloc(LIMIT);
    memset(payload, 'x', LIMIT);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t head[WS_HEAD_MAX];
        assert_int_equal(ws_encode_head(head, WS_TEXT, rows[i].len, NULL), rows[i].head);
        assert_int_equal(ws_encode_head(head, WS_TEXT, rows[i].len, MASK), rows[i].head + 4);
        struct test_frame f = {0x81, payload, rows[i].len};
        struct buf bytes = {.len = 0}, expected = {.len = 0};
        log_event(&expected,
                  &(struct ws_event){.opcode = WS_TEXT, .data = payload, .len = rows[i].len});
        add_frame(&bytes, &f, true);
        assert_every_split_and_truncation(buf_span(&bytes), true, buf_span(&expected), "length");
        buf_clear(&bytes);
        buf_clear(&expected);
    }
    free(payload);
}

static void limit_counts_the_message_over_its_fragments(void **state)
{
    (void)state;
    static const struct test_frame frames[] = {FRAME(0x02, "1234"), FRAME(0x00, "567"),
                                               FRAME(0x80, "8")};
    for (size_t limit = 6; limit <= 8; limit++) {
        struct ws_decoder d = {.left = 0};
        struct buf bytes = {.len = 0}, log = {.len = 0};
        ws_decoder_init(&d, true, limit);
        for (size_t i = 0; i < 3; i++)
            add_frame(&bytes, &frames[i], true);
        assert_int_equal(feed(&d, buf_span(&bytes), &log), limit == 8);
        assert_log(&log, limit == 8 ? SPAN("binary:12345678|") : SPAN("!1009"), "limit", limit);
        ws_decoder_clear(&d);
        buf_clear(&bytes);
        buf_clear(&log);
    }
}

static void limit_fails_at_the_head_before_any_payload(void **state)
{
    (void)state;
    struct ws_decoder d = {.left = 0};
    struct buf log = {.len = 0};
    ws_decoder_init(&d, false, 100);
    assert_false(feed(&d, SPAN("\x82\x65"), &log));
    assert_log(&log, SPAN("!1009"), "head", 2);
    buf_clear(&log);
    ws_decoder_clear(&d);
}

static void control_frames_do_not_count_as_message(void **state)
{
    (void)state;
    struct ws_decoder d = {.left = 0};
    struct buf log = {.len = 0};
    ws_decoder_init(&d, false, 1);
    assert_true(feed(&d, SPAN("\x89\x02hi\x82\x01x"), &log));
    assert_log(&log, SPAN("ping:hi|binary:x|"), "control", 0);
    buf_clear(&log);
    ws_decoder_clear(&d);
}

static void message_within_the_input_is_not_copied(void **state)
{
    (void)state;
    char data[] = "\x81\x05Hello\x81\x02yo";
    struct ws_decoder d = {.left = 0};
    struct ws_event event;
    size_t used;
    ws_decoder_init(&d, false, 100);
    assert_int_equal(ws_decode(&d, data, sizeof data - 1, &used, &event), ERR_OK);
    assert_int_equal(used, 7);
    assert_ptr_equal(event.data, data + 2);
    assert_int_equal(ws_decode(&d, data + 7, 4, &used, &event), ERR_OK);
    assert_ptr_equal(event.data, data + 9);
    assert_null(d.message.data);
    ws_decoder_clear(&d);
}

static void announced_length_allocates_nothing(void **state)
{
    (void)state;
    struct ws_decoder d = {.left = 0};
    struct buf log = {.len = 0};
    ws_decoder_init(&d, false, 1u << 30);
    assert_true(feed(&d, SPAN("\x82\x7f\0\0\0\0\x3f\xff\xff\xff"), &log));
    assert_null(d.message.data);
    assert_true(feed(&d, SPAN("abc"), &log));
    assert_in_range(d.message.cap, 3, 4096);
    ws_decoder_clear(&d);
    assert_null(d.message.data);
}

static void delivered_message_leaves_no_memory(void **state)
{
    (void)state;
    struct ws_decoder d = {.left = 0};
    struct buf log = {.len = 0};
    ws_decoder_init(&d, false, 100);
    assert_true(feed(&d,
                     SPAN("\x82\x05"
                          "He"),
                     &log));
    assert_non_null(d.message.data);
    assert_true(feed(&d, SPAN("llo\x89\x02p"), &log));
    assert_null(d.message.data);
    assert_non_null(d.control);
    assert_true(feed(&d, SPAN("q"), &log));
    assert_null(d.control);
    assert_log(&log, SPAN("binary:Hello|ping:pq|"), "memory", 0);
    buf_clear(&log);
    ws_decoder_clear(&d);
}

static void release_keeps_what_is_unfinished(void **state)
{
    (void)state;
    char first[] = "\x02\x02He", middle[] = "\x89\x02p", last[] = "q\x80\x01y";
    struct ws_decoder d = {.left = 0};
    struct ws_event event;
    size_t used;
    ws_decoder_init(&d, false, 100);
    assert_int_equal(ws_decode(&d, first, sizeof first - 1, &used, &event), ERR_AGAIN);
    assert_int_equal(ws_decode(&d, middle, sizeof middle - 1, &used, &event), ERR_AGAIN);
    ws_decoder_release(&d);
    assert_int_equal(ws_decode(&d, last, sizeof last - 1, &used, &event), ERR_OK);
    assert_true(span_eq(span_of(event.data, event.len), SPAN("pq")));
    ws_decoder_release(&d);
    assert_null(d.control);
    assert_int_equal(ws_decode(&d, last + used, sizeof last - 1 - used, &used, &event), ERR_OK);
    assert_true(span_eq(span_of(event.data, event.len), SPAN("Hey")));
    ws_decoder_release(&d);
    assert_null(d.message.data);
}

static void mask_is_its_own_inverse_at_every_offset(void **state)
{
    (void)state;
    char in[100], out[100], back[100];
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (char)(i * 37);
    for (size_t len = 0; len <= sizeof in; len++) {
        for (size_t at = 0; at < 5; at++) {
            memset(out, 0x55, sizeof out);
            ws_mask(out, in, len, MASK, at);
            for (size_t i = 0; i < sizeof out; i++) {
                int expected = i < len ? (uint8_t)in[i] ^ MASK[(at + i) % 4] : 0x55;
                assert_int_equal((uint8_t)out[i], expected);
            }
            memcpy(back, out, sizeof back);
            ws_mask(back, back, len, MASK, at);
            assert_memory_equal(back, in, len);
        }
    }
}

static void close_payload_holds_code_and_reason(void **state)
{
    (void)state;
    char out[WS_CONTROL_MAX];
    assert_int_equal(ws_encode_close(out, WS_CODE_NONE, SPAN("ignored")), 0);
    assert_int_equal(ws_encode_close(out, WS_CODE_NO_STATUS, SPAN("ignored")), 0);
    assert_int_equal(ws_encode_close(out, WS_CODE_RESTART, SPAN("bye")), 5);
    assert_memory_equal(out,
                        "\x03\xf4"
                        "bye",
                        5);
    assert_int_equal(ws_encode_close(out, WS_CODE_NORMAL, (struct span){.ptr = NULL}), 2);
}

static void long_reason_is_cut_between_characters(void **state)
{
    (void)state;
    static const uint8_t smile[] = {0xf0, 0x9f, 0x98, 0x80};
    for (size_t before = WS_REASON_MAX - 5; before <= WS_REASON_MAX; before++) {
        char reason[WS_REASON_MAX + 8], out[WS_CONTROL_MAX];
        memset(reason, 'a', sizeof reason);
        memcpy(reason + before, smile, sizeof smile);
        size_t len = ws_encode_close(out, WS_CODE_NORMAL, span_of(reason, sizeof reason));
        assert_in_range(len, 2 + WS_REASON_MAX - 3, WS_CONTROL_MAX);
        assert_true(span_is_utf8(span_of(out + 2, len - 2)));
    }
}

static void errors_have_their_close_codes(void **state)
{
    (void)state;
    assert_int_equal(ws_error_code(ERR_SYNTAX), 1002);
    assert_int_equal(ws_error_code(ERR_DENIED), 1007);
    assert_int_equal(ws_error_code(ERR_LIMIT), 1009);
    assert_int_equal(ws_error_code(ERR_IO), 1011);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_frames_give_their_events_at_every_split),
        cmocka_unit_test(bad_frames_fail_with_their_code_at_every_split),
        cmocka_unit_test(compressed_messages_are_told_from_others),
        cmocka_unit_test(examples_of_the_rfc_are_decoded),
        cmocka_unit_test(heads_are_checked_byte_by_byte),
        cmocka_unit_test(lengths_around_the_encodings_round_trip),
        cmocka_unit_test(limit_counts_the_message_over_its_fragments),
        cmocka_unit_test(limit_fails_at_the_head_before_any_payload),
        cmocka_unit_test(control_frames_do_not_count_as_message),
        cmocka_unit_test(message_within_the_input_is_not_copied),
        cmocka_unit_test(announced_length_allocates_nothing),
        cmocka_unit_test(delivered_message_leaves_no_memory),
        cmocka_unit_test(release_keeps_what_is_unfinished),
        cmocka_unit_test(mask_is_its_own_inverse_at_every_offset),
        cmocka_unit_test(close_payload_holds_code_and_reason),
        cmocka_unit_test(long_reason_is_cut_between_characters),
        cmocka_unit_test(errors_have_their_close_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
