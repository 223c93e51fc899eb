/* An upgrade waits with its exchange, and is the tunnel's once that is open. */
#include "world/io/feed_passing.h"

#include <stdlib.h>

#include "world/io/elsewhere.h"
#include "world/io/feed_entry.h"

struct feed_passing {
    struct seeker seeker;
    struct held held;
    struct list node;
    struct feed_passings *all;
    struct addr client;
    bool trusted;
};

/* Admin sockets are the reference's, and so is the form of what refuses them. */
#define ERROR(text) "{\"error\":\"" text "\"}"

static struct feed_passing *feed_passing_of(struct seeker *s)
{
    return CONTAINER_OF(s, struct feed_passing, seeker);
}

static void feed_passing_free(struct feed_passing *p)
{
    seeker_end(&p->seeker);
    list_remove(&p->node);
    free(p);
}

/* It waits here, and is to be answered. */
static struct http_exchange *take_back(struct feed_passing *p)
{
    struct http_exchange *x = held_take_back(&p->held);

    feed_passing_free(p);
    return x;
}

/* ---- its way */

static void here(struct seeker *s)
{
    struct feed_passing *p = feed_passing_of(s);
    struct server *server = p->all->server;

    feed_entry_accept(server, take_back(p));
}

static void there(struct seeker *s)
{
    held_try(&feed_passing_of(s)->held, buf_span(&s->url));
}

/* A tunnel that is asked for answers within its time. */
static bool leave(struct seeker *s, bool late)
{
    (void)s;
    (void)late;
    return false;
}

static void refuse_elsewhere(struct feed_passing *p, struct span owner, int64_t epoch)
{
    struct buf headers = {0};

    BUF_ADD_LIT(&headers, API_HEADERS_TEXT);
    elsewhere_add_lines(&headers, owner, epoch);
    http_respond(take_back(p), 421, buf_span(&headers), SPAN(ERROR(ELSEWHERE_TEXT)));
    buf_clear(&headers);
}

static void refuse_nobody(struct feed_passing *p)
{
    http_respond(take_back(p), 503, SPAN(API_HEADERS_TEXT NOBODY_LINES), SPAN(ERROR(NOBODY_TEXT)));
}

static void elsewhere(struct seeker *s, const struct lease_place *place)
{
    refuse_elsewhere(feed_passing_of(s), place->url, place->epoch);
}

static void nobody(struct seeker *s)
{
    struct feed_passing *p = feed_passing_of(s);

    if (s->hopped)
        refuse_elsewhere(p, (struct span){0}, 0);
    else
        refuse_nobody(p);
}

static const struct seeker_ops seeker_ops = {
    .here = here,
    .there = there,
    .leave = leave,
    .elsewhere = elsewhere,
    .nobody = nobody,
};

/* ---- the owner */

static void add_head(struct held *h, struct buf *out)
{
    const struct feed_passing *p = CONTAINER_OF(h, struct feed_passing, held);

    elsewhere_add_request(out, h->x->head,
                          &(struct elsewhere_request){.secrets = p->all->secrets,
                                                      .id = p->all->id,
                                                      .client = &p->client,
                                                      .peer = &h->x->peer,
                                                      .epoch = p->seeker.epoch,
                                                      .upgrade = true,
                                                      .trusted_peer = p->trusted});
}

static void failed(struct held *h, enum resolve_reason why)
{
    (void)why;
    seeker_failed(&CONTAINER_OF(h, struct feed_passing, held)->seeker);
}

static void over(struct held *h)
{
    feed_passing_free(CONTAINER_OF(h, struct feed_passing, held));
}

static const struct held_ops held_ops = {.add_head = add_head, .failed = failed, .over = over};

/* ---- */

void feed_passings_init(struct feed_passings *all, struct loop *l, struct server *server,
                        struct seekers *seekers, const struct secrets *secrets, struct span id,
                        struct tunnel_stats *stats)
{
    *all =
        (struct feed_passings){.server = server, .seekers = seekers, .secrets = secrets, .id = id};
    list_init(&all->all);
    tunnels_init(&all->tunnels, l, stats);
    all->tunnels.connect_ms = 1000;
    all->tunnels.answer_ms = seekers->wait_ms; /* who is asked may wait for the world, too */
    all->ways.tunnels = &all->tunnels;
    held_ways_init(&all->ways, &held_ops, 0, (struct span){0});
}

void feed_passing_begin(struct feed_passings *all, struct http_exchange *x, struct span world,
                        const struct addr *client, bool trusted, bool hopped)
{
    struct feed_passing *p = xcalloc(1, sizeof(*p));

    p->all = all;
    p->client = *client;
    p->trusted = trusted;
    list_push(&all->all, &p->node);
    held_begin(&p->held, &all->ways, x, true);
    seeker_begin(&p->seeker, all->seekers, &seeker_ops, world, hopped,
                 seekers_until(all->seekers, hopped), 0);
}

void feed_passings_close(struct feed_passings *all)
{
    tunnels_close(&all->tunnels, WS_CODE_RESTART, SPAN("restart"));
    LIST_EACH_SAFE (&all->all, it, next) {
        struct feed_passing *p = CONTAINER_OF(it, struct feed_passing, node);
        if (held_waits(&p->held))
            refuse_nobody(p);
    }
}

void feed_passings_abort(struct feed_passings *all)
{
    tunnels_abort(&all->tunnels);
    LIST_EACH_SAFE (&all->all, it, next) {
        struct feed_passing *p = CONTAINER_OF(it, struct feed_passing, node);
        if (held_waits(&p->held))
            feed_passing_free(p);
    }
}
