/* Wishes wait in the order in which they were made; a commit moves them into the records. */
#include "tests/sim/store.h"

#include <stdlib.h>

#include "common/base/mem.h"

enum wish_kind { WISH_PUT, WISH_REMOVE, WISH_SYNC };

/* One durable record; its texts are owned. */
struct kept {
    enum record_kind kind;
    struct span world, key, value;
};

struct wish {
    enum wish_kind kind;
    uint64_t token;
    struct kept what;
};

static struct span copy(struct span s)
{
    return span_of(xspandup(s), s.len);
}

static void free_span(struct span s)
{
    free((void *)(uintptr_t)s.ptr);
}

static void kept_free(struct kept *k)
{
    free_span(k->world);
    free_span(k->key);
    free_span(k->value);
}

static void add_wish(struct store *s, struct wish wish)
{
    if (s->wish_count == s->wish_cap) {
        s->wish_cap = s->wish_cap == 0 ? 64 : s->wish_cap * 2;
        s->wishes = xreallocarray(s->wishes, s->wish_cap, sizeof *s->wishes);
    }
    s->wishes[s->wish_count++] = wish;
}

static struct kept *find(const struct store *s, const struct kept *like)
{
    for (size_t i = 0; i < s->count; i++) {
        struct kept *k = &s->kept[i];
        if (k->kind == like->kind && span_eq(k->key, like->key) && span_eq(k->world, like->world))
            return k;
    }
    return NULL;
}

/* Takes the texts. One that is there keeps its place. */
static void keep(struct store *s, struct kept what)
{
    struct kept *old = find(s, &what);
    if (old != NULL) {
        kept_free(old);
        *old = what;
        return;
    }
    if (s->count == s->cap) {
        s->cap = s->cap == 0 ? 64 : s->cap * 2;
        s->kept = xreallocarray(s->kept, s->cap, sizeof *s->kept);
    }
    s->kept[s->count++] = what;
}

static void drop(struct store *s, struct kept what)
{
    struct kept *old = find(s, &what);
    kept_free(&what);
    if (old == NULL)
        return;
    size_t at = (size_t)(old - s->kept);
    kept_free(old);
    memmove(old, old + 1, (s->count - at - 1) * sizeof *old);
    s->count--;
}

void store_put(struct store *s, const struct record *r)
{
    add_wish(s, (struct wish){.kind = WISH_PUT,
                              .what = {r->kind, copy(r->world), copy(r->key), copy(r->value)}});
}

void store_remove(struct store *s, enum record_kind kind, struct span world, struct span key)
{
    add_wish(s, (struct wish){.kind = WISH_REMOVE,
                              .what = {.kind = kind, .world = copy(world), .key = copy(key)}});
}

void store_sync(struct store *s, uint64_t token)
{
    add_wish(s, (struct wish){.kind = WISH_SYNC, .token = token});
}

bool store_is_idle(const struct store *s)
{
    return s->wish_count == 0;
}

void store_commit(struct store *s, void (*stored)(void *ctx, uint64_t token), void *ctx)
{
    struct wish *wishes = s->wishes;
    size_t count = s->wish_count;
    s->wishes = NULL; /* what is wished meanwhile waits for the next */
    s->wish_count = s->wish_cap = 0;
    for (size_t i = 0; i < count; i++) {
        if (wishes[i].kind == WISH_PUT)
            keep(s, wishes[i].what);
        else if (wishes[i].kind == WISH_REMOVE)
            drop(s, wishes[i].what);
    }
    for (size_t i = 0; i < count; i++) {
        if (wishes[i].kind == WISH_SYNC)
            stored(ctx, wishes[i].token);
    }
    free(wishes);
}

void store_crash(struct store *s)
{
    for (size_t i = 0; i < s->wish_count; i++)
        kept_free(&s->wishes[i].what);
    s->wish_count = 0;
}

void store_load(const struct store *s, void (*load)(void *ctx, const struct record *r), void *ctx)
{
    for (unsigned kind = 0; kind < RECORD_COUNT; kind++) {
        for (size_t i = 0; i < s->count; i++) {
            const struct kept *k = &s->kept[i];
            struct record r = {
                .kind = k->kind, .world = k->world, .key = k->key, .value = k->value};
            if (k->kind == kind)
                load(ctx, &r);
        }
    }
}

void store_clear(struct store *s)
{
    store_crash(s);
    for (size_t i = 0; i < s->count; i++)
        kept_free(&s->kept[i]);
    free(s->kept);
    free(s->wishes);
    *s = (struct store){.count = 0};
}
