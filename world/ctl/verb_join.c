/* Lines of stdin become messages; a reason for the place comes from /explain, if the token allows
 * it. */
#include "world/ctl/verb_join.h"

#include <errno.h>
#include <unistd.h>

#include "world/ctl/answer.h"
#include "world/ctl/api.h"
#include "world/ctl/join.h"
#include "world/ctl/join_line.h"
#include "world/ctl/options.h"

enum { LAST_WORDS_MS = 500 /* for what is answered to the last line */ };
enum { LINE_MAX_BYTES = 1 << 20, READ_BYTES = 16 * 1024 };

const struct flag join_flags[] = {
    {"session", "ID", "who comes in [a random one]", 0},
    {"via", "URL", "the address to go through: a node's, a balancer's [what the world says]", 0},
    {"send", "TEXT", "say this first; may be given more than once", 0},
    {"count", "N", "leave after so many messages", 'n'},
    {"no-create", NULL, "only if the room is there", 0},
    {NULL, NULL, NULL, 0},
};

struct talk {
    struct join join;
    struct wire_watch *input;
    struct buf line; /* what came of it */
    bool stays;      /* with --count: also behind the end of stdin */
    struct wire_timer last;
    bool ended; /* stdin has */
};

static void say(struct join *j, struct span line)
{
    struct buf message = {0};
    if (join_line(&message, line))
        join_say(j, buf_span(&message));
    buf_clear(&message);
}

static void take_lines(struct talk *t)
{
    struct span rest = buf_span(&t->line);
    size_t end;
    while ((end = span_index(rest, '\n')) < rest.len) {
        say(&t->join, span_slice(rest, 0, end));
        rest = span_slice(rest, end + 1, rest.len);
    }
    if (rest.len > 0 && t->line.data != rest.ptr)
        memmove(t->line.data, rest.ptr, rest.len);
    t->line.len = rest.len > LINE_MAX_BYTES ? 0 : rest.len;
}

static void on_last_words(void *ctx)
{
    struct talk *t = ctx;
    join_leave(&t->join);
}

static void on_input(void *ctx)
{
    struct talk *t = ctx;
    char *to = buf_reserve(&t->line, READ_BYTES);
    ssize_t len = read(STDIN_FILENO, to, READ_BYTES);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len > 0) {
        t->line.len += (size_t)len;
        take_lines(t);
        return;
    }
    say(&t->join, buf_span(&t->line));
    buf_reset(&t->line);
    wire_unwatch(t->input);
    t->input = NULL;
    t->ended = true;
    if (!t->stays)
        wire_timer_start(t->join.ctl->wire, &t->last, LAST_WORDS_MS, on_last_words, t);
}

/* Where a newcomer would be put, and why; nothing when the token does not show it. Not ENDED_DONE:
 * the world is not reached, and that was said. */
static enum ended explain(struct ctl *c, const char *room, const char *session)
{
    struct buf path = {0};
    struct wire_answer a = {0};
    enum ended how = ENDED_DONE;
    if (c->profile.token == NULL)
        return how;
    api_path(&path, "/rooms/%/explain", span_str(room));
    api_query(&path, "session", session);
    if (api_try(c, "GET", buf_span(&path), (struct span){0}, &a, &how) && a.status == 200) {
        json_t *doc = json_decode(buf_span(&a.body));
        struct span why = answer_text(doc, "why");
        if (why.len > 0)
            (void)ctl_problem(ENDED_DONE, "placed by %.*s: %.*s",
                              SPAN_ARG(answer_text(doc, "balancingStrategy")), SPAN_ARG(why));
        json_decref(doc);
    }
    wire_answer_clear(&a);
    buf_clear(&path);
    return how;
}

static void say_first(struct talk *t, const struct args *a)
{
    for (size_t i = 0; i < a->given_count; i++)
        if (strcmp(a->given[i].flag->name, "send") == 0)
            say(&t->join, span_str(a->given[i].value));
}

static enum ended talk(struct talk *t)
{
    struct ctl *c = t->join.ctl;
    join_start(&t->join);
    say_first(t, &c->args);
    t->input = wire_watch(c->wire, STDIN_FILENO, on_input, t);
    while (t->input == NULL && !t->ended) /* a file: all of it is there */
        on_input(t);
    if (!wire_run(c->wire))
        t->join.how = ENDED_INTERRUPTED;
    wire_unwatch(t->input);
    wire_timer_clear(&t->last);
    join_clear(&t->join);
    buf_clear(&t->line);
    return t->join.how;
}

enum ended verb_join(struct ctl *c)
{
    struct talk t = {.join = {.ctl = c,
                              .room = args_word(&c->args, 0),
                              .via = args_value(&c->args, "via"),
                              .create = !args_has(&c->args, "no-create")}};
    const char *session = args_value(&c->args, "session");

    if (!options_count(c, "count", 1, UINT32_MAX, &t.join.left))
        return ENDED_USAGE;
    t.stays = t.join.left > 0;
    if (session != NULL)
        buf_add_span(&t.join.session, span_str(session));
    enum ended how = ctl_reach(c);
    if (how == ENDED_DONE && !c->json)
        how = explain(c, t.join.room, session);
    if (how == ENDED_DONE)
        how = talk(&t);
    else
        buf_clear(&t.join.session);
    return how;
}
