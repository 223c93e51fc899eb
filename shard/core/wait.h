#pragma once
/* How long clients and messages wait for a link that does not stand.
 *   A link that never stood: each client for link_first_ms from its arrival, then 1011; without any
 *   room server not at all. When nobody waits any more the dial is given up; the next client starts
 *   over.
 *   A link that stood and fell: clients stay for as long as nothing waits. Once a message of one of
 *   them has waited for link_wait_ms, all are closed with 1013: the room missed too much. A
 *   newcomer that has waited so long for its join is closed alone. */
#include <stdint.h>

struct link;

/* When the oldest wait began: of a message, or of a client that the room has never heard of.
 * INT64_MAX: nothing waits. Walks the clients that were there when the link fell. */
int64_t wait_oldest_ms(const struct link *l);
/* A message or a newcomer begins to wait. Does nothing while the link stands. */
void wait_start(struct link *l, int64_t now);
/* The link fell; what had waited for it before waits on. */
void wait_resume(struct link *l);
/* The deadline has passed. */
void wait_expire(struct link *l, int64_t now);
/* Drops all messages that wait; their size is counted. */
void wait_drop_backlog(struct link *l);
