#pragma once
/* HTTP connections to servers that come and go: a pool for each origin, made at first use. */
#include "common/base/map.h"
#include "common/net/http_client.h"

enum { POOLS_MAX = 1024, POOLS_IDLE_MS = 60000 };

struct pools {
    struct loop *loop;
    const struct http_pool_settings *settings;
    bool inside; /* its origins are processes of the cluster; set it behind pools_init */
    struct map by_text;
    struct list by_use; /* the last used at the end */
    struct timer sweep;
};

/* `settings` are borrowed. */
void pools_init(struct pools *p, struct loop *l, const struct http_pool_settings *settings);
/* The pool of an origin (`http://host[:port]`, or https), good for a call at once: one that carries
 * no call is freed when it was not asked for in POOLS_IDLE_MS, or when POOLS_MAX others have been
 * since. NULL: no origin, or POOLS_MAX pools are busy. */
struct http_pool *pools_get(struct pools *p, struct span origin_text);
static inline size_t pools_count(const struct pools *p)
{
    return p->by_text.count;
}
/* Cancels what is under way, without callbacks; it is gone when the loop has turned. */
void pools_clear(struct pools *p);
