/* Looks at headers and addresses. What they mean is core's. */
#include "shard/io/witness.h"

#include "shard/core/checks.h"
#include "shard/io/join.h"

static void tell_proxy(struct witness *w, const struct addr *peer, const char *header)
{
    struct ticker *t = w->ticker;
    checks_proxy(node_checks(t->node), peer, header, ticker_now(t));
    ticker_touch(t);
}

void witness_request(struct witness *w, const struct http_exchange *x)
{
    if (http_head_count(x->head, SPAN("x-forwarded-for")) > 0)
        tell_proxy(w, &x->peer, "x-forwarded-for");
    else if (http_head_count(x->head, SPAN("forwarded")) > 0)
        tell_proxy(w, &x->peer, "forwarded");
}

void witness_proxied(struct witness *w, const struct addr *peer)
{
    tell_proxy(w, peer, "a PROXY header");
}

void witness_client(struct witness *w, const struct sender *from, struct span query)
{
    struct ticker *t = w->ticker;
    buf_reset(&w->session);
    join_read_session(&w->session, query);
    checks_came(node_checks(t->node), &from->client, addr_set_has(w->trusted, &from->client),
                buf_span(&w->session), ticker_now(t));
    ticker_touch(t);
}

void witness_clear(struct witness *w)
{
    buf_clear(&w->session);
}
