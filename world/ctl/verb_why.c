/* What /connect would answer, and what it answers. */
#include "world/ctl/verb_why.h"

#include "common/base/json_out.h"
#include "world/ctl/answer.h"
#include "world/ctl/api.h"
#include "world/ctl/options.h"
#include "world/ctl/print.h"
#include "world/ctl/table.h"
#include "world/ctl/text.h"

enum { NAME_WIDTH = 10, OK = 200, NO_SUCH = 404 };

const struct flag verb_explain_flags[] = {
    {"session", "S", "for this session", 0},
    {NULL, NULL, NULL, 0},
};

const struct flag verb_connect_flags[] = {
    {"session", "S", "as this session", 0},
    {"no-create", NULL, "make no room and no shard for it", 0},
    {"direct", NULL, "with the node's address and a ticket", 0},
    {NULL, NULL, NULL, 0},
};

static void explain_path(const struct ctl *c, struct buf *path)
{
    api_path(path, "/rooms/%/explain", span_str(args_word(&c->args, 0)));
    api_query(path, "session", args_value(&c->args, "session"));
}

/* ---- explain */

static const struct table_column columns[] = {
    {"SHARD", TABLE_LEFT},         {"USED", TABLE_RIGHT},      {"OPEN", TABLE_RIGHT},
    {"PROMISED", TABLE_RIGHT},     {"RETURNING", TABLE_RIGHT}, {"NODE", TABLE_LEFT},
    {"CAN BE CHOSEN", TABLE_LEFT},
};

static void add_candidate(struct table *t, const json_t *item)
{
    struct span reason = answer_text(item, "reason"), node = answer_text(item, "node");
    struct buf text = {0};

    table_add(t, answer_text(item, "shardId"), PAINT_PLAIN);
    buf_addf(&text, "%lld/%lld", (long long)answer_number(item, "used"),
             (long long)answer_number(item, "maxConnections"));
    table_add(t, buf_span(&text), PAINT_PLAIN);
    table_add_number(t, answer_number(item, "open"));
    table_add_number(t, answer_number(item, "reserved"));
    table_add_number(t, answer_number(item, "returning"));
    table_add(t, node.len == 0 ? SPAN("-") : node, PAINT_PLAIN);
    buf_reset(&text);
    buf_addf(&text, "%s%.*s", reason.len == 0 ? "yes" : "no: ", SPAN_ARG(reason));
    table_add(t, buf_span(&text), reason.len == 0 ? PAINT_GOOD : PAINT_WARN);
    buf_clear(&text);
}

static void print_verdict(struct buf *out, const json_t *doc)
{
    struct span chosen = answer_text(doc, "chosen");

    buf_addf(out, "%sstrategy %.*s, chosen: ", out->len > 0 ? "\n" : "",
             SPAN_ARG(answer_text(doc, "balancingStrategy")));
    text_add(out, chosen.len == 0 ? SPAN("none") : chosen);
    buf_addf(out, "\nbecause %.*s\n", SPAN_ARG(answer_text(doc, "why")));
}

static enum ended show_candidates(const struct ctl *c, json_t *doc, json_t *items)
{
    struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
    struct buf out = {0};

    (void)json_object_set(doc, "items", items);
    (void)json_object_del(doc, "next");
    if (c->json) {
        print_json(&out, doc);
    } else {
        for (size_t i = 0; i < json_array_size(items); i++)
            add_candidate(t, json_array_get(items, i));
        table_print(t, c->colour, &out);
        print_verdict(&out, doc);
    }
    table_free(t);
    return print_flush(&out) ? ENDED_DONE : ENDED_REFUSED;
}

/* A ban is no reason not to choose a shard: it is the node that refuses the session. */
static enum ended tell_of_ban(struct ctl *c)
{
    const char *session = args_value(&c->args, "session");
    struct buf path = {0};
    struct wire_answer a;
    enum ended how, told = ENDED_DONE;

    if (session == NULL || c->json)
        return told;
    api_path(&path, "/rooms/%/bans/%", span_str(args_word(&c->args, 0)), span_str(session));
    if (api_try(c, "GET", buf_span(&path), (struct span){0}, &a, &how) && a.status == OK)
        told = ctl_say(c, NULL, "this session is banned from the room: worldctl unban lets it in");
    wire_answer_clear(&a);
    buf_clear(&path);
    return told;
}

