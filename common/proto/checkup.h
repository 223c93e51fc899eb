#pragma once
/* A checkup, as orders ask nodes for one (docs/protocol.md, "Findings"): each dials every other
 * node and every room server once, changes its findings by what comes of it, and says so in its
 * next beat. */
#include "common/base/json.h"

struct checkup {
    int64_t id;                    /* 0: none. A later one has a higher one, and takes its place */
    struct span text;              /* to be written: what checkup_close has ended */
    const json_t *peers, *servers; /* as read: for the functions below */
};

/* Writing: checkup_open, the peers, checkup_open_servers, the servers, checkup_close. */
void checkup_open(struct buf *out, int64_t id);
void checkup_add_peer(struct buf *out, struct span node, struct span url, bool first);
void checkup_open_servers(struct buf *out);
void checkup_add_server(struct buf *out, struct span origin, bool first);
void checkup_close(struct buf *out);

/* False: the object is none. Spans and lists point into it. */
bool checkup_read(const json_t *object, struct checkup *out);
/* In order: start with *at = 0; false at the end. A node that asks is among its peers, too. */
bool checkup_next_peer(const struct checkup *c, size_t *at, struct span *node, struct span *url);
bool checkup_next_server(const struct checkup *c, size_t *at, struct span *origin);
