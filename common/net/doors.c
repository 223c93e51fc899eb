/* Doors and contexts of one process. What is behind a door does not know which one it was. */
#include "common/net/doors.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/net/own_url.h"

/* In metrics. */
static const char *const labels[DOORS_SIDES] = {
    [DOORS_PUBLIC] = "public",
    [DOORS_INTERNAL] = "internal",
    [DOORS_TO_CLUSTER] = "to_cluster",
    [DOORS_TO_SERVERS] = "to_servers",
};

/* The settings that name a side's files, for who has to mend them. */
static const char *settings_of(const struct process_settings *s, enum doors_side side)
{
    bool own_ca = *s->internal_ca != '\0', own_cert = *s->internal_cert != '\0';
    if (side == DOORS_PUBLIC)
        return "TLS_CERT, TLS_KEY";
    if (side == DOORS_TO_SERVERS || (!own_ca && !own_cert))
        return "TLS_CA";
    if (own_ca)
        return own_cert ? "INTERNAL_CERT, INTERNAL_KEY, INTERNAL_CA" : "INTERNAL_CA";
    return side == DOORS_INTERNAL ? "INTERNAL_CERT, INTERNAL_KEY"
                                  : "INTERNAL_CERT, INTERNAL_KEY, TLS_CA";
}

/* The files of a side; false: it is a door, and plain. */
static bool files_of(const struct process_settings *s, enum doors_side side, struct tls_files *out)
{
    bool own_ca = *s->internal_ca != '\0';
    switch (side) {
    case DOORS_PUBLIC:
        *out = (struct tls_files){.cert = s->tls_cert, .key = s->tls_key};
        return *s->tls_cert != '\0';
    case DOORS_INTERNAL:
        *out = (struct tls_files){s->internal_cert, s->internal_key, s->internal_ca};
        return *s->internal_cert != '\0' && *s->internal_listen != '\0';
    case DOORS_TO_CLUSTER:
        *out = (struct tls_files){s->internal_cert, s->internal_key,
                                  own_ca ? s->internal_ca : s->tls_ca};
        return true;
    case DOORS_TO_SERVERS:
        *out = (struct tls_files){.ca = s->tls_ca};
        return true;
    case DOORS_SIDES:
        break;
    }
    return false;
}

/* True: all contexts are there; else none is. */
static bool read_files(struct doors *d, const struct process_settings *s, const char *process,
                       FILE *err)
{
    struct buf why = {0};
    enum err e = ERR_OK;
    for (int i = 0; i < DOORS_SIDES && e == ERR_OK; i++) {
        struct tls_files files;
        if (!files_of(s, (enum doors_side)i, &files))
            continue;
        d->settings[i] = settings_of(s, (enum doors_side)i);
        e = i <= DOORS_INTERNAL ? tls_server_new(&d->tls[i], &files, &why)
                                : tls_client_new(&d->tls[i], &files, &why);
        if (e != ERR_OK)
            (void)fprintf(err, "%s: %s: %.*s\n", process, d->settings[i], SPAN_ARG(buf_span(&why)));
    }
    buf_clear(&why);
    if (e != ERR_OK)
        doors_clear(d);
    return e == ERR_OK;
}

bool doors_check(const struct process_settings *s, const char *process, FILE *err)
{
    struct doors d = {0};
    bool good = read_files(&d, s, process, err);
    doors_clear(&d);
    return good;
}

bool doors_init(struct doors *d, struct loop *l, const struct process_settings *s,
                const char *process, FILE *err)
{
    *d = (struct doors){.loop = l};
    if (!read_files(d, s, process, err))
        return false;
    loop_set_tls(l, d->tls[DOORS_TO_CLUSTER], d->tls[DOORS_TO_SERVERS]);
    return true;
}

static bool open_one(struct doors *d, struct listener **out, void (*accepted)(void *ctx, int fd),
                     void *door, const char *host, uint16_t port, const char *settings,
                     const char *process, FILE *err)
{
    const char *why;
    if (listener_open(out, d->loop, host, port, accepted, door, &why) == ERR_OK)
        return true;
    (void)fprintf(err, "%s: cannot listen on %s port %u (%s): %s\n", process, host, (unsigned)port,
                  settings, why);
    return false;
}

void doors_wire(struct doors *d, const struct addr_set *fronts, const struct http_limits *limits,
                struct proxy_door_stats *stats)
{
    d->proxy = (struct proxy_door){
        .loop = d->loop,
        .networks = fronts,
        .limits = limits,
        .enter = http_door_enter,
        .ctx = &d->front,
        .stats = stats,
    };
    proxy_door_init(&d->proxy);
}

