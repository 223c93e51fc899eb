/* Gathering settings: reads flags, environment and file, and lets the strongest source win for each
 * row. Values are not looked at, except that the file behind a NAME_FILE is read. */
#include "common/base/config_gather.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "common/base/config_value.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { CONFIG_FILE_MAX = 1024 * 1024, SECRET_FILE_MAX = 64 * 1024 };

/* Takes `text` for a row unless a stronger source has spoken. */
static void give(struct config_gather *l, size_t i, enum config_source source, bool is_path,
                 char *text)
{
    struct config_given *s = &l->given[i];
    struct config_given given = {.text = text, .source = source, .is_path = is_path};
    if (s->text != NULL && s->source > source) {
        config_text_free(text);
        return;
    }
    if (s->text != NULL && s->source == source && s->is_path != is_path)
        config_row_problem(l, &l->table->rows[i], &given,
                           SPAN("the value and its file are both given"));
    config_text_free(s->text);
    *s = given;
}

/* True when `given` is the row's name with `suffix` behind it. */
static bool name_is(const struct config_row *row, const char *suffix, bool as_flag,
                    struct span given)
{
    struct buf name = {.len = 0};
    if (as_flag)
        config_add_flag(&name, row);
    else
        buf_add_span(&name, span_str(row->name));
    buf_add_span(&name, span_str(suffix));
    bool same = span_eq(buf_span(&name), given);
    buf_clear(&name);
    return same;
}

/* Finds the row that a flag or a file key means; table->count when there is none. */
static size_t find_row(const struct config_gather *l, struct span given, bool as_flag,
                       bool *is_path)
{
    for (size_t i = 0; i < l->table->count; i++) {
        const struct config_row *row = &l->table->rows[i];
        *is_path = false;
        if (name_is(row, "", as_flag, given))
            return i;
        *is_path = row->type == CONFIG_SECRET;
        if (*is_path && name_is(row, as_flag ? "-file" : "_FILE", as_flag, given))
            return i;
    }
    return l->table->count;
}

/* The flags that ask for an answer about the settings instead of a run. */
static bool read_switch(struct config_gather *l, struct span name)
{
    const struct {
        struct span name;
        bool *on;
    } switches[] = {{SPAN("check-config"), &l->check},
                    {SPAN("print-config"), &l->print},
                    {SPAN("health"), l->table->health ? &l->health : NULL}};
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        if (switches[i].on != NULL && span_eq(name, switches[i].name))
            return *switches[i].on = true;
    }
    return false;
}

/* Uses a flag with its value; NULL when none was given. */
static void read_flag_value(struct config_gather *l, struct span name, const char *value)
{
    bool is_path = false, is_config = span_eq(name, SPAN("config"));
    size_t row = is_config ? 0 : find_row(l, name, true, &is_path);
    if (!is_config && row == l->table->count)
        config_problem(l, "flag --%.*s: unknown, see --help", SPAN_ARG(name));
    else if (value == NULL)
        config_problem(l, "flag --%.*s: a value is missing", SPAN_ARG(name));
    else if (is_config)
        l->file = value;
    else
        give(l, row, CONFIG_FROM_FLAG, is_path, xstrdup(value));
}

/* Reads the flag at argv[at]; answers how many arguments it took. */
static int read_flag(struct config_gather *l, int argc, char **argv, int at)
{
    struct span rest = span_str(argv[at]), name;
    if (!span_starts(rest, SPAN("--"))) {
        /* What stands there may be a secret that came apart from its flag. */
        config_problem(l, "argument %d: only flags are taken, see --help", at);
        return 1;
    }
    rest = span_slice(rest, 2, rest.len);
    (void)span_split(&rest, '=', &name);
    if (rest.ptr != NULL) {
        read_flag_value(l, name, rest.ptr);
        return 1;
    }
    if (read_switch(l, name))
        return 1;
    bool separate = at + 1 < argc && strncmp(argv[at + 1], "--", 2) != 0;
    read_flag_value(l, name, separate ? argv[at + 1] : NULL);
    return separate ? 2 : 1;
}

static void read_environment_name(struct config_gather *l, size_t i, const char *suffix)
{
    struct buf name = {.len = 0};
    buf_addf(&name, "%s%s", l->table->rows[i].name, suffix);
    buf_add_char(&name, '\0');
    const char *value = getenv(name.data);
    if (value != NULL && (*value != '\0' || l->table->rows[i].empty_counts))
        give(l, i, CONFIG_FROM_ENVIRONMENT, *suffix != '\0', xstrdup(value));
    buf_clear(&name);
}

static void read_environment(struct config_gather *l)
{
    for (size_t i = 0; i < l->table->count; i++) {
        read_environment_name(l, i, "");
        if (l->table->rows[i].type == CONFIG_SECRET)
            read_environment_name(l, i, "_FILE");
    }
}

