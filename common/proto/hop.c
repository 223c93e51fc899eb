/* HTTP hop rules. Owns the lists of header names that mean something between clients, shards, rooms
 * and worlds; knows nothing of connections. */
#include "common/proto/hop.h"

#include "common/proto/hop_sign.h"
#include "common/proto/url.h"

static bool name_starts(struct span name, struct span prefix)
{
    return name.len >= prefix.len && span_ieq(span_slice(name, 0, prefix.len), prefix);
}

/* Is `name` what some servers take for a name of ours? CGI and its heirs (RFC 3875 section 4.1.18)
 * read `_` and `-` alike, so `x_shard_id` would be x-shard-id to a room behind them. */
static bool passes_for(struct span name, struct span ours)
{
    char folded[32];
    if (name.len != ours.len || name.len > sizeof folded)
        return false;
    for (size_t i = 0; i < name.len; i++)
        folded[i] = (char)(name.ptr[i] == '_' ? '-' : name.ptr[i]);
    return span_ieq(span_of(folded, name.len), ours);
}

static bool start_passes_for(struct span name, struct span prefix)
{
    return passes_for(span_slice(name, 0, prefix.len), prefix);
}

bool hop_is_believed(const struct http_header *header, bool trusted_peer)
{
    struct span name = header->name;
    if (passes_for(name, SPAN("x-access-shard")) || start_passes_for(name, SPAN("x-terrane-")))
        return false;
    if (trusted_peer)
        return true;
    return !start_passes_for(name, SPAN("x-shard-")) &&
           !start_passes_for(name, SPAN("x-forwarded-")) && !span_ieq(name, SPAN("forwarded")) &&
           !passes_for(name, SPAN("x-original-client-ip"));
}

static bool value_is_plain(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e)
            return false;
    return text.len == 0 || (text.ptr[0] != ' ' && text.ptr[text.len - 1] != ' ');
}

void hop_add_value(struct buf *out, struct span text)
{
    if (value_is_plain(text))
        buf_add_span(out, text);
    else
        url_encode(out, text);
}

void hop_add_joined(struct buf *out, const struct http_head *h, struct span name)
{
    bool first = true;
    for (size_t i = 0; i < h->header_count; i++) {
        if (!span_ieq(h->headers[i].name, name) || h->headers[i].value.len == 0)
            continue;
        if (!first)
            BUF_ADD_LIT(out, ", ");
        buf_add_span(out, h->headers[i].value);
        first = false;
    }
}

/* As it was sent, but for bytes beyond ASCII, which a request line may not have. */
static void add_raw(struct buf *out, struct span raw)
{
    for (size_t i = 0; i < raw.len; i++) {
        unsigned char c = (unsigned char)raw.ptr[i];
        if (c > 0x7e)
            buf_addf(out, "%%%02X", c);
        else
            buf_add_char(out, (char)c);
    }
}

static void add_target(struct buf *out, struct span path, struct span query)
{
    add_raw(out, path);
    if (query.ptr == NULL)
        return;
    buf_add_char(out, '?');
    add_raw(out, query);
}

static void add_line(struct buf *out, struct span name, struct span value)
{
    buf_add_span(out, name);
    BUF_ADD_LIT(out, ": ");
    buf_add_span(out, value);
    BUF_ADD_LIT(out, "\r\n");
}

static void add_id_line(struct buf *out, struct span name, struct span id)
{
    buf_add_span(out, name);
    BUF_ADD_LIT(out, ": ");
    hop_add_value(out, id);
    BUF_ADD_LIT(out, "\r\n");
}

/* Headers that every hop writes for itself, or that were meant for this one. Expect has been
 * answered by the server already. */
static bool is_rewritten(const struct http_head *h, struct span name)
{
    return http_head_is_hop(h, name) || span_ieq(name, SPAN("host")) ||
           passes_for(name, SPAN("content-length")) ||
           passes_for(name, SPAN("transfer-encoding")) || span_ieq(name, SPAN("expect")) ||
           span_ieq(name, SPAN("proxy-authorization"));
}

/* The headers that a shard sets on every request for a room. */
static bool is_set_by_shard(struct span name)
{
    return passes_for(name, SPAN("x-shard-id")) || passes_for(name, SPAN("x-shard-world-id")) ||
           passes_for(name, SPAN("x-forwarded-by-shard")) ||
           passes_for(name, SPAN("x-original-client-ip"));
}

