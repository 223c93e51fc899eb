/* Signed headers between processes: what is believed and what is not. */
#include "common/proto/hop_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW INT64_C(1700000000000)

static const struct hop_sign claim = {.method = SPAN_INIT("GET"),
                                      .target = SPAN_INIT("/parties/shard/a%20b?x=1"),
                                      .entry = SPAN_INIT("node 1/\xc3\xa9"),
                                      .client_ip = SPAN_INIT("203.0.113.7")};

static enum err check_text(const struct buf *text, const char *secrets, int64_t now,
                           struct hop_signed *out)
{
    struct http_head h;
    assert_int_equal(http_head_parse_request(&h, text->data, text->len), ERR_OK);
    return hop_sign_check(&h, &(struct secrets){span_str(secrets)}, now, out);
}

/* A request line, signed lines and the blank line. */
static struct buf request(const char *line, const char *signed_lines)
{
    struct buf out = {0};
    buf_addf(&out, "%s HTTP/1.1\r\nHost: h\r\n%s\r\n", line, signed_lines);
    return out;
}

static struct buf lines_of(const char *secrets)
{
    struct buf out = {0};
    hop_sign_add(&out, &(struct secrets){span_str(secrets)}, &claim, NOW);
    buf_add_char(&out, '\0');
    return out;
}

#define LINE "GET /parties/shard/a%20b?x=1"

static enum err check_with(const char *line, const char *lines, const char *secrets, int64_t now)
{
    struct hop_signed out;
    struct buf text = request(line, lines);
    enum err e = check_text(&text, secrets, now, &out);
    buf_clear(&text);
    return e;
}

static void signed_request_tells_entry_and_client(void **state)
{
    struct buf lines = lines_of("first,second"), text = request(LINE, lines.data);
    struct hop_signed out;
    struct addr want;
    (void)state;
    assert_int_equal(check_text(&text, "first", NOW, &out), ERR_OK);
    assert_true(span_eq(span_of(out.entry, out.entry_len), claim.entry));
    assert_int_equal(addr_parse(claim.client_ip, &want), ERR_OK);
    assert_memory_equal(&out.client, &want, sizeof want);
    buf_clear(&lines);
    buf_clear(&text);
}

static void mark_of_a_world_is_signed_with_the_entry(void **state)
{
    struct hop_sign by_world = claim;
    struct buf lines = {0};
    struct hop_signed out;
    (void)state;
    by_world.by_world = true;
    hop_sign_add(&lines, &(struct secrets){SPAN("s")}, &by_world, NOW);
    buf_add_char(&lines, '\0');
    struct buf text = request(LINE, lines.data);
    assert_int_equal(check_text(&text, "s", NOW, &out), ERR_OK);
    assert_true(out.by_world);
    assert_true(span_eq(span_of(out.entry, out.entry_len), claim.entry));
    char *mark = strstr(lines.data, ";world\r\n");
    assert_non_null(mark);
    mark[1] = 'W';
    assert_int_equal(check_with(LINE, lines.data, "s", NOW), ERR_DENIED);
    memmove(mark, mark + strlen(";world"), strlen(mark) - strlen(";world") + 1);
    assert_int_equal(check_with(LINE, lines.data, "s", NOW), ERR_DENIED);
    buf_clear(&lines);
    buf_clear(&text);

    lines = lines_of("s");
    text = request(LINE, lines.data);
    assert_int_equal(check_text(&text, "s", NOW, &out), ERR_OK);
    assert_false(out.by_world);
    buf_clear(&lines);
    buf_clear(&text);
}

static void epoch_that_a_world_has_seen_is_signed_with_its_mark(void **state)
{
    struct hop_sign by_world = claim;
    struct buf lines = {0};
    struct hop_signed out;
    (void)state;
    by_world.by_world = true;
    by_world.epoch = 1700000000123;
    hop_sign_add(&lines, &(struct secrets){SPAN("s")}, &by_world, NOW);
    buf_add_char(&lines, '\0');
    char *mark = strstr(lines.data, ";world;1700000000123\r\n");
    assert_non_null(mark);
    struct buf text = request(LINE, lines.data);
    assert_int_equal(check_text(&text, "s", NOW, &out), ERR_OK);
    assert_true(out.by_world);
    assert_int_equal(out.epoch, 1700000000123);
    mark[strlen(";world;")] = '9';
    assert_int_equal(check_with(LINE, lines.data, "s", NOW), ERR_DENIED);
    buf_clear(&lines);
    buf_clear(&text);
}

/* Two versions must agree, so the form may not change; checked with another implementation. */
static void form_is_fixed(void **state)
{
    struct buf lines = lines_of("first,second");
    (void)state;
    assert_string_equal(lines.data,
                        "x-terrane-hop: node%201%2F%C3%A9\r\nx-terrane-client: 203.0.113.7\r\n"
                        "x-terrane-sign: v1 1700000000000 "
                        "cbe821a41df3b250c4f0152eaf00fb8dc063a81457b6ba9be9457fef3d35f430\r\n");
    buf_clear(&lines);
}

static void any_secret_of_the_list_is_good(void **state)
{
    struct buf lines = lines_of("first,second");
    (void)state;
    assert_int_equal(check_with(LINE, lines.data, "new, first", NOW), ERR_OK);
    assert_int_equal(check_with(LINE, lines.data, "new,second", NOW), ERR_DENIED);
    assert_int_equal(check_with(LINE, lines.data, "firs", NOW), ERR_DENIED);
    assert_int_equal(check_with(LINE, lines.data, "", NOW), ERR_DENIED);
    buf_clear(&lines);
}

