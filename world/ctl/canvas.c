/* Cells, and how a text fills them. */
#include "world/ctl/canvas.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "world/ctl/glyph.h"

enum { ELLIPSIS = 0x2026 };

static struct canvas_cell *cell_at(struct canvas *c, int row, int column)
{
    return &c->cells[(size_t)row * (size_t)c->width + (size_t)column];
}

void canvas_reset(struct canvas *c, int width, int height)
{
    size_t count = (size_t)width * (size_t)height;
    c->cells = xreallocarray(c->cells, count > 0 ? count : 1, sizeof *c->cells);
    c->width = width;
    c->height = height;
    for (size_t i = 0; i < count; i++)
        c->cells[i] = (struct canvas_cell){.c = ' '};
}

void canvas_clear(struct canvas *c)
{
    free(c->cells);
    *c = (struct canvas){0};
}

/* The columns from `column` that lie on the canvas, at most `width`. */
static int room_for(const struct canvas *c, int row, int column, int width)
{
    if (row < 0 || row >= c->height || column < 0 || column >= c->width)
        return 0;
    return width < 0 || width > c->width - column ? c->width - column : width;
}

/* To the letter that ends in that column. */
static void add_mark(struct canvas *c, int row, int column, uint32_t mark)
{
    struct canvas_cell *cell = cell_at(c, row, column);
    if (cell->c == 0)
        cell--;
    for (int i = 0; i < CANVAS_MARKS; i++) {
        if (cell->marks[i] == 0) {
            cell->marks[i] = mark;
            return;
        }
    }
}

static void put_cell(struct canvas *c, int row, int column, enum ink ink, uint32_t code)
{
    *cell_at(c, row, column) = (struct canvas_cell){.c = code, .ink = ink};
}

int canvas_put(struct canvas *c, int row, int column, int width, enum ink ink, struct span text)
{
    int room = room_for(c, row, column, width), used = 0;
    bool cut = room > 0 && glyph_width(text) > room;
    int whole = cut ? room - 1 : room; /* the last one is the ellipsis' */

    if (room == 0)
        return 0;
    while (text.len > 0) {
        uint32_t code = glyph_next(&text);
        int columns = glyph_columns(code);
        if (used + columns > whole)
            break;
        if (columns == 0 && used > 0)
            add_mark(c, row, column + used - 1, code);
        if (columns > 0)
            put_cell(c, row, column + used, ink, code);
        if (columns > 1)
            put_cell(c, row, column + used + 1, ink, 0);
        used += columns;
    }
    if (cut)
        put_cell(c, row, column + used++, ink, ELLIPSIS);
    return used;
}

void canvas_put_right(struct canvas *c, int row, int column, int width, enum ink ink,
                      struct span text)
{
    int wide = glyph_width(text);
    int before = wide < width ? width - wide : 0;
    (void)canvas_put(c, row, column + before, width - before, ink, text);
}

void canvas_ink(struct canvas *c, int row, enum ink ink)
{
    if (row < 0 || row >= c->height)
        return;
    for (int i = 0; i < c->width; i++)
        cell_at(c, row, i)->ink = ink;
}

const struct canvas_cell *canvas_at(const struct canvas *c, int row, int column)
{
    return &c->cells[(size_t)row * (size_t)c->width + (size_t)column];
}

void canvas_add_row(const struct canvas *c, int row, struct buf *out)
{
    size_t end = out->len;
    for (int i = 0; i < c->width; i++) {
        const struct canvas_cell *cell = canvas_at(c, row, i);
        if (cell->c == 0)
            continue;
        glyph_add(out, cell->c);
        for (int m = 0; m < CANVAS_MARKS && cell->marks[m] != 0; m++)
            glyph_add(out, cell->marks[m]);
        if (cell->c != ' ')
            end = out->len;
    }
    out->len = end;
}
