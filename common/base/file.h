#pragma once
/* Whole small files: settings, secrets, what /proc says. */
#include "common/base/buf.h"

/* Appends the content of the file. ERR_LIMIT: it is larger than `limit` bytes; ERR_IO: it cannot be
 * read, and errno says why. `out` is as it was then. */
MUST_CHECK enum err file_read(const char *path, size_t limit, struct buf *out);
