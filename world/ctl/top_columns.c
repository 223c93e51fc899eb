/* One table; each kind of column is one function. */
#include "world/ctl/top_columns.h"

#include "world/ctl/answer.h"

#include <assert.h>
#include <math.h>

enum {
    LOAD_WIDTH = 10,
    NEARLY = 90, /* per cent */
    SECOND_MS = 1000,
    MINUTE_MS = 60 * SECOND_MS,
    HOUR_MS = 60 * MINUTE_MS,
    DAY_MS = 24 * HOUR_MS,
};

static const struct top_column rooms[] = {
    {"ROOM", "name", TOP_TEXT, 0, 0},           {"STATE", NULL, TOP_STATE, 11, 1},
    {"CLIENTS", NULL, TOP_CLIENTS, 13, 0},      {"LOAD", NULL, TOP_LOAD, LOAD_WIDTH, 3},
    {"SHARDS", NULL, TOP_SHARDS_OF, 9, 2},      {"STRATEGY", "balancingStrategy", TOP_TEXT, 17, 5},
    {"ROOM SERVER", "server", TOP_TEXT, 28, 4},
};
static const struct top_column nodes[] = {
    {"NODE", "node", TOP_TEXT, 0, 0},       {"STATE", NULL, TOP_STATE, 11, 0},
    {"CLIENTS", NULL, TOP_CLIENTS, 13, 1},  {"LOAD", NULL, TOP_LOAD, LOAD_WIDTH, 5},
    {"SHARDS", "shards", TOP_NUMBER, 7, 2}, {"LAG", "lagMs", TOP_MS, 7, 3},
    {"SILENT", "silentMs", TOP_MS, 7, 4},   {"VERSION", "version", TOP_TEXT, 8, 6},
    {"URL", "url", TOP_TEXT, 28, 7},
};
static const struct top_column shards[] = {
    {"SHARD", "shardId", TOP_TEXT, 0, 0},  {"STATE", NULL, TOP_STATE, 11, 1},
    {"CLIENTS", NULL, TOP_CLIENTS, 11, 0}, {"LOAD", NULL, TOP_LOAD, LOAD_WIDTH, 3},
    {"NODE", "node", TOP_TEXT, 16, 2},     {"HEARD", "lastHeartbeat", TOP_SINCE, 7, 4},
};
static const struct top_column servers[] = {
    {"ROOM SERVER", "server", TOP_TEXT, 0, 0},    {"STATE", NULL, TOP_STATE, 11, 0},
    {"ROOMS", "rooms", TOP_NUMBER, 7, 1},         {"AWAITED", "awaited", TOP_NUMBER, 7, 2},
    {"CONFIGURED", "configured", TOP_YES, 10, 3},
};

#define COLUMNS(table) table, sizeof(table) / sizeof((table)[0])
const struct top_sheet top_sheets[TOP_PAGE_COUNT] = {
    [TOP_ROOMS] = {"rooms", "name", COLUMNS(rooms), 2, true},
    [TOP_NODES] = {"nodes", "node", COLUMNS(nodes), 0, false},
    [TOP_SHARDS] = {"shards", "shardId", COLUMNS(shards), 2, true},
    [TOP_SERVERS] = {"servers", "server", COLUMNS(servers), 0, false},
};

static double number_of(const json_t *item, const char *member)
{
    return json_number_value(json_object_get(item, member)); /* 0 when it is none */
}

static double used_of(const json_t *item)
{
    return number_of(item, "currentConnections") + number_of(item, "reserved") +
           number_of(item, "returning");
}

/* In per cent; 0 without a capacity. */
static double load_of(const json_t *item)
{
    double max = number_of(item, "maxConnections");
    return max > 0 ? 100 * used_of(item) / max : 0;
}

static enum ink load_ink(double load)
{
    if (load >= 100)
        return INK_BAD;
    return load >= NEARLY ? INK_WARN : INK_PLAIN;
}

static void show_text(const struct top_column *column, const json_t *item, struct top_cell *out)
{
    struct span text;
    if (json_get_span(item, column->member, &text))
        buf_add_span(&out->text, text);
    else
        buf_add_char(&out->text, '-');
}

static void show_clients(const json_t *item, struct top_cell *out)
{
    out->number = used_of(item);
    out->right = true;
    out->ink = load_ink(load_of(item));
    buf_addf(&out->text, "%.0f/%.0f", out->number, number_of(item, "maxConnections"));
}

static void show_load(const json_t *item, struct top_cell *out)
{
    double load = load_of(item);
    int filled = load >= 100 ? LOAD_WIDTH : (int)(load * LOAD_WIDTH / 100 + 0.5);
    out->number = load;
    out->ink = load >= NEARLY ? load_ink(load) : INK_BAR;
    for (int i = 0; i < LOAD_WIDTH; i++)
        buf_add_char(&out->text, i < filled ? '#' : '.');
}

static void set_state(struct top_cell *out, enum ink ink, struct span text)
{
    out->ink = ink;
    out->number = ink == INK_BAD ? 2 : ink == INK_WARN; /* the worst are found by sorting */
    buf_add_span(&out->text, text);
}

