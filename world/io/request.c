/* The life of a request from its head to its answer. Spent ones are kept for reuse. */
#include "world/io/request.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "world/io/question.h"

enum {
    SPARE_MAX = 256,            /* requests kept for reuse */
    SPARE_BODY_MAX = 16 * 1024, /* a larger body's memory is not kept */
};

struct request *request_new(struct server *s, struct http_exchange *x,
                            const struct responder_ops *ops)
{
    struct request *r = s->spare;

    if (r != NULL) {
        s->spare = r->next;
        s->spare_count--;
    } else {
        r = xcalloc(1, sizeof(*r));
    }
    r->responder.ops = ops;
    r->x = x;
    r->question = NULL;
    r->server = s;
    r->next = NULL;
    r->stream = false;
    r->begun_us = clock_mono_us();
    r->has_client = false;
    r->outside = false;
    r->self = slots_add(&s->requests, r);
    if (x != NULL)
        x->user = &r->responder;
    return r;
}

void request_free(struct request *r)
{
    struct server *s = r->server;

    slots_remove(&s->requests, r->self);
    if (s->spare_count == SPARE_MAX || r->body.cap > SPARE_BODY_MAX) {
        buf_clear(&r->body);
        free(r);
        return;
    }
    buf_reset(&r->body);
    r->next = s->spare;
    s->spare = r;
    s->spare_count++;
}

void request_respond(struct request *r, int status, struct span headers, struct span body)
{
    struct http_exchange *x = r->x;

    if (r->question != NULL) {
        question_keep(r, status, body);
        return;
    }
    histogram_add(&r->server->core->stats.latency, clock_mono_us() - r->begun_us);
    x->user = NULL;
    request_free(r);
    http_respond(x, status, headers, body);
}

void requests_clear(struct server *s)
{
    struct request *next;

    /* A server that is closed tells nobody what was under way. */
    for (uint32_t i = 0; i < s->requests.used; i++) {
        if (s->requests.slots[i].item != NULL)
            request_free(s->requests.slots[i].item);
    }
    for (; s->spare != NULL; s->spare = next) {
        next = s->spare->next;
        buf_clear(&s->spare->body);
        free(s->spare);
    }
    slots_clear(&s->requests);
}
