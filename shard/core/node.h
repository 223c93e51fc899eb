#pragma once
/* The heart of a shard process: shards, sessions and links, and what goes between them. Decides
 * everything; moves nothing: it acts through `struct node_port` and is told what happened by the
 * node_* calls below. No sockets, no clocks: every call takes `now` (monotonic ms). */
#include "common/base/frame.h"
#include "common/base/metrics.h"
#include "common/base/rng.h"
#include "common/base/slots.h"
#include "common/proto/http_head.h"

/* What core asks io to do. No call here may call back into core before it returns. A client is
 * never named before the node_client_open that made it has returned. */
struct checkup;
struct checks;
struct findings;

struct node_port {
    /* A framed message (server side, unmasked) for a client. Borrowed: take a reference to keep it.
     */
    void (*client_send)(void *io, struct handle client, struct frame *frame);
    /* Start the closing handshake; queued frames go first. Core has forgotten the client already
     * and will not name it again. code 0: close frame without a code. `reason` is borrowed. */
    void (*client_close)(void *io, struct handle client, uint16_t code, struct span reason);
    /* Stop or resume reading from a client (the link is full). What was read already and waits for
     * node_client_message should wait on; core takes it all the same, within limits. */
    void (*client_pause)(void *io, struct handle client, bool pause);

    /* Warm the room up and dial it (docs/protocol.md, "Shard and room"); answered by node_link_up
     * or node_link_down. `server` is the http origin of the room server; empty: io chooses. */
    void (*link_dial)(void *io, struct handle link, struct span shard, struct span world,
                      struct span room, struct span server);
    /* The http origin that io would choose for the room, good until the next call; empty: none. May
     * be NULL: nobody can tell. */
    struct span (*own_server)(void *io, struct span room);
    /* One text message for the room server; borrowed. */
    void (*link_send)(void *io, struct handle link, struct span text);
    /* Close the link, or give up its dial; core has forgotten it already. */
    void (*link_close)(void *io, struct handle link, uint16_t code);
    /* Close a link that stands, after what is queued; what the room says until then is still told.
     * Answered by node_link_unsent and node_link_down. */
    void (*link_finish)(void *io, struct handle link, uint16_t code);
    /* Bytes that link_send has queued and the kernel has not taken. Reaching node_link_high_water
     * is what makes core pause clients; see node_link_drained. */
    size_t (*link_queued)(void *io, struct handle link);

    /* Ping the room server: the pong comes behind all that it answered to what was sent before.
     * Answered by node_link_pong with the number, unless the link falls. */
    void (*link_ping)(void *io, struct handle link, uint32_t number);

    /* POST a heartbeat to the world; answered by node_beat_answered, exactly once. */
    void (*beat)(void *io, struct handle world, struct span world_id, struct span body);
    /* Tell the world how many sockets a shard holds (reference protocol); answered by
     * node_reported, exactly once. */
    void (*report)(void *io, struct handle shard, struct span shard_id, struct span world,
                   uint64_t connections);
    /* The clock, Unix ms. May be NULL: nobody can tell. */
    int64_t (*wall_ms)(void *io);
    /* Dial what a world wants to be dialled (checkup.h, borrowed), and say to node_checks what came
     * of it; answered by node_checked, unless the process ends. May be NULL: nobody can. */
    void (*checkup)(void *io, struct handle world, const struct checkup *asked);
    /* The process cannot go on: say why, and end it with a failure. `why` is borrowed. */
    void (*fatal)(void *io, struct span why);
};

enum node_protocol { NODE_PROTOCOL_AUTO, NODE_PROTOCOL_REFERENCE };

struct node_settings {
    const char *id;                           /* NODE_ID */
    int64_t epoch;                            /* start of the process, Unix ms */
    const char *url, *internal_url, *version; /* told to worlds */
    const char *world_ids;                    /* WORLD_IDS, comma-separated */
    enum node_protocol protocol;
    bool enforce_seats;   /* SEAT_TTL is not 0 */
    bool adopt;           /* UNREGISTERED_SHARDS=adopt */
    int64_t drain_ms;     /* DRAIN_DEADLINE: how long the end of the process may take */
    const char *world_id; /* for shard ids that name none */
    bool has_rooms;       /* a room server is configured */
    bool strict_envelope;
    int64_t report_ms;     /* between reports of a shard (reference protocol) */
    int64_t beat_ms;       /* between beats to a world, until it says otherwise */
    int64_t link_wait_ms;  /* LINK_WAIT: how long messages wait for a link that fell */
    int64_t link_first_ms; /* how long the first client waits for a link that never stood */
    size_t link_buffer;    /* LINK_BUFFER: what may wait or be queued for a link, bytes */
    int64_t link_retry_min_ms, link_retry_max_ms;
    size_t max_connections;             /* clients of this process */
    size_t max_shards;                  /* shards of this process; beyond: refused */
    size_t max_room_id, max_session_id; /* bytes */
};

/* How much may be queued for a link before its clients are paused. */
static inline size_t node_link_high_water(const struct node_settings *s)
{
    return s->link_buffer / 2;
}

