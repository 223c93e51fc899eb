#pragma once
/* The one table of verbs: the command line, --help and completion come from it. A new verb is a row
 * here and a function. */
#include "world/ctl/args.h"
#include "world/ctl/ctl.h"

struct verb {
    const char *name;      /* one word, or a group and a word */
    const char *arguments; /* "ROOM N"; in brackets: may be absent; with "...": and more of them */
    const char *summary;   /* one line, no full stop */
    const struct flag *flags; /* its own; NULL: none; ends with a name of NULL */
    const char *more;         /* sentences for its --help; NULL: none */
    enum ended (*run)(struct ctl *c);
};

/* In the order of --help; ends with a name of NULL. */
extern const struct verb verbs[];

/* `second` NULL: a verb of one word. A group alone is its `list`. NULL: there is none. */
const struct verb *verbs_find(const char *first, const char *second);
/* The word as it is, if verbs of two words begin with it; NULL: none do. */
const char *verbs_group(const char *word);
