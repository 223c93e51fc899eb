/* Owns the connection until it is found good. Questions are sent in one go when it stands; their
 * answers are judged one by one. Of errors only the code is told on: their text may quote what was
 * sent, the password too. */
#include "common/net/redis_seek.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

struct redis_question {
    const char *name;
    /* Appends the command, or nothing: it is not asked. */
    void (*ask)(const struct redis_seek *s, struct buf *out);
    /* False: it is the wrong answer, and s->why says so. */
    bool (*heard)(struct redis_seek *s, const struct redis_answer *a);
};

static void ask(struct buf *out, const struct span *words, size_t count)
{
    redis_wire_begin(out, count);
    redis_wire_add(out, words, count);
}

static bool wrong(struct redis_seek *s, const char *text)
{
    buf_add_span(&s->why, span_str(text));
    return false;
}

static bool wrong_error(struct redis_seek *s, const struct redis_answer *a)
{
    static const char *const codes[] = {"NOPERM", "LOADING", "MASTERDOWN", "BUSY", "ERR"};
    if (redis_is_error(a, SPAN("NOAUTH")))
        return wrong(s, "it wants a password");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (redis_is_error(a, span_str(codes[i]))) {
            buf_addf(&s->why, "it answers %s to %s", codes[i], s->asked[s->heard]->name);
            return false;
        }
    }
    buf_addf(&s->why, "it answers %s with an error", s->asked[s->heard]->name);
    return false;
}

/* ---- the questions ---- */

static void ask_auth(const struct redis_seek *s, struct buf *out)
{
    const struct span words[] = {SPAN("AUTH"), span_str(s->url->user), span_str(s->url->password)};
    if (s->url->user != NULL)
        ask(out, words, 3);
    else if (s->url->password != NULL)
        ask(out, (const struct span[]){words[0], words[2]}, 2);
}

static bool auth_heard(struct redis_seek *s, const struct redis_answer *a)
{
    if (a->type != REDIS_ERROR)
        return true;
    if (redis_is_error(a, SPAN("WRONGPASS")))
        return wrong(s, "the user or the password is wrong");
    if (span_starts(a->text, SPAN("ERR AUTH")))
        return wrong(s, "it asks for no password");
    return wrong_error(s, a);
}

/* A Sentinel that asks for no password may be given one. */
static bool any_heard(struct redis_seek *s, const struct redis_answer *a)
{
    (void)s, (void)a;
    return true;
}

static void ask_master(const struct redis_seek *s, struct buf *out)
{
    const struct span words[] = {SPAN("SENTINEL"), SPAN("get-master-addr-by-name"),
                                 span_str(s->url->master)};
    ask(out, words, 3);
}

static bool master_heard(struct redis_seek *s, const struct redis_answer *a)
{
    struct buf text = {.len = 0};
    if (a->type == REDIS_ERROR && span_starts(a->text, SPAN("ERR unknown command")))
        return wrong(s, "it is not a Sentinel");
    if (a->type == REDIS_ERROR)
        return wrong_error(s, a);
    if (a->type == REDIS_NIL)
        return wrong(s, "it knows no master of that name");
    if (a->type != REDIS_LIST || a->count != 2)
        return wrong(s, "it is not a Sentinel");
    struct span host = redis_item(a, 0).text, port = redis_item(a, 1).text;
    bool ipv6 = span_index(host, ':') < host.len;
    buf_addf(&text, ipv6 ? "[%.*s]:%.*s" : "%.*s:%.*s", SPAN_ARG(host), SPAN_ARG(port));
    url_origin_clear(&s->master);
    enum err e = redis_url_parse_server(buf_span(&text), 0, &s->master);
    buf_clear(&text);
    return e == ERR_OK || wrong(s, "it names an address that cannot be one");
}

static void ask_select(const struct redis_seek *s, struct buf *out)
{
    char db[16];
    (void)snprintf(db, sizeof db, "%" PRIu32, s->url->db);
    if (s->url->db > 0)
        ask(out, (const struct span[]){SPAN("SELECT"), span_str(db)}, 2);
}

static bool select_heard(struct redis_seek *s, const struct redis_answer *a)
{
    if (a->type != REDIS_ERROR)
        return true;
    if (span_starts(a->text, SPAN("ERR DB index")))
        return wrong(s, "it has no database of that number");
    return wrong_error(s, a);
}

static bool ok_heard(struct redis_seek *s, const struct redis_answer *a)
{
    return a->type != REDIS_ERROR || wrong_error(s, a);
}

static void ask_role(const struct redis_seek *s, struct buf *out)
{
    (void)s;
    ask(out, &SPAN("ROLE"), 1);
}

