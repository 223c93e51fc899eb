#pragma once
/* Settings: one table per process declares them; flag > environment > JSON file > default.
 *     ROOM_SERVERS  →  --room-servers=…, environment ROOM_SERVERS, file key "ROOM_SERVERS"
 * A row of type CONFIG_SECRET can also be given as NAME_FILE, the path of a file whose content
 * (without the last newline) is the value. Unknown flags and file keys are errors; unknown
 * environment names are ignored. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/buf.h"

enum config_type {
    CONFIG_STRING,   /* char *            */
    CONFIG_SECRET,   /* char *, never printed */
    CONFIG_INT,      /* int64_t           */
    CONFIG_DURATION, /* int64_t ms: 250ms 15s 2m 1h; a bare number is not allowed, but 0 */
    CONFIG_SIZE,     /* int64_t bytes: 64KiB 8MiB 1GiB; bare numbers are bytes */
    CONFIG_BOOL,     /* bool: 1 0 true false yes no on off */
    CONFIG_CHOICE,   /* int64_t: index into choices */
    CONFIG_RATE,     /* struct rate_limit: 50 or 50:200, so many a second, and at once; without the
                        second number as many at once as a second; 0 or off: no limit (burst 0). Where
                        the fallback is auto, that is a value, too: CONFIG_RATE_AUTO */
};

/* per_s of a rate that is `auto`: the process knows what that is; its burst is 0. */
enum { CONFIG_RATE_AUTO = 1 };

struct config_row {
    const char *name; /* UPPER_CASE, as in the environment */
    enum config_type type;
    size_t offset;              /* of the field in the process's config struct */
    const char *fallback;       /* the default, in the same spelling as a user's; NULL: none */
    int64_t min, max;           /* for numbers, inclusive; max 0 with min >= 0: no upper bound */
    const char *const *choices; /* for CONFIG_CHOICE, NULL-terminated */
    bool required;              /* no default, and may not be empty */
    bool reload;                /* may change while the process runs */
    bool empty_counts;          /* an empty environment value is a value: none of these */
    const char *unit;           /* for --help; may be NULL */
    const char *help;           /* one sentence */
};

struct config_table {
    const char *process; /* "terrane-world" */
    const char *about;   /* one line for --help */
    const char *also;    /* one more, behind the usage; or NULL */
    const struct config_row *rows;
    size_t count;
    bool health; /* there is a flag --health */
    /* What rows cannot say, such as the form of a list; may be NULL. Only called when all rows are
     * in order. False: a line was written to `err`, and the verdict is CONFIG_BAD. */
    bool (*check)(const void *config, FILE *err);
    /* The same for files that the process reads when it starts, and for what is allowed but unwise
     * (lines on `err`, and true); may be NULL. Only --check-config asks: elsewhere the process says
     * it itself. */
    bool (*check_files)(const void *config, FILE *err);
};

enum config_verdict {
    CONFIG_RUN,    /* go on */
    CONFIG_HEALTH, /* --health: *config is filled, and the process that runs with it is to be asked
                    */
    CONFIG_DONE,   /* --help, --version, --check-config or --print-config was answered: exit 0 */
    CONFIG_BAD,    /* every problem is on `err`, one line each with source, name, value and what is
                      allowed: exit 2 */
};

/* Fills *config (which must be all zero) from argv, the environment and the file of --config. With
 * CONFIG_DONE and CONFIG_BAD it holds nothing afterwards. An empty environment value counts as
 * none, unless the row says otherwise.
 */
MUST_CHECK enum config_verdict config_load(const struct config_table *table, void *config, int argc,
                                           char **argv, FILE *out, FILE *err);
/* Frees the strings that config_load made; secrets are wiped first. */
void config_clear(const struct config_table *table, void *config);

/* Names of rows, in the table's order with commas between them. The caller clears both. */
struct config_changes {
    struct buf used; /* have another value now */
    struct buf kept; /* would, but cannot change while the process runs */
};
/* Reads the same sources as config_load did once more, and exchanges the rows that may change.
 * *old (all zero) then holds their old values beside others: config_clear frees it, once nobody has
 * a pointer into it. ERR_SYNTAX: something is wrong, by itself or beside what cannot change; each
 * problem is a line on `err`, and *config is as it was. */
MUST_CHECK enum err config_reload(const struct config_table *table, void *config, void *old,
                                  int argc, char **argv, FILE *err, struct config_changes *out);
