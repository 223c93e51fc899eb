/* Names and indexes of what io counts. */
#include "shard/io/io_stats.h"

#include "common/base/log.h"

static const uint16_t codes[CLOSE_CODES - 1] = {
    1000, 1001, 1002, 1005, 1006, 1007, 1008, 1009, 1011,
    1012, 1013, 4002, 4200, 4201, 4001, 4003, 4404,
};

unsigned close_code_index(unsigned code)
{
    unsigned i = 0;
    while (i < CLOSE_CODES - 1 && codes[i] != code)
        i++;
    return i;
}

const char *refusal_text(enum refusal r)
{
    static const char *const names[] = {
        [REFUSED_NOT_FOUND] = "not_found",
        [REFUSED_PATH] = "bad_path",
        [REFUSED_METHOD] = "bad_method",
        [REFUSED_HANDSHAKE] = "handshake",
        [REFUSED_FRAMING] = "bad_request",
        [REFUSED_TIMEOUT] = "timeout",
        [REFUSED_BIG_HEAD] = "head_too_big",
        [REFUSED_BUSY] = "busy",
        [REFUSED_NO_ROOM] = "no_room_server",
        [REFUSED_SIGNATURE] = "bad_signature",
        [REFUSED_ORIGIN] = "origin",
        [REFUSED_CLIENT_RATE] = "client_rate",
        [REFUSED_CONNECT_RATE] = "connect_rate",
        [REFUSED_STOPPING] = "stopping",
        [REFUSED_NO_TOKEN] = "no_token",
        [REFUSED_BAD_TOKEN] = "bad_token",
        [REFUSED_NOT_HERE] = "not_here",
        [REFUSED_GREETINGS] = "greetings",
        [REFUSED_NO_TICKET] = "no_ticket",
        [REFUSED_BAD_TICKET] = "bad_ticket",
        [REFUSED_OLD_TICKET] = "old_ticket",
        [REFUSED_WRONG_TICKET] = "wrong_ticket",
        [REFUSED_PAST_TICKET] = "past_ticket",
        [REFUSED_SPENT_TICKET] = "spent_ticket",
        [REFUSED_TICKETS_FULL] = "tickets_full",
        [REFUSED_PRIVATE] = "private",
    };
    return names[r];
}

void io_stats_refuse(struct io_stats *s, enum refusal why)
{
    s->refusals[why]++;
    log_debug("edge.refused", "reason=%s", refusal_text(why));
}
