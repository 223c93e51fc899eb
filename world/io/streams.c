/* Answers that go on: core says what is sent; who is too slow for it is cut. */
#include "world/io/streams.h"

#include "common/base/log.h"
#include "world/io/passing.h"
#include "world/io/request.h"

static void stream_begin(void *ctx, struct handle handle, struct span headers)
{
    struct server *s = ctx;
    struct request *r = slots_get(&s->requests, handle);
    struct buf lines = {0};

    if (r == NULL)
        return;
    r->stream = true;
    http_respond_begin(r->x, 200, request_headers(r, headers, &lines), -1);
    buf_clear(&lines);
}

static bool stream_send(void *ctx, struct handle handle, struct span text)
{
    struct server *s = ctx;
    struct request *r = slots_get(&s->requests, handle);

    if (r == NULL)
        return false;
    if (http_exchange_is_full(r->x)) {
        log_debug("stream.cut", "reason=slow");
        request_over(r, http_respond_abort);
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
        request_over(r, http_respond_end);
}

void streams_end(struct server *s)
{
    for (uint32_t i = 0; i < s->requests.used; i++) {
        struct request *r = s->requests.slots[i].item;
        if (r != NULL && r->passing != NULL) {
            passing_end_stream(r->passing);
        } else if (r != NULL && r->stream) {
            core_stream_gone(s->core, r->self);
            request_over(r, http_respond_end);
        }
    }
}

struct stream_port server_stream_port(struct server *s)
{
    return (struct stream_port){
        .ctx = s, .begin = stream_begin, .send = stream_send, .end = stream_end};
}
