/* Requests under way, by handle; a request that nobody waits for any more is forgotten, so that a
 * late or second answer finds nothing, as on a closed connection. */
#include "tests/sim/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/sim/site.h"

struct net {
    struct sim *sim;
    struct slots under_way; /* struct exchange */
};

/* Who waits for an answer, and for how long. */
struct exchange {
    struct net_request request;
    char path[NET_PATH_MAX];
    size_t body_len;
    char body[];
};

/* A request or an answer on its way. */
struct letter {
    struct net *net;
    struct handle exchange;
    enum net_kind kind;
    int status;
    char path[NET_PATH_MAX];
    size_t len;
    char body[];
};

struct net *net_new(struct sim *s)
{
    struct net *n = xcalloc(1, sizeof *n);
    n->sim = s;
    return n;
}

void net_free(struct net *n)
{
    for (uint32_t i = 0; i < n->under_way.used; i++)
        free(n->under_way.slots[i].item);
    slots_clear(&n->under_way);
    free(n);
}

int64_t net_delay(struct sim *s)
{
    if (s->calm || s->plan.polite)
        return 1;
    if (sim_chance(s, s->plan.slow))
        return sim_between(s, 0, 2500);
    return sim_between(s, 0, s->plan.delay_max_ms);
}

static bool is_lost(struct sim *s, const struct host *from)
{
    if (from == NULL)
        return false;
    if (!sim_reaches(from, &s->hosts[SIM_WORLD]))
        return true;
    return !s->calm && sim_chance(s, s->plan.loss);
}

static void finish(struct net *n, struct handle h, int status, struct span body)
{
    struct exchange *e = slots_remove(&n->under_way, h);
    if (e == NULL)
        return;
    e->request.done(e->request.ctx, e->request.tag, status, body);
    free(e);
}

static struct letter *letter_new(struct net *n, struct handle exchange, const char *path,
                                 struct span body)
{
    struct letter *l = xmalloc(sizeof *l + body.len);
    *l = (struct letter){.net = n, .exchange = exchange, .len = body.len};
    if (path != NULL)
        (void)snprintf(l->path, sizeof l->path, "%s", path);
    if (body.len > 0)
        memcpy(l->body, body.ptr, body.len);
    return l;
}

static void time_out(void *ctx, void *arg)
{
    struct letter *l = arg;
    (void)ctx;
    finish(l->net, l->exchange, 0, (struct span){.len = 0});
}

static void deliver_answer(void *ctx, void *arg)
{
    struct letter *l = arg;
    (void)ctx;
    finish(l->net, l->exchange, l->status, span_of(l->body, l->len));
}

/* The world's host is there; its process may stand still, which the agenda sees to. */
static void deliver_request(void *ctx, void *arg)
{
    struct letter *l = arg;
    const struct exchange *e = slots_get(&l->net->under_way, l->exchange);
    (void)ctx;
    const char *method = e == NULL ? "POST" : e->request.method;
    site_request(l->net->sim->site, l->exchange, l->kind, method, l->path,
                 span_of(l->body, l->len));
}

/* Looks for the process at the time of arrival: one that was started meanwhile serves, too. */
static void arrive(void *ctx, void *arg)
{
    struct letter *l = arg;
    struct sim *s = l->net->sim;
    struct host *world = &s->hosts[SIM_WORLD];
    (void)ctx;
    if (!world->up) {
        finish(l->net, l->exchange, 0, (struct span){.len = 0});
        return;
    }
    struct letter *copy = letter_new(l->net, l->exchange, l->path, span_of(l->body, l->len));
    copy->kind = l->kind;
    sim_plan(s, 0, world, deliver_request, NULL, copy);
}

static void send_request(struct net *n, struct handle h, const struct exchange *e)
{
    struct letter *l = letter_new(n, h, e->path, span_of(e->body, e->body_len));
    l->kind = e->request.kind;
    sim_plan(n->sim, net_delay(n->sim), NULL, arrive, NULL, l);
}

void net_post(struct net *n, const struct net_request *request)
{
    struct sim *s = n->sim;
    struct exchange *e = xmalloc(sizeof *e + request->body.len);
    *e = (struct exchange){.request = *request, .body_len = request->body.len};
    (void)snprintf(e->path, sizeof e->path, "%s", request->path);
    if (e->body_len > 0)
        memcpy(e->body, request->body.ptr, e->body_len);
    struct handle h = slots_add(&n->under_way, e);
    sim_plan(s, request->timeout_ms, request->from, time_out, NULL,
             letter_new(n, h, NULL, (struct span){.len = 0}));
    if (!is_lost(s, request->from))
        send_request(n, h, e);
    if (!s->calm && request->from != NULL && sim_chance(s, s->plan.repeats) &&
        !is_lost(s, request->from))
        send_request(n, h, e);
}

void net_answer(struct net *n, struct handle reply, int status, struct span body)
{
    const struct exchange *e = slots_get(&n->under_way, reply);
    if (e == NULL || is_lost(n->sim, e->request.from))
        return;
    struct letter *l = letter_new(n, reply, NULL, body);
    l->status = status;
    sim_plan(n->sim, net_delay(n->sim), e->request.from, deliver_answer, NULL, l);
}

enum net_kind net_kind_of(const struct net *n, struct handle reply)
{
    const struct exchange *e = slots_get(&n->under_way, reply);
    return e == NULL ? NET_NOTHING : e->request.kind;
}

struct span net_body_of(const struct net *n, struct handle reply)
{
    const struct exchange *e = slots_get(&n->under_way, reply);
    return e == NULL ? (struct span){.ptr = NULL} : span_of(e->body, e->body_len);
}

void net_forget(struct net *n, const struct host *from)
{
    for (uint32_t i = 0; i < n->under_way.used; i++) {
        struct exchange *e = n->under_way.slots[i].item;
        if (e != NULL && e->request.from == from) {
            struct handle h = {.slot = i, .gen = n->under_way.slots[i].gen};
            free(slots_remove(&n->under_way, h));
        }
    }
}
