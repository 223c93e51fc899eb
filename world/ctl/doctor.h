#pragma once
/* What the parts of `worldctl doctor` share. Each looks at one side of a cluster, says what it sees
 * into the diagnosis, and answers false when a signal has come. */
#include "world/ctl/asks.h"
#include "world/ctl/diagnosis.h"

#define DOCTOR_ROOM "doctor"

enum doctor_may { DOCTOR_NOTHING, DOCTOR_READS, DOCTOR_CHANGES };

enum {
    DOCTOR_CLOCK_MS = 5000, /* clocks may be so far apart */
    DOCTOR_SHOWN = 5,       /* of many of a kind */
    DOCTOR_STEP_MS = 10000, /* a step of many requests is over by then */
};

struct doctor {
    struct ctl *c;
    struct diagnosis d;
    bool quick;
    json_t *urls;            /* the worlds' origins, as texts */
    json_t *vias;            /* of clients, besides */
    json_t *dialled;         /* room servers to dial from here */
    const char *base;        /* the first of `urls` that answers; NULL: none */
    enum doctor_may may;     /* what the token opens there */
    bool decided;            /* a process decides for the world: its lists can be read */
    int64_t rooms;           /* of the world, if decided */
    json_t *processes;       /* what /api/v1/process answered, one of each process, with "at" */
    json_t *findings;        /* {check, level, subject, detail, cure, by: [texts]} */
    json_t *nodes, *servers; /* the lists; NULL: not known */
};

/* ---- the way from here (doctor_way.c): addresses, token, processes */
MUST_CHECK bool doctor_look_at_way(struct doctor *d);
/* ---- SHARD_SECRET of the environment (doctor_secret.c); behind doctor_read_lists */
MUST_CHECK bool doctor_look_at_secret(struct doctor *d);
/* Appends SHARD_SECRET, or what is in the file of SHARD_SECRET_FILE; nothing: neither is set.
 * False: it cannot be read, which has been said. */
MUST_CHECK bool doctor_read_secret(struct doctor *d, struct buf *out);
/* ---- room servers that --servers names, from here (doctor_servers.c) */
MUST_CHECK bool doctor_look_at_servers(struct doctor *d);
/* ---- as a client (doctor_visit.c) */
MUST_CHECK bool doctor_visit(struct doctor *d);
/* ---- the cluster (doctor_cluster.c) */
MUST_CHECK bool doctor_read_lists(struct doctor *d);
/* Takes in what the world tells now; findings stay. */
MUST_CHECK bool doctor_read_findings(struct doctor *d);
MUST_CHECK bool doctor_check_up(struct doctor *d);
void doctor_tell_findings(struct doctor *d);
/* ---- nodes, room servers, shards and rooms, by their lists (doctor_states.c) */
MUST_CHECK bool doctor_look_at_states(struct doctor *d);

/* Merges items of the API's `findings` into d->findings. */
void doctor_take_findings(struct doctor *d, const json_t *items);
/* A list below the world's API, page by page. *items: NULL, it could not be read. */
MUST_CHECK bool doctor_read_list(struct doctor *d, const char *path, json_t **items);
/* The path below the world's API at d->base. */
MUST_CHECK bool doctor_get(struct doctor *d, struct ask *a, const char *path);
/* One line on the terminal, while something lasts; an empty one takes it away. */
void doctor_progress(const struct doctor *d, const char *fmt, ...) PRINTF_LIKE(2, 3);
