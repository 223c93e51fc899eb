/* A key is looked up in the mode's table, or taken as text. */
#include "world/ctl/top_view.h"

#include "world/ctl/glyph.h"

enum { KEY_ESCAPE = 27, KEY_ENTER = '\n', KEY_RETURN = '\r', FILTER_MAX = 120 /* bytes */ };

void top_view_init(struct top_view *v)
{
    *v = (struct top_view){0};
    for (int i = 0; i < TOP_PAGE_COUNT; i++) {
        v->sort[i] = top_sheets[i].sort;
        v->down[i] = top_sheets[i].sort_down;
    }
}

void top_view_clear(struct top_view *v)
{
    buf_clear(&v->filter);
    buf_clear(&v->picked);
    buf_clear(&v->subject);
    buf_clear(&v->said);
}

static void pick(struct top_view *v, const struct top_rows *rows, size_t at)
{
    v->cursor = at < rows->count ? at : rows->count > 0 ? rows->count - 1 : 0;
    buf_reset(&v->picked);
    if (rows->count > 0)
        buf_add_span(&v->picked, top_item_name(v->page, rows->items[v->cursor]));
}

static void scroll(struct top_view *v, const struct top_rows *rows, int height)
{
    size_t seen = height > 0 ? (size_t)height : 1;
    if (v->cursor < v->top)
        v->top = v->cursor;
    if (v->cursor >= v->top + seen)
        v->top = v->cursor + 1 - seen;
    if (v->top + seen > rows->count)
        v->top = rows->count > seen ? rows->count - seen : 0;
}

void top_view_settle(struct top_view *v, const struct top_rows *rows, int height)
{
    size_t at =
        v->picked.len == 0 ? rows->count : top_rows_find(rows, v->page, buf_span(&v->picked));
    if (at < rows->count)
        v->cursor = at;
    else
        v->cursor = v->cursor < rows->count ? v->cursor : rows->count > 0 ? rows->count - 1 : 0;
    scroll(v, rows, height);
}

struct top_order top_view_order(const struct top_view *v)
{
    return (struct top_order){.page = v->page,
                              .column = v->sort[v->page],
                              .down = v->down[v->page],
                              .filter = buf_span(&v->filter)};
}

static enum top_wish go_to(struct top_view *v, int page)
{
    v->page = (enum top_page)((page + TOP_PAGE_COUNT) % TOP_PAGE_COUNT);
    v->cursor = v->top = 0;
    buf_reset(&v->picked);
    return TOP_FETCH;
}

static enum top_wish sort_by(struct top_view *v, int step)
{
    int count = top_sheets[v->page].count;
    v->sort[v->page] = (v->sort[v->page] + step + count) % count;
    v->down[v->page] = top_sheets[v->page].columns[v->sort[v->page]].kind != TOP_TEXT;
    return TOP_NOTHING;
}

/* Whether the API has that verb for items of the page. */
static bool can_drain(enum top_page page)
{
    return page != TOP_ROOMS;
}

static enum top_wish ask(struct top_view *v, enum top_verb verb, const struct top_rows *rows)
{
    buf_reset(&v->said);
    if (!can_drain(v->page)) {
        BUF_ADD_LIT(&v->said, "A room cannot be drained, but its shards, nodes and room servers.");
        return TOP_NOTHING;
    }
    if (rows->count == 0)
        return TOP_NOTHING;
    v->mode = TOP_ASK;
    v->verb = verb;
    buf_reset(&v->subject);
    buf_add_span(&v->subject, top_item_name(v->page, rows->items[v->cursor]));
    return TOP_NOTHING;
}

static enum top_wish move(struct top_view *v, const struct top_rows *rows, int height, int64_t step)
{
    int64_t at = (int64_t)v->cursor + step;
    pick(v, rows, at > 0 ? (size_t)at : 0);
    scroll(v, rows, height);
    return TOP_NOTHING;
}

static enum top_wish enter(struct top_view *v, enum top_mode mode)
{
    v->mode = mode;
    buf_reset(&v->said);
    return TOP_NOTHING;
}

static enum top_wish unfilter(struct top_view *v)
{
    buf_reset(&v->said);
    if (v->filter.len == 0)
        return TOP_NOTHING;
    buf_reset(&v->filter);
    return TOP_FETCH;
}

static enum top_wish walk(struct top_view *v, uint32_t key, const struct top_rows *rows, int height)
{
    switch (key) {
    case 'k':
    case TOP_KEY_UP:
        return move(v, rows, height, -1);
    case 'j':
    case TOP_KEY_DOWN:
        return move(v, rows, height, 1);
    case TOP_KEY_PAGE_UP:
        return move(v, rows, height, -(int64_t)height);
    case TOP_KEY_PAGE_DOWN:
        return move(v, rows, height, height);
    case 'g':
    case TOP_KEY_HOME:
        return move(v, rows, height, -(int64_t)rows->count);
    case 'G':
    case TOP_KEY_END:
        return move(v, rows, height, (int64_t)rows->count);
    default:
        return TOP_NOTHING;
    }
}

static enum top_wish browse(struct top_view *v, uint32_t key, const struct top_rows *rows,
                            int height)
{
    switch (key) {
    case 'q':
        return TOP_QUIT;
    case '\t':
        return go_to(v, (int)v->page + 1);
    case TOP_KEY_BACK_TAB:
        return go_to(v, (int)v->page - 1);
    case '1':
    case '2':
    case '3':
    case '4':
        return go_to(v, (int)(key - '1'));
    case 's':
    case '>':
        return sort_by(v, 1);
    case '<':
        return sort_by(v, -1);
    case 'r':
        v->down[v->page] = !v->down[v->page];
        return TOP_NOTHING;
    case 'd':
        return ask(v, TOP_DRAIN, rows);
    case 'u':
        return ask(v, TOP_UNDRAIN, rows);
    case '/':
        return enter(v, TOP_FILTER);
    case '?':
    case 'h':
        return enter(v, TOP_HELP);
    case KEY_ESCAPE:
        return unfilter(v);
    default:
        return walk(v, key, rows, height);
    }
}

static void drop_letter(struct buf *text)
{
    while (text->len > 0 && ((uint8_t)text->data[text->len - 1] & 0xc0) == 0x80)
        text->len--;
    if (text->len > 0)
        text->len--;
}

static enum top_wish type(struct top_view *v, uint32_t key)
{
    switch (key) {
    case KEY_ENTER:
    case KEY_RETURN:
        v->mode = TOP_BROWSE;
        return TOP_FETCH;
    case KEY_ESCAPE:
        v->mode = TOP_BROWSE;
        return unfilter(v);
    case '\b':
    case 0x7f:
    case TOP_KEY_BACKSPACE:
        drop_letter(&v->filter);
        return TOP_FETCH;
    default:
        if (key < ' ' || key >= TOP_KEY_UP || v->filter.len >= FILTER_MAX)
            return TOP_NOTHING;
        glyph_add(&v->filter, key);
        return TOP_FETCH;
    }
}

enum top_wish top_view_key(struct top_view *v, uint32_t key, const struct top_rows *rows,
                           int height)
{
    switch (v->mode) {
    case TOP_BROWSE:
        return browse(v, key, rows, height);
    case TOP_FILTER:
        return type(v, key);
    case TOP_ASK:
        v->mode = TOP_BROWSE;
        return key == 'y' || key == 'Y' ? TOP_ACT : TOP_NOTHING;
    case TOP_HELP:
        v->mode = TOP_BROWSE;
        return TOP_NOTHING;
    }
    return TOP_NOTHING;
}
