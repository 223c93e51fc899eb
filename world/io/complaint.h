#pragma once
/* The form of an error that io answers by itself: on our own routes a problem, on the reference's
 * what the reference's clients know. */
#include "world/core/api/api.h"

/* Whole header lines, and the body. Free both with complaint_clear. */
struct complaint {
    struct buf headers, body;
};

/* Fills it (all-zero before) for a request to `path`, of that trace id (empty: none). `lines`:
 * headers besides those of the form.
 */
void complaint_make(struct complaint *c, struct span path, const char *trace, int status,
                    struct span lines, struct span text);
void complaint_clear(struct complaint *c);