/* The text of a scalar of the file, or NULL. The caller frees. */
static char *scalar_text(const json_t *value)
{
    if (json_is_string(value)) {
        struct span s = span_of(json_string_value(value), json_string_length(value));
        return span_index(s, '\0') < s.len ? NULL : xspandup(s);
    }
    if (json_is_boolean(value))
        return xstrdup(json_is_true(value) ? "true" : "false");
    if (!json_is_number(value))
        return NULL;
    struct buf number = {.len = 0};
    buf_addf(&number, "%.17g", json_number_value(value)); /* whole numbers come without fraction */
    char *text = xspandup(buf_span(&number));
    buf_clear(&number);
    return text;
}

static void read_file_keys(struct config_gather *l, json_t *root)
{
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value)
    {
        bool is_path;
        size_t row = find_row(l, span_str(key), false, &is_path);
        char *text = row == l->table->count ? NULL : scalar_text(value);
        if (row == l->table->count)
            config_problem(l, "file %s %s: unknown, see --help", l->file, key);
        else if (text == NULL)
            config_problem(l, "file %s %s: must be a text without NUL, a number, true or false",
                           l->file, key);
        else
            give(l, row, CONFIG_FROM_FILE, is_path, text);
    }
}

static void say_not_an_object(struct config_gather *l, struct span text)
{
    struct buf where = {0};

    json_add_problem(&where, text);
    config_problem(l, "file %s%s%.*s: must hold one JSON object", l->file, where.len > 0 ? " " : "",
                   SPAN_ARG(buf_span(&where)));
    buf_clear(&where);
}

static void read_config_file(struct config_gather *l)
{
    struct buf text = {.len = 0};
    enum err e = file_read(l->file, CONFIG_FILE_MAX, &text);
    json_t *root = e == ERR_OK ? json_decode(buf_span(&text)) : NULL;
    if (e != ERR_OK)
        config_problem(l, "file %s: %s", l->file, e == ERR_IO ? strerror(errno) : err_text(e));
    else if (!json_is_object(root))
        say_not_an_object(l, buf_span(&text));
    else
        read_file_keys(l, root);
    l->unread = !json_is_object(root);
    json_decref(root);
    if (text.len > 0)
        explicit_bzero(text.data, text.len);
    buf_clear(&text);
}

void config_gather(struct config_gather *l, int argc, char **argv)
{
    for (int at = 1; at < argc;)
        at += read_flag(l, argc, argv, at);
    read_environment(l);
    if (l->file != NULL)
        read_config_file(l);
}

bool config_read_secret(struct config_gather *l, const struct config_row *row,
                        struct config_given *s)
{
    struct buf secret = {.len = 0}, fault = {.len = 0};
    enum err e = file_read(s->text, SECRET_FILE_MAX, &secret);
    struct span text = buf_span(&secret);
    if (e != ERR_OK)
        buf_addf(&fault, "%s: %s", s->text, e == ERR_IO ? strerror(errno) : err_text(e));
    else if (span_index(text, '\0') < text.len)
        buf_addf(&fault, "%s: holds a NUL", s->text);
    if (fault.len > 0) {
        config_row_problem(l, row, s, buf_span(&fault));
    } else {
        if (span_ends(text, SPAN("\n")))
            text.len -= span_ends(text, SPAN("\r\n")) ? 2 : 1;
        config_text_free(s->text);
        s->text = xspandup(text);
    }
    bool read = fault.len == 0;
    if (secret.len > 0)
        explicit_bzero(secret.data, secret.len);
    buf_clear(&secret);
    buf_clear(&fault);
    return read;
}

void config_problem(struct config_gather *l, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)fprintf(l->err, "%s: ", l->table->process);
    (void)vfprintf(l->err, fmt, args);
    (void)fputc('\n', l->err);
    va_end(args);
    l->problems++;
}

void config_row_problem(struct config_gather *l, const struct config_row *row,
                        const struct config_given *s, struct span fault)
{
    struct buf line = {.len = 0};
    config_add_origin(&line, l, row, s);
    if (row->type != CONFIG_SECRET) {
        buf_add_char(&line, ' ');
        json_add_string(&line, span_str(s->text));
    }
    config_problem(l, "%.*s: %.*s", SPAN_ARG(buf_span(&line)), SPAN_ARG(fault));
    buf_clear(&line);
}

void config_add_origin(struct buf *out, const struct config_gather *l, const struct config_row *row,
                       const struct config_given *s)
{
    switch (s->source) {
    case CONFIG_FROM_FLAG:
        BUF_ADD_LIT(out, "flag --");
        config_add_flag(out, row);
        buf_addf(out, "%s", s->is_path ? "-file" : "");
        return;
    case CONFIG_FROM_ENVIRONMENT:
        buf_addf(out, "environment %s%s", row->name, s->is_path ? "_FILE" : "");
        return;
    case CONFIG_FROM_FILE:
        buf_addf(out, "file %s %s%s", l->file, row->name, s->is_path ? "_FILE" : "");
        return;
    case CONFIG_FROM_DEFAULT:
        BUF_ADD_LIT(out, "default");
        return;
    }
}

void config_text_free(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text)); /* it may be a secret */
    free(text);
}
