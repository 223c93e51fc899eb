#pragma once
/* Shared secrets: a comma-separated list (rotation), compared in constant time. Blanks around an
 * entry do not belong to it. */
#include "common/base/span.h"

/* True when `given` equals one of the secrets in `list`; every entry of that length is
 * compared, so the time tells lengths and nothing else. Empty never fits. */
bool secret_matches(struct span list, struct span given);
/* The first of the list: the one to send. */
struct span secret_first(struct span list);
/* The length of the shortest entry; 0 when the list has an empty entry or is empty. */
size_t secret_shortest(struct span list);
