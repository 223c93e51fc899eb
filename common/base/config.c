/* Settings: from what config_gather.c found and the defaults to the fields of a struct, or to the
 * list of all problems. config_value.c knows the values. */
#include "common/base/config.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/config_gather.h"
#include "common/base/config_value.h"
#include "common/base/json.h"
#include "common/base/log_redact.h"
#include "common/base/mem.h"
#include "common/base/version.h"

static void store(void *config, const struct config_row *row, const char *text, int64_t number)
{
    char *field = (char *)config + row->offset;
    if (config_is_text(row))
        *(char **)(void *)field = xstrdup(text);
    else if (row->type == CONFIG_BOOL)
        *(bool *)(void *)field = number != 0;
    else if (row->type == CONFIG_RATE)
        *(struct rate_limit *)(void *)field = config_value_rate(number);
    else
        *(int64_t *)(void *)field = number;
}

/* Checks and stores the value that was given for a row. */
static void take_given(struct config_gather *l, const struct config_row *row,
                       struct config_given *s, void *config)
{
    int64_t number = 0;
    if (s->is_path && !config_read_secret(l, row, s))
        return;
    enum err e = config_is_text(row) ? ERR_OK : config_value_parse(row, span_str(s->text), &number);
    if (e == ERR_OK && !(row->required && *s->text == '\0')) {
        store(config, row, s->text, number);
        return;
    }
    struct buf fault = {.len = 0};
    BUF_ADD_LIT(&fault, "must be ");
    config_value_add_allowed(&fault, row);
    config_row_problem(l, row, s, buf_span(&fault));
    buf_clear(&fault);
}

static void require(struct config_gather *l, const struct config_row *row)
{
    struct buf flag = {.len = 0};
    config_add_flag(&flag, row);
    config_problem(l, "%s is missing: give --%.*s, or %s in the environment or the file%s%s%s",
                   row->name, SPAN_ARG(buf_span(&flag)), row->name,
                   row->type == CONFIG_SECRET ? ", or the path of a file as " : "",
                   row->type == CONFIG_SECRET ? row->name : "",
                   row->type == CONFIG_SECRET ? "_FILE" : "");
    buf_clear(&flag);
}

static void take_fallback(struct config_gather *l, const struct config_row *row, void *config)
{
    int64_t number = 0;
    if (row->required) {
        if (!l->unread) /* it may be there */
            require(l, row);
        return;
    }
    if (row->fallback == NULL)
        return;
    enum err e =
        config_is_text(row) ? ERR_OK : config_value_parse(row, span_str(row->fallback), &number);
    assert(e == ERR_OK); /* the table is ours */
    store(config, row, row->fallback, number);
}

static void print_row(const struct config_gather *l, size_t i, FILE *out)
{
    const struct config_row *row = &l->table->rows[i];
    const struct config_given *s = &l->given[i];
    const char *text = s->text != NULL ? s->text : row->fallback;
    struct buf line = {.len = 0};
    buf_addf(&line, "%s=", row->name);
    if (text != NULL && row->type == CONFIG_SECRET)
        BUF_ADD_LIT(&line, "***");
    else if (text != NULL)
        json_add_string(&line, span_str(text));
    BUF_ADD_LIT(&line, "  # ");
    config_add_origin(&line, l, row, s);
    BUF_ADD_LIT(&line, "\n");
    (void)fwrite(line.data, 1, line.len, out);
    buf_clear(&line);
}

/* Whatever is logged later, values of secrets are not. */
static void hide_secrets(const struct config_table *table, const void *config)
{
    for (size_t i = 0; i < table->count; i++) {
        const char *const *field =
            (const char *const *)(const void *)((const char *)config + table->rows[i].offset);
        if (table->rows[i].type == CONFIG_SECRET && *field != NULL)
            log_hide(span_str(*field));
    }
}

/* Says what was asked for, when everything is in order. */
static enum config_verdict answer(const struct config_gather *l, const void *config, FILE *out)
{
    const struct config_table *t = l->table;
    if (l->check && t->check_files != NULL && !t->check_files(config, l->err))
        return CONFIG_BAD;
    for (size_t i = 0; l->print && i < t->count; i++)
        print_row(l, i, out);
    if (l->check)
        (void)fprintf(out, "%s: the settings are valid\n", t->process);
    if (l->print || l->check)
        return CONFIG_DONE;
    return l->health ? CONFIG_HEALTH : CONFIG_RUN;
}

static enum config_verdict judge(struct config_gather *l, void *config, FILE *out)
{
    for (size_t i = 0; i < l->table->count; i++) {
        if (l->given[i].text != NULL)
            take_given(l, &l->table->rows[i], &l->given[i], config);
        else
            take_fallback(l, &l->table->rows[i], config);
    }
    if (l->problems > 0)
        return CONFIG_BAD;
    if (l->table->check != NULL && !l->table->check(config, l->err))
        return CONFIG_BAD;
    return answer(l, config, out);
}

static bool is_asked(const char *flag, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], flag) == 0)
            return true;
    }
    return false;
}

/* --help and --version are answered whatever else is wrong. */
static bool answer_early(const struct config_table *table, int argc, char **argv, FILE *out)
{
    if (is_asked("--help", argc, argv)) {
        config_help(table, out);
        return true;
    }
    bool asked = is_asked("--version", argc, argv);
    if (asked)
        (void)fprintf(out, "%s %s\n", table->process, TERRANE_VERSION);
    return asked;
}

enum config_verdict config_load(const struct config_table *table, void *config, int argc,
                                char **argv, FILE *out, FILE *err)
{
    if (answer_early(table, argc, argv, out))
        return CONFIG_DONE;
    struct config_gather l = {.table = table, .err = err};
    l.given = xcalloc(table->count, sizeof *l.given);
    config_gather(&l, argc, argv);
    enum config_verdict verdict = judge(&l, config, out);
    if (verdict == CONFIG_RUN || verdict == CONFIG_HEALTH)
        hide_secrets(table, config);
    else
        config_clear(table, config);
    for (size_t i = 0; i < table->count; i++)
        config_text_free(l.given[i].text);
    free(l.given);
    return verdict;
}

void config_clear(const struct config_table *table, void *config)
{
    for (size_t i = 0; i < table->count; i++) {
        if (!config_is_text(&table->rows[i]))
            continue;
        char **field = (char **)(void *)((char *)config + table->rows[i].offset);
        config_text_free(*field);
        *field = NULL;
    }
}
