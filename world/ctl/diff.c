/* Objects are compared one level deep. */
#include "world/ctl/diff.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "world/ctl/paint.h"
#include "world/ctl/print.h"
#include "world/ctl/text.h"

void diff_add(struct diff *d, const char *kind, const char *name, json_t *was, json_t *will)
{
    if (was != NULL && will != NULL && json_equal(was, will))
        return;
    if (d->count == d->cap) {
        d->cap = d->cap == 0 ? 16 : d->cap * 2;
        d->changes = xreallocarray(d->changes, d->cap, sizeof(*d->changes));
    }
    d->changes[d->count++] = (struct change){
        .kind = kind, .name = xstrdup(name), .was = json_incref(was), .will = json_incref(will)};
}

/* The members of both that differ, as {"was","will"} with null for none. */
static json_t *fields_of(const struct change *ch)
{
    json_t *out = json_object(), *value, *other;
    const char *key;

    json_object_foreach(ch->was, key, value)
    {
        other = json_object_get(ch->will, key);
        if (other == NULL || !json_equal(value, other))
            (void)json_object_set_new(out, key,
                                      json_pack("{s:O,s:O?}", "was", value, "will", other));
    }
    json_object_foreach(ch->will, key, value)
    {
        if (json_object_get(ch->was, key) == NULL)
            (void)json_object_set_new(out, key, json_pack("{s:n,s:O}", "was", "will", value));
    }
    return out;
}

static char sign_of(const struct change *ch)
{
    if (ch->was == NULL)
        return '+';
    return ch->will == NULL ? '-' : '~';
}

static enum paint paint_of(char sign)
{
    if (sign == '+')
        return PAINT_GOOD;
    return sign == '-' ? PAINT_BAD : PAINT_WARN;
}

static void add_json(struct buf *out, const json_t *value)
{
    struct buf text = {0};

    if (json_is_null(value)) {
        BUF_ADD_LIT(out, "none");
        return;
    }
    print_json(&text, value);
    buf_add_span(out, span_trim(buf_span(&text)));
    buf_clear(&text);
}

static void print_fields(struct buf *out, const struct change *ch, char sign)
{
    json_t *fields = fields_of(ch), *field;
    const char *key;

    json_object_foreach(fields, key, field)
    {
        buf_addf(out, "%c     %s: ", sign, key);
        if (sign == '~') {
            add_json(out, json_object_get(field, "was"));
            BUF_ADD_LIT(out, " -> ");
        }
        add_json(out, json_object_get(field, "will"));
        buf_add_char(out, '\n');
    }
    json_decref(fields);
}

void diff_print(const struct diff *d, bool colour, struct buf *out)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct change *ch = &d->changes[i];
        char sign = sign_of(ch);
        buf_add_span(out, paint_on(colour, paint_of(sign)));
        buf_addf(out, "%c %s ", sign, ch->kind);
        text_add(out, span_str(ch->name));
        buf_add_char(out, '\n');
        if (sign != '-')
            print_fields(out, ch, sign);
        buf_add_span(out, paint_off(colour, paint_of(sign)));
    }
}

json_t *diff_json(const struct diff *d)
{
    json_t *out = json_array();

    for (size_t i = 0; i < d->count; i++) {
        const struct change *ch = &d->changes[i];
        const char *word = ch->was == NULL ? "add" : ch->will == NULL ? "delete" : "change";
        (void)json_array_append_new(out,
                                    json_pack("{s:s,s:s,s:s,s:o}", "change", word, "kind", ch->kind,
                                              "name", ch->name, "fields", fields_of(ch)));
    }
    return out;
}

void diff_clear(struct diff *d)
{
    for (size_t i = 0; i < d->count; i++) {
        free(d->changes[i].name);
        json_decref(d->changes[i].was);
        json_decref(d->changes[i].will);
    }
    free(d->changes);
    *d = (struct diff){0};
}
