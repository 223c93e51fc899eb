#pragma once
/* A world process that decides for nothing, or for all, as the test says, and the process that
 * does: a scripted one. */
#include "rig.h"

#include "common/proto/hop_sign.h"
#include "common/proto/http_head.h"
#include "tests/unit/common/net/scripted.h"
#include "world/io/passage.h"

struct passage_rig {
    struct rig *rig;
    struct passage *passage;
    struct passage_stats stats;
    struct lease_place place; /* of every world */
    char url[64];             /* of the owner */
    struct scripted owner;
    size_t doubts, looks;
    int64_t seen;
    struct buf answer;
    int fd;
};

static inline struct lease_place pr_place(void *ctx, struct span world)
{
    struct passage_rig *pr = ctx;
    (void)world;
    return pr->place;
}

static inline void pr_doubt(void *ctx, struct span world)
{
    struct passage_rig *pr = ctx;
    (void)world;
    pr->doubts++;
}

static inline void pr_look(void *ctx, struct span world)
{
    struct passage_rig *pr = ctx;
    (void)world;
    pr->looks++;
}

static inline void pr_saw(void *ctx, struct span world, int64_t epoch)
{
    struct passage_rig *pr = ctx;
    (void)world;
    pr->seen = epoch;
}

static inline enum owner pr_find(void *ctx, struct span world)
{
    struct passage_rig *pr = ctx;
    (void)world;
    return pr->place.owner;
}

/* The owner is known, under epoch 7. */
static inline void pr_at_owner(struct passage_rig *pr)
{
    (void)snprintf(pr->url, sizeof(pr->url), "http://%s", pr->owner.origin.text);
    pr->place = (struct lease_place){.owner = OWNER_OTHER, .url = span_str(pr->url), .epoch = 7};
}

static inline void pr_sought(struct passage_rig *pr)
{
    pr->place = (struct lease_place){.owner = OWNER_SOUGHT, .epoch = 7};
}

static inline void pr_here(struct passage_rig *pr, int64_t epoch)
{
    pr->place = (struct lease_place){.owner = OWNER_US, .epoch = epoch};
}

static inline void pr_moved(struct passage_rig *pr)
{
    passage_moved(pr->passage, SPAN("world-a"));
}

static inline struct passage_rig *pr_new(int64_t wait_ms)
{
    struct passage_rig *pr = xcalloc(1, sizeof(*pr));

    pr->rig = rig_new(0);
    pr->rig->port.owner.ctx = pr;
    pr->rig->port.owner.find = pr_find;
    scripted_start(&pr->owner, pr->rig->loop);
    pr_at_owner(pr);
    pr->passage = passage_new(
        pr->rig->loop, &pr->rig->server, &(struct places){pr, pr_place, pr_doubt, pr_look, pr_saw},
        &(struct passage_settings){
            .secrets = &rig_secrets, .id = SPAN("process-1"), .wait_ms = wait_ms},
        &pr->stats);
    pr->rig->server.passage = pr->passage;
    pr->rig->metrics.passage = &pr->stats;
    pr->fd = rig_dial(pr->rig);
    return pr;
}

static inline void pr_free(struct passage_rig *pr)
{
    (void)close(pr->fd);
    passage_abort(pr->passage);
    scripted_stop(&pr->owner);
    for (int i = 0; i < 3; i++)
        loop_turn(pr->rig->loop, 0);
    passage_free(pr->passage);
    pr->rig->server.passage = NULL;
    buf_clear(&pr->answer);
    rig_free(pr->rig);
    free(pr);
}

/* Sends it as a client. */
static inline void pr_post(struct passage_rig *pr, const char *verb, const char *body)
{
    struct buf request = {0};

    rig_add_post(&request, verb, body);
    rig_write(pr->fd, buf_span(&request));
    buf_clear(&request);
}

static inline void pr_send(struct passage_rig *pr, const char *text)
{
    rig_write(pr->fd, span_str(text));
}

/* The i-th connection of the owner, once that text has come by it. */
static inline struct scripted_conn *pr_heard(struct passage_rig *pr, size_t i, const char *text)
{
    struct scripted_conn *c = &pr->owner.conns[i];

    TURN_UNTIL(pr->rig->loop, pr->owner.count > i && scripted_has(c, text));
    return c;
}

/* The client has an answer that ends so. */
static inline void pr_answered(struct passage_rig *pr, const char *status, const char *end)
{
    rig_read_until(pr->rig, pr->fd, &pr->answer, span_str(end));
    if (!span_starts(buf_span(&pr->answer), span_str(status)))
        fail_msg("%s", pr->answer.data);
}
