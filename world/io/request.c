/* The life of a request from its head to its answer. Spent ones are kept for reuse. */
#include "world/io/request.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "world/io/complaint.h"
#include "world/io/passage.h"
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
    r->has_client = r->by_world = false;
    r->passing = NULL;
    r->sought_until_ms = r->handed_ms = 0;
    r->outside = false;
    r->self = slots_add(&s->requests, r);
    if (x != NULL)
        x->user = &r->responder;
    return r;
}

void request_free(struct request *r)
{
    struct server *s = r->server;

    if (r->passing != NULL)
        passing_free(r->passing);
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
    struct buf lines = {0};
    struct span all;

    if (r->question != NULL) {
        question_keep(r, status, body);
        return;
    }
    stats_count_latency(&r->server->core->stats, clock_mono_us() - r->begun_us);
    all = request_headers(r, headers, &lines);
    x->user = NULL;
    request_free(r);
    http_respond(x, status, all, body);
    buf_clear(&lines);
}

void request_refuse(struct request *r, int status, struct span lines, struct span text)
{
    struct complaint c = {0};

    complaint_make(&c, request_path(r), r->question != NULL ? "" : r->x->trace.id, status, lines,
                   text);
    request_respond(r, status, buf_span(&c.headers), buf_span(&c.body));
    complaint_clear(&c);
}

struct span request_headers(struct request *r, struct span headers, struct buf *lines)
{
    struct server *s = r->server;
    struct buf scratch = {0};
    struct span world;
    int64_t epoch = 0;
    bool traced = r->question == NULL && r->passing == NULL && !trace_is_none(&r->x->trace);

    if (r->by_world && s->passage != NULL && api_world(request_path(r), &scratch, &world) == ERR_OK)
        epoch = passage_epoch(s->passage, world);
    buf_clear(&scratch);
    if (epoch == 0 && !traced)
        return headers;
    buf_add_span(lines, headers);
    if (epoch != 0)
        buf_addf(lines, "x-terrane-epoch: %lld\r\n", (long long)epoch);
    if (traced)
        trace_add_line(lines, &r->x->trace);
    return buf_span(lines);
}

void request_over(struct request *r, void (*finish)(struct http_exchange *x))
{
    struct http_exchange *x = r->x;

    x->user = NULL;
    request_free(r);
    finish(x);
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
