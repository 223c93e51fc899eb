#pragma once
/* What tokens are signed with, or read with, here: from flags or the environment, as a world has
 * it. */
#include "common/proto/token.h"
#include "world/ctl/args.h"

struct token_source {
    struct buf keys; /* secrets with commas between them, or a key in PEM; empty: none */
    enum token_alg alg;
};

/* --key FILE, else AUTH_JWT_SECRET, else the file of AUTH_JWT_SECRET_FILE; --alg, else
 * AUTH_JWT_ALG, else what a key in PEM is, else HS256. ERR_SYNTAX: `problem` says what is wrong.
 * The caller clears it in every case. */
MUST_CHECK enum err token_source_read(struct token_source *s, const struct args *args,
                                      struct buf *problem);
/* What signs: the first of the secrets, or the key as it is. Borrowed. */
struct span token_source_signer(const struct token_source *s);
void token_source_clear(struct token_source *s);
