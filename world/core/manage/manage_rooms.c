/* Rooms: shown, applied, scaled, removed. */
#include "world/core/api/api_body.h"
#include "world/core/manage/manage_body.h"
#include "world/core/manage/manage_page.h"
#include "world/core/manage/manage_verbs.h"
#include "world/core/manage/manage_view.h"
#include "world/core/rooms/scale.h"
#include "world/core/rooms/shards.h"

static struct span text_of(struct manage *m, const struct room *room)
{
    struct buf *text = &m->call->core->text;
    struct json_out o = {.out = text};

    buf_reset(text);
    view_room(&o, NULL, room);
    return buf_span(text);
}

/* Begins behind the last room of the page before, without a walk as long as that is there. */
static void list_of_world(struct page *page, const struct world *w)
{
    const struct room *last = world_room_of_serial(w, page->after);
    struct list *it = last != NULL ? last->node.next : w->room_list.next;

    for (; it != &w->room_list && !page->full; it = it->next) {
        const struct room *room = CONTAINER_OF(it, struct room, node);
        if (page_takes(page, room->serial, room->name))
            view_room(&page->out, NULL, room);
    }
}

void manage_list_rooms(struct manage *m)
{
    struct page page;

    if (!page_begin(&page, m))
        return;
    if (m->world != NULL)
        list_of_world(&page, m->world);
    page_answer(&page);
}

void manage_get_room(struct manage *m)
{
    const struct room *room = manage_room(m, m->args[0]);

    if (room != NULL)
        call_answer(m->call, text_of(m, room));
}

/* ---- apply */

static bool read_settings(struct manage *m, struct room_settings *s)
{
    unsigned strategy = s->strategy;
    const struct field fields[] = {
        {"balancingStrategy", FIELD_CHOICE, .options = strategy_names, .out = &strategy},
        {"public", FIELD_BOOL, .out = &s->is_public},
        {"maxPlayersPerShard", FIELD_COUNT, .min = 1, .max = REGISTRY_COUNT_MAX,
         .out = &s->max_players},
        {"minShards", FIELD_COUNT, .max = m->call->core->settings->max_room_shards,
         .out = &s->min_shards},
        {"maxShards", FIELD_COUNT, .min = 1, .max = REGISTRY_COUNT_MAX, .out = &s->max_shards},
    };
    json_t *doc;
    bool good = manage_body_read(m->call, fields, sizeof(fields) / sizeof(fields[0]), &doc);

    json_decref(doc);
    s->strategy = (enum strategy)strategy;
    if (!good)
        return false;
    if (s->max_shards != 0 && s->min_shards > s->max_shards) {
        call_refuse(m->call, REFUSAL_MIN_OVER_MAX,
                    SPAN("minShards cannot be greater than maxShards"));
        return false;
    }
    return true;
}

static bool check_name(struct manage *m, struct span name)
{
    if (name.len <= ROOM_ID_MAX)
        return true;
    call_refuse(m->call, REFUSAL_ROOM_ID_TOO_LONG, SPAN("The name of the room is too long"));
    return false;
}

void manage_put_room(struct manage *m)
{
    struct registry *registry = &m->call->core->registry;
    struct room_settings settings = room_settings_default;
    struct room *room = world_room(m->world, m->args[0]);
    bool fresh = room == NULL;

    if (!check_name(m, m->args[0]) || !read_settings(m, &settings))
        return;
    if (fresh)
        room = registry_add_room(registry, manage_make_world(m), m->args[0], &settings);
    else
        registry_set_room(registry, room, &settings);
    while (room_shards(room) < settings.min_shards)
        registry_add_shard(registry, room, (struct span){0}, 0, m->call->now);
    call_answer_stored_with(m->call, fresh ? 201 : 200, text_of(m, room));
}

/* ---- remove */

static uint64_t used(const struct room *room)
{
    return room->tally.open + room->tally.reserved + room->tally.returning;
}

