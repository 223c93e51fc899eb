/* From an exchange to whoever has it. */
#include "common/net/responder.h"

void responder_body(void *ctx, struct http_exchange *x, struct span part)
{
    struct responder *r = x->user;
    (void)ctx;
    if (r != NULL)
        r->ops->body(r, part);
}

void responder_complete(void *ctx, struct http_exchange *x)
{
    struct responder *r = x->user;
    (void)ctx;
    if (r != NULL)
        r->ops->complete(r);
}

void responder_drained(void *ctx, struct http_exchange *x)
{
    struct responder *r = x->user;
    (void)ctx;
    if (r != NULL)
        r->ops->drained(r);
}

void responder_gone(void *ctx, struct http_exchange *x)
{
    struct responder *r = x->user;
    (void)ctx;
    if (r != NULL)
        r->ops->gone(r);
}
