#pragma once
/* What the files of wire.h share. Only they include libwebsockets. */
#include <libwebsockets.h>

#include "common/base/list.h"
#include "world/ctl/wire.h"

/* A connection of lws, inside of what hears of it. */
struct wire_conn {
    struct wire *wire;
    struct lws *wsi; /* NULL: none */
    /* What lws tells; -1 closes the connection. */
    int (*on)(struct wire_conn *c, enum lws_callback_reasons why, void *in, size_t len);
    void (*free)(struct wire_conn *c); /* with the wire */
    struct list node;                  /* in the wire's */
    /* Of those that dial: */
    lws_sorted_usec_list_t due; /* what it waits for is late, or it has something to say */
    bool dialling;              /* inside wire_conn_dial */
    bool failed;                /* the dial has failed, `why` says how */
    bool distrusted;            /* the peer's certificate is not good */
    struct span headers;        /* of the request; owned */
    struct buf peer;            /* host:port; for people */
    struct buf why;
};

struct wire {
    struct lws_context *lws;
    struct lws_vhost *host;
    struct list conns;
    bool stopped;
    char *ca; /* NULL: the system's */
    bool tls; /* certificates have been read; that takes a while, and only TLS needs them */
};

/* Before the first dial over TLS. False: the certificates cannot be read. */
MUST_CHECK bool wire_tls(struct wire *w);

void wire_conn_init(struct wire_conn *c, struct wire *w);
/* Closes the connection without a word, and leaves the list. */
void wire_conn_clear(struct wire_conn *c);
/* Calls `late` after `ms`, by way of c->due. */
void wire_conn_due(struct wire_conn *c, int64_t ms, sul_cb_t late);
void wire_conn_undue(struct wire_conn *c);

struct wire_to {
    const struct wire_call *call;
    const char *method;    /* NULL: a WebSocket */
    const char *protocols; /* NULL: none */
    const char *origin;    /* NULL: none */
    struct span more;      /* headers besides the call's */
};
/* Dials; `late` is called when that takes longer than WIRE_DIAL_MS, and soon when it has failed at
 * once (c->failed). ERR_SYNTAX: the URL is none; c->why says so, `late` is called soon. */
void wire_conn_dial(struct wire_conn *c, const struct wire_to *to, sul_cb_t late);
/* For LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER. */
int wire_conn_add_headers(struct wire_conn *c, void *in, size_t len);
/* For LWS_CALLBACK_CLIENT_CONNECTION_ERROR: keeps what lws says as `why`, for people. */
void wire_conn_fails(struct wire_conn *c, const char *in, size_t len);

/* An answer in pieces, of one that may never end. */
struct wire_pieces {
    void (*begin)(void *ctx, int status);
    void (*piece)(void *ctx, struct span data);
};
/* wire_begin with `more` headers; with `pieces` a body of status 200 goes there (else NULL), and
 * silence of `call->answer_ms` ends it with ERR_TIMEOUT. */
struct wire_exchange *wire_begin_pieces(struct wire *w, const struct wire_call *call,
                                        struct span more, const struct wire_pieces *pieces,
                                        wire_done_fn *done, void *ctx);
