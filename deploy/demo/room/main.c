/* terrane-demo-room: a room server to try the cluster with. Wires settings, loop and server. */
#include <signal.h>
#include <stdio.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "common/proto/secret.h"
#include "common/proto/shard_id.h"
#include "deploy/demo/room/demo_server.h"

#define FIELD(f) offsetof(struct demo_settings, f)

static const struct config_row rows[] = {
    {"HOST", CONFIG_STRING, FIELD(host), .fallback = "127.0.0.1", .help = "Address to listen on."},
    {"PORT", CONFIG_INT, FIELD(port), .fallback = "3003", .max = 65535, .help = "Port; 0: any."},
    {"SHARD_SECRET", CONFIG_SECRET, FIELD(shard_secret), .required = true,
     .help = "What shards must show; a comma-separated list while it is changed."},
    {"CLUSTER_URLS", CONFIG_STRING, FIELD(cluster_urls), .fallback = "http://127.0.0.1:3010",
     .help = "Shard nodes that the page talks to, comma-separated origins."},
    {"WORLD_ID", CONFIG_STRING, FIELD(world_id), .fallback = "world-default",
     .help = "World that the page asks for a shard."},
    {"ROOM", CONFIG_STRING, FIELD(room), .fallback = "lobby", .help = "Room that the page joins."},
};

static bool check(const void *config, FILE *err)
{
    const struct demo_settings *s = config;
    if (secrets_shortest(&(struct secrets){span_str(s->shard_secret)}) == 0) {
        (void)fputs("terrane-demo-room: SHARD_SECRET: a secret of the list is empty\n", err);
        return false;
    }
    if (!world_id_is_valid(span_str(s->world_id))) {
        (void)fprintf(
            err, "terrane-demo-room: WORLD_ID: \"%s\" is not a world's id such as world-default\n",
            s->world_id);
        return false;
    }
    return true;
}

static const struct config_table table = {
    .process = "terrane-demo-room",
    .about = "Demo room server of Terrane: a counter, chat lines and presence.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .check = check,
};

struct process {
    struct loop *loop;
    struct demo_server *server;
    int signals;
};

/* The first signal closes the links properly, the second ends at once. */
static void on_stop(void *ctx)
{
    struct process *p = ctx;
    p->signals++;
    demo_server_stop(p->server);
}

static void run(struct process *p)
{
    while (p->signals == 0)
        loop_turn(p->loop, 1000);
    int64_t deadline = loop_now(p->loop) + CONN_LINGER_MS;
    while (demo_server_links(p->server) > 0 && p->signals == 1 && loop_now(p->loop) < deadline)
        loop_turn(p->loop, 100);
    if (demo_server_links(p->server) > 0)
        demo_server_stop(p->server);
    while (demo_server_links(p->server) > 0)
        loop_turn(p->loop, 0);
}

int main(int argc, char **argv)
{
    struct demo_settings settings = {0};
    const char *why = "";
    int code = 1;
    switch (config_load(&table, &settings, argc, argv, stdout, stderr)) {
    case CONFIG_BAD:
        config_clear(&table, &settings);
        return 2;
    case CONFIG_DONE:
        config_clear(&table, &settings);
        return 0;
    case CONFIG_HEALTH: /* its table has none */
    case CONFIG_RUN:
        break;
    }
    log_open("terrane-demo-room", LOG_INFO, LOG_AUTO);
    struct process p = {.loop = loop_new()};
    p.server = demo_server_new(p.loop, &settings, &why);
    if (p.server == NULL) {
        log_error("listen.failed", "host=%s port=%lld why=%s", settings.host,
                  (long long)settings.port, why);
        goto out;
    }
    loop_on_signal(p.loop, SIGTERM, on_stop, &p);
    loop_on_signal(p.loop, SIGINT, on_stop, &p);
    printf("listening on %s\n", demo_server_address(p.server));
    (void)fflush(stdout);
    run(&p);
    demo_server_free(p.server);
    code = 0;
out:
    loop_turn(p.loop, 0);
    loop_free(p.loop);
    config_clear(&table, &settings);
    return code;
}
