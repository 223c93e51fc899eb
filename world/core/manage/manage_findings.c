/* What is wrong, the worst first; and what operators see of this very process. */
#include "common/base/log.h"
#include "common/base/version.h"
#include "world/core/findings/world_findings.h"
#include "world/core/manage/manage_verbs.h"
#include "world/core/manage/manage_view.h"
#include "world/core/nodes/nodes.h"

/* Those of one set that are of one level. `by` is "node" or "world". */
static void list_level(struct json_out *o, const struct findings *f, enum finding_level level,
                       const char *by, struct span who)
{
    for (size_t i = 0; i < f->count; i++)
        if (finding_kinds[f->items[i].check].level == level)
            view_finding(o, &f->items[i], by, who);
}

static void list_nodes(struct json_out *o, const struct world *w, enum finding_level level)
{
    LIST_EACH (&w->nodes.list, it) {
        const struct node *n = CONTAINER_OF(it, struct node, in_world);
        if (world_findings_hold(n))
            list_level(o, &n->findings, level, "node", n->id);
    }
}

/* This process's. Who calls himself a node has named a world, which may be none of the token's. */
static void list_own(struct json_out *o, const struct manage *m, enum finding_level level)
{
    const struct core *core = m->call->core;
    bool sees_all = token_covers(&m->token, SPAN("*"));

    for (size_t i = 0; i < core->findings.count; i++) {
        const struct finding *f = &core->findings.items[i];
        bool hidden = f->check == FINDING_NODE_SECRET && !sees_all;
        if (finding_kinds[f->check].level == level)
            view_finding_as(o, f, "world", core->settings->process,
                            hidden ? SPAN("calls itself a node of another world") : f->detail);
    }
}

static void list_findings(struct json_out *o, const char *key, const struct manage *m,
                          const struct world *w)
{
    struct span id = m->call->core->settings->process;

    json_out_open(o, key, '[');
    for (unsigned level = 0; level < FINDING_LEVEL_COUNT; level++) {
        list_own(o, m, (enum finding_level)level);
        if (w == NULL)
            continue;
        list_level(o, &w->findings, (enum finding_level)level, "world", id);
        list_nodes(o, w, (enum finding_level)level);
    }
    json_out_close(o, ']');
}

static void view_round(struct json_out *o, const struct world *w, struct moment now)
{
    if (w == NULL || !w->round.is_under_way) {
        json_out_null(o, "checkup");
        return;
    }
    json_out_open(o, "checkup", '{');
    json_out_i64(o, "id", w->round.id);
    json_out_i64(o, "startedAt", w->round.started_ms);
    json_out_open(o, "waiting", '[');
    LIST_EACH (&w->nodes.list, it) {
        const struct node *n = CONTAINER_OF(it, struct node, in_world);
        if (round_waits_for(n, now))
            json_out_text(o, NULL, n->id);
    }
    json_out_close(o, ']');
    json_out_close(o, '}');
}

static void answer(struct manage *m, int status)
{
    struct core *core = m->call->core;
    struct json_out o = {.out = &core->text};

    buf_reset(&core->text);
    json_out_open(&o, NULL, '{');
    view_round(&o, m->world, m->call->now);
    list_findings(&o, "items", m, m->world);
    json_out_close(&o, '}');
    call_answer_with(m->call, status, buf_span(&core->text));
}

void manage_list_findings(struct manage *m)
{
    if (m->world != NULL)
        round_look(m->world, m->call->now);
    answer(m, 200);
}

void manage_begin_checkup(struct manage *m)
{
    if (m->world != NULL)
        round_begin(m->world, m->call->now);
    answer(m, 202);
}

/* ---- this process */

static void list_worlds(struct json_out *o, const struct manage *m)
{
    const struct core *core = m->call->core;
    const struct owner_port *owner = &core->port->owner;

    json_out_open(o, "worlds", '[');
    LIST_EACH (&core->registry.world_list, it) {
        const struct world *w = CONTAINER_OF(it, struct world, node);
        if (token_covers(&m->token, w->id) && owner->find(owner->ctx, w->id) == OWNER_US)
            json_out_text(o, NULL, w->id);
    }
    json_out_close(o, ']');
}

static void list_peers(struct json_out *o, const struct peers_port *peers)
{
    struct span id, url;

    json_out_open(o, "peers", '[');
    for (size_t i = 0; peers->get != NULL && peers->get(peers->ctx, i, &id, &url); i++) {
        json_out_open(o, NULL, '{');
        json_out_text(o, "id", id);
        json_out_text(o, "url", url);
        json_out_close(o, '}');
    }
    json_out_close(o, ']');
}

void manage_show_process(struct manage *m)
{
    struct core *core = m->call->core;
    const char *store = core->settings->store;
    struct json_out o = {.out = &core->text};

    if (!token_covers_some(&m->token)) {
        call_refuse(m->call, REFUSAL_DENIED, SPAN("Not permitted"));
        return;
    }
    buf_reset(&core->text);
    json_out_open(&o, NULL, '{');
    json_out_text(&o, "process", SPAN("terrane-world"));
    json_out_text(&o, "id", core->settings->process);
    json_out_text(&o, "version", SPAN(TERRANE_VERSION));
    json_out_i64(&o, "startedAt", core->started_ms);
    json_out_i64(&o, "now", m->call->now.wall_ms);
    json_out_text(&o, "logLevel", span_str(log_level_names[log_least()]));
    json_out_text(&o, "store", store == NULL ? SPAN("memory") : span_str(store));
    list_worlds(&o, m);
    list_peers(&o, &core->port->peers);
    list_findings(&o, "findings", m, NULL);
    json_out_close(&o, '}');
    call_answer(m->call, buf_span(&core->text));
}
