/* What is known of one thing, a line for each member. */
#include "world/ctl/api.h"
#include "world/ctl/print.h"
#include "world/ctl/text.h"
#include "world/ctl/verb_one.h"

enum { NAME_WIDTH = 20 };

static void add_value(struct buf *out, const json_t *value)
{
    struct buf text = {0};

    if (json_is_string(value)) {
        text_add(out, span_of(json_string_value(value), json_string_length(value)));
    } else {
        print_json(&text, value);
        buf_add_span(out, span_trim(buf_span(&text)));
    }
    buf_clear(&text);
}

static void add_line(struct buf *out, const char *prefix, const char *key, const json_t *value)
{
    struct buf name = {0};

    buf_addf(&name, "%s%s%s", prefix, *prefix == '\0' ? "" : ".", key);
    buf_addf(out, "%-*.*s ", NAME_WIDTH, SPAN_ARG(buf_span(&name)));
    add_value(out, value);
    buf_add_char(out, '\n');
    buf_clear(&name);
}

/* Members of members are `outer.inner`; a list stands as JSON. */
static void add_members(struct buf *out, json_t *doc)
{
    const char *key, *inner;
    json_t *value, *part;

    json_object_foreach(doc, key, value)
    {
        if (json_is_object(value)) {
            json_object_foreach(value, inner, part)
            {
                add_line(out, key, inner, part);
            }
        } else if (!json_is_null(value)) {
            add_line(out, "", key, value);
        }
    }
}

static enum ended show(struct ctl *c, const char *pattern)
{
    struct buf path = {0}, out = {0};
    json_t *doc;
    enum ended how;

    api_path(&path, pattern, span_str(args_word(&c->args, 0)));
    how = api_get(c, buf_span(&path), &doc);
    if (how == ENDED_DONE) {
        if (c->json)
            print_json(&out, doc);
        else
            add_members(&out, doc);
        how = print_flush(&out) ? ENDED_DONE : ENDED_REFUSED;
    }
    json_decref(doc);
    buf_clear(&path);
    return how;
}

enum ended verb_rooms_show(struct ctl *c)
{
    return show(c, "/rooms/%");
}

enum ended verb_shards_show(struct ctl *c)
{
    return show(c, "/shards/%");
}

enum ended verb_nodes_show(struct ctl *c)
{
    return show(c, "/nodes/%");
}

enum ended verb_servers_show(struct ctl *c)
{
    return show(c, "/servers/%");
}
