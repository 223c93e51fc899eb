#pragma once
/* One request to the API under way, and the ways in which it is answered: at once, or when the
 * store has what it changed. */
#include "common/base/json.h"
#include "world/core/api/api.h"
#include "world/core/api/issues.h"

struct call {
    struct core *core;
    const struct api_request *request;
    enum route route;
    struct span world; /* a valid id */
    struct moment now;
    bool by_stranger;  /* what it makes is made without credentials, and counted */
    struct span allow; /* the methods that a 405 names */
    bool ours;         /* the world was, when it was asked */
    int64_t retry_ms;  /* when a refusal may be over; at least a second is told */
};

/* An answer that waits for the store. */
struct pending {
    struct list node; /* while its world goes */
    struct handle reply;
    enum route route;
    int status;
    bool repeatable; /* the request may be handled once more, elsewhere */
    bool problem;    /* its errors are problems */
    struct trace trace;
    size_t len, world_len;
    char text[]; /* the body, len bytes; the world's id */
};

/* Asks who decides for the call's world. False: not this process, and the request has been passed
 * on, or the world cannot be read, and it has been answered. Every verb of a world comes after it;
 * the answer, if it does not wait for the store, asks once more: the process may have stood still
 * in between. */
bool call_is_ours(struct call *call);

/* 200 with this JSON text. */
void call_answer(struct call *call, struct span body);
/* The same with another status. */
void call_answer_with(struct call *call, int status, struct span body);
/* 200 {} as soon as all changes made so far are durable. */
void call_answer_when_stored(struct call *call);
/* The same with this status and JSON text; 204 has none. */
void call_answer_stored_with(struct call *call, int status, struct span body);
/* The store is done with it. ERR_DENIED: its world is another's by now. */
void call_stored(struct core *core, const struct pending *pending, enum err e);
/* Moves the answers of the world, which goes, to `out` (an empty list): the store's word on them
 * counts no more. */
void pending_take_out(struct core *core, struct span world, struct list *out);
/* Ends them as ERR_DENIED does. */
void pending_deny(struct core *core, struct list *out);

/* {"error": before + name + after}, on our own routes as a problem (problem.h), counted and logged
 * under its reason. */
void call_refuse_name(struct call *call, enum refusal why, struct span before, struct span name,
                      struct span after);
static inline void call_refuse(struct call *call, enum refusal why, struct span text)
{
    call_refuse_name(call, why, text, (struct span){0}, (struct span){0});
}
/* The same with more members behind the error: raw JSON text. */
void call_refuse_with(struct call *call, enum refusal why, struct span text, struct span members);
/* The same with a whole JSON text, which is no problem, as the body. */
void call_refuse_raw(struct call *call, enum refusal why, struct span body);
/* The path is not a world's: plain text, as a server without this API would answer. */
void call_refuse_plain(struct call *call, enum refusal why, struct span text);