static enum ink state_ink(struct span state)
{
    static const struct {
        struct span name;
        enum ink ink;
    } inks[] = {
        {SPAN_INIT("alive"), INK_GOOD},       {SPAN_INIT("active"), INK_GOOD},
        {SPAN_INIT("up"), INK_GOOD},          {SPAN_INIT("dead"), INK_BAD},
        {SPAN_INIT("down"), INK_BAD},         {SPAN_INIT("suspect"), INK_WARN},
        {SPAN_INIT("maintenance"), INK_WARN}, {SPAN_INIT("draining"), INK_WARN},
    };
    for (size_t i = 0; i < sizeof inks / sizeof inks[0]; i++)
        if (span_eq(inks[i].name, state))
            return inks[i].ink;
    return INK_PLAIN;
}

/* Of a room, which has no state of its own. */
static void show_room_state(const json_t *item, struct top_cell *out)
{
    const json_t *by = json_object_get(item, "shards");
    bool leaving;
    if (json_get_bool(item, "leaving", &leaving) && leaving)
        set_state(out, INK_WARN, SPAN("leaving"));
    else if (number_of(by, "total") > 0 && number_of(by, "active") == 0)
        set_state(out, INK_BAD, SPAN("closed"));
    else if (load_of(item) >= 100)
        set_state(out, INK_BAD, SPAN("full"));
    else if (number_of(by, "draining") > 0)
        set_state(out, INK_WARN, SPAN("draining"));
    else if (number_of(by, "maintenance") > 0)
        set_state(out, INK_WARN, SPAN("maintenance"));
    else
        set_state(out, INK_GOOD, SPAN("ok"));
}

static void show_state(const json_t *item, struct top_cell *out)
{
    struct span state;
    bool draining;
    if (json_is_object(json_object_get(item, "shards"))) {
        show_room_state(item, out);
        return;
    }
    if (!json_get_span(item, "state", &state) && !json_get_span(item, "status", &state))
        state = SPAN("-");
    if (json_get_bool(item, "draining", &draining) && draining && state_ink(state) == INK_GOOD)
        state = SPAN("draining");
    set_state(out, state_ink(state), state);
}

static void show_shards(const json_t *item, struct top_cell *out)
{
    const json_t *by = json_object_get(item, "shards");
    out->number = number_of(by, "total");
    out->right = true;
    buf_addf(&out->text, "%.0f/%.0f", number_of(by, "active"), out->number);
}

static void show_ms(double ms, struct top_cell *out)
{
    out->number = ms;
    out->right = true;
    top_add_ms(&out->text, ms);
}

static void show_yes(const struct top_column *column, const json_t *item, struct top_cell *out)
{
    bool yes = answer_true(item, column->member);
    out->number = yes;
    buf_addf(&out->text, "%s", yes ? "yes" : "no");
}

void top_cell(const struct top_column *column, const json_t *item, int64_t now_ms,
              struct top_cell *out)
{
    double number = column->member == NULL ? 0 : number_of(item, column->member);

    buf_reset(&out->text);
    *out = (struct top_cell){.text = out->text};
    switch (column->kind) {
    case TOP_TEXT:
        show_text(column, item, out);
        break;
    case TOP_NUMBER:
        out->number = number;
        out->right = true;
        buf_addf(&out->text, "%.0f", number);
        break;
    case TOP_CLIENTS:
        show_clients(item, out);
        break;
    case TOP_LOAD:
        show_load(item, out);
        break;
    case TOP_STATE:
        show_state(item, out);
        break;
    case TOP_SHARDS_OF:
        show_shards(item, out);
        break;
    case TOP_MS:
        show_ms(number, out);
        break;
    case TOP_SINCE:
        show_ms(number > 0 && number < (double)now_ms ? (double)now_ms - number : 0, out);
        break;
    case TOP_YES:
        show_yes(column, item, out);
        break;
    }
}

struct span top_item_name(enum top_page page, const json_t *item)
{
    struct span name;
    return json_get_span(item, top_sheets[page].key, &name) ? name : SPAN("");
}

/* What is left for the column that takes the rest. */
static int rest_of(const struct top_sheet *sheet, int screen, const int width[])
{
    for (int i = 0; i < sheet->count; i++)
        if (width[i] > 0)
            screen -= width[i] + 1;
    return screen;
}

void top_widths(const struct top_sheet *sheet, int screen, int width[], int count)
{
    enum { REST_MIN = 16 };
    assert(count >= sheet->count);
    for (int i = 0; i < sheet->count; i++)
        width[i] = sheet->columns[i].width;
    for (int rank = sheet->count; rank > 0 && rest_of(sheet, screen, width) < REST_MIN; rank--)
        for (int i = 0; i < sheet->count; i++)
            if (sheet->columns[i].rank == rank)
                width[i] = 0;
    int rest = rest_of(sheet, screen, width);
    width[0] = rest > 0 ? rest : 1;
}

void top_add_ms(struct buf *out, double ms)
{
    if (ms >= DAY_MS)
        buf_addf(out, "%.0fd %.0fh", floor(ms / DAY_MS), floor(fmod(ms, DAY_MS) / HOUR_MS));
    else if (ms >= HOUR_MS)
        buf_addf(out, "%.0fh %.0fm", floor(ms / HOUR_MS), floor(fmod(ms, HOUR_MS) / MINUTE_MS));
    else if (ms >= MINUTE_MS)
        buf_addf(out, "%.0fm %.0fs", floor(ms / MINUTE_MS), floor(fmod(ms, MINUTE_MS) / SECOND_MS));
    else if (ms >= SECOND_MS)
        buf_addf(out, "%.1fs", ms / SECOND_MS);
    else
        buf_addf(out, "%.0fms", ms);
}
