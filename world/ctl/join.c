/* Place, dial, talk, and again. */
#include "world/ctl/join.h"

#include "common/base/json.h"
#include "common/base/rng.h"
#include "common/proto/url.h"
#include "world/ctl/answer.h"
#include "world/ctl/api.h"
#include "world/ctl/join_line.h"
#include "world/ctl/print.h"
#include "world/ctl/text.h"

enum {
    NORMAL = 1000,
    NO_CODE = 1005,
    PING_MS = 15000,
    AGAIN_MIN_MS = 1000,
    AGAIN_MAX_MS = 5000,
    FIRST_REFUSAL = 300,
};

static void ask(void *ctx);
static void dial(struct join *j, const char *base, struct span ticket);

static void end(struct join *j, enum ended how)
{
    j->how = how;
    wire_stop(j->ctl->wire);
}

static void come_again(struct join *j, int64_t min_ms, int64_t max_ms)
{
    struct rng rng;
    rng_init(&rng);
    int64_t ms = min_ms + (int64_t)rng_below(&rng, (uint64_t)(max_ms - min_ms) + 1);
    wire_timer_start(j->ctl->wire, &j->again, ms, ask, j);
}

/* ---- what it tells */

/* A line of JSON that begins with the event; the caller adds members and `}`. */
static void begin_json(struct buf *out, const char *event)
{
    buf_addf(out, "{\"event\":\"%s\"", event);
}

static void add_member(struct buf *out, const char *key, struct span text)
{
    buf_addf(out, ",\"%s\":", key);
    json_add_string(out, text);
}

static void tell_open(const struct join *j)
{
    struct buf out = {0};
    if (j->ctl->json) {
        begin_json(&out, "open");
        add_member(&out, "room", span_str(j->room));
        add_member(&out, "shard", buf_span(&j->shard));
        add_member(&out, "session", buf_span(&j->session));
        add_member(&out, "url", buf_span(&j->url));
        BUF_ADD_LIT(&out, "}\n");
        (void)print_flush(&out);
    } else {
        (void)ctl_problem(ENDED_DONE, "in %s as %.*s, shard %.*s at %.*s", j->room,
                          SPAN_ARG(buf_span(&j->session)), SPAN_ARG(buf_span(&j->shard)),
                          SPAN_ARG(buf_span(&j->url)));
    }
}

static void tell_closed(const struct join *j, uint16_t code, struct span reason, bool again)
{
    struct buf out = {0};
    if (j->ctl->json) {
        begin_json(&out, "closed");
        buf_addf(&out, ",\"code\":%u", (unsigned)code);
        add_member(&out, "reason", reason);
        buf_addf(&out, ",\"again\":%s}\n", again ? "true" : "false");
        (void)print_flush(&out);
    } else {
        (void)ctl_problem(ENDED_DONE, "closed: %u %.*s%s", (unsigned)code, SPAN_ARG(reason),
                          again ? ", coming again" : "");
    }
}

static bool tell_message(const struct join *j, struct span data)
{
    struct buf out = {0};
    if (j->ctl->json) {
        begin_json(&out, "message");
        add_member(&out, "data", data);
        buf_add_char(&out, '}');
    } else {
        text_add(&out, data);
    }
    buf_add_char(&out, '\n');
    return print_flush(&out);
}

/* ---- the socket */

static void on_opened(void *ctx, struct span protocol)
{
    struct join *j = ctx;
    struct span rest = buf_span(&j->waiting), line;
    (void)protocol;
    j->open = j->was_open = true;
    tell_open(j);
    while (span_split(&rest, '\n', &line))
        if (line.len > 0)
            join_say(j, line);
    buf_reset(&j->waiting);
    if (j->leaving)
        wire_socket_close(j->socket, NORMAL, SPAN(""));
}

static void on_message(void *ctx, struct span data, bool is_text)
{
    struct join *j = ctx;
    (void)is_text;
    if (j->full)
        return;
    j->full = j->left > 0 && --j->left == 0;
    if (!tell_message(j, data))
        end(j, ENDED_DONE);
    else if (j->full)
        join_leave(j);
}

/* It has never stood: another way, or the end. */
static void on_refused(struct join *j, const struct wire_socket_end *e)
{
    if (e->status == 0 && j->direct && !j->through_world) {
        (void)ctl_problem(ENDED_DONE, "%.*s; going through the world", SPAN_ARG(e->why));
        j->through_world = true;
        ask(j);
        return;
    }
    if (j->was_open && !j->leaving) {
        come_again(j, AGAIN_MIN_MS, AGAIN_MAX_MS);
        return;
    }
    enum ended how = e->status == 401 || e->status == 403 ? ENDED_DENIED
                     : e->status > 0                      ? ENDED_REFUSED
                                                          : ENDED_UNREACHED;
    end(j, ctl_problem(how, "cannot come in at %.*s: %.*s", SPAN_ARG(buf_span(&j->url)),
                       SPAN_ARG(e->why)));
}

static void on_closed(void *ctx, const struct wire_socket_end *e)
{
    struct join *j = ctx;
    int64_t min_ms, max_ms;
    uint16_t code = join_code(e->code, e->reason);
    bool was_open = j->open, again = join_comes_again(code, e->reason, &min_ms, &max_ms);

    j->socket = NULL;
    j->open = false;
    if (!was_open) {
        on_refused(j, e);
    } else if (j->leaving) {
        end(j, ENDED_DONE);
    } else {
        tell_closed(j, code, e->reason, again);
        if (again)
            come_again(j, min_ms, max_ms);
        else
            end(j, code == NORMAL || code == NO_CODE ? ENDED_DONE : ENDED_REFUSED);
    }
}

