/* Frames that go by: where they end, however the stream is cut. */
#include "common/proto/ws_skim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"

enum { ENDS_MAX = 16 };

static const uint8_t mask[4] = {1, 2, 3, 4};

/* A stream and the offsets at which its frames end. */
struct stream {
    struct buf bytes;
    size_t ends[ENDS_MAX];
    size_t count;
};

static void add(struct stream *s, enum ws_opcode opcode, bool fin, size_t len, bool masked)
{
    uint8_t head[WS_HEAD_MAX];
    size_t head_len = ws_encode_head(head, opcode, len, masked ? mask : NULL);
    if (!fin)
        head[0] &= 0x7f;
    buf_add(&s->bytes, head, head_len);
    memset(buf_reserve(&s->bytes, len), 0x88, len); /* looks like the head of a close frame */
    s->bytes.len += len;
    s->ends[s->count++] = s->bytes.len;
}

static struct stream every_kind(bool masked)
{
    struct stream s = {0};
    add(&s, WS_TEXT, true, 0, masked);
    add(&s, WS_TEXT, false, 125, masked);
    add(&s, WS_PING, true, 3, masked);
    add(&s, WS_CONTINUATION, true, 126, masked);
    add(&s, WS_BINARY, true, 300, masked);
    add(&s, WS_BINARY, true, 65536, masked);
    add(&s, WS_PONG, true, 125, masked);
    add(&s, WS_CLOSE, true, 2, masked);
    return s;
}

static bool is_end(const struct stream *s, size_t at)
{
    bool end = at == 0;
    for (size_t i = 0; i < s->count; i++)
        end |= s->ends[i] == at;
    return end;
}

static void boundaries_are_known_at_every_split_point(void **state)
{
    (void)state;
    for (int masked = 0; masked < 2; masked++) {
        struct stream s = every_kind(masked == 1);
        struct span all = buf_span(&s.bytes);
        for (size_t at = 0; at <= all.len; at++) {
            struct ws_skim skim = {0};
            ws_skim(&skim, span_slice(all, 0, at));
            assert_int_equal(ws_skim_at_boundary(&skim), is_end(&s, at));
            ws_skim(&skim, span_slice(all, at, all.len < at + 512 ? all.len : at + 512));
            assert_false(skim.lost);
        }
        buf_clear(&s.bytes);
    }
}

static void bytes_one_by_one_end_the_same_frames(void **state)
{
    struct stream s = every_kind(true);
    struct ws_skim skim = {0};
    (void)state;
    for (size_t at = 0; at < s.bytes.len; at++) {
        assert_int_equal(ws_skim_frame(&skim, span_of(s.bytes.data + at, 1)), 1);
        assert_int_equal(ws_skim_at_boundary(&skim), is_end(&s, at + 1));
    }
    assert_true(skim.closed);
    buf_clear(&s.bytes);
}

static void one_call_stops_at_the_end_of_its_frame(void **state)
{
    struct stream s = every_kind(false);
    struct ws_skim skim = {0};
    struct span rest = buf_span(&s.bytes);
    (void)state;
    for (size_t i = 0; i < s.count; i++) {
        assert_int_equal(skim.closed, false);
        rest = span_slice(rest, ws_skim_frame(&skim, rest), rest.len);
        assert_int_equal(s.bytes.len - rest.len, s.ends[i]);
    }
    assert_true(skim.closed);
    assert_int_equal(ws_skim_frame(&skim, (struct span){0}), 0);
    buf_clear(&s.bytes);
}

static void what_is_no_frame_loses_the_stream(void **state)
{
    static const struct {
        const char *what;
        struct span bytes;
    } rows[] = {
        {"opcode 3", SPAN_INIT("\x83\x00")},
        {"opcode 11", SPAN_INIT("\x8b\x00")},
        {"fragmented ping", SPAN_INIT("\x09\x00")},
        {"long ping", SPAN_INIT("\x89\x7e\x00\x7e")},
        {"16 bit not minimal", SPAN_INIT("\x81\x7e\x00\x7d")},
        {"64 bit not minimal", SPAN_INIT("\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff")},
        {"top bit", SPAN_INIT("\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ws_skim skim = {0};
        ws_skim(&skim, rows[i].bytes);
        if (!skim.lost || ws_skim_at_boundary(&skim))
            fail_msg("%s passes", rows[i].what);
        assert_int_equal(ws_skim_frame(&skim, SPAN("\x81\x00")), 2);
        assert_false(ws_skim_at_boundary(&skim));
    }
}

static void extensions_do_not_lose_it(void **state)
{
    struct ws_skim skim = {0};
    (void)state;
    ws_skim(&skim, SPAN("\xc1\x01x"));
    assert_true(ws_skim_at_boundary(&skim));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boundaries_are_known_at_every_split_point),
        cmocka_unit_test(bytes_one_by_one_end_the_same_frames),
        cmocka_unit_test(one_call_stops_at_the_end_of_its_frame),
        cmocka_unit_test(what_is_no_frame_loses_the_stream),
        cmocka_unit_test(extensions_do_not_lose_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
