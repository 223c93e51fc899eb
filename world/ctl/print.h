#pragma once
/* What goes to stdout. */
#include "common/base/json.h"

/* Appends the value as JSON over several lines, two blanks a level: whole numbers without a point,
 * members in their order. */
void print_json(struct buf *out, const json_t *value);
/* Writes it to stdout and empties it. False: stdout takes no more; it was said
 * why, unless nobody reads. */
bool print_flush(struct buf *out);
