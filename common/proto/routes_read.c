/* ROUTES as it is written: reads the JSON and says what is wrong with it. */
#include <stdlib.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/proto/allowed_origins.h"
#include "common/proto/route_pattern.h"
#include "common/proto/routes.h"

/* The rule being read. */
struct reading {
    struct buf *problem;
    size_t index;
    struct route_rule *rule;
};

static void add_place(const struct reading *r, const char *member)
{
    buf_addf(r->problem, "[%zu]%s%s: ", r->index, member[0] == '\0' ? "" : ".", member);
}

/* Says what is wrong with a member (empty: the rule), in one line. Always ERR_SYNTAX. */
static enum err wrong(const struct reading *r, const char *member, const char *what)
{
    add_place(r, member);
    buf_addf(r->problem, "%s", what);
    return ERR_SYNTAX;
}

static enum err wrong_text(const struct reading *r, const char *member, struct span text,
                           const char *what)
{
    add_place(r, member);
    json_add_string(r->problem, text);
    buf_addf(r->problem, " %s", what);
    return ERR_SYNTAX;
}

static enum err read_path(struct reading *r, json_t *object)
{
    struct span path;
    if (!json_get_span(object, "path", &path))
        return wrong(r, "path", "a text such as \"/socket.io/*\" is needed");
    const char *problem = route_pattern_problem(path);
    if (problem != NULL)
        return wrong_text(r, "path", path, problem);
    r->rule->pattern = xspandup(path);
    r->rule->has_shard = route_pattern_has(path, SPAN("shard"));
    return ERR_OK;
}

/* ---- words */

/* The index of a text among `words`; the one at `absent` when the member is not there. */
static enum err read_word(const struct reading *r, json_t *object, const char *member,
                          const char *const *words, const char *what, int *out)
{
    struct span text;
    const json_t *value = json_object_get(object, member);
    if (value == NULL)
        return ERR_OK;
    if (!json_get_span(object, member, &text))
        return wrong(r, member, what);
    for (int i = 0; words[i] != NULL; i++) {
        if (span_eq(text, span_str(words[i]))) {
            *out = i;
            return ERR_OK;
        }
    }
    return wrong_text(r, member, text, what);
}

static enum err read_mode(struct reading *r, json_t *object)
{
    static const char *const words[] = {"mux", "pass", NULL};
    int mode = -1;
    enum err e = read_word(r, object, "mode", words, "is not \"mux\" or \"pass\"", &mode);
    if (e != ERR_OK)
        return e;
    if (mode < 0)
        return wrong(r, "mode", "\"mux\" or \"pass\" is needed");
    r->rule->mode = mode == 0 ? ROUTE_MUX : ROUTE_PASS;
    if (mode == 0 && !r->rule->has_shard)
        return wrong(r, "mode", "mux needs {shard} in the path");
    return ERR_OK;
}

static enum err read_auth(struct reading *r, json_t *object)
{
    static const char *const words[] = {"none", "jwt", "message", "ticket", NULL};
    int auth = -1;
    enum err e = read_word(r, object, "auth", words,
                           "is not \"none\", \"jwt\", \"message\" or \"ticket\"", &auth);
    if (e != ERR_OK || auth < 0)
        return e;
    r->rule->auth = (enum route_auth)(ROUTE_AUTH_NONE + auth);
    if (r->rule->auth == ROUTE_AUTH_TICKET && !r->rule->has_shard)
        return wrong(r, "auth", "tickets are for shards: {shard} in the path is needed");
    return ERR_OK;
}

static enum err read_flag(const struct reading *r, json_t *object, const char *member, bool *out)
{
    if (json_object_get(object, member) != NULL && !json_get_bool(object, member, out))
        return wrong(r, member, "is not true or false");
    return ERR_OK;
}

static enum err read_flags(struct reading *r, json_t *object)
{
    bool secret = false, deflate = false;
    enum err e = read_flag(r, object, "secret", &secret);
    if (e == ERR_OK)
        e = read_flag(r, object, "deflate", &deflate);
    r->rule->secret = secret;
    r->rule->deflate = -1;
    if (json_object_get(object, "deflate") != NULL)
        r->rule->deflate = deflate ? 1 : 0;
    return e;
}

/* ---- lists of texts */

