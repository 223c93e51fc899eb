#pragma once
/* HTTP/1.1 server side (RFC 9112): keep-alive, pipelining (one exchange at a time, answers in
 * order), streamed bodies both ways, 100-continue, WebSocket and raw upgrades, limits and timeouts.
 * Bad input is answered here (400, 408, 413, 431 with `{"error": …}`, or a problem) and told to
 * `refused`. A client that ends its side after a request still gets its answer; when it then takes
 * nothing for idle_ms, it is taken for gone. */
#include "common/base/log.h"
#include "common/net/ws_conn.h"
#include "common/proto/trace.h"

struct http_exchange;

struct http_app {
    /* The head of a request is here. Answer at once, or later (any exchange may be answered at any
     * time until `gone`). Set x->user freely. */
    void (*begin)(void *ctx, struct http_exchange *x);
    /* A part of the body; borrowed until return. Not called once the answer is complete. */
    void (*body)(void *ctx, struct http_exchange *x, struct span part);
    /* The whole body has been read (also for requests without one). Not called once the answer is
     * complete. */
    void (*complete)(void *ctx, struct http_exchange *x);
    /* The output queue has room again after http_exchange_is_full. May be NULL. */
    void (*drained)(void *ctx, struct http_exchange *x);
    /* The client went away, or the server refused its body, before the answer was complete: forget
     * x. May be NULL when all answers are given inside begin and complete. */
    void (*gone)(void *ctx, struct http_exchange *x);
    /* How long the body of this request may be, bytes; beyond: 413; 0: no limit. Asked before
     * `begin`. NULL: limits.body_max counts for all. */
    uint64_t (*body_max)(void *ctx, const struct http_head *head);
    /* A request that the server refused by itself was answered with this status. May be NULL. */
    void (*refused)(void *ctx, int status);
    /* A connection begins with a PROXY header (proxy_header.h) that nobody asked for; it is refused
     * next. `peer` is who it comes from. May be NULL. */
    void (*proxied)(void *ctx, const struct addr *peer);
    /* Whether what the server refuses of a request for that target, as far as it was read, is
     * answered as a problem (problem.h). NULL: never. */
    bool (*tells_problems)(void *ctx, struct span target);
};

struct http_limits {
    int64_t header_ms, body_ms, idle_ms; /* for the whole head; between two parts of a body; between
                                            requests */
    uint64_t body_max;                   /* bytes; beyond: 413; 0: no limit */
    uint32_t high_water;                 /* output queue, bytes */
    size_t max_connections;              /* beyond: 503 with Retry-After and close; 0: no limit */
};

struct http_server;

/* `app`, `ctx` and `limits` are borrowed for the server's life. `headers` are whole lines that go
 * into every answer that the server gives by itself (CORS); may be empty. */
struct http_server *http_server_new(struct loop *l, const struct http_app *app, void *ctx,
                                    const struct http_limits *limits, struct span headers);
/* Takes a connected socket (a listener's `accepted`). `ctx` is the http_server. */
void http_server_accept(void *ctx, int fd);
/* The same for a connection that began elsewhere: `peer` is what exchanges are told. */
void http_server_accept_from(void *ctx, int fd, const struct addr *peer);
/* One of several ways in. */
struct http_door {
    struct http_server *server;
    struct tls_context *tls; /* what it speaks; NULL: plain */
};
/* The same as http_server_accept; `ctx` is the door (borrowed for the connection's life). */
void http_door_accept(void *ctx, int fd);
/* The same; `peer` is who it comes from. */
void http_door_enter(void *ctx, int fd, const struct addr *peer);
size_t http_server_connections(const struct http_server *s); /* upgraded ones do not count */
/* Closes each connection after its next answer (Connection: close): clients go away by themselves,
 * none of them with a request on its way. */
void http_server_dismiss(struct http_server *s);
/* Closes idle connections now and the others after their answer (Connection: close). */
void http_server_drain(struct http_server *s);
/* Aborts what is left and frees, once the loop has turned; no more calls to `app`. */
void http_server_free(struct http_server *s);

/* ---- one exchange: lives from `begin` until its answer is complete and its body is read, or
 * `gone` */
struct http_exchange {
    const struct http_head *head; /* valid for the whole exchange */
    struct addr peer;
    bool tls; /* the connection is under TLS */
    void *user;
    struct trace trace;     /* that it belongs to, with a span of ours; or none */
    struct log_about about; /* what lines of the log on it have, after log_enter */
    int64_t begun_us;       /* the application's, to measure with; 0 at first */
    bool first;             /* of its connection */
    bool last;              /* set it before the answer: the connection is closed behind it */
};

/* A whole answer. `headers`: lines with CRLF (content-type, CORS …), without Content-Length, Date
 * and Connection, which are added here. HEAD: the body is counted, not sent. */
void http_respond(struct http_exchange *x, int status, struct span headers, struct span body);
/* 400 to a bad WebSocket handshake: `problem` is ws_handshake_check's. Says which versions we know
 * when it is the version (RFC 6455 section 4.4). */
void http_respond_bad_upgrade(struct http_exchange *x, const char *problem);
/* A streamed answer: length -1 means chunked (or until close for HTTP/1.0). 1xx is not for here. */
void http_respond_begin(struct http_exchange *x, int status, struct span headers, int64_t length);
void http_respond_part(struct http_exchange *x, struct span part);
void http_respond_end(struct http_exchange *x);
/* Breaks a begun answer off: the client sees an incomplete one. */
void http_respond_abort(struct http_exchange *x);
bool http_exchange_is_full(
    const struct http_exchange *x);                /* output over high_water: stop sending */
void http_exchange_pause(struct http_exchange *x); /* stop reading the body */
void http_exchange_resume(struct http_exchange *x);
/* While `needs`, after the body: a client that ends its side of the connection is gone, too (an
 * upgrade that waits: half a connection is of no use to it), and so is one that sends more than
 * 16 KiB on before its answer. */
void http_exchange_needs_peer(struct http_exchange *x, bool needs);

/* Answers 101 and turns the connection into `w` (server side), which the owner has allocated and
 * zeroed; the exchange is gone after it, without `gone`. Bytes that came behind the head go to `w`
 * at the end of the turn. The handshake has been checked (ws_handshake_check). `protocol` and
 * `extensions` are what the answer says of them; {NULL, 0}: nothing. */
void http_exchange_upgrade(struct http_exchange *x, struct ws_conn *w, struct span key,
                           struct span protocol, struct span extensions, const struct ws_ops *ops,
                           const struct ws_settings *settings);
/* Hands the raw connection to `to` (zeroed) without an answer; bytes behind the head are delivered
 * to ops->data at the end of the turn. The exchange is gone after it, without `gone`; copy the head
 * first. */
void http_exchange_detach(struct http_exchange *x, struct conn *to, const struct conn_ops *ops);
