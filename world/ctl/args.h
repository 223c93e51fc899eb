#pragma once
/* The command line: flags anywhere, the verb's words, then its arguments. */
#include <stdbool.h>
#include <stdio.h>

#include "common/base/buf.h"

struct verb;

struct flag {
    const char *name;  /* without its dashes */
    const char *value; /* what it takes: "N"; NULL: nothing */
    const char *help;
    char letter; /* of the short form; 0: none */
};

/* Those that every verb knows; ends with a name of NULL. */
extern const struct flag args_global[];

enum { ARGS_MAX = 16, ARGS_FLAGS_MAX = 32 };

struct args {
    const struct verb *verb; /* NULL: none was named */
    const char *group; /* the word alone was given of a group of verbs: its `list`; else NULL */
    const char *words[ARGS_MAX];
    size_t count;
    struct {
        const struct flag *flag;
        const char *value; /* NULL: it takes none */
    } given[ARGS_FLAGS_MAX];
    size_t given_count;
};

/* Everything is borrowed from argv. ERR_SYNTAX: `problem` says what is wrong. */
MUST_CHECK enum err args_read(struct args *a, int argc, char **argv, struct buf *problem);
/* Whether the verb has as many arguments as it takes; else ERR_SYNTAX, as above. */
MUST_CHECK enum err args_count(const struct args *a, struct buf *problem);
bool args_has(const struct args *a, const char *name);
/* The value given last; NULL: none. */
const char *args_value(const struct args *a, const char *name);
/* The n-th argument, or NULL. */
const char *args_word(const struct args *a, size_t n);
