/* Settings that are read once more: which of them differ, and which of those may change. */
#include <assert.h>
#include <string.h>

#include "common/base/config.h"
#include "common/base/config_value.h"

static void *field_of(void *config, const struct config_row *row)
{
    return (char *)config + row->offset;
}

static size_t field_size(const struct config_row *row)
{
    switch (row->type) {
    case CONFIG_STRING:
    case CONFIG_SECRET:
        return sizeof(char *);
    case CONFIG_BOOL:
        return sizeof(bool);
    case CONFIG_RATE:
        return sizeof(struct rate_limit);
    case CONFIG_INT:
    case CONFIG_DURATION:
    case CONFIG_SIZE:
    case CONFIG_CHOICE:
        break;
    }
    return sizeof(int64_t);
}

static bool is_same(const struct config_row *row, void *a, void *b)
{
    if (!config_is_text(row))
        return memcmp(field_of(a, row), field_of(b, row), field_size(row)) == 0;
    const char *old = *(char **)field_of(a, row), *new = *(char **)field_of(b, row);
    return old == NULL || new == NULL ? old == new : strcmp(old, new) == 0;
}

/* Exchanges what may change: once more, and all is as it was. */
static void exchange(const struct config_table *table, void *a, void *b)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct config_row *row = &table->rows[i];
        char kept[sizeof(struct rate_limit) > sizeof(int64_t) ? sizeof(struct rate_limit)
                                                              : sizeof(int64_t)];
        if (!row->reload)
            continue;
        memcpy(kept, field_of(a, row), field_size(row));
        memcpy(field_of(a, row), field_of(b, row), field_size(row));
        memcpy(field_of(b, row), kept, field_size(row));
    }
}

static void add_name(struct buf *out, const struct config_row *row)
{
    if (out->len > 0)
        buf_add_char(out, ',');
    buf_add_span(out, span_str(row->name));
}

static void compare(const struct config_table *table, void *a, void *b, struct config_changes *out)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct config_row *row = &table->rows[i];
        if (!is_same(row, a, b))
            add_name(row->reload ? &out->used : &out->kept, row);
    }
}

enum err config_reload(const struct config_table *table, void *config, void *old, int argc,
                       char **argv, FILE *err, struct config_changes *out)
{
    enum config_verdict verdict = config_load(table, old, argc, argv, err, err);
    assert(verdict != CONFIG_DONE &&
           verdict != CONFIG_HEALTH); /* or the process would not have begun to run */
    if (verdict != CONFIG_RUN)
        return ERR_SYNTAX;
    exchange(table, config, old);
    if (table->check != NULL && !table->check(config, err)) {
        exchange(table, config, old);
        return ERR_SYNTAX;
    }
    compare(table, old, config, out);
    return ERR_OK;
}
