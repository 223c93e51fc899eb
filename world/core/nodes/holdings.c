/* What nodes hold of shards, owners or not, and how a shard's count is made of it. */
#include <stdlib.h>

#include "common/base/mem.h"
#include "world/core/nodes/nodes.h"
#include "world/core/rooms/shards.h"

static const uint64_t COUNT_MAX = (uint64_t)REGISTRY_COUNT_MAX;

static uint64_t sum_of(uint64_t a, uint64_t b)
{
    return a > COUNT_MAX - b ? COUNT_MAX : a + b;
}

/* Seats that are kept are bounded by what a node could ever hold. */
static uint64_t keepable(uint64_t count)
{
    return count < UINT32_MAX ? count : UINT32_MAX;
}

void holding_order_changed(struct holding *h)
{
    struct node *n = h->node;

    h->order_version = n->version_of_orders = ++n->world->nodes.version;
}

static struct holding *holding_new(struct node *n, struct shard *s)
{
    struct holding *h = xcalloc(1, sizeof(*h));

    h->node = n;
    h->shard = s;
    list_push(&n->holdings, &h->in_node);
    list_push(&s->holdings, &h->in_shard);
    if (s->owner != n && s->room->assignment.state != ASSIGNMENT_NONE)
        holding_order_changed(h);
    return h;
}

static bool is_empty(const struct holding *h)
{
    return h->open == 0 && h->returning == 0 && h->shard->owner != h->node;
}

/* Both counts change at once: their sum is checked. */
static void set_returning(struct holding *h, uint64_t count)
{
    tally_returning(h->shard, h->shard->returning - h->returning + count);
    h->returning = count;
}

static void set_server(struct holding *h, struct span server)
{
    if (span_eq(h->server, server))
        return;
    span_free(h->server);
    h->server = (struct span){0};
    if (server.len > 0)
        h->server = span_copy(server);
}

/* A counter that goes backwards has been started anew: what it says is no difference. */
static uint64_t growth(uint64_t from, uint64_t to)
{
    return to > from ? to - from : 0;
}

struct holding *holding_of(const struct node *n, const struct shard *s)
{
    LIST_EACH (&s->holdings, it) {
        struct holding *h = CONTAINER_OF(it, struct holding, in_shard);
        if (h->node == n)
            return h;
    }
    return NULL;
}

void holding_report(struct registry *r, struct node *n, struct shard *s, const struct beat_shard *b,
                    struct beat_doc *doc, bool is_base, struct moment now)
{
    struct holding *h = holding_of(n, s);
    bool is_new = h == NULL, changed;
    uint64_t came, back;

    if (is_new && b->open == 0 && b->returning == 0 && s->owner != n)
        return;
    if (is_new)
        h = holding_new(n, s);
    came = is_base ? 0 : growth(h->admitted, b->admitted);
    back = is_base ? 0 : growth(h->readmitted, b->readmitted);
    changed = is_new || h->open != b->open || h->admitted != b->admitted;
    if (is_new || h->open != b->open)
        s->is_told = false;
    h->open = b->open;
    h->admitted = b->admitted;
    h->readmitted = b->readmitted;
    h->sessions = b->sessions;
    h->link = b->link;
    h->seen = n->beats;
    set_server(h, b->server);
    crowd_report(r, h, b, doc);
    servers_hear(r, h, now);
    changed = changed || h->returning != keepable(b->returning);
    set_returning(h, keepable(b->returning));
    if (is_empty(h))
        holding_free(r, h);
    if (came > back)
        seats_admit(r, s, came - back, now);
    assignment_look(r, s->room, now);
    (void)shard_recount(r, s, changed, now);
}

void holding_end(struct registry *r, struct holding *h, struct moment now)
{
    struct shard *s = h->shard;
    bool changed = h->open != 0 || h->returning != 0;

    if (h->open != 0)
        s->is_told = false;
    h->open = 0;
    h->sessions = 0;
    crowd_disperse(r, h);
    h->link = BEAT_LINK_IDLE;
    servers_hear(r, h, now);
    set_returning(h, 0);
    if (is_empty(h))
        holding_free(r, h);
    if (changed)
        (void)shard_recount(r, s, true, now);
}

bool holding_lose(struct registry *r, struct holding *h, struct moment now)
{
    if (h->is_lost)
        return false;
    h->is_lost = true;
    h->node->has_lost = true;
    h->lost = keepable(sum_of(h->open, h->returning));
    set_returning(h, 0);
    crowd_lose(r, h, now);
    seats_keep(r, h->shard, h->lost, now);
    return shard_recount(r, h->shard, false, now);
}

void holding_heal(struct registry *r, struct holding *h, struct moment now)
{
    uint64_t lost = h->lost;

    if (!h->is_lost)
        return;
    h->is_lost = false;
    h->lost = 0;
    crowd_heal(h);
    seats_unkeep(r, h->shard, lost);
    (void)shard_recount(r, h->shard, false, now);
}

void holding_free(struct registry *r, struct holding *h)
{
    crowd_release(r, h);
    set_returning(h, 0);
    set_server(h, (struct span){0});
    list_remove(&h->in_node);
    list_remove(&h->in_shard);
    list_remove(&h->in_server);
    free(h);
}

bool shard_recount(struct registry *r, struct shard *s, bool heard, struct moment now)
{
    uint64_t open = s->told;

    if (!s->is_told) {
        open = 0;
        LIST_EACH (&s->holdings, it) {
            const struct holding *h = CONTAINER_OF(it, struct holding, in_shard);
            open = sum_of(open, h->is_lost ? 0 : h->open);
        }
    }
    registry_set_open(r, s, open, heard, now);
    return registry_let_go(r, s);
}

bool shard_lose_told(struct registry *r, struct shard *s, struct moment now)
{
    s->is_told = false;
    seats_keep(r, s, keepable(s->told), now);
    return shard_recount(r, s, false, now);
}
