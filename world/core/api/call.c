/* Answers of the API. What they say is the verbs'; their form, counting and logging is here. */
#include "world/core/api/call.h"

#include <stdlib.h>

#include "common/base/log.h"

enum { BROKEN_LOG_MS = 1000 };

static void answer(struct core *core, struct handle reply, enum route route, int status,
                   struct span headers, struct span body)
{
    stats_count_request(&core->stats, route, status);
    core->port->reply.answer(core->port->reply.ctx, reply, status, headers, body);
}

static enum owner find_owner(const struct core *core, struct span world)
{
    return core->port->owner.find(core->port->owner.ctx, world);
}

static void pass(struct core *core, struct handle reply)
{
    core->port->reply.pass(core->port->reply.ctx, reply);
}

/* True: what would be answered is not ours to say any more. */
static bool is_passed(const struct call *call)
{
    if (!call->ours || find_owner(call->core, call->world) == OWNER_US)
        return false;
    pass(call->core, call->request->reply);
    return true;
}

static void log_refusal(const struct call *call, enum refusal why)
{
    char remote[ADDR_TEXT_MAX];

    addr_format(&call->request->client, remote);
    log_debug("api.refused", "reason=%s route=%s world=%.*s remote=%s", refusal_name(why),
              route_name(call->route), SPAN_ARG(call->world), remote);
}

/* Clients that were not placed count in their world, too. */
static void count_refusal(const struct call *call, enum refusal why)
{
    struct world *w;

    call->core->stats.refusals[why]++;
    if (call->route != ROUTE_CONNECT)
        return;
    w = registry_world(&call->core->registry, call->world);
    if (w != NULL)
        w->refusals[why]++;
}

/* Every refusal passes here. */
static void refuse(struct call *call, enum refusal why, struct span headers, struct span body)
{
    struct core *core = call->core;

    if (is_passed(call))
        return;
    count_refusal(call, why);
    if (log_wants(LOG_DEBUG))
        log_refusal(call, why);
    answer(core, call->request->reply, call->route, refusal_status(why), headers, body);
}

static bool tells_problems(const struct call *call)
{
    return api_tells_problems(call->request->path);
}

/* What may be over in a while says when to come back, what lacks a token, how to show one, and what
 * lacks a method, which there are. */
static struct span headers_of(struct call *call, enum refusal why)
{
    struct buf *headers = &call->core->headers;
    int64_t seconds = call->retry_ms / 1000 + (call->retry_ms % 1000 > 0);
    int status = refusal_status(why);

    buf_reset(headers);
    buf_add_span(headers, tells_problems(call) ? SPAN(API_PROBLEM_TEXT) : API_HEADERS);
    if (why == REFUSAL_METHOD) {
        BUF_ADD_LIT(headers, "Allow: ");
        buf_add_span(headers, call->allow);
        BUF_ADD_LIT(headers, "\r\n");
    } else if (status == 401) {
        BUF_ADD_LIT(headers, "WWW-Authenticate: Bearer\r\n");
    } else if (status == 503 || status == 429) {
        BUF_ADD_LIT(headers, "Retry-After: ");
        buf_add_i64(headers, seconds > 0 ? seconds : 1);
        BUF_ADD_LIT(headers, "\r\n");
    }
    return buf_span(headers);
}

/* Opens the body of an error; members may follow. */
static void open_error(struct buf *out, bool problem, int status, struct span text,
                       const char *trace)
{
    if (problem) {
        problem_open(out, status, text, trace);
        return;
    }
    BUF_ADD_LIT(out, "{\"error\":");
    json_add_string(out, text);
}

static void refuse_broken(struct call *call)
{
    struct core *core = call->core;
    struct span why = core->port->owner.why(core->port->owner.ctx, call->world);
    struct buf text = {0};

    if (call->now.mono_ms >= core->broken_ms) {
        core->broken_ms = call->now.mono_ms + BROKEN_LOG_MS;
        log_error("world.broken", "world=%.*s why=%.*s", SPAN_ARG(call->world), SPAN_ARG(why));
    }
    BUF_ADD_LIT(&text, " cannot be read: ");
    buf_add_span(&text, why);
    call_refuse_name(call, REFUSAL_BROKEN, SPAN("World "), call->world, buf_span(&text));
    buf_clear(&text);
}

bool call_is_ours(struct call *call)
{
    switch (find_owner(call->core, call->world)) {
    case OWNER_US:
        call->ours = true;
        break;
    case OWNER_OTHER:
    case OWNER_SOUGHT:
        pass(call->core, call->request->reply);
        break;
    case OWNER_BROKEN:
        refuse_broken(call);
        break;
    }
    return call->ours;
}

