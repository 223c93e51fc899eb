#pragma once
/* Problem details of HTTP errors (RFC 9457), with the member `error`, which clients knew before. */
#include "common/base/buf.h"

#define PROBLEM_TYPE "application/problem+json"

/* Opens the object: type, title (the status's reason phrase), status, detail and error, which both
 * are `text`, and the trace id, if `trace` is not empty. Members may follow, each behind its comma;
 * the caller closes it with '}'. */
void problem_open(struct buf *out, int status, struct span text, const char *trace);
