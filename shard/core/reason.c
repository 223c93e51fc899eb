/* The one table of reasons. The words for 1011 are the reference's: clients may know them. */
#include "shard/core/reason.h"

#include <assert.h>

#include "common/proto/ws.h"

static const struct {
    const char *name;
    uint16_t code;
    const char *words;
} reasons[] = {
    [NODE_PEER_CLOSED] = {"peer_closed", WS_CODE_NONE, ""},
    [NODE_PEER_GONE] = {"peer_gone", WS_CODE_NONE, ""},
    [NODE_PEER_SILENT] = {"peer_silent", WS_CODE_HEARTBEAT_TIMEOUT, "timeout"},
    [NODE_PEER_SLOW] = {"peer_slow", WS_CODE_SLOW_CONSUMER, "slow consumer"},
    [NODE_PEER_INVALID] = {"peer_invalid", WS_CODE_NONE, ""},
    [NODE_PEER_FLOODING] = {"peer_flooding", WS_CODE_RATE_LIMITED, "rate limited"},
    [NODE_PEER_UNFINISHED] = {"peer_unfinished", WS_CODE_POLICY, "message timeout"},
    [NODE_PEER_UNBUFFERED] = {"peer_unbuffered", WS_CODE_TRY_LATER, "buffers full"},
    [NODE_ROOM_CLOSED] = {"room_closed", WS_CODE_NONE, ""},
    [NODE_LINK_UNREACHABLE] = {"link_unreachable", WS_CODE_INTERNAL,
                               "Unable to start room connection"},
    [NODE_LINK_LOST] = {"link_lost", WS_CODE_TRY_LATER, "Room connection lost"},
    [NODE_LINK_OVERFLOW] = {"link_overflow", WS_CODE_TRY_LATER, "Room connection overloaded"},
    [NODE_SHUTDOWN] = {"shutdown", WS_CODE_RESTART, "restart;retry=1000-5000"},
    [NODE_DRAINED] = {"drained", WS_CODE_RESTART, "restart;retry=1000-5000"},
    [NODE_ROOM_MOVED] = {"room_moved", WS_CODE_RESTART, "restart;retry=100-2000"},
    [NODE_UPSTREAM_GONE] = {"upstream_gone", WS_CODE_NONE, ""},
    [NODE_UPSTREAM_REFUSED] = {"upstream_refused", WS_CODE_NONE, ""},
    [NODE_KICKED] = {"kicked", WS_CODE_POLICY, "kicked"},
    [NODE_REFUSED_FULL] = {"refused_full", WS_CODE_NONE, ""},
    [NODE_REFUSED_BAD_ID] = {"refused_bad_id", WS_CODE_NONE, ""},
    [NODE_REFUSED_NO_SEAT] = {"refused_no_seat", WS_CODE_NONE, ""},
    [NODE_REFUSED_UNKNOWN] = {"refused_unknown_shard", WS_CODE_NONE, ""},
    [NODE_REFUSED_BANNED] = {"refused_banned", WS_CODE_NONE, ""},
    [NODE_REFUSED_NO_OWNER] = {"refused_no_owner", WS_CODE_NONE, ""},
    [NODE_REFUSED_MOVING] = {"refused_moving", WS_CODE_NONE, ""},
};
static_assert(sizeof reasons / sizeof *reasons == NODE_REASON_COUNT, "a row for each reason");

uint16_t reason_code(enum node_reason r)
{
    assert(r < NODE_REASON_COUNT);
    return reasons[r].code;
}

struct span reason_words(enum node_reason r)
{
    assert(r < NODE_REASON_COUNT);
    return span_str(reasons[r].words);
}

bool reason_keeps_seat(enum node_reason r)
{
    return r == NODE_PEER_GONE || r == NODE_PEER_SILENT || r == NODE_PEER_UNBUFFERED ||
           r == NODE_LINK_LOST || r == NODE_LINK_OVERFLOW || r == NODE_SHUTDOWN ||
           r == NODE_DRAINED || r == NODE_ROOM_MOVED || r == NODE_UPSTREAM_GONE;
}

const char *node_reason_text(enum node_reason r)
{
    assert(r < NODE_REASON_COUNT);
    return reasons[r].name;
}
