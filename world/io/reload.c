/* SIGHUP: settings that change while the process runs. */
#include "common/net/reload.h"

#include "world/io/process.h"

/* Whoever has something to do with new settings has a line here. It cannot be refused: what can be
 * wrong, settings_table has checked; who finds a file changed since then warns and keeps what it
 * has.
 */
static void use(void *ctx)
{
    struct process *p = ctx;

    process_derive_again(p);
    doors_reload(&p->doors);
    process_look(p);
}

void process_reload(struct process *p)
{
    reload_run(&(struct reload){.table = &settings_table,
                                .settings = &p->settings,
                                .size = sizeof p->settings,
                                .argc = p->argc,
                                .argv = p->argv,
                                .use = use,
                                .ctx = p});
}
