/* Comes in by every way that clients may take, in a room that is made for it, and stays idle. */
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/proto/finding.h"
#include "common/proto/url.h"
#include "world/ctl/answer.h"
#include "world/ctl/doctor.h"
#include "world/ctl/visit.h"

enum {
    LOOK_MS = 100,
    OPEN_MS = 5000,   /* until all ways are open */
    ANSWER_MS = 1500, /* for what a room says at once, or for its end */
    IDLE_MS = 35000,  /* until the first ping */
    LEAVE_MS = 2500,
    RESTLESS = 3, /* messages in an idle time, besides what is told of other ways: it is none */
    BROKEN = 1006,
    NOT_FOUND = 404,
    SECOND_MS = 1000,
};

struct way {
    const char *from; /* for people: "--url" */
    const char *base; /* NULL: the endpoint that the world names */
    struct buf url;   /* without its query */
    struct visit visit;
    size_t greeted;  /* messages before it was idle */
    size_t restless; /* so many are no idle time */
    bool tried, told;
};

struct visits {
    struct doctor *d;
    const char *room;
    bool made; /* the room is ours to delete */
    struct way *ways;
    size_t count;
};

/* ---- the room */

/* False: a signal. v->room stays NULL when there is no room to come into. */
static bool choose_room(struct visits *v)
{
    struct doctor *d = v->d;
    struct ask a;
    const char *given = args_value(&d->c->args, "room");
    bool good;

    if (given != NULL) {
        v->room = given;
        return true;
    }
    if (d->may != DOCTOR_CHANGES) {
        diagnosis_skip(&d->d, "client",
                       "nobody comes in: a token that may change is needed to make a room for it "
                       "and to take it away; --room ROOM names one that is there");
        return true;
    }
    if (json_array_size(d->nodes) == 0 && d->rooms == 0) {
        diagnosis_skip(&d->d, "client", "nobody comes in: there is neither a node nor a room");
        return true;
    }
    good = doctor_get(d, &a, "/rooms/" DOCTOR_ROOM);
    v->room = DOCTOR_ROOM;
    v->made = good && a.status == NOT_FOUND;
    ask_clear(&a);
    return good;
}

static bool delete_room(struct visits *v)
{
    struct ask a = {.method = "DELETE", .token = true};
    bool good;

    buf_addf(&a.url, "%s/api/v1/worlds/%s/rooms/" DOCTOR_ROOM "?force=1", v->d->base,
             v->d->c->profile.world);
    good = asks_run(v->d->c, &a, 1, ASKS_MS);
    if (good && !ask_is_good(&a) && a.status != NOT_FOUND)
        diagnosis_skip(&v->d->d, "client",
                       "the room " DOCTOR_ROOM
                       " is left behind: worldctl rooms delete " DOCTOR_ROOM);
    ask_clear(&a);
    return good;
}

/* ---- places */

/* scheme://host:port, which is enough for people. */
static struct span origin_of(const struct way *w)
{
    struct span url = buf_span(&w->url), rest = url, part;

    for (int i = 0; i < 3; i++) /* "http:", "", "host:port" */
        (void)span_split(&rest, '/', &part);
    return span_slice(url, 0, (size_t)(part.ptr + part.len - url.ptr));
}

static void add_way(struct visits *v, const char *from, const char *base)
{
    v->ways[v->count++] = (struct way){.from = from, .base = base};
}

static void list_ways(struct visits *v)
{
    const struct doctor *d = v->d;
    size_t urls = json_array_size(d->urls), vias = json_array_size(d->vias);

    v->ways = xcalloc(urls + vias + 1, sizeof(*v->ways));
    for (size_t i = 0; i < urls; i++) {
        const char *url = json_string_value(json_array_get(d->urls, i));
        if (!diagnosis_has(&d->d, SPAN("world-unreachable"), span_str(url)))
            add_way(v, "through the world", url);
    }
    add_way(v, "to the node itself", NULL);
    for (size_t i = 0; i < vias; i++)
        add_way(v, "--via", json_string_value(json_array_get(d->vias, i)));
}

