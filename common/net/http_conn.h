#pragma once
/* Inside of the HTTP server: one client connection and the exchange on it. http_conn.c is its life,
 * http_request.c reads, http_exchange.c answers, http_server.c holds all connections. */
#include "common/base/buf.h"
#include "common/net/http_server.h"
#include "common/proto/http_body.h"

enum {
    HTTP_DATE_LEN = sizeof "Sun, 06 Nov 1994 08:49:37 GMT" - 1,
    HTTP_EARLY_MAX = 16 * 1024, /* behind a request that needs its peer, before its answer */
    HTTP_DROP_MAX = 64 * 1024,  /* of a body that nobody wants; a longer one costs the connection */
};

struct http_server {
    struct loop *loop;
    const struct http_app *app;
    void *ctx;
    const struct http_limits *limits;
    struct span headers;
    struct list conns;
    size_t count;
    bool dismissing, freed; /* dismissing: an answer is its connection's last */
    struct turn_end free_later;
    struct http_head head; /* of the request being read: most are answered before the next one */
    struct buf scratch;    /* an answer's head */
    int64_t date_ms;       /* when `date` was last looked at */
    int64_t date_s;        /* the Unix time that it shows */
    char date[HTTP_DATE_LEN];
};

enum http_phase {
    HTTP_WAITING, /* no byte of a request is here */
    HTTP_HEAD,    /* a part of a head is */
    HTTP_BODY,    /* the exchange has begun, its body is being read */
    HTTP_ANSWER,  /* the body has been read, the answer is under way */
    HTTP_OVER,    /* the connection is closing, or belongs to somebody else now */
};

enum http_answer { HTTP_ANSWER_NONE, HTTP_ANSWER_BEGUN, HTTP_ANSWER_COMPLETE };

struct http_conn {
    struct http_exchange x;
    struct conn conn;
    struct http_server *server;
    struct list node; /* in server->conns */
    struct timer timer;
    struct turn_end bury;
    struct buf head_bytes;  /* of a head that came in pieces */
    size_t scanned;         /* see http_head_find */
    struct http_head *kept; /* the head of an exchange that outlives its packet, with its bytes */
    const char *head_at;    /* where the head's bytes lie, head_len of them; 0: in head_bytes, */
    size_t head_len;        /* as far as they have come */
    struct span behind;     /* while callbacks run: what came behind what they are told */
    struct http_body body;
    uint64_t body_bytes;  /* read so far */
    uint64_t body_max;    /* 0: no limit */
    uint64_t answer_left; /* bytes to come of an answer with a length */
    uint64_t delivered;   /* conn_delivered when the timer last fired */
    int64_t since_ms;     /* when the present phase began or last came forward */
    uint8_t phase;        /* enum http_phase */
    uint8_t answer;       /* enum http_answer */
    bool served;          /* not the first request any more */
    bool live;            /* `x` is the application's: begun, and neither answered nor gone */
    bool asked_close;     /* the client sends no more requests */
    bool told_continue;
    bool keep;                 /* another request may follow */
    bool chunked, until_close; /* how the answer is framed, else by length */
    bool no_content;           /* HEAD, 204, 304 */
    bool peer_ended;
    bool needs_peer; /* http_exchange_needs_peer */
};

/* ---- http_conn.c */
/* `tls`: what the connection speaks, NULL: plain; `peer`: who it comes from. */
void http_conn_open(struct http_server *s, int fd, struct tls_context *tls,
                    const struct addr *peer);
void http_conn_go(struct http_conn *c, enum http_phase to);
/* Answers with an error of the server's own, `gone` for the exchange if it is live, and closes. */
void http_conn_refuse(struct http_conn *c, int status);
/* No more requests: closes after the queue is sent. */
void http_conn_over(struct http_conn *c, bool linger);
/* Closes without another word; `gone` for the exchange if it is live. */
void http_conn_drop(struct http_conn *c);
/* The answer is complete; the body is read to its end. When both are, the next request follows. */
void http_conn_answered(struct http_conn *c);
void http_conn_body_over(struct http_conn *c);
/* Something came forward: the client's time starts anew. */
void http_conn_expect(struct http_conn *c);
/* The connection was moved away: frees `c` once the loop has turned. */
void http_conn_bury(struct http_conn *c);

/* ---- http_request.c */
/* Bytes came. What cannot be used now goes back to the connection. */
void http_request_read(struct http_conn *c, const char *data, size_t len);

/* ---- http_exchange.c */
/* Writes a whole answer of the server's own, with `Connection: close`. */
void http_conn_write_error(struct http_conn *c, int status);

/* ---- http_server.c */
/* The connection is no longer the server's. */
void http_server_forget(struct http_server *s, struct http_conn *c);
/* The value of the Date header. */
struct span http_server_date(struct http_server *s);