/* Joins the texts of a list with commas. ERR_MISSING: it is not there. */
static enum err read_list(const struct reading *r, json_t *object, const char *member,
                          struct buf *out)
{
    json_t *list = json_object_get(object, member), *item;
    size_t i;
    if (list == NULL)
        return ERR_MISSING;
    if (!json_is_array(list))
        return wrong(r, member, "is not a list of texts");
    if (json_array_size(list) == 0)
        return wrong(r, member, "is empty: name one, or leave it out");
    json_array_foreach(list, i, item)
    {
        struct span text = span_of(json_string_value(item), json_string_length(item));
        if (!json_is_string(item))
            return wrong(r, member, "is not a list of texts");
        if (text.len == 0 || span_index(text, ',') < text.len || span_trim(text).len != text.len)
            return wrong_text(r, member, text, "is not one of a list");
        if (i > 0)
            buf_add_char(out, ',');
        buf_add_span(out, text);
    }
    return ERR_OK;
}

static enum err read_servers(struct reading *r, json_t *object)
{
    struct buf list = {.len = 0};
    struct span bad;
    enum err e = read_list(r, object, "servers", &list);
    if (e == ERR_OK && origins_parse(&r->rule->servers, buf_span(&list), &bad) != ERR_OK)
        e = wrong_text(r, "servers", bad, "is not an origin such as http://10.0.0.5:3000");
    buf_clear(&list);
    return e == ERR_MISSING ? ERR_OK : e;
}

static enum err read_origins(struct reading *r, json_t *object)
{
    struct buf list = {.len = 0};
    struct span bad;
    enum err e = read_list(r, object, "origins", &list);
    if (e == ERR_OK && allowed_origins_check(buf_span(&list), &bad) != ERR_OK)
        e = wrong_text(r, "origins", bad,
                       "is not an origin such as https://game.example or https://*.game.example");
    else if (e == ERR_OK)
        r->rule->origins = xspandup(buf_span(&list));
    buf_clear(&list);
    return e == ERR_MISSING ? ERR_OK : e;
}

/* ---- keys */

static void add_key(struct route_rule *rule, enum route_key_from from, struct span name)
{
    rule->keys = xreallocarray(rule->keys, rule->key_count + 1, sizeof *rule->keys);
    rule->keys[rule->key_count++] =
        (struct route_key){.from = from, .name = name.len == 0 ? NULL : xspandup(name)};
}

static enum err read_key(struct reading *r, struct span text)
{
    static const struct {
        const char *prefix;
        enum route_key_from from;
    } kinds[] = {
        {"path:", ROUTE_KEY_PATH},
        {"query:", ROUTE_KEY_QUERY},
        {"cookie:", ROUTE_KEY_COOKIE},
        {"header:", ROUTE_KEY_HEADER},
    };
    if (span_eq(text, SPAN("address"))) {
        add_key(r->rule, ROUTE_KEY_ADDRESS, (struct span){.len = 0});
        return ERR_OK;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct span prefix = span_str(kinds[i].prefix);
        struct span name = span_slice(text, prefix.len, text.len);
        if (!span_starts(text, prefix) || name.len == 0)
            continue;
        if (kinds[i].from == ROUTE_KEY_PATH && !route_pattern_has(span_str(r->rule->pattern), name))
            return wrong_text(r, "key", text, "is not in the path");
        add_key(r->rule, kinds[i].from, name);
        return ERR_OK;
    }
    return wrong_text(r, "key", text,
                      "is not path:NAME, query:NAME, cookie:NAME, header:NAME or address");
}

static enum err read_keys(struct reading *r, json_t *object)
{
    struct buf list = {.len = 0};
    struct span part;
    enum err e = read_list(r, object, "key", &list);
    struct span rest = buf_span(&list);
    while (e == ERR_OK && rest.len > 0 && span_split(&rest, ',', &part))
        e = read_key(r, part);
    buf_clear(&list);
    return e == ERR_MISSING ? ERR_OK : e;
}

static void add_default_keys(struct route_rule *rule)
{
    if (route_pattern_has(span_str(rule->pattern), SPAN("room")))
        add_key(rule, ROUTE_KEY_PATH, SPAN("room"));
    add_key(rule, ROUTE_KEY_QUERY, SPAN("room"));
    add_key(rule, ROUTE_KEY_ADDRESS, (struct span){.len = 0});
}

/* ---- rules */

