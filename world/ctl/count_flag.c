/* Numbers of the command line. */
#include "world/ctl/count_flag.h"

bool count_flag(const struct ctl *c, const char *flag, uint64_t min, uint64_t max, uint64_t *out)
{
    const char *text = args_value(&c->args, flag);
    if (text == NULL || (span_to_u64(span_str(text), out) == ERR_OK && *out >= min && *out <= max))
        return true;
    (void)ctl_problem(ENDED_USAGE, "--%s %s: a whole number from %llu to %llu", flag, text,
                      (unsigned long long)min, (unsigned long long)max);
    return false;
}
