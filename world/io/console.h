#pragma once
/* The dashboard's files (world/dashboard; docs/operations.md, "The dashboard"): `/` is its page,
 * `/console/…` is what that asks for. They hold nothing secret and need no authorization; what the
 * page shows it asks of the management API, with a token. */
#include "common/base/buf.h"
#include "common/proto/http_head.h"

struct console_answer {
    int status;       /* 200, or 304 when the client has what If-None-Match names */
    struct span body; /* static; empty with 304 */
};

/* True when the path is the dashboard's and the method GET or HEAD; then *answer is filled, and the
 * lines of its head are in `headers`. */
bool console_answer(const struct http_head *head, struct span path, struct buf *headers,
                    struct console_answer *answer);
