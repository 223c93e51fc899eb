#pragma once
/* The values of settings: reading them, and telling people about them. A part of config.h that only
 * its files need. */
#include "common/base/buf.h"
#include "common/base/config.h"
#include "common/base/rate.h"

static inline bool config_is_text(const struct config_row *row)
{
    return row->type == CONFIG_STRING || row->type == CONFIG_SECRET;
}
/* Reads a value of any type but the two texts; a bool becomes 0 or 1, a rate what
 * config_value_rate takes apart.
 * ERR_SYNTAX: not a value of this type; ERR_LIMIT: outside of what the row allows. */
MUST_CHECK enum err config_value_parse(const struct config_row *row, struct span text,
                                       int64_t *out);
struct rate_limit config_value_rate(int64_t number);
/* Appends what may be given: "a whole number from 1 to 65535". */
void config_value_add_allowed(struct buf *out, const struct config_row *row);
/* Appends the row's name as a flag, without the dashes: "room-servers". */
void config_add_flag(struct buf *out, const struct config_row *row);
/* Writes the answer to --help. */
void config_help(const struct config_table *table, FILE *out);
