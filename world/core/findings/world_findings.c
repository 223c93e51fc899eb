/* Findings of a world. Those about states are made anew each second from what is: nothing that
 * happens to nodes and servers has to tell this file. */
#include "world/core/findings/world_findings.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/version.h"
#include "common/proto/url.h"
#include "world/core/nodes/nodes.h"

static void put(struct world *w, enum finding_check check, struct span subject,
                const struct buf *detail, struct moment now)
{
    w->change += findings_put(&w->findings, check, subject, buf_span(detail), now.wall_ms);
}

static void drop(struct world *w, enum finding_check check, struct span subject)
{
    w->change += findings_drop(&w->findings, check, subject);
}

/* ---- the clock */

static void tell_clock(struct node *n, int64_t off_ms, struct moment now)
{
    struct buf detail = {0};
    bool told = n->clock_is_off && findings_get(&n->world->findings, FINDING_CLOCK, n->id) != NULL;

    if (told && llabs(off_ms - n->clock_told_ms) < FINDINGS_CLOCK_STEP_MS)
        return;
    n->clock_is_off = true;
    n->clock_told_ms = off_ms;
    buf_addf(&detail, "%lld seconds %s the world's", llabs(off_ms) / 1000,
             off_ms > 0 ? "ahead of" : "behind");
    put(n->world, FINDING_CLOCK, n->id, &detail, now);
    buf_clear(&detail);
}

static void forget_clock(struct node *n)
{
    n->clock_off_since_ms = 0;
    if (n->clock_is_off)
        drop(n->world, FINDING_CLOCK, n->id);
    n->clock_is_off = false;
}

static void hear_clock(struct node *n, int64_t told_ms, struct moment now)
{
    int64_t off_ms = told_ms - now.wall_ms;

    if (told_ms == 0)
        return;
    if (llabs(off_ms) <= FINDINGS_CLOCK_MS) {
        forget_clock(n);
        return;
    }
    if (n->clock_off_since_ms == 0)
        n->clock_off_since_ms = now.mono_ms;
    if (off_ms > 0 || now.mono_ms - n->clock_off_since_ms >= FINDINGS_LATE_MS)
        tell_clock(n, off_ms, now);
}

/* ---- the version */

static bool read_version(struct span text, uint64_t *major, uint64_t *minor)
{
    struct span part;

    return span_split(&text, '.', &part) && span_to_u64(part, major) == ERR_OK &&
           span_split(&text, '.', &part) && span_to_u64(part, minor) == ERR_OK;
}

/* More than one minor version; of another major one, any. */
static bool is_far(struct span version)
{
    uint64_t major, minor, our_major, our_minor;

    if (!read_version(version, &major, &minor) ||
        !read_version(SPAN(TERRANE_VERSION), &our_major, &our_minor))
        return false;
    return major != our_major || minor > our_minor + 1 || our_minor > minor + 1;
}

static void hear_version(struct node *n, struct moment now)
{
    struct buf detail = {0};

    if (is_far(n->version)) {
        buf_addf(&detail, "the node is %.*s, the world " TERRANE_VERSION, SPAN_ARG(n->version));
        put(n->world, FINDING_NODE_VERSION, n->id, &detail, now);
        buf_clear(&detail);
    } else {
        drop(n->world, FINDING_NODE_VERSION, n->id);
    }
}

/* ---- beats */

void world_findings_hear(struct node *n, const struct beat *b, struct beat_doc *doc,
                         struct moment now)
{
    if (n->checkup < b->checkup)
        n->checkup = b->checkup;
    if (doc->tells_findings) {
        n->world->change += n->findings.count > 0 || doc->findings.count > 0;
        findings_clear(&n->findings);
        n->findings = doc->findings;
        doc->findings = (struct findings){.count = 0};
        n->tells_findings = true;
    }
    hear_clock(n, b->now_ms, now);
    hear_version(n, now);
    round_look(n->world, now);
}

void world_findings_restart(struct node *n)
{
    findings_clear(&n->findings);
    n->tells_findings = false;
    n->checkup = 0;
    n->clock_off_since_ms = 0;
}

