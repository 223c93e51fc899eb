/* Makes connections to servers that nobody configured as worlds name them. */
#include "shard/io/room_servers.h"

#include <stdlib.h>

#include "common/base/mem.h"

struct named_server {
    char *origin; /* owned; the key */
    struct upstreams one;
};

void room_servers_init(struct room_servers *s, struct loop *l, struct origins *origins)
{
    *s = (struct room_servers){.loop = l};
    upstreams_init(&s->own, l, origins);
}

void room_servers_clear(struct room_servers *s)
{
    size_t at = 0;
    for (struct map_entry *e; (e = map_next(&s->named, &at)) != NULL;) {
        struct named_server *named = e->value;
        upstreams_clear(&named->one);
        free(named->origin);
        free(named);
    }
    map_clear(&s->named);
    upstreams_clear(&s->own);
    buf_clear(&s->text);
}

static struct named_server *reach_named(struct room_servers *s, struct span origin)
{
    struct named_server *named = map_get(&s->named, origin);
    struct origins origins;
    struct span bad;
    if (named != NULL || origins_parse(&origins, origin, &bad) != ERR_OK)
        return named;
    named = xcalloc(1, sizeof *named);
    named->origin = xspandup(origin);
    upstreams_init(&named->one, s->loop, &origins);
    map_add(&s->named, span_str(named->origin), named);
    return named;
}

struct span room_servers_own(struct room_servers *s, struct span room)
{
    const struct upstream *own = upstreams_choose(&s->own, room);
    buf_reset(&s->text);
    if (own != NULL)
        url_origin_add(&s->text, own->origin);
    return buf_span(&s->text);
}

const struct upstream *room_servers_find(struct room_servers *s, struct span server,
                                         struct span room)
{
    if (server.len == 0)
        return upstreams_choose(&s->own, room);
    const struct named_server *named = reach_named(s, server);
    return named == NULL ? NULL : upstreams_choose(&named->one, room);
}
