/* The few rules of JavaScript that show in answers. */
#include "world/core/api/js_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIGITS_MAX = 17 };

/* The shortest decimal digits that read back as `n` > 0; its value is 0.DIGITS × 10^point. Answers
 * how many digits there are. */
static int shortest_digits(double n, char digits[DIGITS_MAX], int *point)
{
    char text[40];
    int count = 1;

    for (; count <= DIGITS_MAX; count++) {
        (void)snprintf(text, sizeof(text), "%.*e", count - 1, n);
        if (strtod(text, NULL) == n)
            break;
    }
    /* d[.ddd]e±xx */
    digits[0] = text[0];
    for (int i = 1; i < count; i++)
        digits[i] = text[i + 1];
    *point = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
    return count;
}

static void add_zeros(struct buf *out, int count)
{
    while (count-- > 0)
        buf_add_char(out, '0');
}

void js_text_add_number(struct buf *out, double n)
{
    char digits[DIGITS_MAX];
    int point, count;

    if (n == 0) { /* -0 too */
        buf_add_char(out, '0');
        return;
    }
    if (n < 0)
        buf_add_char(out, '-');
    count = shortest_digits(fabs(n), digits, &point);
    if (point > 21 || point < -5) {
        buf_add_char(out, digits[0]);
        if (count > 1)
            buf_add_char(out, '.');
        buf_add(out, digits + 1, (size_t)count - 1);
        buf_addf(out, "e%c%d", point > 0 ? '+' : '-', abs(point - 1));
        return;
    }
    if (point <= 0) {
        BUF_ADD_LIT(out, "0.");
        add_zeros(out, -point);
        buf_add(out, digits, (size_t)count);
        return;
    }
    if (count <= point) {
        buf_add(out, digits, (size_t)count);
        add_zeros(out, point - count);
        return;
    }
    buf_add(out, digits, (size_t)point);
    buf_add_char(out, '.');
    buf_add(out, digits + point, (size_t)(count - point));
}

/* Array.prototype.join: null is empty. As deep as jansson reads. */
static void add_array(struct buf *out, const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);
        if (i > 0)
            buf_add_char(out, ',');
        if (!json_is_null(item))
            js_text_add(out, item);
    }
}

void js_text_add(struct buf *out, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        BUF_ADD_LIT(out, "[object Object]");
        return;
    case JSON_ARRAY:
        add_array(out, value);
        return;
    case JSON_STRING:
        buf_add(out, json_string_value(value), json_string_length(value));
        return;
    case JSON_INTEGER:
    case JSON_REAL:
        js_text_add_number(out, json_number_value(value));
        return;
    case JSON_TRUE:
        BUF_ADD_LIT(out, "true");
        return;
    case JSON_FALSE:
        BUF_ADD_LIT(out, "false");
        return;
    case JSON_NULL:
        BUF_ADD_LIT(out, "null");
        return;
    }
}

bool js_is_true(const json_t *value)
{
    if (value == NULL || json_is_null(value) || json_is_false(value))
        return false;
    if (json_is_number(value))
        return json_number_value(value) != 0;
    return !json_is_string(value) || json_string_length(value) > 0;
}

/* The blanks beyond ASCII, as UTF-8 (WhiteSpace and LineTerminator of ECMA-262). */
static const struct span wide_blanks[] = {
    {"\xc2\xa0", 2},     {"\xe1\x9a\x80", 3}, {"\xe2\x80\x80", 3}, {"\xe2\x80\x81", 3},
    {"\xe2\x80\x82", 3}, {"\xe2\x80\x83", 3}, {"\xe2\x80\x84", 3}, {"\xe2\x80\x85", 3},
    {"\xe2\x80\x86", 3}, {"\xe2\x80\x87", 3}, {"\xe2\x80\x88", 3}, {"\xe2\x80\x89", 3},
    {"\xe2\x80\x8a", 3}, {"\xe2\x80\xa8", 3}, {"\xe2\x80\xa9", 3}, {"\xe2\x80\xaf", 3},
    {"\xe2\x81\x9f", 3}, {"\xe3\x80\x80", 3}, {"\xef\xbb\xbf", 3},
};

/* The length of the blank that `text` begins with; 0: none. */
static size_t blank_len(struct span text)
{
    unsigned char c = (unsigned char)text.ptr[0];

    if (c == ' ' || (c >= '\t' && c <= '\r'))
        return 1;
    if (c < 0x80)
        return 0;
    for (size_t i = 0; i < sizeof(wide_blanks) / sizeof(wide_blanks[0]); i++) {
        if (span_starts(text, wide_blanks[i]))
            return wide_blanks[i].len;
    }
    return 0;
}

bool js_is_blank(struct span text)
{
    while (text.len > 0) {
        size_t len = blank_len(text);
        if (len == 0)
            return false;
        text = span_slice(text, len, text.len);
    }
    return true;
}
