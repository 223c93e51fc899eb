/* Each list is a path, and the columns of its table. */
#include "world/ctl/verb_lists.h"

#include "world/ctl/api.h"
#include "world/ctl/print.h"
#include "world/ctl/table.h"
#include "world/ctl/text.h"

/* A column: its title, and what of an item it shows. */
struct column {
    struct table_column head;
    void (*add)(struct table *t, const json_t *item, const char *key);
    const char *key;
};

struct list {
    const char *path;
    const char *name; /* the member that is an item's name */
    const struct column *columns;
    size_t count;
};

static void add_text(struct table *t, const json_t *item, const char *key)
{
    struct span text = print_text(item, key);

    table_add(t, text.len == 0 ? SPAN("-") : text, PAINT_PLAIN);
}

static void add_number(struct table *t, const json_t *item, const char *key)
{
    table_add_number(t, print_number(item, key));
}

static void add_yes(struct table *t, const json_t *item, const char *key)
{
    table_add(t, json_is_true(json_object_get(item, key)) ? SPAN("yes") : SPAN("no"), PAINT_PLAIN);
}

/* A number in the object `shards`. */
static void add_shards(struct table *t, const json_t *item, const char *key)
{
    add_number(t, json_object_get(item, "shards"), key);
}

/* "12/75" of what is open and what there is room for. */
static void add_load(struct table *t, const json_t *item, const char *key)
{
    struct buf text = {0};
    int64_t open = print_number(item, "currentConnections"), max = print_number(item, key);

    buf_addf(&text, "%lld/%lld", (long long)open, (long long)max);
    table_add(t, buf_span(&text), max > 0 && open >= max ? PAINT_WARN : PAINT_PLAIN);
    buf_clear(&text);
}

static const struct column room_columns[] = {
    {{"ROOM", TABLE_LEFT}, add_text, "name"},
    {{"STRATEGY", TABLE_LEFT}, add_text, "balancingStrategy"},
    {{"PUBLIC", TABLE_LEFT}, add_yes, "public"},
    {{"SHARDS", TABLE_RIGHT}, add_shards, "total"},
    {{"CLIENTS", TABLE_RIGHT}, add_load, "maxConnections"},
    {{"PROMISED", TABLE_RIGHT}, add_number, "reserved"},
    {{"SERVER", TABLE_LEFT}, add_text, "server"},
};
static const struct list rooms = {"/rooms", "name", room_columns,
                                  sizeof(room_columns) / sizeof(room_columns[0])};

static void print_names(struct buf *out, const struct list *l, const json_t *items)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        struct span name = print_text(json_array_get(items, i), l->name);
        text_add(out, name);
        buf_add_char(out, '\n');
    }
}

static void print_table(struct buf *out, const struct ctl *c, const struct list *l,
                        const json_t *items)
{
    struct table_column heads[TABLE_COLUMNS_MAX];
    struct table *t;

    for (size_t i = 0; i < l->count; i++)
        heads[i] = l->columns[i].head;
    t = table_new(heads, l->count);
    for (size_t i = 0; i < json_array_size(items); i++) {
        for (size_t k = 0; k < l->count; k++)
            l->columns[k].add(t, json_array_get(items, i), l->columns[k].key);
    }
    table_print(t, c->colour, out);
    table_free(t);
}

static enum ended show(const struct ctl *c, const struct list *l, json_t *items)
{
    struct buf out = {0};
    json_t *doc;

    if (c->json) {
        doc = json_pack("{s:O}", "items", items);
        print_json(&out, doc);
        json_decref(doc);
    } else if (c->quiet) {
        print_names(&out, l, items);
    } else {
        print_table(&out, c, l, items);
    }
    return print_flush(&out) ? ENDED_DONE : ENDED_REFUSED;
}

static enum ended list(struct ctl *c, const struct list *l)
{
    json_t *items;
    enum ended how = api_list(c, span_str(l->path), 0, &items);

    if (how == ENDED_DONE)
        how = show(c, l, items);
    json_decref(items);
    return how;
}

enum ended verb_rooms_list(struct ctl *c)
{
    return list(c, &rooms);
}
