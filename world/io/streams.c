/* Answers that go on: core says what is sent; who is too slow for it is cut. */
#include "world/io/streams.h"

#include "common/base/log.h"
#include "world/io/request.h"

static void stream_begin(void *ctx, struct handle handle, struct span headers)
{
    struct server *s = ctx;
    struct request *r = slots_get(&s->requests, handle);

    if (r == NULL)
        return;
    r->stream = true;
    http_respond_begin(r->x, 200, headers, -1);
}

/* Nothing is said to the client after it; core knows, or is to be told. */
static void stream_over(struct request *r, void (*finish)(struct http_exchange *x))
{
    struct http_exchange *x = r->x;

    x->user = NULL;
    request_free(r);
    finish(x);
}

static bool stream_send(void *ctx, struct handle handle, struct span text)
{
    struct server *s = ctx;
    struct request *r = slots_get(&s->requests, handle);

    if (r == NULL)
        return false;
    if (http_exchange_is_full(r->x)) {
        log_debug("stream.cut", "reason=slow");
        stream_over(r, http_respond_abort);
        return false;
    }
    http_respond_part(r->x, text);
    return true;
}

static void stream_end(void *ctx, struct handle handle)
{
    struct server *s = ctx;
    struct request *r = slots_get(&s->requests, handle);

    if (r != NULL)
        stream_over(r, http_respond_end);
}

void streams_end(struct server *s)
{
    for (uint32_t i = 0; i < s->requests.used; i++) {
        struct request *r = s->requests.slots[i].item;
        if (r == NULL || !r->stream)
            continue;
        core_stream_gone(s->core, r->self);
        stream_over(r, http_respond_end);
    }
}

struct stream_port server_stream_port(struct server *s)
{
    return (struct stream_port){
        .ctx = s, .begin = stream_begin, .send = stream_send, .end = stream_end};
}
