/* Orders are given once; how far they are is read until they are done. */
#include "world/ctl/verb_drain.h"

#include "common/base/clock.h"
#include "common/base/json_out.h"
#include "world/ctl/answer.h"
#include "world/ctl/api.h"
#include "world/ctl/options.h"
#include "world/ctl/progress.h"
#include "world/ctl/verbs.h"

enum {
    LOOK_MS = 500,
    BEYOND_MS = 30000,    /* behind the deadline */
    PATIENCE_MS = 600000, /* without one */
    MOVE_MS = 30000,
    RATE_MAX = 1000000,
    NO_SUCH = 404
};

const struct flag verb_drain_flags[] = {
    {"node", "NODE", "all shards of this node", 0},
    {"server", "ORIGIN", "all rooms of this room server", 0},
    {"deadline", "TIME", "who is left then is sent away [nobody is]", 0},
    {"rate", "N", "clients sent away a second [evenly up to the deadline]", 0},
    {"no-wait", NULL, "do not wait until it is done", 0},
    {"timeout", "TIME", "wait so long [the deadline and 30s; without one 10m]", 0},
    {NULL, NULL, NULL, 0},
};

const struct flag verb_undrain_flags[] = {
    {"node", "NODE", "this node", 0},
    {"server", "ORIGIN", "this room server", 0},
    {NULL, NULL, NULL, 0},
};

const struct flag verb_move_room_flags[] = {
    {"no-wait", NULL, "do not wait until it is done", 0},
    {NULL, NULL, NULL, 0},
};

/* What is drained: one of three. */
struct kind {
    const char *what, *path, *unit;
    /* How many of `unit` are left in the thing as it is now. */
    int64_t (*left)(const json_t *doc);
};

static int64_t clients_left(const json_t *doc)
{
    return answer_number(doc, "currentConnections") + answer_number(doc, "reserved") +
           answer_number(doc, "returning");
}

/* A node is done when nothing is on it; without clients its shards are what is left. */
static int64_t node_left(const json_t *doc)
{
    int64_t clients = answer_number(doc, "currentConnections");

    return clients > 0 ? clients : answer_number(doc, "shards");
}

static int64_t rooms_left(const json_t *doc)
{
    return answer_number(doc, "rooms");
}

static const struct kind shard_kind = {"shard", "/shards/%", "clients", clients_left};
static const struct kind node_kind = {"node", "/nodes/%", "shards", node_left};
static const struct kind server_kind = {"server", "/servers/%", "rooms", rooms_left};

struct target {
    struct ctl *c;
    const struct kind *kind;
    struct span name;
};

static bool read_target(struct ctl *c, struct target *t)
{
    const char *node = args_value(&c->args, "node"), *server = args_value(&c->args, "server");
    const char *shard = args_word(&c->args, 0);

    *t = (struct target){.c = c, .kind = &shard_kind, .name = span_str(shard)};
    if ((shard != NULL) + (node != NULL) + (server != NULL) != 1) {
        (void)ctl_problem(ENDED_USAGE, "%s: name one SHARD, --node NODE or --server ORIGIN",
                          c->args.verb->name);
        return false;
    }
    if (node != NULL)
        *t = (struct target){.c = c, .kind = &node_kind, .name = span_str(node)};
    if (server != NULL)
        *t = (struct target){.c = c, .kind = &server_kind, .name = span_str(server)};
    return true;
}

/* ---- orders */

struct order {
    int64_t deadline_ms, patience_ms;
    uint64_t rate;
};

static bool read_order(const struct target *t, struct order *o)
{
    const struct ctl *c = t->c;
    bool timed = args_has(&c->args, "deadline") || args_has(&c->args, "rate");

    *o = (struct order){0};
    if (!options_duration(c, "deadline", &o->deadline_ms) ||
        !options_count(c, "rate", 1, RATE_MAX, &o->rate))
        return false;
    if (timed && t->kind == &server_kind) {
        (void)ctl_problem(ENDED_USAGE, "rooms go from a server when they can: it has no --deadline "
                                       "and no --rate");
        return false;
    }
    o->patience_ms = o->deadline_ms > 0 ? o->deadline_ms + BEYOND_MS : PATIENCE_MS;
    return options_duration(c, "timeout", &o->patience_ms);
}