/* ---- the place */

/* Where the world said it is; appends an address without its query. */
static void add_place(struct join *j, const json_t *doc, struct buf *out)
{
    struct span shard = answer_text(doc, "shardId"), url = answer_text(doc, "url");
    struct span endpoint = answer_text(doc, "endpoint");

    j->direct = j->via == NULL && endpoint.len > 0;
    if (j->direct && !j->through_world) {
        buf_add_span(out, endpoint);
    } else if (j->via == NULL && !j->through_world &&
               (span_starts(url, SPAN("ws://")) || span_starts(url, SPAN("wss://")))) {
        buf_add_span(out, url);
    } else {
        struct span base = span_str(j->via != NULL ? j->via : j->ctl->profile.url);
        while (span_ends(base, SPAN("/")))
            base.len--;
        buf_add_span(out, base);
        api_path(out, "/parties/shard/%", shard);
    }
}

static void go(struct join *j, const json_t *doc)
{
    struct span session = answer_text(doc, "session"), ticket = answer_text(doc, "ticket");
    struct buf place = {0};

    buf_reset(&j->shard);
    buf_add_span(&j->shard, answer_text(doc, "shardId"));
    if (session.len > 0) {
        buf_reset(&j->session);
        buf_add_span(&j->session, session);
    }
    add_place(j, doc, &place);
    buf_reset(&j->url);
    buf_add_span(&j->url, buf_span(&place));
    buf_add_char(&place, '\0');
    dial(j, place.data, ticket);
    buf_clear(&place);
}

static void dial(struct join *j, const char *base, struct span ticket)
{
    static const struct wire_socket_hear hear = {on_opened, on_message, NULL, on_closed};
    struct buf url = {0};

    buf_addf(&url, "%s%cid=", base, strchr(base, '?') == NULL ? '?' : '&');
    url_encode(&url, buf_span(&j->session));
    if (ticket.len > 0) {
        BUF_ADD_LIT(&url, "&ticket=");
        url_encode(&url, ticket);
    }
    struct wire_dial how = {.call = {.url = buf_span(&url)}, .ping_ms = PING_MS};
    j->socket = wire_socket_open(j->ctl->wire, &how, &hear, j);
    buf_clear(&url);
}

static void on_placed(void *ctx, const struct wire_answer *a)
{
    struct join *j = ctx;
    json_t *doc =
        a->err == ERR_OK && a->status < FIRST_REFUSAL ? json_decode(buf_span(&a->body)) : NULL;
    j->asked = NULL;
    if (doc != NULL && answer_text(doc, "shardId").len > 0)
        go(j, doc);
    else if (j->was_open)
        come_again(j, AGAIN_MIN_MS, AGAIN_MAX_MS);
    else if (a->err != ERR_OK)
        end(j, ctl_problem(ENDED_UNREACHED, "cannot reach the world: %.*s",
                           SPAN_ARG(buf_span(&a->why))));
    else
        end(j, api_refused(j->ctl, a));
    json_decref(doc);
}

static void ask(void *ctx)
{
    struct join *j = ctx;
    struct profile *p = &j->ctl->profile;
    struct buf url = {0}, body = {0};

    profile_renew(p, &j->ctl->args);
    buf_addf(&url, "%s/parties/world/%s/connect", p->url, p->world);
    BUF_ADD_LIT(&body, "{\"roomId\":");
    json_add_string(&body, span_str(j->room));
    buf_addf(&body, ",\"autoCreate\":%s,\"direct\":true", j->create ? "true" : "false");
    if (j->session.len > 0)
        add_member(&body, "session", buf_span(&j->session));
    buf_add_char(&body, '}');
    struct wire_call call = {.method = "POST",
                             .url = buf_span(&url),
                             .token = span_str(p->token),
                             .body = buf_span(&body)};
    j->asked = wire_begin(j->ctl->wire, &call, on_placed, j);
    buf_clear(&url);
    buf_clear(&body);
}

void join_start(struct join *j)
{
    ask(j);
}

void join_say(struct join *j, struct span message)
{
    if (j->open) {
        if (wire_socket_send(j->socket, message) != ERR_OK)
            (void)ctl_problem(ENDED_DONE, "too much waits already; this was not said");
    } else if (j->waiting.len + message.len < JOIN_WAITING_MAX) {
        buf_add_span(&j->waiting, message);
        buf_add_char(&j->waiting, '\n');
    } else {
        (void)ctl_problem(ENDED_DONE, "too much waits already; this was not said");
    }
}

void join_leave(struct join *j)
{
    if (j->leaving)
        return;
    j->leaving = true;
    if (j->open)
        wire_socket_close(j->socket, NORMAL, SPAN(""));
    else if (j->was_open)
        end(j, ENDED_DONE);
}

void join_clear(struct join *j)
{
    if (j->asked != NULL)
        wire_abandon(j->asked);
    if (j->socket != NULL)
        wire_socket_drop(j->socket);
    wire_timer_clear(&j->again);
    buf_clear(&j->session);
    buf_clear(&j->shard);
    buf_clear(&j->url);
    buf_clear(&j->waiting);
}
