/* Changes that one request makes. */
#include "common/base/json_out.h"
#include "world/ctl/answer.h"
#include "world/ctl/api.h"
#include "world/ctl/options.h"
#include "world/ctl/verb_one.h"

enum { COUNT_MAX = 1000000000, BAN_DEFAULT_MS = 600000 };

const struct flag verb_delete_flags[] = {
    {"force", NULL, "even if clients are there: they are sent away within 10 s", 0},
    {NULL, NULL, NULL, 0},
};

const struct flag verb_shards_add_flags[] = {
    {"count", "N", "so many [1]", 0},
    {"max", "N", "clients each may have [what the room says]", 0},
    {"url-template", "URL", "its url, with {shardId} and {roomId}", 0},
    {NULL, NULL, NULL, 0},
};

const struct flag verb_shards_set_flags[] = {
    {"max", "N", "clients it may have; those beyond stay", 0},
    {NULL, NULL, NULL, 0},
};

const struct flag verb_scale_flags[] = {
    {"deadline", "TIME", "clients of what is given up are sent away until then", 0},
    {NULL, NULL, NULL, 0},
};

const struct flag verb_maintenance_flags[] = {
    {"off", NULL, "it takes clients again", 0},
    {NULL, NULL, NULL, 0},
};

const struct flag verb_ban_flags[] = {
    {"for", "TIME", "how long [10m]", 0},
    {NULL, NULL, NULL, 0},
};

/* The n-th argument. */
static struct span word(const struct ctl *c, size_t n)
{
    return span_str(args_word(&c->args, n));
}

/* Asks; path and body are used up. *doc as api_ask has it. */
static enum ended ask(struct ctl *c, const char *method, struct buf *path, struct buf *body,
                      json_t **doc)
{
    enum ended how = api_ask(c, method, buf_span(path), buf_span(body), doc);

    buf_clear(path);
    buf_clear(body);
    return how;
}

/* ---- delete */

static enum ended remove_one(struct ctl *c, const char *what, const char *pattern)
{
    struct buf path = {0}, body = {0};
    json_t *doc;
    enum ended how;

    if (!ctl_agrees(c, "delete %s %.*s?", what, SPAN_ARG(word(c, 0))))
        return ctl_disagreed(c);
    api_path(&path, pattern, word(c, 0));
    api_query(&path, "force", args_has(&c->args, "force") ? "1" : NULL);
    how = ask(c, "DELETE", &path, &body, &doc);
    if (how == ENDED_DONE)
        how = ctl_say(c, doc, "%s %.*s %s", what, SPAN_ARG(word(c, 0)),
                      doc == NULL ? "is gone" : "goes when its clients are gone");
    json_decref(doc);
    return how;
}

enum ended verb_rooms_delete(struct ctl *c)
{
    return remove_one(c, "room", "/rooms/%");
}

enum ended verb_shards_delete(struct ctl *c)
{
    return remove_one(c, "shard", "/shards/%");
}

enum ended verb_nodes_delete(struct ctl *c)
{
    return remove_one(c, "node", "/nodes/%");
}

enum ended verb_servers_delete(struct ctl *c)
{
    return remove_one(c, "server", "/servers/%");
}

/* ---- shards */

static enum ended say_added(const struct ctl *c, const json_t *doc)
{
    const json_t *items = json_object_get(doc, "items");
    enum ended how = ENDED_DONE;

    if (c->json)
        return ctl_say(c, doc, "%s", "");
    for (size_t i = 0; i < json_array_size(items) && how == ENDED_DONE; i++) {
        struct span id = answer_text(json_array_get(items, i), "shardId");
        how = ctl_say(c, NULL, "%s%.*s", c->quiet ? "" : "added shard ", SPAN_ARG(id));
    }
    return how;
}

enum ended verb_shards_add(struct ctl *c)
{
    uint64_t count = 1, max = 0;
    const char *url = args_value(&c->args, "url-template");
    struct buf path = {0}, body = {0};
    struct json_out o = {.out = &body};
    json_t *doc;
    enum ended how;

    if (!options_count(c, "count", 1, COUNT_MAX, &count) ||
        !options_count(c, "max", 1, COUNT_MAX, &max))
        return ENDED_USAGE;
    json_out_open(&o, NULL, '{');
    json_out_u64(&o, "count", count);
    if (max != 0)
        json_out_u64(&o, "maxConnections", max);
    if (url != NULL)
        json_out_text(&o, "urlTemplate", span_str(url));
    json_out_close(&o, '}');
    api_path(&path, "/rooms/%/shards", word(c, 0));
    how = ask(c, "POST", &path, &body, &doc);
    if (how == ENDED_DONE)
        how = say_added(c, doc);
    json_decref(doc);
    return how;
}

enum ended verb_shards_set(struct ctl *c)
{
    struct buf path = {0}, body = {0};
    uint64_t max = 0;
    json_t *doc;
    enum ended how;