void call_answer(struct call *call, struct span body)
{
    call_answer_with(call, 200, body);
}

void call_answer_with(struct call *call, int status, struct span body)
{
    if (is_passed(call))
        return;
    answer(call->core, call->request->reply, call->route, status, API_HEADERS, body);
}

void call_answer_when_stored(struct call *call)
{
    call_answer_stored_with(call, 200, SPAN("{}"));
}

/* What operators have made by POST or PATCH is made but once. */
static bool is_repeatable(const struct call *call)
{
    struct span method = call->request->method;

    return call->route != ROUTE_MANAGE_CHANGE || span_eq(method, SPAN("PUT")) ||
           span_eq(method, SPAN("DELETE"));
}

void call_answer_stored_with(struct call *call, int status, struct span body)
{
    struct core *core = call->core;
    struct pending *pending = xcalloc(1, sizeof(*pending) + body.len + call->world.len);
    struct handle handle = slots_add(&core->pending, pending);

    *pending = (struct pending){.reply = call->request->reply,
                                .route = call->route,
                                .status = status,
                                .repeatable = is_repeatable(call),
                                .problem = tells_problems(call),
                                .trace = call->request->trace,
                                .len = body.len,
                                .world_len = call->world.len};
    if (body.len > 0)
        memcpy(pending->text, body.ptr, body.len);
    memcpy(pending->text + body.len, call->world.ptr, call->world.len);
    core->port->store.sync(core->port->store.ctx, call->world,
                           (uint64_t)handle.gen << 32 | handle.slot);
}

static void refuse_unstored(struct core *core, const struct pending *pending)
{
    int status = refusal_status(REFUSAL_STORE);
    struct buf *text = &core->text;

    core->stats.refusals[REFUSAL_STORE]++;
    buf_reset(text);
    open_error(text, pending->problem, status, SPAN("The change could not be stored"),
               pending->trace.id);
    buf_add_char(text, '}');
    answer(core, pending->reply, pending->route, status,
           pending->problem ? SPAN(API_PROBLEM_TEXT) : API_HEADERS, buf_span(text));
}

void call_stored(struct core *core, const struct pending *pending, enum err e)
{
    if (e == ERR_OK) {
        answer(core, pending->reply, pending->route, pending->status,
               pending->status == 204 ? API_CORS : API_HEADERS,
               span_of(pending->text, pending->len));
        return;
    }
    if (e == ERR_DENIED && pending->repeatable) {
        pass(core, pending->reply);
        return;
    }
    refuse_unstored(core, pending);
}

void pending_take_out(struct core *core, struct span world, struct list *out)
{
    for (uint32_t i = 0; i < core->pending.used; i++) {
        const struct slot *slot = &core->pending.slots[i];
        struct pending *p = slot->item;
        if (p == NULL || !span_eq(span_of(p->text + p->len, p->world_len), world))
            continue;
        (void)slots_remove(&core->pending, (struct handle){.slot = i, .gen = slot->gen});
        list_push(out, &p->node);
    }
}

void pending_deny(struct core *core, struct list *out)
{
    for (struct list *it; (it = list_first(out)) != NULL;) {
        struct pending *p = CONTAINER_OF(it, struct pending, node);
        list_remove(it);
        call_stored(core, p, ERR_DENIED);
        free(p);
    }
}

void call_refuse_name(struct call *call, enum refusal why, struct span before, struct span name,
                      struct span after)
{
    struct buf *text = &call->core->text, *message = &call->core->message;

    buf_reset(message);
    buf_add_span(message, before);
    buf_add_span(message, name);
    buf_add_span(message, after);
    buf_reset(text);
    open_error(text, tells_problems(call), refusal_status(why), buf_span(message),
               call->request->trace.id);
    buf_add_char(text, '}');
    refuse(call, why, headers_of(call, why), buf_span(text));
}

void call_refuse_with(struct call *call, enum refusal why, struct span text, struct span members)
{
    struct buf *out = &call->core->text;

    buf_reset(out);
    open_error(out, tells_problems(call), refusal_status(why), text, call->request->trace.id);
    buf_add_char(out, ',');
    buf_add_span(out, members);
    buf_add_char(out, '}');
    refuse(call, why, headers_of(call, why), buf_span(out));
}

void call_refuse_raw(struct call *call, enum refusal why, struct span body)
{
    refuse(call, why, API_HEADERS, body);
}

void call_refuse_plain(struct call *call, enum refusal why, struct span text)
{
    refuse(call, why, SPAN("Content-Type: text/plain\r\n"), text);
}
