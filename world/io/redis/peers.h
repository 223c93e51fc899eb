#pragma once
/* What world processes tell each other: whether Redis answers them (docs/protocol.md, "Several
 * worlds"). Asks the others, and answers them. */
#include "common/net/pools.h"
#include "world/core/leases/leases.h"
#include "world/io/redis/signed_head.h"

enum {
    PEERS_ASK_MS = 300, /* who has not answered by then has not */
    PEERS_MAX = 64,     /* that are asked at a time */
};
_Static_assert((int)PEERS_ASK_MS < (int)LEASES_ASK_PEERS_MS, "one question is over at the next");

struct http_exchange;

struct peers_events {
    void *ctx;
    /* Completes peers_ask, as leases_peers_said wants it; never inside. */
    void (*said)(void *ctx, const struct lease_answers *said, int64_t asked_ms);
    /* What another process is told. */
    struct lease_reach (*tell)(void *ctx);
};

struct peers {
    struct loop *loop;
    const struct signer *signer;
    const struct peers_events *events;
    struct pools pools;
    struct list asked; /* struct peer_question: under way */
    struct lease_answers said;
    struct buf url; /* said.url's */
    int64_t asked_ms;
    struct timer over;           /* set when everybody has answered */
    uint64_t questions, answers; /* ever */
};

/* All borrowed; it must not move. */
void peers_init(struct peers *p, struct loop *l, const struct signer *signer,
                const struct peers_events *events);
/* As struct lease_port has it. What was asked before is given up without a word. */
void peers_ask(struct peers *p, const struct lease_peer *peers, size_t count);
/* True when the request is another process's `GET /terrane/peer`, signed (the caller has checked
 * it); then it is answered. */
bool peers_take(struct peers *p, struct http_exchange *x);
/* Gives up what is under way; its connections are gone when the loop has turned. */
void peers_clear(struct peers *p);
