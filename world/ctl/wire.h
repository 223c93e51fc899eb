#pragma once
/* HTTP and WebSocket as a client, over libwebsockets (docs/decisions/021): requests, streams of
 * Server-Sent Events, WebSockets, descriptors and timers, all of one context and one thread.
 *
 *     struct wire *w = wire_new(&options, &why);
 *     wire_watch(w, STDIN_FILENO, on_keys, ctx);             // the keyboard
 *     wire_stream_open(w, &call, &hear, ctx);                // events
 *     wire_socket_open(w, &dial, &hear, ctx);                // a WebSocket
 *     wire_timer_start(w, &timer, 1000, on_second, ctx);     // again: start it in its function
 *     bool ended = wire_run(w);                              // until wire_stop, or Ctrl-C: false
 *     wire_free(w);                                          // closes what is left
 *
 * All functions may be called from the callbacks but wire_run, wire_request and wire_free. No
 * callback is called before the function that asked for it has returned. */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

enum {
    WIRE_DIAL_MS = 3000,        /* until TCP and TLS stand */
    WIRE_ANSWER_MS = 30000,     /* without a byte of the answer */
    WIRE_BODY_MAX = 64 << 20,   /* bytes of a body, either way */
    WIRE_MESSAGE_MAX = 16 << 20 /* bytes of a WebSocket's message */
};

struct wire;

struct wire_options {
    const char *ca; /* a file of PEM certificates, in the place of the system's; NULL: those */
};
/* NULL: *why says what is wrong with the options (a static text). Takes SIGINT and SIGTERM: they
 * end wire_run and wire_request. One at a time in a process. */
struct wire *wire_new(const struct wire_options *options, const char **why);
void wire_free(struct wire *w); /* NULL is allowed */
/* Serves everything until wire_stop. False: a signal ended it, see wire_interrupted. */
bool wire_run(struct wire *w);
/* wire_run returns true. */
void wire_stop(struct wire *w);
/* Whether a signal has come. */
bool wire_interrupted(const struct wire *w);
/* Forgets it, so that something can be tidied up; another one ends that, too. */
void wire_go_on(struct wire *w);

/* ---- what is asked */

struct wire_call {
    const char *method;  /* NULL: GET */
    struct span url;     /* http:// or https://, ws:// or wss://, with its path; ASCII */
    struct span token;   /* for Authorization: Bearer; empty: none. Printable ASCII */
    struct span headers; /* more lines, each with its CR LF; empty: none */
    struct span body;    /* JSON; ptr NULL: none */
    int64_t answer_ms;   /* 0: WIRE_ANSWER_MS */
};
/* Everything in it is copied. */

struct wire_answer {
    enum err err;         /* ERR_OK: there is an answer, whatever its status.
                             ERR_IO: not reached; ERR_TIMEOUT: not in time; ERR_CLOSED: it broke off,
                             or we were interrupted; ERR_LIMIT: longer than WIRE_BODY_MAX;
                             ERR_SYNTAX: the URL is none */
    int status;           /* 200, 404, …; 0: none */
    int64_t cert_until_s; /* when the peer's certificate ends, Unix time, up to two days early: so
                             libwebsockets reads dates; 0: no TLS */
    struct buf body;
    struct buf why; /* for people: "127.0.0.1:3002: connection refused"; empty with ERR_OK */
};

/* Asks and waits; serves everything else meanwhile. The caller frees with wire_answer_clear.
 * False: out->err is not ERR_OK. */
MUST_CHECK bool wire_request(struct wire *w, const struct wire_call *call, struct wire_answer *out);
void wire_answer_clear(struct wire_answer *a);

/* The same without waiting. `done` is called once; the answer is borrowed until it returns, and the
 * handle is gone then. */
struct wire_exchange;
typedef void wire_done_fn(void *ctx, const struct wire_answer *a);
struct wire_exchange *wire_begin(struct wire *w, const struct wire_call *call, wire_done_fn *done,
                                 void *ctx);
/* Gives it up: `done` is not called. */
void wire_abandon(struct wire_exchange *x);

