/* Owns look-ups under way. The answer is always delivered from the end of a turn, whether evdns had
 * it at once or not. */
#include "common/net/resolve.h"

#include <event2/dns.h>
#include <event2/util.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/net/socket.h"

enum { ADDRS_MAX = 8 };

struct resolve {
    struct loop *loop;
    struct turn_end deliver;
    struct evdns_getaddrinfo_request *request; /* NULL: answered, or never asked */
    struct addr addrs[ADDRS_MAX];
    size_t count;
    bool cancelled;
    void (*done)(void *ctx, const struct addr *addrs, size_t count);
    void *ctx;
};

static void deliver(struct turn_end *t)
{
    struct resolve *r = CONTAINER_OF(t, struct resolve, deliver);
    r->done(r->ctx, r->addrs, r->count);
    free(r);
}

/* From inside the loop, or from inside evdns_getaddrinfo when the answer is at hand. */
static void answered(int result, struct evutil_addrinfo *list, void *ctx)
{
    struct resolve *r = ctx;
    uint16_t port;
    loop_entered(r->loop);
    r->request = NULL;
    for (struct evutil_addrinfo *ai = list; result == 0 && ai != NULL; ai = ai->ai_next)
        if (r->count < ADDRS_MAX)
            r->count += socket_addr(ai->ai_addr, &r->addrs[r->count], &port);
    if (list != NULL)
        evutil_freeaddrinfo(list);
    if (r->cancelled)
        free(r);
    else
        loop_at_turn_end(r->loop, &r->deliver);
}

static void ask(struct resolve *r, const char *host)
{
    struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    /* NULL: `answered` has run already. */
    r->request = evdns_getaddrinfo(loop_dns(r->loop), host, NULL, &hints, answered, r);
}

struct resolve *resolve_start(struct loop *l, const char *host,
                              void (*done)(void *ctx, const struct addr *addrs, size_t count),
                              void *ctx)
{
    struct resolve *r = xcalloc(1, sizeof *r);
    r->loop = l;
    r->deliver.fn = deliver;
    r->done = done;
    r->ctx = ctx;
    if (span_ieq(span_str(host), SPAN("localhost"))) {
        r->addrs[r->count++] = (struct addr){.bytes = {[10] = 0xff, 0xff, 127, 0, 0, 1}};
        r->addrs[r->count++] = (struct addr){.bytes = {[15] = 1}}; /* ::1 */
        loop_at_turn_end(l, &r->deliver);
    } else if (addr_parse(span_str(host), &r->addrs[0]) == ERR_OK) {
        r->count = 1;
        loop_at_turn_end(l, &r->deliver);
    } else {
        ask(r, host);
    }
    return r;
}

void resolve_cancel(struct resolve *r)
{
    loop_not_at_turn_end(&r->deliver);
    if (r->request == NULL) {
        free(r);
        return;
    }
    r->cancelled = true;
    evdns_getaddrinfo_cancel(r->request); /* `answered` follows, now or later */
}