static enum ended send(const struct target *t, const char *method, const char *verb,
                       const struct buf *body, json_t **doc)
{
    struct buf path = {0};
    enum ended how;

    api_path(&path, t->kind->path, t->name);
    buf_add_span(&path, span_str(verb));
    how = api_ask(t->c, method, buf_span(&path), buf_span(body), doc);
    buf_clear(&path);
    return how;
}

static enum ended order_drain(const struct target *t, const struct order *o, json_t **doc)
{
    struct buf body = {0};
    struct json_out out = {.out = &body};
    enum ended how;

    json_out_open(&out, NULL, '{');
    if (t->kind == &server_kind)
        json_out_bool(&out, "draining", true);
    if (o->deadline_ms > 0)
        json_out_i64(&out, "deadlineMs", o->deadline_ms);
    if (o->rate > 0)
        json_out_u64(&out, "rate", o->rate);
    json_out_close(&out, '}');
    how = t->kind == &server_kind ? send(t, "PUT", "", &body, doc)
                                  : send(t, "POST", "/drain", &body, doc);
    buf_clear(&body);
    return how;
}

/* ---- how far it is */

/* *doc: the thing, NULL when it is gone. */
static enum ended look(const struct target *t, json_t **doc)
{
    struct buf path = {0};
    struct wire_answer a;
    enum ended how;

    *doc = NULL;
    api_path(&path, t->kind->path, t->name);
    if (api_try(t->c, "GET", buf_span(&path), (struct span){0}, &a, &how)) {
        if (a.status == 200)
            *doc = json_decode(buf_span(&a.body));
        else if (a.status != NO_SUCH || t->kind != &shard_kind)
            how = api_refused(t->c, &a);
    }
    wire_answer_clear(&a);
    buf_clear(&path);
    return how;
}

/* A room server that is not there would be added by the order. */
static enum ended is_there(const struct target *t)
{
    json_t *doc = NULL;
    enum ended how = t->kind == &server_kind ? look(t, &doc) : ENDED_DONE;

    json_decref(doc);
    return how;
}

static enum ended gave_up(const struct target *t, int64_t left, const char *unit)
{
    if (wire_interrupted(t->c->wire)) {
        (void)ctl_problem(ENDED_INTERRUPTED, "the drain goes on; undrain takes it back");
        return ENDED_INTERRUPTED;
    }
    return ctl_problem(ENDED_LATE,
                       "%s left in %s %.*s: %lld; the drain goes on, undrain takes it back", unit,
                       t->kind->what, SPAN_ARG(t->name), (long long)left);
}

/* A node's shards are what is left once it has no clients. */
static const char *unit_of(const struct target *t, const json_t *doc)
{
    return t->kind == &node_kind && answer_number(doc, "currentConnections") > 0 ? "clients"
                                                                                 : t->kind->unit;
}

/* *doc is what was answered last; it is replaced. */
static enum ended wait_until_empty(const struct target *t, const struct order *o, json_t **doc)
{
    struct progress p = {.c = t->c, .unit = t->kind->unit};
    int64_t begin = clock_mono_ms(), left = 0;
    enum ended how = ENDED_DONE;

    while (*doc != NULL && how == ENDED_DONE) {
        left = t->kind->left(*doc);
        p.unit = unit_of(t, *doc);
        progress_tell(&p, left, clock_mono_ms() - begin);
        if (left == 0 && t->kind != &shard_kind)
            break;
        if (clock_mono_ms() - begin > o->patience_ms || !ctl_pause(t->c, LOOK_MS)) {
            progress_end(&p);
            return gave_up(t, left, p.unit);
        }
        json_decref(*doc);
        how = look(t, doc);
    }
    progress_end(&p);
    return how;
}

static enum ended say_drained(const struct target *t, const json_t *doc, bool waited)
{
    json_t *out = json_pack("{s:s,s:s%,s:b}", "kind", t->kind->what, "name", t->name.ptr,
                            t->name.len, "done", (int)waited);
    enum ended how;

    (void)doc;
    how = ctl_say(t->c, out, "%s %.*s %s", t->kind->what, SPAN_ARG(t->name),
                  !waited                  ? "drains"
                  : t->kind == &shard_kind ? "is empty and gone"
                                           : "is empty");
    json_decref(out);
    return how;
}

enum ended verb_drain(struct ctl *c)
{
    struct target t;
    struct order o;
    json_t *doc = NULL;
    bool wait = !args_has(&c->args, "no-wait");
    enum ended how;

