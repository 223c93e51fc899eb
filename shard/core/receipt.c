/* One ping at a time is under way; the next is due RECEIPT_MS after something was given that no
 * ping is behind, or when that is much. */
#include "shard/core/receipt.h"

#include "shard/core/link.h"
#include "shard/core/node_state.h"
#include "shard/core/shard.h"

static void receipt_on_due(struct timer *t, int64_t now)
{
    (void)now;
    (void)receipt_ask(CONTAINER_OF(t, struct link, receipt.due));
}

void receipt_init(struct receipt *r)
{
    *r = (struct receipt){.due.fire = receipt_on_due};
}

void receipt_start(struct link *l)
{
    receipt_stop(l);
    receipt_init(&l->receipt);
}

static void ask_if_much(struct link *l)
{
    if (l->receipt.ping == 0 && l->receipt.given - l->receipt.asked >= RECEIPT_BYTES)
        (void)receipt_ask(l);
}

void receipt_give(struct link *l, size_t len)
{
    l->receipt.given += len;
    ask_if_much(l);
}

void receipt_await(struct link *l, int64_t now)
{
    struct receipt *r = &l->receipt;
    if (r->ping == 0 && r->given > r->read && !timer_is_set(&r->due))
        wheel_set(&l->shard->node->wheel, &r->due, now + RECEIPT_MS);
}

uint32_t receipt_ask(struct link *l)
{
    struct receipt *r = &l->receipt;
    wheel_cancel(&l->shard->node->wheel, &r->due);
    r->asked = r->given;
    return r->ping = link_ping(l);
}

void receipt_heard(struct link *l, uint32_t number, int64_t now)
{
    struct receipt *r = &l->receipt;
    if (r->ping == 0 || (int32_t)(number - r->ping) < 0)
        return;
    r->ping = 0;
    r->read = r->asked;
    if (link_stands(l))
        ask_if_much(l);
    receipt_await(l, now);
}

void receipt_stop(struct link *l)
{
    wheel_cancel(&l->shard->node->wheel, &l->receipt.due);
    l->receipt.ping = 0;
}

uint64_t receipt_missing(const struct link *l)
{
    const struct receipt *r = &l->receipt;
    uint64_t known = r->read + r->came_back;
    return r->given > known ? r->given - known : 0;
}
