/* Finds and cuts out what clients show. Both follow the same names, so that nothing is looked at
 * and passed on, too. */
#include "shard/io/credential.h"

#include "common/proto/url.h"
#include "common/proto/ws_handshake.h"

static const struct {
    struct span member, protocol;
} places[] = {
    [CREDENTIAL_TOKEN] = {SPAN_INIT("token"), SPAN_INIT("token.")},
    [CREDENTIAL_TICKET] = {SPAN_INIT("ticket"), SPAN_INIT("ticket.")},
};

static bool protocol_is_shown(struct span protocol)
{
    return span_starts(protocol, places[CREDENTIAL_TOKEN].protocol) ||
           span_starts(protocol, places[CREDENTIAL_TICKET].protocol);
}

static bool member_is_shown(struct span part)
{
    return url_query_names(part, places[CREDENTIAL_TOKEN].member) ||
           url_query_names(part, places[CREDENTIAL_TICKET].member);
}

/* ---- what is shown; each answers how many, and appends the last one */

/* Another scheme is not for us; but which of two headers counts is not clear. */
static size_t read_authorization(struct buf *out, const struct http_head *h)
{
    size_t found = 0, headers = http_head_count(h, SPAN("authorization"));
    for (size_t i = 0; i < h->header_count; i++) {
        struct span rest = h->headers[i].value, scheme;
        if (!span_ieq(h->headers[i].name, SPAN("authorization")) ||
            !span_split(&rest, ' ', &scheme) || !span_ieq(scheme, SPAN("bearer")))
            continue;
        buf_add_span(out, span_trim(rest));
        found += headers;
    }
    return found;
}

static size_t read_query(struct buf *out, struct span query, struct span name)
{
    size_t found = 0;
    struct span part;
    while (span_split(&query, '&', &part)) {
        if (!url_query_names(part, name))
            continue;
        found++;
        (void)url_query_get(part, name, out);
    }
    return found;
}

static size_t read_protocols(struct buf *out, const struct http_head *h, struct span prefix)
{
    size_t found = 0;
    struct ws_protocols offers = {.head = h};
    for (struct span protocol; ws_protocols_next(&offers, &protocol);) {
        if (!span_starts(protocol, prefix))
            continue;
        found++;
        buf_add_span(out, span_slice(protocol, prefix.len, protocol.len));
    }
    return found;
}

enum err credential_read(struct buf *out, const struct http_head *h, struct span query,
                         bool is_socket, enum credential kind)
{
    size_t start = out->len, found = 0;
    if (kind == CREDENTIAL_TOKEN)
        found += read_authorization(out, h);
    found += read_query(out, query, places[kind].member);
    if (is_socket)
        found += read_protocols(out, h, places[kind].protocol);
    if (found == 1)
        return ERR_OK;
    out->len = start;
    return found == 0 ? ERR_MISSING : ERR_DENIED;
}

/* ---- what is left */

struct span credential_cut_query(struct span query, struct buf *out)
{
    bool cut = false, first = true;
    struct span rest = query, part;
    buf_reset(out);
    while (span_split(&rest, '&', &part)) {
        if (member_is_shown(part)) {
            cut = true;
            continue;
        }
        if (!first)
            buf_add_char(out, '&');
        buf_add_span(out, part);
        first = false;
    }
    if (!cut)
        return query;
    return out->len > 0 ? buf_span(out) : (struct span){.ptr = NULL};
}

static void add_offers(struct buf *out, const struct http_head *h)
{
    struct ws_protocols offers = {.head = h};
    for (struct span protocol; ws_protocols_next(&offers, &protocol);) {
        if (protocol_is_shown(protocol))
            continue;
        if (out->len > 0)
            BUF_ADD_LIT(out, ", ");
        buf_add_span(out, protocol);
    }
}

void credential_cut_protocols(struct http_head *h, struct buf *out)
{
    size_t kept = 0;
    buf_reset(out);
    add_offers(out, h);
    bool done = out->len == 0;
    for (size_t i = 0; i < h->header_count; i++) {
        struct http_header header = h->headers[i];
        if (span_ieq(header.name, SPAN("sec-websocket-protocol"))) {
            if (done)
                continue;
            done = true;
            header.value = buf_span(out);
        }
        h->headers[kept++] = header;
    }
    h->header_count = kept;
}

struct span credential_protocol(const struct http_head *h)
{
    struct ws_protocols offers = {.head = h};
    struct span answer = {.ptr = NULL};
    for (struct span protocol; ws_protocols_next(&offers, &protocol);) {
        if (protocol_is_shown(protocol))
            continue;
        if (!span_eq(protocol, SPAN("terrane")))
            return protocol;
        answer = protocol;
    }
    return answer;
}
