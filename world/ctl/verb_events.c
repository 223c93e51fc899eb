/* One line an event; what breaks off is taken up again behind the last one that was heard. */
#include "world/ctl/verb_events.h"

#include "world/ctl/api.h"
#include "world/ctl/clock_text.h"
#include "world/ctl/event_line.h"
#include "world/ctl/options.h"
#include "world/ctl/print.h"

const struct flag events_flags[] = {
    {"follow", NULL, "when the world is lost, wait for it and go on", 'f'},
    {"since", "ID", "go on behind this event", 0},
    {"count", "N", "end after so many", 'n'},
    {NULL, NULL, NULL, 0},
};

struct events {
    struct ctl *ctl;
    struct wire_stream *stream;
    struct buf last; /* the id that was heard last */
    bool follow, was_up, lost;
    uint64_t left; /* 0: no end */
    enum ended how;
};

static void end(struct events *e, enum ended how)
{
    e->how = how;
    wire_stop(e->ctl->wire);
}

static void add_json(struct buf *out, const struct wire_event *e)
{
    BUF_ADD_LIT(out, "{\"id\":");
    json_add_string(out, e->id);
    BUF_ADD_LIT(out, ",\"event\":");
    json_add_string(out, e->name);
    BUF_ADD_LIT(out, ",\"data\":");
    buf_add_span(out, e->data.len > 0 ? e->data : SPAN("null"));
    BUF_ADD_LIT(out, "}\n");
}

static void on_event(void *ctx, const struct wire_event *event)
{
    struct events *e = ctx;
    struct buf out = {0};
    buf_reset(&e->last);
    buf_add_span(&e->last, event->id);
    if (e->ctl->json) {
        add_json(&out, event);
    } else {
        clock_text_add(&out);
        event_line(&out, event->name, event->data);
        buf_add_char(&out, '\n');
    }
    if (!print_flush(&out) || (e->left > 0 && --e->left == 0))
        end(e, ENDED_DONE);
}

static void on_up(void *ctx)
{
    struct events *e = ctx;
    if (e->lost)
        (void)ctl_problem(ENDED_DONE, "the world is back");
    e->was_up = true;
    e->lost = false;
}

static void open_stream(struct events *e);

/* A token that we made has ended by now: another try with a new one. */
static bool renews(struct events *e, const struct wire_answer *a)
{
    if (!e->follow || !e->was_up || e->ctl->profile.minted_s == 0 || a->status != 403)
        return false;
    e->was_up = false; /* once */
    wire_stream_close(e->stream);
    open_stream(e);
    return true;
}

static void on_down(void *ctx, const struct wire_answer *a, int64_t again_ms)
{
    struct events *e = ctx;
    struct span why = a->why.len > 0 ? buf_span(&a->why) : SPAN("it closed the connection");
    if (renews(e, a))
        return;
    if (again_ms < 0 && a->status > 0) {
        end(e, api_refused(e->ctl, a));
    } else if (!e->was_up || !e->follow) {
        end(e, ctl_problem(ENDED_UNREACHED, "%s: %.*s",
                           e->was_up ? "the stream has ended" : "cannot reach the world",
                           SPAN_ARG(why)));
    } else if (!e->lost) {
        e->lost = true;
        (void)ctl_problem(ENDED_DONE, "the world is lost, waiting for it: %.*s", SPAN_ARG(why));
    }
}

static void open_stream(struct events *e)
{
    static const struct wire_stream_hear hear = {on_event, on_up, on_down};
    struct profile *p = &e->ctl->profile;
    struct buf url = {0}, headers = {0};

    profile_renew(p, &e->ctl->args);
    buf_addf(&url, "%s/api/v1/worlds/%s/events", p->url, p->world);
    if (e->last.len > 0)
        buf_addf(&headers, "Last-Event-ID: %.*s\r\n", SPAN_ARG(buf_span(&e->last)));
    struct wire_call call = {
        .url = buf_span(&url), .token = span_str(p->token), .headers = buf_span(&headers)};
    e->stream = wire_stream_open(e->ctl->wire, &call, &hear, e);
    buf_clear(&url);
    buf_clear(&headers);
}

static enum ended listen(struct events *e)
{
    open_stream(e);
    if (!wire_run(e->ctl->wire))
        e->how = ENDED_INTERRUPTED;
    wire_stream_close(e->stream);
    return e->how;
}

/* An id of ours is a number; anything else would go into a header as it is. */
static bool is_id(const char *text)
{
    uint64_t id;
    return text == NULL || span_to_u64(span_str(text), &id) == ERR_OK;
}

enum ended verb_events(struct ctl *c)
{
    struct events e = {.ctl = c, .follow = args_has(&c->args, "follow")};
    const char *since = args_value(&c->args, "since");

    if (!is_id(since))
        return ctl_problem(ENDED_USAGE, "--since %s: the id of an event, a number", since);
    if (!options_count(c, "count", 1, UINT32_MAX, &e.left))
        return ENDED_USAGE;
    buf_add_span(&e.last, span_str(since));
    enum ended how = ctl_reach(c);
    if (how == ENDED_DONE)
        how = listen(&e);
    buf_clear(&e.last);
    return how;
}
