/* Answers of the API. What they say is the verbs'; their form, counting and logging is here. */
#include "world/core/api/call.h"

#include "common/base/log.h"

static void answer(struct core *core, struct handle reply, enum route route, int status,
                   struct span headers, struct span body)
{
    stats_count_request(&core->stats, route, status);
    core->port->reply.answer(core->port->reply.ctx, reply, status, headers, body);
}

static void log_refusal(const struct call *call, enum refusal why)
{
    char remote[ADDR_TEXT_MAX];

    addr_format(&call->request->client, remote);
    log_debug("api.refused", "reason=%s route=%s world=%.*s remote=%s", refusal_name(why),
              route_name(call->route), SPAN_ARG(call->world), remote);
}

/* Every refusal passes here. */
static void refuse(struct call *call, enum refusal why, struct span headers, struct span body)
{
    struct core *core = call->core;

    core->stats.refusals[why]++;
    if (log_wants(LOG_DEBUG))
        log_refusal(call, why);
    answer(core, call->request->reply, call->route, refusal_status(why), headers, body);
}

/* What may be over in a while says when to come back. */
static struct span headers_of(struct call *call, enum refusal why)
{
    struct buf *headers = &call->core->headers;
    int64_t seconds = call->retry_ms / 1000 + (call->retry_ms % 1000 > 0);

    if (why == REFUSAL_METHOD) {
        buf_reset(headers);
        BUF_ADD_LIT(headers, API_HEADERS_TEXT "Allow: ");
        buf_add_span(headers, call->allow);
        BUF_ADD_LIT(headers, "\r\n");
        return buf_span(headers);
    }
    if (refusal_status(why) != 503 && refusal_status(why) != 429)
        return API_HEADERS;
    buf_reset(headers);
    BUF_ADD_LIT(headers, API_HEADERS_TEXT "Retry-After: ");
    buf_add_i64(headers, seconds > 0 ? seconds : 1);
    BUF_ADD_LIT(headers, "\r\n");
    return buf_span(headers);
}

void call_answer(struct call *call, struct span body)
{
    answer(call->core, call->request->reply, call->route, 200, API_HEADERS, body);
}

void call_answer_when_stored(struct call *call)
{
    call_answer_stored_with(call, 200, SPAN("{}"));
}

void call_answer_stored_with(struct call *call, int status, struct span body)
{
    struct core *core = call->core;
    struct pending *pending = xcalloc(1, sizeof(*pending) + body.len);
    struct handle handle = slots_add(&core->pending, pending);

    *pending = (struct pending){
        .reply = call->request->reply, .route = call->route, .status = status, .len = body.len};
    if (body.len > 0)
        memcpy(pending->body, body.ptr, body.len);
    core->port->store.sync(core->port->store.ctx, call->world,
                           (uint64_t)handle.gen << 32 | handle.slot);
}

void call_stored(struct core *core, const struct pending *pending, enum err e)
{
    if (e == ERR_OK) {
        answer(core, pending->reply, pending->route, pending->status,
               pending->status == 204 ? API_CORS : API_HEADERS,
               span_of(pending->body, pending->len));
        return;
    }
    core->stats.refusals[REFUSAL_STORE]++;
    answer(core, pending->reply, pending->route, refusal_status(REFUSAL_STORE), API_HEADERS,
           SPAN("{\"error\":\"The change could not be stored\"}"));
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
    BUF_ADD_LIT(text, "{\"error\":");
    json_add_string(text, buf_span(message));
    buf_add_char(text, '}');
    refuse(call, why, headers_of(call, why), buf_span(text));
}

void call_refuse_with(struct call *call, enum refusal why, struct span text, struct span members)
{
    struct buf *out = &call->core->text;

    buf_reset(out);
    BUF_ADD_LIT(out, "{\"error\":");
    json_add_string(out, text);
    buf_add_char(out, ',');
    buf_add_span(out, members);
    buf_add_char(out, '}');
    refuse(call, why, headers_of(call, why), buf_span(out));
}

void call_refuse_raw(struct call *call, enum refusal why, struct span body)
{
    refuse(call, why, headers_of(call, why), body);
}

void call_refuse_plain(struct call *call, enum refusal why, struct span text)
{
    refuse(call, why, SPAN("Content-Type: text/plain\r\n"), text);
}
