#pragma once
/* In place of common/net/redis: commands are written down, and answered by the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/net/redis.h"

enum { FAKE_CALLS_MAX = 64 };

struct fake_call {
    char *words; /* "a|b|c" */
    size_t count;
    struct redis_call call;
};

static struct {
    struct fake_call calls[FAKE_CALLS_MAX];
    size_t count;
} fake;

static void fake_note(const struct span *words, size_t count, const struct redis_call *call)
{
    struct fake_call *c = &fake.calls[fake.count++];
    struct buf text = {0};

    assert_true(fake.count <= FAKE_CALLS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(&text, '|');
        buf_add_span(&text, words[i]);
    }
    buf_add_char(&text, '\0');
    *c = (struct fake_call){.words = text.data, .count = count, .call = *call};
}

void redis_command(struct redis *r, const struct span *words, size_t count,
                   const struct redis_call *call)
{
    (void)r;
    fake_note(words, count, call);
}

void redis_eval(struct redis *r, struct redis_script *script, const struct span *words,
                size_t count, const struct redis_call *call)
{
    (void)r;
    assert_non_null(script->text);
    fake_note(words, count, call);
}

struct redis_answer redis_item(const struct redis_answer *list, size_t i)
{
    const struct redis_answer *items = list->list;

    assert_true(list->type == REDIS_LIST && i < list->count);
    return items[i];
}

#define FAKE_TEXT(literal)                                                                         \
    {                                                                                              \
        .type = REDIS_TEXT, .text = SPAN_INIT(literal)                                             \
    }
#define FAKE_NUMBER(n)                                                                             \
    {                                                                                              \
        .type = REDIS_INTEGER, .integer = (n)                                                      \
    }
#define FAKE_LIST(...)                                                                             \
    {                                                                                              \
        .type = REDIS_LIST,                                                                        \
        .count = sizeof((struct redis_answer[]){__VA_ARGS__}) / sizeof(struct redis_answer),       \
        .list = (struct redis_answer[])                                                            \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define FAKE_NO_LIST                                                                               \
    {                                                                                              \
        .type = REDIS_LIST                                                                         \
    }

static void fake_answer(size_t call, enum err e, const struct redis_answer *a)
{
    assert_true(call < fake.count);
    fake.calls[call].call.done(fake.calls[call].call.ctx, e, a);
}

static void fake_clear(void)
{
    for (size_t i = 0; i < fake.count; i++)
        free(fake.calls[i].words);
    fake.count = 0;
}
