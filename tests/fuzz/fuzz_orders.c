/* What worlds and nodes write to each other: whatever is accepted is written again and read to the
 * same end. */
#include <assert.h>

#include "common/proto/resolve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t copy_missing(const json_t *doc, struct buf *out)
{
    struct buf ids = {0};
    struct span shard, id;
    const json_t *sessions;
    size_t count = 0;

    for (size_t at = 0; orders_next_missing(doc, &at, &shard, &sessions); count++) {
        if (count == 0)
            orders_open_missing(out);
        buf_reset(&ids);
        for (size_t i = 0; orders_next_session(sessions, &i, &id);) {
            buf_add_char(&ids, ids.len == 0 ? '[' : ',');
            json_add_string(&ids, id);
        }
        BUF_ADD_LIT(&ids, "]");
        orders_add_missing(out, shard, ids.len == 1 ? SPAN("[]") : buf_span(&ids), count == 0);
    }
    buf_clear(&ids);
    return count;
}

static void copy_checkup(const struct checkup *c, struct buf *out)
{
    struct span node, url;
    size_t count = 0;

    if (c->id == 0)
        return;
    checkup_open(out, c->id);
    for (size_t at = 0; checkup_next_peer(c, &at, &node, &url); count++)
        checkup_add_peer(out, node, url, count == 0);
    checkup_open_servers(out);
    count = 0;
    for (size_t at = 0; checkup_next_server(c, &at, &url); count++)
        checkup_add_server(out, url, count == 0);
    checkup_close(out);
}

/* Writes what `doc` holds; answers how many shards and drops there were. */
static size_t copy_orders(const struct orders *o, const json_t *doc, struct buf *out)
{
    struct order order;
    struct order_ban ban;
    struct span drop;
    const json_t *bans;
    size_t shards = 0, drops = 0;
    struct buf checkup = {0};
    struct orders head = *o;

    copy_checkup(&o->checkup, &checkup);
    head.checkup.text = buf_span(&checkup);
    orders_open(out, &head);
    buf_clear(&checkup);
    if (!o->unchanged) {
        for (size_t at = 0; orders_next_shard(doc, &at, &order, &bans); shards++) {
            size_t ban_at = 0;
            bool banned = order_next_ban(bans, &ban_at, &ban);
            orders_add_shard(out, &order, &ban, banned ? 1 : 0, shards == 0);
        }
        orders_open_drops(out);
        for (size_t at = 0; orders_next_drop(doc, &at, &drop); drops++)
            orders_add_drop(out, drop, drops == 0);
    }
    shards += copy_missing(doc, out);
    orders_close(out);
    return shards + drops;
}

static void check_orders(struct span text)
{
    struct buf first = {0}, second = {0};
    struct orders o;
    json_t *doc, *again = NULL;

    if (orders_read(&o, &doc, text) == ERR_OK) {
        size_t count = copy_orders(&o, doc, &first);
        enum err e = orders_read(&o, &again, buf_span(&first));
        assert(e == ERR_OK);
        assert(copy_orders(&o, again, &second) == count);
        assert(span_eq(buf_span(&first), buf_span(&second)));
    }
    json_decref(doc);
    json_decref(again);
    buf_clear(&first);
    buf_clear(&second);
}

static void check_resolve(struct span text)
{
    struct buf out = {0};
    struct resolve q, copy;
    const char *why;
    json_t *doc, *again = NULL;

    if (resolve_read(&q, &doc, text, &why) == ERR_OK) {
        resolve_add(&out, &q);
        enum err e = resolve_read(&copy, &again, buf_span(&out), &why);
        assert(e == ERR_OK && span_eq(q.shard_id, copy.shard_id) && q.reason == copy.reason);
    } else {
        assert(why != NULL);
    }
    json_decref(doc);
    json_decref(again);
    buf_clear(&out);
}

static void check_answers(struct span text)
{
    struct buf out = {0};
    struct resolved answer;
    struct orders_conflict conflict;
    const json_t *bans;
    json_t *doc, *again = NULL;

    if (resolved_read(&answer, &doc, &bans, text) == ERR_OK) {
        resolved_add(&out, &answer, NULL, 0);
        enum err e = resolved_read(&answer, &again, &bans, buf_span(&out));
        assert(e == ERR_OK);
    }
    json_decref(doc);
    json_decref(again);
    if (orders_conflict_read(&conflict, &doc, text) == ERR_OK)
        assert(conflict.epoch > 0 && conflict.age_ms >= 0);
    json_decref(doc);
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size);

    check_orders(text);
    check_resolve(text);
    check_answers(text);
    return 0;
}
