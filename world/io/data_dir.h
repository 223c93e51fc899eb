#pragma once
/* The folder that a world process keeps its data in, alone. */
#include "common/base/buf.h"

/* Makes the folder (0700) if it is missing, its parent must be there, and locks it for as long as
 * *fd is open, which the caller closes. ERR_DENIED: another process holds it; ERR_IO: anything
 * else; `why` says it for a person. */
MUST_CHECK enum err data_dir_open(int *fd, const char *path, struct buf *why);
