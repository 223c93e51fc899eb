#pragma once
/* Colours on a terminal. */
#include "common/base/span.h"

enum paint { PAINT_PLAIN, PAINT_BOLD, PAINT_DIM, PAINT_GOOD, PAINT_WARN, PAINT_BAD };

/* The sequence that begins it; empty when `colour` is false, or for PAINT_PLAIN. */
struct span paint_on(bool colour, enum paint p);
struct span paint_off(bool colour, enum paint p);
/* How words of the API look: active, alive and up are good, draining and suspect warn, dead and
 * down are bad. */
enum paint paint_of_state(struct span word);