/* Members that mean nothing for the rule's kind are mistakes, too. */
static enum err check_members(struct reading *r, json_t *object)
{
    static const char *const known[] = {"path", "mode",    "auth",   "servers",
                                        "key",  "origins", "secret", "deflate"};
    static const char *const for_pass[] = {"servers", "secret"};
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        bool is_known = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            is_known |= span_eq(span_str(name), span_str(known[i]));
        if (!is_known)
            return wrong_text(r, "", span_str(name), "is not a member of a rule");
    }
    for (size_t i = 0; i < sizeof for_pass / sizeof for_pass[0]; i++)
        if (r->rule->mode == ROUTE_MUX && json_object_get(object, for_pass[i]) != NULL)
            return wrong(r, for_pass[i], "is for mode pass");
    if (r->rule->mode == ROUTE_PASS && json_object_get(object, "deflate") != NULL)
        return wrong(r, "deflate", "is for mode mux: in mode pass the room server decides");
    if (r->rule->has_shard && json_object_get(object, "key") != NULL)
        return wrong(r, "key", "is for paths without {shard}: the room is the key of a shard");
    return ERR_OK;
}

static enum err read_rule(struct reading *r, json_t *object)
{
    static enum err (*const steps[])(struct reading *, json_t *) = {
        read_path,  read_mode,    check_members, read_auth,
        read_flags, read_servers, read_origins,  read_keys,
    };
    enum err e = json_is_object(object) ? ERR_OK : wrong(r, "", "is not an object");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && e == ERR_OK; i++)
        e = steps[i](r, object);
    if (e == ERR_OK && r->rule->mode == ROUTE_PASS && !r->rule->has_shard &&
        r->rule->key_count == 0)
        add_default_keys(r->rule);
    return e;
}

/* A rule that no path ever reaches is a mistake in their order. */
static enum err check_order(const struct reading *r, const struct routes *all)
{
    struct span pattern = span_str(r->rule->pattern);
    for (size_t i = 0; i < r->index; i++) {
        if (!route_pattern_covers(span_str(all->list[i].pattern), pattern))
            continue;
        add_place(r, "path");
        json_add_string(r->problem, pattern);
        buf_addf(r->problem, " is never reached: [%zu] takes all that fits it", i);
        return ERR_SYNTAX;
    }
    return ERR_OK;
}

static enum err read_rules(struct routes *all, json_t *list, struct buf *problem)
{
    json_t *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        struct reading r = {.problem = problem, .index = i, .rule = &all->list[i]};
        all->count++;
        enum err e = read_rule(&r, item);
        if (e == ERR_OK)
            e = check_order(&r, all);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

/* jansson quotes what it has read, line ends and all. */
static void add_error(struct buf *problem, const json_error_t *error)
{
    buf_addf(problem, "line %d, column %d: %s", error->line, error->column, error->text);
    for (size_t i = 0; i < problem->len; i++)
        if ((unsigned char)problem->data[i] < ' ')
            problem->data[i] = ' ';
}

static enum err read_text(json_t **out, struct span text, struct buf *problem)
{
    json_error_t error;
    *out = NULL;
    if (span_trim(text).len == 0)
        return ERR_OK;
    *out = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    if (*out == NULL)
        add_error(problem, &error);
    else if (!json_is_array(*out))
        BUF_ADD_LIT(problem, "is not a list of rules");
    else if (json_array_size(*out) > ROUTES_MAX)
        buf_addf(problem, "has more than %d rules", (int)ROUTES_MAX);
    return problem->len == 0 ? ERR_OK : ERR_SYNTAX;
}

enum err routes_parse(struct routes **out, struct span json, struct buf *problem)
{
    json_t *list;
    struct routes *all = xcalloc(1, sizeof *all);
    *out = NULL;
    buf_reset(problem);
    enum err e = read_text(&list, json, problem);
    if (e == ERR_OK) {
        all->list = xcalloc(json_array_size(list) + 1, sizeof *all->list);
        e = read_rules(all, list, problem);
    }
    json_decref(list);
    if (e != ERR_OK) {
        routes_free(all);
        return e;
    }
    all->list[all->count] = routes_builtin.list[0];
    all->list[all->count++].pattern = xspandup(SPAN(ROUTES_BUILTIN_PATTERN));
    *out = all;
    return ERR_OK;
}
