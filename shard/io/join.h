#pragma once
/* What an upgrade request says about the client (docs/reference.md section 4): its session and what
 * its room is told. Pure. */
#include "common/proto/http_head.h"
#include "shard/io/gate.h"
#include "shard/io/route.h"
#include "shard/io/sender.h"

struct join {
    struct buf session_id;   /* decoded and trimmed; empty: none was given */
    struct buf request_info; /* JSON text */
};

/* Reads `h`, whose route is `r`, behind whatever `out` held before (it is emptied). A client that
 * another process let in looks as if it had come directly. */
void join_read(struct join *out, const struct http_head *h, const struct route *r,
               const struct sender *from);
/* Tells the room what the client has shown, too; one that named no session has its ticket's. Claims
 * once, behind join_read. */
void join_show(struct join *j, const struct shown *shown);
/* Tells the room of a trace that did not come with a header; claims behind it. */
void join_trace(struct join *j, const struct http_head *h, const struct trace *trace);
/* The session alone, appended; nothing when none was given. */
void join_read_session(struct buf *out, struct span query);
void join_clear(struct join *j);

/* Without what JavaScript's trim() takes off: WhiteSpace and LineTerminator of ECMA-262. */
struct span js_trim(struct span utf8);
