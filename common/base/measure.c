/* Measures, whatever they measure: which units there are is the caller's. */
#include "common/base/measure.h"

static size_t count_digits(struct span text)
{
    size_t n = 0;
    while (n < text.len && text.ptr[n] >= '0' && text.ptr[n] <= '9')
        n++;
    return n;
}

static const struct measure_unit *unit_named(struct span name, const struct measure_unit *units,
                                             size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (span_eq(name, span_str(units[i].name)))
            return &units[i];
    return NULL;
}

enum err measure_read(struct span text, const struct measure_unit *units, size_t count,
                      int64_t *out)
{
    size_t digits = count_digits(text);
    const struct measure_unit *unit = unit_named(span_slice(text, digits, text.len), units, count);
    uint64_t n;
    enum err e = span_to_u64(span_slice(text, 0, digits), &n);
    if (e == ERR_SYNTAX || unit == NULL)
        return ERR_SYNTAX;
    if (e != ERR_OK || n > INT64_MAX || __builtin_mul_overflow((int64_t)n, unit->factor, out))
        return ERR_LIMIT;
    return ERR_OK;
}
