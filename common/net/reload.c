/* Reads settings again, and tells what came of it; config_reload.c compares them. */
#include "common/net/reload.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/mem.h"

/* All problems in one line: each has one of its own, behind the program's name. */
static void say_wrong(const struct reload *r, struct span problems)
{
    struct buf text = {0};
    struct span line;
    while (span_split(&problems, '\n', &line)) {
        size_t name = strlen(r->table->process) + 2;
        if (line.len < name)
            continue;
        if (text.len > 0)
            BUF_ADD_LIT(&text, "; ");
        buf_add_span(&text, span_slice(line, name, line.len));
    }
    log_warn("process.reload", "wrong=%.*s kept=all", SPAN_ARG(buf_span(&text)));
    buf_clear(&text);
}

static void say_changes(const struct config_changes *c)
{
    struct span changed = c->used.len > 0 ? buf_span(&c->used) : SPAN("nothing");
    if (c->kept.len > 0)
        log_warn("process.reload", "changed=%.*s restart=%.*s", SPAN_ARG(changed),
                 SPAN_ARG(buf_span(&c->kept)));
    else
        log_info("process.reload", "changed=%.*s", SPAN_ARG(changed));
}

void reload_run(const struct reload *r)
{
    struct config_changes changes = {0};
    char *problems = NULL;
    size_t len = 0;
    void *old = xcalloc(1, r->size);
    FILE *err = open_memstream(&problems, &len);
    if (err == NULL)
        abort(); /* as xmalloc does */
    enum err e = config_reload(r->table, r->settings, old, r->argc, r->argv, err, &changes);
    (void)fclose(err);
    if (e != ERR_OK) {
        say_wrong(r, span_of(problems, len));
    } else {
        bool heard = log_wants(LOG_INFO); /* LOG_LEVEL may be among them: the line is not lost */
        if (heard)
            say_changes(&changes);
        r->use(r->ctx);
        if (!heard)
            say_changes(&changes);
    }
    config_clear(r->table, old);
    buf_clear(&changes.used);
    buf_clear(&changes.kept);
    free(old);
    free(problems);
}
