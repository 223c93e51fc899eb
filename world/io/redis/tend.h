#pragma once
/* The leases of this process in Redis: what leases wishes, asked in one step per TEND_WORLDS
 * worlds (docs/redis.md, "Leases"). */
#include "common/net/redis.h"
#include "world/core/leases/leases.h"

enum { TEND_WORLDS = 500 }; /* in one call of the script */

struct tend;

struct tend_settings {
    struct span prefix;  /* of keys */
    struct span id, url; /* of this process */
    int64_t ttl_ms;
};

/* One of the two completes tend_send, never inside it. Spans are borrowed until return. */
struct tend_events {
    void *ctx;
    /* As leases_tended wants it. */
    void (*tended)(void *ctx, const struct lease_news *news, size_t count,
                   const struct lease_peer *peers, size_t peer_count, int64_t sent_ms);
    /* Redis did not answer, or not as it should (logged). */
    void (*failed)(void *ctx);
};

/* All borrowed, the spans of `settings` for its life. */
struct tend *tend_new(struct redis *redis, const struct tend_settings *settings,
                      const struct tend_events *events);
/* Not before redis_free. */
void tend_free(struct tend *t);
/* Not while one is under way. Without wishes the process is still counted and peers are told. */
void tend_send(struct tend *t, const struct lease_wish *wishes, size_t count);
