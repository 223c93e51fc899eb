#pragma once
/* Requests and feed sockets of worlds that another process decides for: passed on to it, one hop,
 * or held until there is one (docs/protocol.md, "Several worlds"). Head and body are in memory, so
 * that whatever may be repeated is tried anew when an owner dies under it. */
#include "common/net/http_server.h"
#include "common/net/tunnel.h"
#include "world/io/passing.h"

struct passage;
struct server;

struct passage_settings {
    const struct secrets *secrets; /* the cluster's */
    struct span id;                /* of this process */
    int64_t wait_ms;               /* WORLD_WAIT */
};

struct passage_stats {
    struct seeker_stats seekers;
    struct passing_stats requests;
    struct tunnel_stats feeds;
};

/* All borrowed but `places`, which are copied; `server` is initialised. Set it as the server's
 * `passage`. */
struct passage *passage_new(struct loop *l, struct server *server, const struct places *places,
                            const struct passage_settings *settings, struct passage_stats *stats);
/* The process stops: feed sockets that go through end with 1012, what waits is refused. */
void passage_close(struct passage *p);
/* Cuts off what is left, before the server is closed; the loop must turn before passage_free. */
void passage_abort(struct passage *p);
void passage_free(struct passage *p);

/* Takes a request over that core would not decide (reply_port.pass): it is answered from elsewhere,
 * or handed to core again. */
void passage_take(struct passage *p, struct request *r, struct span world);

struct passage_sender {
    struct addr client; /* where it began */
    bool trusted;       /* the peer is believed in what it says of the way so far */
    bool hopped;        /* another process has passed it on: it is not passed on again */
};
/* Takes a feed socket's upgrade over, whose handshake is good. */
void passage_take_feed(struct passage *p, struct http_exchange *x, struct span world,
                       const struct passage_sender *sender);
/* This process decides for the world, or says why nobody can. */
bool passage_is_here(const struct passage *p, struct span world);
/* The epoch under which it decides; 0: it does not. */
int64_t passage_epoch(const struct passage *p, struct span world);
/* Another process has seen that epoch of the world. */
void passage_saw(struct passage *p, struct span world, int64_t epoch);
/* Where the world is has changed. */
void passage_moved(struct passage *p, struct span world);
/* What is under way, for the end of the process; and the feed sockets of it that are open. */
size_t passage_count(const struct passage *p);
size_t passage_feeds(const struct passage *p);