static bool method_wants_type(const struct http_head *h)
{
    return !span_eq(h->method, SPAN("GET")) && !span_eq(h->method, SPAN("HEAD")) &&
           http_head_count(h, SPAN("content-type")) == 0;
}

void hop_add_room_request(struct buf *out, const struct http_head *h, const struct hop_room *to)
{
    buf_add_span(out, h->method);
    buf_add_char(out, ' ');
    BUF_ADD_LIT(out, "/parties/main/");
    url_encode(out, to->room);
    add_target(out, to->path, to->query);
    BUF_ADD_LIT(out, " HTTP/1.1\r\n");
    for (size_t i = 0; i < h->header_count; i++) {
        const struct http_header *header = &h->headers[i];
        if (is_rewritten(h, header->name) || is_set_by_shard(header->name) ||
            !hop_is_believed(header, to->trusted_peer))
            continue;
        add_line(out, header->name, header->value);
    }
    if (method_wants_type(h))
        BUF_ADD_LIT(out, "content-type: text/plain;charset=UTF-8\r\n");
    add_id_line(out, SPAN("x-shard-id"), to->shard_id);
    add_id_line(out, SPAN("x-shard-world-id"), to->world);
    add_line(out, SPAN("x-forwarded-by-shard"), SPAN("true"));
    add_line(out, SPAN("x-access-shard"), to->secret);
    add_line(out, SPAN("x-original-client-ip"), to->client_ip);
    if (to->subject.len > 0)
        add_id_line(out, SPAN("x-terrane-subject"), to->subject);
    if (to->claims.len > 0)
        add_line(out, SPAN("x-terrane-claims"), to->claims);
}

/* What a server of mode pass hears of a client's headers. */
static bool server_hears(const struct http_header *header, const struct hop_pass *to)
{
    struct span name = header->name;
    return hop_is_believed(header, to->trusted_peer) && !start_passes_for(name, SPAN("x-shard-")) &&
           !passes_for(name, SPAN("x-forwarded-for")) &&
           !passes_for(name, SPAN("x-forwarded-proto")) &&
           !passes_for(name, SPAN("x-forwarded-host")) &&
           !passes_for(name, SPAN("x-original-client-ip"));
}

static void add_way(struct buf *out, const struct http_head *h, const struct hop_pass *to)
{
    BUF_ADD_LIT(out, "x-forwarded-for: ");
    size_t start = out->len;
    if (to->trusted_peer)
        hop_add_joined(out, h, SPAN("x-forwarded-for"));
    if (out->len > start && to->peer_ip.len > 0) {
        BUF_ADD_LIT(out, ", ");
        buf_add_span(out, to->peer_ip);
    }
    if (out->len == start)
        buf_add_span(out, to->client_ip);
    BUF_ADD_LIT(out, "\r\n");
    add_line(out, SPAN("x-forwarded-proto"), to->https ? SPAN("https") : SPAN("http"));
    if (to->host.len > 0)
        add_line(out, SPAN("x-forwarded-host"), to->host);
    add_line(out, SPAN("x-original-client-ip"), to->client_ip);
}

void hop_add_pass_request(struct buf *out, const struct http_head *h, const struct hop_pass *to)
{
    buf_add_span(out, h->method);
    buf_add_char(out, ' ');
    add_target(out, to->path, to->query);
    BUF_ADD_LIT(out, " HTTP/1.1\r\n");
    for (size_t i = 0; i < h->header_count; i++) {
        const struct http_header *header = &h->headers[i];
        if (!is_rewritten(h, header->name) && server_hears(header, to))
            add_line(out, header->name, header->value);
    }
    add_way(out, h, to);
    if (to->shard_id.len > 0) {
        add_id_line(out, SPAN("x-shard-id"), to->shard_id);
        add_id_line(out, SPAN("x-shard-room-id"), to->room);
        add_id_line(out, SPAN("x-shard-world-id"), to->world);
    }
    if (to->secret.len > 0)
        add_line(out, SPAN("x-access-shard"), to->secret);
    if (to->subject.len > 0)
        add_id_line(out, SPAN("x-terrane-subject"), to->subject);
    if (to->claims.len > 0)
        add_line(out, SPAN("x-terrane-claims"), to->claims);
    if (to->upgrade)
        BUF_ADD_LIT(out, "Upgrade: websocket\r\nConnection: Upgrade\r\n");
}

