/* The findings of a node, what keeps them up, and checkups. */
#include "shard/core/checks.h"

#include <assert.h>

#include "common/base/map.h"
#include "shard/core/node_state.h"
#include "shard/core/world.h"

int64_t checks_wall_ms(const struct checks *c)
{
    const struct node *n = c->node;
    return n->port->wall_ms == NULL ? 0 : n->port->wall_ms(n->io);
}

/* ---- evidence */

static struct checks_evidence *evidence_of(struct checks *c, enum finding_check check,
                                           struct span subject)
{
    uint64_t hash = map_hash(subject);
    for (size_t i = 0; i < c->evidence_count; i++)
        if (c->evidence[i].check == check && c->evidence[i].subject == hash)
            return &c->evidence[i];
    return NULL;
}

static void forget(struct checks *c, struct checks_evidence *e)
{
    if (e != NULL)
        *e = c->evidence[--c->evidence_count];
}

static void set_timer(struct checks *c)
{
    int64_t oldest = INT64_MAX;
    if (timer_is_set(&c->timer)) /* it looks again when it fires */
        return;
    for (size_t i = 0; i < c->evidence_count; i++)
        if (c->evidence[i].seen_ms < oldest)
            oldest = c->evidence[i].seen_ms;
    if (c->evidence_count > 0)
        wheel_set(&c->node->wheel, &c->timer, oldest + CHECKS_EVIDENCE_MS);
}

static bool is_of(const struct checks_evidence *e, const struct finding *f)
{
    return e->check == f->check && e->subject == map_hash(f->subject);
}

static const struct finding *finding_of(const struct checks *c, const struct checks_evidence *e)
{
    for (size_t i = 0; i < c->findings.count; i++)
        if (is_of(e, &c->findings.items[i]))
            return &c->findings.items[i];
    return NULL;
}

/* A finding may have made room for a worse one: what was seen of it is left over. */
static void forget_leftovers(struct checks *c)
{
    for (size_t i = c->evidence_count; i-- > 0;)
        if (finding_of(c, &c->evidence[i]) == NULL)
            forget(c, &c->evidence[i]);
}

/* Ends the finding that `e` is of. */
static void drop_evident(struct checks *c, struct checks_evidence *e)
{
    const struct finding *f = finding_of(c, e);
    if (f != NULL)
        (void)findings_drop(&c->findings, f->check, f->subject);
    forget(c, e);
}

static void on_time(struct timer *t, int64_t now)
{
    struct checks *c = CONTAINER_OF(t, struct checks, timer);
    uint64_t before = c->findings.version;
    for (size_t i = c->evidence_count; i-- > 0;)
        if (now - c->evidence[i].seen_ms >= CHECKS_EVIDENCE_MS)
            drop_evident(c, &c->evidence[i]);
    set_timer(c);
    if (c->findings.version != before)
        world_note_node(c->node);
}

void checks_init(struct checks *c, struct node *n)
{
    *c = (struct checks){.node = n, .timer.fire = on_time};
}

void checks_clear(struct checks *c)
{
    findings_clear(&c->findings);
}

void checks_fact(struct checks *c, enum finding_check check, struct span subject, bool is_so,
                 struct span detail)
{
    if (findings_set(&c->findings, check, subject, is_so, detail, checks_wall_ms(c)))
        world_note_node(c->node);
}

void checks_seen(struct checks *c, enum finding_check check, struct span subject,
                 struct span detail, int64_t now)
{
    if (findings_put(&c->findings, check, subject, detail, checks_wall_ms(c)))
        world_note_node(c->node);
    const struct finding *f = findings_get(&c->findings, check, subject);
    if (f == NULL)
        return; /* too many are there */
    struct checks_evidence *e = evidence_of(c, check, f->subject);
    if (e == NULL) {
        if (c->evidence_count == FINDINGS_MAX)
            forget_leftovers(c);
        assert(c->evidence_count < FINDINGS_MAX);
        e = &c->evidence[c->evidence_count++];
        *e = (struct checks_evidence){.check = check, .subject = map_hash(f->subject)};
    }
    e->seen_ms = now;
    set_timer(c);
}

void checks_disproved(struct checks *c, enum finding_check check, struct span subject)
{
    const struct finding *f = findings_get(&c->findings, check, subject);
    if (f == NULL)
        return;
    forget(c, evidence_of(c, check, f->subject));
    (void)findings_drop(&c->findings, check, subject);
    set_timer(c);
    world_note_node(c->node);
}

/* ---- checkups */

static bool is_checked_up(enum finding_check check)
{
    return check == FINDING_ROOM_UNREACHABLE || check == FINDING_ROOM_UPGRADE ||
           check == FINDING_ROOM_SECRET || check == FINDING_PEER_UNREACHABLE ||
           check == FINDING_PEER_SECRET;
}

void checks_ask(struct checks *c, struct world *w, const struct checkup *asked, int64_t now)
{
    struct node *n = c->node;
    if (asked->id == 0 || asked->id == w->checkup || c->checking || n->closing)
        return;
    c->checking_id = asked->id;
    c->checking_since_ms = now;
    if (n->port->checkup == NULL) {
        checks_done(c, w, now);
        return;
    }
    c->checking = true;
    n->port->checkup(n->io, w->self, asked);
}

void checks_done(struct checks *c, struct world *w, int64_t now)
{
    uint64_t before = c->findings.version;
    (void)now;
    c->checking = false;
    for (size_t i = c->evidence_count; i-- > 0;)
        if (is_checked_up(c->evidence[i].check) && c->evidence[i].seen_ms < c->checking_since_ms)
            drop_evident(c, &c->evidence[i]);
    set_timer(c);
    if (w != NULL)
        w->checkup = c->checking_id;
    if (w != NULL || c->findings.version != before)
        world_note_node(c->node);
}
