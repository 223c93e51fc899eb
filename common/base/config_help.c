/* The answer to --help, from the table. */
#include "common/base/config_value.h"
#include "common/base/version.h"

static const char *type_word(enum config_type type)
{
    switch (type) {
    case CONFIG_STRING:
        return "TEXT";
    case CONFIG_SECRET:
        return "SECRET";
    case CONFIG_INT:
        return "NUMBER";
    case CONFIG_DURATION:
        return "DURATION";
    case CONFIG_SIZE:
        return "SIZE";
    case CONFIG_BOOL:
        return "YES|NO";
    case CONFIG_CHOICE:
        return "CHOICE";
    case CONFIG_RATE:
        return "RATE";
    }
    return "VALUE";
}

static void add_names(struct buf *out, const struct config_row *row)
{
    BUF_ADD_LIT(out, "  --");
    config_add_flag(out, row);
    buf_addf(out, " %s    environment: %s", type_word(row->type), row->name);
    if (row->type == CONFIG_SECRET) {
        BUF_ADD_LIT(out, ", or the path of a file: --");
        config_add_flag(out, row);
        buf_addf(out, "-file, %s_FILE", row->name);
    }
    buf_add_char(out, '\n');
}

static void add_default(struct buf *out, const struct config_row *row)
{
    if (row->required)
        BUF_ADD_LIT(out, "Required");
    else if (row->fallback == NULL || *row->fallback == '\0')
        BUF_ADD_LIT(out, "Default: none");
    else
        buf_addf(out, "Default: %s", row->type == CONFIG_SECRET ? "***" : row->fallback);
    if (row->unit != NULL)
        buf_addf(out, " (%s)", row->unit);
}

static void add_row(struct buf *out, const struct config_row *row)
{
    add_names(out, row);
    buf_addf(out, "        %s\n        ", row->help == NULL ? "" : row->help);
    add_default(out, row);
    if (!config_is_text(row)) {
        BUF_ADD_LIT(out, "; ");
        config_value_add_allowed(out, row);
    }
    buf_addf(out, "%s\n", row->reload ? "; SIGHUP reads it again" : "");
}

void config_help(const struct config_table *table, FILE *out)
{
    struct buf text = {.len = 0};
    buf_addf(&text, "%s %s: %s\n\n", table->process, TERRANE_VERSION, table->about);
    buf_addf(&text, "usage: %s [--NAME VALUE | --NAME=VALUE]...\n\n", table->process);
    if (table->also != NULL)
        buf_addf(&text, "%s\n\n", table->also);
    BUF_ADD_LIT(&text, "  --config FILE     read settings from a JSON object, by environment name\n"
                       "  --check-config    say whether the settings are valid, and end\n"
                       "  --print-config    print every setting with its source, and end\n");
    if (table->health)
        BUF_ADD_LIT(
            &text,
            "  --health          ask the process that runs with these settings whether it is "
            "ready, and end\n");
    BUF_ADD_LIT(&text, "  --version         print the version, and end\n"
                       "  --help            print this, and end\n\n"
                       "A flag beats the environment, which beats the file.\n\n");
    for (size_t i = 0; i < table->count; i++)
        add_row(&text, &table->rows[i]);
    (void)fwrite(text.data, 1, text.len, out);
    buf_clear(&text);
}
