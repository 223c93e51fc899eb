#pragma once
/* What a world keeps: written a moment after it was asked for, all at once, and lost before that.
 */
#include "world/core/port.h"

struct store {
    struct kept *kept; /* in order of creation */
    size_t count, cap;
    struct wish *wishes; /* not durable yet */
    size_t wish_count, wish_cap;
};

void store_put(struct store *s, const struct record *record);
void store_remove(struct store *s, enum record_kind kind, struct span world, struct span key);
void store_sync(struct store *s, uint64_t token);
bool store_is_idle(const struct store *s);
/* Everything that was asked for is durable; `stored` is told each token, in order. */
void store_commit(struct store *s, void (*stored)(void *ctx, uint64_t token), void *ctx);
/* What is not durable is lost. */
void store_crash(struct store *s);
/* Calls for each record, by kind and in order of creation. */
void store_load(const struct store *s, void (*load)(void *ctx, const struct record *r), void *ctx);
void store_clear(struct store *s);
