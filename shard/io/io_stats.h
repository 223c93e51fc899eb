#pragma once
/* What io counts; core counts the rest (struct node_stats). */
#include "common/net/forward.h"
#include "common/net/proxy_door.h"
#include "common/net/tunnel.h"
#include "common/net/ws_watch.h"
#include "shard/core/admission.h"

enum refusal {
    REFUSED_NOT_FOUND,    /* 404 */
    REFUSED_PATH,         /* 400, a bad escape or an unnameable room */
    REFUSED_METHOD,       /* 405 */
    REFUSED_HANDSHAKE,    /* 400, not a WebSocket handshake */
    REFUSED_FRAMING,      /* 400, by the HTTP server: not HTTP as we want it */
    REFUSED_TIMEOUT,      /* 408 */
    REFUSED_BIG_HEAD,     /* 431 */
    REFUSED_BUSY,         /* 503, by the HTTP server: too many connections */
    REFUSED_NO_ROOM,      /* 503, no room server is configured */
    REFUSED_SIGNATURE,    /* 403, it does not come from the process that it names */
    REFUSED_ORIGIN,       /* 403, the page may not connect */
    REFUSED_CLIENT_RATE,  /* 429, CLIENT_RATE of its address */
    REFUSED_CONNECT_RATE, /* 503, CONNECT_RATE */
    REFUSED_STOPPING,     /* 503, it waited, and the node stops or drains */
    REFUSED_NO_TOKEN,     /* 401 */
    REFUSED_BAD_TOKEN,    /* 401: malformed, not ours, expired, several at once */
    REFUSED_NOT_HERE,     /* 403: good, but for another world or room */
    REFUSED_GREETINGS,    /* 503, AUTH_WAITING */
    REFUSED_NO_TICKET,    /* 401 */
    REFUSED_BAD_TICKET,   /* 401: malformed, not ours, several at once */
    REFUSED_OLD_TICKET,   /* 401: expired */
    REFUSED_WRONG_TICKET, /* 403: for another world, shard, room or session */
    REFUSED_PAST_TICKET,  /* 403: of an earlier owner of its world */
    REFUSED_SPENT_TICKET, /* 403 */
    REFUSED_TICKETS_FULL, /* 503, no more used ones can be remembered */
    REFUSED_PRIVATE,      /* 401: nothing that covers the private room was shown */
    REFUSAL_COUNT,
};
/* A short lower-case name ("not_found"), never NULL. */
const char *refusal_text(enum refusal r);

enum { CLOSE_CODES = 18 };
/* The index of a close code in `closes`; the last is for all others. */
unsigned close_code_index(unsigned code);

enum forward_target {
    FORWARD_ROOM,
    FORWARD_WORLD,
    FORWARD_NODE,
    FORWARD_SERVER, /* mode pass */
    FORWARD_TARGETS
};

/* Clients and requests that were not served at once. */
struct arrival_stats {
    uint64_t held_now;                 /* gauge: waiting, and on their way to or at an owner */
    uint64_t elsewhere;                /* answered 421 */
    uint64_t unreachable, misdirected; /* owners that were tried in vain */
    struct histogram held;             /* of those that waited: until it was clear where they go */
};

/* Of the frames to clients that were compressed, each counted once however many got it. */
struct packer_stats {
    uint64_t plain_bytes, packed_bytes; /* before and after */
};

/* Mode pass. */
struct pass_stats {
    struct tunnel_stats shards, visitors; /* clients of shards, and of none */
    uint64_t unreachable;                 /* servers that were tried in vain */
};

struct io_stats {
    struct pass_stats passes;
    struct admission_stats admission;
    struct proxy_door_stats door;
    uint64_t refusals[REFUSAL_COUNT];
    uint64_t closes[CLOSE_CODES];
    struct forward_stats forwards[FORWARD_TARGETS];
    uint64_t forwards_now;                     /* gauges */
    uint64_t links_closing;                    /* that core has forgotten */
    uint64_t greetings_now;                    /* clients whose first frame is awaited */
    struct tunnel_stats tunnels, peer_tunnels; /* to worlds, to other nodes */
    struct arrival_stats arrivals;
    struct ws_buffers buffers; /* of clients */
    struct packer_stats packer;
    struct histogram upgrade; /* from a handshake to the client's 101, waits included */
    struct histogram dial;    /* of links that stood: warm-up and handshake */
    uint64_t link_bad_frames; /* links closed for what the room server sent (1002, 1007, 1009) */
};
/* Counts one, and logs it. */
void io_stats_refuse(struct io_stats *s, enum refusal why);