/* The verdict is that of the last page: all are of the same moment for one that asks slowly. */
enum ended verb_explain(struct ctl *c)
{
    struct buf path = {0};
    json_t *doc = NULL, *items = NULL;
    enum ended how;

    explain_path(c, &path);
    how = api_list(c, buf_span(&path), 0, &items);
    if (how == ENDED_DONE)
        how = api_get(c, buf_span(&path), &doc);
    if (how == ENDED_DONE)
        how = show_candidates(c, doc, items);
    if (how == ENDED_DONE)
        how = tell_of_ban(c);
    json_decref(doc);
    json_decref(items);
    buf_clear(&path);
    return how;
}

/* ---- connect */

/* Why the shard will be chosen; an unknown room has nothing to explain. */
static enum ended explain_first(struct ctl *c, json_t **doc)
{
    struct buf path = {0};
    struct wire_answer a;
    enum ended how;

    *doc = NULL;
    explain_path(c, &path);
    if (api_try(c, "GET", buf_span(&path), (struct span){0}, &a, &how)) {
        if (a.status == OK)
            *doc = json_decode(buf_span(&a.body));
        else if (a.status != NO_SUCH)
            how = api_refused(c, &a);
    }
    wire_answer_clear(&a);
    buf_clear(&path);
    return how;
}

static enum ended place(struct ctl *c, json_t **doc)
{
    const char *session = args_value(&c->args, "session");
    struct buf path = {0}, body = {0};
    struct json_out o = {.out = &body};
    enum ended how;

    json_out_open(&o, NULL, '{');
    json_out_text(&o, "roomId", span_str(args_word(&c->args, 0)));
    json_out_bool(&o, "autoCreate", !args_has(&c->args, "no-create"));
    if (session != NULL)
        json_out_text(&o, "session", span_str(session));
    if (args_has(&c->args, "direct"))
        json_out_bool(&o, "direct", true);
    json_out_close(&o, '}');
    buf_addf(&path, "/parties/world/%s/connect", c->profile.world);
    how = api_ask_top(c, "POST", buf_span(&path), buf_span(&body), doc);
    buf_clear(&path);
    buf_clear(&body);
    return how;
}

/* What the placement says, the shard's node, and why. */
static enum ended tell_more(struct ctl *c, json_t *placed, const json_t *why)
{
    struct span id = answer_text(placed, "shardId"), reason = answer_text(why, "why");
    struct buf path = {0};
    json_t *shard, *node;
    enum ended how;

    api_path(&path, "/shards/%", id);
    how = api_get(c, buf_span(&path), &shard);
    buf_clear(&path);
    node = json_object_get(shard, "node");
    (void)json_object_set_new(placed, "node", node == NULL ? json_null() : json_incref(node));
    if (why == NULL)
        reason = SPAN("there was no such room: it was made");
    else if (answer_text(why, "chosen").len > 0 && !span_eq(answer_text(why, "chosen"), id))
        reason = SPAN("another client was placed meanwhile, and the turn went on");
    (void)json_object_set_new(placed, "why", json_stringn(reason.ptr, reason.len));
    json_decref(shard);
    return how;
}

static void add_line(struct buf *out, const char *name, struct span value)
{
    if (value.len == 0)
        return;
    buf_addf(out, "%-*s ", NAME_WIDTH, name);
    text_add(out, value);
    buf_add_char(out, '\n');
}

static enum ended show_place(const struct ctl *c, const json_t *doc)
{
    static const char *const rows[][2] = {
        {"shard", "shardId"},   {"url", "url"},   {"endpoint", "endpoint"}, {"ticket", "ticket"},
        {"session", "session"}, {"node", "node"}, {"because", "why"},
    };
    struct buf out = {0};

    if (c->json)
        print_json(&out, doc);
    for (size_t i = 0; !c->json && i < sizeof(rows) / sizeof(rows[0]); i++)
        add_line(&out, rows[i][0], answer_text(doc, rows[i][1]));
    return print_flush(&out) ? ENDED_DONE : ENDED_REFUSED;
}

enum ended verb_connect(struct ctl *c)
{
    json_t *why, *doc = NULL;
    enum ended how = explain_first(c, &why);

    if (how == ENDED_DONE)
        how = place(c, &doc);
    if (how == ENDED_DONE)
        how = tell_more(c, doc, why);
    if (how == ENDED_DONE)
        how = show_place(c, doc);
    json_decref(why);
    json_decref(doc);
    return how;
}
