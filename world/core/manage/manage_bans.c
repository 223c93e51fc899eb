/* Sessions kept out of rooms. */
#include "world/core/api/api_body.h"
#include "world/core/manage/manage_body.h"
#include "world/core/manage/manage_page.h"
#include "world/core/manage/manage_verbs.h"

enum { BAN_SECONDS_MAX = 10 * 365 * 24 * 3600 };

static void view_ban(struct json_out *o, const struct ban *b, struct moment now)
{
    json_out_open(o, NULL, '{');
    json_out_text(o, "session", b->session);
    json_out_i64(o, "until", b->until_ms);
    json_out_i64(o, "leftMs", b->until_ms > now.wall_ms ? b->until_ms - now.wall_ms : 0);
    json_out_close(o, '}');
}

static struct span text_of(struct manage *m, const struct ban *b)
{
    struct buf *text = &m->call->core->text;
    struct json_out o = {.out = text};

    buf_reset(text);
    view_ban(&o, b, m->call->now);
    return buf_span(text);
}

/* The ban that the path names; NULL: there is none, and the request has been answered. */
static struct ban *find_ban(struct manage *m)
{
    const struct room *room = manage_room(m, m->args[0]);
    struct ban *b = room == NULL ? NULL : ban_find(room, m->args[1]);

    if (room != NULL && b == NULL)
        call_refuse_name(m->call, REFUSAL_BAN_MISSING, SPAN("Session "), m->args[1],
                         SPAN(" is not banned"));
    return b;
}

void manage_list_bans(struct manage *m)
{
    const struct room *room = manage_room(m, m->args[0]);
    struct page page;

    if (room == NULL || !page_begin(&page, m))
        return;
    LIST_EACH (&room->bans.list, it) {
        const struct ban *b = CONTAINER_OF(it, struct ban, in_room);
        if (page_takes(&page, b->serial, b->session))
            view_ban(&page.out, b, m->call->now);
        if (page.full)
            break;
    }
    page_answer(&page);
}

void manage_get_ban(struct manage *m)
{
    const struct ban *b = find_ban(m);

    if (b != NULL)
        call_answer(m->call, text_of(m, b));
}

/* A ban is not made shorter by a kick: `until_ms` is the least that it lasts when `at_least`. */
static void put(struct manage *m, struct room *room, struct span session, int64_t ms, bool at_least)
{
    int64_t until = m->call->now.wall_ms + ms;
    const struct ban *b = ban_find(room, session);
    bool fresh = b == NULL;

    if (session.len == 0 || session.len > SESSION_MAX) {
        call_refuse(m->call, REFUSAL_SESSION_TOO_LONG, SPAN("session must have 1 to 4096 bytes"));
        return;
    }
    if (at_least && !fresh && b->until_ms > until)
        until = b->until_ms;
    b = ban_put(&m->call->core->registry, room, session, until, m->call->now);
    if (b == NULL)
        call_refuse(m->call, REFUSAL_BANS_FULL, SPAN("The room can have at most 1000 bans"));
    else
        call_answer_stored_with(m->call, fresh && !at_least ? 201 : 200, text_of(m, b));
}

void manage_put_ban(struct manage *m)
{
    struct room *room = manage_room(m, m->args[0]);
    uint64_t seconds = 0;
    const struct field field = {"seconds",      FIELD_COUNT, true, .min = 1, .max = BAN_SECONDS_MAX,
                                .out = &seconds};
    json_t *doc = NULL;

    if (room != NULL && manage_body_read(m->call, &field, 1, &doc))
        put(m, room, m->args[1], (int64_t)seconds * 1000, false);
    json_decref(doc);
}

void manage_delete_ban(struct manage *m)
{
    struct ban *b = find_ban(m);

    if (b == NULL)
        return;
    ban_remove(&m->call->core->registry, b);
    call_answer_stored_with(m->call, 204, (struct span){0});
}

void manage_kick(struct manage *m)
{
    struct room *room = manage_room(m, m->args[0]);
    struct span session = {0};
    const struct field field = {"session", FIELD_TEXT,         true,
                                .min = 1,  .max = SESSION_MAX, .out = &session};
    json_t *doc = NULL;

    if (room != NULL && manage_body_read(m->call, &field, 1, &doc))
        put(m, room, session, BANS_KICK_MS, true);
    json_decref(doc);
}