/* Why a socket was refused or closed: the reasons that are counted, logged and sent. */
enum node_reason {
    NODE_PEER_CLOSED,      /* closing handshake by the client */
    NODE_PEER_GONE,        /* broke off */
    NODE_PEER_SILENT,      /* 4002, no answer to a ping */
    NODE_PEER_SLOW,        /* 4200, its queue ran over, or it took nothing of it */
    NODE_PEER_INVALID,     /* 1002, 1007, 1009 */
    NODE_PEER_FLOODING,    /* 4201, more messages than MESSAGE_RATE */
    NODE_PEER_UNFINISHED,  /* 1008, its message did not end in MESSAGE_TIMEOUT */
    NODE_PEER_UNBUFFERED,  /* 1013, its message did not end while BUFFER_MAX was used up */
    NODE_ROOM_CLOSED,      /* shard.closeClient */
    NODE_LINK_UNREACHABLE, /* 1011, the room server was never reached */
    NODE_LINK_LOST,        /* 1013, the link did not come back in time */
    NODE_LINK_OVERFLOW,    /* 1013, LINK_BUFFER is used up, or a pause lasted LINK_WAIT */
    NODE_SHUTDOWN,         /* 1012 */
    NODE_DRAINED,          /* 1012, its shard or node was drained */
    NODE_ROOM_MOVED,       /* 1012, it passed to a server that no longer has the room */
    NODE_UPSTREAM_GONE,    /* the server to which it passed broke off, or cannot be reached */
    NODE_UPSTREAM_REFUSED, /* that server did not want its handshake */
    NODE_KICKED,           /* 1008, an operator banned the session */
    NODE_REFUSED_FULL,     /* 503, max_connections, max_shards, or after node_shutdown */
    NODE_REFUSED_BAD_ID,   /* 400, empty or too long shard, room or session id */
    NODE_REFUSED_NO_SEAT,  /* 503, no seat is free in the shard, nor elsewhere in its room */
    NODE_REFUSED_UNKNOWN,  /* 404, nobody created the shard, and it may not be adopted */
    NODE_REFUSED_BANNED,   /* 403 */
    NODE_REFUSED_NO_OWNER, /* 503, its owner cannot be reached */
    NODE_REFUSED_MOVING,   /* 503, its room is on the way to another server */
    NODE_REASON_COUNT,
};
/* A short lower-case name for logs and metrics ("peer_closed"), never NULL. */
const char *node_reason_text(enum node_reason r);

struct node_stats {
    uint64_t clients, sessions, shards, links_up; /* gauges */
    uint64_t paused;                              /* of the clients, by their link; gauge */
    uint64_t passing, visitors;                   /* of the clients; besides them; gauges */
    uint64_t accepted;                            /* sockets ever */
    uint64_t adopted;                             /* shards that nobody created, ever */
    uint64_t reasons[NODE_REASON_COUNT];
    uint64_t messages_up, messages_down, bytes_up, bytes_down; /* client messages; deliveries */
    uint64_t dropped_not_json, dropped_too_deep;               /* from clients */
    uint64_t dropped_from_room, unknown_target;                /* from room servers */
    uint64_t link_dials, link_failures, link_losses, link_replays, link_lost_bytes;
    uint64_t link_pauses;
    uint64_t reports, report_failures;
    uint64_t beats, beat_failures, beat_conflicts;
    uint64_t stale_orders, stale_answers; /* of a lower epoch than one seen */
    uint64_t refused_orders;              /* of shards that could not be started here */
    uint64_t worlds_unheard, worlds_beats, worlds_reference; /* gauges */
    uint64_t shards_owned, guests; /* gauges; guests: clients of shards that orders have dropped */
};

struct node;
/* `port`, `io` and `settings` are borrowed for the node's life. */
struct node *node_new(const struct node_port *port, void *io, const struct node_settings *settings,
                      uint64_t rng_seed, int64_t now);
void node_free(struct node *n); /* calls nothing */
const struct node_stats *node_stats(const struct node *n);
/* What the node calls its start: settings->epoch, or later (another process had its id before). */
int64_t node_epoch(const struct node *n);
/* Asserts all invariants (counts are sums, nobody is told out of turn). Walks everything. */
void node_check(const struct node *n);

/* ---- clients. An upgrade that passed the edge's own checks: may this client come in?
 * `shard_id` is decoded. ERR_OK: *client is its handle from now on (send it the 101 before anything
 * that core sends); ERR_FULL: 503 (also while node_is_draining); ERR_DENIED: 403; ERR_LIMIT or
 * ERR_SYNTAX: 400; then *why says more and is counted already. `session_id` is decoded and trimmed,
 * empty: a random one. `request_info` is the JSON text for the room (borrowed; copied). */
MUST_CHECK enum err node_client_open(struct node *n, struct span shard_id, struct span session_id,
                                     struct span request_info, int64_t now, struct handle *client,
                                     enum node_reason *why);
