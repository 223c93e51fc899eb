#pragma once
/* What a service manager is told of this process: ready, stopping, alive. The protocol of
 * sd_notify(3), by hand (docs/decisions/026-sd-notify.md): datagrams to the socket that
 * NOTIFY_SOCKET names, a path or an abstract name (@…). Without it nothing is sent, and nothing of
 * this costs anything. Failures are silent: the manager has its own deadlines. */
#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/buf.h"
#include "common/net/loop.h"

struct notify {
    struct loop *loop;
    int fd; /* once `on` */
    bool on, stopping;
    struct sockaddr_un to;
    socklen_t to_len;
    int64_t every_ms; /* between two signs of life */
    bool watched;     /* the manager wants them */
    struct timer alive;
    /* Appends one line for people, such as "3 clients"; NULL: there is none. */
    void (*add_status)(void *ctx, struct buf *out);
    void *ctx;
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Set add_status and ctx afterwards. */
void notify_init(struct notify *n, struct loop *l);
/* The process serves, for the first time or again after notify_reloading. From now on the loop
 * itself sends signs of life and the status: each half of what the watchdog allows, and each 5 s
 * at least. So a loop that hangs sends none, and the manager ends the process. */
void notify_ready(struct notify *n);
/* Settings are being read again; notify_ready follows. */
void notify_reloading(struct notify *n);
/* The end has begun. As long as the loop turns, it asks for more time than the manager's own. */
void notify_stopping(struct notify *n);
/* Before the loop goes, and before what add_status looks at. */
void notify_clear(struct notify *n);
