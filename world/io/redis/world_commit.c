/* The words stand in the order of commit.lua's ARGV. */
#include "world/io/redis/world_commit.h"

#include <stdio.h>
#include <stdlib.h>

#include "world/core/record.h"

enum { HEAD_WORDS = 8, ENTRY_WORDS = 4, NUMBERS = 4, NUMBER_MAX = 24 };

static struct span op_name(const struct batch_entry *e)
{
    if (e->put)
        return e->remove ? SPAN("renew") : SPAN("put");
    return SPAN("remove");
}

static size_t add_entries(struct span *words, const struct batch *batch)
{
    size_t n = 0;

    LIST_EACH (&batch->list, it) {
        const struct batch_entry *e = CONTAINER_OF(it, struct batch_entry, node);

        words[n++] = op_name(e);
        words[n++] = span_str(record_kind_names[e->kind]);
        words[n++] = e->key;
        words[n++] = e->value;
    }
    return n;
}

static struct span number(char *text, int64_t n)
{
    int len = snprintf(text, NUMBER_MAX, "%lld", (long long)n);

    return span_of(text, (size_t)len);
}

void world_commit_send(struct redis *redis, struct redis_script *script,
                       const struct world_commit *c, const struct redis_call *call)
{
    size_t count = c->batch == NULL ? 0 : batch_count(c->batch), n = 0;
    struct span *words = xcalloc(HEAD_WORDS + ENTRY_WORDS * count, sizeof(*words));
    char numbers[NUMBERS][NUMBER_MAX];

    words[n++] = c->prefix;
    words[n++] = c->world;
    words[n++] = c->id;
    words[n++] = number(numbers[0], c->epoch);
    words[n++] = number(numbers[1], c->low);
    words[n++] = number(numbers[2], c->high);
    words[n++] = number(numbers[3], c->clock_ms);
    words[n++] = c->clear ? SPAN("1") : SPAN("0");
    if (count > 0)
        n += add_entries(words + n, c->batch);
    redis_eval(redis, script, words, n, call);
    free(words);
}

static struct world_commit_answer bad(struct span why)
{
    return (struct world_commit_answer){.said = COMMIT_BAD, .why = why};
}

struct world_commit_answer world_commit_read(const struct redis_answer *a)
{
    struct redis_answer said, more = {0};

    if (a->type == REDIS_ERROR)
        return bad(a->text);
    if (a->type != REDIS_LIST || a->count < 1 || a->count > 2)
        return bad(SPAN("no answer of the script"));
    said = redis_item(a, 0);
    if (a->count == 2)
        more = redis_item(a, 1);
    if (said.type == REDIS_TEXT && span_eq(said.text, SPAN("lost")))
        return (struct world_commit_answer){.said = COMMIT_LOST};
    if (said.type == REDIS_TEXT && more.type == REDIS_INTEGER && span_eq(said.text, SPAN("ok")))
        return (struct world_commit_answer){.said = COMMIT_OK, .rev = more.integer};
    if (said.type == REDIS_TEXT && more.type == REDIS_INTEGER && span_eq(said.text, SPAN("gap")))
        return (struct world_commit_answer){.said = COMMIT_GAP, .rev = more.integer};
    return bad(more.type == REDIS_TEXT ? more.text : SPAN("no answer of the script"));
}
