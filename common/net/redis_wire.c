/* Owns hiredis' reader and the limits around it. */
#include "common/net/redis_wire.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

#include "common/base/mem.h"

struct redis_wire {
    redisReader *reader;
    redisReplyObjectFunctions functions;        /* hiredis', but with our own for arrays */
    void *(*array)(const redisReadTask *, int); /* hiredis' */
    redisReply *last;                           /* the answer that is lent out */
    size_t max;
    size_t fed;   /* bytes since the last whole answer */
    size_t items; /* announced by the answer that is being read */
    bool too_large;
};

/* Arrays are allocated when they are announced, so their number is checked before. */
static void *make_array(const redisReadTask *task, int elements)
{
    struct redis_wire *w = task->privdata;
    if (elements > 0)
        w->items += (size_t)elements;
    if (w->items > REDIS_ITEMS_MAX) {
        w->too_large = true;
        return NULL;
    }
    return w->array(task, elements);
}

struct redis_wire *redis_wire_new(size_t answer_max)
{
    struct redis_wire *w = xcalloc(1, sizeof *w);
    w->max = answer_max;
    w->reader = redisReaderCreate();
    assert(w->reader != NULL);
    w->functions = *w->reader->fn;
    w->array = w->functions.createArray;
    w->functions.createArray = make_array;
    w->reader->fn = &w->functions;
    w->reader->privdata = w;
    return w;
}

static void forget_last(struct redis_wire *w)
{
    if (w->last != NULL)
        freeReplyObject(w->last);
    w->last = NULL;
}

void redis_wire_free(struct redis_wire *w)
{
    forget_last(w);
    redisReaderFree(w->reader);
    free(w);
}

void redis_wire_set_max(struct redis_wire *w, size_t answer_max)
{
    w->max = answer_max;
}

void redis_wire_feed(struct redis_wire *w, const char *data, size_t len)
{
    w->fed += len;
    (void)redisReaderFeed(w->reader, data, len); /* a failure is kept, and told by the next read */
}

static struct redis_answer answer_of(const redisReply *r)
{
    switch (r->type) {
    case REDIS_REPLY_INTEGER:
        return (struct redis_answer){.type = REDIS_INTEGER, .integer = r->integer};
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
        return (struct redis_answer){.type = REDIS_TEXT, .text = span_of(r->str, r->len)};
    case REDIS_REPLY_ERROR:
        return (struct redis_answer){.type = REDIS_ERROR, .text = span_of(r->str, r->len)};
    case REDIS_REPLY_ARRAY:
        return (struct redis_answer){
            .type = REDIS_LIST, .count = r->elements, .list = (const void *)r->element};
    default:
        return (struct redis_answer){.type = REDIS_NIL};
    }
}

enum err redis_wire_next(struct redis_wire *w, struct redis_answer *out)
{
    void *reply = NULL;
    forget_last(w);
    if (redisReaderGetReply(w->reader, &reply) != REDIS_OK)
        return w->too_large ? ERR_LIMIT : ERR_SYNTAX;
    if (reply == NULL)
        return w->fed > w->max ? ERR_LIMIT : ERR_AGAIN;
    w->last = reply;
    w->items = 0;
    w->fed = w->reader->len - w->reader->pos; /* the beginning of the next */
    *out = answer_of(w->last);
    return ERR_OK;
}

struct redis_answer redis_item(const struct redis_answer *list, size_t i)
{
    assert(list->type == REDIS_LIST && i < list->count);
    return answer_of(((redisReply *const *)list->list)[i]);
}

bool redis_is_error(const struct redis_answer *a, struct span code)
{
    return a->type == REDIS_ERROR &&
           span_eq(span_slice(a->text, 0, span_index(a->text, ' ')), code);
}

void redis_wire_begin(struct buf *out, size_t count)
{
    buf_add_char(out, '*');
    buf_add_u64(out, count);
    BUF_ADD_LIT(out, "\r\n");
}

void redis_wire_add(struct buf *out, const struct span *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_add_char(out, '$');
        buf_add_u64(out, words[i].len);
        BUF_ADD_LIT(out, "\r\n");
        buf_add_span(out, words[i]);
        BUF_ADD_LIT(out, "\r\n");
    }
}
