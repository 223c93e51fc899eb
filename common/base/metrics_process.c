/* The figures of the process itself, as Prometheus client libraries name them. */
#include "common/base/metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/version.h"

enum { PROC_FILE_MAX = 4 * 1024 * 1024 }; /* /proc/stat has a long line per core */

struct figure {
    const char *name;
    enum metric_type type;
    const char *help;
    bool (*read)(struct buf *out); /* adds the value; false: the system does not say */
};

/* The n-th blank-separated word, counted from 0, as a number. */
static bool word_u64(struct span line, size_t n, uint64_t *out)
{
    struct span word = {.ptr = NULL};
    for (size_t i = 0; i <= n; i++) {
        if (!span_split(&line, ' ', &word))
            return false;
    }
    return span_to_u64(span_trim(word), out) == ERR_OK;
}

static void add_fraction(struct buf *out, uint64_t whole, uint64_t part, int digits)
{
    buf_addf(out, "%llu.%0*llu", (unsigned long long)whole, digits, (unsigned long long)part);
}

static bool read_cpu(struct buf *out)
{
    struct timespec ts;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) != 0)
        return false;
    add_fraction(out, (uint64_t)ts.tv_sec, (uint64_t)ts.tv_nsec / 1000, 6);
    return true;
}

static bool read_memory(struct buf *out)
{
    struct buf text = {.len = 0};
    uint64_t pages = 0;
    long page = sysconf(_SC_PAGESIZE);
    bool known = page > 0 && file_read("/proc/self/statm", PROC_FILE_MAX, &text) == ERR_OK &&
                 word_u64(buf_span(&text), 1, &pages);
    if (known)
        buf_add_u64(out, pages * (uint64_t)page);
    buf_clear(&text);
    return known;
}

static bool count_open_fds(uint64_t *count)
{
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL)
        return false;
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        *count += e->d_name[0] != '.';
    (void)closedir(dir);
    *count -= *count > 0; /* the one that read the folder */
    return true;
}

static bool read_open_fds(struct buf *out)
{
    struct stat st;
    uint64_t count = 0;
    /* Since Linux 6.2 the folder's size is the number, which spares reading 100 000 names. */
    if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
        count = (uint64_t)st.st_size;
    else if (!count_open_fds(&count))
        return false;
    buf_add_u64(out, count);
    return true;
}

static bool read_max_fds(struct buf *out)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    buf_add_u64(out, limit.rlim_cur);
    return true;
}

/* Seconds since 1970 at which the machine started: the line "btime N" of /proc/stat. */
static bool read_boot_time(uint64_t *seconds)
{
    struct buf text = {.len = 0};
    bool found = false;
    if (file_read("/proc/stat", PROC_FILE_MAX, &text) == ERR_OK) {
        struct span rest = buf_span(&text), line;
        while (!found && span_split(&rest, '\n', &line))
            found = span_starts(line, SPAN("btime ")) && word_u64(line, 1, seconds);
    }
    buf_clear(&text);
    return found;
}

static bool read_start_time(struct buf *out)
{
    enum { START_WORD = 19 }; /* field 22 of proc(5), counted from behind the command's name */
    struct buf text = {.len = 0};
    uint64_t boot = 0, ticks = 0;
    long hz = sysconf(_SC_CLK_TCK);
    bool known = false;
    if (hz > 0 && read_boot_time(&boot) &&
        file_read("/proc/self/stat", PROC_FILE_MAX, &text) == ERR_OK) {
        /* The name may hold blanks and brackets: what follows the last one is safe to split. */
        struct span all = buf_span(&text);
        known = word_u64(span_slice(all, span_rindex(all, ')') + 2, all.len), START_WORD, &ticks);
    }
    if (known) {
        uint64_t per_s = (uint64_t)hz;
        add_fraction(out, boot + ticks / per_s, ticks % per_s * 100 / per_s, 2);
    }
    buf_clear(&text);
    return known;
}

static const struct figure figures[] = {
    {"process_cpu_seconds_total", METRIC_COUNTER, "User and system CPU time spent in seconds.",
     read_cpu},
    {"process_resident_memory_bytes", METRIC_GAUGE, "Resident memory size in bytes.", read_memory},
    {"process_open_fds", METRIC_GAUGE, "Number of open file descriptors.", read_open_fds},
    {"process_max_fds", METRIC_GAUGE, "Maximum number of open file descriptors.", read_max_fds},
    {"process_start_time_seconds", METRIC_GAUGE,
     "Start time of the process since unix epoch in seconds.", read_start_time},
};

static void render_build_info(struct buf *out, bool openmetrics)
{
    /* OpenMetrics has a type of its own for this, and names the family without _info. */
    const char *family = openmetrics ? "terrane_build" : "terrane_build_info";
    buf_addf(out, "# HELP %s The version that runs, as a label.\n", family);
    buf_addf(out, "# TYPE %s %s\n", family, openmetrics ? "info" : "gauge");
    BUF_ADD_LIT(out, "terrane_build_info{version=\"" TERRANE_VERSION "\"} 1\n");
}

void metrics_render_process(struct buf *out, bool openmetrics)
{
    struct buf value = {.len = 0};
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        const struct figure *f = &figures[i];
        buf_reset(&value);
        if (!f->read(&value))
            continue;
        metrics_render_head(out, f->name, f->type, f->help, openmetrics);
        buf_addf(out, "%s %.*s\n", f->name, SPAN_ARG(buf_span(&value)));
    }
    buf_clear(&value);
    render_build_info(out, openmetrics);
}
