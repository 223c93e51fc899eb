#pragma once
/* A request on its way through the server, for the files that answer it: server.c, streams.c,
 * question.c and passing*.c. */
#include "world/io/server.h"

struct request {
    struct responder responder;
    struct http_exchange *x; /* NULL: a question of our own */
    struct server_question *question;
    struct server *server;
    struct handle self;
    struct buf body;
    int64_t begun_us;
    struct addr client;      /* by the word of another process of the cluster */
    bool has_client;         /* there is such a word */
    bool outside;            /* struct server_door */
    bool by_world;           /* another world has passed it on */
    bool stream;             /* core's answer has begun and goes on */
    struct passing *passing; /* NULL: core has it, or had it last */
    int64_t sought_until_ms; /* since it was passed on first; 0: never yet */
    int64_t handed_ms;       /* when core got it back last */
    struct request *next;    /* while it is a spare */
};

/* `x` NULL: a question; `ops` hears of its exchange. */
struct request *request_new(struct server *s, struct http_exchange *x,
                            const struct responder_ops *ops);
void request_free(struct request *r);
/* The end of a request: the exchange may be gone once it is answered. */
void request_respond(struct request *r, int status, struct span headers, struct span body);
/* The same with an error, in the form that the request's path wants. `lines`: more headers. */
void request_refuse(struct request *r, int status, struct span lines, struct span text);
/* Likewise, when the answer has begun: nothing is said to the client after it. */
void request_over(struct request *r, void (*finish)(struct http_exchange *x));
/* The header lines of its answer: `headers`, and for another world the epoch (then in `lines`). */
struct span request_headers(struct request *r, struct span headers, struct buf *lines);
/* Of its target, undecoded. */
struct span request_path(const struct request *r);
/* Where it began, and whether its peer is believed in what it says of that; not of a question. */
struct addr request_client(const struct request *r);
bool request_peer_is_trusted(const struct request *r);
/* Has core answer it (once more). */
void request_hand_to_core(struct request *r);
/* Frees those that are under way and those that are kept. */
void requests_clear(struct server *s);
