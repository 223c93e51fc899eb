#pragma once
/* Listening sockets: accepts in batches, non-blocking, close-on-exec, TCP_NODELAY. Keeps one spare
 * descriptor, so that at the limit a newcomer can be taken and closed instead of spinning. */
#include "common/net/loop.h"

struct listener;

/* `accepted` takes the descriptor. `host` may be a name or address ("::" is both families).
 * ERR_MISSING: host does not resolve; ERR_IO: bind or listen failed; *why (static or strerror text)
 * says which. Port 0: the kernel chooses. */
MUST_CHECK enum err listener_open(struct listener **out, struct loop *l, const char *host,
                                  uint16_t port, void (*accepted)(void *ctx, int fd), void *ctx,
                                  const char **why);
/* "127.0.0.1:3002", for "listening on ADDRESS". */
const char *listener_address(const struct listener *l);
uint16_t listener_port(const struct listener *l);
/* Refusals for want of descriptors. */
uint64_t listener_refused(const struct listener *l);
/* Stops listening and frees. NULL is allowed. */
void listener_close(struct listener *l);
/* Raises the soft descriptor limit to the hard one; answers it. */
uint64_t fd_limit_raise(void);
