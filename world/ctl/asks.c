/* So many at a time; what is under way at the deadline is given up. */
#include "world/ctl/asks.h"

#include "common/base/clock.h"

struct asks {
    struct ctl *c;
    struct ask *list;
    size_t count, next, under_way;
    struct wire_timer deadline;
};

static void begin_some(struct asks *all);

static void on_done(void *ctx, const struct wire_answer *answer)
{
    struct ask *a = ctx;
    struct asks *all = a->all;

    a->under_way = NULL;
    a->err = answer->err;
    a->status = answer->status;
    a->cert_until_s = answer->cert_until_s;
    a->came_ms = clock_wall_ms();
    buf_add_span(&a->why, buf_span(&answer->why));
    if (answer->err == ERR_OK)
        a->doc = json_decode(buf_span(&answer->body));
    all->under_way--;
    begin_some(all);
}

static void begin(struct asks *all, struct ask *a)
{
    struct wire_call call = {.method = a->method,
                             .url = buf_span(&a->url),
                             .headers = buf_span(&a->headers),
                             .body = a->body};

    if (a->token)
        call.token = span_str(all->c->profile.token);
    a->all = all;
    a->sent_ms = clock_wall_ms();
    a->under_way = wire_begin(all->c->wire, &call, on_done, a);
    all->under_way++;
}

static void begin_some(struct asks *all)
{
    while (all->next < all->count && all->under_way < ASKS_UNDER_WAY)
        begin(all, &all->list[all->next++]);
    if (all->under_way == 0)
        wire_stop(all->c->wire);
}

static void on_deadline(void *ctx)
{
    struct asks *all = ctx;

    wire_stop(all->c->wire);
}

static void give_up(struct asks *all)
{
    for (size_t i = 0; i < all->count; i++) {
        struct ask *a = &all->list[i];
        if (a->under_way == NULL && i < all->next)
            continue;
        if (a->under_way != NULL)
            wire_abandon(a->under_way);
        a->under_way = NULL;
        a->err = ERR_TIMEOUT;
        BUF_ADD_LIT(&a->why, "no answer in time");
    }
}

bool asks_run(struct ctl *c, struct ask *list, size_t count, int64_t ms)
{
    struct asks all = {.c = c, .list = list, .count = count};
    bool good;

    if (count == 0)
        return !wire_interrupted(c->wire);
    profile_renew(&c->profile, &c->args);
    wire_timer_start(c->wire, &all.deadline, ms, on_deadline, &all);
    begin_some(&all);
    good = wire_run(c->wire);
    wire_timer_clear(&all.deadline);
    give_up(&all);
    return good;
}

bool asks_get(struct ctl *c, struct ask *a, const char *base, struct span path)
{
    *a = (struct ask){.token = true};
    buf_addf(&a->url, "%s%.*s", base, SPAN_ARG(path));
    return asks_run(c, a, 1, ASKS_MS);
}

bool ask_is_good(const struct ask *a)
{
    return a->err == ERR_OK && a->status >= 200 && a->status < 300;
}

void ask_add_fault(const struct ask *a, struct buf *out)
{
    struct span text;

    if (a->err != ERR_OK)
        buf_add_span(out, buf_span(&a->why));
    else if (json_get_span(a->doc, "detail", &text) || json_get_span(a->doc, "error", &text))
        buf_addf(out, "it answers %d: %.*s", a->status, SPAN_ARG(text));
    else
        buf_addf(out, "it answers %d", a->status);
}

void ask_clear(struct ask *a)
{
    buf_clear(&a->url);
    buf_clear(&a->headers);
    buf_clear(&a->why);
    json_decref(a->doc);
    *a = (struct ask){0};
}
