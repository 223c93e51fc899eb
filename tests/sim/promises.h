#pragma once
/* What the world tells clients: that there is a seat, and where. */
#include "tests/sim/net.h"

/* The world answers: its promises are good, and nobody is sent to a node that it knows to be
 * silent or draining. */
void promises_check(struct sim *s, enum net_kind kind, struct span request, int status,
                    struct span body);
