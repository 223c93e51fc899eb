#pragma once
/* What somebody at `worldctl top` has chosen, and what keys do to it. Knows no terminal. */
#include "world/ctl/top_rows.h"

enum top_mode { TOP_BROWSE, TOP_FILTER, TOP_ASK, TOP_HELP };

enum top_verb { TOP_DRAIN, TOP_UNDRAIN };

/* What a key asks of the caller. */
enum top_wish {
    TOP_NOTHING, /* but to draw again */
    TOP_QUIT,
    TOP_FETCH, /* another page or filter: its list is wanted at once */
    TOP_ACT,   /* view->verb is to be done to view->subject on view->page */
};

/* Keys that are no character. */
enum top_key {
    TOP_KEY_UP = 0x110000, /* beyond Unicode */
    TOP_KEY_DOWN,
    TOP_KEY_PAGE_UP,
    TOP_KEY_PAGE_DOWN,
    TOP_KEY_HOME,
    TOP_KEY_END,
    TOP_KEY_BACK_TAB,
    TOP_KEY_BACKSPACE,
};

struct top_view {
    enum top_page page;
    enum top_mode mode;
    int sort[TOP_PAGE_COUNT]; /* columns */
    bool down[TOP_PAGE_COUNT];
    struct buf filter;  /* UTF-8; of all pages */
    struct buf picked;  /* the name under the cursor; empty: the first row */
    size_t cursor, top; /* rows; the cursor follows `picked` */
    enum top_verb verb;
    struct buf subject; /* whom the question is about */
    struct buf said;    /* the line at the bottom: what came of the last wish */
};

void top_view_init(struct top_view *v);
void top_view_clear(struct top_view *v);
/* `key`: a code point or a top_key. `rows`: those of the page; `height`: how many are seen. */
enum top_wish top_view_key(struct top_view *v, uint32_t key, const struct top_rows *rows,
                           int height);
/* Rows have changed: the cursor stays on its item, or where it was, and is seen. */
void top_view_settle(struct top_view *v, const struct top_rows *rows, int height);
/* How the page is ordered. The filter is borrowed. */
struct top_order top_view_order(const struct top_view *v);
