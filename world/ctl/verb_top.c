/* Asks for the overview each second, and for the list that is seen whenever it has changed. */
#include "world/ctl/verb_top.h"

#include <unistd.h>

#include "common/base/clock.h"
#include "world/ctl/answer.h"
#include "world/ctl/api.h"
#include "world/ctl/screen.h"
#include "world/ctl/top_draw.h"

enum { TICK_MS = 1000, LIST_MAX = 1000, FIRST_REFUSAL = 300, SERVER_ERROR = 500, ANSWER_MS = 5000 };

struct top {
    struct ctl *ctl;
    struct top_view view;
    struct top_data data;
    struct top_rows rows;
    struct canvas canvas;
    int height; /* rows of items that are seen */
    struct wire_watch *keys, *size;
    struct wire_timer tick;
    struct wire_exchange *overview, *list, *act; /* NULL: not asked */
    enum top_page asked;                         /* the page of `list` */
    double change;                               /* of the world, when that was asked */
    bool fetch;                                  /* the list is wanted, whatever has changed */
    enum ended how;
};

static void end(struct top *t, enum ended how)
{
    t->how = how;
    wire_stop(t->ctl->wire);
}

static void draw(struct top *t)
{
    int width, height;
    struct top_order order = top_view_order(&t->view);
    screen_size(&width, &height);
    if (t->data.overview == NULL)
        t->data.now_ms = clock_wall_ms();
    t->height = top_draw_height(width, height, &t->data);
    top_rows_make(&t->rows, t->data.lists[t->view.page], &order, t->data.now_ms);
    top_view_settle(&t->view, &t->rows, t->height);
    canvas_reset(&t->canvas, width, height);
    (void)top_draw(&t->canvas, &t->view, &t->data, &t->rows);
    screen_show(&t->canvas);
}

/* ---- asking */

static struct wire_exchange *ask(struct top *t, const char *method, struct span path,
                                 struct span body, wire_done_fn *done)
{
    struct profile *p = &t->ctl->profile;
    struct buf url = {0};
    profile_renew(p, &t->ctl->args);
    buf_addf(&url, "%s/api/v1/worlds/%s%.*s", p->url, p->world, SPAN_ARG(path));
    struct wire_call call = {.method = method,
                             .url = buf_span(&url),
                             .token = span_str(p->token),
                             .body = body,
                             .answer_ms = ANSWER_MS};
    struct wire_exchange *x = wire_begin(t->ctl->wire, &call, done, t);
    buf_clear(&url);
    return x;
}

/* What an answer says, or NULL: then the world is not reached, or *refused has its status. The
 * caller frees it. */
static json_t *take(struct top *t, const struct wire_answer *a, int *refused)
{
    buf_reset(&t->data.trouble);
    *refused = 0;
    if (a->err != ERR_OK) {
        buf_add_span(&t->data.trouble, buf_span(&a->why));
    } else if (a->status >= FIRST_REFUSAL) {
        *refused = a->status;
        if (a->status >= SERVER_ERROR)
            buf_addf(&t->data.trouble, "the world answers %d", a->status);
    } else {
        return json_decode(buf_span(&a->body));
    }
    return NULL;
}

static void ask_list(struct top *t);

static void on_list(void *ctx, const struct wire_answer *a)
{
    struct top *t = ctx;
    int refused;
    t->list = NULL;
    json_t *doc = take(t, a, &refused);
    if (refused == 401 || refused == 403 || refused == 404) {
        screen_close();
        end(t, api_refused(t->ctl, a));
        return;
    }
    if (doc != NULL && !top_data_list(&t->data, t->asked, doc))
        BUF_ADD_LIT(&t->data.trouble, "it answers no list: is this a world?");
    if (t->fetch)
        ask_list(t);
    draw(t);
}

static void ask_list(struct top *t)
{
    struct buf path = {0};
    if (t->list != NULL)
        return;
    t->fetch = false;
    t->asked = t->view.page;
    t->change = top_data_number(&t->data, "change");
    buf_addf(&path, "/%s?limit=%d", top_sheets[t->asked].name, LIST_MAX);
    if (t->view.filter.len > 0) {
        buf_add_char(&t->view.filter, '\0');
        api_query(&path, "q", t->view.filter.data);
        t->view.filter.len--;
    }
    t->list = ask(t, "GET", buf_span(&path), (struct span){0}, on_list);
    buf_clear(&path);
}

/* Rooms and shards may be many: only when one has changed. How long a node has been silent always
 * changes. */
static bool list_is_stale(const struct top *t)
{
    bool many = t->view.page == TOP_ROOMS || t->view.page == TOP_SHARDS;
    return t->fetch || !many || top_data_number(&t->data, "change") != t->change;
}

