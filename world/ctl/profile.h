#pragma once
/* Whom worldctl talks to, and as whom: from flags, the environment, a file. */
#include "common/base/buf.h"
#include "world/ctl/args.h"

struct profile {
    char *url; /* an origin, as url_origin_add writes it; owned, as the others */
    char *world;
    char *token;            /* NULL: none */
    char *ca;               /* a path; NULL: the system's */
    struct span token_from; /* for people: "TERRANE_TOKEN"; static */
};

/* Strongest first: flags, the environment (TERRANE_URL, _WORLD, _TOKEN, _TOKEN_FILE), the file
 * $WORLDCTL_CONFIG or ~/.config/terrane/worldctl.json ({"url","world","token" or "tokenFile","ca"};
 * paths are relative to its folder). Without a token, but with AUTH_JWT_SECRET or _FILE in the
 * environment, one for a minute is made by it. ERR_SYNTAX: `problem` says what is wrong. */
MUST_CHECK enum err profile_load(struct profile *p, const struct args *args, struct buf *problem);
void profile_clear(struct profile *p);
