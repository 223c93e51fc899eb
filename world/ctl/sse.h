#pragma once
/* The text of a stream of Server-Sent Events
 * (https://html.spec.whatwg.org/#parsing-an-event-stream), in pieces as they come. Does not know
 * where they come from. */
#include "common/base/buf.h"

enum { SSE_EVENT_MAX = 4 << 20 }; /* bytes of an event; what is beyond is left out */

/* The all-zero struct is a stream before its first byte. */
struct sse {
    struct buf line; /* what there is of it */
    struct buf name, data, id;
    bool has_data;
    bool after_cr; /* a LF now belongs to the CR before it */
};

/* Borrowed until it returns. */
typedef void sse_event_fn(void *ctx, struct span id, struct span name, struct span data);

void sse_feed(struct sse *s, struct span piece, sse_event_fn *event, void *ctx);
/* The connection is new: what was unfinished is dropped, the id stays. */
void sse_restart(struct sse *s);
void sse_clear(struct sse *s);
