/* Commands as bytes, and the digests of scripts, which the server tells. */
#include "common/net/redis_job.h"

#include <stdlib.h>

#include "common/net/redis_wire.h"

struct redis_job *redis_job_new(struct redis_script *script, const struct span *words, size_t count,
                                const struct redis_call *call)
{
    struct redis_job *j = xcalloc(1, sizeof *j);
    j->call = *call;
    j->script = script;
    j->count = count;
    redis_wire_add(&j->words, words, count);
    return j;
}

static void loaded(void *ctx, enum err e, const struct redis_answer *a)
{
    struct redis_script *script = ctx;
    if (e != ERR_OK || a->type != REDIS_TEXT || a->text.len != sizeof script->digest - 1)
        return; /* it goes on by its text */
    memcpy(script->digest, a->text.ptr, a->text.len);
}

struct redis_job *redis_job_load(struct redis_script *script)
{
    const struct span words[] = {SPAN("SCRIPT"), SPAN("LOAD"), span_str(script->text)};
    return redis_job_new(NULL, words, 3, &(struct redis_call){.done = loaded, .ctx = script});
}

void redis_job_free(struct redis_job *j)
{
    buf_clear(&j->words);
    free(j);
}

void redis_job_encode(struct redis_job *j, struct buf *out)
{
    if (j->script == NULL) {
        redis_wire_begin(out, j->count);
    } else {
        const struct span head[] = {
            j->by_text ? SPAN("EVAL") : SPAN("EVALSHA"),
            span_str(j->by_text ? j->script->text : j->script->digest),
            SPAN("0"),
        };
        redis_wire_begin(out, sizeof head / sizeof *head + j->count);
        redis_wire_add(out, head, sizeof head / sizeof *head);
    }
    buf_add_span(out, buf_span(&j->words));
    if (j->script == NULL || j->by_text)
        buf_clear(&j->words);
}
