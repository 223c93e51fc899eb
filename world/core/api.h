#pragma once
/* The HTTP API of worlds: a table of routes, one verb each. */
#include "world/core/core.h"

/* Spans are borrowed until api_handle returns. */
struct api_request {
    struct handle reply;
    struct span method;
    struct span path; /* of the target, undecoded */
    struct credentials credentials;
    struct span body;
    struct span remote; /* the client's address, for the log; may be empty */
};

/* Answers through the reply port, at once or later. The order of checks: OPTIONS, world id, route,
 * authorization, body. */
void api_handle(struct core *core, const struct api_request *request, struct moment now);
