/* Writes and reads the frames of a link. Knows no sessions and no sockets. */
#include "common/proto/envelope.h"

#include <assert.h>

#include "common/base/json.h"
#include "common/base/utf8.h"
#include "common/proto/json_text.h"

/* What becomes of a header that occurs more than once. */
enum repeat { REPEAT_JOIN, REPEAT_COOKIE, REPEAT_FIRST, REPEAT_LAST };

/* The top-level members that say where a frame goes, as bits. */
enum field {
    FIELD_TYPE = 1,
    FIELD_PRIVATE_ID = 2,
    FIELD_TARGET = 4,
    FIELD_DATA = 8,
    FIELD_OTHER = 16,
};

struct fields {
    unsigned seen;
    struct span type, private_id, target, data; /* raw values; {NULL, 0} if missing */
};

/* Node's rules for requests (matchKnownFields in its _http_incoming.js): these cannot be joined. */
static enum repeat header_repeat(struct span name)
{
    static const char *const first[] = {"age",
                                        "authorization",
                                        "content-length",
                                        "content-type",
                                        "etag",
                                        "expires",
                                        "from",
                                        "host",
                                        "last-modified",
                                        "if-modified-since",
                                        "location",
                                        "if-unmodified-since",
                                        "max-forwards",
                                        "proxy-authorization",
                                        "referer",
                                        "retry-after",
                                        "server",
                                        "user-agent"};
    if (span_ieq(name, SPAN("cookie")))
        return REPEAT_COOKIE;
    if (span_ieq(name, SPAN("set-cookie")))
        return REPEAT_LAST;
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        if (span_ieq(name, span_str(first[i])))
            return REPEAT_FIRST;
    }
    return REPEAT_JOIN;
}

static void add_latin1(struct buf *out, struct span s)
{
    char *to = buf_reserve(out, 2 * s.len);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c >= 0x80) {
            *to++ = (char)(0xC0 | c >> 6);
            c = 0x80 | (c & 0x3F);
        }
        *to++ = (char)c;
    }
    out->len = (size_t)(to - out->data);
}

/* The headers that are passed on, by index. */
struct kept {
    size_t count;
    const struct http_header *headers[HTTP_HEADERS_MAX];
};

static bool occurs_before(const struct kept *kept, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (span_ieq(kept->headers[i]->name, kept->headers[at]->name))
            return true;
    }
    return false;
}

/* The value of the header that occurs first at `at`, over all its occurrences. */
static void add_header_value(struct buf *value, const struct kept *kept, size_t at)
{
    struct span name = kept->headers[at]->name;
    enum repeat repeat = header_repeat(name);
    add_latin1(value, kept->headers[at]->value);
    for (size_t i = at + 1; i < kept->count && repeat != REPEAT_FIRST; i++) {
        if (!span_ieq(kept->headers[i]->name, name))
            continue;
        if (repeat == REPEAT_LAST)
            buf_reset(value);
        else
            buf_add_span(value, repeat == REPEAT_COOKIE ? SPAN("; ") : SPAN(", "));
        add_latin1(value, kept->headers[i]->value);
    }
}

static void add_header(struct buf *out, const struct kept *kept, size_t at, struct buf *scratch)
{
    struct span name = kept->headers[at]->name;
    buf_reset(scratch);
    add_latin1(scratch, name);
    for (size_t i = 0; i < scratch->len; i++) {
        if (scratch->data[i] >= 'A' && scratch->data[i] <= 'Z')
            scratch->data[i] = (char)(scratch->data[i] | 0x20);
    }
    json_add_string(out, buf_span(scratch));
    buf_add_char(out, ':');
    buf_reset(scratch);
    add_header_value(scratch, kept, at);
    json_add_string(out, span_trim(buf_span(scratch))); /* joining may leave a blank at the end */
}

/* What was written from `start` on is one text; what is not would cut the link for everybody. It
 * may nest deeper than JSON_DEPTH_MAX, by the levels around a client's text. */
