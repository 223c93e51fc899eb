/* IP addresses and networks, all as IPv6: an IPv4 network of n bits has n + 96. Names are not
 * resolved here. */
#include "common/proto/addr.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "common/base/mem.h"

enum { ADDR_BITS = 128, V4_BITS = 32, V4_AT = 12 };

struct addr_net {
    struct addr base;
    unsigned bits;
};

static const uint8_t V4_PREFIX[V4_AT] = {[10] = 0xFF, [11] = 0xFF};

static bool is_v4(const struct addr *a)
{
    return memcmp(a->bytes, V4_PREFIX, sizeof V4_PREFIX) == 0;
}

/* An address and nothing else. */
static enum err parse_bare(struct span text, struct addr *out, bool *v4)
{
    char copy[ADDR_TEXT_MAX];
    if (text.len == 0 || text.len >= sizeof copy || span_index(text, '\0') < text.len)
        return ERR_SYNTAX;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *v4 = span_index(text, ':') == text.len;
    if (!*v4)
        return inet_pton(AF_INET6, copy, out->bytes) == 1 ? ERR_OK : ERR_SYNTAX;
    memcpy(out->bytes, V4_PREFIX, sizeof V4_PREFIX);
    return inet_pton(AF_INET, copy, out->bytes + V4_AT) == 1 ? ERR_OK : ERR_SYNTAX;
}

/* Nothing, or a colon and a port. */
static bool is_port(struct span s)
{
    uint64_t port;
    return s.len == 0 ||
           (s.ptr[0] == ':' && span_to_u64(span_slice(s, 1, s.len), &port) == ERR_OK &&
            port <= UINT16_MAX);
}

/* `address` or `address/bits`. */
static enum err net_parse(struct span text, struct addr_net *net)
{
    bool v4;
    size_t slash = span_index(text, '/');
    enum err e = parse_bare(span_slice(text, 0, slash), &net->base, &v4);
    if (e != ERR_OK)
        return e;
    uint64_t bits = v4 ? V4_BITS : ADDR_BITS, max = bits;
    if (slash < text.len)
        e = span_to_u64(span_slice(text, slash + 1, text.len), &bits);
    if (e != ERR_OK || bits > max)
        return ERR_SYNTAX;
    net->bits = (unsigned)(v4 ? bits + ADDR_BITS - V4_BITS : bits);
    return ERR_OK;
}

static bool net_has(const struct addr_net *net, const struct addr *a)
{
    size_t whole = net->bits / 8;
    unsigned rest = net->bits % 8;
    if (memcmp(net->base.bytes, a->bytes, whole) != 0)
        return false;
    return rest == 0 || (net->base.bytes[whole] ^ a->bytes[whole]) >> (8 - rest) == 0;
}

enum err addr_parse(struct span text, struct addr *out)
{
    bool v4;
    if (span_starts(text, SPAN("["))) {
        size_t close = span_index(text, ']');
        enum err e = parse_bare(span_slice(text, 1, close), out, &v4);
        bool good = e == ERR_OK && !v4 && close < text.len;
        return good && is_port(span_slice(text, close + 1, text.len)) ? ERR_OK : ERR_SYNTAX;
    }
    /* One colon separates a port; more of them are an IPv6 address. */
    size_t colon = span_index(text, ':');
    if (colon < text.len && colon == span_rindex(text, ':')) {
        if (!is_port(span_slice(text, colon, text.len)))
            return ERR_SYNTAX;
        text.len = colon;
    }
    return parse_bare(text, out, &v4);
}

/* Decimal, with the character behind it. */
static char *add_byte(char *out, unsigned n, char behind)
{
    if (n >= 100)
        *out++ = (char)('0' + n / 100);
    if (n >= 10)
        *out++ = (char)('0' + n / 10 % 10);
    *out++ = (char)('0' + n % 10);
    *out++ = behind;
    return out;
}

/* inet_ntop goes through printf: 1 700 instructions an address. */
static void format_v4(const uint8_t bytes[4], char *out)
{
    for (size_t i = 0; i < 4; i++)
        out = add_byte(out, bytes[i], i == 3 ? '\0' : '.');
}

void addr_format(const struct addr *a, char out[ADDR_TEXT_MAX])
{
    if (is_v4(a))
        format_v4(a->bytes + V4_AT, out);
    else
        (void)inet_ntop(AF_INET6, a->bytes, out, ADDR_TEXT_MAX);
}

bool addr_is_loopback(const struct addr *a)
{
    static const struct addr one = {.bytes = {[15] = 1}};
    if (is_v4(a))
        return a->bytes[V4_AT] == 127;
    return memcmp(a->bytes, one.bytes, sizeof one.bytes) == 0;
}

enum err addr_set_parse(struct addr_set *set, struct span text, struct span *bad)
{
    struct span part;
    *set = (struct addr_set){.count = 0};
    if (span_trim(text).len == 0)
        return ERR_OK;
    while (span_split(&text, ',', &part)) {
        struct addr_net net;
        *bad = span_trim(part);
        if (net_parse(*bad, &net) != ERR_OK) {
            addr_set_clear(set);
            return ERR_SYNTAX;
        }
        set->nets = xreallocarray(set->nets, set->count + 1, sizeof net);
        set->nets[set->count++] = net;
    }
    return ERR_OK;
}

bool addr_set_has(const struct addr_set *set, const struct addr *a)
{
    for (size_t i = 0; i < set->count; i++) {
        if (net_has(&set->nets[i], a))
            return true;
    }
    return false;
}

void addr_set_clear(struct addr_set *set)
{
    free(set->nets);
    *set = (struct addr_set){.count = 0};
}

struct addr addr_of_client(const struct addr_set *trusted, const struct addr *peer,
                           struct span forwarded_for, size_t *hops)
{
    struct addr client = *peer, next;
    *hops = 0;
    /* Each trusted hop vouches for the entry that it appended, the right-most one left. */
    while (forwarded_for.len > 0 && addr_set_has(trusted, &client)) {
        size_t comma = span_rindex(forwarded_for, ',');
        bool last = comma == forwarded_for.len;
        struct span entry =
            last ? forwarded_for : span_slice(forwarded_for, comma + 1, forwarded_for.len);
        if (addr_parse(span_trim(entry), &next) != ERR_OK)
            break;
        client = next;
        ++*hops;
        forwarded_for.len = last ? 0 : comma;
    }
    return client;
}
