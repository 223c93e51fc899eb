#pragma once
/* permessage-deflate (RFC 7692 section 7.2) without context takeover: one deflater and one inflater
 * for all connections of a process, and none of their memory is a connection's. zlib is this file's
 * alone. */
#include "common/base/frame.h"
#include "common/proto/ws.h"

struct ws_deflate;

struct ws_deflate *ws_deflate_new(void);
void ws_deflate_free(struct ws_deflate *z); /* NULL is allowed */

/* Inflates a message whose event says `compressed`: its data is then borrowed until the next call
 * with `z`, mutable, and UTF-8 for WS_TEXT. No more than about max_message bytes are ever made of
 * it. ERR_LIMIT: it is longer (1009); ERR_DENIED: not a message's deflate data, or bad UTF-8
 * (1007: the extension names no code, and "not consistent with the type of the message" is what
 * RFC 6455 section 7.4.1 has for it). */
MUST_CHECK enum err ws_inflate(struct ws_deflate *z, struct ws_event *e, size_t max_message);
/* Frees what the last message took, when that is much: call it when a batch of input is done. */
void ws_inflate_release(struct ws_deflate *z);

/* A compressed message with the payload of `plain`, which is one unmasked frame; caller unrefs.
 * NULL: it would not be shorter. A client that wants a smaller window than 2^15 may only get those
 * whose payload, before compression, is no longer than its window. */
struct frame *ws_deflate_frame(struct ws_deflate *z, const struct frame *plain);
