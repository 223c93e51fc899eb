/* jansson behind the rules of this project: what is decoded, and how text is escaped. */
#include "common/base/json.h"

#include <math.h>

#include "common/base/utf8.h"

#define ONES      0x0101010101010101u
#define HIGH_BITS 0x8080808080808080u

/* The largest double below which every whole number is exact. */
static const double EXACT_MAX = 9007199254740992.0;

enum { DECODE_FLAGS = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL };

json_t *json_decode(struct span text)
{
    if (span_starts(text, SPAN("\xEF\xBB\xBF")))
        text = span_slice(text, 3, text.len);
    if (span_index(text, '\0') < text.len)
        return NULL; /* never JSON, but jansson overlooks one behind a number */
    if (span_is_utf8(text))
        return json_loadb(text.ptr == NULL ? "" : text.ptr, text.len, DECODE_FLAGS, NULL);
    struct buf repaired = {.len = 0};
    utf8_repair(&repaired, text);
    json_t *value = json_loadb(repaired.data, repaired.len, DECODE_FLAGS, NULL);
    buf_clear(&repaired);
    return value;
}

void json_add_problem(struct buf *out, struct span text)
{
    json_error_t error;
    json_t *value = json_loadb(text.ptr == NULL ? "" : text.ptr, text.len, DECODE_FLAGS, &error);
    char *quoted = strstr(error.text, " near '");

    if (value == NULL && quoted != NULL)
        *quoted = '\0';
    if (value == NULL)
        buf_addf(out, "line %d, column %d: %s", error.line, error.column, error.text);
    json_decref(value);
}

/* Behind the string whose first character is at `at`; the end, if it has none. */
static size_t string_end(struct span text, size_t at)
{
    while (at < text.len && text.ptr[at] != '"')
        at += text.ptr[at] == '\\' ? 2 : 1;
    return at + 1;
}

/* At least as many values as jansson makes of the text, be it JSON or not. */
static size_t count_values(struct span text, size_t max)
{
    size_t count = 1;
    for (size_t at = 0; at < text.len && count <= max;) {
        char c = text.ptr[at++];
        if (c == '"')
            at = string_end(text, at);
        else if (c == ',' || c == '[' || c == '{')
            count++;
    }
    return count;
}

json_t *json_decode_max(struct span text, size_t max)
{
    return count_values(text, max) > max ? NULL : json_decode(text);
}

bool json_get_span(const json_t *object, const char *key, struct span *out)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value))
        return false;
    *out = span_of(json_string_value(value), json_string_length(value));
    return true;
}

bool json_get_bool(const json_t *object, const char *key, bool *out)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_boolean(value))
        return false;
    *out = json_is_true(value);
    return true;
}

bool json_get_int(const json_t *object, const char *key, int64_t min, int64_t max, int64_t *out)
{
    return json_whole(json_object_get(object, key), min, max, out);
}

bool json_whole(const json_t *value, int64_t min, int64_t max, int64_t *out)
{
    if (!json_is_number(value))
        return false;
    double number = json_number_value(value);
    if (!(fabs(number) <= EXACT_MAX))
        return false;
    int64_t whole = (int64_t)number;
    if ((double)whole < number || (double)whole > number || whole < min || whole > max)
        return false;
    *out = whole;
    return true;
}

/* True when none of the eight bytes is a control character, a quote or a backslash. */
static bool word_is_plain(uint64_t word)
{
    uint64_t quote = word ^ ONES * '"', backslash = word ^ ONES * '\\';
    uint64_t odd = ((word - ONES * 0x20) & ~word) | ((quote - ONES) & ~quote) |
                   ((backslash - ONES) & ~backslash);
    return (odd & HIGH_BITS) == 0;
}

static bool char_is_plain(char c)
{
    return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

/* How many bytes at the start of `s` need no escape. */
static size_t plain_run(struct span s)
{
    size_t i = 0;
    for (uint64_t word; s.len - i >= 8; i += 8) {
        memcpy(&word, s.ptr + i, 8);
        if (!word_is_plain(word))
            break;
    }
    while (i < s.len && char_is_plain(s.ptr[i]))
        i++;
    return i;
}

static void add_escape(struct buf *out, char c)
{
    static const char short_forms[][2] = {{'"', '"'},  {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'},
                                          {'\n', 'n'}, {'\r', 'r'},  {'\t', 't'}};
    for (size_t i = 0; i < sizeof short_forms / sizeof *short_forms; i++) {
        if (short_forms[i][0] == c) {
            buf_add_char(out, '\\');
            buf_add_char(out, short_forms[i][1]);
            return;
        }
    }
    buf_addf(out, "\\u%04x", (unsigned)(unsigned char)c);
}

/* Escapes as JSON.stringify does. */
static void add_escaped(struct buf *out, struct span s)
{
    (void)buf_reserve(out, s.len + 2); /* the usual case: nothing to escape */
    buf_add_char(out, '"');
    while (s.len > 0) {
        size_t plain = plain_run(s);
        buf_add(out, s.ptr, plain);
        if (plain < s.len)
            add_escape(out, s.ptr[plain++]);
        s = span_slice(s, plain, s.len);
    }
    buf_add_char(out, '"');
}

void json_add_string(struct buf *out, struct span s)
{
    if (span_is_utf8(s)) {
        add_escaped(out, s);
        return;
    }
    struct buf repaired = {.len = 0};
    utf8_repair(&repaired, s);
    add_escaped(out, buf_span(&repaired));
    buf_clear(&repaired);
}