void manage_delete_room(struct manage *m)
{
    static const struct order_drain force = {.deadline_ms = MANAGE_FORCE_MS};
    struct room *room = manage_room(m, m->args[0]);
    bool forced = false;

    if (room == NULL || !manage_query_flag(m, "force", &forced))
        return;
    if (!forced && used(room) > 0)
        call_refuse_name(m->call, REFUSAL_IN_USE, SPAN("Room "), room->name,
                         SPAN(" still holds clients"));
    else if (registry_leave_room(&m->call->core->registry, room, &force, m->call->now))
        call_answer_stored_with(m->call, 204, (struct span){0});
    else
        call_answer_stored_with(m->call, 200, text_of(m, room));
}

/* ---- shards of a room */

/* Whether the room may have `count` shards; false: the request has been answered. */
static bool may_have(struct manage *m, const struct room *room, uint64_t count)
{
    uint64_t most = m->call->core->settings->max_room_shards, max = room->settings.max_shards;
    struct buf text = {0};

    if (max != 0 && max < most)
        most = max;
    if (count <= most)
        return true;
    buf_addf(&text, "The room can have at most %llu shards", (unsigned long long)most);
    call_refuse(m->call, REFUSAL_OVER_MAX_SHARDS, buf_span(&text));
    buf_clear(&text);
    return false;
}

void manage_scale_room(struct manage *m)
{
    struct registry *registry = &m->call->core->registry;
    struct room *room = manage_room(m, m->args[0]);
    struct order_drain drain = {0};
    uint64_t target = 0, deadline = 0;
    json_t *doc = NULL;
    const struct field fields[] = {
        {"target", FIELD_COUNT, true, .min = 1, .max = REGISTRY_COUNT_MAX, .out = &target},
        {"deadlineMs", FIELD_COUNT, .max = MANAGE_TIME_MAX, .out = &deadline},
    };

    if (room != NULL &&
        manage_body_read(m->call, fields, sizeof(fields) / sizeof(fields[0]), &doc) &&
        may_have(m, room, target)) {
        drain.deadline_ms = (int64_t)deadline;
        registry_scale_down(registry, room, (uint32_t)target, &drain, m->call->now);
        while (room_shards(room) < target)
            registry_add_shard(registry, room, (struct span){0}, 0, m->call->now);
        call_answer_stored_with(m->call, 200, text_of(m, room));
    }
    json_decref(doc);
}

struct new_shards {
    uint64_t count, max;
    struct span url_template;
};

static void add_shards(struct manage *m, struct room *room, const struct new_shards *wanted)
{
    struct buf *text = &m->call->core->text;
    struct json_out o = {.out = text};

    buf_reset(text);
    json_out_open(&o, NULL, '{');
    json_out_open(&o, "items", '[');
    for (uint64_t i = 0; i < wanted->count; i++) {
        const struct shard *s = registry_add_shard(&m->call->core->registry, room,
                                                   wanted->url_template, wanted->max, m->call->now);
        view_shard(&o, NULL, s, m->call->now);
    }
    json_out_close(&o, ']');
    json_out_close(&o, '}');
    call_answer_stored_with(m->call, 201, buf_span(text));
}

void manage_add_shards(struct manage *m)
{
    struct room *room = manage_room(m, m->args[0]);
    struct new_shards wanted = {.count = 1};
    json_t *doc = NULL;
    const struct field fields[] = {
        {"count", FIELD_COUNT, .min = 1, .max = MANAGE_COUNT_MAX, .out = &wanted.count},
        {"urlTemplate", FIELD_TEXT, .min = 1, .max = URL_TEMPLATE_MAX, .out = &wanted.url_template},
        {"maxConnections", FIELD_COUNT, .min = 1, .max = REGISTRY_COUNT_MAX, .out = &wanted.max},
    };

    if (room != NULL &&
        manage_body_read(m->call, fields, sizeof(fields) / sizeof(fields[0]), &doc) &&
        may_have(m, room, room_shards(room) + wanted.count))
        add_shards(m, room, &wanted);
    json_decref(doc);
}