static struct span address_of(const struct beat *b)
{
    return b->internal_url.len > 0 ? b->internal_url : b->url;
}

/* One that has died may have left a beat on the way. But the other must be alive, and the earlier
 * one another process. */
void world_findings_conflict(struct node *n, const struct beat *b, struct moment now)
{
    struct buf detail = {0};

    if (b->epoch == n->epoch || b->gone || n->state != NODE_ALIVE ||
        now.mono_ms - n->heard_ms >= n->world->registry->beat_ms * NODES_SUSPECT)
        return;
    n->twin_ms = now.mono_ms;
    buf_addf(&detail, "%.*s and %.*s", SPAN_ARG(node_address(n)), SPAN_ARG(address_of(b)));
    put(n->world, FINDING_NODE_ID, n->id, &detail, now);
    buf_clear(&detail);
}

/* ---- states */

static void look_at_node(struct node *n, struct moment now)
{
    struct world *w = n->world;
    struct buf detail = {0};

    if (n->twin_ms != 0 && now.mono_ms - n->twin_ms >= FINDINGS_TWIN_MS) {
        n->twin_ms = 0;
        drop(w, FINDING_NODE_ID, n->id);
    }
    if (n->state != NODE_DEAD) {
        drop(w, FINDING_NODE_LOST, n->id);
        return;
    }
    forget_clock(n);
    buf_addf(&detail, "%.*s", SPAN_ARG(node_address(n)));
    if (n->owned_count > 0)
        buf_addf(&detail, "%sshards that wait for another node: %zu", detail.len > 0 ? ": " : "",
                 n->owned_count);
    put(w, FINDING_NODE_LOST, n->id, &detail, now);
    buf_clear(&detail);
}

static void look_at_server(struct world_server *at, struct moment now)
{
    const struct room_server *s = at->server;
    struct buf detail = {0};

    if (s->state != SERVER_DOWN && s->state != SERVER_DEAD) {
        drop(at->world, FINDING_SERVER_DOWN, s->origin);
        return;
    }
    buf_addf(&detail, "rooms on it: %zu", at->rooms);
    put(at->world, FINDING_SERVER_DOWN, s->origin, &detail, now);
    buf_clear(&detail);
}

/* Subjects are found again by what they are called, so none of these may be cut. */
static_assert((int)URL_ORIGIN_MAX <= (int)FINDING_SUBJECT_MAX, "origins are subjects");
static_assert((int)BEAT_NODE_ID_MAX <= (int)FINDING_SUBJECT_MAX, "node ids are subjects");

/* What it is about may have gone without a word. */
static bool is_about_something(const struct world *w, const struct finding *f)
{
    if (f->check == FINDING_NODE_SECRET)
        return true; /* an address: its time is impostors' */
    if (f->check == FINDING_SERVER_DOWN)
        return servers_find(w, f->subject) != NULL;
    return world_node(w, f->subject) != NULL;
}

static void drop_stale(struct world *w)
{
    for (size_t i = w->findings.count; i-- > 0;) {
        const struct finding *f = &w->findings.items[i];
        if (!is_about_something(w, f))
            drop(w, f->check, f->subject);
    }
}

void world_findings_tick(struct registry *r, struct moment now)
{
    LIST_EACH (&r->world_list, it) {
        struct world *w = CONTAINER_OF(it, struct world, node);
        LIST_EACH (&w->nodes.list, at)
            look_at_node(CONTAINER_OF(at, struct node, in_world), now);
        LIST_EACH (&w->servers, at)
            look_at_server(CONTAINER_OF(at, struct world_server, in_world), now);
        drop_stale(w);
        round_look(w, now);
    }
}

bool world_findings_hold(const struct node *n)
{
    return n->state == NODE_ALIVE || n->state == NODE_SUSPECT;
}

void world_findings_levels(const struct world *w, size_t counts[FINDING_LEVEL_COUNT])
{
    findings_levels(&w->findings, counts);
    LIST_EACH (&w->nodes.list, it) {
        const struct node *n = CONTAINER_OF(it, struct node, in_world);
        if (world_findings_hold(n))
            findings_levels(&n->findings, counts);
    }
}
