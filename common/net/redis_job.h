#pragma once
/* A command of redis.c's: who asked, and what has to be kept so that it can be sent, and a script
 * sent again. */
#include "common/base/list.h"
#include "common/net/redis.h"

struct redis_job {
    struct list node;
    struct redis_call call;
    struct redis_script *script; /* NULL: it runs none */
    struct buf words;            /* encoded: all of them, or the ARGV of a script */
    size_t count;                /* of these */
    bool by_text;                /* the text of the script is sent, not its digest */
    int64_t sent_ms, sent_us;
};

/* Words are copied; caller frees. */
struct redis_job *redis_job_new(struct redis_script *script, const struct span *words, size_t count,
                                const struct redis_call *call);
/* One that has the server learn the script and the script its digest. */
struct redis_job *redis_job_load(struct redis_script *script);
void redis_job_free(struct redis_job *j);
/* Appends what is sent for it. What it does not take to send it again is forgotten. */
void redis_job_encode(struct redis_job *j, struct buf *out);
