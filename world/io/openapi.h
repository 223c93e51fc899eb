#pragma once
/* The description of all routes of worlds (OpenAPI 3.1), at /openapi.json. Its parts are in
 * world/core/api/openapi; the build joins them (deploy/lib/openapi.cmake). */
#include "common/base/span.h"

struct request;

extern const struct span openapi_json;
extern const struct span openapi_etag; /* with its quotes */

/* Answers a request for it, and ends the request. False: `path` is another, or there is nothing at
 * it for who asks outside. */
bool openapi_take(struct request *r, struct span path);
