#pragma once
/* The id of the trace that a request belongs to: the header `traceparent` of W3C Trace Context,
 * version 00 and what later versions keep of it. */
#include "common/proto/http_head.h"

struct trace_id {
    char hex[32 + 1]; /* lower-case; "": none */
};

/* Of a request; none if there is no traceparent, more than one, or one that is malformed. */
struct trace_id trace_id_of(const struct http_head *head);
