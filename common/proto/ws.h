#pragma once
/* WebSocket frames and messages (RFC 6455 sections 5 to 8), sans I/O, server and client side.
 * RSV bits are protocol errors, but for the one of permessage-deflate where that was negotiated;
 * what it says is ws_deflate.h's. */
#include <stdbool.h>

#include "common/base/buf.h"

enum ws_opcode {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
};

/* Close codes (RFC 6455 section 7.4, the IANA registry, and our own of docs/protocol.md). */
enum ws_code {
    WS_CODE_NONE = 0, /* send: a close frame without a code; received: no code came (1005) */
    WS_CODE_NORMAL = 1000,
    WS_CODE_GOING_AWAY = 1001,
    WS_CODE_PROTOCOL = 1002,
    WS_CODE_UNSUPPORTED = 1003,
    WS_CODE_NO_STATUS = 1005,
    WS_CODE_ABNORMAL = 1006,
    WS_CODE_BAD_DATA = 1007,
    WS_CODE_POLICY = 1008,
    WS_CODE_TOO_BIG = 1009,
    WS_CODE_INTERNAL = 1011,
    WS_CODE_RESTART = 1012,
    WS_CODE_TRY_LATER = 1013,
    WS_CODE_AUTH_TIMEOUT = 4001,
    WS_CODE_HEARTBEAT_TIMEOUT = 4002,
    WS_CODE_AUTH_FAILED = 4003,
    WS_CODE_SLOW_CONSUMER = 4200,
    WS_CODE_RATE_LIMITED = 4201,
    WS_CODE_UNKNOWN_SHARD = 4404,
};

enum { WS_COMPRESSED_BIT = 0x40 }; /* RSV1 of a message's first frame (RFC 7692 section 6) */
enum { WS_HEAD_MAX = 14, WS_CONTROL_MAX = 125, WS_REASON_MAX = 123 };

/* One per connection and direction. Zero it, then ws_decoder_init. */
struct ws_decoder {
    uint64_t left; /* payload bytes of the present frame still to come */
    size_t max_message;
    struct buf message; /* what came of a message that is not whole yet */
    char *control;      /* of a control frame; NULL: nothing */
    uint32_t utf8;      /* state of the UTF-8 check of a text message */
    uint8_t mask[4];
    uint8_t mask_at;
    uint8_t head[WS_HEAD_MAX];
    uint8_t head_len; /* bytes of the next head that are here */
    uint8_t control_len;
    uint8_t frame_opcode; /* of the present frame */
    uint8_t opcode;       /* of the message under way; 0: none */
    uint8_t failed;       /* the enum err it failed with; 0: none */
    bool in_frame : 1, fin : 1, expect_mask : 1, closed : 1;
    bool deflate : 1;    /* negotiated; set it behind ws_decoder_init */
    bool compressed : 1; /* the message under way is */
};

/* `server`: frames must be masked; else they must not be. `max_message`: payload bytes of one
 * message, over all its fragments. */
void ws_decoder_init(struct ws_decoder *d, bool server, size_t max_message);
void ws_decoder_clear(struct ws_decoder *d);

struct ws_event {
    enum ws_opcode opcode; /* WS_TEXT or WS_BINARY: a whole message; WS_PING, WS_PONG, WS_CLOSE */
    char *data;            /* borrowed, mutable, until the next call; valid UTF-8 for WS_TEXT that
                              is not compressed */
    size_t len;
    uint16_t code; /* WS_CLOSE: the peer's code, or WS_CODE_NO_STATUS; data is the reason; else 0 */
    bool compressed; /* data wants ws_inflate */
};

/* Takes bytes off the wire (they are unmasked in place) up to the end of the next event.
 * ERR_OK: *event holds one; ERR_AGAIN: all bytes are used, no event; ERR_SYNTAX: protocol error,
 * fail the connection with 1002; ERR_DENIED: bad UTF-8, 1007; ERR_LIMIT: over max_message, 1009.
 * After an error the decoder gives the same error for ever; after WS_CLOSE it swallows all input.
 * A message that is one frame and lies whole in `data` is never copied; no byte is ever left with
 * the caller. The memory of an event that came in pieces is kept until the next call, or until
 * ws_decoder_release. */
MUST_CHECK enum err ws_decode(struct ws_decoder *d, char *data, size_t len, size_t *used,
                              struct ws_event *event);
/* Frees the memory of the last event: call it when a batch of input is done, so that an idle peer
 * owns none. What is known of an unfinished message is kept. */
void ws_decoder_release(struct ws_decoder *d);
/* A frame or message has begun and is not whole yet. */
bool ws_decoder_is_midway(const struct ws_decoder *d);
/* Bytes of memory that what is not whole yet takes. */
size_t ws_decoder_held(const struct ws_decoder *d);
/* The close code for an error of ws_decode. */
uint16_t ws_error_code(enum err e);

/* Writes a frame head for `len` payload bytes; `mask` is NULL on the server side. Answers its
 * length (2 to WS_HEAD_MAX). */
size_t ws_encode_head(uint8_t out[WS_HEAD_MAX], enum ws_opcode opcode, uint64_t len,
                      const uint8_t mask[4]);
/* Masks or unmasks `len` bytes from `in` to `out` (may be the same); `at` is the offset of the
 * first byte in its payload. */
void ws_mask(char *out, const char *in, size_t len, const uint8_t mask[4], size_t at);
/* The payload of a close frame; empty for WS_CODE_NONE and for WS_CODE_NO_STATUS (so that a peer's
 * close can be echoed as it came); other codes must be valid (asserted). `reason` is cut to
 * WS_REASON_MAX at a character's border. Answers its length. */
size_t ws_encode_close(char out[WS_CONTROL_MAX], uint16_t code, struct span reason);
/* True for codes that may stand in a close frame (section 7.4.1 and 7.4.2). */
bool ws_code_is_valid(uint16_t code);
