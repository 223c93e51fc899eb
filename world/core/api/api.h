#pragma once
/* The HTTP API of worlds (docs/protocol.md, "World, HTTP"; docs/reference.md section 2): a table of
 * routes, one verb each. */
#include "common/proto/addr.h"
#include "common/proto/problem.h"
#include "common/proto/trace.h"
#include "world/core/core.h"

/* Whole header lines: who may read answers in a browser, and those of every answer in JSON. */
#define API_CORS_TEXT                                                                              \
    "Access-Control-Allow-Origin: *\r\n"                                                           \
    "Access-Control-Allow-Methods: GET, POST, PUT, DELETE, PATCH, OPTIONS\r\n"                     \
    "Access-Control-Allow-Headers: Content-Type, Authorization, X-Requested-With\r\n"              \
    "Access-Control-Max-Age: 86400\r\n"
#define API_CORS         SPAN(API_CORS_TEXT)
#define API_HEADERS_TEXT "Content-Type: application/json\r\n" API_CORS_TEXT
#define API_HEADERS      SPAN(API_HEADERS_TEXT)
/* Those of errors of our own routes. */
#define API_PROBLEM_TEXT "Content-Type: " PROBLEM_TYPE "\r\n" API_CORS_TEXT

/* Spans are borrowed until api_handle returns. */
struct api_request {
    struct handle reply;
    struct span method;
    struct span path; /* of the target, undecoded */
    struct credentials credentials;
    struct span last_event_id; /* the header; may be empty */
    struct trace trace;        /* may be none */
    struct span body;
    bool waited;        /* it has been parked once (park.h) */
    struct addr client; /* its address */
    bool outside;       /* by the public listener, while management has one of its own */
};

/* How long the bodies may be of those who are trusted with the whole of a world: heartbeats (some
 * 200 bytes a shard) and imports. */
#define API_BULK_MAX ((uint64_t)64 * 1024 * 1024)

/* May a request to that path, with these credentials, have a body of up to API_BULK_MAX bytes? */
bool api_takes_bulk(struct core *core, struct span path, const struct credentials *c,
                    struct moment now);

/* The world that a request to that path is about: decoded into `scratch`, which is overwritten.
 * ERR_MISSING: none; ERR_SYNTAX: an escape in the path cannot be decoded. */
MUST_CHECK enum err api_world(struct span path, struct buf *scratch, struct span *world);

/* True when the path is management's as a whole: outside, there is nothing at it. */
bool api_is_inside(struct span path);
/* True for routes of our own: their errors are problems (problem.h). Those of the reference's keep
 * the reference's form. */
bool api_tells_problems(struct span path);
/* True for the verbs of clients and nodes, which are answered without a wait for the store. */
bool api_is_quick(struct span path);

/* Answers through the reply port, at once or later. The order of checks: OPTIONS, world id, route,
 * authorization, body. */
void api_handle(struct core *core, const struct api_request *request, struct moment now);
