/* What is wrong comes first; what is well is not named one by one. */
#include "world/ctl/verb_status.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "world/ctl/answer.h"
#include "world/ctl/api.h"
#include "world/ctl/print.h"
#include "world/ctl/table.h"
#include "world/ctl/text.h"

enum { FULL_PERCENT = 90, ROOMS_SHOWN = 10, NO_SUCH = 404 };

struct status {
    struct ctl *c;
    json_t *overview, *findings, *nodes, *servers, *rooms;
    struct buf out;
};

/* ---- reading */

/* A world of an earlier version has no findings: *doc is NULL then. */
static enum ended get_findings(struct status *s)
{
    struct wire_answer a;
    enum ended how;

    if (api_try(s->c, "GET", SPAN("/findings"), (struct span){0}, &a, &how)) {
        if (a.status == 200)
            s->findings = json_decode(buf_span(&a.body));
        else if (a.status != NO_SUCH)
            how = api_refused(s->c, &a);
    }
    wire_answer_clear(&a);
    return how;
}

static enum ended read_all(struct status *s)
{
    enum ended how = api_get(s->c, SPAN("/overview"), &s->overview);

    if (how == ENDED_DONE)
        how = get_findings(s);
    if (how == ENDED_DONE)
        how = api_list(s->c, SPAN("/nodes"), 0, &s->nodes);
    if (how == ENDED_DONE)
        how = api_list(s->c, SPAN("/servers"), 0, &s->servers);
    if (how == ENDED_DONE)
        how = api_list(s->c, SPAN("/rooms"), 0, &s->rooms);
    return how;
}

/* ---- what is not well */

static bool is_text(const json_t *item, const char *key, const char *text)
{
    return span_eq(answer_text(item, key), span_str(text));
}

static bool node_is_well(const json_t *node)
{
    return is_text(node, "state", "alive") && !answer_true(node, "draining");
}

/* `unknown`: it has not been asked, because nobody needs to. */
static bool server_is_well(const json_t *server)
{
    return (is_text(server, "state", "up") || is_text(server, "state", "unknown")) &&
           !answer_true(server, "draining");
}

static int64_t percent_used(const json_t *room)
{
    int64_t used = answer_number(room, "currentConnections") + answer_number(room, "reserved") +
                   answer_number(room, "returning"),
            max = answer_number(room, "maxConnections");

    return max == 0 ? 0 : used * 100 / max;
}

static bool room_is_well(const json_t *room)
{
    return percent_used(room) < FULL_PERCENT;
}

/* The items that are not well. */
static json_t *ill(const json_t *items, bool (*is_well)(const json_t *item))
{
    json_t *out = json_array();

    for (size_t i = 0; i < json_array_size(items); i++) {
        if (!is_well(json_array_get(items, i)))
            (void)json_array_append(out, json_array_get(items, i));
    }
    return out;
}

static bool has_errors(const struct status *s)
{
    const json_t *items = json_object_get(s->findings, "items");

    for (size_t i = 0; i < json_array_size(items); i++) {
        if (is_text(json_array_get(items, i), "level", "error"))
            return true;
    }
    return false;
}

/* ---- showing */

static void add_painted(struct status *s, enum paint paint, struct span text)
{
    buf_add_span(&s->out, paint_on(s->c->colour, paint));
    text_add(&s->out, text);
    buf_add_span(&s->out, paint_off(s->c->colour, paint));
}

static void add_by(struct buf *out, const json_t *finding)
{
    const json_t *by = json_object_get(finding, "by");
    struct span node = answer_text(by, "node");

    BUF_ADD_LIT(out, " (seen by ");
    if (node.len > 0)
        BUF_ADD_LIT(out, "node ");
    text_add(out, node.len > 0 ? node : SPAN("the world"));
    BUF_ADD_LIT(out, ")\n");
}

static void add_indented(struct status *s, struct span text)
{
    if (text.len == 0)
        return;
    BUF_ADD_LIT(&s->out, "    ");
    text_add(&s->out, text);
    buf_add_char(&s->out, '\n');
}

