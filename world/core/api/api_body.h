#pragma once
/* Request bodies, read into structs. The structs point into `doc`, which api_body_clear frees. */
#include "world/core/api/issues.h"
#include "world/core/rooms/registry.h"

enum { ROOM_ID_MAX = 8192, URL_TEMPLATE_MAX = 8192, SESSION_MAX = 4096 }; /* bytes */

enum body_verdict {
    BODY_OK,
    BODY_EMPTY,     /* nothing but blanks */
    BODY_MALFORMED, /* not JSON */
    BODY_INVALID,   /* JSON, but the issues say what is wrong with it */
};

struct connect_body {
    json_t *doc;
    const json_t *room; /* NULL: missing or not true */
    bool auto_create;
    bool direct;
    struct span session; /* of any length; empty: not said, or no text */
};

struct register_body {
    json_t *doc;
    struct span name;
    struct room_settings settings;
};

struct update_body {
    json_t *doc;
    struct span shard;
    struct span world; /* empty: not said */
    uint64_t open;
    enum shard_status status; /* SHARD_STATUS_COUNT: not said */
};

struct scale_body {
    json_t *doc;
    struct span room;
    uint64_t target;
    struct span url_template; /* empty: the default */
    uint64_t max;             /* 0: the default */
};

/* The member `token`, if it is a text. */
bool api_body_token(const struct connect_body *body, struct span *out);
/* `issues` gets what is wrong; `doc` is to be freed whatever the verdict. Any JSON value is a valid
 * connect body, which never has issues. */
enum body_verdict api_body_connect(struct connect_body *out, struct span text);
enum body_verdict api_body_register(struct register_body *out, struct span text,
                                    struct issues *issues);
enum body_verdict api_body_update(struct update_body *out, struct span text, struct issues *issues);
enum body_verdict api_body_scale(struct scale_body *out, struct span text, struct issues *issues);
static inline void api_body_clear(json_t *doc)
{
    json_decref(doc);
}
