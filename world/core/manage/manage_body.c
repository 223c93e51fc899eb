/* One reader for all bodies of the management API. */
#include "world/core/manage/manage_body.h"

#include "world/core/api/js_text.h"

static bool read_text(const struct field *f, const json_t *value)
{
    size_t len = json_string_length(value);

    if (!json_is_string(value) || len < f->min || len > f->max)
        return false;
    *(struct span *)f->out = span_of(json_string_value(value), len);
    return true;
}

static bool read_count(const struct field *f, const json_t *value, uint64_t *out)
{
    double number = json_number_value(value);

    if (!json_is_number(value) || !(number >= (double)f->min && number <= (double)f->max))
        return false;
    *out = (uint64_t)number;
    return (double)*out == number;
}

static bool read_choice(const struct field *f, const json_t *value)
{
    struct span text = span_of(json_string_value(value), json_string_length(value));

    if (!json_is_string(value))
        return false;
    for (unsigned i = 0; f->options[i] != NULL; i++) {
        if (span_eq(text, span_str(f->options[i]))) {
            *(unsigned *)f->out = i;
            return true;
        }
    }
    return false;
}

static bool read_range(const struct field *f, const json_t *value)
{
    uint64_t *out = f->out, low, high;

    if (!json_is_array(value) || json_array_size(value) != 2 ||
        !read_count(f, json_array_get(value, 0), &low) ||
        !read_count(f, json_array_get(value, 1), &high) || low > high)
        return false;
    out[0] = low;
    out[1] = high;
    return true;
}

static bool read_field(const struct field *f, const json_t *value)
{
    switch (f->type) {
    case FIELD_TEXT:
        return read_text(f, value);
    case FIELD_COUNT:
        return read_count(f, value, f->out);
    case FIELD_BOOL:
        if (json_is_boolean(value))
            *(bool *)f->out = json_is_true(value);
        return json_is_boolean(value);
    case FIELD_CHOICE:
        return read_choice(f, value);
    case FIELD_RANGE:
        return read_range(f, value);
    case FIELD_ARRAY:
        if (!json_is_array(value) || json_array_size(value) < f->min ||
            json_array_size(value) > f->max)
            return false;
        *(const json_t **)f->out = value;
        return true;
    }
    return false;
}

static void add_options(struct buf *out, const char *const *options)
{
    BUF_ADD_LIT(out, "one of ");
    for (size_t i = 0; options[i] != NULL; i++)
        buf_addf(out, "%s%s", i == 0 ? "" : ", ", options[i]);
}

static void add_wanted(struct buf *out, const struct field *f)
{
    unsigned long long min = f->min, max = f->max;

    switch (f->type) {
    case FIELD_TEXT:
        buf_addf(out, "a text of %llu to %llu bytes", min, max);
        return;
    case FIELD_COUNT:
        buf_addf(out, "a whole number from %llu to %llu", min, max);
        return;
    case FIELD_BOOL:
        BUF_ADD_LIT(out, "true or false");
        return;
    case FIELD_CHOICE:
        add_options(out, f->options);
        return;
    case FIELD_RANGE:
        buf_addf(out, "two whole numbers in order, from %llu to %llu", min, max);
        return;
    case FIELD_ARRAY:
        buf_addf(out, "an array of %llu to %llu items", min, max);
        return;
    }
}

/* The first member that no field has; ptr NULL: there is none. */
static struct span unknown_member(const json_t *object, const struct field *fields, size_t count)
{
    json_t *each = (json_t *)(uintptr_t)object; /* jansson's iterator asks for it */

    for (void *it = json_object_iter(each); it != NULL; it = json_object_iter_next(each, it)) {
        struct span key = span_of(json_object_iter_key(it), json_object_iter_key_len(it));
        size_t i = 0;
        while (i < count && !span_eq(span_str(fields[i].name), key))
            i++;
        if (i == count)
            return key;
    }
    return (struct span){0};
}

void manage_body_members(const json_t *object, const struct field *fields, size_t count,
                         struct buf *problem)
{
    buf_reset(problem);
    if (!json_is_object(object))
        BUF_ADD_LIT(problem, "It must be an object");
    for (size_t i = 0; i < count && problem->len == 0; i++) {
        const struct field *f = &fields[i];
        const json_t *value = json_object_get(object, f->name);
        if (value == NULL ? !f->required : read_field(f, value))
            continue;
        buf_addf(problem, "%s %s ", f->name, value == NULL ? "is missing: it must be" : "must be");
        add_wanted(problem, f);
    }
}

static void check_body(const json_t *doc, const struct field *fields, size_t count,
                       struct buf *problem)
{
    struct span unknown = unknown_member(doc, fields, count);

    if (!json_is_object(doc)) {
        BUF_ADD_LIT(problem, "The request body must be an object");
    } else if (unknown.ptr != NULL) {
        BUF_ADD_LIT(problem, "Unknown member ");
        buf_add_span(problem, unknown);
    } else {
        manage_body_members(doc, fields, count, problem);
    }
}

bool manage_body_read(struct call *call, const struct field *fields, size_t count, json_t **doc)
{
    struct span text = call->request->body;
    struct buf problem = {0};
    bool good;

    *doc = json_decode(js_is_blank(text) ? SPAN("{}") : text);
    if (*doc == NULL) {
        call_refuse(call, REFUSAL_BODY_MALFORMED, SPAN("Invalid JSON in request body"));
        return false;
    }
    check_body(*doc, fields, count, &problem);
    good = problem.len == 0;
    if (!good)
        call_refuse(call, REFUSAL_BODY_INVALID, buf_span(&problem));
    buf_clear(&problem);
    return good;
}

bool manage_body_none(struct call *call)
{
    json_t *doc;
    bool good = manage_body_read(call, NULL, 0, &doc);

    json_decref(doc);
    return good;
}
