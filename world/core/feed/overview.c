/* Only reading: what is shown is the registry's and the process's. */
#include "world/core/feed/overview.h"

#include "common/base/json_out.h"
#include "common/base/version.h"
#include "world/core/findings/world_findings.h"
#include "world/core/nodes/nodes.h"
#include "world/core/rooms/shards.h"

static void view_shards(struct json_out *o, const struct world *w)
{
    json_out_open(o, "shards", '{');
    json_out_u64(o, "total", w->shards.count);
    for (int i = 0; i < SHARD_STATUS_COUNT; i++)
        json_out_u64(o, shard_status_names[i], w->by_status[i]);
    json_out_close(o, '}');
}

static void view_nodes(struct json_out *o, const struct world *w)
{
    uint64_t states[NODE_STATE_COUNT] = {0}, draining = 0;

    LIST_EACH (&w->nodes.list, it) {
        const struct node *n = CONTAINER_OF(it, struct node, in_world);
        states[n->state]++;
        draining += node_drains(n);
    }
    json_out_open(o, "nodes", '{');
    for (int i = 0; i < NODE_STATE_COUNT; i++)
        json_out_u64(o, node_state_names[i], states[i]);
    json_out_u64(o, "draining", draining);
    json_out_close(o, '}');
}

static void view_servers(struct json_out *o, const struct world *w)
{
    uint64_t states[SERVER_STATE_COUNT] = {0};

    LIST_EACH (&w->servers, it)
        states[CONTAINER_OF(it, struct world_server, in_world)->server->state]++;
    json_out_open(o, "servers", '{');
    for (int i = 0; i < SERVER_STATE_COUNT; i++)
        json_out_u64(o, server_state_names[i], states[i]);
    json_out_close(o, '}');
}

static void view_refusals(struct json_out *o, const uint64_t counts[REFUSAL_COUNT])
{
    json_out_open(o, "refusals", '{');
    for (int why = REFUSAL_NONE + 1; why < REFUSAL_COUNT; why++) {
        if (counts[why] > 0)
            json_out_u64(o, refusal_name((enum refusal)why), counts[why]);
    }
    json_out_close(o, '}');
}

static void view_process(struct json_out *o, const struct pulse *p)
{
    uint64_t placements = 0;

    for (int i = 0; i < STRATEGY_COUNT; i++)
        placements += p->stats->placements[i];
    json_out_open(o, "process", '{');
    json_out_text(o, "id", p->id);
    json_out_text(o, "version", SPAN(TERRANE_VERSION));
    json_out_i64(o, "lagMs", pulse_lag_ms(p));
    json_out_u64(o, "placements", placements);
    view_refusals(o, p->stats->refusals);
    json_out_close(o, '}');
}

void overview_view_findings(struct json_out *o, const struct world *w, const struct pulse *p)
{
    static const char *const names[] = {
        [FINDING_ERROR] = "error", [FINDING_WARNING] = "warning", [FINDING_NOTICE] = "notice"};
    size_t counts[FINDING_LEVEL_COUNT] = {0};

    findings_levels(p->findings, counts);
    world_findings_levels(w, counts);
    json_out_open(o, "findings", '{');
    for (unsigned level = 0; level < FINDING_LEVEL_COUNT; level++)
        json_out_u64(o, names[level], counts[level]);
    json_out_close(o, '}');
}

void overview_add_head(struct buf *out, const struct world *w, struct moment now)
{
    struct json_out o = {.out = out};

    json_out_open(&o, NULL, '{');
    json_out_text(&o, "world", w->id);
    json_out_i64(&o, "now", now.wall_ms);
}

void overview_add_rest(struct buf *out, const struct world *w, const struct pulse *p)
{
    struct json_out o = {.out = out, .more = true};

    json_out_u64(&o, "change", w->change + p->findings->version);
    json_out_u64(&o, "rooms", w->rooms.count);
    view_shards(&o, w);
    view_nodes(&o, w);
    view_servers(&o, w);
    json_out_u64(&o, "connections", w->tally.open);
    json_out_u64(&o, "reserved", w->tally.reserved);
    json_out_u64(&o, "returning", w->tally.returning);
    json_out_u64(&o, "capacity", w->tally.max);
    json_out_u64(&o, "placements", w->placements);
    view_refusals(&o, w->refusals);
    overview_view_findings(&o, w, p);
    view_process(&o, p);
    json_out_close(&o, '}');
}

void overview_add(struct buf *out, const struct world *w, const struct pulse *p, struct moment now)
{
    overview_add_head(out, w, now);
    overview_add_rest(out, w, p);
}