static bool role_heard(struct redis_seek *s, const struct redis_answer *a)
{
    if (a->type == REDIS_ERROR)
        return wrong_error(s, a);
    struct span role = a->type == REDIS_LIST && a->count > 0 ? redis_item(a, 0).text : SPAN("");
    if (span_eq(role, SPAN("slave")))
        return wrong(s, "it is a replica, not the master");
    if (span_eq(role, SPAN("sentinel")))
        return wrong(s, "it is a Sentinel (those are redis+sentinel://)");
    return span_eq(role, SPAN("master")) || wrong(s, "it is not a Redis server");
}

/* A server that loads its data answers ROLE, but not this. */
static void ask_ping(const struct redis_seek *s, struct buf *out)
{
    (void)s;
    ask(out, &SPAN("PING"), 1);
}

static const struct redis_question sentinel_questions[] = {
    {"AUTH", ask_auth, any_heard},
    {"SENTINEL", ask_master, master_heard},
};
static const struct redis_question server_questions[] = {
    {"AUTH", ask_auth, auth_heard},
    {"SELECT", ask_select, select_heard},
    {"ROLE", ask_role, role_heard},
    {"PING", ask_ping, ok_heard},
};

/* ---- one after the other ---- */

static void try(struct redis_seek *s);

static const struct url_origin *server_tried(const struct redis_seek *s)
{
    return &s->url->servers[s->at];
}

static void leave(struct redis_seek *s)
{
    wheel_cancel(loop_wheel(s->loop), &s->deadline);
    if (s->link != NULL)
        redis_link_free(s->link);
    s->link = NULL;
}

/* This one is not it; s->why says why. */
static void next(struct redis_seek *s)
{
    leave(s);
    s->at = (s->at + 1) % s->url->count;
    if (++s->tried < s->url->count) {
        BUF_ADD_LIT(&s->why, "; ");
        try(s);
    } else {
        s->failed(s, buf_span(&s->why));
    }
}

/* Begins what is said of the one being tried. */
static void blame(struct redis_seek *s)
{
    buf_addf(&s->why, "%s", server_tried(s)->text);
    if (!s->asking && s->url->kind == REDIS_SENTINEL)
        buf_addf(&s->why, " names %s", s->master.text);
    BUF_ADD_LIT(&s->why, ": ");
}

static void fail(struct redis_seek *s, const char *why)
{
    blame(s);
    (void)wrong(s, why);
    next(s);
}

static void on_connected(void *ctx)
{
    struct redis_seek *s = ctx;
    const struct redis_question *all = s->asking ? sentinel_questions : server_questions;
    size_t count = s->asking ? sizeof sentinel_questions / sizeof *sentinel_questions
                             : sizeof server_questions / sizeof *server_questions;
    struct buf out = {.len = 0};
    s->count = s->heard = 0;
    for (size_t i = 0; i < count; i++) {
        size_t before = out.len;
        all[i].ask(s, &out);
        if (out.len > before)
            s->asked[s->count++] = &all[i];
    }
    redis_link_send(s->link, buf_span(&out));
    buf_clear(&out);
}

static void dial(struct redis_seek *s, const struct url_origin *to, bool asking);

/* All answers were right. */
static void done(struct redis_seek *s)
{
    struct redis_link *k = s->link;
    if (s->asking) {
        leave(s);
        dial(s, &s->master, false);
        return;
    }
    s->link = NULL;
    leave(s);
    s->found(s, k);
}

static void on_answer(void *ctx, const struct redis_answer *a)
{
    struct redis_seek *s = ctx;
    size_t before = s->why.len;
    assert(s->heard < s->count); /* the last one ends it */
    blame(s);
    if (!s->asked[s->heard]->heard(s, a)) {
        next(s);
        return;
    }
    s->why.len = before;
    if (++s->heard == s->count)
        done(s);
}

static void on_ended(void *ctx, const char *why)
{
    fail(ctx, why);
}

static void on_deadline(struct timer *t, int64_t now)
{
    (void)now;
    fail(CONTAINER_OF(t, struct redis_seek, deadline), "it does not answer in time");
}

static void dial(struct redis_seek *s, const struct url_origin *to, bool asking)
{
    static const struct redis_link_ops ops = {
        .connected = on_connected, .answer = on_answer, .ended = on_ended};
    s->asking = asking;
    s->deadline.fire = on_deadline;
    wheel_set(loop_wheel(s->loop), &s->deadline, loop_now(s->loop) + s->timeout_ms);
    s->link = redis_link_open(s->loop, to, &ops, s);
}

static void try(struct redis_seek *s)
{
    dial(s, server_tried(s), s->url->kind == REDIS_SENTINEL);
}

void redis_seek_start(struct redis_seek *s)
{
    assert(s->link == NULL && s->url->count > 0);
    s->tried = 0;
    buf_reset(&s->why);
    try(s);
}

const char *redis_seek_address(const struct redis_seek *s)
{
    bool named = s->url->kind == REDIS_SENTINEL && s->master.text != NULL;
    return named ? s->master.text : server_tried(s)->text;
}

void redis_seek_clear(struct redis_seek *s)
{
    leave(s);
    url_origin_clear(&s->master);
    buf_clear(&s->why);
}
