#pragma once
/* One run of worldctl: what was asked for, whom to ask, and how it ends. */
#include "common/base/json.h"
#include "world/ctl/args.h"
#include "world/ctl/profile.h"
#include "world/ctl/wire.h"

/* The exit status (docs/man/worldctl.1). */
enum ended {
    ENDED_DONE = 0,
    ENDED_REFUSED = 1,   /* the server refused, or what was looked at is in error */
    ENDED_USAGE = 2,     /* the command line, or a file, is wrong */
    ENDED_DENIED = 3,    /* the token does not allow it */
    ENDED_UNREACHED = 4, /* nobody answers there */
    ENDED_MISSING = 5,   /* no such thing */
    ENDED_LATE = 6,      /* not done in time */
    ENDED_INTERRUPTED = 130,
};

struct ctl {
    struct args args;
    bool json;   /* -o json */
    bool quiet;  /* -q: names only */
    bool yes;    /* do not ask */
    bool screen; /* stdout is a terminal */
    bool colour;
    struct profile profile; /* behind ctl_reach */
    struct wire *wire;      /* behind ctl_reach */
};

/* Reads who is asked and makes c->wire, once. Not ENDED_DONE: it has said why. */
MUST_CHECK enum ended ctl_reach(struct ctl *c);
/* The same for a verb that asks all of --url; others take one. */
MUST_CHECK enum ended ctl_reach_all(struct ctl *c);
/* Writes `worldctl: TEXT` on stderr, without control characters; answers `how`. */
enum ended ctl_problem(enum ended how, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Asks a question on the terminal: true is yes. Without a terminal, and with --yes, nobody is
 * asked: true. */
bool ctl_agrees(const struct ctl *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Says so, and answers what a refusal of ctl_agrees ends with. */
enum ended ctl_disagreed(const struct ctl *c);
/* Writes one line on stdout, without control characters; with -o json `doc` (NULL: {}) instead. */
MUST_CHECK enum ended ctl_say(const struct ctl *c, const json_t *doc, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Waits, behind ctl_reach, and serves c->wire. False: a signal has come. */
MUST_CHECK bool ctl_pause(struct ctl *c, int64_t ms);
