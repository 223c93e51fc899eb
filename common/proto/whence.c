/* Walks what proxies have left in a request's head. What cannot be read ends the walk, and what was
 * known by then counts. */
#include "common/proto/whence.h"

#include "common/proto/hop.h"
#include "common/proto/url.h"

static bool is_tls(struct span scheme)
{
    return span_ieq(scheme, SPAN("https")) || span_ieq(scheme, SPAN("wss"));
}

static void set_host(struct whence *w, struct span text)
{
    struct span host;
    int port;
    if (text.len == 0 || text.len > sizeof w->host ||
        url_split_authority(text, &host, &port) != ERR_OK)
        return;
    memcpy(w->host, text.ptr, text.len);
    w->host_len = text.len;
}

/* ---- X-Forwarded-* */

/* The `n`th entry from the right, or the left-most when there are not so many. */
static struct span entry_from_right(struct span list, size_t n)
{
    size_t comma = span_rindex(list, ',');
    for (; n > 0 && comma < list.len; n--, comma = span_rindex(list, ','))
        list.len = comma;
    return span_trim(comma < list.len ? span_slice(list, comma + 1, list.len) : list);
}

/* What the proxy said that vouches for the client's address, or the outermost that said it. */
static struct span told(struct buf *joined, const struct http_head *h, struct span name,
                        size_t hops)
{
    buf_reset(joined);
    hop_add_joined(joined, h, name);
    return entry_from_right(buf_span(joined), hops > 0 ? hops - 1 : 0);
}

static void read_x_forwarded(struct whence *w, const struct http_head *h,
                             const struct addr_set *trusted)
{
    struct buf joined = {0};
    size_t hops;
    hop_add_joined(&joined, h, SPAN("x-forwarded-for"));
    w->client = addr_of_client(trusted, &w->client, buf_span(&joined), &hops);
    w->https = is_tls(told(&joined, h, SPAN("x-forwarded-proto"), hops));
    set_host(w, told(&joined, h, SPAN("x-forwarded-host"), hops));
    buf_clear(&joined);
}

static bool has_x_forwarded(const struct http_head *h)
{
    return http_head_count(h, SPAN("x-forwarded-for")) > 0 ||
           http_head_count(h, SPAN("x-forwarded-proto")) > 0 ||
           http_head_count(h, SPAN("x-forwarded-host")) > 0;
}

/* ---- Forwarded */

/* An element of a trusted proxy; false: nothing beyond it can be believed. */
static bool take_element(struct whence *w, const struct forwarded *f)
{
    if (f->proto_len > 0)
        w->https = is_tls(span_of(f->proto, f->proto_len));
    if (f->host_len > 0)
        set_host(w, span_of(f->host, f->host_len));
    if (f->from.kind != FORWARDED_ADDR)
        return false;
    w->client = f->from.addr;
    return true;
}

static void read_forwarded(struct whence *w, const struct http_head *h,
                           const struct addr_set *trusted)
{
    struct buf joined = {0};
    struct forwarded element;
    hop_add_joined(&joined, h, SPAN("forwarded"));
    struct span rest = buf_span(&joined);
    while (addr_set_has(trusted, &w->client) && forwarded_take_last(&rest, &element) == ERR_OK &&
           take_element(w, &element))
        ;
    buf_clear(&joined);
}

void whence_read(struct whence *out, const struct http_head *h, const struct addr *peer,
                 const struct addr_set *trusted)
{
    out->client = *peer;
    out->trusted = addr_set_has(trusted, peer);
    out->https = false;
    out->host_len = 0;
    if (out->trusted && has_x_forwarded(h))
        read_x_forwarded(out, h, trusted);
    else if (out->trusted)
        read_forwarded(out, h, trusted);
}

struct span whence_host(const struct whence *w, const struct http_head *h)
{
    return w->host_len > 0 ? span_of(w->host, w->host_len) : http_head_get(h, SPAN("host"));
}
