#pragma once
/* Trace ids of others, passed on (https://www.w3.org/TR/trace-context/, docs/decisions/023): the
 * id of the whole, and a span of ours for each request. We begin no traces. */
#include "common/base/buf.h"
#include "common/proto/http_head.h"

enum { TRACE_ID_LEN = 32, TRACE_SPAN_LEN = 16, TRACE_PARENT_LEN = 55 };

/* Lower-case hex with a NUL behind it. The all-zero struct is none. */
struct trace {
    char id[TRACE_ID_LEN + 1];
    char span[TRACE_SPAN_LEN + 1];
    char flags[2 + 1];
};

static inline bool trace_is_none(const struct trace *t)
{
    return t->id[0] == '\0';
}
/* Reads a traceparent; `span` is the sender's. False: it is none, and *out is none. */
bool trace_read(struct trace *out, struct span traceparent);
/* The trace of that id (32 hex digits), with a span of ours. */
void trace_continue(struct trace *t, const char *id);
/* A span of our own in the trace. */
void trace_child(struct trace *t);
/* The trace of a request, with a span of ours, which takes the sender's place in the head: whoever
 * is sent these headers is told of us. `bytes` are those that the head was parsed from. A head
 * without one good traceparent stays as it is, and *out is none. */
void trace_take(struct trace *out, struct http_head *h, char *bytes);
/* Appends a traceparent, or the whole header line; nothing when there is none. */
void trace_add(struct buf *out, const struct trace *t);
void trace_add_line(struct buf *out, const struct trace *t);