static void add_query(struct buf *url, const json_t *place)
{
    struct span ticket = answer_text(place, "ticket");

    BUF_ADD_LIT(url, "?id=");
    url_encode(url, answer_text(place, "session"));
    if (ticket.len > 0) {
        BUF_ADD_LIT(url, "&ticket=");
        url_encode(url, ticket);
    }
}

static void dial(struct visits *v, struct way *w, const json_t *place)
{
    struct span endpoint = answer_text(place, "endpoint");
    struct buf url = {0};

    if (w->base == NULL && endpoint.len == 0)
        return; /* the world has told no node's address */
    if (w->base == NULL) {
        buf_add_span(&w->url, endpoint);
    } else {
        buf_addf(&w->url, "%s/parties/shard/", w->base);
        url_encode(&w->url, answer_text(place, "shardId"));
    }
    buf_add_span(&url, buf_span(&w->url));
    add_query(&url, place);
    w->tried = true;
    visit_start(&w->visit, v->d->c->wire, buf_span(&url), (struct span){0});
    buf_clear(&url);
}

static void tell_no_place(struct visits *v, const struct ask *a)
{
    struct buf text = {0};

    ask_add_fault(a, &text);
    diagnosis_add(
        &v->d->d,
        &(struct symptom){.level = DIAGNOSIS_ERROR,
                          .check = SPAN("client-place"),
                          .subject = span_str(v->room),
                          .text = buf_span(&text),
                          .cure = SPAN("The world gives clients no place: mend what is said of it, "
                                       "of Redis and of nodes below; worldctl explain ROOM tells "
                                       "more of a room that is there.")});
    buf_clear(&text);
}

static void ask_place(const struct visits *v, struct ask *a, const struct buf *body)
{
    a->method = "POST";
    a->token = v->d->may != DOCTOR_NOTHING;
    a->body = buf_span(body);
    buf_addf(&a->url, "%s/parties/world/%s/connect", v->d->base, v->d->c->profile.world);
}

/* A place for each way: tickets are good for one. *placed: there is one at all. */
static bool take_places(struct visits *v, bool *placed)
{
    struct ask *asks = xcalloc(v->count, sizeof(*asks));
    struct buf body = {0};
    bool good;

    BUF_ADD_LIT(&body, "{\"roomId\":");
    json_add_string(&body, span_str(v->room));
    buf_addf(&body, ",\"autoCreate\":%s,\"direct\":true}",
             args_has(&v->d->c->args, "room") ? "false" : "true");
    for (size_t i = 0; i < v->count; i++)
        ask_place(v, &asks[i], &body);
    good = asks_run(v->d->c, asks, v->count, ASKS_MS);
    *placed = good && ask_is_good(&asks[0]);
    if (good && !*placed)
        tell_no_place(v, &asks[0]);
    for (size_t i = 0; i < v->count; i++) {
        if (*placed && ask_is_good(&asks[i]))
            dial(v, &v->ways[i], asks[i].doc);
        ask_clear(&asks[i]);
    }
    free(asks);
    buf_clear(&body);
    return good;
}

/* ---- what is waited for */

static bool is_open(const struct way *w)
{
    return w->visit.opened || visit_is_over(&w->visit);
}

static bool has_answer(const struct way *w)
{
    return w->visit.messages > 0 || visit_is_over(&w->visit);
}

static bool is_done_idling(const struct way *w)
{
    return visit_is_over(&w->visit) || w->visit.pinged || w->visit.messages > w->restless;
}

static bool is_over(const struct way *w)
{
    return visit_is_over(&w->visit);
}

static bool are_all(const struct visits *v, bool (*so)(const struct way *w))
{
    for (size_t i = 0; i < v->count; i++) {
        if (!so(&v->ways[i]))
            return false;
    }
    return true;
}

