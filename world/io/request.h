#pragma once
/* A request on its way through the server, for the files that answer it: server.c, streams.c and
 * question.c. */
#include "world/io/server.h"

struct request {
    struct responder responder;
    struct http_exchange *x; /* NULL: a question of our own */
    struct server_question *question;
    struct server *server;
    struct handle self;
    struct buf body;
    int64_t begun_us;
    struct addr client;   /* by the word of another process of the cluster */
    bool has_client;      /* there is such a word */
    bool outside;         /* struct server_door */
    bool stream;          /* the answer has begun and goes on */
    struct request *next; /* while it is a spare */
};

/* `x` NULL: a question; `ops` hears of its exchange. */
struct request *request_new(struct server *s, struct http_exchange *x,
                            const struct responder_ops *ops);
void request_free(struct request *r);
/* The end of a request: the exchange may be gone once it is answered. */
void request_respond(struct request *r, int status, struct span headers, struct span body);
/* Frees those that are under way and those that are kept. */
void requests_clear(struct server *s);
