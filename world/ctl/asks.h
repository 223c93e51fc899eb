#pragma once
/* Requests side by side, of which each is over by a deadline, whoever does not answer. */
#include "common/base/json.h"
#include "world/ctl/ctl.h"

struct asks;

struct ask {
    const char *method;       /* NULL: GET */
    struct buf url, headers;  /* headers: each with its CR LF */
    struct span body;         /* borrowed; ptr NULL: none */
    bool token;               /* with the profile's, if there is one */
    enum err err;             /* as in struct wire_answer; ERR_TIMEOUT also: not asked in time */
    int status;               /* 0: no answer */
    int64_t cert_until_s;     /* as in struct wire_answer */
    struct buf why;           /* of err, for people; no NUL */
    json_t *doc;              /* the answer; NULL: none, or no JSON */
    int64_t sent_ms, came_ms; /* Unix ms */
    struct asks *all;
    struct wire_exchange *under_way;
};

enum { ASKS_UNDER_WAY = 64, ASKS_MS = 5000 };

/* Sends all of them and waits for the answers, `ms` at most. False: a signal has come. */
MUST_CHECK bool asks_run(struct ctl *c, struct ask *list, size_t count, int64_t ms);
/* One: GET, with the token. The caller clears it. */
MUST_CHECK bool asks_get(struct ctl *c, struct ask *a, const char *base, struct span path);
/* An answer of 200 to 299. */
bool ask_is_good(const struct ask *a);
/* Appends why there is no good answer: what went wrong, or the status and its text. */
void ask_add_fault(const struct ask *a, struct buf *out);
void ask_clear(struct ask *a);