static void check_written(const struct buf *out, size_t start)
{
#ifdef TERRANE_CHECK
    assert(json_text_check(span_of(out->data + start, out->len - start)) != ERR_SYNTAX);
#else
    (void)out;
    (void)start;
#endif
}

/* `member` is what stands between the id and the text, which closes the envelope. */
static void add_envelope(struct buf *out, struct span head, struct span private_id,
                         struct span member, struct span json)
{
    size_t start = out->len;
    (void)buf_reserve(out, head.len + private_id.len + member.len + json.len + 8);
    buf_add_span(out, head);
    json_add_string(out, private_id);
    buf_add_span(out, member);
    buf_add_span(out, json);
    buf_add_char(out, '}');
    check_written(out, start);
}

static void note_member(void *ctx, const struct json_member *m)
{
    struct fields *f = ctx;
    const struct {
        struct span name;
        struct span *value;
        enum field field;
    } known[] = {{SPAN("targetClientId"), &f->target, FIELD_TARGET},
                 {SPAN("data"), &f->data, FIELD_DATA},
                 {SPAN("type"), &f->type, FIELD_TYPE},
                 {SPAN("privateId"), &f->private_id, FIELD_PRIVATE_ID}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (json_text_string_is(m->key, known[i].name)) {
            *known[i].value = m->value;
            f->seen |= known[i].field;
            return;
        }
    }
    f->seen |= FIELD_OTHER;
}

static bool is_string(struct span raw)
{
    return raw.len > 0 && raw.ptr[0] == '"';
}

static struct span string_content(struct span raw)
{
    return span_slice(raw, 1, raw.len - 1);
}

/* A number other than 0, judged by its digits (JavaScript rounds 1e-400 to 0; here it is truthy: a
 * frame with such an id goes nowhere instead of to everybody). */
static bool is_nonzero(struct span raw)
{
    for (size_t i = 0; i < raw.len && (raw.ptr[i] | 0x20) != 'e'; i++) {
        if (raw.ptr[i] >= '1' && raw.ptr[i] <= '9')
            return true;
    }
    return false;
}

/* As JavaScript's Boolean(). */
static bool is_truthy(struct span raw)
{
    if (raw.len == 0)
        return false;
    switch (raw.ptr[0]) {
    case '"':
        return raw.len > 2;
    case '{':
    case '[':
    case 't':
        return true;
    case 'f':
    case 'n':
        return false;
    default:
        return is_nonzero(raw);
    }
}

/* Decodes a raw string; `scratch` must have room for it already, so that earlier spans stay. */
static struct span decode_string(struct span raw, struct buf *scratch)
{
    struct span content = string_content(raw);
    if (span_index(content, '\\') == content.len)
        return content;
    size_t start = scratch->len;
    json_text_unescape(scratch, content);
    return span_of(scratch->data + start, scratch->len - start);
}

static bool is_close(const struct fields *f, bool strict)
{
    if (strict && f->seen != (FIELD_TYPE | FIELD_PRIVATE_ID))
        return false;
    return is_string(f->type) && is_truthy(f->private_id) &&
           json_text_string_is(string_content(f->type), SPAN("shard.closeClient"));
}

static bool is_targeted(const struct fields *f, bool strict)
{
    if (strict && (f->seen & ~(unsigned)(FIELD_TARGET | FIELD_DATA)) != 0)
        return false;
    return is_truthy(f->target);
}

static struct envelope read_close(const struct fields *f, struct buf *scratch)
{
    if (!is_string(f->private_id))
        return (struct envelope){.kind = ENVELOPE_DROP};
    return (struct envelope){.kind = ENVELOPE_CLOSE,
                             .client = decode_string(f->private_id, scratch)};
}

