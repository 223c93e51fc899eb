#pragma once
/* The pages of `worldctl top`, as a table of columns: what each shows of an item of the management
 * API's lists (docs/protocol.md, "Management API"), and how wide it is. */
#include "common/base/json.h"
#include "world/ctl/canvas.h"

enum top_page { TOP_ROOMS, TOP_NODES, TOP_SHARDS, TOP_SERVERS, TOP_PAGE_COUNT };

enum top_kind {
    TOP_TEXT,      /* a member that is a text */
    TOP_NUMBER,    /* one that is a number */
    TOP_CLIENTS,   /* open and kept of the capacity: "12/75" */
    TOP_LOAD,      /* a bar of the same */
    TOP_STATE,     /* what people must see first: draining, suspect, full… */
    TOP_SHARDS_OF, /* of a room: those that are active, of all */
    TOP_MS,        /* a member that is a duration */
    TOP_SINCE,     /* a member that is a time; shown is how long ago */
    TOP_YES,       /* a member that is true or not */
};

struct top_column {
    const char *title;
    const char *member; /* NULL: none alone */
    enum top_kind kind;
    int width; /* 0: what the others leave */
    int rank;  /* where there is no room, the highest goes first; 0 stays */
};

struct top_sheet {
    const char *name; /* "rooms": of the list, and in its path */
    const char *key;  /* the member that names an item */
    const struct top_column *columns;
    int count;
    int sort;       /* the column that it begins with */
    bool sort_down; /* the largest first */
};
extern const struct top_sheet top_sheets[TOP_PAGE_COUNT];

enum { TOP_COLUMNS_MAX = 10 };

/* An item's name; empty: it has none. Borrowed. */
struct span top_item_name(enum top_page page, const json_t *item);

struct top_cell {
    struct buf text;
    enum ink ink;
    double number; /* what counts when rows are sorted; of TOP_TEXT 0 */
    bool right;    /* stands at the right */
};
/* What the column shows of `item`. `out` keeps its memory; clear out->text once. */
void top_cell(const struct top_column *column, const json_t *item, int64_t now_ms,
              struct top_cell *out);
/* Widths of the columns on a screen so wide, 0 for those that have no place; at least the first has
 * one. One column is left between two. */
void top_widths(const struct top_sheet *sheet, int screen, int width[], int count);
/* Appends "1h 2m", "3m 4s", "5.6s" or "78ms". */
void top_add_ms(struct buf *out, double ms);
