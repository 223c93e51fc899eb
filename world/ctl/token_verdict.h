#pragma once
/* What a world, or a node at a room's door, would say to a token, and every reason for it
 * (docs/protocol.md, "Authorization of what follows" and "Private rooms"). token.h alone decides;
 * this tells people why. */
#include "common/proto/token.h"

struct token_question {
    struct span text;
    struct span keys; /* as in AUTH_JWT_SECRET; empty: the signature cannot be checked */
    enum token_alg alg;
    struct span world; /* whom it is shown to */
    struct span room;  /* empty: to the management API; else to enter this private room */
    int64_t now_s;
};

struct token_verdict {
    json_t *header, *claims; /* NULL: cannot be read */
    struct buf refusals;     /* lines, each with a newline; empty: it would be let in */
    struct buf notes;        /* the same, of what is odd but allowed */
};

/* ERR_SYNTAX: `keys` are none; the verdict is empty then. The caller clears it. */
MUST_CHECK enum err token_judge(const struct token_question *q, struct token_verdict *out);
void token_verdict_clear(struct token_verdict *v);

/* HS256, RS256 or ES256, as in AUTH_JWT_ALG. ERR_SYNTAX: another. */
MUST_CHECK enum err token_alg_read(struct span name, enum token_alg *out);
const char *token_alg_name(enum token_alg alg);

/* "2026-11-21T23:43:35Z (in 59m 12s)" or "(3h 2m ago)", from `now_s`. */
void token_add_time(struct buf *out, double at_s, int64_t now_s);
