/* From the top: who and where, what matters in pieces that flow over a few rows, the pages' names,
 * titles, items, and one line that answers keys. */
#include "world/ctl/top_draw.h"

#include <stdarg.h>
#include <stdio.h>

#include "world/ctl/glyph.h"

enum {
    FLOW_ROWS = 3,
    GAP = 3,
    ROWS_BELOW_FLOW = 3, /* pages, titles, the last line */
    LAG_WARN_MS = 100,
};

/* Pieces of text, one behind the other. */
struct flow {
    struct canvas *c; /* NULL: only measured */
    int width, row, column, last_row;
};

static void flow_put(struct flow *f, enum ink ink, struct span text)
{
    int wide = glyph_width(text);
    if (f->column > 0 && f->column + wide > f->width) {
        f->column = 0;
        f->row++;
    }
    if (f->row > f->last_row)
        return;
    if (f->c != NULL)
        (void)canvas_put(f->c, f->row, f->column, -1, ink, text);
    f->column += wide + GAP;
}

PRINTF_LIKE(3, 4)
static void flow_putf(struct flow *f, enum ink ink, const char *fmt, ...)
{
    char text[160];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (len > 0)
        flow_put(f, ink, span_str(text));
}

static void put_clients(struct flow *f, const struct top_data *d)
{
    double used = top_data_number(d, "connections"), capacity = top_data_number(d, "capacity");
    double share = capacity > 0 ? 100 * used / capacity : 0;
    flow_putf(f, share >= 100 ? INK_BAD : INK_STRONG, "clients %.0f/%.0f (%.0f%%)", used, capacity,
              share);
}

static void put_rates(struct flow *f, const struct top_data *d)
{
    double kept = top_data_number(d, "reserved") + top_data_number(d, "returning");
    double lag = top_data_number(d, "process.lagMs");
    if (d->rates) {
        flow_putf(f, d->refusals_s > 0 ? INK_BAD : INK_PLAIN, "refusals %.1f/s", d->refusals_s);
        flow_putf(f, INK_PLAIN, "placements %.1f/s", d->placements_s);
    }
    flow_putf(f, lag >= LAG_WARN_MS ? INK_WARN : INK_PLAIN, "lag %.0fms", lag);
    if (kept > 0)
        flow_putf(f, INK_PLAIN, "kept seats %.0f", kept);
}

static void put_nodes(struct flow *f, const struct top_data *d)
{
    double alive = top_data_number(d, "nodes.alive"), suspect = top_data_number(d, "nodes.suspect");
    double dead = top_data_number(d, "nodes.dead"), gone = top_data_number(d, "nodes.expected");
    double down = top_data_number(d, "servers.down") + top_data_number(d, "servers.dead");
    flow_putf(f,
              dead > 0      ? INK_BAD
              : suspect > 0 ? INK_WARN
                            : INK_PLAIN,
              "nodes %.0f/%.0f alive", alive, alive + suspect + dead + gone);
    if (down > 0)
        flow_putf(f, INK_BAD, "room servers down %.0f", down);
    double draining = top_data_number(d, "shards.draining");
    if (draining > 0)
        flow_putf(f, INK_WARN, "draining shards %.0f", draining);
}

static void put_findings(struct flow *f, const struct top_data *d)
{
    static const struct {
        const char *path, *name;
        enum ink ink;
    } levels[] = {
        {"findings.error", "errors", INK_BAD},
        {"findings.warning", "warnings", INK_WARN},
        {"findings.notice", "notices", INK_PLAIN},
    };
    double all = 0;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        double count = top_data_number(d, levels[i].path);
        all += count;
        if (count > 0)
            flow_putf(f, levels[i].ink, "%s %.0f", levels[i].name, count);
    }
    if (all > 0)
        flow_put(f, INK_DIM, SPAN("(worldctl doctor)"));
    else
        flow_put(f, INK_GOOD, SPAN("no findings"));
}

/* Answers the row behind it. */
static int put_flow(struct canvas *c, int width, int row, const struct top_data *d)
{
    struct flow f = {.c = c, .width = width, .row = row, .last_row = row + FLOW_ROWS - 1};
    if (d->trouble.len > 0) {
        flow_put(&f, INK_BAD, SPAN("not reached, trying"));
        flow_put(&f, INK_BAD, buf_span(&d->trouble));
        f.column = width;
    }
    if (d->overview != NULL) {
        put_findings(&f, d);
        put_clients(&f, d);
        put_nodes(&f, d);
        put_rates(&f, d);
    } else if (d->trouble.len == 0) {
        flow_put(&f, INK_DIM, SPAN("asking…"));
    }
    return (f.row < f.last_row ? f.row : f.last_row) + 1;
}

static void draw_head(struct canvas *c, const struct top_data *d)
{
    int used = canvas_put(c, 0, 0, -1, INK_STRONG, d->world);
    (void)canvas_put(c, 0, used + 2, -1, INK_DIM, d->url);
}

static void draw_pages(struct canvas *c, int row, const struct top_view *v,
                       const struct top_data *d, const struct top_rows *rows)
{
    struct buf text = {0};
    int column = 0;
    for (int i = 0; i < TOP_PAGE_COUNT; i++) {
        buf_reset(&text);
        buf_addf(&text, " %d %s ", i + 1, top_sheets[i].name);
        column += canvas_put(c, row, column, -1, i == (int)v->page ? INK_PICKED : INK_DIM,
                             buf_span(&text));
    }
    buf_reset(&text);
    buf_addf(&text, "%zu%s shown", rows->count, d->more[v->page] ? " of more" : "");
    if (v->filter.len > 0)
        buf_addf(&text, ", /%.*s", SPAN_ARG(buf_span(&v->filter)));
    (void)canvas_put(c, row, column + 2, -1, INK_PLAIN, buf_span(&text));
    buf_clear(&text);
}

