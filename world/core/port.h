#pragma once
/* What core asks of the world around it. Each part has its own context, so that io can give each to
 * another file and a test can put a recorder in its place. Spans are borrowed until return. */
#include "common/base/slots.h"
#include "common/base/span.h"

/* What the store keeps. The order is that of loading. */
enum record_kind {
    RECORD_ROOM,
    RECORD_SHARD,
    RECORD_NODE,
    RECORD_SERVER,
    RECORD_BAN,
    RECORD_RETIRED,
    RECORD_COUNT,
};

/* One thing that must outlive the process, known by kind, world and key. */
struct record {
    enum record_kind kind;
    struct span world, key;
    struct span value; /* JSON text */
};

/* Answers to requests. */
struct reply_port {
    void *ctx;
    /* `headers` are whole lines. A stale handle (the client went away) is ignored. */
    void (*answer)(void *ctx, struct handle reply, int status, struct span headers,
                   struct span body);
    /* Another process decides for the request's world, or nobody does just now: it is passed on, or
     * handed in again later; never inside the call. Not called while every world is ours. */
    void (*pass)(void *ctx, struct handle reply);
};

/* Answers that go on for as long as the client stays. */
struct stream_port {
    void *ctx;
    /* Answers 200 and keeps the answer open: the request's handle is the stream's from now on.
     * core_stream_gone tells its end, unless send did. */
    void (*begin)(void *ctx, struct handle reply, struct span headers);
    /* False: the stream is gone, or was cut because its client reads too slowly. */
    bool (*send)(void *ctx, struct handle stream, struct span text);
    /* Ends the answer: its world is decided for elsewhere from now on. core_stream_gone does not
     * follow. A stale handle is ignored. */
    void (*end)(void *ctx, struct handle stream);
};

/* The sockets of admins. */
struct feed_port {
    void *ctx;
    /* Sends one text to all of them. Stale handles are ignored. */
    void (*publish)(void *ctx, const struct handle *sockets, size_t count, struct span text);
    /* Closes one: its world is decided for elsewhere from now on. core_feed_close follows later, or
     * not at all: core has forgotten it. */
    void (*close)(void *ctx, struct handle socket);
};

/* Durability. Puts and removals are written behind; sync completes with core_stored(core, token, …)
 * once all that was asked before it is durable, or could not be made so; never inside the call. */
struct store_port {
    void *ctx;
    /* A new record is the youngest of its kind; one that is there keeps its place. */
    void (*put)(void *ctx, const struct record *record);
    /* Nothing happens when it is not there. */
    void (*remove)(void *ctx, enum record_kind kind, struct span world, struct span key);
    void (*sync)(void *ctx, struct span world, uint64_t token);
};

enum owner {
    OWNER_US,
    OWNER_OTHER,
    OWNER_SOUGHT, /* it is not known yet, or nobody is */
    OWNER_BROKEN, /* what is stored of the world cannot be read */
};

/* Who decides for a world. */
struct owner_port {
    void *ctx;
    /* By the clock of this very moment. */
    enum owner (*find)(void *ctx, struct span world);
    /* A node has followed a higher epoch of the world than ours. True: no other process can have
     * given it, core rises above it; false: it is looked into later. */
    bool (*outdated)(void *ctx, struct span world, int64_t seen);
    /* The world has nothing to remember. True: core forgets it now; false: it may be dropped
     * later. */
    bool (*idle)(void *ctx, struct span world);
    /* Why a world is OWNER_BROKEN, for a person; borrowed until the next call. */
    struct span (*why)(void *ctx, struct span world);
};

/* The health of room servers. */
struct probe_port {
    void *ctx;
    /* Asks whether an HTTP server (`http://host:port`) answers anything at all; completes with
     * core_probed(core, server, …), never inside the call. */
    void (*probe)(void *ctx, struct handle server, struct span origin);
};

/* This process among others, as operators see it. */
struct peers_port {
    void *ctx;
    /* Another process that shares its worlds, the i-th; false: there are no more. */
    bool (*get)(void *ctx, size_t i, struct span *id, struct span *url);
};

/* Time. */
struct ticker_port {
    void *ctx;
    /* Calls core_tick at that monotonic time at the latest. */
    void (*wake)(void *ctx, int64_t due_ms);
};

struct port {
    struct reply_port reply;
    struct stream_port stream;
    struct feed_port feed;
    struct store_port store;
    struct owner_port owner;
    struct ticker_port ticker;
    struct probe_port probe;
    struct peers_port peers; /* `get` NULL: there are none */
};
