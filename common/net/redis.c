/* Owns the commands under way, and the connection for as long as it is good; redis_seek finds the
 * next one. */
#include "common/net/redis.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/net/redis_job.h"
#include "common/net/redis_seek.h"

enum { WAIT_MIN_MS = 50, WAIT_MAX_MS = 2000, SAY_AGAIN_MS = 30000 };

struct redis {
    struct loop *loop;
    const struct redis_settings *settings;
    struct redis_events events;
    struct redis_stats *stats;

    struct redis_link *link; /* NULL: none is good */
    struct redis_seek seek;
    struct timer seek_again;
    struct backoff backoff;
    struct rng rng;
    bool at_once; /* the next failure is the first since a command was answered */

    struct list sent;      /* in the order of their answers */
    struct list unknown;   /* scripts that the server did not know */
    struct list behind;    /* what came after those: it waits until `sent` is answered */
    size_t under_way;      /* in these three */
    struct timer deadline; /* of the oldest, or earlier */
    struct list unsent;    /* for want of a connection; told by `tell_unsent` */
    struct timer tell_unsent;

    struct buf said; /* why nobody is found, as it was logged last */
    int64_t said_ms;
    unsigned calling; /* callbacks of the owner's that have not returned */
};

static struct redis_job *first_of(const struct list *jobs)
{
    struct list *it = list_first(jobs);
    return it == NULL ? NULL : CONTAINER_OF(it, struct redis_job, node);
}

/* Ends a command. */
static void tell(struct redis *r, struct redis_job *j, enum err e, const struct redis_answer *a)
{
    list_remove(&j->node);
    r->calling++;
    j->call.done(j->call.ctx, e, a);
    r->calling--;
    redis_job_free(j);
}

static void tell_all(struct redis *r, struct list *jobs, enum err e)
{
    for (struct redis_job *j; (j = first_of(jobs)) != NULL;)
        tell(r, j, e, NULL);
}

static void call_owner(struct redis *r, void (*event)(void *ctx))
{
    r->calling++;
    event(r->events.ctx);
    r->calling--;
}

/* ---- finding a server ---- */

static void on_seek_again(struct timer *t, int64_t now)
{
    (void)now;
    redis_seek_start(&CONTAINER_OF(t, struct redis, seek_again)->seek);
}

static void seek_later(struct redis *r)
{
    int64_t wait = r->at_once ? 0 : backoff_next(&r->backoff, &r->rng);
    r->at_once = false;
    wheel_set(loop_wheel(r->loop), &r->seek_again, loop_now(r->loop) + wait);
}

static void on_failed(struct redis_seek *s, struct span why)
{
    struct redis *r = CONTAINER_OF(s, struct redis, seek);
    int64_t now = loop_now(r->loop);
    r->stats->failures++;
    if (!span_eq(why, buf_span(&r->said)) || now - r->said_ms >= SAY_AGAIN_MS) {
        log_warn("redis.unreachable", "reason=%.*s setting=REDIS_URL", SPAN_ARG(why));
        buf_reset(&r->said);
        buf_add_span(&r->said, why);
        r->said_ms = now;
    }
    seek_later(r);
}

/* ---- commands on the way ---- */

static void send_job(struct redis *r, struct redis_job *j)
{
    struct buf out = {.len = 0};
    list_push(&r->sent, &j->node);
    redis_job_encode(j, &out);
    redis_link_send(r->link, buf_span(&out));
    buf_clear(&out);
}

static void add_job(struct redis *r, struct redis_job *j)
{
    if (r->link == NULL || r->under_way >= REDIS_UNDER_WAY_MAX) {
        list_push(&r->unsent, &j->node);
        wheel_set(loop_wheel(r->loop), &r->tell_unsent, loop_now(r->loop));
        return;
    }
    r->under_way++;
    r->stats->commands++;
    j->sent_ms = loop_now(r->loop);
    j->sent_us = clock_mono_us();
    if (!timer_is_set(&r->deadline))
        wheel_set(loop_wheel(r->loop), &r->deadline, j->sent_ms + r->settings->timeout_ms);
    if (list_empty(&r->unknown))
        send_job(r, j);
    else
        list_push(&r->behind, &j->node);
}

