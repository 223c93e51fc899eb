/* One line an event; what breaks off is taken up again behind the last one that was heard. */
#include "world/ctl/verb_events.h"

#include "world/ctl/api.h"
#include "world/ctl/clock_text.h"
#include "world/ctl/count_flag.h"
#include "world/ctl/event_line.h"
#include "world/ctl/print.h"

const struct flag events_flags[] = {
    {"follow", NULL, "when the world is lost, wait for it and go on", 'f'},
    {"since", "ID", "go on behind this event", 0},
    {"count", "N", "end after so many", 'n'},
    {NULL, NULL, NULL, 0},
};

struct events {
    struct ctl *ctl;
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
    if (e->ctl->json) {
        add_json(&out, event);
    } else {
        clock_text_add(&out);
        event_line(&out, event->name, event->data);
        buf_add_char(&out, '\n');
    }
    if (!print_flush(&out))
        end(e, ENDED_DONE);
    else if (e->left > 0 && --e->left == 0)
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

static void on_down(void *ctx, const struct wire_answer *a, int64_t again_ms)
{
    struct events *e = ctx;
    if (again_ms < 0 && a->status > 0) {
        end(e, api_refused(e->ctl, a));
    } else if (!e->was_up || !e->follow) {
        end(e, ctl_problem(ENDED_UNREACHED, "%s: %.*s",
                           e->was_up ? "the stream has ended" : "cannot reach the world",
                           SPAN_ARG(buf_span(&a->why))));
    } else if (!e->lost) {
        e->lost = true;
        (void)ctl_problem(ENDED_DONE, "the world is lost, waiting for it: %.*s",
                          SPAN_ARG(buf_span(&a->why)));
    }
}

static enum ended listen(struct events *e)
{
    static const struct wire_stream_hear hear = {on_event, on_up, on_down};
    const struct ctl *c = e->ctl;
    const char *since = args_value(&c->args, "since");
    struct buf url = {0}, headers = {0};

    buf_addf(&url, "%s/api/v1/worlds/%s/events", c->profile.url, c->profile.world);
    if (since != NULL)
        buf_addf(&headers, "Last-Event-ID: %s\r\n", since);
    struct wire_call call = {
        .url = buf_span(&url), .token = span_str(c->profile.token), .headers = buf_span(&headers)};
    struct wire_stream *s = wire_stream_open(c->wire, &call, &hear, e);
    if (!wire_run(c->wire))
        e->how = ENDED_INTERRUPTED;
    wire_stream_close(s);
    buf_clear(&url);
    buf_clear(&headers);
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
    if (!count_flag(c, "count", 1, UINT32_MAX, &e.left))
        return ENDED_USAGE;
    enum ended how = ctl_reach(c);
    return how == ENDED_DONE ? listen(&e) : how;
}
