/* terrane-world: reads the settings, opens the doors, runs the loop, and ends in good order. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/net/health.h"
#include "world/io/copy/copy.h"
#include "world/io/process.h"

enum { EXIT_BAD_SETTINGS = 2 };

static void on_stop_signal(void *ctx)
{
    struct process *p = ctx;

    if (farewell_begin(&p->farewell)) {
        notify_stopping(&p->notify);
        return;
    }
    log_warn("process.stop", "how=at-once");
    _exit(EXIT_FAILURE);
}

static void reload(struct turn_end *t)
{
    struct process *p = CONTAINER_OF(t, struct process, reloading);

    notify_reloading(&p->notify);
    process_reload(p);
    notify_ready(&p->notify);
}

/* Once for all that came in one turn. */
static void on_reload_signal(void *ctx)
{
    struct process *p = ctx;
    p->reloading.fn = reload;
    loop_at_turn_end(p->loop, &p->reloading);
}

static bool open_back_listener(struct process *p)
{
    struct buf host = {0};
    const char *why;
    uint16_t port;
    bool open = true;

    if (settings_admin_listen(&p->settings, &host, &port) == ERR_OK)
        open = listener_open(&p->back_listener, p->loop, host.data, port, http_server_accept,
                             p->server.back.http, &why) == ERR_OK;
    if (!open)
        (void)fprintf(stderr, "terrane-world: cannot listen on %s port %u (ADMIN_LISTEN): %s\n",
                      host.data, port, why);
    buf_clear(&host);
    return open;
}

/* False: a line on stderr says why. */
static bool listen_on(struct process *p)
{
    if (!doors_open(&p->doors, p->server.front.http, &p->settings.common, settings_table.process,
                    stderr) ||
        !open_back_listener(p))
        return false;
    p->metrics.back_listener = p->back_listener;
    (void)printf("listening on %s\n", listener_address(p->doors.listener));
    if (p->back_listener != NULL)
        (void)printf("admin listening on %s\n", listener_address(p->back_listener));
    (void)fflush(stdout);
    log_info("process.ready", "address=%s admin=%s", listener_address(p->doors.listener),
             p->back_listener == NULL ? "" : listener_address(p->back_listener));
    return true;
}

/* The others can reach this process now. */
static void join_cluster(struct process *p)
{
    struct buf url = {0};

    if (p->stores.cluster == NULL)
        return;
    if (*p->settings.internal_url != '\0')
        buf_add_span(&url, span_str(p->settings.internal_url));
    else
        doors_add_internal_url(&url, &p->doors);
    cluster_start(p->stores.cluster, &p->server, buf_span(&url));
    buf_clear(&url);
}

static bool serve(struct process *p)
{
    bool good = false;

    if (stores_open(&p->stores, p->loop, &p->core, &p->settings, &p->core_settings)) {
        process_wire(p);
        loop_on_signal(p->loop, SIGTERM, on_stop_signal, p);
        loop_on_signal(p->loop, SIGINT, on_stop_signal, p);
        loop_on_signal(p->loop, SIGHUP, on_reload_signal, p);
        good = stores_load(&p->stores) && listen_on(p);
        if (good) {
            join_cluster(p);
            notify_ready(&p->notify);
            loop_run(p->loop);
        }
        good = process_unwire(p) && good;
    }
    return good;
}

static int run(struct process *p)
{
    int status = EXIT_BAD_SETTINGS;

    p->loop = loop_new();
    if (doors_init(&p->doors, p->loop, &p->settings.common, settings_table.process, stderr))
        status = serve(p) ? EXIT_SUCCESS : EXIT_FAILURE;
    loop_free(p->loop);
    doors_clear(&p->doors);
    log_close();
    log_info("process.end", "status=%d", status);
    return status;
}

int main(int argc, char **argv)
{
    struct process *p;
    int status = EXIT_BAD_SETTINGS;

    if (argc > 1 && strcmp(argv[1], "copy") == 0)
        return copy_main(argc - 2, argv + 2);
    p = xcalloc(1, sizeof(*p));
    p->argc = argc;
    p->argv = argv;
    switch (config_load(&settings_table, &p->settings, argc, argv, stdout, stderr)) {
    case CONFIG_DONE:
        status = EXIT_SUCCESS;
        break;
    case CONFIG_BAD:
        break;
    case CONFIG_HEALTH:
        status = health_ask(&p->settings.common, settings_table.process, stdout, stderr);
        break;
    case CONFIG_RUN:
        log_open("terrane-world", (enum log_level)p->settings.common.log_level,
                 (enum log_format)p->settings.common.log_format);
        process_derive(p);
        status = run(p);
        break;
    }
    process_underive(p);
    config_clear(&settings_table, &p->settings);
    free(p);
    return status;
}