bool doors_open(struct doors *d, struct http_server *server, const struct process_settings *s,
                const char *process, FILE *err)
{
    struct buf host = {0};
    uint16_t port;
    d->front = (struct http_door){.server = server, .tls = d->tls[DOORS_PUBLIC]};
    d->inner = (struct http_door){.server = server, .tls = d->tls[DOORS_INTERNAL]};
    bool good = open_one(d, &d->listener, proxy_door_accept, &d->proxy, s->host, (uint16_t)s->port,
                         "HOST and PORT", process, err);
    if (good && process_listen_address(s->internal_listen, &host, &port) == ERR_OK)
        good = open_one(d, &d->internal, http_door_accept, &d->inner, host.data, port,
                        "INTERNAL_LISTEN", process, err);
    buf_clear(&host);
    if (good && d->internal != NULL)
        log_info("process.internal", "address=%s tls=%d", listener_address(d->internal),
                 d->inner.tls != NULL);
    return good;
}

void doors_close_public(struct doors *d)
{
    listener_close(d->listener);
    d->listener = NULL;
}

void doors_close(struct doors *d)
{
    doors_close_public(d);
    listener_close(d->internal);
    d->internal = NULL;
}

void doors_abort(struct doors *d)
{
    doors_close(d);
    proxy_door_clear(&d->proxy);
}

void doors_reload(struct doors *d)
{
    for (int i = 0; i < DOORS_SIDES; i++) {
        struct buf why = {0};
        if (d->tls[i] != NULL && tls_reload(d->tls[i], &why) != ERR_OK)
            log_error("tls.reload", "settings=%s wrong=%.*s kept=all", d->settings[i],
                      SPAN_ARG(buf_span(&why)));
        buf_clear(&why);
    }
}

void doors_clear(struct doors *d)
{
    for (int i = 0; i < DOORS_SIDES; i++)
        tls_free(d->tls[i]);
    *d = (struct doors){0};
}

void doors_add_internal_url(struct buf *out, const struct doors *d)
{
    if (d->internal != NULL)
        own_url_add(out, d->internal, d->inner.tls != NULL);
    else
        doors_add_public_url(out, d);
}

void doors_add_public_url(struct buf *out, const struct doors *d)
{
    own_url_add(out, d->listener, d->front.tls != NULL);
}

/* ---- metrics */

enum { COUNTERS = 4, NAME_MAX_LEN = 64 };
static const struct {
    const char *name, *help;
    size_t offset; /* in struct tls_stats */
} counters[COUNTERS] = {
    {"tls_handshakes_total", "TLS handshakes done.", offsetof(struct tls_stats, handshakes)},
    {"tls_resumed_total", "Of them with a session ticket.", offsetof(struct tls_stats, resumed)},
    {"tls_failures_total", "TLS handshakes refused, and connections broken later.",
     offsetof(struct tls_stats, failures)},
    {"tls_reload_failures_total", "Files that were bad when they were read again.",
     offsetof(struct tls_stats, reloads_failed)},
};

static void add_counter(struct buf *out, const struct doors *d, const char *name, size_t which)
{
    for (int i = 0; i < DOORS_SIDES; i++) {
        uint64_t n;
        if (d->tls[i] == NULL)
            continue;
        memcpy(&n, (const char *)tls_stats(d->tls[i]) + counters[which].offset, sizeof n);
        buf_addf(out, "%s{side=\"%s\"} %" PRIu64 "\n", name, labels[i], n);
    }
}

static void add_expiry(struct buf *out, const struct doors *d, const char *name, bool openmetrics)
{
    int64_t now_s = clock_wall_ms() / 1000;
    bool told = false;
    for (int i = 0; i < DOORS_SIDES; i++) {
        int64_t end_s = d->tls[i] == NULL ? 0 : tls_expires_s(d->tls[i]);
        if (end_s == 0)
            continue;
        if (!told)
            metrics_render_head(out, name, METRIC_GAUGE, "Until the certificate expires.",
                                openmetrics);
        told = true;
        buf_addf(out, "%s{side=\"%s\"} %" PRId64 "\n", name, labels[i],
                 end_s > now_s ? end_s - now_s : 0);
    }
}

static bool has_tls(const struct doors *d)
{
    for (int i = 0; i < DOORS_SIDES; i++)
        if (d->tls[i] != NULL)
            return true;
    return false;
}

void doors_add_metrics(struct buf *out, const struct doors *d, const char *prefix, bool openmetrics)
{
    char name[NAME_MAX_LEN];
    if (!has_tls(d))
        return;
    for (size_t i = 0; i < COUNTERS; i++) {
        (void)snprintf(name, sizeof name, "%s%s", prefix, counters[i].name);
        metrics_render_head(out, name, METRIC_COUNTER, counters[i].help, openmetrics);
        add_counter(out, d, name, i);
    }
    (void)snprintf(name, sizeof name, "%stls_certificate_expires_seconds", prefix);
    add_expiry(out, d, name, openmetrics);
}
