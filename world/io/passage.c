/* Puts the parts together. */
#include "world/io/passage.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "world/io/feed_passing.h"

struct passage {
    struct seekers seekers;
    struct passings requests;
    struct feed_passings feeds;
};

struct passage *passage_new(struct loop *l, struct server *server, const struct places *places,
                            const struct passage_settings *settings, struct passage_stats *stats)
{
    struct passage *p = xcalloc(1, sizeof(*p));

    seekers_init(&p->seekers, l, places, &stats->seekers, settings->wait_ms);
    passings_init(&p->requests, l, &p->seekers, settings->secrets, settings->id, &stats->requests);
    feed_passings_init(&p->feeds, l, server, &p->seekers, settings->secrets, settings->id,
                       &stats->feeds);
    return p;
}

void passage_close(struct passage *p)
{
    passings_refuse_waiting(&p->requests);
    feed_passings_close(&p->feeds);
}

void passage_abort(struct passage *p)
{
    passings_clear(&p->requests);
    feed_passings_abort(&p->feeds);
}

void passage_free(struct passage *p)
{
    if (p == NULL)
        return;
    seekers_clear(&p->seekers);
    free(p);
}

void passage_take(struct passage *p, struct request *r, struct span world)
{
    passing_begin(&p->requests, r, world);
}

void passage_take_feed(struct passage *p, struct http_exchange *x, struct span world,
                       const struct passage_sender *sender)
{
    feed_passing_begin(&p->feeds, x, world, &sender->client, sender->trusted, sender->hopped);
}

bool passage_is_here(const struct passage *p, struct span world)
{
    enum owner owner = seekers_place(&p->seekers, world).owner;

    return owner == OWNER_US || owner == OWNER_BROKEN;
}

int64_t passage_epoch(const struct passage *p, struct span world)
{
    struct lease_place place = seekers_place(&p->seekers, world);

    return place.owner == OWNER_US ? place.epoch : 0;
}

void passage_saw(struct passage *p, struct span world, int64_t epoch)
{
    const struct places *places = &p->seekers.places;

    places->saw(places->ctx, world, epoch);
}

void passage_moved(struct passage *p, struct span world)
{
    seekers_moved(&p->seekers, world);
}

size_t passage_count(const struct passage *p)
{
    return p->seekers.count;
}

size_t passage_feeds(const struct passage *p)
{
    return tunnels_staying(&p->feeds.tunnels);
}
