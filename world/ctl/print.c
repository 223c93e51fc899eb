/* JSON for people and for programs. json_decode makes all numbers reals. */
#include "world/ctl/print.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "world/ctl/ctl.h"
#include "world/ctl/text.h"

/* Beyond that doubles leave whole numbers out. */
static const double WHOLE_MAX = 9007199254740992.0;

static void indent(struct buf *out, int level)
{
    buf_add_char(out, '\n');
    for (int i = 0; i < level; i++)
        BUF_ADD_LIT(out, "  ");
}

static void add_number(struct buf *out, const json_t *value)
{
    double n = json_number_value(value);

    if (n == floor(n) && fabs(n) <= WHOLE_MAX)
        buf_add_i64(out, (int64_t)n);
    else
        buf_addf(out, "%.17g", n);
}

static void add(struct buf *out, const json_t *value, int level);

static void add_object(struct buf *out, const json_t *value, int level)
{
    json_t *each = (json_t *)(uintptr_t)value, *member; /* jansson's iterator asks for it */
    const char *key;
    bool more = false;

    buf_add_char(out, '{');
    json_object_foreach(each, key, member)
    {
        if (more)
            buf_add_char(out, ',');
        more = true;
        indent(out, level + 1);
        json_add_string(out, span_str(key));
        BUF_ADD_LIT(out, ": ");
        add(out, member, level + 1);
    }
    if (more)
        indent(out, level);
    buf_add_char(out, '}');
}

static void add_array(struct buf *out, const json_t *value, int level)
{
    size_t count = json_array_size(value);

    buf_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        indent(out, level + 1);
        add(out, json_array_get(value, i), level + 1);
    }
    if (count > 0)
        indent(out, level);
    buf_add_char(out, ']');
}

// NOLINTNEXTLINE(misc-no-recursion): json_decode bounds the depth
static void add(struct buf *out, const json_t *value, int level)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        add_object(out, value, level);
        return;
    case JSON_ARRAY:
        add_array(out, value, level);
        return;
    case JSON_STRING:
        json_add_string(out, span_of(json_string_value(value), json_string_length(value)));
        return;
    case JSON_INTEGER:
    case JSON_REAL:
        add_number(out, value);
        return;
    case JSON_TRUE:
        BUF_ADD_LIT(out, "true");
        return;
    case JSON_FALSE:
        BUF_ADD_LIT(out, "false");
        return;
    case JSON_NULL:
        BUF_ADD_LIT(out, "null");
        return;
    }
}

void print_json(struct buf *out, const json_t *value)
{
    struct buf text = {0};

    add(&text, value, 0);
    text_add_json(out, buf_span(&text));
    buf_add_char(out, '\n');
    buf_clear(&text);
}

bool print_flush(struct buf *out)
{
    bool good = fwrite(out->data == NULL ? "" : out->data, 1, out->len, stdout) == out->len &&
                fflush(stdout) == 0;

    if (!good && errno != EPIPE) /* who reads no more needs no telling */
        (void)ctl_problem(ENDED_REFUSED, "stdout: %s", strerror(errno));
    buf_clear(out);
    return good;
}