/* The same for a client that *passes*: io joins it with a server by itself, and core is told only
 * that it has gone. It counts as any other does, but no room hears of it and nothing is sent to it;
 * its end is client_close, which says to the server that it goes, too. `follows`: the server is the
 * one that orders name, or io's own choice, so that the client is closed when that is another one.
 */
MUST_CHECK enum err node_client_pass(struct node *n, struct span shard_id, struct span session_id,
                                     bool follows, int64_t now, struct handle *client,
                                     enum node_reason *why);
/* A client that belongs to no shard comes in: it counts against max_connections and in what worlds
 * hear of the node; its end is io's affair. ERR_FULL: 503, counted as *why already. */
MUST_CHECK enum err node_visitor_open(struct node *n, enum node_reason *why);
void node_visitor_closed(struct node *n);
/* A whole message. The data may be changed in place. */
void node_client_message(struct node *n, struct handle client, struct span data, bool binary,
                         int64_t now);
/* The socket is gone; `why` is one of NODE_PEER_…, of one that passes also NODE_ROOM_CLOSED or
 * NODE_UPSTREAM_…. Harmless for a stale handle. */
void node_client_closed(struct node *n, struct handle client, enum node_reason why, int64_t now);

/* An HTTP request for a shard is about to be proxied: starts the shard as the first client does
 * (link and reports) and answers where it goes. *room, *world and *server (as in link_dial) point
 * into the node's own memory until the next call. ERR_MISSING: no room server configured (503);
 * ERR_FULL, ERR_SYNTAX, ERR_LIMIT as above. */
MUST_CHECK enum err node_http(struct node *n, struct span shard_id, int64_t now, struct span *room,
                              struct span *world, struct span *server);
/* The same for a request, or a client, that passes: the shard's link is not needed for it. No
 * ERR_MISSING; ERR_AGAIN: the room is on its way to another server (503). */
MUST_CHECK enum err node_reach(struct node *n, struct span shard_id, int64_t now, struct span *room,
                               struct span *world, struct span *server);

/* ---- links */
void node_link_up(struct node *n, struct handle link, int64_t now);
void node_link_frame(struct node *n, struct handle link, struct span text, int64_t now);
/* Before node_link_down, for each text of link_send that the kernel has not taken (or not as a
 * whole), in order: it goes to the room by the next link, before what came later. */
void node_link_unsent(struct node *n, struct handle link, struct span text, int64_t now);
/* The dial failed or the link fell. `lost`: bytes that the kernel had taken and the peer has not
 * acknowledged. */
void node_link_down(struct node *n, struct handle link, size_t lost, int64_t now);
/* The link's queue fell to half of node_link_high_water or less after it had reached it. */
void node_link_drained(struct node *n, struct handle link, int64_t now);

/* The room server has answered link_ping with this number, and with that all before it. */
void node_link_pong(struct node *n, struct handle link, uint32_t number, int64_t now);

/* ---- beats and reports. status 0: no answer, and the body says why, for
 * the log; else the HTTP status, and the body of the answer. */
void node_beat_answered(struct node *n, struct handle world, int status, struct span body,
                        int64_t now);
/* Somebody decides for a world who has not heard of this node yet: it is told at once, or once the
 * beat that is under way is over. False: this node knows no such world. */
bool node_knocked(struct node *n, struct span world_id);
void node_reported(struct node *n, struct handle shard, bool confirmed, int64_t now);

/* ---- what is wrong: io tells it what it sees (checks.h) */
struct checks *node_checks(struct node *n);
const struct findings *node_findings(const struct node *n);
/* The checkup that a world asked for is done. */
void node_checked(struct node *n, struct handle world, int64_t now);

/* ---- time and shutdown */
/* Does what is due. */
void node_tick(struct node *n, int64_t now);
/* When to call node_tick at the latest; INT64_MAX: nothing is due. Every other call may bring it
 * forward, so ask after each batch of them. */
int64_t node_next_ms(const struct node *n);
/* The process is to end: takes no newcomers from now on, closes its clients evenly until drain_ms
 * from now (see ending.h), then does what node_shutdown does. */
void node_end(struct node *n, int64_t now);
/* True from node_end, or a world's order to drain the node, on: it is not ready for newcomers. */
bool node_is_draining(const struct node *n);
/* True when that is over: core needs nothing any more but that what it has written goes out. */
bool node_has_ended(const struct node *n);
/* How many of `left` clients that pass through go now (ending_pass); *next_ms: when to ask again.
 */
uint64_t node_end_pass(const struct node *n, uint64_t left, int64_t now, int64_t *next_ms);
/* Sends clientDisconnected for every session whose link stands and closes all clients with 1012
 * `restart;retry=min-max` (ms); then reports the change. Links stay open: io lets them flush and
 * closes them. Newcomers are refused from now on and nothing is dialled any more. */
void node_shutdown(struct node *n, int64_t now);
/* After node_shutdown, once nothing is left: tells worlds that the node is gone, the last that they
 * hear of it. */
void node_say_gone(struct node *n);
/* Every world that knows beats has been told so. */
bool node_has_said_gone(const struct node *n);