static void on_overview(void *ctx, const struct wire_answer *a)
{
    struct top *t = ctx;
    int refused;
    bool was_lost = t->data.trouble.len > 0;
    t->overview = NULL;
    json_t *doc = take(t, a, &refused);
    if (refused == 401 || refused == 403) {
        screen_close();
        end(t, api_refused(t->ctl, a));
        return;
    }
    if (doc != NULL)
        top_data_overview(&t->data, doc);
    bool reached = a->err == ERR_OK && refused < SERVER_ERROR;
    if (reached && (doc == NULL || was_lost || list_is_stale(t)))
        ask_list(t);
    draw(t);
}

static void on_tick(void *ctx)
{
    struct top *t = ctx;
    if (t->overview == NULL)
        t->overview = ask(t, "GET", SPAN("/overview"), (struct span){0}, on_overview);
    wire_timer_start(t->ctl->wire, &t->tick, TICK_MS, on_tick, t);
}

/* ---- acting */

static void on_acted(void *ctx, const struct wire_answer *a)
{
    struct top *t = ctx;
    struct buf *said = &t->view.said;
    json_t *doc = json_decode(buf_span(&a->body));
    t->act = NULL;
    buf_reset(said);
    if (a->err != ERR_OK)
        buf_addf(said, "Not done: %.*s", SPAN_ARG(buf_span(&a->why)));
    else if (a->status >= FIRST_REFUSAL)
        buf_addf(said, "Refused: %.*s", SPAN_ARG(answer_text(doc, "error")));
    else
        buf_addf(said, "%.*s: %s", SPAN_ARG(buf_span(&t->view.subject)),
                 t->view.verb == TOP_DRAIN ? "drains" : "drains no more");
    json_decref(doc);
    t->fetch = true;
    ask_list(t);
    draw(t);
}

static void act(struct top *t)
{
    bool drain = t->view.verb == TOP_DRAIN;
    const char *list = top_sheets[t->view.page].name;
    struct buf path = {0};
    if (t->act != NULL)
        return;
    buf_addf(&path, "/%s/", list);
    api_path(&path, "%", buf_span(&t->view.subject));
    if (t->view.page == TOP_SERVERS) {
        t->act = ask(t, "PUT", buf_span(&path),
                     drain ? SPAN("{\"draining\":true}") : SPAN("{\"draining\":false}"), on_acted);
    } else {
        buf_addf(&path, "/%s", drain ? "drain" : "undrain");
        t->act = ask(t, "POST", buf_span(&path), SPAN("{}"), on_acted);
    }
    buf_clear(&path);
}

/* ---- the terminal */

static void on_keys(void *ctx)
{
    struct top *t = ctx;
    uint32_t key;
    while (screen_key(&key)) {
        switch (top_view_key(&t->view, key, &t->rows, t->height)) {
        case TOP_NOTHING:
            break;
        case TOP_QUIT:
            end(t, ENDED_DONE);
            break;
        case TOP_FETCH:
            t->fetch = true;
            ask_list(t);
            break;
        case TOP_ACT:
            act(t);
            break;
        }
    }
    draw(t);
}

static void on_size(void *ctx)
{
    screen_resized();
    draw(ctx);
}

static void clear(struct top *t)
{
    struct wire_exchange *asked[] = {t->overview, t->list, t->act};
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
        if (asked[i] != NULL)
            wire_abandon(asked[i]);
    wire_unwatch(t->keys);
    wire_unwatch(t->size);
    wire_timer_clear(&t->tick);
    top_view_clear(&t->view);
    top_data_clear(&t->data);
    top_rows_clear(&t->rows);
    canvas_clear(&t->canvas);
}

static enum ended show(struct top *t)
{
    struct ctl *c = t->ctl;
    const char *why;
    if (!screen_open(c->colour, &why))
        return ctl_problem(ENDED_USAGE, "top: %s; status is for scripts", why);
    t->data.world = span_str(c->profile.world);
    t->data.url = span_str(c->profile.url);
    t->keys = wire_watch(c->wire, STDIN_FILENO, on_keys, t);
    t->size = wire_watch(c->wire, screen_resize_fd(), on_size, t);
    t->fetch = true;
    draw(t);
    on_tick(t);
    if (!wire_run(c->wire))
        t->how = ENDED_INTERRUPTED;
    clear(t);
    screen_close();
    return t->how;
}

/* Before anything is drawn: a world that cannot be asked is one line. */
static enum ended try_world(struct ctl *c)
{
    json_t *doc;
    enum ended how = api_get(c, SPAN("/rooms?limit=1"), &doc);
    json_decref(doc);
    return how;
}

enum ended verb_top(struct ctl *c)
{
    struct top t = {.ctl = c};
    enum ended how = try_world(c);
    if (how != ENDED_DONE)
        return how;
    top_view_init(&t.view);
    return show(&t);
}
