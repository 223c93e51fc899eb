/* Remembers who waits, and nothing else. */
#include "world/io/store_memory.h"

#include <stdlib.h>

static void complete(struct turn_end *end)
{
    struct store_memory *s = CONTAINER_OF(end, struct store_memory, end);

    for (size_t i = 0; i < s->count; i++)
        core_stored(s->core, s->tokens[i], ERR_OK);
    s->count = 0;
}

static void keep_no_room(void *ctx, const struct room *room)
{
    (void)ctx;
    (void)room;
}

static void keep_no_shard(void *ctx, const struct shard *shard)
{
    (void)ctx;
    (void)shard;
}

static void store_sync(void *ctx, uint64_t token)
{
    struct store_memory *s = ctx;

    if (s->count == s->cap) {
        s->cap = s->cap == 0 ? 16 : s->cap * 2;
        s->tokens = xreallocarray(s->tokens, s->cap, sizeof(*s->tokens));
    }
    s->tokens[s->count++] = token;
    loop_at_turn_end(s->loop, &s->end);
}

void store_memory_init(struct store_memory *s, struct loop *l, struct core *core)
{
    *s = (struct store_memory){.loop = l, .core = core, .end.fn = complete};
}

struct store_port store_memory_port(struct store_memory *s)
{
    return (struct store_port){
        .ctx = s,
        .put_room = keep_no_room,
        .put_shard = keep_no_shard,
        .delete_shard = keep_no_shard,
        .sync = store_sync,
    };
}

void store_memory_clear(struct store_memory *s)
{
    loop_not_at_turn_end(&s->end);
    free(s->tokens);
    *s = (struct store_memory){0};
}
