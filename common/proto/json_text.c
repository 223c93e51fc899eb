/* A checker for JSON texts that builds nothing: a loop over three states (a value, a key or what
 * follows a value is due) with one bit for each level that is open. Strings are read sixteen bytes
 * at a time. */
#include "common/proto/json_text.h"

#include <limits.h>

#include "common/base/block.h"
#include "common/proto/ascii.h"

struct walk {
    const char *begin, *at, *end;
    size_t depth;
    uint64_t objects[JSON_DEPTH_MAX / 64]; /* bit d: level d + 1 is an object, not an array */
    void (*member)(void *ctx, const struct json_member *m); /* may be NULL */
    void *ctx;
    struct span key;   /* of the top-level member that is being read */
    const char *value; /* where its value starts */
};

/* What is due at w->at; the last three end the walk. */
enum next { NEXT_VALUE, NEXT_KEY, NEXT_TAIL, NEXT_END, NEXT_BAD, NEXT_DEEP };

/* What a backslash and one character stand for; 0: nothing. */
static const char short_escapes[UCHAR_MAX + 1] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};

/* A quote, a backslash or a control character. */
static uint32_t block_special(struct block b)
{
    return block_control(b) | block_equal(b, '"') | block_equal(b, '\\');
}

/* The first special byte of [at, end), or `end`; what lies from `begin` on may be read. */
static const char *skip_plain(const char *begin, const char *at, const char *end)
{
    uint32_t mask;
    for (; end - at >= BLOCK_LEN; at += BLOCK_LEN) {
        mask = block_special(block_load(at));
        if (mask != 0)
            return at + block_first(mask);
    }
    if (at < end && end - begin >= BLOCK_LEN) {
        mask = block_special(block_load(end - BLOCK_LEN)) >> (BLOCK_LEN - (end - at));
        return mask == 0 ? end : at + block_first(mask);
    }
    while (at < end && (unsigned char)*at >= 0x20 && *at != '"' && *at != '\\')
        at++;
    return at;
}

