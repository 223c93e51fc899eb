/* Who hears of what, and the text of it. */
#include "world/core/feed/events.h"

#include "world/core/manage/manage_view.h"
#include "world/core/nodes/nodes.h"

const char *const event_kind_names[EVENT_KIND_COUNT + 1] = {
    [EVENT_ROOM_PUT] = "room.put",
    [EVENT_ROOM_DELETE] = "room.delete",
    [EVENT_SHARD_ADD] = "shard.add",
    [EVENT_SHARD_STATUS] = "shard.status",
    [EVENT_SHARD_OWNER] = "shard.owner",
    [EVENT_NODE_STATE] = "node.state",
    [EVENT_SERVER_STATE] = "server.state",
    [EVENT_SHARD_DELETE] = "shard.delete",
    [EVENT_DRAIN_PROGRESS] = "drain.progress",
    [EVENT_PLACEMENT_REFUSED] = "placement.refused",
};

/* ---- sending */

static void remove_reader(struct events *e, size_t at)
{
    const struct event_reader *gone = &e->readers[at];

    e->overviews -= gone->overview;
    gone->world->overview.readers -= gone->overview;
    e->readers[at] = e->readers[--e->count];
}

/* To one reader; who is too slow is no reader any more. */
static void send_to(struct events *e, size_t at, struct span text)
{
    if (!e->port->send(e->port->ctx, e->readers[at].stream, text))
        remove_reader(e, at);
}

/* To all of the world (NULL: of all worlds). From the end, as readers may drop out. */
static void send_all(struct events *e, const struct world *w, struct span text)
{
    for (size_t at = e->count; at-- > 0;) {
        if (w == NULL || e->readers[at].world == w)
            send_to(e, at, text);
    }
}

/* Where the data of an event is to be written; out NULL: nobody wants it. */
static struct json_out begin(struct events *e, const struct world *w)
{
    struct json_out o = {.out = event_ring_is_open(&w->events) ? &e->data : NULL};

    buf_reset(&e->data);
    return o;
}

/* The data is written: keeps and sends the event. */
static void emit(struct events *e, struct world *w, enum event_kind kind)
{
    buf_reset(&e->text);
    buf_addf(&e->text, "id: %llu\nevent: %s\ndata: ", (unsigned long long)w->events.last_id + 1,
             event_kind_names[kind]);
    buf_add_span(&e->text, buf_span(&e->data));
    BUF_ADD_LIT(&e->text, "\n\n");
    event_ring_add(&w->events, buf_span(&e->text));
    send_all(e, w, buf_span(&e->text));
}

/* ---- overviews */

/* Looks at the world, into the scratch; true: it is not as it was. What is kept of it is what it is
 * now. */
static bool look(struct events *e, struct world *w, struct moment now)
{
    struct buf *was = &w->overview.rest, old = *was;

    w->overview.looked_ms = now.mono_ms;
    buf_reset(&e->data);
    overview_add_rest(&e->data, w, e->pulse);
    if (span_eq(buf_span(&old), buf_span(&e->data)))
        return false;
    *was = e->data;
    e->data = old; /* its memory is the next scratch */
    return true;
}

static void add_overview(struct buf *out, const struct world *w, struct moment now)
{
    BUF_ADD_LIT(out, "event: overview\ndata: ");
    overview_add_head(out, w, now);
    buf_add_span(out, buf_span(&w->overview.rest));
    BUF_ADD_LIT(out, "\n\n");
}

static void tell_overview(struct events *e, struct world *w, struct moment now)
{
    if (!look(e, w, now))
        return;
    buf_reset(&e->text);
    add_overview(&e->text, w, now);
    for (size_t at = e->count; at-- > 0;) {
        if (e->readers[at].world == w && e->readers[at].overview)
            send_to(e, at, buf_span(&e->text));
    }
}

/* Each world once. Readers may drop out meanwhile: those behind take their places. */
static void tell_overviews(struct events *e, struct moment now)
{
    e->overview_ms = now.mono_ms + EVENTS_OVERVIEW_MS;
    for (size_t at = e->count; at-- > 0;) {
        if (at < e->count && e->readers[at].overview &&
            e->readers[at].world->overview.looked_ms != now.mono_ms)
            tell_overview(e, e->readers[at].world, now);
    }
}

/* What a new reader is told at once: what the others have been told, if there are any. */
static void join_overview(struct events *e, struct world *w, struct moment now)
{
    if (w->overview.readers++ == 0)
        (void)look(e, w, now);
    if (e->overviews++ == 0)
        e->overview_ms = now.mono_ms + EVENTS_OVERVIEW_MS;
    add_overview(&e->text, w, now);
}

/* ---- readers */

void events_init(struct events *e, const struct stream_port *port, const struct pulse *pulse)
{
    *e = (struct events){.port = port, .pulse = pulse};
}

void events_clear(struct events *e)
{
    buf_clear(&e->data);
    buf_clear(&e->text);
}

/* What the reader has missed, or that it has missed something. */
static void add_missed(const struct event_ring *ring, struct span last_id, struct buf *out)
{
    uint64_t id;

    if (span_to_u64(last_id, &id) == ERR_OK && event_ring_reaches(ring, id))
        event_ring_copy(ring, id, out);
    else
        buf_addf(out, "id: %llu\nevent: gap\ndata: {}\n\n", (unsigned long long)ring->last_id);
}

