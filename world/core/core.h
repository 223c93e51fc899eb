#pragma once
/* The world process without its machinery: all registries, the admin feeds, and what waits. io
 * hands in requests, sockets and the time, and gets answers and frames back through the port.
 * Nothing here touches a socket, a clock or a file. */
#include "world/core/api/authz.h"
#include "world/core/feed/events.h"
#include "world/core/feed/feed.h"
#include "world/core/findings/impostors.h"
#include "world/core/park.h"
#include "world/core/port.h"
#include "world/core/pulse.h"
#include "world/core/rooms/registry.h"
#include "world/core/stats.h"

enum {
    CORE_SWEEP_MS = 60 * 1000, /* how often silent shards are looked for */
    CORE_HUSH_MS = 5000,       /* how often those are looked for that are late with their reports */
    CORE_COUNTS_MS = 5000,     /* how old the stored count of a shard may be */
    CORE_COUNTS_MAX = 500,     /* counts that are stored in one go, */
    CORE_COUNTS_GAP_MS = 20,   /* and the time until the next */
};

/* Ids of a later time than this (in the year 2255) are nobody's: ours must have room to count on.
 */
#define CORE_ID_MS_MAX INT64_C(9000000000000)

struct core_settings {
    const struct secrets *secrets; /* the cluster's */
    const struct token_keys *keys; /* for tokens */
    struct span url_template;      /* of shards that are made without one */
    uint64_t max_room_shards;      /* our own bound on the shards of a room */
    int64_t seat_ttl_ms;           /* how long a promised seat is kept; 0: none is promised */
    bool private_rooms;            /* clients of rooms that are not public need a token */
    bool tickets;                  /* /connect gives them to who has not asked, too */
    struct strangers_settings strangers;
    struct span room_servers; /* of every world: a checked list as origins.h reads it */
    int64_t failover_ms;      /* how long a room stays at a dead server */
    int64_t epoch;       /* of worlds that this process is the only one to have; 0: its start */
    int64_t beat_ms;     /* how often nodes are asked to be heard; 0: NODES_BEAT_MS */
    bool nodes_packed;   /* shards go to the fullest node that has room */
    int64_t id_floor_ms; /* shard ids up to this wall time may have been given out */
    struct span process; /* what this process is called; may be empty */
    const char *store;   /* where it keeps worlds: memory, sqlite or redis */
};

struct core {
    const struct port *port;
    const struct core_settings *settings;
    struct registry registry;
    struct feed_hub feeds;
    struct events events;
    struct authz authz;
    struct strangers strangers;
    struct stats stats;
    struct pulse pulse;
    struct findings findings; /* about the process itself; io's, but for impostors' */
    struct impostors impostors;
    struct rng rng;
    struct slots admins;  /* struct admin: authorised feed sockets */
    struct slots pending; /* struct pending: answers that wait for the store */
    struct moment now;    /* of the call that is under way */
    int64_t sweep_ms;     /* when silent shards are looked for next */
    int64_t hush_ms;      /* when late ones are, and when a step of history ends */
    int64_t nodes_ms;     /* when nodes are, while there are any */
    int64_t servers_ms;   /* when room servers are, while there are any */
    int64_t findings_ms;  /* when findings are, while there can be any */
    int64_t started_ms;   /* wall time */
    int64_t broken_ms;    /* no log tells of a broken world before */
    struct park park;     /* requests that wait for nodes */
    struct list counts;   /* shards whose stored count is old, by count_ms */
    int64_t counts_ms;    /* none of them is stored before */
    struct buf path;      /* scratch: the decoded segments of a path */
    struct buf text;      /* scratch: the text of an answer */
    struct buf headers;   /* scratch: its headers */
    struct buf message;   /* scratch: an error's text before it is escaped */
    struct buf value;     /* scratch: what is stored */
};

/* `port` and `settings` are borrowed for core's life; the generator is copied. */
void core_init(struct core *core, const struct port *port, const struct core_settings *settings,
               const struct rng *rng, struct moment now);
void core_clear(struct core *core);

/* Takes in what the store kept: called for each record, rooms before shards and each kind in order
 * of creation, before the first request. Kinds that this version does not keep are passed over.
 * ERR_SYNTAX: the record cannot be used (logged); the process must not go on. */
MUST_CHECK enum err core_restore(struct core *core, const struct record *r, struct moment now);
/* Puts all counts that are not stored yet: the process is about to end. */
void core_store_counts(struct core *core);

/* ---- worlds that come and go while the process lives; never from inside another call of core */

/* The world is this process's from now on, under that epoch; core_restore follows for its records.
 * Shard ids up to `id_floor_ms` (wall time) may have been given out. It must not be there. */
void core_take_world(struct core *core, struct span id, int64_t epoch, int64_t id_floor_ms,
                     struct moment now);
/* It goes on under a higher epoch. */
void core_raise_world(struct core *core, struct span id, int64_t epoch);
/* The nodes that it knows: `fn` hears where each is reached. */
void core_each_node(struct core *core, struct span world,
                    void (*fn)(void *ctx, struct span node, struct span url), void *ctx);
/* Puts every record of it, in the order of loading. */
void core_put_world(struct core *core, struct span id);
/* Puts the counts of it that are not stored yet. */
void core_store_world_counts(struct core *core, struct span id);
/* Forgets it with all that is in it, without a word to the store: requests that wait are passed on
 * (or refused, if they may not be repeated), its feeds and streams end. Nothing happens when it is
 * not there. */
void core_drop_world(struct core *core, struct span id, struct moment now);
/* Its epoch; 0: it is not there. */
int64_t core_world_epoch(const struct core *core, struct span id);

/* Asks the ticker to be woken for what is due next. */
void core_wake(struct core *core);
/* So late was a timer of the loop. */
void core_note_lag(struct core *core, int64_t lag_ms);
/* Does what is due and asks the ticker to be woken for the next. */
void core_tick(struct core *core, struct moment now);

/* How many findings there are of that check, of the process and its worlds. */
size_t core_findings(const struct core *core, enum finding_check check);

/* The client of a stream went away. */
void core_stream_gone(struct core *core, struct handle stream);
/* A room server was probed: it answered, or it did not. */
void core_probed(struct core *core, struct handle server, bool good, struct moment now);

/* The store has completed sync(token). ERR_OK: what was asked before is durable; ERR_DENIED: the
 * world is another process's by now. */
void core_stored(struct core *core, uint64_t token, enum err e);

enum feed_verdict {
    FEED_CLOSE,  /* close it without a code */
    FEED_SILENT, /* let it stand; it is never sent anything */
    FEED_ADMIN,  /* it has been sent the registry; *admin is for core_feed_close */
};

struct feed_request {
    struct handle socket;
    struct span path; /* of the request target, undecoded */
    struct credentials credentials;
    bool names_shard; /* x-shard-id is there */
    bool outside;     /* as in struct api_request: nobody is an admin */
};

/* True when the path is a world's, valid or not: sockets elsewhere are not for us. */
bool core_feed_wants(struct core *core, struct span path);
/* Would it be an admin's? Then whoever decides for *world (borrowed until the next call) is to have
 * it. */
bool core_feed_admits(struct core *core, const struct feed_request *request, struct span *world,
                      struct moment now);
/* A feed socket has been opened. */
enum feed_verdict core_feed_open(struct core *core, const struct feed_request *request,
                                 struct handle *admin, struct moment now);
void core_feed_close(struct core *core, struct handle admin);
