/* Bytes between a conn and a redis_wire. The struct lives until its conn has told its end, so that
 * whoever frees a link may do so inside any callback. */
#include "common/net/redis_link.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/net/dial.h"

struct redis_link {
    struct conn conn;
    struct dial dial;
    struct redis_wire *wire;
    const struct redis_link_ops *ops;
    void *ctx;
    const char *why; /* what was wrong with what it said */
    bool connected, freed, gone;
};

static void link_destroy(struct redis_link *k)
{
    redis_wire_free(k->wire);
    free(k);
}

/* Nothing of it is left on the loop. */
static void over(struct redis_link *k, const char *why)
{
    k->gone = true;
    if (k->freed)
        link_destroy(k);
    else
        k->ops->ended(k->ctx, k->why != NULL ? k->why : why);
}

static void on_unknown(struct dial *d)
{
    over(CONTAINER_OF(d, struct redis_link, dial), "its name has no address");
}

static void on_connected(struct conn *c)
{
    struct redis_link *k = CONTAINER_OF(c, struct redis_link, conn);
    k->connected = true;
    k->ops->connected(k->ctx);
}

static void on_data(struct conn *c, char *data, size_t len)
{
    struct redis_link *k = CONTAINER_OF(c, struct redis_link, conn);
    struct redis_answer a;
    enum err e = ERR_OK;
    redis_wire_feed(k->wire, data, len);
    while (!k->freed && (e = redis_wire_next(k->wire, &a)) == ERR_OK)
        k->ops->answer(k->ctx, &a);
    if (k->freed || e == ERR_AGAIN)
        return;
    k->why = e == ERR_LIMIT ? "it sent an answer that is too large" : "it is not a Redis server";
    conn_abort(c);
}

static void on_closed(struct conn *c, enum conn_end end)
{
    struct redis_link *k = CONTAINER_OF(c, struct redis_link, conn);
    if (!k->connected && !k->freed && dial_next(&k->dial))
        return;
    if (!k->connected)
        over(k, "it cannot be reached");
    else
        over(k, end == CONN_END_EOF ? "it closed the connection" : "the connection broke");
}

struct redis_link *redis_link_open(struct loop *l, const struct url_origin *to,
                                   const struct redis_link_ops *ops, void *ctx)
{
    static const struct conn_ops conn_ops = {
        .connected = on_connected, .data = on_data, .closed = on_closed};
    struct redis_link *k = xcalloc(1, sizeof *k);
    k->wire = redis_wire_new(REDIS_FIRST_ANSWER_MAX);
    k->ops = ops;
    k->ctx = ctx;
    dial_start(&k->dial, l, to, &k->conn, &conn_ops, on_unknown);
    return k;
}

void redis_link_take(struct redis_link *k, const struct redis_link_ops *ops, void *ctx,
                     size_t answer_max)
{
    k->ops = ops;
    k->ctx = ctx;
    redis_wire_set_max(k->wire, answer_max);
}

void redis_link_send(struct redis_link *k, struct span bytes)
{
    conn_write_span(&k->conn, bytes);
}

void redis_link_free(struct redis_link *k)
{
    k->freed = true;
    if (k->dial.resolve != NULL)
        dial_cancel(&k->dial);
    else if (!k->gone) {
        conn_abort(&k->conn); /* destroyed from its `closed` */
        return;
    }
    link_destroy(k);
}
