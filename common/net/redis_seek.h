#pragma once
/* Finds the server: connects to the one of REDIS_URL, or to the master that a Sentinel names, logs
 * in, selects the database, and sees to it that it says `master` (ROLE) and serves (PING). Each
 * Sentinel is asked once, beginning with the one that knew the way last time. For redis.c. */
#include "common/net/redis_link.h"
#include "common/proto/redis_url.h"

struct redis_question;
enum { REDIS_QUESTIONS_MAX = 4 };

/* Embedded in its owner; the first part is the owner's to fill in. */
struct redis_seek {
    struct loop *loop;
    const struct redis_url *url; /* borrowed */
    int64_t timeout_ms;          /* of each connection, logging in and all */
    /* The connection is the owner's, who takes it in here. */
    void (*found)(struct redis_seek *s, struct redis_link *k);
    /* Nobody was found; `why` says of each what is wrong, and is borrowed until return. */
    void (*failed)(struct redis_seek *s, struct span why);

    struct redis_link *link; /* NULL: not under way; the rest is redis_seek.c's */
    struct timer deadline;
    struct url_origin master; /* that a Sentinel named */
    size_t at, tried;         /* of url->servers */
    bool asking;              /* a Sentinel, not the server */
    const struct redis_question *asked[REDIS_QUESTIONS_MAX];
    size_t count, heard; /* of asked */
    struct buf why;
};

/* Never calls back before it returns. Not while it is under way. */
void redis_seek_start(struct redis_seek *s);
/* Where the server is that was found last, or that is being tried: host:port. */
const char *redis_seek_address(const struct redis_seek *s);
/* Ends it without a word and frees what it holds. */
void redis_seek_clear(struct redis_seek *s);