    if (!options_count(c, "max", 1, COUNT_MAX, &max))
        return ENDED_USAGE;
    if (max == 0)
        return ctl_problem(ENDED_USAGE, "shards set: --max is missing");
    buf_addf(&body, "{\"maxConnections\":%llu}", (unsigned long long)max);
    api_path(&path, "/shards/%", word(c, 0));
    how = ask(c, "PATCH", &path, &body, &doc);
    if (how == ENDED_DONE)
        how = ctl_say(c, doc, "shard %.*s; clients at most: %llu", SPAN_ARG(word(c, 0)),
                      (unsigned long long)max);
    json_decref(doc);
    return how;
}

enum ended verb_maintenance(struct ctl *c)
{
    bool off = args_has(&c->args, "off");
    struct buf path = {0}, body = {0};
    json_t *doc;
    enum ended how;

    api_path(&path, off ? "/shards/%/activate" : "/shards/%/maintenance", word(c, 0));
    how = ask(c, "POST", &path, &body, &doc);
    if (how == ENDED_DONE)
        how = ctl_say(c, doc, "shard %.*s is %.*s", SPAN_ARG(word(c, 0)),
                      SPAN_ARG(answer_text(doc, "status")));
    json_decref(doc);
    return how;
}

enum ended verb_scale(struct ctl *c)
{
    struct buf path = {0}, body = {0};
    uint64_t target = 0;
    int64_t deadline = 0;
    json_t *doc, *now;
    enum ended how;

    if (!options_number("the number of shards", args_word(&c->args, 1), 1, COUNT_MAX, &target) ||
        !options_duration(c, "deadline", &deadline))
        return ENDED_USAGE;
    buf_addf(&body, "{\"target\":%llu", (unsigned long long)target);
    if (deadline > 0)
        buf_addf(&body, ",\"deadlineMs\":%lld", (long long)deadline);
    buf_add_char(&body, '}');
    api_path(&path, "/rooms/%/scale", word(c, 0));
    how = ask(c, "POST", &path, &body, &doc);
    now = json_object_get(doc, "shards");
    if (how == ENDED_DONE)
        how = ctl_say(c, doc, "room %.*s; shards: %lld, of which drain: %lld", SPAN_ARG(word(c, 0)),
                      (long long)answer_number(now, "total"),
                      (long long)answer_number(now, "draining"));
    json_decref(doc);
    return how;
}

/* ---- servers */

enum ended verb_servers_add(struct ctl *c)
{
    struct buf path = {0}, body = {0};
    json_t *doc;
    enum ended how;

    BUF_ADD_LIT(&body, "{}");
    api_path(&path, "/servers/%", word(c, 0));
    how = ask(c, "PUT", &path, &body, &doc);
    if (how == ENDED_DONE)
        how = ctl_say(c, doc, "server %.*s is known, and %.*s", SPAN_ARG(word(c, 0)),
                      SPAN_ARG(answer_text(doc, "state")));
    json_decref(doc);
    return how;
}

/* ---- sessions */

enum ended verb_kick(struct ctl *c)
{
    struct buf path = {0}, body = {0};
    struct json_out o = {.out = &body};
    json_t *doc;
    enum ended how;

    json_out_open(&o, NULL, '{');
    json_out_text(&o, "session", word(c, 1));
    json_out_close(&o, '}');
    api_path(&path, "/rooms/%/kick", word(c, 0));
    how = ask(c, "POST", &path, &body, &doc);
    if (how == ENDED_DONE)
        how = ctl_say(c, doc, "session %.*s is kicked out of %.*s", SPAN_ARG(word(c, 1)),
                      SPAN_ARG(word(c, 0)));
    json_decref(doc);
    return how;
}

enum ended verb_ban(struct ctl *c)
{
    struct buf path = {0}, body = {0};
    int64_t ms = BAN_DEFAULT_MS, seconds;
    json_t *doc;
    enum ended how;

    if (!options_duration(c, "for", &ms))
        return ENDED_USAGE;
    seconds = (ms + 999) / 1000;
    if (seconds == 0)
        return ctl_problem(ENDED_USAGE, "--for must be at least 1s; unban takes a ban back");
    buf_addf(&body, "{\"seconds\":%lld}", (long long)seconds);
    api_path(&path, "/rooms/%/bans/%", word(c, 0), word(c, 1));
    how = ask(c, "PUT", &path, &body, &doc);
    if (how == ENDED_DONE)
        how = ctl_say(c, doc, "session %.*s is banned from %.*s for %lld s", SPAN_ARG(word(c, 1)),
                      SPAN_ARG(word(c, 0)), (long long)seconds);
    json_decref(doc);
    return how;
}

enum ended verb_unban(struct ctl *c)
{
    struct buf path = {0}, body = {0};
    enum ended how;

    api_path(&path, "/rooms/%/bans/%", word(c, 0), word(c, 1));
    how = ask(c, "DELETE", &path, &body, NULL);
    if (how == ENDED_DONE)
        how = ctl_say(c, NULL, "session %.*s may come into %.*s again", SPAN_ARG(word(c, 1)),
                      SPAN_ARG(word(c, 0)));
    return how;
}
