/* A map and a list over the same entries. An entry is one block with its texts. */
#include "shard/core/owners.h"

#include <stdlib.h>

#include "common/base/mem.h"

static struct owner *owner_new(struct span shard_id, struct span node, struct span url)
{
    struct owner *one = xmalloc(sizeof *one + shard_id.len + node.len + url.len);
    char *text = (char *)(one + 1);
    const struct span from[] = {shard_id, node, url};
    struct span *const to[] = {&one->shard_id, &one->node, &one->url};
    *one = (struct owner){.epoch = 0};
    for (size_t i = 0; i < sizeof from / sizeof from[0]; i++) {
        if (from[i].len > 0)
            memcpy(text, from[i].ptr, from[i].len);
        *to[i] = span_of(text, from[i].len);
        text += from[i].len;
    }
    return one;
}

static void drop(struct owners *o, struct owner *one)
{
    map_remove(&o->by_shard, one->shard_id);
    list_remove(&one->in_use);
    free(one);
}

void owners_put(struct owners *o, struct span shard_id, struct span node, struct span url,
                int64_t epoch, int64_t now)
{
    struct owner *old = map_get(&o->by_shard, shard_id);
    if (old != NULL && old->epoch > epoch)
        return;
    if (o->in_use.next == NULL)
        list_init(&o->in_use);
    struct owner *one = owner_new(shard_id, node, url);
    if (old != NULL)
        drop(o, old);
    else if (o->by_shard.count >= OWNERS_MAX)
        drop(o, CONTAINER_OF(list_first(&o->in_use), struct owner, in_use));
    one->epoch = epoch;
    one->until_ms = now + OWNERS_KEEP_MS;
    map_add(&o->by_shard, one->shard_id, one);
    list_push(&o->in_use, &one->in_use);
}

const struct owner *owners_get(struct owners *o, struct span shard_id, int64_t epoch, int64_t now)
{
    struct owner *one = map_get(&o->by_shard, shard_id);
    if (one == NULL)
        return NULL;
    if (now >= one->until_ms || one->epoch < epoch) {
        drop(o, one);
        return NULL;
    }
    list_remove(&one->in_use);
    list_push(&o->in_use, &one->in_use);
    return one;
}

void owners_forget(struct owners *o, struct span shard_id)
{
    struct owner *one = map_get(&o->by_shard, shard_id);
    if (one != NULL)
        drop(o, one);
}

void owners_clear(struct owners *o)
{
    while (o->by_shard.count > 0)
        drop(o, CONTAINER_OF(list_first(&o->in_use), struct owner, in_use));
    map_clear(&o->by_shard);
}
