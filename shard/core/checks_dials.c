/* What dials of room servers and of other nodes mean. */
#include "common/base/buf.h"
#include "common/base/map.h"
#include "shard/core/checks.h"

enum { STATUS_UNAUTHORIZED = 401, STATUS_FORBIDDEN = 403 };

/* ---- room servers */

static const enum finding_check of_rooms[] = {FINDING_ROOM_UNREACHABLE, FINDING_ROOM_UPGRADE,
                                              FINDING_ROOM_SECRET};
enum { OF_ROOMS = sizeof of_rooms / sizeof of_rooms[0] };

/* One fault hides those behind it. */
static void room_is(struct checks *c, struct span origin, enum finding_check check,
                    struct span detail, int64_t now)
{
    for (int i = 0; i < OF_ROOMS; i++)
        if (of_rooms[i] != check)
            checks_disproved(c, of_rooms[i], origin);
    checks_seen(c, check, origin, detail, now);
}

static void room_refuses(struct checks *c, struct span origin, int status, const char *why,
                         int64_t now)
{
    struct buf detail = {0};
    bool secret = status == STATUS_UNAUTHORIZED || status == STATUS_FORBIDDEN;
    if (status != 0)
        buf_addf(&detail, "answered the upgrade with %d", status);
    else
        buf_addf(&detail, "upgrade failed: %s", why);
    room_is(c, origin, secret ? FINDING_ROOM_SECRET : FINDING_ROOM_UPGRADE, buf_span(&detail), now);
    buf_clear(&detail);
}

void checks_room(struct checks *c, struct span origin, enum checks_room what, int status,
                 const char *why, int64_t now)
{
    switch (what) {
    case CHECKS_ROOM_STANDS:
        checks_disproved(c, FINDING_ROOM_SECRET, origin);
        checks_disproved(c, FINDING_ROOM_UNREACHABLE, origin);
        checks_disproved(c, FINDING_ROOM_UPGRADE, origin);
        break;
    case CHECKS_ROOM_OPEN:
        checks_disproved(c, FINDING_ROOM_UNREACHABLE, origin);
        checks_disproved(c, FINDING_ROOM_UPGRADE, origin);
        break;
    case CHECKS_ROOM_SILENT:
        room_is(c, origin, FINDING_ROOM_UNREACHABLE, span_str(why), now);
        break;
    case CHECKS_ROOM_REFUSES:
        room_refuses(c, origin, status, why, now);
        break;
    case CHECKS_ROOM_CUTS:
        room_is(c, origin, FINDING_ROOM_SECRET, SPAN("closed the link at once"), now);
        break;
    }
}

/* ---- other nodes */

static void peer_unreachable(struct checks *c, struct span node, struct span url, const char *why,
                             int64_t now)
{
    struct buf detail = {0};
    buf_addf(&detail, "%.*s: %s", SPAN_ARG(url), why);
    checks_seen(c, FINDING_PEER_UNREACHABLE, node, buf_span(&detail), now);
    buf_clear(&detail);
}

static void forget_failures(struct checks *c, struct span node)
{
    for (int i = 0; i < CHECKS_PEERS_MAX; i++)
        if (c->failing[i].peer == map_hash(node))
            c->failing[i] = (struct checks_failing){.peer = 0};
}

void checks_peer(struct checks *c, struct span node, struct span url, enum checks_peer what,
                 const char *why, int64_t now)
{
    bool silent = what == CHECKS_PEER_SILENT || what == CHECKS_PEER_ANOTHER;
    if (silent) {
        peer_unreachable(c, node, url, why, now);
    } else {
        checks_disproved(c, FINDING_PEER_UNREACHABLE, node);
        forget_failures(c, node);
    }
    if (what == CHECKS_PEER_DENIED || what == CHECKS_PEER_LATE)
        checks_seen(c, FINDING_PEER_SECRET, node, span_str(why), now);
    else
        checks_disproved(c, FINDING_PEER_SECRET, node);
}

/* The entry of a peer; a new one is in the place of the one that failed longest ago. */
static struct checks_failing *failing_of(struct checks *c, struct span node)
{
    uint64_t hash = map_hash(node);
    struct checks_failing *oldest = &c->failing[0];
    for (int i = 0; i < CHECKS_PEERS_MAX; i++) {
        if (c->failing[i].peer == hash)
            return &c->failing[i];
        if (c->failing[i].peer == 0 || c->failing[i].last_ms < oldest->last_ms)
            oldest = &c->failing[i];
    }
    *oldest = (struct checks_failing){.peer = hash};
    return oldest;
}

void checks_peer_missed(struct checks *c, struct span node, struct span url, const char *why,
                        int64_t now)
{
    struct checks_failing *f = failing_of(c, node);
    if (f->last_ms == 0 || now - f->last_ms > CHECKS_PEER_QUIET_MS)
        f->first_ms = now;
    f->last_ms = now;
    if (now - f->first_ms >= CHECKS_PEER_FAILS_MS)
        peer_unreachable(c, node, url, why, now);
}
