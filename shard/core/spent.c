/* The table of nonces and their ends. */
#include "shard/core/spent.h"

#include <assert.h>
#include <stdlib.h>

struct nonce {
    struct spent *in;
    struct timer end;
    size_t len;
    char bytes[];
};

static struct span key_of(const struct nonce *n)
{
    return span_of(n->bytes, n->len);
}

static void on_end(struct timer *t, int64_t now)
{
    struct nonce *n = CONTAINER_OF(t, struct nonce, end);
    (void)now;
    (void)map_remove(&n->in->by_nonce, key_of(n));
    free(n);
}

void spent_init(struct spent *s, size_t max, int64_t now)
{
    *s = (struct spent){.max = max};
    wheel_init(&s->wheel, now);
}

void spent_clear(struct spent *s)
{
    size_t at = 0;
    for (struct map_entry *e; (e = map_next(&s->by_nonce, &at)) != NULL;)
        free(e->value);
    map_clear(&s->by_nonce);
    s->wheel.count = 0;
}

enum spent_verdict spent_look(struct spent *s, struct span nonce, int64_t now)
{
    wheel_advance(&s->wheel, now);
    if (map_get(&s->by_nonce, nonce) != NULL)
        return SPENT_USED;
    return s->by_nonce.count < s->max ? SPENT_FRESH : SPENT_FULL;
}

void spent_add(struct spent *s, struct span nonce, int64_t until_ms)
{
    struct nonce *n = xmalloc(sizeof *n + nonce.len);
    assert(s->by_nonce.count < s->max);
    *n = (struct nonce){.in = s, .end.fire = on_end, .len = nonce.len};
    memcpy(n->bytes, nonce.ptr, nonce.len);
    map_add(&s->by_nonce, key_of(n), n);
    wheel_set(&s->wheel, &n->end, until_ms);
}
