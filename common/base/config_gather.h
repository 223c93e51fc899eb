#pragma once
/* What was said about settings, before anybody looks at the values. A part of config.h that only
 * its files need. */
#include "common/base/buf.h"
#include "common/base/config.h"

/* Weakest first. */
enum config_source {
    CONFIG_FROM_DEFAULT,
    CONFIG_FROM_FILE,
    CONFIG_FROM_ENVIRONMENT,
    CONFIG_FROM_FLAG,
};

/* What the strongest source gave for a row. */
struct config_given {
    char *text; /* NULL: nothing */
    enum config_source source;
    bool is_path; /* given as NAME_FILE */
};

struct config_gather {
    const struct config_table *table;
    struct config_given *given; /* one per row */
    const char *file;           /* of --config; NULL: none */
    bool unread;                /* nothing of it could be read */
    bool check, print, health;  /* asked for by a switch */
    FILE *err;
    size_t problems;
};

/* Reads all sources into l->given, and the switches but --help and --version. */
void config_gather(struct config_gather *l, int argc, char **argv);
/* Replaces the path of a secret by the content of its file. False: it was a problem. */
MUST_CHECK bool config_read_secret(struct config_gather *l, const struct config_row *row,
                                   struct config_given *s);
/* Writes a line to l->err, and counts it. */
void config_problem(struct config_gather *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The same for a value: where it came from, the value unless it is secret, and `fault`. */
void config_row_problem(struct config_gather *l, const struct config_row *row,
                        const struct config_given *s, struct span fault);
/* Appends "flag --port", "environment PORT", "file terrane.json PORT" or "default". */
void config_add_origin(struct buf *out, const struct config_gather *l, const struct config_row *row,
                       const struct config_given *s);
/* Wipes and frees. NULL is allowed. */
void config_text_free(char *text);
