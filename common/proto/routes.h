#pragma once
/* ROUTES: which paths clients may dial, and what becomes of them (docs/protocol.md, "Routes"). The
 * first rule whose pattern fits a path counts; behind all stands the built-in one,
 * `/parties/shard/{shard}/` and whatever follows, mode mux. Pure. */
#include "common/proto/origins.h"

enum route_mode {
    ROUTE_MUX,  /* clients share one link to the room, in envelopes (envelope.h) */
    ROUTE_PASS, /* one connection upstream for each client, bytes untouched */
};

enum route_auth {
    ROUTE_AUTH_DEFAULT, /* as CLIENT_AUTH says */
    ROUTE_AUTH_NONE,
    ROUTE_AUTH_JWT,
    ROUTE_AUTH_MESSAGE, /* a token in the first frame */
    ROUTE_AUTH_TICKET,
};

/* Where the name comes from by which a server is chosen. */
enum route_key_from {
    ROUTE_KEY_PATH,
    ROUTE_KEY_QUERY,
    ROUTE_KEY_COOKIE,
    ROUTE_KEY_HEADER,
    ROUTE_KEY_ADDRESS
};

struct route_key {
    enum route_key_from from;
    char *name; /* owned; NULL: ADDRESS */
};

struct route_rule {
    char *pattern; /* as written; owned */
    enum route_mode mode;
    enum route_auth auth;
    bool has_shard; /* `{shard}` is in the pattern: clients belong to a shard of the registry */
    bool secret;    /* PASS: upstream gets x-access-shard */
    int8_t deflate; /* MUX: 1 or 0; -1: as COMPRESSION says */
    struct origins servers; /* PASS; none: the room's server, or ROOM_SERVERS */
    char *origins;          /* comma-separated, as ALLOWED_ORIGINS; owned; NULL: that */
    struct route_key *keys; /* PASS without a shard: the first that yields something */
    size_t key_count;
    bool builtin;
};

#define ROUTES_BUILTIN_PATTERN "/parties/shard/{shard}/*"
enum { ROUTES_MAX = 256 }; /* rules that ROUTES may have */

struct routes {
    struct route_rule *list; /* the built-in one last */
    size_t count;
};

/* The built-in rule alone; not to be freed. */
extern const struct routes routes_builtin;

/* Reads the JSON array; an empty text: only the built-in rule. Caller frees with routes_free.
 * ERR_SYNTAX: *problem says in one line what is wrong and where. */
MUST_CHECK enum err routes_parse(struct routes **out, struct span json, struct buf *problem);
void routes_free(struct routes *r); /* NULL is allowed */
/* For settings checks: all rules in turn, the built-in one last; NULL behind it. */
const struct route_rule *routes_at(const struct routes *r, size_t index);

/* What the rule asks for; `fallback`: CLIENT_AUTH, never DEFAULT. */
enum route_auth route_rule_auth(const struct route_rule *rule, enum route_auth fallback);

/* What a path names. Decoded spans point into the scratch, the others into the path or the scratch.
 */
struct route_fit {
    const struct route_rule *rule;
    struct span path;        /* raw, dot segments resolved: what goes upstream */
    struct span shard, room; /* decoded; empty: not in the pattern */
    struct span shard_raw;   /* the segment of `path` */
    struct span rest;        /* what `*` stands for, raw: empty or with its slash */
};
/* `path` is a target's, without query; `scratch` is emptied first. ERR_MISSING: no rule fits;
 * ERR_SYNTAX: a bad escape, or bytes that are not UTF-8, in a name. */
MUST_CHECK enum err routes_fit(const struct routes *r, struct span path, struct buf *scratch,
                               struct route_fit *out);
/* Appends what stands for `{name}` of the rule's pattern in a path that fits it (fit.path),
 * decoded. False: the pattern has no such name. */
bool routes_name(const struct route_rule *rule, struct span path, struct span name,
                 struct buf *out);