/* Looks until all are so, or `ms` are over. `what`: for the terminal; NULL: nothing. */
static bool wait_until(struct visits *v, bool (*so)(const struct way *w), int64_t ms,
                       const char *what)
{
    int64_t began = clock_mono_ms(), now = began;
    bool good = true;

    while (good && !are_all(v, so) && now - began < ms) {
        good = ctl_pause(v->d->c, LOOK_MS);
        now = clock_mono_ms();
        for (size_t i = 0; i < v->count; i++)
            visit_look(&v->ways[i].visit);
        if (what != NULL)
            doctor_progress(v->d, "%s: %lld s of %lld s at most", what,
                            (long long)((now - began) / SECOND_MS), (long long)(ms / SECOND_MS));
    }
    if (what != NULL)
        doctor_progress(v->d, "%s", "");
    return good;
}

/* ---- what came of it */

static void tell(struct visits *v, struct way *w, enum diagnosis_level level, struct span check,
                 struct span text, struct span cure)
{
    w->told = true;
    diagnosis_add(
        &v->d->d,
        &(struct symptom){
            .level = level, .check = check, .subject = origin_of(w), .text = text, .cure = cure});
}

static struct span cure_of_way(const struct way *w)
{
    if (w->visit.end.status == 401 || w->visit.end.status == 403)
        return SPAN("The node refuses the client: see ALLOWED_ORIGINS, REQUIRE_TICKET, bans, and "
                    "whether node and world have one SHARD_SECRET and clocks that agree.");
    if (w->base == NULL)
        return SPAN("Set NODE_URL of the node to an address that clients reach; if this machine "
                    "alone does not reach it, all is well.");
    if (w->visit.end.status == 503)
        return SPAN("There is no node for it, or it is full: see what is said of nodes below.");
    if (w->visit.end.status > 0)
        return SPAN("Have the proxy at that address pass WebSockets on (nginx: proxy_http_version "
                    "1.1, and the headers Upgrade and Connection), and /parties/ to a world or a "
                    "node.");
    return SPAN("See that something listens at that address and lets this machine connect.");
}

/* It has not come in. */
static void tell_refused(struct visits *v, struct way *w)
{
    struct buf text = {0};

    buf_addf(&text, "no client comes in (%s): %.*s", w->from,
             SPAN_ARG(visit_is_over(&w->visit) ? w->visit.end.why : SPAN("no answer in time")));
    tell(v, w, w->base == NULL ? DIAGNOSIS_WARNING : DIAGNOSIS_ERROR, SPAN("client-way"),
         buf_span(&text), cure_of_way(w));
    buf_clear(&text);
}

/* It was in, and is out before it had to be. */
static void tell_closed(struct visits *v, struct way *w)
{
    const struct wire_socket_end *e = &w->visit.end;
    struct buf text = {0};

    buf_addf(&text, "the client is closed at once (%s) with %u %.*s", w->from, (unsigned)e->code,
             SPAN_ARG(e->reason));
    tell(v, w, DIAGNOSIS_ERROR, SPAN("client-closed"), span_trim(buf_span(&text)),
         e->code == 1011 ? SPAN("The node has no link to the room server: mend what is said of "
                                "room servers below.")
                         : SPAN("See the log of the node at that time (session.close), and of the "
                                "room server."));
    buf_clear(&text);
}

static void tell_idle_cut(struct visits *v, struct way *w)
{
    struct buf text = {0}, cure = {0};
    int64_t s = (w->visit.silence_ms + SECOND_MS / 2) / SECOND_MS;

    buf_addf(&text,
             "an idle client is cut (%s) after %lld s of silence, before the node's first "
             "ping",
             w->from, (long long)s);
    buf_addf(&cure,
             "Set PING_INTERVAL of the nodes to %llds (below these %lld s), or the idle "
             "timeout of the proxy before them (nginx: proxy_read_timeout, HAProxy: timeout "
             "tunnel) well above PING_INTERVAL.",
             (long long)(s / 2 > 0 ? s / 2 : 1), (long long)s);
    tell(v, w,
         finding_kinds[FINDING_IDLE_CUT].level == FINDING_ERROR ? DIAGNOSIS_ERROR
                                                                : DIAGNOSIS_WARNING,
         finding_kinds[FINDING_IDLE_CUT].name, buf_span(&text), buf_span(&cure));
    buf_clear(&text);
    buf_clear(&cure);
}

