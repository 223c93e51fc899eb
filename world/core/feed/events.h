#pragma once
/* What happens in worlds, told as Server-Sent Events to the readers of the management API
 * (docs/protocol.md, "Management API"). A world's events are kept from its first reader on; before,
 * nothing is rendered at all. Readers that want it are also told the world's overview, at once and
 * then each second in which it differs; it is rendered once for all of them. */
#include "world/core/feed/event_ring.h"
#include "world/core/feed/overview.h"
#include "world/core/port.h"
#include "world/core/refusal.h"
#include "world/core/rooms/registry.h"

enum {
    EVENTS_READERS_MAX = 100,
    EVENTS_BEAT_MS = 15 * 1000, /* a comment so often, so that silence means a broken line */
    EVENTS_OVERVIEW_MS = 1000,  /* how often overviews are looked at, while they have readers */
    EVENTS_PROGRESS_MS = 1000,  /* of a drain, at most so often for a shard */
    EVENTS_REFUSED_MS = 1000,   /* of refusals, at most so often for a reason in a world */
    EVENTS_IDS_PER_MS = 1000,   /* ids begin at the wall time times this */
};

enum event_kind {
    EVENT_ROOM_PUT,
    EVENT_ROOM_DELETE,
    EVENT_SHARD_ADD,
    EVENT_SHARD_STATUS, /* its status, capacity or drain */
    EVENT_SHARD_OWNER,  /* the node that it is on */
    EVENT_SHARD_DELETE,
    EVENT_NODE_STATE,
    EVENT_SERVER_STATE,
    EVENT_DRAIN_PROGRESS,
    EVENT_PLACEMENT_REFUSED,
    EVENT_KIND_COUNT,
};
extern const char *const event_kind_names[EVENT_KIND_COUNT + 1];

struct event_reader {
    struct world *world; /* kept as long as it has ever had a reader, unless it is dropped */
    struct handle stream;
    bool overview; /* it wants that, too */
};

/* What a new reader asks for. */
struct event_wish {
    struct span last_id; /* what it heard last; empty: nothing */
    bool overview;
};

struct events {
    const struct stream_port *port; /* borrowed */
    const struct pulse *pulse;      /* borrowed; part of overviews */
    struct event_reader readers[EVENTS_READERS_MAX];
    size_t count;
    size_t overviews;    /* readers that want them */
    int64_t beat_ms;     /* when readers hear a comment next */
    int64_t overview_ms; /* when overviews are looked at next, if anybody wants them */
    struct buf data;     /* scratch: an event's JSON */
    struct buf text;     /* scratch: the event */
};

void events_init(struct events *e, const struct stream_port *port, const struct pulse *pulse);
void events_clear(struct events *e);

/* A new reader, whose stream has begun; there are fewer than EVENTS_READERS_MAX. A `gap` event
 * tells it when more is gone since the id that it names than is kept. */
void events_join(struct events *e, struct world *w, struct handle stream,
                 const struct event_wish *wish, struct moment now);
/* Its stream has ended. Nothing happens when it is no reader. */
void events_leave(struct events *e, struct handle stream);

/* The world goes: the streams of its readers are ended. */
void events_drop(struct events *e, const struct world *w);

/* Changes, as the registry's watch hears of them. */
void events_room_changed(struct events *e, const struct room *room);
void events_room_removed(struct events *e, const struct room *room);
void events_shard_changed(struct events *e, struct shard *s, unsigned fields, struct moment now);
void events_shard_removed(struct events *e, const struct shard *s);
void events_node_changed(struct events *e, const struct node *n, struct moment now);
void events_server_changed(struct events *e, const struct world_server *at);
/* The shard's timer `progress` has fired. */
void events_progress(struct events *e, const struct shard *s);
/* A client was not placed. `w` may be NULL. */
void events_refused(struct events *e, struct world *w, struct span room, enum refusal why,
                    struct moment now);

/* Sends the comment and the overviews that are due. */
void events_advance(struct events *e, struct moment now);
/* When it is; INT64_MAX: never. */
int64_t events_due_ms(const struct events *e);
