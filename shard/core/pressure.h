#pragma once
/* Back-pressure: what waits in core and in io for a link is bounded by link_buffer. From the high
 * water (node_link_high_water) on, a client that sends is paused; beyond link_buffer all clients
 * are, newcomers are refused, and a message that comes all the same costs its sender the
 * connection. Whoever has been paused for link_wait_ms while the link stands is closed (1013);
 * while it is down, wait.h has the say. */
#include <stdbool.h>
#include <stdint.h>

struct client;
struct link;

/* There is no room for another message. */
bool pressure_refuses(const struct link *l);
/* There is no room for another client's join: it would be written at once, however much waits. */
bool pressure_refuses_joins(const struct link *l);
/* `c` has just sent something. */
void pressure_note(struct link *l, struct client *c, int64_t now);
/* Lets everybody go on if there is room. */
void pressure_relieve(struct link *l);
/* The link has just become UP: relieves, or sets the deadline of the pause. */
void pressure_update(struct link *l);
/* io says that its queue has room: lets everybody go on. */
void pressure_release(struct link *l);
/* The deadline of the longest pause has passed; the link stands. */
void pressure_expire(struct link *l, int64_t now);