static void show_finding(struct status *s, const json_t *f)
{
    struct span level = answer_text(f, "level");

    add_painted(s, paint_of_state(level), level);
    buf_addf(&s->out, " %.*s ", SPAN_ARG(answer_text(f, "check")));
    text_add(&s->out, answer_text(f, "subject"));
    add_by(&s->out, f);
    add_indented(s, answer_text(f, "means"));
    add_indented(s, answer_text(f, "detail"));
    BUF_ADD_LIT(&s->out, "    -> ");
    text_add(&s->out, answer_text(f, "cure"));
    buf_add_char(&s->out, '\n');
}

static int64_t inner(const json_t *doc, const char *outer, const char *key)
{
    return answer_number(json_object_get(doc, outer), key);
}

/* No finding is not yet "all is well": a node becomes one only when it has been given up. */
static void show_no_finding(struct status *s)
{
    const json_t *o = s->overview;
    int64_t silent = inner(o, "nodes", "suspect") + inner(o, "nodes", "dead"),
            alive = inner(o, "nodes", "alive");
    struct buf text = {0};

    if (silent > 0)
        buf_addf(&text, "no finding yet, but silent nodes: %lld (worldctl doctor)",
                 (long long)silent);
    else if (alive == 0)
        BUF_ADD_LIT(&text, "no node is alive: start one, or correct --world");
    else
        BUF_ADD_LIT(&text, "nothing is wrong");
    add_painted(s, silent > 0 || alive == 0 ? PAINT_WARN : PAINT_GOOD, buf_span(&text));
    buf_add_char(&s->out, '\n');
    buf_clear(&text);
}

static void show_findings(struct status *s)
{
    const json_t *items = json_object_get(s->findings, "items");
    size_t count = json_array_size(items);

    if (s->findings == NULL)
        BUF_ADD_LIT(&s->out, "findings: this world has none to tell (an earlier version)\n");
    else if (count == 0)
        show_no_finding(s);
    for (size_t i = 0; i < count; i++)
        show_finding(s, json_array_get(items, i));
}

static void show_world(struct status *s)
{
    const json_t *o = s->overview, *process = json_object_get(o, "process");

    buf_addf(&s->out, "%.*s at %s, version %.*s, lag %lld ms\n", SPAN_ARG(answer_text(o, "world")),
             s->c->profile.url, SPAN_ARG(answer_text(process, "version")),
             (long long)answer_number(process, "lagMs"));
}

/* `12 shards (1 draining)`: the parts that are not 0. */
static void add_parts(struct buf *out, const json_t *doc, const char *outer,
                      const char *const *parts)
{
    bool more = false;

    for (; *parts != NULL; parts++) {
        int64_t n = inner(doc, outer, *parts);
        if (n == 0)
            continue;
        buf_addf(out, "%s%lld %s", more ? ", " : " (", (long long)n, *parts);
        more = true;
    }
    if (more)
        buf_add_char(out, ')');
    buf_add_char(out, '\n');
}

static void show_totals(struct status *s)
{
    static const char *const shard_parts[] = {"maintenance", "draining", NULL};
    static const char *const node_parts[] = {"expected", "suspect", "dead", "draining", NULL};
    static const char *const server_parts[] = {"unknown", "down", "dead", NULL};
    const json_t *o = s->overview;
    struct buf *out = &s->out;

    buf_addf(out, "clients  %lld of %lld, %lld promised, %lld returning\n",
             (long long)answer_number(o, "connections"), (long long)answer_number(o, "capacity"),
             (long long)answer_number(o, "reserved"), (long long)answer_number(o, "returning"));
    buf_addf(out, "rooms    %lld\n", (long long)answer_number(o, "rooms"));
    buf_addf(out, "shards   %lld", (long long)inner(o, "shards", "total"));
    add_parts(out, o, "shards", shard_parts);
    buf_addf(out, "nodes    %lld alive", (long long)inner(o, "nodes", "alive"));
    add_parts(out, o, "nodes", node_parts);
    buf_addf(out, "servers  %lld up", (long long)inner(o, "servers", "up"));
    add_parts(out, o, "servers", server_parts);
}

static void show_table(struct status *s, struct table *t)
{
    if (table_rows(t) > 0)
        buf_add_char(&s->out, '\n');
    table_print(t, s->c->colour, &s->out);
    table_free(t);
}

