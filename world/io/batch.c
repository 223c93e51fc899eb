/* A map finds what is there already, a list keeps the order. Knows no store and no time. */
#include "world/io/batch.h"

#include <assert.h>
#include <stdlib.h>

/* World ids hold no NUL, so names are as unique as records. */
static void set_name(struct batch_entry *e, enum record_kind kind, struct span world,
                     struct span key)
{
    char *name = xmalloc(world.len + key.len + 2);

    name[0] = (char)kind;
    memcpy(name + 1, world.ptr, world.len);
    name[1 + world.len] = '\0';
    if (key.len > 0)
        memcpy(name + 2 + world.len, key.ptr, key.len);
    e->kind = kind;
    e->name = span_of(name, world.len + key.len + 2);
    e->world = span_of(name + 1, world.len);
    e->key = span_of(name + 2 + world.len, key.len);
}

static void entry_free(struct batch_entry *e)
{
    span_free(e->name);
    span_free(e->value);
    free(e);
}

static struct batch_entry *find(struct batch *b, enum record_kind kind, struct span world,
                                struct span key)
{
    struct batch_entry *e = xcalloc(1, sizeof(*e)), *old;

    set_name(e, kind, world, key);
    old = map_get(&b->names, e->name);
    if (old != NULL) {
        entry_free(e);
        return old;
    }
    map_add(&b->names, e->name, e);
    list_push(&b->list, &e->node);
    return e;
}

void batch_init(struct batch *b)
{
    *b = (struct batch){0};
    list_init(&b->list);
}

void batch_put(struct batch *b, const struct record *record)
{
    struct batch_entry *e = find(b, record->kind, record->world, record->key);

    if (e->remove && !e->put) {
        list_remove(&e->node);
        list_push(&b->list, &e->node);
    }
    e->put = true;
    span_free(e->value);
    e->value = span_copy(record->value);
}

void batch_remove(struct batch *b, enum record_kind kind, struct span world, struct span key)
{
    struct batch_entry *e = find(b, kind, world, key);

    e->remove = true;
    e->put = false;
    span_free(e->value);
    e->value = (struct span){0};
}

void batch_take(struct batch *to, struct batch *from)
{
    assert(batch_count(to) == 0);
    batch_clear(to);
    to->names = from->names;
    for (struct list *it; (it = list_first(&from->list)) != NULL;) {
        list_remove(it);
        list_push(&to->list, it);
    }
    batch_init(from);
}

void batch_merge(struct batch *to, struct batch *newer)
{
    LIST_EACH (&newer->list, it) {
        const struct batch_entry *e = CONTAINER_OF(it, struct batch_entry, node);
        if (e->remove)
            batch_remove(to, e->kind, e->world, e->key);
        if (e->put)
            batch_put(to, &(struct record){e->kind, e->world, e->key, e->value});
    }
    batch_clear(newer);
}

void batch_clear(struct batch *b)
{
    LIST_EACH_SAFE (&b->list, it, after) {
        entry_free(CONTAINER_OF(it, struct batch_entry, node));
    }
    map_clear(&b->names);
    batch_init(b);
}