    if (!read_target(c, &t) || !read_order(&t, &o))
        return ENDED_USAGE;
    how = is_there(&t);
    if (how == ENDED_DONE)
        how = order_drain(&t, &o, &doc);
    if (how == ENDED_DONE && wait)
        how = wait_until_empty(&t, &o, &doc);
    if (how == ENDED_DONE)
        how = say_drained(&t, doc, wait || doc == NULL);
    json_decref(doc);
    return how;
}

enum ended verb_undrain(struct ctl *c)
{
    struct target t;
    struct buf body = {0};
    json_t *doc = NULL;
    enum ended how;

    if (!read_target(c, &t))
        return ENDED_USAGE;
    if (t.kind == &server_kind)
        BUF_ADD_LIT(&body, "{\"draining\":false}");
    how = is_there(&t);
    if (how == ENDED_DONE)
        how = t.kind == &server_kind ? send(&t, "PUT", "", &body, &doc)
                                     : send(&t, "POST", "/undrain", &body, &doc);
    if (how == ENDED_DONE)
        how = ctl_say(c, doc, "%s %.*s does not drain any more", t.kind->what, SPAN_ARG(t.name));
    json_decref(doc);
    buf_clear(&body);
    return how;
}

/* ---- move */

/* {"member":"value"} to the path; both arguments are words. */
static enum ended order_move(struct ctl *c, const char *pattern, const char *member, json_t **doc)
{
    struct buf path = {0}, body = {0};
    struct json_out o = {.out = &body};
    enum ended how;

    json_out_open(&o, NULL, '{');
    json_out_text(&o, member, span_str(args_word(&c->args, 1)));
    json_out_close(&o, '}');
    api_path(&path, pattern, span_str(args_word(&c->args, 0)));
    how = api_ask(c, "POST", buf_span(&path), buf_span(&body), doc);
    buf_clear(&path);
    buf_clear(&body);
    return how;
}

enum ended verb_move_shard(struct ctl *c)
{
    json_t *doc;
    enum ended how = order_move(c, "/shards/%/move", "node", &doc);

    if (how == ENDED_DONE)
        how =
            ctl_say(c, doc, "shard %s is on node %.*s; clients of the old one stay there as guests",
                    args_word(&c->args, 0), SPAN_ARG(answer_text(doc, "node")));
    json_decref(doc);
    return how;
}

/* Whether the room has come to the server; `how` is not ENDED_DONE when that cannot be known. */
static bool has_come(struct ctl *c, enum ended *how)
{
    struct buf path = {0};
    json_t *room, *server = NULL;
    bool come;

    api_path(&path, "/rooms/%", span_str(args_word(&c->args, 0)));
    *how = api_get(c, buf_span(&path), &room);
    buf_reset(&path);
    api_path(&path, "/servers/%", span_str(args_word(&c->args, 1)));
    if (*how == ENDED_DONE)
        *how = api_get(c, buf_span(&path), &server);
    come = *how == ENDED_DONE && answer_number(server, "awaited") == 0 &&
           span_eq(answer_text(room, "server"), answer_text(server, "server"));
    json_decref(room);
    json_decref(server);
    buf_clear(&path);
    return come;
}

static enum ended wait_for_room(struct ctl *c)
{
    int64_t end = clock_mono_ms() + MOVE_MS;
    enum ended how = ENDED_DONE;

    while (!has_come(c, &how) && how == ENDED_DONE) {
        if (clock_mono_ms() > end)
            return ctl_problem(ENDED_LATE, "room %s is not on its server yet; it goes on",
                               args_word(&c->args, 0));
        if (!ctl_pause(c, LOOK_MS))
            return ENDED_INTERRUPTED;
    }
    return how;
}

enum ended verb_move_room(struct ctl *c)
{
    bool wait = !args_has(&c->args, "no-wait");
    json_t *doc;
    enum ended how = order_move(c, "/rooms/%/move", "server", &doc);

    if (how == ENDED_DONE && wait)
        how = wait_for_room(c);
    if (how == ENDED_DONE)
        how = ctl_say(c, doc, "room %s %s server %s", args_word(&c->args, 0),
                      wait ? "is on" : "goes to", args_word(&c->args, 1));
    json_decref(doc);
    return how;
}
