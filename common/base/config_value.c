/* The grammar of the values of settings. */
#include "common/base/config_value.h"

#include <ctype.h>

#include "common/base/measure.h"

/* Smallest first. */
static const struct measure_unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
static const struct measure_unit size_units[] = {
    {"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
enum { DURATION_UNITS = 4, SIZE_UNITS = 4 };

static int64_t row_max(const struct config_row *row)
{
    return row->max == 0 && row->min >= 0 ? INT64_MAX : row->max;
}

static enum err parse_digits(struct span digits, bool negative, int64_t *out)
{
    uint64_t n;
    enum err e = span_to_u64(digits, &n);
    if (e == ERR_OK && n > INT64_MAX)
        e = ERR_LIMIT;
    if (e == ERR_OK)
        *out = negative ? -(int64_t)n : (int64_t)n;
    return e;
}

static enum err parse_int(struct span text, int64_t *out)
{
    bool negative = span_starts(text, SPAN("-"));
    return parse_digits(span_slice(text, negative, text.len), negative, out);
}

static enum err parse_duration(struct span text, int64_t *out)
{
    *out = 0;
    return span_eq(text, SPAN("0")) ? ERR_OK
                                    : measure_read(text, duration_units, DURATION_UNITS, out);
}

static enum err parse_bool(struct span text, int64_t *out)
{
    static const char *const words[] = {"0", "1", "false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (span_ieq(text, span_str(words[i]))) {
            *out = (int64_t)(i % 2);
            return ERR_OK;
        }
    }
    return ERR_SYNTAX;
}

static enum err parse_choice(const struct config_row *row, struct span text, int64_t *out)
{
    for (size_t i = 0; row->choices[i] != NULL; i++) {
        if (span_eq(text, span_str(row->choices[i]))) {
            *out = (int64_t)i;
            return ERR_OK;
        }
    }
    return ERR_SYNTAX;
}

enum { RATE_SHIFT = 32 };

/* A rate that may be left to the process. */
static bool has_auto(const struct config_row *row)
{
    return row->fallback != NULL && strcmp(row->fallback, "auto") == 0;
}

/* Both numbers in one: the second in the upper half. */
static enum err parse_rate(const struct config_row *row, struct span text, int64_t *out)
{
    size_t colon = span_index(text, ':');
    int64_t per_s = 0, burst = 0;
    *out = has_auto(row) && span_eq(text, SPAN("auto")) ? CONFIG_RATE_AUTO : 0;
    if (*out != 0 || span_ieq(text, SPAN("off")))
        return ERR_OK;
    enum err e = parse_digits(span_slice(text, 0, colon), false, &per_s);
    burst = per_s;
    if (e == ERR_OK && colon < text.len)
        e = parse_digits(span_slice(text, colon + 1, text.len), false, &burst);
    if (e == ERR_OK && (per_s > INT32_MAX || burst > INT32_MAX || (per_s == 0) != (burst == 0)))
        e = ERR_LIMIT;
    if (e == ERR_OK)
        *out = burst << RATE_SHIFT | per_s;
    return e;
}

struct rate_limit config_value_rate(int64_t number)
{
    return (struct rate_limit){.per_s = (uint32_t)number,
                               .burst = (uint32_t)(number >> RATE_SHIFT)};
}

enum err config_value_parse(const struct config_row *row, struct span text, int64_t *out)
{
    enum err e = ERR_SYNTAX;
    switch (row->type) {
    case CONFIG_INT:
        e = parse_int(text, out);
        break;
    case CONFIG_DURATION:
        e = parse_duration(text, out);
        break;
    case CONFIG_SIZE:
        e = measure_read(text, size_units, SIZE_UNITS, out);
        break;
    case CONFIG_BOOL:
        return parse_bool(text, out);
    case CONFIG_CHOICE:
        return parse_choice(row, text, out);
    case CONFIG_RATE:
        return parse_rate(row, text, out);
    case CONFIG_STRING:
    case CONFIG_SECRET:
        break;
    }
    return e == ERR_OK && (*out < row->min || *out > row_max(row)) ? ERR_LIMIT : e;
}

/* In the largest unit that leaves no fraction. */
static void add_number(struct buf *out, const struct config_row *row, int64_t n)
{
    const struct measure_unit *units = row->type == CONFIG_DURATION ? duration_units : size_units;
    size_t i = row->type == CONFIG_INT || n == 0 ? 0 : SIZE_UNITS - 1;
    while (i > 0 && n % units[i].factor != 0)
        i--;
    buf_add_i64(out, n / units[i].factor);
    if (row->type != CONFIG_INT && n != 0)
        buf_add_span(out, span_str(units[i].name));
}

static void add_range(struct buf *out, const struct config_row *row)
{
    if (row_max(row) == INT64_MAX && row->min <= 0)
        return;
    BUF_ADD_LIT(out, ", from ");
    add_number(out, row, row->min);
    if (row_max(row) == INT64_MAX) {
        BUF_ADD_LIT(out, " up");
        return;
    }
    BUF_ADD_LIT(out, " to ");
    add_number(out, row, row->max);
}

static void add_choices(struct buf *out, const struct config_row *row)
{
    BUF_ADD_LIT(out, "one of");
    for (size_t i = 0; row->choices[i] != NULL; i++)
        buf_addf(out, "%s %s", i == 0 ? "" : ",", row->choices[i]);
}

void config_value_add_allowed(struct buf *out, const struct config_row *row)
{
    switch (row->type) {
    case CONFIG_STRING:
    case CONFIG_SECRET:
        buf_addf(out, "a text%s", row->required ? " that is not empty" : "");
        return;
    case CONFIG_INT:
        BUF_ADD_LIT(out, "a whole number");
        break;
    case CONFIG_DURATION:
        BUF_ADD_LIT(out, "a duration such as 250ms, 15s, 2m or 1h");
        break;
    case CONFIG_SIZE:
        BUF_ADD_LIT(out, "a size such as 4096, 64KiB, 8MiB or 1GiB");
        break;
    case CONFIG_BOOL:
        BUF_ADD_LIT(out, "one of 1, 0, true, false, yes, no, on, off");
        return;
    case CONFIG_CHOICE:
        add_choices(out, row);
        return;
    case CONFIG_RATE:
        BUF_ADD_LIT(out, "a rate such as 50 or 50:200 (a second, and at once), ");
        if (has_auto(row))
            BUF_ADD_LIT(out, "auto ");
        BUF_ADD_LIT(out, "or off");
        return;
    }
    add_range(out, row);
}

void config_add_flag(struct buf *out, const struct config_row *row)
{
    for (const char *c = row->name; *c != '\0'; c++)
        buf_add_char(out, (char)(*c == '_' ? '-' : tolower((unsigned char)*c)));
}
