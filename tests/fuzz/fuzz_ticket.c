/* Tickets: the first byte says whether the rest is a text, which nobody has signed, or a payload
 * that is given a good signature. What is read so is written again, byte for byte. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/base64url.h"
#include "common/proto/mac.h"
#include "common/proto/ticket.h"

#define NOW INT64_C(1700000000000)

static const struct secrets secrets = {.list = SPAN_INIT("secret")};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_signed(struct buf *out, struct span payload)
{
    uint8_t bytes[MAC_LEN];
    BUF_ADD_LIT(out, "t1.");
    base64url_add(out, payload);
    struct mac *mac = mac_begin(SPAN("secret"), SPAN("terrane ticket v1"));
    mac_add(mac, buf_span(out));
    mac_end(mac, bytes);
    buf_add_char(out, '.');
    base64url_add(out, span_of(bytes, sizeof bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf text = {0}, again = {0}, scratch = {0};
    struct ticket t;
    if (size == 0)
        return 0;
    bool is_signed = data[0] % 2 == 1;
    struct span rest = span_of(data + 1, size - 1);
    if (is_signed)
        add_signed(&text, rest);
    else
        buf_add_span(&text, rest);
    enum err e = ticket_open(&secrets, buf_span(&text), NOW, &scratch, &t);
    assert(is_signed || e == ERR_SYNTAX || e == ERR_DENIED);
    if ((e == ERR_OK || e == ERR_EXPIRED) && ticket_names_fit(&t)) {
        ticket_add(&again, &secrets, &t);
        assert(span_eq(buf_span(&again), buf_span(&text)));
    }
    buf_clear(&text);
    buf_clear(&again);
    buf_clear(&scratch);
    return 0;
}
