#pragma once
/* Whom worldctl talks to, and as whom: from flags, the environment, a file. */
#include "common/base/buf.h"
#include "world/ctl/args.h"

struct profile {
    char *url;       /* an origin, as url_origin_add writes it; owned, as the others */
    char *more_urls; /* those that were named behind it, each with its comma; NULL: none */
    char *world;
    char *token;            /* NULL: none */
    char *ca;               /* a path; NULL: the system's */
    int64_t minted_s;       /* when it was made here; 0: it was given */
    struct span token_from; /* for people: "TERRANE_TOKEN"; static */
};

/* Strongest first: flags, the environment (TERRANE_URL, _WORLD, _TOKEN, _TOKEN_FILE), the file
 * $WORLDCTL_CONFIG or ~/.config/terrane/worldctl.json ({"url","world","token" or "tokenFile","ca"};
 * paths are relative to its folder). Without a token, but with AUTH_JWT_SECRET or _FILE in the
 * environment, one for a minute is made by it. ERR_SYNTAX: `problem` says what is wrong. */
MUST_CHECK enum err profile_load(struct profile *p, const struct args *args, struct buf *problem);
/* A token that was made by the secret is made anew if it will soon end; any other stays. */
void profile_renew(struct profile *p, const struct args *args);
void profile_clear(struct profile *p);
