/* Shows the members that matter, in a fixed order, and of anything else its JSON. */
#include "world/ctl/event_line.h"

#include <math.h>
#include <stdlib.h>

#include "world/ctl/text.h"

static void add_text(struct buf *out, struct span text)
{
    buf_add_char(out, ' ');
    text_add(out, text);
}

/* Numbers as people write them. */
static void add_number(struct buf *out, double n)
{
    if (n == floor(n) && fabs(n) < 1e15)
        buf_addf(out, "%.0f", n);
    else
        buf_addf(out, "%g", n);
}

static void add_value(struct buf *out, const json_t *value)
{
    if (json_is_string(value)) {
        text_add(out, span_of(json_string_value(value), json_string_length(value)));
    } else if (json_is_number(value)) {
        add_number(out, json_number_value(value));
    } else {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        text_add(out, span_str(text));
        free(text);
    }
}

/* ---- events */

/* Whom it is about: the first of these that is there. */
static void add_subject(struct buf *out, const json_t *data)
{
    static const char *const names[] = {"shardId", "name", "node", "server", "roomId"};
    struct span name;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (json_get_span(data, names[i], &name)) {
            add_text(out, name);
            return;
        }
    }
}

static void add_words(struct buf *out, const json_t *data)
{
    static const char *const words[] = {"status", "state", "reason"};
    struct span word;
    bool yes;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (json_get_span(data, words[i], &word))
            add_text(out, word);
    if (json_get_bool(data, "draining", &yes) && yes)
        add_text(out, SPAN("draining"));
    if (json_get_bool(data, "usable", &yes) && !yes)
        add_text(out, SPAN("unusable"));
}

static void add_counts(struct buf *out, const json_t *data)
{
    const json_t *open = json_object_get(data, "currentConnections");
    const json_t *max = json_object_get(data, "maxConnections");
    if (!json_is_number(open))
        return;
    buf_add_char(out, ' ');
    add_number(out, json_number_value(open));
    if (json_is_number(max)) {
        buf_add_char(out, '/');
        add_number(out, json_number_value(max));
    }
}

/* The node of a shard, where that is what has changed. */
static void add_owner(struct buf *out, const json_t *data)
{
    struct span node;
    if (json_get_span(data, "node", &node))
        buf_addf(out, " on ");
    else
        buf_addf(out, " on no node");
    if (json_get_span(data, "node", &node))
        text_add(out, node);
}

void event_line(struct buf *out, struct span name, struct span data)
{
    json_t *value = json_decode(data);
    text_add(out, name);
    if (span_eq(name, SPAN("gap"))) {
        BUF_ADD_LIT(out, " events were missed here: read the lists anew");
    } else {
        add_subject(out, value);
        add_words(out, value);
        add_counts(out, value);
        if (span_eq(name, SPAN("shard.owner")))
            add_owner(out, value);
    }
    json_decref(value);
}

/* ---- the admin feed */

static bool is_deleted(const json_t *value)
{
    struct span text = json_is_string(value) ? span_str(json_string_value(value)) : SPAN("");
    return span_eq(text, SPAN("$delete"));
}

static void add_things(struct buf *out, const char *kind, const json_t *things)
{
    json_t *all = json_is_object(things) ? json_copy((json_t *)(uintptr_t)things) : NULL;
    json_t *thing, *member;
    const char *name, *key;

    json_object_foreach(all, name, thing)
    {
        buf_addf(out, "%s", kind);
        add_text(out, span_str(name));
        if (is_deleted(thing))
            BUF_ADD_LIT(out, " is gone");
        json_object_foreach(thing, key, member)
        {
            add_text(out, span_str(key));
            buf_add_char(out, '=');
            add_value(out, member);
        }
        buf_add_char(out, '\n');
    }
    json_decref(all);
}

bool feed_lines(struct buf *out, struct span frame, bool first)
{
    json_t *doc = json_decode(frame);
    const json_t *value = json_object_get(doc, "value");
    const json_t *rooms = json_object_get(value, "rooms"),
                 *shards = json_object_get(value, "shards");
    bool good = json_is_object(value);

    if (good && first) {
        buf_addf(out, "sync rooms=%zu shards=%zu\n", json_object_size(rooms),
                 json_object_size(shards));
    } else if (good) {
        add_things(out, "room", rooms);
        add_things(out, "shard", shards);
    }
    json_decref(doc);
    return good;
}
