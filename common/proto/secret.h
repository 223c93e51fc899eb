#pragma once
/* Shared secrets: a comma-separated list (rotation), compared in constant time. Blanks around an
 * entry do not belong to it. A process has one list, and all its parts borrow it: it may change
 * between two turns of the loop, so nobody keeps a secret longer than that. */
#include "common/base/span.h"

struct secrets {
    struct span list; /* borrowed */
};

/* True when `given` equals one of the secrets; every entry of that length is compared, so the time
 * tells lengths and nothing else. Empty never fits. */
bool secrets_match(const struct secrets *s, struct span given);
/* The first of the list: the one to send. */
struct span secrets_first(const struct secrets *s);
/* The length of the shortest entry; 0 when the list has an empty entry or is empty. */
size_t secrets_shortest(const struct secrets *s);
