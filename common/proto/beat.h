#pragma once
/* The heartbeat of a node, from node to world (docs/protocol.md, "Node and world"; docs/design.md
 * section 5.1): the body of POST …/heartbeat. Its values, and how a node writes them; beat_doc.h
 * reads. */
#include "common/base/buf.h"

/* How a link to a room server stands. */
enum beat_link {
    BEAT_LINK_IDLE, /* not needed, or held back by order: it is closed */
    BEAT_LINK_DOWN, /* wanted and down */
    BEAT_LINK_UP,
    BEAT_LINK_COUNT,
};
extern const struct span beat_link_names[BEAT_LINK_COUNT]; /* on the wire */

/* One shard's numbers. All-time counts are of this epoch of the node. */
struct beat_shard {
    struct span shard_id;
    uint64_t open;       /* sockets now */
    uint64_t returning;  /* seats that the node itself keeps for sessions that broke off */
    uint64_t admitted;   /* sockets ever let in */
    uint64_t readmitted; /* those of them that took no promised seat: of a kept seat or of a session
                            that was there already */
    uint64_t sessions;
    enum beat_link link;
    struct span server; /* origin of the room server that `link` is about; may be empty */
    /* Sessions that the room has not heard to have left, by their ids: those that left since the
     * last beat, then those that came; JSON arrays, or empty: none. */
    struct span left, joined;
    bool all; /* `joined` names them all: the beat is full. Read, not written */
};

struct beat {
    struct span node_id;
    int64_t epoch; /* start of the node, Unix ms */
    struct span url, internal_url, version;
    uint64_t max_connections, connections; /* of the process, over all worlds */
    bool draining;
    bool gone; /* the last one: the node holds nothing and ends */
    int64_t lag_ms;
    int64_t now_ms;       /* its clock, Unix ms; 0: not told */
    int64_t checkup;      /* the last that it has done (checkup.h); 0: none */
    struct span findings; /* JSON array, as findings_write makes it; empty: not told, as it was.
                             Written, not read: beat_doc.h has them then */
    int64_t seq;
    bool full;                        /* a shard that is not in it has nothing here */
    int64_t have_epoch, have_version; /* the orders that the node follows; 0: none */
};

enum {
    BEAT_NODE_ID_MAX = 256, /* bytes */
    BEAT_URL_MAX = 2048,
    BEAT_SHARDS_MAX = 200000,
    BEAT_SHARD_ID_MAX = 12288,
    BEAT_SESSION_MAX = 64,      /* bytes of a session id; longer ones are not named */
    BEAT_SESSIONS_MAX = 200000, /* named in a beat */
};

/* Writing: beat_open, then beat_add_shard for each, then beat_close. */
void beat_open(struct buf *out, const struct beat *b);
void beat_add_shard(struct buf *out, const struct beat_shard *s, bool first);
void beat_close(struct buf *out);
