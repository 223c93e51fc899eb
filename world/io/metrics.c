/* What each number is called. Rows that run over an enum are made once; the rest is a table. */
#include "world/io/metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include "world/io/metrics_rows.h"

enum {
    LABELS_MAX = 96,
    STATS_ROWS = ROUTE_COUNT * (CLASS_COUNT + 1) + REFUSAL_COUNT - 1 + STRATEGY_COUNT + 3,
};

static const struct metric_row figure_rows[] = {
    {.name = "terrane_world_worlds",
     .type = METRIC_GAUGE,
     .help = "Worlds in the registry.",
     .offset = offsetof(struct figures, worlds)},
    {.name = "terrane_world_rooms",
     .type = METRIC_GAUGE,
     .help = "Rooms in the registry.",
     .offset = offsetof(struct figures, rooms)},
    {.name = "terrane_world_shards",
     .type = METRIC_GAUGE,
     .help = "Shards in the registry.",
     .offset = offsetof(struct figures, shards)},
    {.name = "terrane_world_seats",
     .labels = "state=\"open\"",
     .type = METRIC_GAUGE,
     .help =
         "Seats taken in shards: by sockets that nodes report, by promises, and for clients that "
         "lost theirs.",
     .offset = offsetof(struct figures, seats.open)},
    {.name = "terrane_world_seats",
     .labels = "state=\"reserved\"",
     .type = METRIC_GAUGE,
     .offset = offsetof(struct figures, seats.reserved)},
    {.name = "terrane_world_seats",
     .labels = "state=\"returning\"",
     .type = METRIC_GAUGE,
     .offset = offsetof(struct figures, seats.returning)},
    {.name = "terrane_world_capacity",
     .type = METRIC_GAUGE,
     .help = "Seats that the shards have.",
     .offset = offsetof(struct figures, seats.max)},
    {.name = "terrane_world_connections",
     .type = METRIC_GAUGE,
     .help = "HTTP connections.",
     .offset = offsetof(struct figures, connections)},
    {.name = "terrane_world_feed_sockets",
     .type = METRIC_GAUGE,
     .help = "WebSockets of the admin feed, authorised or not.",
     .offset = offsetof(struct figures, feed_sockets)},
    {.name = "terrane_world_feed_admins",
     .type = METRIC_GAUGE,
     .help = "Authorised WebSockets of the admin feed.",
     .offset = offsetof(struct figures, feed_admins)},
    {.name = "terrane_world_descriptors_refused_total",
     .type = METRIC_COUNTER,
     .help = "Connections refused for want of descriptors.",
     .offset = offsetof(struct figures, descriptors_refused)},
    {.name = "terrane_world_http_refusals_total",
     .labels = "status=\"400\"",
     .type = METRIC_COUNTER,
     .help = "Requests that broke HTTP or its limits, by status.",
     .offset = offsetof(struct figures, http_refusals[HTTP_REFUSAL_400])},
    {.name = "terrane_world_http_refusals_total",
     .labels = "status=\"403\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct figures, http_refusals[HTTP_REFUSAL_403])},
    {.name = "terrane_world_http_refusals_total",
     .labels = "status=\"408\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct figures, http_refusals[HTTP_REFUSAL_408])},
    {.name = "terrane_world_http_refusals_total",
     .labels = "status=\"413\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct figures, http_refusals[HTTP_REFUSAL_413])},
    {.name = "terrane_world_http_refusals_total",
     .labels = "status=\"431\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct figures, http_refusals[HTTP_REFUSAL_431])},
    {.name = "terrane_world_http_refusals_total",
     .labels = "status=\"503\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct figures, http_refusals[HTTP_REFUSAL_503])},
    {.name = "terrane_world_http_refusals_total",
     .labels = "status=\"other\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct figures, http_refusals[HTTP_REFUSAL_OTHER])},
};

static const struct metric_row loop_rows[] = {
    {.name = "terrane_world_loop_lag_seconds",
     .type = METRIC_HISTOGRAM,
     .help = "How late a periodic timer fired.",
     .offset = offsetof(struct loop_stats, lag)},
    {.name = "terrane_world_loop_turn_seconds",
     .type = METRIC_HISTOGRAM,
     .help = "Time spent in a turn of the event loop, without the wait.",
     .offset = offsetof(struct loop_stats, turn)},
};

static const struct metric_row store_rows[] = {
    {.name = "terrane_world_store_commits_total",
     .type = METRIC_COUNTER,
     .help = "Commits of changes to the store.",
     .offset = offsetof(struct store_stats, commits)},
    {.name = "terrane_world_store_errors_total",
     .type = METRIC_COUNTER,
     .help = "Commits that failed; what they held is tried again.",
     .offset = offsetof(struct store_stats, errors)},
    {.name = "terrane_world_store_pending_records",
     .type = METRIC_GAUGE,
     .help = "Changed records that wait for a commit.",
     .offset = offsetof(struct store_stats, pending)},
    {.name = "terrane_world_store_failing",
     .type = METRIC_GAUGE,
     .help = "1 while the last commit has failed.",
     .offset = offsetof(struct store_stats, failing)},
    {.name = "terrane_world_store_commit_seconds",
     .type = METRIC_HISTOGRAM,
     .help = "How long a commit took, failed or not.",
     .offset = offsetof(struct store_stats, commit)},
};

static const struct metric_row shard_proxy_rows[] = {
    {.name = "terrane_world_shard_proxy_tunnels",
     .type = METRIC_GAUGE,
     .help = "Clients' sockets carried to nodes now.",
     .offset = offsetof(struct shard_proxy_stats, tunnels.now)},
    {.name = "terrane_world_shard_proxy_tunnels_total",
     .type = METRIC_COUNTER,
     .help = "Clients' sockets carried to nodes.",
     .offset = offsetof(struct shard_proxy_stats, tunnels.opened)},
    {.name = "terrane_world_shard_proxy_tunnel_bytes_total",
     .type = METRIC_COUNTER,
     .help = "Bytes carried between clients and nodes.",
     .offset = offsetof(struct shard_proxy_stats, tunnels.bytes)},
    {.name = "terrane_world_shard_proxy_forwards",
     .type = METRIC_GAUGE,
     .help = "Requests handed on to nodes now.",
     .offset = offsetof(struct shard_proxy_stats, forwards_now)},
    {.name = "terrane_world_shard_proxy_forwards_total",
     .labels = "status=\"none\"",
     .type = METRIC_COUNTER,
     .help = "Requests handed on to nodes, by answer.",
     .offset = offsetof(struct shard_proxy_stats, forwards.answers[0])},
    {.name = "terrane_world_shard_proxy_forwards_total",
     .labels = "status=\"2xx\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct shard_proxy_stats, forwards.answers[2])},
    {.name = "terrane_world_shard_proxy_forwards_total",
     .labels = "status=\"3xx\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct shard_proxy_stats, forwards.answers[3])},
    {.name = "terrane_world_shard_proxy_forwards_total",
     .labels = "status=\"4xx\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct shard_proxy_stats, forwards.answers[4])},
    {.name = "terrane_world_shard_proxy_forwards_total",
     .labels = "status=\"5xx\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct shard_proxy_stats, forwards.answers[5])},
    {.name = "terrane_world_shard_proxy_forward_seconds",
     .type = METRIC_HISTOGRAM,
     .help = "Time of requests handed on, bodies included.",
     .offset = offsetof(struct shard_proxy_stats, forwards.time)},
    {.name = "terrane_world_shard_proxy_refused_full_total",
     .type = METRIC_COUNTER,
     .help = "Sockets refused because WORLD_TUNNELS are carried.",
     .offset = offsetof(struct shard_proxy_stats, refused_full)},
    {.name = "terrane_world_shard_proxy_failures_total",
     .labels = "reason=\"unreachable\"",
     .type = METRIC_COUNTER,
     .help = "Owners that were tried in vain.",
     .offset = offsetof(struct shard_proxy_stats, unreachable)},
    {.name = "terrane_world_shard_proxy_failures_total",
     .labels = "reason=\"misdirected\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct shard_proxy_stats, misdirected)},
};

/* A counter of struct stats. `labels` is taken. */
static void add_counter(struct metrics *m, const char *name, char *labels, const char *help,
                        size_t offset)
{
    m->rows[m->row_count++] = (struct metric_row){
        .name = name, .labels = labels, .type = METRIC_COUNTER, .help = help, .offset = offset};
}

static char *label(const char *name, const char *value)
{
    char text[LABELS_MAX];

    (void)snprintf(text, sizeof(text), "%s=\"%s\"", name, value);
    return xstrdup(text);
}

static void add_requests(struct metrics *m)
{
    char text[LABELS_MAX];

    for (int route = 0; route < ROUTE_COUNT; route++) {
        for (int class = 0; class < CLASS_COUNT; class ++) {
            (void)snprintf(text, sizeof(text), "route=\"%s\",class=\"%s\"",
                           route_name((enum route)route),
                           status_class_name((enum status_class) class));
            add_counter(m, "terrane_world_requests_total", xstrdup(text),
                        "Requests answered, by route and class of status.",
                        offsetof(struct stats, requests) +
                            sizeof(uint64_t) * (size_t)(route * CLASS_COUNT + class));
        }
    }
}

static void make_rows(struct metrics *m)
{
    m->rows = xcalloc(STATS_ROWS, sizeof(*m->rows));
    add_requests(m);
    for (int why = REFUSAL_NONE + 1; why < REFUSAL_COUNT; why++)
        add_counter(m, "terrane_world_refusals_total",
                    label("reason", refusal_name((enum refusal)why)), "Refusals, by reason.",
                    offsetof(struct stats, refusals) + sizeof(uint64_t) * (size_t)why);
    for (int strategy = 0; strategy < STRATEGY_COUNT; strategy++)
        add_counter(m, "terrane_world_placements_total",
                    label("strategy", strategy_names[strategy]),
                    "Clients placed, by the room's strategy.",
                    offsetof(struct stats, placements) + sizeof(uint64_t) * (size_t)strategy);
    add_counter(m, "terrane_world_shards_created_total", NULL, "Shards created.",
                offsetof(struct stats, shards_created));
    add_counter(m, "terrane_world_shards_expired_total", NULL, "Shards removed after long silence.",
                offsetof(struct stats, shards_expired));
    add_counter(m, "terrane_world_feed_frames_total", NULL, "Frames sent to admins.",
                offsetof(struct stats, feed_frames));
    for (int route = 0; route < ROUTE_COUNT; route++)
        m->rows[m->row_count++] = (struct metric_row){
            .name = "terrane_world_request_duration_seconds",
            .labels = label("route", route_name((enum route)route)),
            .type = METRIC_HISTOGRAM,
            .help = "From the head of a request to its answer.",
            .offset = offsetof(struct stats, latency) + sizeof(struct histogram) * (size_t)route,
        };
}

static uint64_t refused(const struct listener *l)
{
    return l == NULL ? 0 : listener_refused(l);
}

static struct tally count_seats(const struct registry *r)
{
    struct tally sum = {0};

    LIST_EACH (&r->world_list, it) {
        const struct tally *t = &CONTAINER_OF(it, struct world, node)->tally;
        sum.open += t->open;
        sum.reserved += t->reserved;
        sum.returning += t->returning;
        sum.max += t->max;
    }
    return sum;
}

static void look_up(struct metrics *m)
{
    struct figures *f = &m->figures;

    f->worlds = m->core->registry.world_count;
    f->rooms = m->core->registry.room_count;
    f->shards = m->core->registry.shard_count;
    f->seats = count_seats(&m->core->registry);
    f->connections = http_server_connections(m->http) +
                     (m->back_http == NULL ? 0 : http_server_connections(m->back_http));
    f->feed_sockets = feed_sockets_count(m->feeds);
    f->feed_admins = m->core->admins.count;
    f->descriptors_refused = refused(m->doors->listener) + refused(m->back_listener);
}

void metrics_count_refusal(struct metrics *m, int status)
{
    static const int statuses[] = {
        [HTTP_REFUSAL_400] = 400, [HTTP_REFUSAL_403] = 403, [HTTP_REFUSAL_408] = 408,
        [HTTP_REFUSAL_413] = 413, [HTTP_REFUSAL_431] = 431, [HTTP_REFUSAL_503] = 503,
    };
    size_t at = 0;

    while (at < HTTP_REFUSAL_OTHER && statuses[at] != status)
        at++;
    m->figures.http_refusals[at]++;
}

void metrics_write(struct metrics *m, struct buf *out, bool openmetrics)
{
    if (m->rows == NULL)
        make_rows(m);
    look_up(m);
    metrics_render(out, figure_rows, sizeof(figure_rows) / sizeof(figure_rows[0]), &m->figures,
                   openmetrics);
    metrics_render(out, m->rows, m->row_count, &m->core->stats, openmetrics);
    if (m->store != NULL)
        metrics_render(out, store_rows, sizeof(store_rows) / sizeof(store_rows[0]), m->store,
                       openmetrics);
    if (m->shards != NULL)
        metrics_render(out, shard_proxy_rows,
                       sizeof(shard_proxy_rows) / sizeof(shard_proxy_rows[0]), m->shards,
                       openmetrics);
    if (m->door != NULL)
        metrics_add_door(out, m->door, openmetrics);
    if (m->cluster != NULL)
        metrics_add_cluster(out, m->cluster, openmetrics);
    if (m->passage != NULL)
        metrics_add_passage(out, m->passage, openmetrics);
    metrics_add_registry(out, &m->core->registry, openmetrics);
    metrics_add_findings(out, m->core, openmetrics);
    metrics_render(out, loop_rows, sizeof(loop_rows) / sizeof(loop_rows[0]), loop_stats(m->loop),
                   openmetrics);
    doors_add_metrics(out, m->doors, "terrane_world_", openmetrics);
    metrics_render_process(out, openmetrics);
    metrics_render_end(out, openmetrics);
}

void metrics_clear(struct metrics *m)
{
    for (size_t i = 0; i < m->row_count; i++)
        free((void *)(uintptr_t)m->rows[i].labels);
    free(m->rows);
    m->rows = NULL;
    m->row_count = 0;
}
