#pragma once
/* The network between processes: requests to the world and their answers, each of which may be
 * lost, late, repeated or out of order, as the seed wills. */
#include "common/base/slots.h"
#include "common/base/span.h"
#include "tests/sim/sim.h"

enum { NET_PATH_MAX = 160 };

enum net_kind { NET_NOTHING, NET_CONNECT, NET_ADMIN, NET_BEAT, NET_RESOLVE };

/* A request to the world. */
struct net_request {
    enum net_kind kind;
    struct host *from;         /* NULL: from outside, by a network that loses nothing */
    const char *method, *path; /* `method` is a static text, `path` is copied */
    struct span body;          /* copied */
    int64_t timeout_ms;
    /* Called once, by `from`, unless that ends before: status 0 when no answer came in time. */
    void (*done)(void *ctx, uint64_t tag, int status, struct span body);
    void *ctx;
    uint64_t tag;
};

struct net *net_new(struct sim *s);
void net_free(struct net *n);
void net_post(struct net *n, const struct net_request *request);
/* The world answers. */
void net_answer(struct net *n, struct handle reply, int status, struct span body);
/* That host has ended: nobody waits for its answers. */
void net_forget(struct net *n, const struct host *from);
/* What was asked, and its body; {NULL, 0} when nobody waits for the answer any more. */
enum net_kind net_kind_of(const struct net *n, struct handle reply);
struct span net_body_of(const struct net *n, struct handle reply);
/* How long a message takes now. */
int64_t net_delay(struct sim *s);
