/* Reading borrowed text. Nothing here allocates. */
#include "common/base/span.h"

#include "common/base/utf8.h"

static unsigned char ascii_lower(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool span_ieq(struct span a, struct span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]))
            return false;
    }
    return true;
}

bool span_ihas(struct span s, struct span part)
{
    unsigned char first;

    if (part.len == 0)
        return true;
    first = ascii_lower(part.ptr[0]);
    for (size_t i = 0; i + part.len <= s.len; i++) {
        if (ascii_lower(s.ptr[i]) == first && span_ieq(span_of(s.ptr + i, part.len), part))
            return true;
    }
    return false;
}

bool span_starts(struct span s, struct span prefix)
{
    return s.len >= prefix.len && span_eq(span_of(s.ptr, prefix.len), prefix);
}

bool span_ends(struct span s, struct span suffix)
{
    return s.len >= suffix.len && span_eq(span_slice(s, s.len - suffix.len, s.len), suffix);
}

size_t span_index(struct span s, char c)
{
    const char *at = s.len == 0 ? NULL : memchr(s.ptr, c, s.len);
    return at == NULL ? s.len : (size_t)(at - s.ptr);
}

size_t span_rindex(struct span s, char c)
{
    const char *at = s.len == 0 ? NULL : memrchr(s.ptr, c, s.len);
    return at == NULL ? s.len : (size_t)(at - s.ptr);
}

struct span span_slice(struct span s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return s.ptr == NULL ? s : span_of(s.ptr + from, to - from);
}

struct span span_trim(struct span s)
{
    size_t from = 0, to = s.len;
    while (from < to && is_blank(s.ptr[from]))
        from++;
    while (to > from && is_blank(s.ptr[to - 1]))
        to--;
    return span_slice(s, from, to);
}

bool span_split(struct span *rest, char sep, struct span *part)
{
    if (rest->ptr == NULL)
        return false;
    size_t at = span_index(*rest, sep);
    *part = span_slice(*rest, 0, at);
    *rest = at == rest->len ? span_of(NULL, 0) : span_slice(*rest, at + 1, rest->len);
    return true;
}

enum err span_to_u64(struct span s, uint64_t *out)
{
    uint64_t value = 0;
    bool fits = true;
    if (s.len == 0)
        return ERR_SYNTAX;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned char)s.ptr[i] - (unsigned)'0';
        if (digit > 9)
            return ERR_SYNTAX;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            fits = false;
    }
    if (!fits)
        return ERR_LIMIT;
    *out = value;
    return ERR_OK;
}

bool span_is_utf8(struct span s)
{
    uint32_t state = 0;
    return utf8_check(&state, s) && state == 0;
}
