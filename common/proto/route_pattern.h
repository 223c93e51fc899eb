#pragma once
/* The pattern of a rule of ROUTES (docs/protocol.md, "Routes"), such as `/game/{shard}/{map}`:
 * segments that are literals or names in braces, and a last `*` for whatever follows. Pure. */
#include "common/base/span.h"

/* What is wrong with it, as the end of a sentence ("does not start with a slash"); NULL: nothing.
 * The functions below are for good ones. */
const char *route_pattern_problem(struct span pattern);
/* `{name}` is one of its segments. */
bool route_pattern_has(struct span pattern, struct span name);
/* Whatever fits `narrow` fits `wide`. */
bool route_pattern_covers(struct span wide, struct span narrow);

/* Of one segment (url_next_segment): the last, `*`? */
bool route_segment_is_star(struct span segment);
/* The name in braces; {NULL, 0}: it is a literal. */
struct span route_segment_name(struct span segment);