static void on_tell_unsent(struct timer *t, int64_t now)
{
    (void)now;
    struct redis *r = CONTAINER_OF(t, struct redis, tell_unsent);
    struct list jobs;
    list_init(&jobs); /* what comes meanwhile is told next time */
    for (struct redis_job *j; (j = first_of(&r->unsent)) != NULL; list_push(&jobs, &j->node))
        list_remove(&j->node);
    tell_all(r, &jobs, ERR_MISSING);
}

/* The connection is left. `first` (or NULL) is told that, the others ERR_IO. */
static void lose(struct redis *r, const char *why, struct redis_job *first, enum err e,
                 const struct redis_answer *a)
{
    struct redis_link *k = r->link;
    log_warn("redis.down", "address=%s reason=%s commands=%zu", redis_seek_address(&r->seek), why,
             r->under_way);
    wheel_cancel(loop_wheel(r->loop), &r->deadline);
    r->link = NULL;
    r->under_way = 0;
    r->stats->up = 0;
    r->stats->failures++;
    if (first != NULL)
        tell(r, first, e, a);
    tell_all(r, &r->unknown, ERR_IO);
    tell_all(r, &r->sent, ERR_IO);
    tell_all(r, &r->behind, ERR_IO);
    redis_link_free(k);
    seek_later(r);
    call_owner(r, r->events.down);
}

static struct redis_job *oldest(const struct redis *r)
{
    struct redis_job *j = first_of(&r->unknown);
    if (j == NULL)
        j = first_of(&r->sent);
    return j != NULL ? j : first_of(&r->behind);
}

static void on_deadline(struct timer *t, int64_t now)
{
    struct redis *r = CONTAINER_OF(t, struct redis, deadline);
    struct redis_job *j = oldest(r);
    if (j == NULL)
        return;
    int64_t due = j->sent_ms + r->settings->timeout_ms;
    if (due > now) {
        wheel_set(loop_wheel(r->loop), t, due);
        return;
    }
    r->stats->timeouts++;
    lose(r, "it does not answer in time", j, ERR_TIMEOUT, NULL);
}

/* The scripts that the server did not know, by their texts, and what waited behind them. */
static void send_unknown(struct redis *r)
{
    struct redis_job *j;
    if (!list_empty(&r->sent))
        return;
    while ((j = first_of(&r->unknown)) != NULL) {
        list_remove(&j->node);
        j->by_text = true;
        send_job(r, j);
    }
    while ((j = first_of(&r->behind)) != NULL) {
        list_remove(&j->node);
        send_job(r, j);
    }
}

