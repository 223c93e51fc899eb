#pragma once
/* Settings that change without a restart: read again from where they came, used where they can be,
 * and told in the log. */
#include "common/base/config.h"

struct reload {
    const struct config_table *table;
    void *settings; /* what config_load filled */
    size_t size;    /* of that struct */
    int argc;       /* as config_load had them */
    char **argv;
    /* Called when they were in order, whether or not any of them changed (what a setting names may
     * have): makes everything anew that was derived from those that can change. Nobody may keep a
     * pointer into an old text when it returns. */
    void (*use)(void *ctx);
    void *ctx;
};

/* Files are read, so the loop stands still meanwhile. Logs `process.reload`: names that took effect
 * (`changed`), names that wait for a restart (`restart`); or a warning with what is `wrong`, and
 * everything stays as it was. */
void reload_run(const struct reload *r);
