/* Copies of requests. */
#include "world/core/park.h"

#include <stdlib.h>

#include "world/core/api/call.h"
#include "world/core/nodes/nodes.h"

struct parked {
    struct list node;
    const struct world *world;
    int64_t until_ms; /* 0: until the world has settled; else for a node, no longer than this */
    struct api_request request; /* its spans point into text */
    struct buf text;
};

/* Spans move with the buffer, so they are pointed at it when it is whole. */
static void point(struct span *s, const struct buf *text, size_t *at)
{
    if (s->ptr == NULL)
        return; /* absent is not the same as empty */
    s->ptr = text->data + *at;
    *at += s->len;
}

static size_t spans_of(struct api_request *r, struct span *out[6])
{
    size_t n = 0;

    out[n++] = &r->method;
    out[n++] = &r->path;
    out[n++] = &r->credentials.access;
    out[n++] = &r->credentials.authorization;
    out[n++] = &r->credentials.query;
    out[n++] = &r->body;
    return n;
}

static struct parked *parked_new(const struct api_request *request)
{
    struct parked *p = xcalloc(1, sizeof(*p));
    struct span *spans[6];
    size_t count = spans_of(&p->request, spans), at = 0;

    p->request = *request;
    buf_reserve(&p->text, 1);
    for (size_t i = 0; i < count; i++)
        buf_add_span(&p->text, *spans[i]);
    for (size_t i = 0; i < count; i++)
        point(spans[i], &p->text, &at);
    return p;
}

static void take_out(struct park *park, struct parked *p)
{
    list_remove(&p->node);
    park->count--;
    park->bytes -= p->text.len;
}

static void parked_free(struct parked *p)
{
    buf_clear(&p->text);
    free(p);
}

void park_init(struct park *p)
{
    *p = (struct park){0};
    list_init(&p->list);
}

void park_clear(struct park *p)
{
    for (struct list *it; (it = list_first(&p->list)) != NULL;) {
        struct parked *parked = CONTAINER_OF(it, struct parked, node);
        take_out(p, parked);
        parked_free(parked);
    }
}

void park_take_out(struct park *p, const struct world *w, struct list *out)
{
    LIST_EACH_SAFE (&p->list, it, after) {
        struct parked *parked = CONTAINER_OF(it, struct parked, node);
        if (parked->world != w)
            continue;
        take_out(p, parked);
        list_push(out, &parked->node);
    }
}

void parked_pass(struct core *core, struct list *out)
{
    for (struct list *it; (it = list_first(out)) != NULL;) {
        struct parked *p = CONTAINER_OF(it, struct parked, node);
        list_remove(it);
        core->port->reply.pass(core->port->reply.ctx, p->request.reply);
        parked_free(p);
    }
}

static bool has_usable_node(const struct world *w)
{
    LIST_EACH (&w->nodes.list, it) {
        if (CONTAINER_OF(it, struct node, in_world)->usable)
            return true;
    }
    return false;
}

static void park_request(struct call *call, const struct world *world, int64_t until_ms)
{
    struct core *core = call->core;
    struct park *park = &core->park;
    struct parked *p;

    if (park->count == PARK_MAX || park->bytes > PARK_BYTES_MAX) {
        call_refuse(call, REFUSAL_SETTLING, SPAN("The world is starting"));
        return;
    }
    p = parked_new(call->request);
    p->world = world;
    p->until_ms = until_ms;
    p->request.waited = true;
    list_push(&park->list, &p->node);
    park->count++;
    park->bytes += p->text.len;
    core_wake(core);
}

bool park_call(struct call *call)
{
    const struct world *world = registry_world(&call->core->registry, call->world);

    if (!world_is_settling(world, call->now))
        return false;
    park_request(call, world, 0);
    return true;
}

bool park_call_for_node(struct call *call)
{
    const struct world *world = registry_world(&call->core->registry, call->world);

    if (call->request->waited || world == NULL || has_usable_node(world))
        return false;
    park_request(call, world, call->now.mono_ms + PARK_NODE_MS);
    return true;
}

static bool still_waits(const struct parked *p, struct moment now)
{
    if (p->until_ms == 0)
        return world_is_settling(p->world, now);
    return now.mono_ms < p->until_ms && !has_usable_node(p->world);
}

void park_advance(struct core *core)
{
    struct park *park = &core->park;

    LIST_EACH_SAFE (&park->list, it, after) {
        struct parked *p = CONTAINER_OF(it, struct parked, node);
        if (still_waits(p, core->now))
            continue;
        take_out(park, p);
        api_handle(core, &p->request, core->now);
        parked_free(p);
    }
}
