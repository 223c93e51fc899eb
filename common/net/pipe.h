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

/* How it ended. Who sends the first close frame has closed; who ends without one is gone. */
enum pipe_end {
    PIPE_OPEN, /* it has not */
    PIPE_CLIENT_CLOSED,
    PIPE_CLIENT_GONE,
    PIPE_UPSTREAM_CLOSED,
    PIPE_UPSTREAM_GONE,
    PIPE_OURS, /* pipe_close or pipe_abort */
};

struct pipe;

/* What pipes have in common. */
struct pipe_kind {
    struct loop *loop;
    uint64_t *bytes; /* counts what goes through */
    /* Once, when both connections are gone; the owner may free the pipe in there. */
    void (*ended)(struct pipe *p, enum pipe_end how);
    unsigned
        client_dead_ms; /* a client's host that vanished without a word is given up; 0: never */
    unsigned upstream_dead_ms; /* likewise */
    uint32_t high_water;       /* bytes that may wait each way; one read more is taken */
};

struct pipe_closing;

/* An idle one owns no other memory: one is there for each client that passes. Zero it before
 * pipe_start. */
struct pipe {
    const struct pipe_kind *kind;
    struct conn client, upstream;
    struct ws_skim down, up;      /* towards the client, towards upstream */
    struct pipe_closing *closing; /* since pipe_close */
    uint8_t end;                  /* enum pipe_end */
    bool settled, told; /* the client may be, and was, sent our close frame, or closed without */
    bool client_ended, upstream_ended;
};

/* Joins the client of `x` (which has no answer yet; it is gone after this, without `gone`) with an
 * open connection, which is moved; `head` is what the client is told first, `behind` came behind
 * it. `kind` is borrowed for the pipe's life. */
void pipe_start(struct pipe *p, const struct pipe_kind *kind, struct http_exchange *x,
                struct conn *upstream, struct span head, struct span behind);
/* The same for a client that is upgraded already; its connection is moved, too, and read again if
 * it is paused (CONN_PAUSE_CODEC). What it says next, and what `behind` holds, are the first bytes
 * of frames. */
void pipe_start_late(struct pipe *p, const struct pipe_kind *kind, struct conn *client,
                     struct conn *upstream, struct span behind);
/* Reads nothing more from the client, but passes on for PIPE_SETTLE_MS what comes for it. Then
 * sends it a close frame at the next frame boundary and passes nothing on to it after that, ends
 * upstream (with 1001 when that side stands at a boundary), and ends when the client has answered,
 * or after PIPE_CLOSE_MS. What goes through and is no frames is closed without a word. `reason` is
 * copied. */
void pipe_close(struct pipe *p, uint16_t code, struct span reason);
static inline bool pipe_is_closing(const struct pipe *p)
{
    return p->closing != NULL;
}
/* Cuts both sides off. */
void pipe_abort(struct pipe *p);
