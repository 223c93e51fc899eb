#pragma once
/* Follows the frames of a WebSocket stream that goes by (RFC 6455 section 5.2), masked or not, and
 * copies nothing: says where one frame ends and the next begins, where a frame of ours may be put
 * in. Payloads and extensions (RSV bits) are not looked at. */
#include <stdbool.h>

#include "common/proto/ws.h"

/* One per direction. The all-zero struct stands at the start of a stream. */
struct ws_skim {
    uint64_t left; /* payload bytes of the present frame still to come */
    uint8_t head[WS_HEAD_MAX];
    uint8_t head_len; /* bytes of the present head that are here */
    bool in_frame;    /* its head is whole, `left` counts */
    bool closed;      /* a close frame has begun: no frame may follow it */
    bool lost;        /* these are no frames; for ever */
};

/* Follows `data` up to the end of the present frame (the next one, at a boundary). Answers the
 * bytes used: all of them unless a frame ended before; all of them, too, once the stream is lost.
 */
size_t ws_skim_frame(struct ws_skim *s, struct span data);
/* Follows all of `data`. */
void ws_skim(struct ws_skim *s, struct span data);
/* The last byte was the last of a frame, or none came yet. False for ever once the stream is lost.
 */
bool ws_skim_at_boundary(const struct ws_skim *s);
