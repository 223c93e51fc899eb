#pragma once
/* Columns on a terminal: numbers to the right, as wide as their widest cell. */
#include "common/base/buf.h"
#include "world/ctl/paint.h"

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
    const char *title;
    enum table_align align;
};

enum { TABLE_COLUMNS_MAX = 16 };

struct table;
/* `columns` is kept as a pointer. */
struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *t);
/* The next cell; a row ends with its last column. Text goes through text_add. */
void table_add(struct table *t, struct span text, enum paint paint);
void table_add_number(struct table *t, int64_t n);
/* Appends the rows below their titles; nothing when there are none. */
void table_print(const struct table *t, bool colour, struct buf *out);
size_t table_rows(const struct table *t);
