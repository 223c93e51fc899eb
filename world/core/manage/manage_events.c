/* The stream of a world's events. */
#include "world/core/manage/manage_verbs.h"

void manage_open_events(struct manage *m)
{
    struct core *core = m->call->core;
    struct event_wish wish = {0};
    struct buf last_id = {0};

    if (!manage_query_flag(m, "overview", &wish.overview))
        return;
    if (core->events.count == EVENTS_READERS_MAX) {
        call_refuse(m->call, REFUSAL_READERS, SPAN("Too many readers of events"));
        return;
    }
    if (!manage_query_text(m, "lastEventId", &last_id))
        buf_add_span(&last_id, m->call->request->last_event_id);
    stats_count_request(&core->stats, m->call->route, 200);
    core->port->stream.begin(core->port->stream.ctx, m->call->request->reply,
                             SPAN("Content-Type: text/event-stream\r\n"
                                  "Cache-Control: no-store\r\n" API_CORS_TEXT));
    wish.last_id = buf_span(&last_id);
    events_join(&core->events, manage_make_world(m), m->call->request->reply, &wish, m->call->now);
    core_wake(core);
    buf_clear(&last_id);
}
