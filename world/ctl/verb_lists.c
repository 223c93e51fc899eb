/* Each list is a path, and the columns of its table. */
#include "world/ctl/verb_lists.h"

#include <time.h>

#include "world/ctl/answer.h"
#include "world/ctl/api.h"
#include "world/ctl/options.h"
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

static void add_state(struct table *t, const json_t *item, const char *key)
{
    struct span text = answer_text(item, key);

    table_add(t, text, paint_of_state(text));
}

static void add_text(struct table *t, const json_t *item, const char *key)
{
    struct span text = answer_text(item, key);

    table_add(t, text.len == 0 ? SPAN("-") : text, PAINT_PLAIN);
}

static void add_number(struct table *t, const json_t *item, const char *key)
{
    table_add_number(t, answer_number(item, key));
}

static void add_yes(struct table *t, const json_t *item, const char *key)
{
    table_add(t, answer_true(item, key) ? SPAN("yes") : SPAN("no"), PAINT_PLAIN);
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
    int64_t open = answer_number(item, "currentConnections"), max = answer_number(item, key);

    buf_addf(&text, "%lld/%lld", (long long)open, (long long)max);
    table_add(t, buf_span(&text), max > 0 && open >= max ? PAINT_WARN : PAINT_PLAIN);
    buf_clear(&text);
}

/* Unix ms as UTC. */
static void add_time(struct table *t, const json_t *item, const char *key)
{
    time_t seconds = (time_t)(answer_number(item, key) / 1000);
    struct tm parts;
    char text[32];
    size_t len = 0;

    if (gmtime_r(&seconds, &parts) != NULL)
        len = strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%SZ", &parts);
    table_add(t, span_of(text, len), PAINT_PLAIN);
}

static void add_seconds(struct table *t, const json_t *item, const char *key)
{
    struct buf text = {0};

    buf_addf(&text, "%llds", (long long)(answer_number(item, key) / 1000));
    table_add(t, buf_span(&text), PAINT_PLAIN);
    buf_clear(&text);
}

#define LIST(path, name, columns)                                                                  \
    {                                                                                              \
        path, name, columns, sizeof(columns) / sizeof((columns)[0])                                \
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
static const struct list rooms = LIST("/rooms", "name", room_columns);

static const struct column shard_columns[] = {
    {{"SHARD", TABLE_LEFT}, add_text, "shardId"},
    {{"STATUS", TABLE_LEFT}, add_state, "status"},
    {{"CLIENTS", TABLE_RIGHT}, add_load, "maxConnections"},
    {{"PROMISED", TABLE_RIGHT}, add_number, "reserved"},
    {{"RETURNING", TABLE_RIGHT}, add_number, "returning"},
    {{"NODE", TABLE_LEFT}, add_text, "node"},
};
static const struct list shards = LIST("/shards", "shardId", shard_columns);

static const struct column node_columns[] = {
    {{"NODE", TABLE_LEFT}, add_text, "node"},
    {{"STATE", TABLE_LEFT}, add_state, "state"},
    {{"DRAINING", TABLE_LEFT}, add_yes, "draining"},
    {{"SHARDS", TABLE_RIGHT}, add_number, "shards"},
    {{"CLIENTS", TABLE_RIGHT}, add_load, "maxConnections"},
    {{"LAG MS", TABLE_RIGHT}, add_number, "lagMs"},
    {{"VERSION", TABLE_LEFT}, add_text, "version"},
    {{"INTERNAL URL", TABLE_LEFT}, add_text, "internalUrl"},
};
static const struct list nodes = LIST("/nodes", "node", node_columns);

static const struct column server_columns[] = {
    {{"SERVER", TABLE_LEFT}, add_text, "server"},
    {{"STATE", TABLE_LEFT}, add_state, "state"},
    {{"DRAINING", TABLE_LEFT}, add_yes, "draining"},
    {{"CONFIGURED", TABLE_LEFT}, add_yes, "configured"},
    {{"ROOMS", TABLE_RIGHT}, add_number, "rooms"},
    {{"AWAITED", TABLE_RIGHT}, add_number, "awaited"},
};
static const struct list servers = LIST("/servers", "server", server_columns);

static const struct column ban_columns[] = {
    {{"SESSION", TABLE_LEFT}, add_text, "session"},
    {{"UNTIL", TABLE_LEFT}, add_time, "until"},
    {{"LEFT", TABLE_RIGHT}, add_seconds, "leftMs"},
};
static const struct list bans = LIST(NULL, "session", ban_columns);

const struct flag verb_list_flags[] = {
    {"limit", "N", "the first N only", 0},
    {NULL, NULL, NULL, 0},
};

const struct flag verb_shards_list_flags[] = {
    {"limit", "N", "the first N only", 0},
    {"room", "NAME", "of this room", 0},
    {"status", "STATUS", "active, maintenance or draining", 0},
    {"node", "NODE", "of this node", 0},
    {NULL, NULL, NULL, 0},
};

static void print_names(struct buf *out, const struct list *l, const json_t *items)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        struct span name = answer_text(json_array_get(items, i), l->name);
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

static enum ended list(struct ctl *c, const struct list *l, struct buf *path)
{
    uint64_t limit = 0;
    json_t *items = NULL;
    enum ended how = ENDED_USAGE;

    if (options_count(c, "limit", 1, UINT32_MAX, &limit))
        how = api_list(c, buf_span(path), limit, &items);
    if (how == ENDED_DONE)
        how = show(c, l, items);
    json_decref(items);
    buf_clear(path);
    return how;
}

static enum ended list_plain(struct ctl *c, const struct list *l)
{
    struct buf path = {0};

    buf_add_span(&path, span_str(l->path));
    return list(c, l, &path);
}

enum ended verb_rooms_list(struct ctl *c)
{
    return list_plain(c, &rooms);
}

enum ended verb_shards_list(struct ctl *c)
{
    struct buf path = {0};

    buf_add_span(&path, span_str(shards.path));
    api_query(&path, "room", args_value(&c->args, "room"));
    api_query(&path, "status", args_value(&c->args, "status"));
    api_query(&path, "node", args_value(&c->args, "node"));
    return list(c, &shards, &path);
}

enum ended verb_nodes_list(struct ctl *c)
{
    return list_plain(c, &nodes);
}

enum ended verb_servers_list(struct ctl *c)
{
    return list_plain(c, &servers);
}

enum ended verb_bans(struct ctl *c)
{
    struct buf path = {0};

    api_path(&path, "/rooms/%/bans", span_str(args_word(&c->args, 0)));
    return list(c, &bans, &path);
}
