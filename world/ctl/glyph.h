#pragma once
/* Text as terminals show it: code points and the columns they take. What would move the cursor,
 * change colours or turn the line around is never passed on: names come from strangers. */
#include "common/base/buf.h"

/* Takes the first code point off *rest (which is not empty). What is not UTF-8 comes as U+FFFD. */
uint32_t glyph_take(struct span *rest);
/* Whether a terminal could take it as more than a letter: a control, a mark of direction, a line's
 * end. */
bool glyph_acts(uint32_t c);
/* As glyph_take; what acts comes as U+FFFD, too. */
uint32_t glyph_next(struct span *rest);
/* 0 (it combines with what is before it), 1 or 2; by the ranges of UAX #11 that matter. */
int glyph_columns(uint32_t c);
void glyph_add(struct buf *out, uint32_t c); /* as UTF-8 */
/* The columns of a text. */
int glyph_width(struct span text);
