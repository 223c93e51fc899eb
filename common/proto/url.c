/* Request targets, party paths, percent-encoding and origins, read as browsers read them
 * (https://url.spec.whatwg.org), because that is how the other programs on the wire read them. */
#include "common/proto/url.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/proto/ascii.h"

enum { ESCAPE_LEN = 3, HTTP_PORT = 80, HTTPS_PORT = 443 };

/* The byte of the escape `%XX` at `at`, or -1. */
static int escape_at(struct span s, size_t at)
{
    if (s.len - at < ESCAPE_LEN || s.ptr[at] != '%')
        return -1;
    int high = ascii_hex(s.ptr[at + 1]), low = ascii_hex(s.ptr[at + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* ---- authorities ---- */

/* A number of an IPv4 address as the WHATWG parser takes it: decimal, 0x… or 0…; a value that does
 * not fit 32 bits becomes UINT64_MAX. */
static bool number_parse(struct span s, uint64_t *value)
{
    unsigned base = 10;
    if (s.len >= 2 && s.ptr[0] == '0') {
        base = s.ptr[1] == 'x' || s.ptr[1] == 'X' ? 16 : 8;
        s = span_slice(s, base == 16 ? 2 : 1, s.len);
    } else if (s.len == 0) {
        return false;
    }
    *value = 0;
    for (size_t i = 0; i < s.len; i++) {
        int digit = ascii_hex(s.ptr[i]);
        if (digit < 0 || (unsigned)digit >= base)
            return false;
        *value = *value > UINT32_MAX ? UINT64_MAX : *value * base + (unsigned)digit;
    }
    return true;
}

static bool looks_like_number(struct span s)
{
    uint64_t value;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return number_parse(s, &value); /* 0x… */
    }
    return s.len > 0;
}

static bool ipv4_is_valid(struct span host)
{
    struct span rest = host, part;
    uint64_t value = 0, limit = UINT64_C(1) << 32;
    for (size_t parts = 0; span_split(&rest, '.', &part); parts++) {
        if (parts == 4 || value > 255 || !number_parse(part, &value))
            return false;
        limit = parts == 0 ? limit : limit >> 8;
    }
    return value < limit;
}

static bool host_is_valid(struct span host)
{
    for (size_t i = 0; i < host.len; i++) {
        if (!ascii_is_alnum_or(host.ptr[i], "-._~!$&'()*+,;="))
            return false;
    }
    if (span_ends(host, SPAN(".")))
        host.len--;
    size_t dot = span_rindex(host, '.');
    struct span last = dot == host.len ? host : span_slice(host, dot + 1, host.len);
    return !looks_like_number(last) || ipv4_is_valid(host);
}

static bool ipv6_is_valid(struct span host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (host.len >= sizeof text || span_index(host, '\0') < host.len)
        return false;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* Nothing, or a colon and perhaps a number. */
static enum err port_parse(struct span s, int *port)
{
    uint64_t number;
    *port = -1;
    if (s.len == 0)
        return ERR_OK;
    if (s.ptr[0] != ':')
        return ERR_SYNTAX;
    if (s.len == 1)
        return ERR_OK;
    if (span_to_u64(span_slice(s, 1, s.len), &number) != ERR_OK || number > UINT16_MAX)
        return ERR_SYNTAX;
    *port = (int)number;
    return ERR_OK;
}

/* ---- targets ---- */

/* Without `scheme://`; s itself when it has another start. */
static struct span skip_scheme(struct span s, struct span scheme)
{
    return span_ieq(span_slice(s, 0, scheme.len), scheme) ? span_slice(s, scheme.len, s.len) : s;
}

/* ---- party paths ---- */

/* How many dots a segment consists of, written as `.` or `%2e`; 0 when it holds anything else. */
static size_t count_dots(struct span segment)
{
    size_t dots = 0, at = 0;
    for (; at < segment.len; dots++) {
        if (segment.ptr[at] == '.')
            at++;
        else if (escape_at(segment, at) == '.')
            at += ESCAPE_LEN;
        else
            return 0;
    }
    return dots;
}

static bool is_resolved(struct span path)
{
    struct span segment;
    if (span_index(path, '\\') < path.len)
        return false;
    while (url_next_segment(&path, &segment)) {
        size_t dots = count_dots(segment);
        if (dots == 1 || dots == 2)
            return false;
    }
    return true;
}

/* Removes dot segments, as the "path state" of the WHATWG parser does; a path that ends in one
 * keeps its last slash. Never longer than `path`. */
static struct span resolve(struct buf *out, struct span path)
{
    struct span segment;
    while (url_next_segment(&path, &segment)) {
        size_t dots = count_dots(segment);
        if (dots == 2)
            out->len = span_rindex(buf_span(out), '/');
        if (dots != 1 && dots != 2) {
            buf_add_char(out, '/');
            buf_add_span(out, segment);
        } else if (path.len == 0) {
            buf_add_char(out, '/');
        }
    }
    return buf_span(out);
}

static enum err add_decoded(struct buf *out, struct span s, struct span *decoded)
{
    size_t start = out->len;
    enum err e = url_decode(out, s);
    *decoded = span_of(out->data + start, out->len - start);
    return e;
}

/* ---- query strings ---- */

/* The byte at *at of a form-encoded text, which is moved behind it. */
static char form_next(struct span s, size_t *at)
{
    int byte = escape_at(s, *at);
    if (byte >= 0) {
        *at += ESCAPE_LEN;
        return (char)byte;
    }
    char c = s.ptr[(*at)++];
    return (char)(c == '+' ? ' ' : c);
}

static bool form_eq(struct span encoded, struct span plain)
{
    size_t at = 0, i = 0;
    while (at < encoded.len && i < plain.len) {
        if (form_next(encoded, &at) != plain.ptr[i++])
            return false;
    }
    return at == encoded.len && i == plain.len;
}

static void form_decode(struct buf *out, struct span s)
{
    size_t start = out->len;
    for (size_t at = 0; at < s.len;)
        buf_add_char(out, form_next(s, &at));
    struct span decoded = span_slice(buf_span(out), start, out->len);
    if (span_is_utf8(decoded))
        return;
    struct buf raw = {.len = 0};
    buf_add_span(&raw, decoded);
    out->len = start;
    utf8_repair(out, buf_span(&raw));
    buf_clear(&raw);
}

/* ---- public ---- */

bool url_next_segment(struct span *rest, struct span *segment)
{
    if (rest->len == 0)
        return false;
    size_t end = 1;
    while (end < rest->len && rest->ptr[end] != '/' && rest->ptr[end] != '\\')
        end++;
    *segment = span_slice(*rest, 1, end);
    *rest = span_slice(*rest, end, rest->len);
    return true;
}

struct span url_resolve_path(struct span path, struct buf *scratch)
{
    buf_reset(scratch);
    (void)buf_reserve(scratch, path.len + 1); /* nothing moves while it is resolved */
    return is_resolved(path) ? path : resolve(scratch, path);
}

void url_read_loosely(struct buf *out, struct span path)
{
    bool left_out = false;
    for (size_t at = 0; at < path.len; at++) {
        char c = path.ptr[at];
        int byte = escape_at(path, at);
        if (byte == '/' || byte == '\\' || byte == ';') {
            c = (char)byte;
            at += ESCAPE_LEN - 1;
        }
        c = (char)(c == '\\' ? '/' : c);
        left_out = c == ';' || (left_out && c != '/');
        if (!left_out && (c != '/' || out->len == 0 || out->data[out->len - 1] != '/'))
            buf_add_char(out, c);
    }
}

enum err url_split_authority(struct span text, struct span *host, int *port)
{
    if (!span_starts(text, SPAN("["))) {
        size_t colon = span_index(text, ':');
        *host = span_slice(text, 0, colon);
        if (!host_is_valid(*host) || (colon == 0 && text.len > 0))
            return ERR_SYNTAX;
        return port_parse(span_slice(text, colon, text.len), port);
    }
    size_t close = span_index(text, ']');
    *host = span_slice(text, 1, close);
    if (close == text.len || !ipv6_is_valid(*host))
        return ERR_SYNTAX;
    return port_parse(span_slice(text, close + 1, text.len), port);
}

enum err url_split_target(struct span target, struct url_target *out)
{
    target = span_slice(target, 0, span_index(target, '#'));
    struct span rest = skip_scheme(target, SPAN("http://"));
    if (rest.len == target.len)
        rest = skip_scheme(target, SPAN("https://"));
    bool absolute = rest.len != target.len;
    out->authority = (struct span){.ptr = NULL};
    size_t mark = span_index(rest, '?');
    out->path = span_slice(rest, 0, mark);
    out->query =
        mark == rest.len ? (struct span){.ptr = NULL} : span_slice(rest, mark + 1, rest.len);
    if (absolute) {
        size_t slash = span_index(out->path, '/');
        if (slash == 0)
            return ERR_SYNTAX; /* no authority */
        out->authority = span_slice(out->path, 0, slash);
        out->path = slash == out->path.len ? SPAN("/") : span_slice(out->path, slash, mark);
    }
    return span_starts(out->path, SPAN("/")) ? ERR_OK : ERR_SYNTAX;
}

enum err url_split_party(struct span path, struct buf *scratch, struct span *party,
                         struct span *name, struct span *rest)
{
    static const char root[] = "/parties/";
    if (!span_starts(path, SPAN("/")))
        return ERR_MISSING;
    buf_reset(scratch);
    (void)buf_reserve(scratch, 2 * path.len + 1); /* so that nothing moves from here on */
    if (!is_resolved(path))
        path = resolve(scratch, path);
    if (!span_starts(path, span_str(root)))
        return ERR_MISSING;
    path = span_slice(path, sizeof root - 1, path.len);
    size_t slash = span_index(path, '/');
    struct span raw_party = span_slice(path, 0, slash);
    path = span_slice(path, slash + 1, path.len);
    struct span raw_name = span_slice(path, 0, span_index(path, '/'));
    *rest = span_slice(path, raw_name.len, path.len);
    if (raw_party.len == 0 || raw_name.len == 0)
        return ERR_MISSING;
    enum err e = add_decoded(scratch, raw_party, party);
    return e == ERR_OK ? add_decoded(scratch, raw_name, name) : e;
}

enum err url_decode(struct buf *out, struct span s)
{
    size_t start = out->len;
    for (size_t at = 0; at < s.len;) {
        size_t escape = at + span_index(span_slice(s, at, s.len), '%');
        buf_add_span(out, span_slice(s, at, escape));
        at = escape;
        if (at == s.len)
            break;
        int byte = escape_at(s, at);
        if (byte < 0) {
            out->len = start;
            return ERR_SYNTAX;
        }
        buf_add_char(out, (char)byte);
        at += ESCAPE_LEN;
    }
    if (span_is_utf8(span_slice(buf_span(out), start, out->len)))
        return ERR_OK;
    out->len = start;
    return ERR_SYNTAX;
}

void url_encode(struct buf *out, struct span s)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (ascii_is_alnum_or((char)c, "-_.!~*'()")) {
            buf_add_char(out, (char)c);
            continue;
        }
        buf_add_char(out, '%');
        buf_add_char(out, digits[c >> 4]);
        buf_add_char(out, digits[c & 0xF]);
    }
}

bool url_query_get(struct span query, struct span name, struct buf *out)
{
    struct span part;
    while (span_split(&query, '&', &part)) {
        if (!url_query_names(part, name))
            continue;
        form_decode(out, span_slice(part, span_index(part, '=') + 1, part.len));
        return true;
    }
    return false;
}

bool url_query_names(struct span part, struct span name)
{
    return part.len > 0 && form_eq(span_slice(part, 0, span_index(part, '=')), name);
}

enum err url_origin_parse(struct span text, struct url_origin *out)
{
    struct span rest = skip_scheme(text, SPAN("http://")), host;
    int port, usual = HTTP_PORT;
    if (rest.len == text.len) {
        rest = skip_scheme(text, SPAN("https://"));
        usual = HTTPS_PORT;
    }
    if (rest.len == text.len)
        return ERR_SYNTAX;
    if (span_ends(rest, SPAN("/")))
        rest.len--;
    enum err e = url_split_authority(rest, &host, &port);
    if (e != ERR_OK || host.len == 0 || host.len > URL_HOST_MAX || port == 0)
        return ERR_SYNTAX;
    bool ipv6 = rest.ptr[0] == '[';
    struct buf header = {.len = 0};
    buf_addf(&header, ipv6 ? "[%.*s]" : "%.*s", SPAN_ARG(host));
    if (port > 0 && port != usual)
        buf_addf(&header, ":%d", port);
    out->host = xspandup(host);
    out->port = (uint16_t)(port > 0 ? port : usual);
    out->tls = usual == HTTPS_PORT;
    out->inside = false;
    out->text = xspandup(buf_span(&header));
    buf_clear(&header);
    return ERR_OK;
}

void url_origin_clear(struct url_origin *o)
{
    free(o->host);
    free(o->text);
    *o = (struct url_origin){.host = NULL};
}

void url_origin_add(struct buf *out, const struct url_origin *o)
{
    buf_add_span(out, o->tls ? SPAN("https://") : SPAN("http://"));
    buf_add_span(out, span_str(o->text));
}

struct span url_origin_host(struct span spelling)
{
    struct span host = skip_scheme(spelling, SPAN("http://"));
    return host.len < spelling.len ? host : skip_scheme(spelling, SPAN("https://"));
}
