/* The wall clock of a program that tests set back or forward while it runs: loaded before the C
 * library, which it stands in for where the time of day is asked. Monotonic clocks stay as they
 * are. TESTS_CLOCK names a file of 8 bytes: by how many milliseconds the clock is ahead.
 * libfaketime would do, but for programs on jemalloc, such as Redis, which ask for the time before
 * it is ready. */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t ahead_ms(void)
{
    static const volatile int64_t *shared;
    static int tried;

    if (!tried) {
        const char *name = getenv("TESTS_CLOCK");
        int fd = name != NULL ? open(name, O_RDONLY | O_CLOEXEC) : -1;
        void *map = fd >= 0 ? mmap(NULL, sizeof *shared, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

        tried = 1;
        shared = map != MAP_FAILED ? map : NULL;
    }
    return shared != NULL ? *shared : 0;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int64_t ns;

    if (syscall(SYS_clock_gettime, clock, out) != 0)
        return -1;
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)
        return 0;
    ns = ((int64_t)out->tv_sec * 1000 + ahead_ms()) * 1000000 + out->tv_nsec;
    out->tv_sec = (time_t)(ns / 1000000000);
    out->tv_nsec = (long)(ns % 1000000000);
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}
