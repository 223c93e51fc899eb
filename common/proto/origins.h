#pragma once
/* A comma-separated list of http or https origins, as settings have it. */
#include "common/proto/url.h"

struct origins {
    struct url_origin *list;
    size_t count;
};

/* Blanks around entries are allowed, empty entries are not; the whole text may be empty (no
 * origins). ERR_SYNTAX: *bad is the part at fault; *out is empty. */
MUST_CHECK enum err origins_parse(struct origins *out, struct span text, struct span *bad);
void origins_clear(struct origins *o);

/* The stable hash of "host:port", a zero byte and the key. The scheme is no part of it: a server
 * keeps its keys when it begins to speak TLS on the same port. */
uint64_t origin_score(struct span host_port, struct span key);
/* The origin that has `key`, by rendezvous hashing (highest score wins): every process with the
 * same set of origins, in any order, chooses the same one, and losing one origin moves only its own
 * keys. NULL when there is no origin. */
const struct url_origin *origins_choose(const struct origins *o, struct span key);
