/* At most one finding an address, in one of two sets. */
#include "world/core/findings/impostors.h"

#include "common/proto/beat.h"
#include "world/core/core.h"

/* As beats begin. Others do not tell, or are not worth the work. */
static struct span claimed_id(struct span body)
{
    static const struct span head = SPAN_INIT("{\"node\":{\"id\":\"");
    struct span id;

    if (!span_starts(body, head))
        return SPAN("");
    id = span_slice(body, head.len, head.len + BEAT_NODE_ID_MAX);
    id = span_slice(id, 0, span_index(id, '"'));
    return span_index(id, '\\') < id.len ? SPAN("") : id;
}

static struct impostor *find(struct impostors *all, const char *address, struct span world)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->list[i].address, address) == 0 && span_eq(all->list[i].world, world))
            return &all->list[i];
    return NULL;
}

static size_t count_of(const struct impostors *all, const char *address)
{
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++)
        count += strcmp(all->list[i].address, address) == 0;
    return count;
}

static struct impostor *add(struct impostors *all, const char *address, struct span world)
{
    struct impostor *i;

    if (all->count == IMPOSTORS_MAX || count_of(all, address) == IMPOSTORS_WORLDS)
        return NULL;
    i = &all->list[all->count++];
    memcpy(i->address, address, sizeof(i->address));
    i->world = span_copy(world);
    return i;
}

static void tell(struct core *core, const struct impostor *i, struct span body, struct moment now)
{
    struct world *w = registry_world(&core->registry, i->world);
    struct span id = claimed_id(body), address = span_str(i->address);
    struct buf detail = {0};

    if (id.len > 0)
        buf_addf(&detail, "calls itself node %.*s, of %.*s", SPAN_ARG(id), SPAN_ARG(i->world));
    else
        buf_addf(&detail, "calls itself a node of %.*s", SPAN_ARG(i->world));
    if (w == NULL) {
        (void)findings_put(&core->findings, FINDING_NODE_SECRET, address, buf_span(&detail),
                           now.wall_ms);
    } else {
        (void)findings_drop(&core->findings, FINDING_NODE_SECRET, address);
        w->change += findings_put(&w->findings, FINDING_NODE_SECRET, address, buf_span(&detail),
                                  now.wall_ms);
    }
    buf_clear(&detail);
}

void impostors_saw(struct core *core, struct span world, const struct addr *from, struct span body,
                   struct moment now)
{
    char address[ADDR_TEXT_MAX] = {0};
    struct impostor *i;

    addr_format(from, address);
    i = find(&core->impostors, address, world);
    if (i == NULL)
        i = add(&core->impostors, address, world);
    if (i == NULL)
        return;
    i->last_ms = now.mono_ms;
    tell(core, i, body, now);
    core_wake(core);
}

static void forget(struct core *core, struct impostor *i)
{
    struct world *w = registry_world(&core->registry, i->world);
    struct span address = span_str(i->address);

    (void)findings_drop(&core->findings, FINDING_NODE_SECRET, address);
    if (w != NULL)
        w->change += findings_drop(&w->findings, FINDING_NODE_SECRET, address);
    span_free(i->world);
    *i = core->impostors.list[--core->impostors.count];
}

void impostors_tick(struct core *core, struct moment now)
{
    for (size_t i = core->impostors.count; i-- > 0;)
        if (now.mono_ms - core->impostors.list[i].last_ms >= IMPOSTORS_KEEP_MS)
            forget(core, &core->impostors.list[i]);
}

void impostors_clear(struct impostors *all)
{
    for (size_t i = 0; i < all->count; i++)
        span_free(all->list[i].world);
    all->count = 0;
}
