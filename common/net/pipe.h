#pragma once
/* Two connections, each the other's way on: WebSocket frames both ways, untouched. Whoever reads
 * slowly holds the other side back; both sides end together. */
#include "common/net/http_server.h"
#include "common/proto/ws_skim.h"

enum {
    PIPE_SETTLE_MS = 300, /* for the answers to what the client said last */
    PIPE_CLOSE_MS =
        2000, /* a close takes no longer, settling and all; then both sides are cut off */
};

/* Zero it before pipe_start. */
struct pipe {
    struct loop *loop;
    struct conn client, upstream;
    struct ws_skim down, up; /* towards the client, towards upstream */
    uint64_t *bytes;
    void (*ended)(struct pipe *p);
    struct timer settle, deadline; /* of pipe_close */
    struct span reason;
    uint16_t code;
    bool ending;        /* pipe_close was asked for: nothing more is read from the client */
    bool closing, told; /* settled; the client was sent our close frame, or is closed without */
    bool client_ended, upstream_ended;
};

/* Joins the client of `x` (which has no answer yet; it is gone after this, without `gone`) with an
 * open connection, which is moved; `head` is what the client is told first, `behind` came behind
 * it. `bytes` (borrowed) counts what goes through. `ended` comes once, when both connections are
 * gone; the owner may free the pipe in there. */
void pipe_start(struct pipe *p, struct loop *l, struct http_exchange *x, struct conn *upstream,
                struct span head, struct span behind, uint64_t *bytes,
                void (*ended)(struct pipe *p));
/* Reads nothing more from the client, but passes on for PIPE_SETTLE_MS what comes for it. Then
 * sends it a close frame at the next frame boundary and passes nothing on to it after that, ends
 * upstream (with 1001 when that side stands at a boundary), and ends when the client has answered,
 * or after PIPE_CLOSE_MS. What goes through and is no frames is closed without a word. `reason` is
 * borrowed until the end. */
void pipe_close(struct pipe *p, uint16_t code, struct span reason);
/* Cuts both sides off. */
void pipe_abort(struct pipe *p);