/* What the server says when it does not serve, or NULL. */
static const char *refusal(const struct redis_answer *a)
{
    static const struct {
        struct span code;
        const char *why;
    } rows[] = {
        {SPAN_INIT("READONLY"), "it has become a replica (READONLY)"},
        {SPAN_INIT("LOADING"), "it loads its data (LOADING)"},
        {SPAN_INIT("MASTERDOWN"), "it is a replica without a master (MASTERDOWN)"},
        {SPAN_INIT("NOREPLICAS"), "it has too few replicas (NOREPLICAS)"},
        {SPAN_INIT("NOAUTH"), "it asks for a password (NOAUTH)"},
        {SPAN_INIT("CLUSTERDOWN"), "its cluster is down (CLUSTERDOWN)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (redis_is_error(a, rows[i].code))
            return rows[i].why;
    }
    return NULL;
}

static void on_job_answer(struct redis *r, struct redis_job *j, const struct redis_answer *a)
{
    const char *why = refusal(a);
    r->under_way--;
    r->stats->errors += a->type == REDIS_ERROR;
    histogram_add(&r->stats->latency, clock_mono_us() - j->sent_us);
    if (a->type == REDIS_ERROR && r->events.refused != NULL) {
        r->calling++;
        r->events.refused(r->events.ctx, a->text);
        r->calling--;
    }
    if (why != NULL) {
        lose(r, why, j, ERR_DENIED, a);
        return;
    }
    backoff_reset(&r->backoff);
    r->at_once = true;
    tell(r, j, ERR_OK, a);
    send_unknown(r);
}

static void on_answer(void *ctx, const struct redis_answer *a)
{
    struct redis *r = ctx;
    struct redis_job *j = first_of(&r->sent);
    if (j == NULL) {
        lose(r, "it answers what it was not asked", NULL, ERR_IO, NULL);
    } else if (j->script != NULL && !j->by_text && redis_is_error(a, SPAN("NOSCRIPT"))) {
        list_remove(&j->node);
        list_push(&r->unknown, &j->node);
        send_unknown(r);
    } else {
        on_job_answer(r, j, a);
    }
}

static void on_ended(void *ctx, const char *why)
{
    lose(ctx, why, NULL, ERR_IO, NULL);
}

static void on_found(struct redis_seek *s, struct redis_link *k)
{
    static const struct redis_link_ops ops = {.answer = on_answer, .ended = on_ended};
    struct redis *r = CONTAINER_OF(s, struct redis, seek);
    redis_link_take(k, &ops, r, REDIS_ANSWER_MAX);
    r->link = k;
    r->stats->up = 1;
    r->stats->connects++;
    buf_reset(&r->said);
    log_info("redis.up", "address=%s", redis_seek_address(s));
    call_owner(r, r->events.up);
}

/* ---- public ---- */

struct span redis_why(enum err e, const struct redis_answer *a)
{
    if (a != NULL)
        return a->text;
    if (e == ERR_MISSING)
        return SPAN("no connection to Redis, or too much under way");
    if (e == ERR_TIMEOUT)
        return SPAN("Redis did not answer in time");
    return SPAN("the connection to Redis failed");
}

struct redis *redis_new(struct loop *l, const struct redis_settings *settings,
                        const struct redis_events *events, struct redis_stats *stats)
{
    struct redis *r = xcalloc(1, sizeof *r);
    *r = (struct redis){.loop = l, .settings = settings, .events = *events, .stats = stats};
    list_init(&r->sent);
    list_init(&r->unknown);
    list_init(&r->behind);
    list_init(&r->unsent);
    r->seek_again.fire = on_seek_again;
    r->deadline.fire = on_deadline;
    r->tell_unsent.fire = on_tell_unsent;
    rng_init(&r->rng);
    r->backoff = (struct backoff){.min_ms = WAIT_MIN_MS, .max_ms = WAIT_MAX_MS};
    r->at_once = true;
    r->seek = (struct redis_seek){.loop = l,
                                  .url = settings->url,
                                  .timeout_ms = settings->timeout_ms,
                                  .found = on_found,
                                  .failed = on_failed};
    redis_seek_start(&r->seek);
    return r;
}

static void free_jobs(struct list *jobs)
{
    for (struct redis_job *j; (j = first_of(jobs)) != NULL;) {
        list_remove(&j->node);
        redis_job_free(j);
    }
}

void redis_free(struct redis *r)
{
    assert(r->calling == 0);
    wheel_cancel(loop_wheel(r->loop), &r->seek_again);
    wheel_cancel(loop_wheel(r->loop), &r->deadline);
    wheel_cancel(loop_wheel(r->loop), &r->tell_unsent);
    redis_seek_clear(&r->seek);
    if (r->link != NULL)
        redis_link_free(r->link);
    r->stats->up = 0;
    free_jobs(&r->sent);
    free_jobs(&r->unknown);
    free_jobs(&r->behind);
    free_jobs(&r->unsent);
    buf_clear(&r->said);
    free(r);
}

bool redis_is_up(const struct redis *r)
{
    return r->link != NULL;
}

struct span redis_trouble(const struct redis *r)
{
    return buf_span(&r->said);
}

void redis_command(struct redis *r, const struct span *words, size_t count,
                   const struct redis_call *call)
{
    add_job(r, redis_job_new(NULL, words, count, call));
}

void redis_eval(struct redis *r, struct redis_script *script, const struct span *words,
                size_t count, const struct redis_call *call)
{
    struct redis_job *j = redis_job_new(script, words, count, call);
    j->by_text = script->digest[0] == '\0';
    if (j->by_text && r->link != NULL)
        add_job(r, redis_job_load(script));
    add_job(r, j);
}
