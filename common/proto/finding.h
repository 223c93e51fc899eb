#pragma once
/* What a process finds wrong with itself or around it, for operators (docs/protocol.md,
 * "Findings"; docs/design.md section 9): a check that something did not pass, whom or what it is
 * about, and since when. Nodes tell theirs in their beats; worlds have some of their own. */
#include "common/base/json.h"

enum finding_check {
    /* of any process */
    FINDING_CLOCK,
    FINDING_CERTIFICATE,
    FINDING_DESCRIPTORS,
    FINDING_WEAK_SECRET,
    /* of nodes */
    FINDING_ROOM_UNREACHABLE,
    FINDING_ROOM_UPGRADE,
    FINDING_ROOM_SECRET,
    FINDING_PEER_UNREACHABLE,
    FINDING_PEER_SECRET,
    FINDING_BEAT_REFUSED,
    FINDING_PROXY_UNTRUSTED,
    FINDING_ONE_ADDRESS,
    FINDING_IDLE_CUT,
    /* of worlds */
    FINDING_NODE_SECRET,
    FINDING_NODE_ID,
    FINDING_NODE_LOST,
    FINDING_NODE_VERSION,
    FINDING_SERVER_DOWN,
    FINDING_STORE,
    FINDING_REDIS_UNREACHABLE,
    FINDING_REDIS_READ_ONLY,
    FINDING_REDIS_EVICTS,
    FINDING_REDIS_FORGETS,
    FINDING_CHECK_COUNT,
};

enum finding_level {
    FINDING_ERROR,   /* something does not work, or will not when it is needed */
    FINDING_WARNING, /* it works for now */
    FINDING_NOTICE,  /* it may be meant to be so */
    FINDING_LEVEL_COUNT,
};
extern const struct span finding_level_names[FINDING_LEVEL_COUNT]; /* on the wire */

struct finding_kind {
    struct span name; /* on the wire, in metrics and in the log; never changes */
    enum finding_level level;
    struct span means; /* a sentence each: what is the case, */
    struct span cure;  /* and what to do about it */
};
extern const struct finding_kind finding_kinds[FINDING_CHECK_COUNT];
/* The check of that name; FINDING_CHECK_COUNT: none. */
enum finding_check finding_by_name(struct span name);

enum {
    FINDINGS_MAX = 64,          /* in a set, */
    FINDINGS_OF_CHECK_MAX = 16, /* and of one check in it: what comes then is left out */
    FINDING_SUBJECT_MAX =
        272, /* bytes, an origin at least; longer texts are cut between characters */
    FINDING_DETAIL_MAX = 512,
};

struct finding {
    enum finding_check check;
    struct span subject; /* a node id, an address, an origin …; may be empty: the process itself */
    struct span detail;  /* more for people; may be empty */
    int64_t since_ms;    /* Unix ms, by the clock of who found it */
};

/* At most one of a check and a subject; in the order of checks, then of their coming. The all-zero
 * struct is valid and empty; findings_clear frees. Texts of items are owned. */
struct findings {
    struct finding *items;
    size_t count;
    uint64_t version; /* grows with each change */
};

/* Texts are copied. True: it is new, or its detail has changed (`since_ms` of the first time
 * stays). False: nothing has changed, or there was no room for it. `now_ms`: Unix ms. New ones are
 * logged as finding.new. */
bool findings_put(struct findings *f, enum finding_check check, struct span subject,
                  struct span detail, int64_t now_ms);
/* What is well again; logged as finding.gone. True: it was there. */
bool findings_drop(struct findings *f, enum finding_check check, struct span subject);
/* Puts it if `is_so`, else drops it. */
bool findings_set(struct findings *f, enum finding_check check, struct span subject, bool is_so,
                  struct span detail, int64_t now_ms);
/* NULL: it is not there. Good until the next change. */
const struct finding *findings_get(const struct findings *f, enum finding_check check,
                                   struct span subject);
/* How many there are of that check. */
size_t findings_count(const struct findings *f, enum finding_check check);
/* Adds to each level how many there are of it. */
void findings_levels(const struct findings *f, size_t counts[FINDING_LEVEL_COUNT]);
void findings_clear(struct findings *f);

/* Appends a JSON array of {check, subject, detail, since}. */
void findings_write(const struct findings *f, struct buf *out);
/* Replaces *f, which logs nothing, with what such an array says. Checks that nobody here knows, of
 * a newer process, and what is beyond the bounds above are left out. ERR_SYNTAX: an item is
 * malformed (NULL, or no array: too); *f is empty then. */
MUST_CHECK enum err findings_read(struct findings *f, const json_t *array);
