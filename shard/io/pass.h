#pragma once
/* Mode pass (docs/routes.md): each client has a connection of its own to a server, and each request
 * goes to the same server as the clients of its key. Bytes go through untouched. A client of a
 * shard counts in core like any other (node_client_pass); one without a shard is a visitor. */
#include "common/net/forward.h"
#include "common/net/tunnel.h"
#include "shard/io/arrival.h"
#include "shard/io/handles.h"
#include "shard/io/pass_servers.h"

struct pass_late;
struct pass_late_ops {
    /* Its server wants it: its connection, which is paused (CONN_PAUSE_CODEC) and is moved away on
     * return; `joined` is next. NULL: it has failed or ended; `left` is next. */
    struct conn *(*client)(struct pass_late *late);
    void (*joined)(struct pass_late *late);
    /* It is not wanted: close it with that. */
    void (*left)(struct pass_late *late, uint16_t code, struct span reason);
};
/* A client that has been upgraded before there is a server for it. Known here from passes_take to
 * `joined`, `left` or passes_forget. */
struct pass_late {
    const struct pass_late_ops *ops;
    struct span key, protocol; /* that its 101 has answered */
    struct span session;
    struct passing *passing; /* pass.c's; all zero before */
};

struct passes {
    struct ticker *ticker;
    struct forwards *forwards;
    const struct origins *room_servers; /* for rules that name none */
    const struct secrets *secrets;
    struct pass_stats *stats;

    struct pass_servers servers;
    struct tunnels shards, visitors; /* of clients of shards; of others */
    struct handles table;            /* struct passing, of the former */
    struct buf session;              /* scratch */
};
/* The members up to `stats` have been set; all are borrowed. `client_dead_ms`: a client whose host
 * says nothing for so long is gone; `answer_ms`: PASS_ANSWER_TIMEOUT; `buffer`: PASS_BUFFER. */
void passes_init(struct passes *all, int64_t client_dead_ms, int64_t answer_ms, size_t buffer);

/* An upgrade, or another request, of a rule of mode pass, or one with a->late, of whose a->x the
 * head and the peer are looked at and nothing else. ERR_OK: taken over; else the exchange is
 * the caller's to answer, and *why says more: ERR_FULL (503), ERR_DENIED (403), ERR_LIMIT or
 * ERR_SYNTAX (400), ERR_AGAIN (503, the room is on its way); a->forward may have to give it back.
 * *why is counted if it is an upgrade. */
MUST_CHECK enum err passes_take(struct passes *all, const struct arrived *a, enum node_reason *why);
/* It has gone before. */
void passes_forget(struct pass_late *late);
/* As struct node_port has it. False: it is no client that passes. */
bool passes_close(struct passes *all, struct handle client, uint16_t code, struct span reason);
/* Before the loop turns for the last time. */
void passes_abort(struct passes *all);
void passes_clear(struct passes *all);
