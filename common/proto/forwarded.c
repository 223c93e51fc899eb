/* Reads Forwarded. Finds where the last element begins from the right, then reads it forwards.
 * Blanks around `;` are let pass: many write them. */
#include "common/proto/forwarded.h"

#include "common/proto/ascii.h"
#include "common/proto/url.h"

enum { VALUE_MAX = FORWARDED_HOST_MAX };

/* A parameter's value without its quotes. */
struct value {
    size_t len;
    char text[VALUE_MAX];
};

/* ---- from the right: where does the last element begin? */

/* Is the quote at `at` escaped? In a quoted string that is well formed only an odd number of
 * backslashes before it can mean so. */
static bool is_escaped(struct span s, size_t at)
{
    size_t slashes = 0;
    while (slashes < at && s.ptr[at - 1 - slashes] == '\\')
        slashes++;
    return slashes % 2 == 1;
}

/* `end` is behind a closing quote; the place of the opening one, or `end` when there is none. */
static size_t quote_begin(struct span s, size_t end)
{
    for (size_t at = end - 1; at > 0; at--)
        if (s.ptr[at - 1] == '"' && !is_escaped(s, at - 1))
            return at - 1;
    return end;
}

static enum err split_last(struct span *rest, struct span *last)
{
    size_t at = rest->len;
    while (at > 0 && rest->ptr[at - 1] != ',') {
        size_t begin = rest->ptr[at - 1] == '"' ? quote_begin(*rest, at) : at - 1;
        if (begin == at)
            return ERR_SYNTAX;
        at = begin;
    }
    *last = span_trim(span_slice(*rest, at, rest->len));
    rest->len = at > 0 ? at - 1 : 0;
    return ERR_OK;
}

/* ---- forwards: what does it say? */

static enum err take_token(struct span *rest, struct span *token)
{
    size_t len = 0;
    while (len < rest->len && ascii_is_tchar(rest->ptr[len]))
        len++;
    *token = span_slice(*rest, 0, len);
    *rest = span_slice(*rest, len, rest->len);
    return len > 0 ? ERR_OK : ERR_SYNTAX;
}

static enum err value_add(struct value *v, char c)
{
    if (v->len == sizeof v->text || ascii_is_control(c))
        return ERR_SYNTAX;
    v->text[v->len++] = c;
    return ERR_OK;
}

/* Behind the opening quote; RFC 9110 section 5.6.4. */
static enum err take_quoted(struct span *rest, struct value *v)
{
    enum err e = ERR_OK;
    size_t at = 0;
    while (e == ERR_OK && at < rest->len && rest->ptr[at] != '"') {
        if (rest->ptr[at] == '\\' && ++at == rest->len)
            return ERR_SYNTAX;
        e = value_add(v, rest->ptr[at++]);
    }
    if (e != ERR_OK || at == rest->len)
        return ERR_SYNTAX;
    *rest = span_slice(*rest, at + 1, rest->len);
    return ERR_OK;
}

static enum err take_value(struct span *rest, struct value *v)
{
    struct span token;
    v->len = 0;
    if (span_starts(*rest, SPAN("\""))) {
        *rest = span_slice(*rest, 1, rest->len);
        return take_quoted(rest, v);
    }
    if (take_token(rest, &token) != ERR_OK || token.len > sizeof v->text)
        return ERR_SYNTAX;
    memcpy(v->text, token.ptr, token.len);
    v->len = token.len;
    return ERR_OK;
}

/* `_` and at least one of a few characters (section 6.3). */
static bool is_obfuscated(struct span s)
{
    for (size_t i = 1; i < s.len; i++)
        if (!ascii_is_alnum_or(s.ptr[i], "._-"))
            return false;
    return s.len > 1 && s.ptr[0] == '_';
}

static bool is_node_port(struct span s)
{
    uint64_t port;
    return is_obfuscated(s) ||
           (s.len <= 5 && span_to_u64(s, &port) == ERR_OK && port <= UINT16_MAX);
}

/* Section 6: a name, and perhaps a port. An IPv6 address must be in brackets. */
static enum err read_node(struct forwarded_node *node, struct span s)
{
    size_t end = span_starts(s, SPAN("[")) ? span_index(s, ']') + 1 : span_index(s, ':');
    if (node->kind != FORWARDED_NONE || end > s.len)
        return ERR_SYNTAX;
    struct span name = span_slice(s, 0, end);
    if (end < s.len && (s.ptr[end] != ':' || !is_node_port(span_slice(s, end + 1, s.len))))
        return ERR_SYNTAX;
    if (span_ieq(name, SPAN("unknown")) || is_obfuscated(name)) {
        node->kind = FORWARDED_HIDDEN;
        return ERR_OK;
    }
    node->kind = FORWARDED_ADDR;
    return addr_parse(name, &node->addr);
}

static enum err read_proto(struct forwarded *f, struct span s)
{
    if (f->proto_len > 0 || s.len == 0 || s.len > sizeof f->proto)
        return ERR_SYNTAX;
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_is_alnum_or(s.ptr[i], "+-."))
            return ERR_SYNTAX;
    memcpy(f->proto, s.ptr, s.len);
    f->proto_len = s.len;
    return ERR_OK;
}

static enum err read_host(struct forwarded *f, struct span s)
{
    struct span host;
    int port;
    if (f->host_len > 0 || s.len == 0 || url_split_authority(s, &host, &port) != ERR_OK)
        return ERR_SYNTAX;
    memcpy(f->host, s.ptr, s.len);
    f->host_len = s.len;
    return ERR_OK;
}

static enum err read_pair(struct forwarded *f, struct span name, struct span value)
{
    if (span_ieq(name, SPAN("for")))
        return read_node(&f->from, value);
    if (span_ieq(name, SPAN("by")))
        return read_node(&f->by, value);
    if (span_ieq(name, SPAN("proto")))
        return read_proto(f, value);
    return span_ieq(name, SPAN("host")) ? read_host(f, value) : ERR_OK; /* an extension */
}

static enum err take_pair(struct span *rest, struct forwarded *f)
{
    struct span name;
    struct value value;
    if (take_token(rest, &name) != ERR_OK || !span_starts(*rest, SPAN("=")))
        return ERR_SYNTAX;
    *rest = span_slice(*rest, 1, rest->len);
    enum err e = take_value(rest, &value);
    return e == ERR_OK ? read_pair(f, name, span_of(value.text, value.len)) : e;
}

static enum err read_element(struct span s, struct forwarded *f)
{
    *f = (struct forwarded){.proto_len = 0};
    while (s.len > 0) {
        if (s.ptr[0] != ';' && take_pair(&s, f) != ERR_OK)
            return ERR_SYNTAX;
        s = span_trim(s);
        if (s.len > 0 && s.ptr[0] != ';')
            return ERR_SYNTAX;
        s = span_trim(span_slice(s, s.len > 0, s.len));
    }
    return ERR_OK;
}

enum err forwarded_take_last(struct span *rest, struct forwarded *out)
{
    struct span last = {.ptr = NULL};
    while (rest->len > 0 && last.len == 0)
        if (split_last(rest, &last) != ERR_OK)
            return ERR_SYNTAX;
    return last.len > 0 ? read_element(last, out) : ERR_MISSING;
}
