#pragma once
/* The link of a shard to its room server: when it is dialled, what is written to it, what happens
 * when it comes up and falls. */
#include "common/base/backoff.h"
#include "common/base/map.h"
#include "common/base/wheel.h"
#include "common/proto/beat.h"
#include "shard/core/backlog.h"
#include "shard/core/node.h"
#include "shard/core/receipt.h"

struct client;
struct session;
struct shard;

enum link_state {
    LINK_IDLE,      /* down, and nobody needs it */
    LINK_DIALING,   /* io was asked to open it */
    LINK_REPLAYING, /* stands; the room hears who is there before messages flow (replay.h) */
    LINK_UP,        /* stands; messages pass straight through */
    LINK_WAITING,   /* down, to be dialled when the back-off is over, or when it may be (held) */
    LINK_CLOSING,   /* stands no more for us: it is held or goes elsewhere, and is being closed */
};

struct link {
    struct shard *shard;
    enum link_state state;
    struct handle self; /* from the dial to the end; else none */
    bool stood;         /* ever */
    bool held;          /* by order: not to be dialled */
    char *server;       /* origin of the room server as ordered; owned; NULL: io chooses */
    char *dialled;      /* where it was dialled last, io's choice too; owned */
    int64_t up_since_ms;
    struct backoff backoff;
    struct timer step; /* WAITING: the next dial; else, but while DIALING: the end of a wait */
    /* Down: when the longest wait is too long (wait.h). Standing: when the pause is (pressure.h).
     */
    struct timer deadline;

    struct backlog backlog;    /* what could not be sent yet; empty while UP */
    struct list ghosts;        /* struct session; while UP all of them are `awaiting` */
    size_t ghost_bytes;        /* their weight */
    uint32_t awaiting;         /* ghosts that are `awaiting`; 0 unless it stands */
    struct map leaving;        /* sessions whose leaving is written and may be unsent (recall.h) */
    struct list leaving_order; /* the same, in the order of leaving */
    uint32_t pings;            /* ever, never 0 but before the first */
    uint32_t last_ping;        /* CLOSING: behind all that was written; 0: was answered */
    uint64_t written;          /* bytes of text ever given to io */
    struct backlog unsent;     /* what came back of a link that is falling (recall.h) */
    struct receipt receipt;

    bool choked; /* some clients are paused (pressure.h) */
};

static inline bool link_stands(const struct link *l)
{
    return l->state == LINK_REPLAYING || l->state == LINK_UP;
}

void link_init(struct link *l, struct shard *shard);
/* Moves to another state and stops the step timer. Only the moves of the table are allowed. */
void link_go(struct link *l, enum link_state next);

/* Somebody needs it: dials if it is idle. */
void link_need(struct link *l);
/* Where it goes from now on (empty: where io says), and whether it may be there at all. A link that
 * stands elsewhere (not there already, of io's choice), or is to be held, is closed; messages wait
 * as for a link that fell. */
void link_direct(struct link *l, struct span server, bool hold, int64_t now);
/* Its room has another name: closes it if it stands, to dial anew. */
void link_redial(struct link *l, int64_t now);
/* There is a room server for it, by order or in the node's settings. */
bool link_has_server(const struct link *l);
/* What its world is told of it, and the server that this is about; empty: none yet. */
enum beat_link link_beat_state(const struct link *l);
struct span link_server(const struct link *l);
/* Frees what it owns, without telling anybody. */
void link_clear(struct link *l);
/* Nobody needs it any more: gives up the dial or the wait for one. */
void link_give_up(struct link *l);
/* Closes it, whatever its state, and releases what it holds; the shard is about to go. */
void link_end(struct link *l);

/* The room server has answered the pings up to `number`. */
void link_heard(struct link *l, uint32_t number, int64_t now);
/* What io says (node.h). */
void link_up(struct link *l, int64_t now);
void link_down(struct link *l, size_t lost, int64_t now);

/* Sends or queues a checked message of a client. False: too much waits already; the client has to
 * be closed with NODE_LINK_OVERFLOW. */
MUST_CHECK bool link_message(struct link *l, struct client *c, struct span json, int64_t now);

/* The rest is only for links that stand. */
/* Asks the room server for a sign behind all that was written; answers its number, never 0. */
uint32_t link_ping(struct link *l);
void link_write(struct link *l, struct span text);
/* The same for a client's message. */
void link_write_message(struct link *l, struct span text);
/* Tells the room that a socket of `s` connected; `from` holds the request info. */
void link_tell_connected(struct link *l, struct session *s, struct client *from);
void link_tell_disconnected(struct link *l, struct session *s);
