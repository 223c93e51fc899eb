/* A room's settings from flags. PUT replaces all of them, so what is changed is put over what is.
 */
#include "world/ctl/verb_rooms.h"
#include "world/ctl/answer.h"
#include "world/ctl/api.h"
#include "world/ctl/options.h"
#include "world/ctl/room_fields.h"

enum { OK = 200, MISSING = 404 };

const struct flag verb_rooms_create_flags[] = {
    {"strategy", "NAME", "round-robin, least-connections, random, packed, p2c or hash", 0},
    {"public", NULL, "all may come in", 0},
    {"private", NULL, "with PRIVATE_ROOMS=enforce: only with a token for it", 0},
    {"max", "N", "clients of a shard", 0},
    {"min-shards", "N", "shards at least", 0},
    {"max-shards", "N", "shards at most; 0: no limit", 0},
    {NULL, NULL, NULL, 0},
};

static bool set_count(const struct ctl *c, json_t *out, const char *flag, uint64_t min,
                      const char *name)
{
    uint64_t n = 0;

    if (!args_has(&c->args, flag))
        return true;
    if (!options_count(c, flag, min, 1000000000, &n))
        return false;
    (void)json_object_set_new(out, name, json_real((double)n));
    return true;
}

/* Puts what the flags say over `out`. False: it has said what is wrong. */
static bool set_from_flags(const struct ctl *c, json_t *out)
{
    const char *strategy = args_value(&c->args, "strategy");
    bool open = args_has(&c->args, "public"), closed = args_has(&c->args, "private");
    struct buf problem = {0};
    bool good;

    if (strategy != NULL)
        (void)json_object_set_new(out, "balancingStrategy", json_string(strategy));
    if (open || closed)
        (void)json_object_set_new(out, "public", json_boolean(open));
    if (!set_count(c, out, "max", 1, "maxPlayersPerShard") ||
        !set_count(c, out, "min-shards", 0, "minShards") ||
        !set_count(c, out, "max-shards", 0, "maxShards"))
        return false;
    if (json_number_value(json_object_get(out, "maxShards")) == 0)
        (void)json_object_del(out, "maxShards");
    good = !(open && closed) && room_fields_check(out, &problem);
    if (open && closed)
        BUF_ADD_LIT(&problem, "--public and --private exclude each other");
    if (!good)
        (void)ctl_problem(ENDED_USAGE, "%.*s", SPAN_ARG(buf_span(&problem)));
    buf_clear(&problem);
    return good;
}

static enum ended put(struct ctl *c, struct span name, const json_t *settings, const char *done)
{
    struct buf path = {0}, body = {0};
    json_t *doc;
    enum ended how;

    api_path(&path, "/rooms/%", name);
    room_fields_add(&body, settings);
    how = api_ask(c, "PUT", buf_span(&path), buf_span(&body), &doc);
    if (how == ENDED_DONE)
        how = ctl_say(c, doc, "room %.*s is %s; shards: %lld", SPAN_ARG(name), done,
                      (long long)answer_number(json_object_get(doc, "shards"), "total"));
    json_decref(doc);
    buf_clear(&path);
    buf_clear(&body);
    return how;
}

/* Refuses a room that is there: PUT would replace its settings. */
static enum ended check_free(struct ctl *c, struct span name)
{
    struct buf path = {0};
    struct wire_answer a;
    enum ended how;

    api_path(&path, "/rooms/%", name);
    if (api_try(c, "GET", buf_span(&path), (struct span){0}, &a, &how)) {
        if (a.status == OK)
            how = ctl_problem(ENDED_REFUSED, "room %.*s is there already; rooms set changes it",
                              SPAN_ARG(name));
        else if (a.status != MISSING)
            how = api_refused(c, &a);
    }
    wire_answer_clear(&a);
    buf_clear(&path);
    return how;
}

enum ended verb_rooms_create(struct ctl *c)
{
    struct span name = span_str(args_word(&c->args, 0));
    json_t *settings = json_object();
    enum ended how = ENDED_USAGE;

    if (set_from_flags(c, settings))
        how = check_free(c, name);
    if (how == ENDED_DONE)
        how = put(c, name, settings, "made");
    json_decref(settings);
    return how;
}

enum ended verb_rooms_set(struct ctl *c)
{
    struct span name = span_str(args_word(&c->args, 0));
    json_t *room, *settings;
    struct buf path = {0};
    enum ended how;

    api_path(&path, "/rooms/%", name);
    how = api_get(c, buf_span(&path), &room);
    settings = room_fields_of(room, true);
    if (how == ENDED_DONE && !set_from_flags(c, settings))
        how = ENDED_USAGE;
    if (how == ENDED_DONE)
        how = put(c, name, settings, "changed");
    json_decref(settings);
    json_decref(room);
    buf_clear(&path);
    return how;
}
