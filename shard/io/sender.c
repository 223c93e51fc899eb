/* Reads the way a request came. What is signed is believed, and so is what the process that signed
 * passed on: it has judged it before. */
#include "shard/io/sender.h"

#include "common/proto/hop.h"
#include "common/proto/hop_sign.h"

static struct addr read_client(const struct http_head *h, const struct addr *peer,
                               const struct addr_set *trusted)
{
    struct buf forwarded_for = {0};
    hop_add_joined(&forwarded_for, h, SPAN("x-forwarded-for"));
    struct addr client = addr_of_client(trusted, peer, buf_span(&forwarded_for));
    buf_clear(&forwarded_for);
    return client;
}

enum err sender_read(struct sender *out, const struct http_head *h, const struct addr *peer,
                     const struct addr_set *trusted, const struct secrets *secrets, int64_t wall_ms)
{
    struct hop_signed from;
    enum err e = ERR_MISSING; /* whatever is not signed is a client's own, and goes nowhere */
    if (http_head_count(h, SPAN("x-terrane-sign")) > 0)
        e = hop_sign_check(h, secrets, wall_ms, &from);
    if (e != ERR_OK && e != ERR_MISSING)
        return e;
    *out = (struct sender){.hopped = e == ERR_OK};
    out->trusted = out->hopped || addr_set_has(trusted, peer);
    out->client = out->hopped ? from.client : read_client(h, peer, trusted);
    return ERR_OK;
}

struct span sender_host(const struct sender *s, const struct http_head *h)
{
    struct span host = http_head_get(h, SPAN("x-terrane-host"));
    return s->hopped && host.ptr != NULL ? host : http_head_get(h, SPAN("host"));
}