static void signature_is_for_one_request(void **state)
{
    struct buf lines = lines_of("s");
    (void)state;
    assert_int_equal(check_with(LINE, lines.data, "s", NOW), ERR_OK);
    assert_int_equal(check_with("POST /parties/shard/a%20b?x=1", lines.data, "s", NOW), ERR_DENIED);
    assert_int_equal(check_with("GET /parties/shard/a%20b?x=2", lines.data, "s", NOW), ERR_DENIED);
    assert_int_equal(check_with("GET /parties/shard/a%20b", lines.data, "s", NOW), ERR_DENIED);
    buf_clear(&lines);
}

static void clocks_may_differ_a_little(void **state)
{
    struct buf lines = lines_of("s");
    (void)state;
    assert_int_equal(check_with(LINE, lines.data, "s", NOW + HOP_SIGN_AGE_MS), ERR_OK);
    assert_int_equal(check_with(LINE, lines.data, "s", NOW - HOP_SIGN_AGE_MS), ERR_OK);
    assert_int_equal(check_with(LINE, lines.data, "s", NOW + HOP_SIGN_AGE_MS + 1), ERR_EXPIRED);
    assert_int_equal(check_with(LINE, lines.data, "s", NOW - HOP_SIGN_AGE_MS - 1), ERR_EXPIRED);
    buf_clear(&lines);
}

static void no_headers_are_no_claim(void **state)
{
    (void)state;
    assert_int_equal(check_with(LINE, "x-terrane: 1\r\n", "s", NOW), ERR_MISSING);
}

static void missing_doubled_or_malformed_headers_are_denied(void **state)
{
#define H   "x-terrane-hop: n\r\n"
#define C   "x-terrane-client: 1.2.3.4\r\n"
#define HEX "0123456789012345678901234567890123456789012345678901234567890123"
    static const char *const rows[] = {
        H,
        C,
        "x-terrane-sign: v1 1700000000000 " HEX "\r\n",
        H C,
        H C "x-terrane-sign:\r\n",
        H C "x-terrane-sign: v1\r\n",
        H C "x-terrane-sign: v1 1700000000000\r\n",
        H C "x-terrane-sign: v1 1700000000000 \r\n",
        H C "x-terrane-sign: v1 1700000000000 " HEX "\r\n",
        H C "x-terrane-sign: v1 1700000000000 " HEX "0\r\n",
        H C "x-terrane-sign: v1 99999999999999999999 " HEX "\r\n",
        H C "x-terrane-sign: v1 9223372036854775807 " HEX "\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(check_with(LINE, rows[i], "s", NOW), ERR_DENIED);
}

static void good_signature_with_more_lines_is_denied(void **state)
{
    static const char *const more[] = {"x-terrane-hop: n\r\n", "X-Terrane-Client: 1.2.3.4\r\n",
                                       "x-terrane-sign: v1 1 2\r\n"};
    struct buf lines = lines_of("s");
    (void)state;
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        struct buf both = {0};
        buf_addf(&both, "%s%s%c", lines.data, more[i], '\0');
        assert_int_equal(check_with(LINE, both.data, "s", NOW), ERR_DENIED);
        buf_clear(&both);
    }
    buf_clear(&lines);
}

static void every_changed_byte_is_denied(void **state)
{
    struct buf lines = lines_of("s");
    (void)state;
    for (size_t i = 0; i + 1 < lines.len; i++) {
        char was = lines.data[i];
        if (was < '0' || was > '9')
            continue;
        lines.data[i] = was == '9' ? '8' : '9';
        assert_int_equal(check_with(LINE, lines.data, "s", NOW), ERR_DENIED);
        lines.data[i] = was;
    }
    buf_clear(&lines);
}

static void signed_nonsense_is_denied(void **state)
{
    static const struct hop_sign rows[] = {
        {.method = SPAN_INIT("GET"), .target = SPAN_INIT("/"), .client_ip = SPAN_INIT("host")},
        {.method = SPAN_INIT("GET"), .target = SPAN_INIT("/"), .client_ip = SPAN_INIT("")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf lines = {0};
        hop_sign_add(&lines, &(struct secrets){SPAN("s")}, &rows[i], NOW);
        buf_add_char(&lines, '\0');
        assert_int_equal(check_with("GET /", lines.data, "s", NOW), ERR_DENIED);
        buf_clear(&lines);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_request_tells_entry_and_client),
        cmocka_unit_test(mark_of_a_world_is_signed_with_the_entry),
        cmocka_unit_test(epoch_that_a_world_has_seen_is_signed_with_its_mark),
        cmocka_unit_test(form_is_fixed),
        cmocka_unit_test(any_secret_of_the_list_is_good),
        cmocka_unit_test(signature_is_for_one_request),
        cmocka_unit_test(clocks_may_differ_a_little),
        cmocka_unit_test(no_headers_are_no_claim),
        cmocka_unit_test(missing_doubled_or_malformed_headers_are_denied),
        cmocka_unit_test(good_signature_with_more_lines_is_denied),
        cmocka_unit_test(every_changed_byte_is_denied),
        cmocka_unit_test(signed_nonsense_is_denied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
