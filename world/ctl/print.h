#pragma once
/* What goes to stdout. */
#include "common/base/json.h"

/* Appends the value as JSON over several lines, two blanks a level: whole numbers without a point,
 * members in their order. */
void print_json(struct buf *out, const json_t *value);
/* Writes it to stdout and empties it. False: stdout takes no more. */
bool print_flush(struct buf *out);
/* A member's number; 0: none. */
int64_t print_number(const json_t *object, const char *key);
/* A member's text; empty: none. */
struct span print_text(const json_t *object, const char *key);
