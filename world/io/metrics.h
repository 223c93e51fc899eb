#pragma once
/* The table of the world's metrics, and the text made from it. */
#include "common/net/doors.h"
#include "common/net/http_server.h"
#include "common/net/proxy_door.h"
#include "world/core/core.h"
#include "world/io/feed_sockets.h"
#include "world/io/shard_proxy.h"
#include "world/io/write_behind.h"

/* What the HTTP server refuses by itself, by status. */
enum http_refusal {
    HTTP_REFUSAL_400,
    HTTP_REFUSAL_403, /* a bad internal signature */
    HTTP_REFUSAL_408,
    HTTP_REFUSAL_413,
    HTTP_REFUSAL_431,
    HTTP_REFUSAL_503,
    HTTP_REFUSAL_OTHER,
    HTTP_REFUSAL_COUNT,
};

/* What is looked up when metrics are asked for, and what io counts itself. */
struct figures {
    uint64_t worlds, rooms, shards;
    struct tally seats; /* of all worlds */
    uint64_t connections, feed_sockets, feed_admins;
    uint64_t descriptors_refused;
    uint64_t http_refusals[HTTP_REFUSAL_COUNT];
};

struct cluster;
struct passage_stats;

struct metrics {
    const struct loop *loop;
    const struct core *core;
    const struct http_server *http, *back_http; /* back: NULL when there is none */
    const struct doors *doors;
    const struct listener *back_listener;
    const struct feed_sockets *feeds;
    const struct store_stats *store;        /* NULL: nothing is written */
    const struct shard_proxy_stats *shards; /* NULL: nothing is handed on */
    const struct proxy_door_stats *door;    /* NULL: there is none */
    const struct passage_stats *passage;    /* NULL: every world is ours */
    struct cluster *cluster;                /* NULL: this process is the only one */
    struct figures figures;
    struct metric_row *rows; /* of struct stats; made at the first use */
    size_t row_count;
};

/* Counts a refusal of the HTTP server. */
void metrics_count_refusal(struct metrics *m, int status);
/* Appends the whole text. */
void metrics_write(struct metrics *m, struct buf *out, bool openmetrics);
void metrics_clear(struct metrics *m);
