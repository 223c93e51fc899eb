/* Shards: shown, resized, drained, removed. */
#include "world/core/manage/manage_body.h"
#include "world/core/manage/manage_page.h"
#include "world/core/manage/manage_verbs.h"
#include "world/core/manage/manage_view.h"
#include "world/core/nodes/nodes.h"
#include "world/core/rooms/shards.h"

static struct span text_of(struct manage *m, const struct shard *s)
{
    struct buf *text = &m->call->core->text;
    struct json_out o = {.out = text};

    buf_reset(text);
    view_shard(&o, NULL, s, m->call->now);
    return buf_span(text);
}

/* ---- show */

/* What the list is narrowed to. */
struct filter {
    struct buf room, node;
    bool by_room, by_node;
    unsigned status; /* SHARD_STATUS_COUNT: any */
};

static bool read_filter(struct manage *m, struct filter *f)
{
    struct buf status = {0};
    bool good = true;

    *f = (struct filter){.status = SHARD_STATUS_COUNT};
    f->by_room = manage_query_text(m, "room", &f->room);
    f->by_node = manage_query_text(m, "node", &f->node);
    if (manage_query_text(m, "status", &status)) {
        for (f->status = 0; f->status < SHARD_STATUS_COUNT; f->status++) {
            if (span_eq(buf_span(&status), span_str(shard_status_names[f->status])))
                break;
        }
        good = f->status < SHARD_STATUS_COUNT;
    }
    if (!good)
        call_refuse(m->call, REFUSAL_QUERY,
                    SPAN("Query parameter status must be active, maintenance or draining"));
    buf_clear(&status);
    return good;
}

static bool passes(const struct filter *f, const struct shard *s)
{
    if (f->by_node && (s->owner == NULL || !span_eq(s->owner->id, buf_span(&f->node))))
        return false;
    return f->status == SHARD_STATUS_COUNT || f->status == s->status;
}

static void show(struct page *page, const struct filter *f, const struct shard *s)
{
    if (passes(f, s) && page_takes(page, s->serial, s->id))
        view_shard(&page->out, NULL, s, page->m->call->now);
}

/* A page begins behind the last shard of the one before, without a walk as long as that is there.
 * The shards of a room stand in its index in the order of their serials, as the world's do. */
static void list_of_room(struct page *page, const struct filter *f, const struct room *room)
{
    const struct shard *last = world_shard_of_serial(room->world, page->after);
    uint32_t at = last != NULL && last->room == room ? last->candidate.slot + 1 : 0;
    struct candidate *c;

    while (!page->full && (c = candidates_next(&room->candidates, &at)) != NULL)
        show(page, f, shard_of_candidate(c));
}

static void list_of_world(struct page *page, const struct filter *f, const struct world *w)
{
    const struct shard *last = world_shard_of_serial(w, page->after);
    struct list *it = last != NULL ? last->node.next : w->shard_list.next;

    for (; it != &w->shard_list && !page->full; it = it->next)
        show(page, f, CONTAINER_OF(it, struct shard, node));
}

void manage_list_shards(struct manage *m)
{
    const struct room *room;
    struct filter filter;
    struct page page;

    if (read_filter(m, &filter) && page_begin(&page, m)) {
        room = world_room(m->world, buf_span(&filter.room));
        if (filter.by_room && room != NULL)
            list_of_room(&page, &filter, room);
        else if (!filter.by_room && m->world != NULL)
            list_of_world(&page, &filter, m->world);
        page_answer(&page);
    }
    buf_clear(&filter.room);
    buf_clear(&filter.node);
}

void manage_get_shard(struct manage *m)
{
    const struct shard *s = manage_shard(m, m->args[0]);

    if (s != NULL)
        call_answer(m->call, text_of(m, s));
}

/* ---- change */

void manage_patch_shard(struct manage *m)
{
    struct shard *s = manage_shard(m, m->args[0]);
    uint64_t max = s == NULL ? 0 : s->max;
    const struct field field = {"maxConnections", FIELD_COUNT, .min = 1, .max = REGISTRY_COUNT_MAX,
                                .out = &max};
    json_t *doc = NULL;

    if (s != NULL && manage_body_read(m->call, &field, 1, &doc)) {
        registry_set_max(&m->call->core->registry, s, max);
        call_answer_stored_with(m->call, 200, text_of(m, s));
    }
    json_decref(doc);
}

void manage_answer_shard(struct manage *m, const struct shard *s)
{
    call_answer_stored_with(m->call, 200, text_of(m, s));
}

/* 204 when the shard is gone by it. */
static void set_status(struct manage *m, struct shard *s, enum shard_status status,
                       const struct order_drain *drain)
{
    bool gone = registry_set_status(&m->call->core->registry, s, status, drain, m->call->now);

    if (gone)
        call_answer_stored_with(m->call, 204, (struct span){0});
    else
        manage_answer_shard(m, s);
}

void manage_delete_shard(struct manage *m)
{
    static const struct order_drain force = {.deadline_ms = MANAGE_FORCE_MS};
    struct shard *s = manage_shard(m, m->args[0]);
    bool forced = false;

    if (s == NULL || !manage_query_flag(m, "force", &forced))
        return;
    if (!forced && shard_used(s) > 0)
        call_refuse_name(m->call, REFUSAL_IN_USE, SPAN("Shard "), s->id,
                         SPAN(" still holds clients"));
    else
        set_status(m, s, SHARD_DRAINING, &force);
}

bool manage_read_drain(struct manage *m, struct order_drain *out)
{
    uint64_t deadline = 0, retry[2] = {0, 0};
    const struct field fields[] = {
        {"deadlineMs", FIELD_COUNT, .max = MANAGE_TIME_MAX, .out = &deadline},
        {"rate", FIELD_COUNT, .max = MANAGE_RATE_MAX, .out = &out->rate},
        {"retryMs", FIELD_RANGE, .min = 1, .max = MANAGE_TIME_MAX, .out = retry},
    };
    json_t *doc;
    bool good = manage_body_read(m->call, fields, sizeof(fields) / sizeof(fields[0]), &doc);

    out->deadline_ms = (int64_t)deadline;
    out->retry_min_ms = (int64_t)retry[0];
    out->retry_max_ms = (int64_t)retry[1];
    json_decref(doc);
    return good;
}

void manage_drain_shard(struct manage *m)
{
    struct shard *s = manage_shard(m, m->args[0]);
    struct order_drain drain = {0};

    if (s != NULL && manage_read_drain(m, &drain))
        set_status(m, s, SHARD_DRAINING, &drain);
}

static void set_plain(struct manage *m, enum shard_status status)
{
    struct shard *s = manage_shard(m, m->args[0]);

    if (s != NULL && manage_body_none(m->call))
        set_status(m, s, status, NULL);
}

void manage_activate_shard(struct manage *m)
{
    set_plain(m, SHARD_ACTIVE);
}

void manage_maintain_shard(struct manage *m)
{
    set_plain(m, SHARD_MAINTENANCE);
}
