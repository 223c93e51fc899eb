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

static void store_put(void *ctx, const struct record *record)
{
    (void)ctx;
    (void)record;
}

static void store_remove(void *ctx, enum record_kind kind, struct span world, struct span key)
{
    (void)ctx;
    (void)kind;
    (void)world;
    (void)key;
}

static void store_sync(void *ctx, struct span world, uint64_t token)
{
    struct store_memory *s = ctx;

    (void)world;
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
        .put = store_put,
        .remove = store_remove,
        .sync = store_sync,
    };
}

void store_memory_clear(struct store_memory *s)
{
    loop_not_at_turn_end(&s->end);
    free(s->tokens);
    *s = (struct store_memory){0};
}
