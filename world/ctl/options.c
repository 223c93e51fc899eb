/* Numbers and durations. */
#include "world/ctl/options.h"

#include "common/base/measure.h"

static const int64_t DURATION_MAX_MS = 365LL * 24 * 3600 * 1000;

bool options_number(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t n;

    if (span_to_u64(span_str(text), &n) == ERR_OK && n >= min && n <= max) {
        *out = n;
        return true;
    }
    (void)ctl_problem(ENDED_USAGE, "%s must be a whole number from %llu to %llu, not '%s'", what,
                      (unsigned long long)min, (unsigned long long)max, text);
    return false;
}

static void flag_name(struct buf *out, const char *flag)
{
    buf_addf(out, "--%s", flag);
    buf_add_char(out, '\0');
}

bool options_count(const struct ctl *c, const char *flag, uint64_t min, uint64_t max, uint64_t *out)
{
    const char *text = args_value(&c->args, flag);
    struct buf name = {0};
    bool good;

    if (text == NULL)
        return true;
    flag_name(&name, flag);
    good = options_number(name.data, text, min, max, out);
    buf_clear(&name);
    return good;
}

static bool read_duration(struct span text, int64_t *ms)
{
    static const struct measure_unit units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                                {"h", 3600000}, {"d", 86400000}, {"", 1000}};
    int64_t n;

    if (measure_read(text, units, sizeof units / sizeof *units, &n) != ERR_OK ||
        n > DURATION_MAX_MS)
        return false;
    *ms = n;
    return true;
}

bool options_duration(const struct ctl *c, const char *flag, int64_t *ms)
{
    const char *text = args_value(&c->args, flag);

    if (text == NULL || read_duration(span_str(text), ms))
        return true;
    (void)ctl_problem(ENDED_USAGE, "--%s must be a time such as 30s, 10m or 2h, not '%s'", flag,
                      text);
    return false;
}
