/* Room servers of a world, and rooms moved among them. */
#include "world/core/manage/manage_body.h"
#include "world/core/manage/manage_page.h"
#include "world/core/manage/manage_verbs.h"
#include "world/core/nodes/nodes.h"

enum { ORIGIN_MAX = 2048 };

static void view_server(struct json_out *o, const struct world_server *at)
{
    json_out_open(o, NULL, '{');
    json_out_text(o, "server", at->server->origin);
    json_out_text(o, "state", span_str(server_state_names[at->server->state]));
    json_out_bool(o, "configured", at->server->configured);
    json_out_bool(o, "registered", at->registered);
    json_out_bool(o, "draining", at->draining);
    json_out_u64(o, "rooms", at->rooms);
    json_out_u64(o, "awaited", at->awaited);
    json_out_close(o, '}');
}

static struct span text_of(struct manage *m, const struct world_server *at)
{
    struct buf *text = &m->call->core->text;
    struct json_out o = {.out = text};

    buf_reset(text);
    view_server(&o, at);
    return buf_span(text);
}

/* NULL: there is none, and the request has been answered. */
static struct world_server *find_server(struct manage *m, struct span origin)
{
    struct world_server *at = m->world == NULL ? NULL : servers_find(m->world, origin);

    if (at == NULL)
        call_refuse_name(m->call, REFUSAL_SERVER_MISSING, SPAN("Room server "), origin,
                         SPAN(" is not known"));
    return at;
}

void manage_list_servers(struct manage *m)
{
    struct page page;

    if (!page_begin(&page, m))
        return;
    if (m->world != NULL) {
        LIST_EACH (&m->world->servers, it) {
            const struct world_server *at = CONTAINER_OF(it, struct world_server, in_world);
            if (page_takes(&page, at->serial, at->server->origin))
                view_server(&page.out, at);
            if (page.full)
                break;
        }
    }
    page_answer(&page);
}

void manage_get_server(struct manage *m)
{
    const struct world_server *at = find_server(m, m->args[0]);

    if (at != NULL)
        call_answer(m->call, text_of(m, at));
}

/* NULL: it could not be added, and the request has been answered. */
static struct world_server *add_server(struct manage *m)
{
    struct registry *r = &m->call->core->registry;
    struct world_server *at = NULL;

    switch (servers_add(r, manage_make_world(m), m->args[0], m->call->now, &at)) {
    case ERR_OK:
        return at;
    case ERR_FULL:
        call_refuse(m->call, REFUSAL_SERVERS_FULL, SPAN("The world has too many room servers"));
        return NULL;
    default: /* NOLINT: it is not there yet */
        call_refuse_name(m->call, REFUSAL_SERVER_ORIGIN, m->args[0], SPAN(" is no http origin"),
                         (struct span){0});
        return NULL;
    }
}

void manage_put_server(struct manage *m)
{
    struct world_server *at = m->world == NULL ? NULL : servers_find(m->world, m->args[0]);
    bool fresh = at == NULL, draining = false;
    const struct field field = {"draining", FIELD_BOOL, .out = &draining};
    json_t *doc;

    if (manage_body_read(m->call, &field, 1, &doc)) {
        if (fresh)
            at = add_server(m);
        if (at != NULL) {
            if (at->draining != draining)
                servers_drain(&m->call->core->registry, at, draining);
            call_answer_stored_with(m->call, fresh ? 201 : 200, text_of(m, at));
        }
    }
    json_decref(doc);
}

void manage_delete_server(struct manage *m)
{
    struct world_server *at = find_server(m, m->args[0]);

    if (at == NULL)
        return;
    if (at->server->configured) {
        call_refuse_name(m->call, REFUSAL_IN_USE, SPAN("Room server "), at->server->origin,
                         SPAN(" is configured; it can be drained"));
        return;
    }
    servers_remove(&m->call->core->registry, at);
    call_answer_stored_with(m->call, 204, (struct span){0});
}

static void move_room(struct manage *m, struct room *room, struct world_server *to)
{
    enum err e = room_move(&m->call->core->registry, room, to, m->call->now);

    if (e == ERR_DENIED)
        call_refuse_name(m->call, REFUSAL_SERVER_UNUSABLE, SPAN("Room server "), to->server->origin,
                         SPAN(" takes no rooms now"));
    else /* ERR_EXISTS: it is there, or on its way */
        call_answer_stored_with(m->call, 200, text_of(m, to));
}

void manage_move_room(struct manage *m)
{
    struct room *room = manage_room(m, m->args[0]);
    struct span origin = {0};
    const struct field field = {"server", FIELD_TEXT,        true,
                                .min = 1, .max = ORIGIN_MAX, .out = &origin};
    json_t *doc = NULL;
    struct world_server *to;

    if (room != NULL && manage_body_read(m->call, &field, 1, &doc)) {
        to = find_server(m, origin);
        if (to != NULL)
            move_room(m, room, to);
    }
    json_decref(doc);
}
