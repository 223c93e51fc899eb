/* Reads PROXY headers, strictly: what begins like one and is not well formed is none. */
#include "common/proto/proxy_header.h"

/* ---- version 1: a line */

static const struct span v1_start = SPAN_INIT("PROXY ");

/* Decimal, without leading zeros. */
static enum err read_port(struct span s, uint16_t *port)
{
    uint64_t n;
    if (s.len > 5 || span_to_u64(s, &n) != ERR_OK || n > UINT16_MAX ||
        (s.len > 1 && s.ptr[0] == '0'))
        return ERR_SYNTAX;
    *port = (uint16_t)n;
    return ERR_OK;
}

/* An address and nothing else; those of IPv6 have two colons at least. */
static enum err read_addr(struct span s, bool v6, struct addr *out)
{
    size_t colon = span_index(s, ':');
    bool has_two = colon < s.len && span_rindex(s, ':') > colon;
    bool bare = v6 ? has_two && s.ptr[0] != '[' : colon == s.len;
    return bare ? addr_parse(s, out) : ERR_SYNTAX;
}

/* SOURCE DESTINATION PORT PORT, one blank between them. */
static enum err read_v1_addrs(struct proxy_header *out, struct span s, bool v6)
{
    struct span part[4];
    struct addr to;
    uint16_t to_port;
    for (size_t i = 0; i < 4; i++)
        if (!span_split(&s, ' ', &part[i]))
            return ERR_SYNTAX;
    out->names_peer = true;
    bool good = s.ptr == NULL && read_addr(part[0], v6, &out->from) == ERR_OK &&
                read_addr(part[1], v6, &to) == ERR_OK && read_port(part[2], &out->port) == ERR_OK &&
                read_port(part[3], &to_port) == ERR_OK;
    return good ? ERR_OK : ERR_SYNTAX;
}

static enum err read_v1(struct proxy_header *out, struct span s)
{
    static const struct span tcp4 = SPAN_INIT("TCP4 "), tcp6 = SPAN_INIT("TCP6 ");
    struct span line = span_slice(s, 0, PROXY_HEADER_V1_MAX);
    size_t end = span_index(line, '\n');
    if (end == line.len)
        return line.len < PROXY_HEADER_V1_MAX ? ERR_AGAIN : ERR_LIMIT;
    out->len = end + 1;
    if (line.ptr[end - 1] != '\r')
        return ERR_SYNTAX;
    line = span_slice(line, v1_start.len, end - 1);
    if (span_index(line, '\r') < line.len)
        return ERR_SYNTAX;
    if (span_starts(line, tcp4) || span_starts(line, tcp6))
        return read_v1_addrs(out, span_slice(line, tcp4.len, line.len), span_starts(line, tcp6));
    bool unknown = span_eq(line, SPAN("UNKNOWN")) || span_starts(line, SPAN("UNKNOWN "));
    return unknown ? ERR_OK : ERR_SYNTAX;
}

/* ---- version 2: bytes */

static const struct span v2_start = SPAN_INIT("\r\n\r\n\0\r\nQUIT\n");

enum {
    V2_HEAD_LEN = 16,
    V2_COMMAND_AT = 12, /* with the version, 2, in the upper four bits */
    V2_FAMILY_AT = 13,
    V2_LENGTH_AT = 14,
    V2_LOCAL = 0x20,
    V2_PROXY = 0x21,
    V2_UNSPEC = 0x00,
    V2_TCP4 = 0x11,
    V2_UDP4 = 0x12,
    V2_TCP6 = 0x21,
    V2_UDP6 = 0x22,
    V2_UNIX_STREAM = 0x31,
    V2_UNIX_DATAGRAM = 0x32,
    V2_ADDRS4_LEN = 12,
    V2_ADDRS6_LEN = 36,
    V2_ADDRS_UNIX_LEN = 216,
};

static uint16_t read_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static enum err take_v2_tcp(struct proxy_header *out, const uint8_t *at, size_t len, bool v6)
{
    static const uint8_t v4_prefix[12] = {[10] = 0xFF, [11] = 0xFF};
    if (len < (v6 ? V2_ADDRS6_LEN : V2_ADDRS4_LEN))
        return ERR_SYNTAX;
    out->names_peer = true;
    if (v6) {
        memcpy(out->from.bytes, at, 16);
        out->port = read_u16(at + 32);
        return ERR_OK;
    }
    memcpy(out->from.bytes, v4_prefix, sizeof v4_prefix);
    memcpy(out->from.bytes + sizeof v4_prefix, at, 4);
    out->port = read_u16(at + 8);
    return ERR_OK;
}

static enum err take_v2_addrs(struct proxy_header *out, unsigned family, const uint8_t *at,
                              size_t len)
{
    switch (family) {
    case V2_TCP4:
    case V2_TCP6:
        return take_v2_tcp(out, at, len, family == V2_TCP6);
    case V2_UNSPEC:
        return ERR_OK;
    case V2_UDP4:
        return len >= V2_ADDRS4_LEN ? ERR_OK : ERR_SYNTAX;
    case V2_UDP6:
        return len >= V2_ADDRS6_LEN ? ERR_OK : ERR_SYNTAX;
    case V2_UNIX_STREAM:
    case V2_UNIX_DATAGRAM:
        return len >= V2_ADDRS_UNIX_LEN ? ERR_OK : ERR_SYNTAX;
    default:
        return ERR_SYNTAX;
    }
}

static enum err read_v2(struct proxy_header *out, const uint8_t *data, size_t len)
{
    bool known =
        len <= V2_COMMAND_AT || data[V2_COMMAND_AT] == V2_LOCAL || data[V2_COMMAND_AT] == V2_PROXY;
    if (!known)
        return ERR_SYNTAX;
    if (len < V2_HEAD_LEN)
        return ERR_AGAIN;
    size_t behind = read_u16(data + V2_LENGTH_AT);
    out->len = V2_HEAD_LEN + behind;
    if (out->len > PROXY_HEADER_MAX)
        return ERR_LIMIT;
    if (len < out->len)
        return ERR_AGAIN;
    if (data[V2_COMMAND_AT] == V2_LOCAL) /* a health check of the balancer's own */
        return ERR_OK;
    return take_v2_addrs(out, data[V2_FAMILY_AT], data + V2_HEAD_LEN, behind);
}

/* Does `data`, as far as it goes, begin like that? */
static bool begins(struct span data, struct span start)
{
    size_t len = data.len < start.len ? data.len : start.len;
    return span_eq(span_slice(data, 0, len), span_slice(start, 0, len));
}

enum err proxy_header_read(struct proxy_header *out, const char *data, size_t len)
{
    struct span s = span_of(data, len);
    *out = (struct proxy_header){.len = 0};
    if (!begins(s, v1_start) && !begins(s, v2_start))
        return ERR_SYNTAX;
    if (len < v1_start.len)
        return ERR_AGAIN;
    if (begins(s, v1_start))
        return read_v1(out, s);
    return len < v2_start.len ? ERR_AGAIN : read_v2(out, (const uint8_t *)data, len);
}
