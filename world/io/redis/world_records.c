/* Values are `{seq} {json}`. What the JSON says is core's to judge. */
#include "world/io/redis/world_records.h"

#include <stdlib.h>

#include "common/base/json.h"
#include "world/core/record.h"

enum { HEAD_ITEMS = 4, SEQ_DIGITS_MAX = 15 };

void world_records_ask(struct redis *redis, struct redis_script *script, struct span prefix,
                       struct span world, const struct redis_call *call)
{
    const struct span words[] = {prefix, world};

    redis_eval(redis, script, words, 2, call);
}

static bool read_value(struct span text, struct world_entry *out)
{
    size_t digits = span_index(text, ' ');
    uint64_t seq;

    if (digits > SEQ_DIGITS_MAX || span_to_u64(span_slice(text, 0, digits), &seq) != ERR_OK)
        return false;
    out->seq = (int64_t)seq;
    out->record.value = span_slice(text, digits + 1, text.len);
    return out->record.value.len > 0;
}

static enum err refuse(struct buf *why, struct span prefix, const struct record *r)
{
    buf_addf(why, "%.*s:%s:%.*s holds ", SPAN_ARG(prefix), record_kind_names[r->kind],
             SPAN_ARG(r->world));
    json_add_string(why, r->key);
    BUF_ADD_LIT(why, ", whose value is not a record's");
    return ERR_SYNTAX;
}

static enum err read_kind(struct world_records *out, struct span prefix, struct record template,
                          const struct redis_answer *list, struct buf *why)
{
    for (size_t i = 0; i + 1 < list->count; i += 2) {
        struct world_entry *e = &out->list[out->count];
        struct redis_answer key = redis_item(list, i), value = redis_item(list, i + 1);

        e->record = template;
        e->record.key = key.text;
        if (key.type != REDIS_TEXT || value.type != REDIS_TEXT || !read_value(value.text, e))
            return refuse(why, prefix, &e->record);
        out->count++;
    }
    return ERR_OK;
}

static int by_kind_and_seq(const void *a, const void *b)
{
    const struct world_entry *x = a, *y = b;

    if (x->record.kind != y->record.kind)
        return x->record.kind < y->record.kind ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static bool read_head(struct world_records *out, const struct redis_answer *a)
{
    struct redis_answer epoch = redis_item(a, 1), rev = redis_item(a, 2), clock = redis_item(a, 3);

    out->epoch = epoch.integer;
    out->rev = rev.integer;
    out->clock_ms = clock.integer;
    return epoch.type == REDIS_INTEGER && rev.type == REDIS_INTEGER && clock.type == REDIS_INTEGER;
}

/* An upper bound of how many records there are. */
static size_t count_items(const struct redis_answer *a)
{
    size_t items = 0;

    for (size_t kind = 0; kind < RECORD_COUNT; kind++)
        items += redis_item(a, HEAD_ITEMS + kind).count;
    return items / 2 + 1;
}

static enum err read_all(struct world_records *out, struct span prefix, struct span world,
                         const struct redis_answer *a, struct buf *why)
{
    enum err e = ERR_OK;

    out->list = xcalloc(count_items(a), sizeof(*out->list));
    for (size_t kind = 0; e == ERR_OK && kind < RECORD_COUNT; kind++) {
        struct redis_answer list = redis_item(a, HEAD_ITEMS + kind);
        struct record template = {.kind = (enum record_kind)kind, .world = world};

        e = read_kind(out, prefix, template, &list, why);
    }
    if (e == ERR_OK)
        qsort(out->list, out->count, sizeof(*out->list), by_kind_and_seq);
    return e;
}

enum err world_records_read(struct world_records *out, struct span prefix, struct span world,
                            const struct redis_answer *a, struct buf *why)
{
    struct redis_answer said = {0};
    enum err e = ERR_SYNTAX;

    *out = (struct world_records){0};
    if (a->type == REDIS_LIST && a->count > 0)
        said = redis_item(a, 0);
    if (a->count == 1 && span_eq(said.text, SPAN("none")))
        return ERR_OK;
    if (a->count == HEAD_ITEMS + RECORD_COUNT && span_eq(said.text, SPAN("ok")) &&
        read_head(out, a))
        e = read_all(out, prefix, world, a, why);
    else if (a->count == 2 && span_eq(said.text, SPAN("bad")))
        buf_add_span(why, redis_item(a, 1).text);
    else if (a->type == REDIS_ERROR)
        buf_addf(why, "Redis says: %.*s", SPAN_ARG(a->text));
    else
        BUF_ADD_LIT(why, "Redis gives no answer of the script");
    if (e != ERR_OK)
        world_records_clear(out);
    return e;
}

void world_records_clear(struct world_records *r)
{
    free(r->list);
    *r = (struct world_records){0};
}
