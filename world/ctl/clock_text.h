#pragma once
/* The time of day at the beginning of a line. */
#include "common/base/buf.h"

/* Appends the time of day here, "14:03:59 ". */
void clock_text_add(struct buf *out);
