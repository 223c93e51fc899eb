/* Reads the way a request came. What is signed is believed, and so is what the process that signed
 * passed on: it has judged it before. */
#include "shard/io/sender.h"

#include "common/proto/hop_sign.h"

/* What another process says of a client, whose way it has judged itself. One of an older version
 * passes on what it believed. */
static void read_hop(struct sender *out, const struct http_head *h, const struct hop_signed *from)
{
    struct span host = http_head_get(h, SPAN("x-terrane-host"));
    struct span proto = http_head_get(h, SPAN("x-terrane-proto"));
    if (proto.ptr == NULL)
        proto = http_head_get(h, SPAN("x-forwarded-proto"));
    out->hopped = out->trusted = true;
    out->client = from->client;
    out->https = span_eq(proto, SPAN("https"));
    out->host_len = host.len <= sizeof out->host ? host.len : 0;
    if (out->host_len > 0)
        memcpy(out->host, host.ptr, host.len);
}

static void read_client(struct sender *out, const struct http_head *h, const struct addr *peer,
                        const struct addr_set *trusted)
{
    struct whence w;
    whence_read(&w, h, peer, trusted);
    out->hopped = false;
    out->trusted = w.trusted;
    out->https = w.https;
    out->client = w.client;
    out->host_len = w.host_len;
    memcpy(out->host, w.host, w.host_len);
}

enum err sender_read(struct sender *out, const struct http_head *h, const struct addr *peer,
                     const struct addr_set *trusted, const struct secrets *secrets, bool tls,
                     int64_t wall_ms)
{
    struct hop_signed from;
    enum err e = ERR_MISSING; /* whatever is not signed is a client's own, and goes nowhere */
    if (http_head_count(h, SPAN("x-terrane-sign")) > 0)
        e = hop_sign_check(h, secrets, wall_ms, &from);
    if (e != ERR_OK && e != ERR_MISSING)
        return e;
    if (e == ERR_OK)
        read_hop(out, h, &from);
    else
        read_client(out, h, peer, trusted);
    out->https = out->https || (tls && !out->trusted);
    return ERR_OK;
}

struct span sender_host(const struct sender *s, const struct http_head *h)
{
    return s->host_len > 0 ? span_of(s->host, s->host_len) : http_head_get(h, SPAN("host"));
}
