/* Cells in the order they came, and how wide each column is. */
#include "world/ctl/table.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "world/ctl/glyph.h"
#include "world/ctl/text.h"

enum { GAP = 2 };

struct cell {
    size_t from, len; /* in `text` */
    size_t cells;
    enum paint paint;
};

struct table {
    const struct table_column *columns;
    size_t count;
    size_t width[TABLE_COLUMNS_MAX];
    struct buf text;
    struct cell *cells;
    size_t len, cap;
};

struct table *table_new(const struct table_column *columns, size_t count)
{
    struct table *t = xcalloc(1, sizeof(*t));

    t->columns = columns;
    t->count = count;
    for (size_t i = 0; i < count; i++)
        t->width[i] = strlen(columns[i].title);
    return t;
}

void table_free(struct table *t)
{
    buf_clear(&t->text);
    free(t->cells);
    free(t);
}

void table_add(struct table *t, struct span text, enum paint paint)
{
    size_t column = t->len % t->count;
    struct cell *c;

    if (t->len == t->cap) {
        t->cap = t->cap == 0 ? 64 : t->cap * 2;
        t->cells = xreallocarray(t->cells, t->cap, sizeof(*t->cells));
    }
    c = &t->cells[t->len++];
    *c = (struct cell){.from = t->text.len, .paint = paint};
    text_add(&t->text, text);
    c->len = t->text.len - c->from;
    c->cells = (size_t)glyph_width(span_slice(buf_span(&t->text), c->from, t->text.len));
    if (c->cells > t->width[column])
        t->width[column] = c->cells;
}

void table_add_number(struct table *t, int64_t n)
{
    struct buf text = {0};

    buf_add_i64(&text, n);
    table_add(t, buf_span(&text), PAINT_PLAIN);
    buf_clear(&text);
}

static void pad(struct buf *out, size_t n)
{
    memset(buf_reserve(out, n), ' ', n);
    out->len += n;
}

/* Nothing is padded behind the last column. */
static void print_cell(const struct table *t, size_t column, struct span text, size_t cells,
                       struct buf *out)
{
    size_t blanks = t->width[column] - cells;
    bool right = t->columns[column].align == TABLE_RIGHT, last = column + 1 == t->count;

    if (right)
        pad(out, blanks);
    buf_add_span(out, text);
    if (!right && !last)
        pad(out, blanks);
    if (last)
        buf_add_char(out, '\n');
    else
        pad(out, GAP);
}

void table_print(const struct table *t, bool colour, struct buf *out)
{
    struct buf cell = {0};

    assert(t->count > 0);
    for (size_t i = 0; i < t->count && t->len > 0; i++) {
        struct span title = span_str(t->columns[i].title);
        buf_reset(&cell);
        buf_add_span(&cell, paint_on(colour, PAINT_DIM));
        buf_add_span(&cell, title);
        buf_add_span(&cell, paint_off(colour, PAINT_DIM));
        print_cell(t, i, buf_span(&cell), title.len, out);
    }
    for (size_t i = 0; i < t->len; i++) {
        const struct cell *c = &t->cells[i];
        buf_reset(&cell);
        buf_add_span(&cell, paint_on(colour, c->paint));
        buf_add_span(&cell, span_slice(buf_span(&t->text), c->from, c->from + c->len));
        buf_add_span(&cell, paint_off(colour, c->paint));
        print_cell(t, i % t->count, buf_span(&cell), c->cells, out);
    }
    buf_clear(&cell);
}

size_t table_rows(const struct table *t)
{
    return t->len / t->count;
}
