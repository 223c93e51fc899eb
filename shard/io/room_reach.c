/* A few servers, however many links: walked when somebody asks. */
#include "shard/io/room_reach.h"

#include <stdlib.h>

#include "common/base/mem.h"

enum reached_state { REACHED_UNKNOWN, REACHED_YES, REACHED_NO };

struct reached {
    enum reached_state state;
    uint64_t links; /* and dials */
    int64_t left_ms;
    char *origin; /* owned; the key */
};

struct reached *room_reach_dial(struct room_reach *r, struct span origin)
{
    struct reached *server = map_get(&r->servers, origin);
    if (server == NULL) {
        server = xcalloc(1, sizeof *server);
        server->origin = xspandup(origin);
        map_add(&r->servers, span_str(server->origin), server);
    }
    server->links++;
    return server;
}

bool room_reach_found(struct reached *server)
{
    bool is_news = server->state == REACHED_NO;
    server->state = REACHED_YES;
    return is_news;
}

bool room_reach_missed(struct reached *server)
{
    bool is_news = server->state != REACHED_NO;
    server->state = REACHED_NO;
    return is_news;
}

void room_reach_leave(struct reached *server, int64_t now)
{
    server->links--;
    server->left_ms = now;
}

static void forget(struct room_reach *r, struct reached *server)
{
    (void)map_remove(&r->servers, span_str(server->origin));
    free(server->origin);
    free(server);
}

/* One that may be forgotten, or NULL. */
static struct reached *stale(const struct room_reach *r, int64_t now)
{
    size_t at = 0;
    for (struct map_entry *e; (e = map_next(&r->servers, &at)) != NULL;) {
        struct reached *server = e->value;
        if (server->links == 0 && now - server->left_ms >= ROOM_REACH_MS)
            return server;
    }
    return NULL;
}

struct room_reach_count room_reach_count(struct room_reach *r, int64_t now)
{
    struct room_reach_count count = {0};
    for (struct reached *old; (old = stale(r, now)) != NULL;)
        forget(r, old);
    size_t at = 0;
    for (struct map_entry *e; (e = map_next(&r->servers, &at)) != NULL;) {
        const struct reached *server = e->value;
        count.reachable += server->state == REACHED_YES;
        count.unreachable += server->state == REACHED_NO;
    }
    return count;
}

void room_reach_clear(struct room_reach *r)
{
    size_t at = 0;
    for (struct map_entry *e; (e = map_next(&r->servers, &at)) != NULL;) {
        struct reached *server = e->value;
        free(server->origin);
        free(server);
    }
    map_clear(&r->servers);
}