static bool stands_right(enum top_kind kind)
{
    return kind != TOP_TEXT && kind != TOP_STATE && kind != TOP_LOAD && kind != TOP_YES;
}

static void draw_titles(struct canvas *c, int row, const struct top_view *v, const int width[])
{
    const struct top_sheet *sheet = &top_sheets[v->page];
    struct buf text = {0};
    for (int i = 0, column = 0; i < sheet->count; i++) {
        if (width[i] == 0)
            continue;
        const struct top_column *of = &sheet->columns[i];
        buf_reset(&text);
        buf_addf(&text, "%s%s", of->title,
                 i != v->sort[v->page] ? ""
                 : v->down[v->page]    ? "▼"
                                       : "▲");
        if (stands_right(of->kind))
            canvas_put_right(c, row, column, width[i], INK_STRONG, buf_span(&text));
        else
            (void)canvas_put(c, row, column, width[i], INK_STRONG, buf_span(&text));
        column += width[i] + 1;
    }
    buf_clear(&text);
}

static void draw_item(struct canvas *c, int row, const struct top_sheet *sheet, const json_t *item,
                      int64_t now_ms, const int width[])
{
    struct top_cell cell = {0};
    for (int i = 0, column = 0; i < sheet->count; i++) {
        if (width[i] == 0)
            continue;
        top_cell(&sheet->columns[i], item, now_ms, &cell);
        if (cell.right)
            canvas_put_right(c, row, column, width[i], cell.ink, buf_span(&cell.text));
        else
            (void)canvas_put(c, row, column, width[i], cell.ink, buf_span(&cell.text));
        column += width[i] + 1;
    }
    buf_clear(&cell.text);
}

static void draw_items(struct canvas *c, int row, int height, const struct top_view *v,
                       const struct top_data *d, const struct top_rows *rows, const int width[])
{
    for (int i = 0; i < height && v->top + (size_t)i < rows->count; i++) {
        size_t at = v->top + (size_t)i;
        draw_item(c, row + i, &top_sheets[v->page], rows->items[at], d->now_ms, width);
        if (at == v->cursor)
            canvas_ink(c, row + i, INK_PICKED);
    }
    if (rows->count == 0 && d->lists[v->page] != NULL)
        (void)canvas_put(c, row, 0, -1, INK_DIM,
                         v->filter.len > 0 ? SPAN("Nothing fits the filter.") : SPAN("None."));
}

static void add_question(struct buf *out, const struct top_view *v)
{
    static const char *const things[] = {"room", "node", "shard", "room server"};
    buf_addf(out, "%s %s %.*s? ", v->verb == TOP_DRAIN ? "Drain" : "Undrain", things[v->page],
             SPAN_ARG(buf_span(&v->subject)));
    if (v->verb == TOP_DRAIN)
        BUF_ADD_LIT(out, "Newcomers go elsewhere. ");
    BUF_ADD_LIT(out, "y/N");
}

static void draw_last(struct canvas *c, const struct top_view *v)
{
    struct buf text = {0};
    enum ink ink = INK_DIM;
    if (v->mode == TOP_ASK) {
        add_question(&text, v);
        ink = INK_WARN;
    } else if (v->mode == TOP_FILTER) {
        buf_addf(&text, "/%.*s_", SPAN_ARG(buf_span(&v->filter)));
        ink = INK_STRONG;
    } else if (v->said.len > 0) {
        buf_add_span(&text, buf_span(&v->said));
        ink = INK_STRONG;
    } else {
        BUF_ADD_LIT(&text, "q quit  ? help  Tab page  / filter  s sort  d drain  u undrain");
    }
    (void)canvas_put(c, c->height - 1, 0, -1, ink, buf_span(&text));
    buf_clear(&text);
}

static void draw_help(struct canvas *c)
{
    static const char *const lines[] = {
        "Tab, 1-4     rooms, nodes, shards, servers",
        "arrows, jk    up and down, PgUp, PgDn, g, G",
        "s < >        the column that sorts",
        "r             the other way round",
        "/            a part of a name; Esc: all",
        "d             drain, after a question",
        "u            undrain",
        "q             quit",
        "",
        "Any key goes back.",
    };
    canvas_reset(c, c->width, c->height);
    (void)canvas_put(c, 0, 0, -1, INK_STRONG, SPAN("worldctl top"));
    for (int i = 0; i < (int)(sizeof lines / sizeof lines[0]); i++)
        (void)canvas_put(c, i + 2, 0, -1, INK_PLAIN, span_str(lines[i]));
}

int top_draw_height(int width, int height, const struct top_data *d)
{
    int rows = height - put_flow(NULL, width, 1, d) - ROWS_BELOW_FLOW;
    return rows > 0 ? rows : 0;
}

int top_draw(struct canvas *c, const struct top_view *v, const struct top_data *d,
             const struct top_rows *rows)
{
    int width[TOP_COLUMNS_MAX];
    int height = top_draw_height(c->width, c->height, d);
    if (v->mode == TOP_HELP) {
        draw_help(c);
        return height;
    }
    draw_head(c, d);
    int row = put_flow(c, c->width, 1, d);
    top_widths(&top_sheets[v->page], c->width, width, TOP_COLUMNS_MAX);
    draw_pages(c, row, v, d, rows);
    draw_titles(c, row + 1, v, width);
    draw_items(c, row + 2, height, v, d, rows, width);
    draw_last(c, v);
    return height;
}