static struct envelope read_targeted(const struct fields *f, struct buf *scratch)
{
    const struct envelope drop = {.kind = ENVELOPE_DROP};
    if (!is_string(f->target))
        return drop;
    (void)buf_reserve(scratch, f->target.len + f->data.len + 16);
    struct envelope e = {.kind = ENVELOPE_TARGETED, .client = decode_string(f->target, scratch)};
    switch (f->data.len == 0 ? 'n' : f->data.ptr[0]) {
    case 'n':
        e.binary = true;
        return e;
    case '"':
        e.data = decode_string(f->data, scratch);
        return e;
    case '{':
    case '[':
    case 't':
    case 'f':
        return drop;
    default:
        e.data = f->data;
        return e;
    }
}

void envelope_add_request_info(struct buf *out, const struct http_head *h, struct span url,
                               bool (*skip)(void *ctx, const struct http_header *header), void *ctx)
{
    size_t start = out->len, written = 0;
    struct buf scratch = {.len = 0};
    struct kept kept = {.count = 0};
    for (size_t i = 0; i < h->header_count; i++) {
        if (skip == NULL || !skip(ctx, &h->headers[i]))
            kept.headers[kept.count++] = &h->headers[i];
    }
    BUF_ADD_LIT(out, "{\"headers\":{");
    for (size_t i = 0; i < kept.count; i++) {
        if (occurs_before(&kept, i))
            continue;
        if (written++ > 0)
            buf_add_char(out, ',');
        add_header(out, &kept, i, &scratch);
    }
    BUF_ADD_LIT(out, "},\"url\":");
    buf_reset(&scratch);
    add_latin1(&scratch, url);
    json_add_string(out, buf_span(&scratch));
    BUF_ADD_LIT(out, ",\"method\":\"GET\"}");
    buf_clear(&scratch);
    check_written(out, start);
}

void envelope_add_connected(struct buf *out, struct span private_id, struct span request_info)
{
    add_envelope(out, SPAN("{\"type\":\"shard.clientConnected\",\"privateId\":"), private_id,
                 SPAN(",\"requestInfo\":"), request_info);
}

void envelope_add_message(struct buf *out, struct span private_id, struct span json)
{
    add_envelope(out, SPAN("{\"type\":\"shard.clientMessage\",\"privateId\":"), private_id,
                 SPAN(",\"payload\":"), json);
}

void envelope_add_disconnected(struct buf *out, struct span private_id)
{
    add_envelope(out, SPAN("{\"type\":\"shard.clientDisconnected\",\"privateId\":"), private_id,
                 SPAN(""), SPAN(""));
}

struct envelope envelope_read(struct span text, bool strict, struct buf *scratch)
{
    struct fields f = {.seen = 0};
    char kind;
    if (json_text_members(text, &kind, note_member, &f) != ERR_OK || kind == 'n')
        return (struct envelope){.kind = ENVELOPE_DROP};
    buf_reset(scratch);
    if (is_close(&f, strict))
        return read_close(&f, scratch);
    if (is_targeted(&f, strict))
        return read_targeted(&f, scratch);
    return (struct envelope){.kind = ENVELOPE_BROADCAST};
}

enum err envelope_check_message(struct span raw, bool binary, struct buf *scratch,
                                struct span *json)
{
    if (span_starts(raw, SPAN("\xEF\xBB\xBF")))
        raw = span_slice(raw, 3, raw.len);
    *json = raw;
    enum err err = json_text_check(raw);
    if (err != ERR_SYNTAX || !binary || span_is_utf8(raw))
        return err;
    buf_reset(scratch);
    utf8_repair(scratch, raw);
    *json = buf_span(scratch);
    return json_text_check(*json);
}

struct envelope_up envelope_read_up(struct span text, struct buf *scratch)
{
    struct fields f = {.seen = 0};
    char kind;
    enum err e = json_text_members(text, &kind, note_member, &f);
    assert(e == ERR_OK && is_string(f.type) && is_string(f.private_id));
    (void)e;
    buf_reset(scratch);
    struct span type = string_content(f.type);
    return (struct envelope_up){
        .message = span_eq(type, SPAN("shard.clientMessage")),
        .disconnected = span_eq(type, SPAN("shard.clientDisconnected")),
        .client = decode_string(f.private_id, scratch),
    };
}