void events_join(struct events *e, struct world *w, struct handle stream,
                 const struct event_wish *wish, struct moment now)
{
    event_ring_open(&w->events, (uint64_t)now.wall_ms * EVENTS_IDS_PER_MS);
    if (e->count == 0)
        e->beat_ms = now.mono_ms + EVENTS_BEAT_MS;
    e->readers[e->count++] =
        (struct event_reader){.world = w, .stream = stream, .overview = wish->overview};
    buf_reset(&e->text);
    BUF_ADD_LIT(&e->text, "retry: 2000\n\n");
    if (wish->last_id.len > 0)
        add_missed(&w->events, wish->last_id, &e->text);
    if (wish->overview)
        join_overview(e, w, now);
    send_to(e, e->count - 1, buf_span(&e->text));
}

void events_leave(struct events *e, struct handle stream)
{
    for (size_t at = 0; at < e->count; at++) {
        if (handle_eq(e->readers[at].stream, stream)) {
            remove_reader(e, at);
            return;
        }
    }
}

void events_drop(struct events *e, const struct world *w)
{
    for (size_t at = e->count; at-- > 0;) {
        struct handle stream = e->readers[at].stream;
        if (e->readers[at].world != w)
            continue;
        remove_reader(e, at);
        e->port->end(e->port->ctx, stream);
    }
}

void events_advance(struct events *e, struct moment now)
{
    if (e->overviews > 0 && e->overview_ms <= now.mono_ms)
        tell_overviews(e, now);
    if (e->count == 0 || e->beat_ms > now.mono_ms)
        return;
    e->beat_ms = now.mono_ms + EVENTS_BEAT_MS;
    send_all(e, NULL, SPAN(":\n\n"));
}

int64_t events_due_ms(const struct events *e)
{
    if (e->count == 0)
        return INT64_MAX;
    return e->overviews > 0 && e->overview_ms < e->beat_ms ? e->overview_ms : e->beat_ms;
}

/* ---- what happens */

void events_room_changed(struct events *e, const struct room *room)
{
    struct json_out o = begin(e, room->world);

    if (o.out == NULL)
        return;
    view_room(&o, NULL, room);
    emit(e, room->world, EVENT_ROOM_PUT);
}

void events_room_removed(struct events *e, const struct room *room)
{
    struct json_out o = begin(e, room->world);

    if (o.out == NULL)
        return;
    json_out_open(&o, NULL, '{');
    json_out_text(&o, "name", room->name);
    json_out_close(&o, '}');
    emit(e, room->world, EVENT_ROOM_DELETE);
}

void events_shard_changed(struct events *e, struct shard *s, unsigned fields, struct moment now)
{
    struct world *w = s->room->world;
    struct json_out o = begin(e, w);

    if (o.out == NULL)
        return;
    if (fields & (SHARD_ROOM | SHARD_STATUS | SHARD_MAX | SHARD_DRAIN)) {
        view_shard(&o, NULL, s, now);
        emit(e, w, fields & SHARD_ROOM ? EVENT_SHARD_ADD : EVENT_SHARD_STATUS);
    } else if (fields & SHARD_OWNER) {
        view_shard(&o, NULL, s, now);
        emit(e, w, EVENT_SHARD_OWNER);
    } else if (fields & SHARD_OPEN && s->status == SHARD_DRAINING && !timer_is_set(&s->progress)) {
        wheel_set(&w->registry->wheel, &s->progress, now.mono_ms + EVENTS_PROGRESS_MS);
    }
}

void events_node_changed(struct events *e, const struct node *n, struct moment now)
{
    struct json_out o = begin(e, n->world);

    if (o.out == NULL)
        return;
    view_node(&o, NULL, n, now);
    emit(e, n->world, EVENT_NODE_STATE);
}

void events_server_changed(struct events *e, const struct world_server *at)
{
    struct json_out o = begin(e, at->world);

    if (o.out == NULL)
        return;
    json_out_open(&o, NULL, '{');
    json_out_text(&o, "server", at->server->origin);
    json_out_text(&o, "state", span_str(server_state_names[at->server->state]));
    json_out_close(&o, '}');
    emit(e, at->world, EVENT_SERVER_STATE);
}

static void view_count(struct json_out *o, const struct shard *s)
{
    json_out_open(o, NULL, '{');
    json_out_text(o, "shardId", s->id);
    json_out_text(o, "roomId", s->room->name);
    json_out_u64(o, "currentConnections", s->open);
    json_out_close(o, '}');
}

void events_progress(struct events *e, const struct shard *s)
{
    struct json_out o = begin(e, s->room->world);

    if (o.out == NULL || s->status != SHARD_DRAINING)
        return;
    view_count(&o, s);
    emit(e, s->room->world, EVENT_DRAIN_PROGRESS);
}

void events_shard_removed(struct events *e, const struct shard *s)
{
    struct json_out o = begin(e, s->room->world);

    if (o.out == NULL)
        return;
    view_count(&o, s);
    emit(e, s->room->world, EVENT_SHARD_DELETE);
}

void events_refused(struct events *e, struct world *w, struct span room, enum refusal why,
                    struct moment now)
{
    struct json_out o;

    if (w == NULL || now.mono_ms < w->refused_ms[why])
        return;
    o = begin(e, w);
    if (o.out == NULL)
        return;
    w->refused_ms[why] = now.mono_ms + EVENTS_REFUSED_MS;
    json_out_open(&o, NULL, '{');
    json_out_text(&o, "roomId", room);
    json_out_text(&o, "reason", span_str(refusal_name(why)));
    json_out_close(&o, '}');
    emit(e, w, EVENT_PLACEMENT_REFUSED);
}
