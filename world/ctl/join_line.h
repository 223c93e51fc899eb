#pragma once
/* What `worldctl join` makes of a line, and of a close. Pure. */
#include "common/base/buf.h"

/* Appends the message that a line stands for: JSON as it is; "/NAME REST" as the action
 * {"action":"NAME","value":REST} (a text unless it is JSON; null without any), as @signe/room has
 * them; anything else as a JSON string. False: the line is blank, there is none. */
bool join_line(struct buf *out, struct span line);

/* The code that the peer has sent: libwebsockets 4.1 writes 1002 over 1012 and 1013 in the frame's
 * payload before anybody is called (later ones do not); the reasons of docs/protocol.md tell them
 * apart. */
uint16_t join_code(uint16_t code, struct span reason);

/* Whether a client comes again after a close with this code. *min_ms and *max_ms: between which it
 * waits; the reason "restart;retry=MIN-MAX" says so, else 1 to 5 s (docs/protocol.md, "Close
 * codes"). */
bool join_comes_again(uint16_t code, struct span reason, int64_t *min_ms, int64_t *max_ms);