/* What another process hears of a client's headers. For a world the client's secret and shard id
 * are credentials, which it judges itself; only claims about the way the request came need a
 * trusted peer. */
static bool peer_hears(const struct http_header *header, const struct hop_peer *to)
{
    struct span name = header->name;
    if (to->to_world && span_ieq(name, SPAN("x-forwarded-for")))
        return false;
    if (to->to_world &&
        (span_ieq(name, SPAN("x-access-shard")) || name_starts(name, SPAN("x-shard-"))))
        return true;
    return hop_is_believed(header, to->trusted_peer);
}

static void add_forwarded_for(struct buf *out, const struct http_head *h, const struct hop_peer *to)
{
    BUF_ADD_LIT(out, "x-forwarded-for: ");
    size_t start = out->len;
    if (to->trusted_peer)
        hop_add_joined(out, h, SPAN("x-forwarded-for"));
    if (out->len > start)
        BUF_ADD_LIT(out, ", ");
    buf_add_span(out, to->peer_ip);
    BUF_ADD_LIT(out, "\r\n");
}

/* The target as it goes out: in origin form when it came in absolute form. */
static void add_peer_target(struct buf *out, const struct http_head *h, const struct hop_peer *to)
{
    struct url_target parts;
    if (url_split_target(h->target, &parts) != ERR_OK)
        parts = (struct url_target){.path = h->target};
    add_target(out, to->path.ptr != NULL ? to->path : parts.path, parts.query);
}

/* The handshake of a client that goes through to a node is the client's own. */
static bool is_own_handshake(struct span name, const struct hop_peer *to)
{
    return to->upgrade && !to->to_world &&
           (span_ieq(name, SPAN("connection")) || span_ieq(name, SPAN("upgrade")));
}

/* The URL that the client dialled, as far as is known. */
static void add_named(struct buf *out, const struct hop_peer *to)
{
    if (to->host.ptr != NULL)
        add_line(out, SPAN("x-terrane-host"), to->host);
    add_line(out, SPAN("x-terrane-proto"), to->https ? SPAN("https") : SPAN("http"));
    if (to->dialled.len == 0)
        return;
    BUF_ADD_LIT(out, HOP_DIALLED ": ");
    url_encode(out, to->dialled);
    BUF_ADD_LIT(out, "\r\n");
}

static void add_peer_headers(struct buf *out, const struct http_head *h, const struct hop_peer *to)
{
    for (size_t i = 0; i < h->header_count; i++) {
        const struct http_header *header = &h->headers[i];
        if (is_own_handshake(header->name, to) ||
            (!is_rewritten(h, header->name) && peer_hears(header, to)))
            add_line(out, header->name, header->value);
    }
    if (to->to_world)
        add_forwarded_for(out, h, to);
    else
        add_named(out, to);
    if (to->upgrade && to->to_world)
        BUF_ADD_LIT(out, "Upgrade: websocket\r\nConnection: Upgrade\r\n");
}

static void add_signature(struct buf *out, struct span method, struct span target,
                          const struct hop_peer *to)
{
    struct hop_sign sign = {.method = method,
                            .target = target,
                            .entry = to->entry,
                            .client_ip = to->client_ip,
                            .by_world = to->by_world,
                            .epoch = to->epoch};
    hop_sign_add(out, to->secrets, &sign, to->wall_ms);
}

void hop_add_peer_request(struct buf *out, const struct http_head *h, const struct hop_peer *to)
{
    struct buf target = {0};
    add_peer_target(&target, h, to);
    buf_add_span(out, h->method);
    buf_add_char(out, ' ');
    buf_add_span(out, buf_span(&target));
    BUF_ADD_LIT(out, " HTTP/1.1\r\n");
    add_peer_headers(out, h, to);
    add_signature(out, h->method, buf_span(&target), to);
    buf_clear(&target);
}

void hop_add_answer(struct buf *out, const struct http_head *h)
{
    for (size_t i = 0; i < h->header_count; i++) {
        struct span name = h->headers[i].name;
        if (http_head_is_hop(h, name) || span_ieq(name, SPAN("content-length")) ||
            span_ieq(name, SPAN("date")) || span_ieq(name, SPAN("proxy-authenticate")) ||
            span_ieq(name, SPAN("x-access-shard")) || name_starts(name, SPAN("x-terrane-")))
            continue;
        add_line(out, name, h->headers[i].value);
    }
}
