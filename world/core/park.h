#pragma once
/* Requests that wait for nodes: until those that a world knows from before its restart have been
 * heard of (docs/design.md section 4, "Selectable"), or until there is one at all. They are kept as
 * they came and handled anew, once. */
#include <stdbool.h>

#include "common/base/list.h"

enum {
    PARK_MAX = 10000,              /* requests */
    PARK_BYTES_MAX = 64 * 1048576, /* what they take together */
    PARK_LOOK_MS = 20,             /* how often it is looked whether the wait is over */
    PARK_NODE_MS = 700,            /* for a first node; whoever asks waits little longer */
};

struct call;
struct core;
struct world;

struct park {
    struct list list; /* in the order of arrival */
    size_t count, bytes;
};

void park_init(struct park *p);
/* They are never answered. */
void park_clear(struct park *p);
/* Moves those of the world, which goes, to `out` (an empty list). */
void park_take_out(struct park *p, const struct world *w, struct list *out);
/* Passes them on. */
void parked_pass(struct core *core, struct list *out);
/* True: the call waits, or was refused because too many do; its caller is done with it. */
bool park_call(struct call *call);
/* The same while the world has no node that could serve anybody: one that asks for its first client
 * has often only just said its first word. */
bool park_call_for_node(struct call *call);
/* Handles those whose worlds are settled. Not to be called while a request is being handled. */
void park_advance(struct core *core);
