/* Tickets: who signed, until when, and what a strict reader refuses. */
#include "common/proto/ticket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/base64url.h"
#include "common/proto/mac.h"

#define NOW INT64_C(1700000000000)

static const struct ticket sample = {
    .world = SPAN_INIT("world-a"),
    .shard = SPAN_INIT("a b/\0\xc3\xa9:world-a:1700000000000-7"),
    .room = SPAN_INIT("a b/\0\xc3\xa9"),
    .session = SPAN_INIT("p\n1?&=%"),
    .epoch = NOW - 5,
    .expires_ms = NOW + 15000,
    .nonce = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255},
};

static struct buf write(const char *secrets, const struct ticket *t)
{
    struct buf out = {0};
    ticket_add(&out, &(struct secrets){.list = span_str(secrets)}, t);
    return out;
}

static enum err open_text(const char *secrets, struct span text, int64_t wall_ms)
{
    struct buf scratch = {0};
    struct ticket out;
    enum err e =
        ticket_open(&(struct secrets){.list = span_str(secrets)}, text, wall_ms, &scratch, &out);
    buf_clear(&scratch);
    return e;
}

/* The payload as it should be, for readers that are to find it odd. */
static void add_payload(struct buf *out, const struct ticket *t)
{
    struct buf text = write("secret", t);
    size_t end = span_rindex(buf_span(&text), '.');
    assert_int_equal(base64url_decode(out, span_of(text.data + 3, end - 3)), ERR_OK);
    buf_clear(&text);
}

/* What the holder of the secret signs, whatever it is. */
static enum err open_signed(struct span version, struct span payload)
{
    struct buf text = {0};
    uint8_t mac[MAC_LEN];
    buf_add_span(&text, version);
    buf_add_char(&text, '.');
    base64url_add(&text, payload);
    struct mac *m = mac_begin(SPAN("secret"), SPAN("terrane ticket v1"));
    mac_add(m, buf_span(&text));
    mac_end(m, mac);
    buf_add_char(&text, '.');
    base64url_add(&text, span_of(mac, sizeof mac));
    enum err e = open_text("secret", buf_span(&text), NOW);
    buf_clear(&text);
    return e;
}

static void what_is_written_is_read(void **state)
{
    struct buf text = write("one,two", &sample), scratch = {0};
    struct ticket out;
    (void)state;
    assert_int_equal(ticket_open(&(struct secrets){.list = SPAN("two, one")}, buf_span(&text), NOW,
                                 &scratch, &out),
                     ERR_OK);
    assert_true(span_eq(out.world, sample.world) && span_eq(out.shard, sample.shard));
    assert_true(span_eq(out.room, sample.room) && span_eq(out.session, sample.session));
    assert_true(out.epoch == sample.epoch && out.expires_ms == sample.expires_ms);
    assert_memory_equal(out.nonce, sample.nonce, sizeof out.nonce);
    buf_clear(&text);
    buf_clear(&scratch);
}

static void a_trace_is_read_back_and_none_is_none(void **state)
{
    (void)state;
    struct ticket traced = sample, out;
    traced.trace = SPAN("4bf92f3577b34da6a3ce929d0e0e4736");
    for (int i = 0; i < 2; i++) {
        struct buf text = write("one", i == 0 ? &traced : &sample), scratch = {0};
        assert_int_equal(ticket_open(&(struct secrets){.list = SPAN("one")}, buf_span(&text), NOW,
                                     &scratch, &out),
                         ERR_OK);
        assert_true(span_eq(out.trace, i == 0 ? traced.trace : SPAN("")));
        assert_true(span_eq(out.session, sample.session));
        buf_clear(&text);
        buf_clear(&scratch);
    }
}

static void only_the_first_secret_signs_and_any_is_good(void **state)
{
    static const struct {
        const char *secrets;
        enum err e;
    } rows[] = {
        {"first", ERR_OK},          {"other,first", ERR_OK}, {"second", ERR_DENIED},
        {"first ,second", ERR_OK},  {"firs", ERR_DENIED},    {"", ERR_DENIED},
        {"other, ,first,", ERR_OK},
    };
    struct buf text = write("first,second", &sample);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(open_text(rows[i].secrets, buf_span(&text), NOW), rows[i].e);
    buf_clear(&text);
}

static void a_ticket_expires_with_leeway(void **state)
{
    int64_t last = sample.expires_ms + TICKET_LEEWAY_MS;
    struct buf text = write("secret", &sample), scratch = {0};
    struct ticket out;
    (void)state;
    assert_int_equal(open_text("secret", buf_span(&text), last), ERR_OK);
    assert_int_equal(ticket_open(&(struct secrets){.list = SPAN("secret")}, buf_span(&text),
                                 last + 1, &scratch, &out),
                     ERR_EXPIRED);
    assert_true(span_eq(out.session, sample.session));
    assert_int_equal(open_text("other", buf_span(&text), last + 1), ERR_DENIED);
    buf_clear(&text);
    buf_clear(&scratch);
}

