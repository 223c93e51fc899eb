/* terrane-shard: reads the settings, opens the door, runs the loop, and ends in good order. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/net/health.h"
#include "shard/io/process.h"

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

static bool open_door(struct process *p)
{
    const struct settings *s = &p->settings;
    if (!doors_open(&p->doors, p->server, &s->common, settings_table.process, stderr))
        return false;
    identity_init(&p->identity, s, &p->doors);
    p->world_proxy.node_id = p->identity.id;
    p->node_settings.id = p->identity.id;
    p->node_settings.url = p->identity.url;
    p->node_settings.internal_url = p->identity.internal_url;
    identity_add_version(&p->version, &p->identity, span_str(s->world_ids));
    p->edge.version = buf_span(&p->version);
    loop_on_signal(p->loop, SIGTERM, on_stop_signal, p);
    loop_on_signal(p->loop, SIGINT, on_stop_signal, p);
    loop_on_signal(p->loop, SIGHUP, on_reload_signal, p);
    ticker_touch(&p->ticker);
    (void)printf("listening on %s\n", listener_address(p->doors.listener));
    (void)fflush(stdout);
    log_info("process.ready", "node=%s address=%s", p->identity.id,
             listener_address(p->doors.listener));
    notify_ready(&p->notify);
    return true;
}

/* Everything between reading the settings and the end. */
static int run(struct process *p)
{
    process_derive(p);
    p->loop = loop_new();
    int status = EXIT_BAD_SETTINGS;
    if (doors_init(&p->doors, p->loop, &p->settings.common, settings_table.process, stderr)) {
        process_wire(p);
        status = open_door(p) ? EXIT_SUCCESS : EXIT_FAILURE;
        if (status == EXIT_SUCCESS)
            loop_run(p->loop);
        status = p->failed ? EXIT_FAILURE : status;
        process_unwire(p);
    }
    loop_free(p->loop);
    doors_clear(&p->doors);
    log_close();
    log_info("process.end", "status=%d", status);
    process_underive(p);
    return status;
}

int main(int argc, char **argv)
{
    static struct process process;
    process.argc = argc;
    process.argv = argv;
    struct settings *s = &process.settings;
    int status;
    switch (config_load(&settings_table, s, argc, argv, stdout, stderr)) {
    case CONFIG_DONE:
        return EXIT_SUCCESS;
    case CONFIG_BAD:
        return EXIT_BAD_SETTINGS;
    case CONFIG_HEALTH:
        status = health_ask(&s->common, settings_table.process, stdout, stderr);
        config_clear(&settings_table, s);
        return status;
    case CONFIG_RUN:
        break;
    }
    log_open("terrane-shard", (enum log_level)s->common.log_level,
             (enum log_format)s->common.log_format);
    status = run(&process);
    config_clear(&settings_table, s);
    return status;
}
