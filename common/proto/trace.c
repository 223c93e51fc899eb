/* The text of traceparent: version-id-span-flags. */
#include "common/proto/trace.h"

#include "common/base/rng.h"

enum { ID_AT = 3, SPAN_AT = ID_AT + TRACE_ID_LEN + 1, FLAGS_AT = SPAN_AT + TRACE_SPAN_LEN + 1 };

static bool is_hex(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
            return false;
    }
    return true;
}

/* Hex, and not all zeros. */
static bool is_id(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != '0')
            return is_hex(s);
    }
    return false;
}

/* Versions to come may have more behind what we know, but not ff. */
static bool is_version(struct span s)
{
    struct span version = span_slice(s, 0, 2);
    if (!is_hex(version) || span_eq(version, SPAN("ff")))
        return false;
    if (span_eq(version, SPAN("00")))
        return s.len == TRACE_PARENT_LEN;
    return s.len == TRACE_PARENT_LEN || s.ptr[TRACE_PARENT_LEN] == '-';
}

static void copy(char *out, struct span s, size_t at, size_t len)
{
    memcpy(out, s.ptr + at, len);
    out[len] = '\0';
}

bool trace_read(struct trace *out, struct span s)
{
    *out = (struct trace){.id = {0}};
    if (s.len < TRACE_PARENT_LEN || !is_version(s) || s.ptr[ID_AT - 1] != '-' ||
        s.ptr[SPAN_AT - 1] != '-' || s.ptr[FLAGS_AT - 1] != '-' ||
        !is_id(span_slice(s, ID_AT, SPAN_AT - 1)) || !is_id(span_slice(s, SPAN_AT, FLAGS_AT - 1)) ||
        !is_hex(span_slice(s, FLAGS_AT, TRACE_PARENT_LEN)))
        return false;
    copy(out->id, s, ID_AT, TRACE_ID_LEN);
    copy(out->span, s, SPAN_AT, TRACE_SPAN_LEN);
    copy(out->flags, s, FLAGS_AT, 2);
    return true;
}

void trace_continue(struct trace *t, const char *id)
{
    *t = (struct trace){.flags = "00"};
    if (strlen(id) == TRACE_ID_LEN && is_id(span_str(id))) {
        copy(t->id, span_str(id), 0, TRACE_ID_LEN);
        trace_child(t);
    }
}

void trace_child(struct trace *t)
{
    static struct rng rng;
    static bool ready;
    if (!ready)
        rng_init(&rng);
    ready = true;
    for (uint64_t n = rng_next(&rng) | 1, i = 0; i < TRACE_SPAN_LEN; i++, n >>= 4)
        t->span[i] = "0123456789abcdef"[n & 15];
    t->span[TRACE_SPAN_LEN] = '\0';
}

void trace_take(struct trace *out, struct http_head *h, char *bytes)
{
    struct http_header *found = NULL;
    size_t count = 0;
    out->id[0] = '\0';
    for (size_t i = 0; i < h->header_count; i++) {
        struct span name = h->headers[i].name; /* mostly of another length: every request is here */
        if (name.len != sizeof "traceparent" - 1 || !span_ieq(name, SPAN("traceparent")))
            continue;
        found = &h->headers[i];
        count++;
    }
    if (count != 1 || !trace_read(out, found->value))
        return;
    trace_child(out);
    char *value = bytes + (found->value.ptr - bytes);
    value[0] = value[1] = '0';
    memcpy(value + SPAN_AT, out->span, TRACE_SPAN_LEN);
    found->value.len = TRACE_PARENT_LEN;
}

void trace_add(struct buf *out, const struct trace *t)
{
    if (!trace_is_none(t))
        buf_addf(out, "00-%s-%s-%s", t->id, t->span, t->flags);
}

void trace_add_line(struct buf *out, const struct trace *t)
{
    if (!trace_is_none(t))
        buf_addf(out, "traceparent: 00-%s-%s-%s\r\n", t->id, t->span, t->flags);
}
