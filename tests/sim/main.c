/* sim --seed N [--steps M] [--off FEATURE] [--trace], or --seeds A-B: see README.md. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/span.h"
#include "tests/sim/sim.h"

enum { STEPS = 200, STATUS_FAILED = 1, STATUS_USAGE = 2 };

static const char usage[] = "usage: sim --seed N | --seeds A-B  [--steps M] [--off "
                            "seq|expiry|returning|repeat|missing] [--trace]\n";

struct options {
    uint64_t first, last, steps;
    bool is_traced;
};

static bool read_range(const char *text, struct options *o)
{
    struct span rest = span_str(text), part;
    if (!span_split(&rest, '-', &part) || span_to_u64(part, &o->first) != ERR_OK)
        return false;
    o->last = o->first;
    return rest.ptr == NULL || span_to_u64(rest, &o->last) == ERR_OK;
}

static bool read_off(const char *text)
{
    for (int i = 0; i < SIM_OFF_COUNT; i++) {
        if (strcmp(text, sim_off_names[i]) == 0) {
            sim_off[i] = true;
            return true;
        }
    }
    return false;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    *o = (struct options){.first = 1, .steps = STEPS};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        bool good = true;
        if (strcmp(name, "--trace") == 0) {
            o->is_traced = true;
            continue;
        }
        i++;
        if (strcmp(name, "--seed") == 0 || strcmp(name, "--seeds") == 0)
            good = read_range(value, o);
        else if (strcmp(name, "--steps") == 0)
            good = span_to_u64(span_str(value), &o->steps) == ERR_OK;
        else
            good = strcmp(name, "--off") == 0 && read_off(value);
        if (!good)
            return false;
    }
    return o->last >= o->first;
}

static void on_abort(int signal_number)
{
    (void)signal_number;
    sim_print_last("an assertion");
    _Exit(STATUS_FAILED);
}

static void say_nothing(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static void say(const char *line, size_t len)
{
    (void)fwrite(line, 1, len, stdout);
}

int main(int argc, char **argv)
{
    struct options o;
    if (!read_options(argc, argv, &o)) {
        (void)fputs(usage, stderr);
        return STATUS_USAGE;
    }
    log_open("sim", o.is_traced ? LOG_DEBUG : LOG_ERROR, LOG_TEXT);
    log_capture(o.is_traced ? say : say_nothing);
    (void)signal(SIGABRT, on_abort);
    for (uint64_t seed = o.first; seed <= o.last; seed++) {
        if (!sim_run(seed, o.steps, o.is_traced))
            return STATUS_FAILED;
    }
    printf("%" PRIu64 " seeds hold\n", o.last - o.first + 1);
    return 0;
}
