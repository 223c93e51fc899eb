#pragma once
/* What has been looked at, and how it is: a line for each as it comes, and the worst once more at
 * the end. */
#include "world/ctl/ctl.h"

enum diagnosis_level {
    DIAGNOSIS_OK,
    DIAGNOSIS_SKIPPED, /* not looked at; the text says why */
    DIAGNOSIS_NOTICE,
    DIAGNOSIS_WARNING,
    DIAGNOSIS_ERROR,
    DIAGNOSIS_LEVEL_COUNT,
};

struct diagnosis {
    const struct ctl *ctl;
    const char *group; /* the one that lines are under; static */
    bool titled;       /* its title has been written */
    json_t *items;
    size_t counts[DIAGNOSIS_LEVEL_COUNT];
};

struct symptom {
    enum diagnosis_level level;
    struct span check;   /* as in common/proto/finding.c, or one of worldctl's own */
    struct span subject; /* may be empty */
    struct span by;      /* who has seen it: "node n1"; empty: worldctl itself */
    struct span text;    /* more of it; may be empty */
    struct span cure;    /* a sentence; empty when nothing is wrong */
};

void diagnosis_init(struct diagnosis *d, const struct ctl *c);
void diagnosis_clear(struct diagnosis *d);
/* The title of what comes next. */
void diagnosis_group(struct diagnosis *d, const char *title);
void diagnosis_add(struct diagnosis *d, const struct symptom *s);
/* Something of `check` that is well. */
void diagnosis_well(struct diagnosis *d, const char *check, const char *fmt, ...) PRINTF_LIKE(3, 4);
void diagnosis_skip(struct diagnosis *d, const char *check, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Whether something of that check and subject is there that is not well. */
bool diagnosis_has(const struct diagnosis *d, struct span check, struct span subject);
/* Writes the sum of it, or all of it as JSON. ENDED_REFUSED: something is an error. */
MUST_CHECK enum ended diagnosis_end(struct diagnosis *d);
