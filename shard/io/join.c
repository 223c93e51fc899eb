/* Reads upgrade requests. Owns the rules for session ids and for the URL that a room sees. */
#include "shard/io/join.h"

#include <assert.h>

#include "common/base/json.h"
#include "common/proto/envelope.h"
#include "common/proto/hop.h"

/* Length of the white space character at the start of `s`; 0: there is none. */
static size_t white_space(struct span s)
{
    static const struct span wide[] = {
        {"\xc2\xa0", 2},     {"\xe1\x9a\x80", 3}, {"\xe2\x80\xa8", 3}, {"\xe2\x80\xa9", 3},
        {"\xe2\x80\xaf", 3}, {"\xe2\x81\x9f", 3}, {"\xe3\x80\x80", 3}, {"\xef\xbb\xbf", 3},
    };
    if (s.len == 0)
        return 0;
    if (s.ptr[0] == ' ' || (s.ptr[0] >= '\t' && s.ptr[0] <= '\r'))
        return 1;
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        if (span_starts(s, wide[i]))
            return wide[i].len;
    /* U+2000 to U+200A */
    if (span_starts(s, SPAN("\xe2\x80")) && s.len > 2 && (unsigned char)s.ptr[2] >= 0x80 &&
        (unsigned char)s.ptr[2] <= 0x8a)
        return 3;
    return 0;
}

static size_t white_space_at_end(struct span s)
{
    for (size_t len = 1; len <= 3 && len <= s.len; len++)
        if (white_space(span_slice(s, s.len - len, s.len)) == len)
            return len;
    return 0;
}

struct span js_trim(struct span s)
{
    for (size_t n = white_space(s); n > 0; n = white_space(s))
        s = span_slice(s, n, s.len);
    for (size_t n = white_space_at_end(s); n > 0; n = white_space_at_end(s))
        s = span_slice(s, 0, s.len - n);
    return s;
}

void join_read_session(struct buf *out, struct span query)
{
    if (query.ptr == NULL || !url_query_get(query, SPAN("id"), out))
        return;
    struct span trimmed = js_trim(buf_span(out));
    if (trimmed.len > 0)
        memmove(out->data, trimmed.ptr, trimmed.len);
    out->len = trimmed.len;
}

static void add_url(struct buf *out, const struct http_head *h, const struct route *r,
                    const struct sender *from)
{
    struct span host = sender_host(from, h);
    buf_add_span(out, from->https ? SPAN("https://") : SPAN("http://"));
    buf_add_span(out, host.len > 0 ? host : SPAN("localhost"));
    buf_add_span(out, r->path);
    if (r->query.ptr == NULL)
        return;
    buf_add_char(out, '?');
    buf_add_span(out, r->query);
}

static bool is_left_out(void *ctx, const struct http_header *header)
{
    const struct sender *from = ctx;
    return !hop_is_believed(header, from->trusted);
}

/* The headers with the Host that the client named. */
static void name_host(struct http_head *out, const struct http_head *h, struct span host)
{
    *out = *h;
    for (size_t i = 0; i < out->header_count; i++)
        if (span_ieq(out->headers[i].name, SPAN("host")))
            out->headers[i].value = host;
}

static void add_request_info(struct buf *out, const struct http_head *h, struct span url,
                             struct sender from)
{
    struct http_head named;
    if (from.host_len == 0) {
        envelope_add_request_info(out, h, url, is_left_out, &from);
        return;
    }
    name_host(&named, h, sender_host(&from, h));
    envelope_add_request_info(out, &named, url, is_left_out, &from);
}

void join_read(struct join *out, const struct http_head *h, const struct route *r,
               const struct sender *from)
{
    struct buf url = {0};
    buf_reset(&out->session_id);
    buf_reset(&out->request_info);
    join_read_session(&out->session_id, r->query);
    add_url(&url, h, r, from);
    add_request_info(&out->request_info, h, buf_span(&url), *from);
    buf_clear(&url);
}

static void add_header(struct buf *out, struct span name, struct span value)
{
    json_add_string(out, name);
    buf_add_char(out, ':');
    json_add_string(out, value);
    buf_add_char(out, ',');
}

static const char start[] = "{\"headers\":{";

void join_trace(struct join *j, const struct http_head *h, const struct trace *trace)
{
    struct buf info = {0}, value = {0};
    if (trace_is_none(trace) || http_head_count(h, SPAN("traceparent")) > 0)
        return;
    struct span rest = buf_span(&j->request_info);
    assert(span_starts(rest, span_str(start)));
    BUF_ADD_LIT(&info, "{\"headers\":{");
    trace_add(&value, trace);
    add_header(&info, SPAN("traceparent"), buf_span(&value));
    buf_add_span(&info, span_slice(rest, sizeof start - 1, rest.len));
    buf_clear(&value);
    buf_clear(&j->request_info);
    j->request_info = info;
}

void join_show(struct join *j, const struct shown *shown)
{
    struct buf info = {0}, subject = {0};
    if (j->session_id.len == 0)
        buf_add_span(&j->session_id, buf_span(&shown->session));
    if (shown->subject.len == 0 && shown->claims.len == 0)
        return;
    struct span rest = buf_span(&j->request_info);
    assert(span_starts(rest, span_str(start)));
    rest = span_slice(rest, sizeof start - 1, rest.len);
    assert(!span_starts(rest, SPAN("}"))); /* a handshake has headers */
    BUF_ADD_LIT(&info, start);
    hop_add_value(&subject, buf_span(&shown->subject));
    if (subject.len > 0)
        add_header(&info, SPAN("x-terrane-subject"), buf_span(&subject));
    if (shown->claims.len > 0)
        add_header(&info, SPAN("x-terrane-claims"), buf_span(&shown->claims));
    buf_add_span(&info, rest);
    buf_clear(&subject);
    buf_clear(&j->request_info);
    j->request_info = info;
}

void join_clear(struct join *j)
{
    buf_clear(&j->session_id);
    buf_clear(&j->request_info);
}
