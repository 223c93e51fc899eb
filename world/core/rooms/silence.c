/* Looks at the longest silent first, so that it stops at the first that was heard of lately. */
#include "world/core/rooms/silence.h"

#include "world/core/rooms/shards.h"

size_t registry_expire(struct registry *r, struct moment now)
{
    size_t expired = 0;

    LIST_EACH (&r->world_list, it) {
        struct world *w = CONTAINER_OF(it, struct world, node);
        for (struct list *first; (first = list_first(&w->heard_list)) != NULL; expired++) {
            struct shard *s = CONTAINER_OF(first, struct shard, heard_node);
            if (now.mono_ms - s->heard_ms <= REGISTRY_SILENCE_MS)
                break;
            registry_remove_shard(r, s);
        }
        retired_expire(r, w, now.wall_ms);
    }
    return expired;
}

void registry_hush(struct registry *r, struct moment now)
{
    LIST_EACH (&r->world_list, world_it) {
        struct world *w = CONTAINER_OF(world_it, struct world, node);
        LIST_EACH (&w->heard_list, it) {
            struct shard *s = CONTAINER_OF(it, struct shard, heard_node);
            int64_t silence_ms = now.mono_ms - s->heard_ms;
            if (silence_ms < RHYTHM_QUIET_MIN_MS)
                break;
            if (s->quiet || silence_ms < rhythm_quiet_ms(&s->rhythm))
                continue;
            s->quiet = true;
            registry_reindex(r, s);
        }
    }
}
