/* The admin feed. Whoever is not let in hears nothing there: silence is the refusal. */
#include "common/base/json.h"
#include "world/ctl/api.h"
#include "world/ctl/clock_text.h"
#include "world/ctl/event_line.h"
#include "world/ctl/options.h"
#include "world/ctl/print.h"
#include "world/ctl/verb_events.h"

enum { SILENT_MS = 5000, AGAIN_MS = 1000, PING_MS = 15000 };

const struct flag watch_flags[] = {
    {"count", "N", "end after so many frames", 'n'},
    {NULL, NULL, NULL, 0},
};

struct watch {
    struct ctl *ctl;
    struct wire_socket *socket; /* NULL: none */
    struct wire_timer timer;    /* the first frame is late, or the next dial is due */
    bool synced;                /* on this socket */
    bool was_up, lost;
    uint64_t left; /* 0: no end */
    enum ended how;
};

static void dial(void *ctx);

static void end(struct watch *w, enum ended how)
{
    w->how = how;
    wire_stop(w->ctl->wire);
}

static void on_silence(void *ctx)
{
    struct watch *w = ctx;
    end(w, ctl_problem(ENDED_DENIED, "the world says nothing: %s",
                       w->ctl->profile.token == NULL
                           ? "a token is needed"
                           : "the token does not open the feed of this world"));
}

static void on_opened(void *ctx, struct span protocol)
{
    struct watch *w = ctx;
    (void)protocol;
    w->synced = false;
    wire_timer_start(w->ctl->wire, &w->timer, SILENT_MS, on_silence, w);
}

static void add_frame(struct watch *w, struct buf *out, struct span frame)
{
    if (w->ctl->json) {
        buf_add_span(out, frame);
        buf_add_char(out, '\n');
        return;
    }
    struct buf lines = {0};
    if (!feed_lines(&lines, frame, !w->synced))
        BUF_ADD_LIT(&lines, "a frame that is none of the feed\n");
    struct span rest = buf_span(&lines), line;
    while (span_split(&rest, '\n', &line)) {
        if (line.len == 0)
            continue;
        clock_text_add(out);
        buf_add_span(out, line);
        buf_add_char(out, '\n');
    }
    buf_clear(&lines);
}

static void on_message(void *ctx, struct span frame, bool is_text)
{
    struct watch *w = ctx;
    struct buf out = {0};
    (void)is_text;
    wire_timer_stop(&w->timer);
    if (w->lost)
        (void)ctl_problem(ENDED_DONE, "the world is back");
    w->lost = false;
    add_frame(w, &out, frame);
    w->synced = w->was_up = true;
    if (!print_flush(&out) || (w->left > 0 && --w->left == 0))
        end(w, ENDED_DONE);
}

static void on_closed(void *ctx, const struct wire_socket_end *e)
{
    struct watch *w = ctx;
    struct span why = e->why.len > 0 ? e->why : SPAN("it closed the connection");
    w->socket = NULL;
    if (e->status == 401 || e->status == 403)
        end(w, ctl_problem(ENDED_DENIED, "the world refuses: %.*s", SPAN_ARG(why)));
    else if (!w->was_up)
        end(w, ctl_problem(e->status > 0 ? ENDED_REFUSED : ENDED_UNREACHED,
                           "cannot reach the world: %.*s", SPAN_ARG(why)));
    else {
        if (!w->lost)
            (void)ctl_problem(ENDED_DONE, "the world is lost, waiting for it: %.*s", SPAN_ARG(why));
        w->lost = true;
        wire_timer_start(w->ctl->wire, &w->timer, AGAIN_MS, dial, w);
    }
}

static void dial(void *ctx)
{
    static const struct wire_socket_hear hear = {on_opened, on_message, NULL, on_closed};
    struct watch *w = ctx;
    struct profile *p = &w->ctl->profile;
    struct buf url = {0};

    profile_renew(p, &w->ctl->args);
    buf_addf(&url, "%s/parties/world/%s", p->url, p->world);
    struct wire_dial how = {.call = {.url = buf_span(&url), .token = span_str(p->token)},
                            .ping_ms = PING_MS};
    w->socket = wire_socket_open(w->ctl->wire, &how, &hear, w);
    buf_clear(&url);
}

enum ended verb_watch(struct ctl *c)
{
    struct watch w = {.ctl = c};
    enum ended how;

    if (!options_count(c, "count", 1, UINT32_MAX, &w.left))
        return ENDED_USAGE;
    how = ctl_reach(c);
    if (how != ENDED_DONE)
        return how;
    dial(&w);
    if (!wire_run(c->wire))
        w.how = ENDED_INTERRUPTED;
    if (w.socket != NULL)
        wire_socket_drop(w.socket);
    wire_timer_clear(&w.timer);
    return w.how;
}
