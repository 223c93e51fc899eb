#pragma once
/* How far something is: a bar on a terminal, else a line for each change. */
#include "world/ctl/ctl.h"

struct progress {
    const struct ctl *c;
    const char *unit; /* "clients" */
    int64_t from;     /* the most that was left; 0: nothing was told yet */
    int64_t last;
    bool told;
    bool on_line; /* the bar stands on the terminal's last line */
};

/* Tells that `left` are left, `ms` after the beginning. With -o json nothing is told. */
void progress_tell(struct progress *p, int64_t left, int64_t ms);
/* Takes the bar away. */
void progress_end(struct progress *p);
