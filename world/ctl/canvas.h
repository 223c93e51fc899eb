#pragma once
/* A screen in memory: what is to be seen, cell by cell. It is drawn by pure functions and shown by
 * screen.h. */
#include "common/base/buf.h"

enum ink { INK_PLAIN, INK_DIM, INK_STRONG, INK_GOOD, INK_WARN, INK_BAD, INK_BAR, INK_PICKED };

enum { CANVAS_MARKS = 3 }; /* combining marks of a cell that are kept */

struct canvas_cell {
    uint32_t c; /* 0: the right half of a wide one */
    uint32_t marks[CANVAS_MARKS];
    enum ink ink;
};

/* The all-zero one is empty. */
struct canvas {
    int width, height;
    struct canvas_cell *cells; /* row by row */
};

/* Blank, and as large as that. */
void canvas_reset(struct canvas *c, int width, int height);
void canvas_clear(struct canvas *c);
/* Writes `text` into at most `width` columns (negative: to the end of the row); what is too long
 * ends in "…". Answers how many it took; what lies outside is not drawn. */
int canvas_put(struct canvas *c, int row, int column, int width, enum ink ink, struct span text);
/* The same at the right end of these columns. */
void canvas_put_right(struct canvas *c, int row, int column, int width, enum ink ink,
                      struct span text);
/* Gives the whole row that ink. */
void canvas_ink(struct canvas *c, int row, enum ink ink);
const struct canvas_cell *canvas_at(const struct canvas *c, int row, int column);
/* Appends the row as UTF-8, without the blanks at its end. */
void canvas_add_row(const struct canvas *c, int row, struct buf *out);
