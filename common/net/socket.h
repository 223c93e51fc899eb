#pragma once
/* What the kernel's socket calls need: struct addr to sockaddr and back, dialling without waiting.
 */
#include <sys/socket.h>

#include "common/proto/addr.h"

/* A non-blocking socket that is connecting; -1: refused at once (errno). TCP_NODELAY is on. */
int socket_dial(const struct addr *to, uint16_t port);
/* The pending error, 0 when the socket is well. */
int socket_error(int fd);
/* A short static text for people: what an errno of a connection means. Never NULL. */
const char *socket_fault(int error);
/* False: the socket is not connected. */
bool socket_peer(int fd, struct addr *out, uint16_t *port);
/* False: neither IPv4 nor IPv6. */
bool socket_addr(const struct sockaddr *sa, struct addr *out, uint16_t *port);
/* Bytes that were written and that the peer has not acknowledged. */
uint32_t socket_unacknowledged(int fd);
void socket_set_nodelay(int fd);
/* The kernel gives the connection up (ETIMEDOUT) when the peer has acknowledged nothing for about
 * `ms`, or taken nothing: of what was sent, or of the probes of an idle connection. */
void socket_set_dead_after(int fd, unsigned ms);
