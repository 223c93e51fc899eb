/* Lines end in CR, LF or both; a blank one ends an event. */
#include "world/ctl/sse.h"

static void set(struct buf *b, struct span value)
{
    buf_reset(b);
    buf_add_span(b, value);
}

static void dispatch(struct sse *s, sse_event_fn *event, void *ctx)
{
    if (s->has_data)
        event(ctx, buf_span(&s->id), s->name.len > 0 ? buf_span(&s->name) : SPAN("message"),
              buf_span(&s->data));
    buf_reset(&s->name);
    buf_reset(&s->data);
    s->has_data = false;
}

static void add_data(struct sse *s, struct span value)
{
    if (s->data.len + value.len > SSE_EVENT_MAX)
        return;
    if (s->has_data)
        buf_add_char(&s->data, '\n');
    buf_add_span(&s->data, value);
    s->has_data = true;
}

static void take_line(struct sse *s, sse_event_fn *event, void *ctx)
{
    struct span line = buf_span(&s->line), field, value;

    if (line.len == 0) {
        dispatch(s, event, ctx);
        return;
    }
    field = span_slice(line, 0, span_index(line, ':'));
    value = span_slice(line, field.len + 1, line.len);
    if (span_starts(value, SPAN(" ")))
        value = span_slice(value, 1, value.len);
    if (span_eq(field, SPAN("data")))
        add_data(s, value);
    else if (span_eq(field, SPAN("event")))
        set(&s->name, value);
    else if (span_eq(field, SPAN("id")) && span_index(value, '\0') == value.len)
        set(&s->id, value);
}

void sse_feed(struct sse *s, struct span piece, sse_event_fn *event, void *ctx)
{
    for (size_t i = 0; i < piece.len; i++) {
        char c = piece.ptr[i];
        bool skip = c == '\n' && s->after_cr;
        s->after_cr = c == '\r';
        if (skip)
            continue;
        if (c == '\r' || c == '\n') {
            take_line(s, event, ctx);
            buf_reset(&s->line);
        } else if (s->line.len < SSE_EVENT_MAX) {
            buf_add_char(&s->line, c);
        }
    }
}

void sse_restart(struct sse *s)
{
    buf_reset(&s->line);
    buf_reset(&s->name);
    buf_reset(&s->data);
    s->has_data = s->after_cr = false;
}

void sse_clear(struct sse *s)
{
    buf_clear(&s->line);
    buf_clear(&s->name);
    buf_clear(&s->data);
    buf_clear(&s->id);
}
