/* Envelopes: whatever ids, texts, headers and URLs hold, what is written is one JSON text, and
 * jansson reads the same id from it; whatever a room server sends, reading it is safe. The input is
 * one byte that chooses, and parts divided by NUL. */
#include <assert.h>

#include "common/base/json.h"
#include "common/base/utf8.h"
#include "common/proto/envelope.h"
#include "common/proto/json_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* jansson refuses some texts that JSON.parse takes; those it reads must be right. */
static void check_written(const struct buf *out, struct span private_id)
{
    enum err err = json_text_check(buf_span(out));
    assert(err == ERR_OK || err == ERR_LIMIT);
    json_t *value = json_decode(buf_span(out));
    struct span id;
    struct buf want = {0};
    utf8_repair(&want, private_id);
    if (value != NULL)
        assert(json_get_span(value, "privateId", &id) && span_eq(id, buf_span(&want)));
    buf_clear(&want);
    json_decref(value);
}

static void fuzz_message(struct span id, struct span raw, bool binary)
{
    struct buf out = {0}, scratch = {0};
    struct span json;
    if (envelope_check_message(raw, binary, &scratch, &json) == ERR_OK) {
        envelope_add_message(&out, id, json);
        check_written(&out, id);
        buf_reset(&out);
    }
    envelope_add_disconnected(&out, id);
    check_written(&out, id);
    buf_clear(&out);
    buf_clear(&scratch);
}

/* The parts of `rest`: the URL, then names and values in turn. */
static void fuzz_request_info(struct span id, struct span rest)
{
    struct http_head head = {0};
    struct span url = {0}, name, value;
    (void)span_split(&rest, '\0', &url);
    while (head.header_count < HTTP_HEADERS_MAX && span_split(&rest, '\0', &name) &&
           span_split(&rest, '\0', &value))
        head.headers[head.header_count++] = (struct http_header){.name = name, .value = value};
    struct buf info = {0}, out = {0};
    envelope_add_request_info(&info, &head, url, NULL, NULL);
    envelope_add_connected(&out, id, buf_span(&info));
    check_written(&out, id);
    buf_clear(&info);
    buf_clear(&out);
}

static void fuzz_read(struct span text)
{
    struct buf scratch = {0};
    for (int strict = 0; strict < 2; strict++) {
        struct envelope e = envelope_read(text, strict, &scratch);
        bool valid = json_text_check(text) == ERR_OK;
        assert(valid || e.kind == ENVELOPE_DROP);
        assert(span_is_utf8(e.client) && span_is_utf8(e.data));
        if (e.kind == ENVELOPE_TARGETED || e.kind == ENVELOPE_CLOSE)
            assert(e.client.len > 0);
    }
    buf_clear(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct span rest = span_of(data + 1, size - 1), id = {0};
    if (data[0] % 4 == 0) {
        fuzz_read(rest);
        return 0;
    }
    (void)span_split(&rest, '\0', &id);
    if (data[0] % 4 == 3)
        fuzz_request_info(id, rest);
    else
        fuzz_message(id, rest, data[0] % 4 == 2);
    return 0;
}
