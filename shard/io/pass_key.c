/* Reads keys out of requests. */
#include "shard/io/pass_key.h"

/* The first cookie of that name (RFC 6265 section 5.4), over all Cookie headers. */
static bool add_cookie(struct buf *out, const struct http_head *h, struct span name)
{
    for (size_t i = 0; i < h->header_count; i++) {
        struct span rest = h->headers[i].value, pair;
        if (!span_ieq(h->headers[i].name, SPAN("cookie")))
            continue;
        while (rest.len > 0 && span_split(&rest, ';', &pair)) {
            pair = span_trim(pair);
            size_t equals = span_index(pair, '=');
            if (equals == pair.len || !span_eq(span_slice(pair, 0, equals), name))
                continue;
            buf_add_span(out, span_slice(pair, equals + 1, pair.len));
            return true;
        }
    }
    return false;
}

static void add_one(struct buf *out, const struct route_key *key, const struct http_head *h,
                    const struct route *r, const struct sender *from)
{
    char ip[ADDR_TEXT_MAX];
    struct span name = span_str(key->name);
    switch (key->from) {
    case ROUTE_KEY_PATH:
        (void)routes_name(r->rule, r->resolved, name, out);
        break;
    case ROUTE_KEY_QUERY:
        if (r->query.ptr != NULL)
            (void)url_query_get(r->query, name, out);
        break;
    case ROUTE_KEY_COOKIE:
        (void)add_cookie(out, h, name);
        break;
    case ROUTE_KEY_HEADER:
        buf_add_span(out, http_head_get(h, name));
        break;
    case ROUTE_KEY_ADDRESS:
        addr_format(&from->client, ip);
        buf_add_span(out, span_str(ip));
        break;
    }
}

void pass_key_add(struct buf *out, const struct http_head *h, const struct route *r,
                  const struct sender *from)
{
    size_t start = out->len;
    for (size_t i = 0; i < r->rule->key_count && out->len == start; i++)
        add_one(out, &r->rule->keys[i], h, r, from);
}
