/* The lock is the kernel's and goes with the process, however it ends. */
#include "world/io/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DATA_DIR_MODE = 0700 };

enum err data_dir_open(int *fd, const char *path, struct buf *why)
{
    if (mkdir(path, DATA_DIR_MODE) != 0 && errno != EEXIST) {
        buf_addf(why, "%s cannot be made: %s", path, strerror(errno));
        return ERR_IO;
    }
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0) {
        buf_addf(why, "%s cannot be opened: %s", path, strerror(errno));
        return ERR_IO;
    }
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK;
    if (errno == EWOULDBLOCK)
        buf_addf(why, "%s is in use by another world process", path);
    else
        buf_addf(why, "%s cannot be locked: %s", path, strerror(errno));
    (void)close(*fd);
    *fd = -1;
    return errno == EWOULDBLOCK ? ERR_DENIED : ERR_IO;
}