/* ---- Server-Sent Events */

struct wire_event {
    struct span id;   /* of the last event that had one */
    struct span name; /* "message" when it has none */
    struct span data;
};

struct wire_stream_hear {
    void (*event)(void *ctx, const struct wire_event *e); /* borrowed until it returns */
    /* It stands (again). May be NULL. */
    void (*up)(void *ctx);
    /* It does not, and why. With `again_ms` >= 0 it is dialled anew by itself after that time, with
     * Last-Event-ID; with -1 the server has refused (a status of 4xx) and it stays down. */
    void (*down)(void *ctx, const struct wire_answer *a, int64_t again_ms);
};

struct wire_stream;
/* `hear` is kept as a pointer. */
struct wire_stream *wire_stream_open(struct wire *w, const struct wire_call *call,
                                     const struct wire_stream_hear *hear, void *ctx);
void wire_stream_close(struct wire_stream *s); /* nothing is heard any more; NULL is allowed */

/* ---- WebSockets */

struct wire_dial {
    struct wire_call call; /* method, body and answer_ms count for nothing */
    const char *protocols; /* "terrane, token.T"; NULL: none */
    const char *origin;    /* the header; NULL: none */
    int64_t ping_ms;       /* a ping so often; 0: none */
};

struct wire_socket_end {
    enum err err;       /* ERR_OK: it was open, and closed; else as in struct wire_answer */
    int status;         /* of an upgrade that was refused; 0: it was not */
    uint16_t code;      /* the peer's; 1005: without one; 1006: it broke off */
    struct span reason; /* the peer's; borrowed */
    struct span why;    /* of err, for people; borrowed */
};

struct wire_socket_hear {
    void (*opened)(void *ctx, struct span protocol);            /* empty: none was chosen */
    void (*message)(void *ctx, struct span data, bool is_text); /* a whole one, borrowed */
    void (*pong)(void *ctx, struct span data);                  /* may be NULL */
    /* Once, at its end, however it comes; the handle is gone then. */
    void (*closed)(void *ctx, const struct wire_socket_end *end);
};

struct wire_socket;
/* `hear` is kept as a pointer. */
struct wire_socket *wire_socket_open(struct wire *w, const struct wire_dial *dial,
                                     const struct wire_socket_hear *hear, void *ctx);
/* Queues a text message (UTF-8). ERR_FULL: WIRE_MESSAGE_MAX bytes wait. */
MUST_CHECK enum err wire_socket_send(struct wire_socket *s, struct span text);
/* Queues a ping of at most 125 bytes. */
void wire_socket_ping(struct wire_socket *s, struct span data);
/* Behind what waits; `closed` comes when the peer has answered, or after 2 s. The reason has 123
 * bytes at most. */
void wire_socket_close(struct wire_socket *s, uint16_t code, struct span reason);
/* How many bytes have come from the peer, whatever they were: a ping, too, of which nothing else
 * tells. 0: the system does not say. */
uint64_t wire_socket_heard(const struct wire_socket *s);
/* At once, without a word: `closed` is not called. */
void wire_socket_drop(struct wire_socket *s);

/* ---- descriptors and timers */

struct wire_watch;
/* Calls `readable` whenever `fd` can be read (or is at its end: then unwatch it). `fd` stays the
 * caller's. NULL: it cannot be watched. */
struct wire_watch *wire_watch(struct wire *w, int fd, void (*readable)(void *ctx), void *ctx);
void wire_unwatch(struct wire_watch *h); /* NULL is allowed */

struct wire_timer {
    struct wire_timer_state *state; /* NULL: never started */
};
/* Calls `due` once in `ms`; started before: anew. The timer must stay where it is until it is
 * cleared. */
void wire_timer_start(struct wire *w, struct wire_timer *t, int64_t ms, void (*due)(void *ctx),
                      void *ctx);
void wire_timer_stop(struct wire_timer *t);
/* Stops it, and frees what it has. */
void wire_timer_clear(struct wire_timer *t);
