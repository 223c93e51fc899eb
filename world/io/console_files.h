#pragma once
/* The files of the dashboard (world/dashboard), embedded by the build. */
#include "common/base/span.h"

struct embedded_file {
    const char *path; /* below the folder; NULL: the end of the list */
    const char *type; /* its media type */
    const char *tag;  /* with quotes; another one when its bytes are others */
    struct span body;
};

extern const struct embedded_file console_files[];
