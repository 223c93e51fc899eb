/* Rendering of issues; what the rules are, api_body.c says. */
#include "world/core/api/issues.h"

static const char *type_name(const json_t *value)
{
    if (value == NULL)
        return "undefined";
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "boolean";
    case JSON_NULL:
        return "null";
    }
    return "unknown";
}

static void add_path(struct buf *out, struct issue_path at)
{
    BUF_ADD_LIT(out, ",\"path\":[");
    if (at.parent != NULL) {
        json_add_string(out, span_str(at.parent));
        buf_add_char(out, ',');
    }
    if (at.key != NULL)
        json_add_string(out, span_str(at.key));
    buf_add_char(out, ']');
}

static void add_member(struct buf *out, const char *key, struct span value)
{
    buf_add_char(out, ',');
    json_add_string(out, span_str(key));
    buf_add_char(out, ':');
    json_add_string(out, value);
}

static struct buf *begin(struct issues *is, const char *code)
{
    if (is->text.len > 0)
        buf_add_char(&is->text, ',');
    BUF_ADD_LIT(&is->text, "{\"code\":");
    json_add_string(&is->text, span_str(code));
    return &is->text;
}

/* 'a' | 'b' | 'c' */
static void add_alternatives(struct buf *out, const char *const *options)
{
    for (size_t i = 0; options[i] != NULL; i++)
        buf_addf(out, "%s'%s'", i == 0 ? "" : " | ", options[i]);
}

static void add_type(struct issues *is, struct issue_path at, struct span expected,
                     const char *received)
{
    struct buf *out = begin(is, "invalid_type");
    struct buf message = {0};

    if (span_eq(span_str(received), SPAN("undefined")))
        BUF_ADD_LIT(&message, "Required");
    else
        buf_addf(&message, "Expected %.*s, received %s", SPAN_ARG(expected), received);
    add_member(out, "expected", expected);
    add_member(out, "received", span_str(received));
    add_path(out, at);
    add_member(out, "message", buf_span(&message));
    buf_add_char(out, '}');
    buf_clear(&message);
}

void issues_add_type(struct issues *is, struct issue_path at, const char *expected,
                     const json_t *got)
{
    add_type(is, at, span_str(expected), type_name(got));
}

void issues_add_fraction(struct issues *is, struct issue_path at)
{
    add_type(is, at, SPAN("integer"), "float");
}

void issues_add_too_small(struct issues *is, struct issue_path at, int64_t min, bool inclusive)
{
    struct buf *out = begin(is, "too_small");

    buf_addf(out, ",\"minimum\":%lld,\"type\":\"number\",\"inclusive\":%s,\"exact\":false",
             (long long)min, inclusive ? "true" : "false");
    buf_addf(out, ",\"message\":\"Number must be greater than %s%lld\"",
             inclusive ? "or equal to " : "", (long long)min);
    add_path(out, at);
    buf_add_char(out, '}');
}

void issues_add_too_big(struct issues *is, struct issue_path at, const char *type, int64_t max)
{
    struct buf *out = begin(is, "too_big");
    bool text = span_eq(span_str(type), SPAN("string"));

    buf_addf(out, ",\"maximum\":%lld,\"type\":\"%s\",\"inclusive\":true,\"exact\":false",
             (long long)max, type);
    if (text)
        buf_addf(out, ",\"message\":\"String must contain at most %lld character(s)\"",
                 (long long)max);
    else
        buf_addf(out, ",\"message\":\"Number must be less than or equal to %lld\"", (long long)max);
    add_path(out, at);
    buf_add_char(out, '}');
}

void issues_add_choice(struct issues *is, struct issue_path at, const char *const *options,
                       const json_t *got)
{
    struct buf expected = {0}, message = {0};

    add_alternatives(&expected, options);
    if (!json_is_string(got)) {
        add_type(is, at, buf_span(&expected), type_name(got));
        goto out;
    }
    struct span received = span_of(json_string_value(got), json_string_length(got));
    struct buf *out = begin(is, "invalid_enum_value");
    BUF_ADD_LIT(out, ",\"options\":[");
    for (size_t i = 0; options[i] != NULL; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        json_add_string(out, span_str(options[i]));
    }
    buf_add_char(out, ']');
    add_member(out, "received", received);
    add_path(out, at);
    BUF_ADD_LIT(&message, "Invalid enum value. Expected ");
    buf_add_span(&message, buf_span(&expected));
    BUF_ADD_LIT(&message, ", received '");
    buf_add_span(&message, received);
    buf_add_char(&message, '\'');
    add_member(out, "message", buf_span(&message));
    buf_add_char(out, '}');
out:
    buf_clear(&expected);
    buf_clear(&message);
}

void issues_render(const struct issues *is, struct buf *out)
{
    BUF_ADD_LIT(out, "{\"issues\":[");
    buf_add_span(out, buf_span(&is->text));
    BUF_ADD_LIT(out, "],\"name\":\"ZodError\"}");
}

void issues_clear(struct issues *is)
{
    buf_clear(&is->text);
}