/* The four hexadecimal digits at `at`, or -1. */
static int hex4_value(const char *at)
{
    int value = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = ascii_hex(at[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* The skip functions answer where what they skip ends, or NULL: it is malformed. */
static const char *skip_escape(const char *at, const char *end)
{
    if (end - at < 2)
        return NULL;
    if (at[1] == 'u')
        return end - at >= 6 && hex4_value(at + 2) >= 0 ? at + 6 : NULL;
    return short_escapes[(unsigned char)at[1]] != 0 ? at + 2 : NULL;
}

/* `at` is behind the opening quote; `begin` as in skip_plain. */
static const char *skip_string(const char *begin, const char *at, const char *end)
{
    while (at != NULL) {
        at = skip_plain(begin, at, end);
        if (at == end)
            return NULL;
        if (*at == '"')
            return at + 1;
        if (*at != '\\')
            return NULL;
        at = skip_escape(at, end);
    }
    return NULL;
}

/* One digit at least. */
static const char *skip_digits(const char *at, const char *end)
{
    const char *start = at;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at > start ? at : NULL;
}

static const char *skip_number(const char *at, const char *end)
{
    if (at < end && *at == '-')
        at++;
    if (at < end && *at == '0')
        at++;
    else if ((at = skip_digits(at, end)) == NULL)
        return NULL;
    if (at < end && *at == '.' && (at = skip_digits(at + 1, end)) == NULL)
        return NULL;
    if (at == end || (*at != 'e' && *at != 'E'))
        return at;
    at++;
    if (at < end && (*at == '+' || *at == '-'))
        at++;
    return skip_digits(at, end);
}

static const char *skip_literal(const char *at, const char *end, struct span literal)
{
    return span_starts(span_of(at, (size_t)(end - at)), literal) ? at + literal.len : NULL;
}

static void skip_blanks(struct walk *w)
{
    while (w->at < w->end && (*w->at == ' ' || *w->at == '\n' || *w->at == '\r' || *w->at == '\t'))
        w->at++;
}

static bool in_object(const struct walk *w)
{
    size_t level = w->depth - 1;
    return (w->objects[level / 64] >> (level % 64) & 1) != 0;
}

static enum next walk_close(struct walk *w)
{
    w->at++;
    w->depth--;
    return NEXT_TAIL;
}

static enum next walk_open(struct walk *w)
{
    if (w->depth == JSON_DEPTH_MAX)
        return NEXT_DEEP;
    bool object = *w->at == '{';
    uint64_t bit = (uint64_t)1 << (w->depth % 64), *bits = &w->objects[w->depth / 64];
    *bits = object ? *bits | bit : *bits & ~bit;
    w->depth++;
    w->at++;
    skip_blanks(w);
    if (w->at < w->end && *w->at == (object ? '}' : ']'))
        return walk_close(w);
    return object ? NEXT_KEY : NEXT_VALUE;
}

static enum next walk_value(struct walk *w)
{
    skip_blanks(w);
    if (w->at == w->end)
        return NEXT_BAD;
    if (w->depth == 1)
        w->value = w->at;
    switch (*w->at) {
    case '{':
    case '[':
        return walk_open(w);
    case '"':
        w->at = skip_string(w->begin, w->at + 1, w->end);
        break;
    case 't':
        w->at = skip_literal(w->at, w->end, SPAN("true"));
        break;
    case 'f':
        w->at = skip_literal(w->at, w->end, SPAN("false"));
        break;
    case 'n':
        w->at = skip_literal(w->at, w->end, SPAN("null"));
        break;
    default:
        w->at = skip_number(w->at, w->end);
    }
    return w->at == NULL ? NEXT_BAD : NEXT_TAIL;
}

static enum next walk_key(struct walk *w)
{
    skip_blanks(w);
    if (w->at == w->end || *w->at != '"')
        return NEXT_BAD;
    const char *start = w->at + 1;
    w->at = skip_string(w->begin, start, w->end);
    if (w->at == NULL)
        return NEXT_BAD;
    if (w->depth == 1)
        w->key = span_of(start, (size_t)(w->at - 1 - start));
    skip_blanks(w);
    if (w->at == w->end || *w->at != ':')
        return NEXT_BAD;
    w->at++;
    return NEXT_VALUE;
}

static enum next walk_tail(struct walk *w)
{
    bool object = w->depth > 0 && in_object(w);
    if (w->depth == 1 && object && w->member != NULL) {
        struct span value = span_of(w->value, (size_t)(w->at - w->value));
        w->member(w->ctx, &(struct json_member){.key = w->key, .value = value});
    }
    skip_blanks(w);
    if (w->depth == 0)
        return w->at == w->end ? NEXT_END : NEXT_BAD;
    if (w->at == w->end)
        return NEXT_BAD;
    if (*w->at == (object ? '}' : ']'))
        return walk_close(w);
    if (*w->at != ',')
        return NEXT_BAD;
    w->at++;
    return object ? NEXT_KEY : NEXT_VALUE;
}

static enum err walk_text(struct walk *w)
{
    enum next next = NEXT_VALUE;
    for (;;) {
        switch (next) {
        case NEXT_VALUE:
            next = walk_value(w);
            break;
        case NEXT_KEY:
            next = walk_key(w);
            break;
        case NEXT_TAIL:
            next = walk_tail(w);
            break;
        case NEXT_END:
            return ERR_OK;
        case NEXT_BAD:
            return ERR_SYNTAX;
        case NEXT_DEEP:
            return ERR_LIMIT;
        }
    }
}

static bool is_surrogate(int unit, int first)
{
    return unit >= first && unit < first + 0x400;
}

/* Writes the character of a \u escape at *at, and moves on behind it. */
static size_t decode_unicode(const char **at, const char *end, char out[4])
{
    int c = hex4_value(*at + 2);
    *at += 6;
    if (is_surrogate(c, 0xD800) && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u' &&
        is_surrogate(hex4_value(*at + 2), 0xDC00)) {
        c = 0x10000 + ((c - 0xD800) << 10) + (hex4_value(*at + 2) - 0xDC00);
        *at += 6;
    }
    if (is_surrogate(c, 0xD800) || is_surrogate(c, 0xDC00))
        c = 0xFFFD;
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const int lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(lead[len] | c);
    return len;
}

/* Writes what the escape at *at stands for, and moves on behind it. */
static size_t decode_escape(const char **at, const char *end, char out[4])
{
    char c = (*at)[1];
    if (c == 'u')
        return decode_unicode(at, end, out);
    *at += 2;
    out[0] = short_escapes[(unsigned char)c];
    return 1;
}

enum err json_text_check(struct span text)
{
    char kind;
    return json_text_members(text, &kind, NULL, NULL);
}

enum err json_text_members(struct span text, char *kind,
                           void (*member)(void *ctx, const struct json_member *m), void *ctx)
{
    struct walk w = {.begin = text.ptr, .at = text.ptr, .member = member, .ctx = ctx};
    if (text.len == 0 || !span_is_utf8(text))
        return ERR_SYNTAX;
    w.end = text.ptr + text.len;
    skip_blanks(&w);
    if (w.at == w.end)
        return ERR_SYNTAX;
    *kind = *w.at;
    return walk_text(&w);
}

/* Where the value at `at` ends; what it is in has been checked. */
static const char *value_end(const char *at, const char *end)
{
    const char *begin = at;
    size_t depth = 0;
    do {
        if (*at == '"') {
            at = skip_string(begin, at + 1, end);
            continue;
        }
        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
        at++;
    } while (at < end && (depth > 0 || strchr(",]} \t\r\n", *at) == NULL));
    return at;
}

bool json_text_next(struct span array, size_t *at, struct span *element)
{
    struct walk w = {.at = array.ptr + *at, .end = array.ptr + array.len};
    if (*at == 0)
        w.at++; /* the bracket */
    skip_blanks(&w);
    if (*at > 0 && w.at < w.end && *w.at == ',')
        w.at++;
    skip_blanks(&w);
    if (w.at == w.end || *w.at == ']')
        return false;
    const char *start = w.at;
    w.at = value_end(start, w.end);
    *element = span_of(start, (size_t)(w.at - start));
    *at = (size_t)(w.at - array.ptr);
    return true;
}

bool json_text_string_is(struct span raw, struct span text)
{
    if (raw.len == text.len) /* an escape is longer than what it stands for: there is none */
        return span_eq(raw, text) && span_index(raw, '\\') == raw.len;
    if (raw.len < text.len)
        return false;
    const char *at = raw.ptr, *end = raw.ptr + raw.len;
    size_t done = 0;
    while (at < end) {
        char decoded[4] = {*at};
        size_t len = 1;
        if (*at == '\\')
            len = decode_escape(&at, end, decoded);
        else
            at++;
        if (text.len - done < len || memcmp(text.ptr + done, decoded, len) != 0)
            return false;
        done += len;
    }
    return done == text.len;
}

void json_text_unescape(struct buf *out, struct span raw)
{
    if (raw.len == 0)
        return;
    /* What comes out is never longer than what goes in; whole blocks may be written past it. */
    char *to = buf_reserve(out, raw.len + BLOCK_LEN);
    const char *at = raw.ptr, *end = raw.ptr + raw.len;
    while (at < end) {
        if (end - at >= BLOCK_LEN) {
            struct block b = block_load(at);
            uint32_t mask = block_equal(b, '\\');
            size_t plain = mask == 0 ? BLOCK_LEN : block_first(mask);
            block_store(to, b);
            at += plain;
            to += plain;
            if (mask == 0)
                continue;
        }
        if (*at == '\\')
            to += decode_escape(&at, end, to);
        else
            *to++ = *at++;
    }
    out->len = (size_t)(to - out->data);
}