/* Nodes or servers: name, state, whether it drains, and what it still has. */
static void show_ill(struct status *s, const json_t *items, const struct table_column *columns,
                     const char *name, const char *has)
{
    struct table *t = table_new(columns, 4);

    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        bool drains = answer_true(item, "draining");
        table_add(t, answer_text(item, name), PAINT_PLAIN);
        table_add(t, answer_text(item, "state"), paint_of_state(answer_text(item, "state")));
        table_add(t, drains ? SPAN("yes") : SPAN("no"), drains ? PAINT_WARN : PAINT_PLAIN);
        table_add_number(t, answer_number(item, has));
    }
    show_table(s, t);
}

static int fuller(const void *a, const void *b)
{
    int64_t x = percent_used(*(json_t *const *)a), y = percent_used(*(json_t *const *)b);

    return x < y ? 1 : x > y ? -1 : 0;
}

static void add_room(struct table *t, const json_t *room)
{
    int64_t most = answer_number(room, "maxShards"), have = inner(room, "shards", "total");
    struct buf text = {0};

    table_add(t, answer_text(room, "name"), PAINT_PLAIN);
    buf_addf(&text, "%lld%%", (long long)percent_used(room));
    table_add(t, buf_span(&text), percent_used(room) >= 100 ? PAINT_BAD : PAINT_WARN);
    buf_clear(&text);
    table_add_number(t, answer_number(room, "maxConnections"));
    table_add(t, most == 0 || have < most ? SPAN("yes") : SPAN("no: maxShards"),
              most == 0 || have < most ? PAINT_PLAIN : PAINT_BAD);
}

static void show_rooms(struct status *s, const json_t *items)
{
    static const struct table_column columns[] = {
        {"NEARLY FULL ROOM", TABLE_LEFT},
        {"USED", TABLE_RIGHT},
        {"SEATS", TABLE_RIGHT},
        {"CAN GROW", TABLE_LEFT},
    };
    size_t count = json_array_size(items);
    json_t **sorted = xreallocarray(NULL, count + 1, sizeof(json_t *));
    struct table *t = table_new(columns, 4);

    for (size_t i = 0; i < count; i++)
        sorted[i] = json_array_get(items, i);
    qsort(sorted, count, sizeof(json_t *), fuller);
    for (size_t i = 0; i < count && i < ROOMS_SHOWN; i++)
        add_room(t, sorted[i]);
    show_table(s, t);
    if (count > ROOMS_SHOWN)
        buf_addf(&s->out, "and %zu more\n", count - ROOMS_SHOWN);
    free(sorted);
}

static const struct table_column node_columns[] = {{"NODE", TABLE_LEFT},
                                                   {"STATE", TABLE_LEFT},
                                                   {"DRAINING", TABLE_LEFT},
                                                   {"CLIENTS", TABLE_RIGHT}};
static const struct table_column server_columns[] = {{"SERVER", TABLE_LEFT},
                                                     {"STATE", TABLE_LEFT},
                                                     {"DRAINING", TABLE_LEFT},
                                                     {"ROOMS", TABLE_RIGHT}};

static void show(struct status *s)
{
    json_t *nodes = ill(s->nodes, node_is_well), *servers = ill(s->servers, server_is_well),
           *rooms = ill(s->rooms, room_is_well), *doc;

    if (s->c->json) {
        doc = json_pack("{s:O,s:O?,s:O,s:O,s:O}", "overview", s->overview, "findings",
                        json_object_get(s->findings, "items"), "nodes", nodes, "servers", servers,
                        "rooms", rooms);
        print_json(&s->out, doc);
        json_decref(doc);
    } else {
        show_world(s);
        show_findings(s);
        show_totals(s);
        show_ill(s, nodes, node_columns, "node", "currentConnections");
        show_ill(s, servers, server_columns, "server", "rooms");
        show_rooms(s, rooms);
    }
    json_decref(nodes);
    json_decref(servers);
    json_decref(rooms);
}

enum ended verb_status(struct ctl *c)
{
    struct status s = {.c = c};
    enum ended how = read_all(&s);

    if (how == ENDED_DONE) {
        show(&s);
        how = print_flush(&s.out) && !has_errors(&s) ? ENDED_DONE : ENDED_REFUSED;
    }
    json_decref(s.overview);
    json_decref(s.findings);
    json_decref(s.nodes);
    json_decref(s.servers);
    json_decref(s.rooms);
    return how;
}
