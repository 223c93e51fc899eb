#pragma once
/* One client connection: carries one call after the other. For http_client.c, and for tunnel.c
 * until it is upgraded. */
#include "common/net/dial.h"
#include "common/proto/http_body.h"
#include "common/proto/http_head.h"

struct http_wire;

/* What the owner of the wire hears. In `end` it may await the next answer, which may be here
 * already
 * (`behind`). Any of them may call http_wire_abort. */
struct http_wire_ops {
    void (*connected)(struct http_wire *w);
    void (*head)(struct http_wire *w, const struct http_head *h); /* final answers only */
    void (*body)(struct http_wire *w, struct span part);
    void (*end)(struct http_wire *w, bool reusable);
    void (*drained)(struct http_wire *w);
    /* The connection is gone; the owner frees the wire in here. `why`: what was wrong while an
     * answer was awaited; ERR_CLOSED: it ended by itself. */
    void (*gone)(struct http_wire *w, enum err why);
    /* The answer is 101; `head` is all of it, `behind` came behind it, borrowed until return. The
     * owner moves w->conn away in here and may free the wire. NULL: 101 is ERR_SYNTAX. */
    void (*upgraded)(struct http_wire *w, struct span head, struct span behind);
};

struct http_wire {
    struct conn conn;
    struct dial dial;
    const struct http_wire_ops *ops;
    struct buf head; /* of the answer under way, until it is whole */
    size_t scanned;
    struct http_body body;
    enum err why;
    uint8_t interim; /* 1xx heads before the answer */
    bool unknown;    /* the name has no address */
    bool was_open;   /* it connected */
    bool awaiting;   /* an answer is under way */
    bool got_bytes;  /* of that answer */
    bool behind;     /* in `end`: bytes have come behind the answer */
    bool in_body, keep_alive, no_body;
};

/* `w` is all zero. Connects; ends in ops->connected or ops->gone (never before it returns). */
void http_wire_dial(struct http_wire *w, struct loop *l, const struct url_origin *origin,
                    const struct http_wire_ops *ops);
/* An answer is awaited from now on; `no_body`: of a HEAD. */
void http_wire_await(struct http_wire *w, bool no_body);
/* Inside ops->gone, with its `why`: what was wrong, for people; static. */
const char *http_wire_fault(const struct http_wire *w, enum err why);
/* Breaks it off; ops->gone follows, from the end of the turn or, while the name is being resolved,
 * at once: do not touch the wire after it. */
void http_wire_abort(struct http_wire *w, enum err why);
