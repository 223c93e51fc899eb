/* Reading whole files. The size is not asked for: in /proc it is 0, and it may change. */
#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The bytes that one read(2) brought, 0 at the end of the file, or -1. */
static ssize_t read_some(int fd, char *into, size_t max)
{
    ssize_t n;
    do
        n = read(fd, into, max);
    while (n < 0 && errno == EINTR);
    return n;
}

enum err file_read(const char *path, size_t limit, struct buf *out)
{
    enum { STEP = 4096 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ERR_IO;
    size_t before = out->len;
    ssize_t n;
    while ((n = read_some(fd, buf_reserve(out, STEP), STEP)) > 0 && out->len - before <= limit)
        out->len += (size_t)n;
    int error = errno;
    enum err result = n < 0 ? ERR_IO : out->len - before > limit ? ERR_LIMIT : ERR_OK;
    if (result != ERR_OK)
        out->len = before;
    (void)close(fd);
    errno = error;
    return result;
}