static void tell_entries(struct visits *v)
{
    for (size_t i = 0; i < v->count; i++) {
        struct way *w = &v->ways[i];
        w->greeted = w->visit.messages;
        w->restless = w->greeted + RESTLESS + v->count;
        if (!w->tried && w->base == NULL)
            diagnosis_skip(&v->d->d, "client", "the world names no node's address to clients");
        if (!w->tried)
            continue;
        if (!w->visit.opened)
            tell_refused(v, w);
        else if (visit_is_over(&w->visit))
            tell_closed(v, w);
        else
            diagnosis_well(&v->d->d, "client", "%.*s (%s): it is in%s", SPAN_ARG(origin_of(w)),
                           w->from,
                           w->greeted > 0 ? ", and the room has spoken" : "; the room is silent");
    }
}

static void tell_idle(struct visits *v)
{
    for (size_t i = 0; i < v->count; i++) {
        struct way *w = &v->ways[i];
        if (!w->tried || w->told)
            continue;
        if (w->visit.pinged)
            diagnosis_well(&v->d->d, "idle", "%.*s: a ping came after %lld s of silence",
                           SPAN_ARG(origin_of(w)),
                           (long long)((w->visit.silence_ms + 500) / SECOND_MS));
        else if (!visit_is_over(&w->visit))
            diagnosis_well(&v->d->d, "idle", "%.*s: %s", SPAN_ARG(origin_of(w)),
                           w->visit.messages > w->restless
                               ? "the room talks, so that nothing is idle"
                               : "not cut, and no ping came: PING_INTERVAL is long, or 0");
        else if (w->visit.end.code == BROKEN)
            tell_idle_cut(v, w);
        else
            tell_closed(v, w);
    }
}

/* ---- all of it */

static bool stay(struct visits *v)
{
    bool good = wait_until(v, is_open, OPEN_MS, NULL) && wait_until(v, has_answer, ANSWER_MS, NULL);

    if (!good)
        return false;
    tell_entries(v);
    if (v->d->quick) {
        diagnosis_skip(&v->d->d, "idle",
                       "whether idle clients are cut takes up to 35 s: without "
                       "--quick");
        return true;
    }
    good = wait_until(v, is_done_idling, IDLE_MS, "idle until the node's first ping");
    if (good)
        tell_idle(v);
    return good;
}

static bool leave(struct visits *v)
{
    for (size_t i = 0; i < v->count; i++) {
        if (v->ways[i].visit.opened)
            visit_leave(&v->ways[i].visit);
        else
            visit_clear(&v->ways[i].visit);
    }
    return wait_until(v, is_over, LEAVE_MS, NULL);
}

static void clear(struct visits *v)
{
    for (size_t i = 0; i < v->count; i++) {
        visit_clear(&v->ways[i].visit);
        buf_clear(&v->ways[i].url);
    }
    free(v->ways);
}

/* Whatever has come meanwhile: who interrupts us wants no room of ours. */
static bool tidy_up(struct visits *v, bool good)
{
    if (!good)
        wire_go_on(v->d->c->wire);
    if (!leave(v))
        return false;
    return (!v->made || delete_room(v)) && good;
}

bool doctor_visit(struct doctor *d)
{
    struct visits v = {.d = d};
    bool placed = false, good = choose_room(&v);

    if (good && v.room != NULL) {
        list_ways(&v);
        good = take_places(&v, &placed);
        if (good && placed)
            good = stay(&v);
        good = tidy_up(&v, good);
    }
    clear(&v);
    return good;
}
