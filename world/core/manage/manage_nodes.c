/* Nodes: shown, drained, forgotten; shards moved to them. */
#include "world/core/manage/manage_body.h"
#include "world/core/manage/manage_page.h"
#include "world/core/manage/manage_verbs.h"
#include "world/core/manage/manage_view.h"
#include "world/core/nodes/nodes.h"

enum { NODE_ID_MAX = 4096 };

static struct span text_of(struct manage *m, const struct node *n)
{
    struct buf *text = &m->call->core->text;
    struct json_out o = {.out = text};

    buf_reset(text);
    view_node(&o, NULL, n, m->call->now);
    return buf_span(text);
}

struct node *manage_node(struct manage *m, struct span id)
{
    struct node *n = m->world == NULL ? NULL : world_node(m->world, id);

    if (n == NULL)
        call_refuse_name(m->call, REFUSAL_NODE_MISSING, SPAN("Node "), id, SPAN(" is not known"));
    return n;
}

void manage_list_nodes(struct manage *m)
{
    struct page page;

    if (!page_begin(&page, m))
        return;
    if (m->world != NULL) {
        LIST_EACH (&m->world->nodes.list, it) {
            const struct node *n = CONTAINER_OF(it, struct node, in_world);
            if (page_takes(&page, n->serial, n->id))
                view_node(&page.out, NULL, n, m->call->now);
            if (page.full)
                break;
        }
    }
    page_answer(&page);
}

void manage_get_node(struct manage *m)
{
    const struct node *n = manage_node(m, m->args[0]);

    if (n != NULL)
        manage_answer_node(m, n);
}

void manage_answer_node(struct manage *m, const struct node *n)
{
    call_answer(m->call, text_of(m, n));
}

void manage_drain_node(struct manage *m)
{
    struct node *n = manage_node(m, m->args[0]);
    struct order_drain drain = {0};

    if (n == NULL || !manage_read_drain(m, &drain))
        return;
    node_drain(&m->call->core->registry, n, true, &drain, m->call->now);
    call_answer_stored_with(m->call, 200, text_of(m, n));
}

void manage_undrain_node(struct manage *m)
{
    static const struct order_drain none;
    struct node *n = manage_node(m, m->args[0]);

    if (n == NULL || !manage_body_none(m->call))
        return;
    node_drain(&m->call->core->registry, n, false, &none, m->call->now);
    call_answer_stored_with(m->call, 200, text_of(m, n));
}

/* Nobody has to do with it any more; what no other node can take has no owner then. */
static void forget(struct manage *m, struct node *n)
{
    struct registry *r = &m->call->core->registry;

    (void)nodes_evacuate(r, n, m->call->now);
    for (struct list *it; (it = list_first(&n->owned)) != NULL;)
        shard_set_owner(r, CONTAINER_OF(it, struct shard, in_owner), NULL, m->call->now);
    for (struct list *it; (it = list_first(&n->holdings)) != NULL;)
        holding_end(r, CONTAINER_OF(it, struct holding, in_node), m->call->now);
    node_forget(r, n);
}

void manage_delete_node(struct manage *m)
{
    struct node *n = manage_node(m, m->args[0]);

    if (n == NULL)
        return;
    if (n->state == NODE_ALIVE || n->state == NODE_SUSPECT) {
        call_refuse_name(m->call, REFUSAL_IN_USE, SPAN("Node "), n->id, SPAN(" still lives"));
        return;
    }
    forget(m, n);
    call_answer_stored_with(m->call, 204, (struct span){0});
}

static void move_shard(struct manage *m, struct shard *s, struct node *to)
{
    if (s->owner != to && !node_is_usable(to)) {
        call_refuse_name(m->call, REFUSAL_NODE_UNUSABLE, SPAN("Node "), to->id,
                         SPAN(" takes no shards now"));
        return;
    }
    if (s->owner != to && shard_move(&m->call->core->registry, s, to, MOVE_ORDERED, m->call->now))
        call_refuse(m->call, REFUSAL_SHARD_MISSING, SPAN("The shard was drained and is gone"));
    else
        manage_answer_shard(m, s);
}

void manage_move_shard(struct manage *m)
{
    struct shard *s = manage_shard(m, m->args[0]);
    struct span id = {0};
    const struct field field = {"node",   FIELD_TEXT,         .required = true,
                                .min = 1, .max = NODE_ID_MAX, .out = &id};
    json_t *doc = NULL;
    struct node *to;

    if (s != NULL && manage_body_read(m->call, &field, 1, &doc)) {
        to = manage_node(m, id);
        if (to != NULL)
            move_shard(m, s, to);
    }
    json_decref(doc);
}
