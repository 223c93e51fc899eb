/* sim-leases --seed N | --seeds A-B [--off FEATURE] [--trace]: see tests/sim/README.md. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "tests/sim/leases/cluster.h"

enum { STATUS_FAILED = 1, STATUS_USAGE = 2 };

const char *const off_names[OFF_COUNT] = {
    [OFF_DEADLINE] = "deadline", [OFF_GRACE] = "grace",   [OFF_EPOCH] = "epoch",
    [OFF_AGO] = "ago",           [OFF_STORED] = "stored", [OFF_LATE] = "late",
};
bool off[OFF_COUNT];

bool __real_leases_in_grace(const struct leases *l, int64_t now);
bool __wrap_leases_in_grace(const struct leases *l, int64_t now);
void __wrap_rng_bytes(void *out, size_t len);

bool __wrap_leases_in_grace(const struct leases *l, int64_t now)
{
    return !off[OFF_GRACE] && __real_leases_in_grace(l, now);
}

/* So that a seed is all that decides: the keys of hash maps. */
void __wrap_rng_bytes(void *out, size_t len)
{
    memset(out, 7, len);
}

static bool read_range(const char *text, uint64_t *first, uint64_t *last)
{
    struct span rest = span_str(text), part;

    if (!span_split(&rest, '-', &part) || span_to_u64(part, first) != ERR_OK)
        return false;
    *last = *first;
    return rest.ptr == NULL || span_to_u64(rest, last) == ERR_OK;
}

static bool read_off(const char *text)
{
    for (int i = 0; i < OFF_COUNT; i++) {
        if (strcmp(text, off_names[i]) == 0)
            return off[i] = true;
    }
    return false;
}

static void say_nothing(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

int main(int argc, char **argv)
{
    static struct cluster cluster;
    uint64_t first = 1, last = 0, doubles = 0, extended = 0, raised = 0, taken = 0;
    bool is_traced = false, good = true;

    for (int i = 1; i < argc && good; i++) {
        if (strcmp(argv[i], "--trace") == 0)
            is_traced = true;
        else if (i + 1 == argc)
            good = false;
        else if (strcmp(argv[i], "--off") == 0)
            good = read_off(argv[++i]);
        else
            good = strncmp(argv[i], "--seed", 6) == 0 && read_range(argv[++i], &first, &last);
    }
    if (!good || first > last) {
        (void)fputs("usage: sim-leases --seed N | --seeds A-B [--trace] "
                    "[--off deadline|grace|epoch|ago|stored|late]\n",
                    stderr);
        return STATUS_USAGE;
    }
    log_open("sim-leases", LOG_ERROR, LOG_TEXT);
    log_capture(say_nothing);
    for (uint64_t seed = first; seed <= last; seed++) {
        if (!cluster_run(seed, is_traced, &cluster))
            return STATUS_FAILED;
        doubles += cluster.doubles;
        extended += cluster.extended;
        raised += cluster.raised;
        taken += cluster.taken;
    }
    printf("%" PRIu64 " seeds hold: %" PRIu64 " leases given, %" PRIu64 " raised, %" PRIu64
           " moments without Redis, %" PRIu64 " with two owners that nobody could know of\n",
           last - first + 1, taken, raised, extended, doubles);
    return 0;
}
