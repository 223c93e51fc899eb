#pragma once
/* The ways into a process and what its dials believe (docs/tls.md): the public door (HOST and PORT)
 * and the one for other processes of the cluster (INTERNAL_LISTEN), each plain or under TLS. The
 * contexts are made from the settings' files, and read them again. */
#include <stdio.h>

#include "common/net/listener.h"
#include "common/net/process_settings.h"
#include "common/net/proxy_door.h"
#include "common/net/tls.h"

enum doors_side { DOORS_PUBLIC, DOORS_INTERNAL, DOORS_TO_CLUSTER, DOORS_TO_SERVERS, DOORS_SIDES };

struct doors {
    struct loop *loop;
    struct tls_context *tls[DOORS_SIDES]; /* NULL: that door is plain */
    const char *settings[DOORS_SIDES];    /* that name their files */
    struct http_door front, inner;
    struct proxy_door proxy;              /* before `front` */
    struct listener *listener, *internal; /* NULL: not open, or there is none */
};

/* Reads the files, and tells the loop what dials believe. False: `err` has a line that says which
 * setting and file are at fault; d is empty. */
MUST_CHECK bool doors_init(struct doors *d, struct loop *l, const struct process_settings *s,
                           const char *process, FILE *err);
/* Reads the files, and forgets them: would doors_init do it? False: `err` has such a line. */
MUST_CHECK bool doors_check(const struct process_settings *s, const char *process, FILE *err);
/* Before doors_open: who comes to the public one from `fronts` (PROXY_PROTOCOL) begins with a PROXY
 * header; limits and stats are a proxy_door's. All borrowed. */
void doors_wire(struct doors *d, const struct addr_set *fronts, const struct http_limits *limits,
                struct proxy_door_stats *stats);
/* Opens both doors to the server. False: `err` has a line that says why. */
MUST_CHECK bool doors_open(struct doors *d, struct http_server *server,
                           const struct process_settings *s, const char *process, FILE *err);
/* Closes the public one, as a process does that wants no more clients; nothing if it is closed. */
void doors_close_public(struct doors *d);
void doors_close(struct doors *d); /* both */
/* Both, and drops those whose PROXY header has not come. After doors_wire. */
void doors_abort(struct doors *d);
/* SIGHUP: reads the files again. What is at fault is logged, and stays as it was. */
void doors_reload(struct doors *d);
/* The last: no connection is left, and no loop. */
void doors_clear(struct doors *d);

/* Where other processes reach this one, and where clients do, unless settings know better. A door
 * must be open. */
void doors_add_internal_url(struct buf *out, const struct doors *d);
void doors_add_public_url(struct buf *out, const struct doors *d);
/* `{prefix}tls_…`, if there is any TLS. */
void doors_add_metrics(struct buf *out, const struct doors *d, const char *prefix,
                       bool openmetrics);