static void no_changed_character_passes(void **state)
{
    struct buf text = write("secret", &sample);
    (void)state;
    for (size_t i = 0; i < text.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            text.data[i] = (char)((unsigned char)text.data[i] ^ 1u << bit);
            assert_int_not_equal(open_text("secret", buf_span(&text), NOW), ERR_OK);
            text.data[i] = (char)((unsigned char)text.data[i] ^ 1u << bit);
        }
        assert_int_not_equal(open_text("secret", span_of(text.data, i), NOW), ERR_OK);
    }
    assert_int_equal(open_text("secret", buf_span(&text), NOW), ERR_OK);
    buf_clear(&text);
}

static void other_forms_are_no_tickets(void **state)
{
    static const char *const rows[] = {
        "",         ".",        "..",       "t1",          "t1.",       "t1..",      "t1.AA.",
        "t1.AA.AA", "t2.AA.AA", "T1.AA.AA", "t1.AA.AA.AA", " t1.AA.AA", "t1.AA==.AA"};
    struct buf text = write("secret", &sample);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(open_text("secret", span_str(rows[i]), NOW), ERR_SYNTAX);
    buf_add_char(&text, '=');
    assert_int_equal(open_text("secret", buf_span(&text), NOW), ERR_SYNTAX);
    buf_clear(&text);
}

static void a_text_that_is_too_long_is_not_looked_at(void **state)
{
    struct buf text = {0};
    (void)state;
    while (text.len <= TICKET_MAX)
        buf_add_char(&text, 'A');
    assert_int_equal(open_text("secret", buf_span(&text), NOW), ERR_SYNTAX);
    buf_clear(&text);
}

static void names_fit_up_to_their_sum(void **state)
{
    static char name[TICKET_NAMES_MAX];
    struct ticket t = sample;
    (void)state;
    memset(name, 'x', sizeof name);
    t.shard = span_of(name, sizeof name - t.world.len - t.room.len - t.session.len);
    assert_true(ticket_names_fit(&t));
    struct buf text = write("secret", &t);
    assert_int_equal(open_text("secret", buf_span(&text), NOW), ERR_OK);
    buf_clear(&text);
    t.shard.len++;
    assert_false(ticket_names_fit(&t));
    t = sample;
    t.session.len = 0;
    assert_false(ticket_names_fit(&t));
}

static void a_payload_is_read_to_its_end_and_no_further(void **state)
{
    struct buf payload = {0};
    (void)state;
    add_payload(&payload, &sample);
    assert_int_equal(open_signed(SPAN("t1"), buf_span(&payload)), ERR_OK);
    assert_int_equal(open_signed(SPAN("t2"), buf_span(&payload)), ERR_SYNTAX);
    for (size_t i = 1; i < payload.len; i++)
        assert_int_equal(open_signed(SPAN("t1"), span_of(payload.data, i)), ERR_SYNTAX);
    buf_add_char(&payload, 'x');
    assert_int_equal(open_signed(SPAN("t1"), buf_span(&payload)), ERR_SYNTAX);
    buf_clear(&payload);
}

static void times_that_are_none_are_refused(void **state)
{
    struct buf payload = {0};
    (void)state;
    add_payload(&payload, &sample);
    for (size_t at = 0; at < 16; at += 8) {
        char kept[8];
        memcpy(kept, payload.data + at, 8);
        memset(payload.data + at, 0, 8);
        assert_int_equal(open_signed(SPAN("t1"), buf_span(&payload)), ERR_SYNTAX);
        memset(payload.data + at, 0xff, 8);
        assert_int_equal(open_signed(SPAN("t1"), buf_span(&payload)), ERR_SYNTAX);
        memcpy(payload.data + at, kept, 8);
    }
    buf_clear(&payload);
}

/* A hop's signature is under the secret itself. */
static void the_secret_itself_signs_no_ticket(void **state)
{
    struct buf text = write("secret", &sample);
    size_t end = span_rindex(buf_span(&text), '.');
    uint8_t mac[MAC_LEN];
    (void)state;
    text.len = end;
    struct mac *m = mac_begin(SPAN("secret"), SPAN(""));
    mac_add(m, buf_span(&text));
    mac_end(m, mac);
    buf_add_char(&text, '.');
    base64url_add(&text, span_of(mac, sizeof mac));
    assert_int_equal(open_text("secret", buf_span(&text), NOW), ERR_DENIED);
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_trace_is_read_back_and_none_is_none),
        cmocka_unit_test(only_the_first_secret_signs_and_any_is_good),
        cmocka_unit_test(a_ticket_expires_with_leeway),
        cmocka_unit_test(no_changed_character_passes),
        cmocka_unit_test(other_forms_are_no_tickets),
        cmocka_unit_test(a_text_that_is_too_long_is_not_looked_at),
        cmocka_unit_test(names_fit_up_to_their_sum),
        cmocka_unit_test(a_payload_is_read_to_its_end_and_no_further),
        cmocka_unit_test(times_that_are_none_are_refused),
        cmocka_unit_test(the_secret_itself_signs_no_ticket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
