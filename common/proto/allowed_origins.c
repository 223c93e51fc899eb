/* Compares origins part by part. Owns nothing; the list is read anew each time, for it is short and
 * upgrades are rare next to everything else. */
#include "common/proto/allowed_origins.h"

#include "common/proto/ascii.h"
#include "common/proto/url.h"

struct web_origin {
    struct span scheme, host; /* of `null`, and of nothing else, both are empty */
    int port;                 /* -1: none, and the scheme has none by default */
    bool below;               /* any name that ends in `.` and the host */
};

static int default_port(struct span scheme)
{
    if (span_ieq(scheme, SPAN("https")) || span_ieq(scheme, SPAN("wss")))
        return 443;
    return span_ieq(scheme, SPAN("http")) || span_ieq(scheme, SPAN("ws")) ? 80 : -1;
}

/* RFC 3986 section 3.1. */
static bool is_scheme(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_is_alnum_or(s.ptr[i], i == 0 ? "" : "+-."))
            return false;
    return s.len > 0 && (s.ptr[0] < '0' || s.ptr[0] > '9');
}

static enum err read_origin(struct web_origin *o, struct span text, bool pattern)
{
    static const struct span mark = SPAN_INIT("://"), any = SPAN_INIT("*.");
    *o = (struct web_origin){.port = -1};
    if (span_eq(text, SPAN("null")))
        return ERR_OK;
    size_t colon = span_index(text, ':');
    o->scheme = span_slice(text, 0, colon);
    struct span rest = span_slice(text, colon, text.len);
    if (!is_scheme(o->scheme) || !span_starts(rest, mark))
        return ERR_SYNTAX;
    rest = span_slice(rest, mark.len, rest.len);
    o->below = pattern && span_starts(rest, any);
    if (o->below)
        rest = span_slice(rest, any.len, rest.len);
    enum err e = url_split_authority(rest, &o->host, &o->port);
    if (e != ERR_OK || o->host.len == 0 || span_index(o->host, '*') < o->host.len)
        return ERR_SYNTAX;
    if (o->port < 0)
        o->port = default_port(o->scheme);
    return ERR_OK;
}

static bool host_fits(const struct web_origin *pattern, struct span host)
{
    size_t len = pattern->host.len;
    if (!pattern->below)
        return span_ieq(pattern->host, host);
    return host.len > len + 1 && host.ptr[host.len - len - 1] == '.' &&
           span_ieq(span_slice(host, host.len - len, host.len), pattern->host);
}

static bool fits(struct span entry, const struct web_origin *origin)
{
    struct web_origin pattern;
    return read_origin(&pattern, entry, true) == ERR_OK && pattern.port == origin->port &&
           span_ieq(pattern.scheme, origin->scheme) && host_fits(&pattern, origin->host);
}

enum err allowed_origins_check(struct span list, struct span *bad)
{
    struct span part;
    struct web_origin o;
    if (span_trim(list).len == 0)
        return ERR_OK;
    while (span_split(&list, ',', &part)) {
        *bad = span_trim(part);
        if (read_origin(&o, *bad, true) != ERR_OK)
            return ERR_SYNTAX;
    }
    return ERR_OK;
}

bool allowed_origins_has(struct span list, struct span origin)
{
    struct span part;
    struct web_origin o;
    if (span_trim(list).len == 0)
        return true;
    if (read_origin(&o, origin, false) != ERR_OK)
        return false;
    while (span_split(&list, ',', &part))
        if (fits(span_trim(part), &o))
            return true;
    return false;
}
