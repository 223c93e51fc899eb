/* Records of an export come in again: all are judged before the first is taken. */
#include <stdlib.h>

#include "common/base/json_out.h"
#include "world/core/api/api_body.h"
#include "world/core/manage/import.h"
#include "world/core/manage/manage_body.h"
#include "world/core/manage/manage_verbs.h"
#include "world/core/record.h"

void import_add_name(struct buf *out, unsigned kind, struct span key)
{
    buf_add_u64(out, kind);
    buf_add_char(out, ' ');
    buf_add_span(out, key);
}

const struct item *import_item(const struct import *im, unsigned kind, struct span key)
{
    struct buf name = {0};
    const struct item *it;

    import_add_name(&name, kind, key);
    it = map_get(&im->by_name, buf_span(&name));
    buf_clear(&name);
    return it;
}

static bool refuse_item(struct import *im, size_t at, struct span what)
{
    struct buf message = {0};

    buf_addf(&message, "Record %zu: ", at);
    buf_add_span(&message, what);
    call_refuse(im->m->call, REFUSAL_BODY_INVALID, buf_span(&message));
    buf_clear(&message);
    return false;
}

/* Reads one record. False: the request has been answered. */
static bool read_item(struct import *im, size_t at, const json_t *object)
{
    struct item *it = &im->items[im->count];
    const struct field fields[] = {
        {"kind", FIELD_CHOICE, true, .options = record_kind_names, .out = &it->kind},
        {"key", FIELD_TEXT, true, .max = (uint64_t)64 * 1024, .out = &it->key},
    };
    const json_t *value = json_object_get(object, "value");
    struct buf text = {0};
    bool good;

    manage_body_members(object, fields, sizeof(fields) / sizeof(fields[0]), &text);
    good = text.len == 0 && json_is_object(value);
    if (good) {
        buf_reset(&text);
        import_add_name(&text, it->kind, it->key);
        good = map_get(&im->by_name, buf_span(&text)) == NULL;
        if (good) {
            it->name = span_copy(buf_span(&text));
            it->value = json_dumps(value, JSON_COMPACT);
            map_add(&im->by_name, it->name, it);
            im->count++;
        } else {
            (void)refuse_item(im, at, SPAN("it is there twice"));
        }
    } else {
        (void)refuse_item(im, at, text.len > 0 ? buf_span(&text) : SPAN("value must be an object"));
    }
    buf_clear(&text);
    return good;
}

static bool read_items(struct import *im, const json_t *records)
{
    size_t count = json_array_size(records);

    im->items = xcalloc(count + 1, sizeof(*im->items));
    for (size_t i = 0; i < count; i++) {
        if (!read_item(im, i, json_array_get(records, i)))
            return false;
    }
    return true;
}

static void import_clear(struct import *im)
{
    for (size_t i = 0; i < im->count; i++) {
        span_free(im->items[i].name);
        free(im->items[i].value);
    }
    free(im->items);
    map_clear(&im->by_name);
}

static void take_all(struct import *im)
{
    struct call *call = im->m->call;
    struct json_out o = {.out = &call->core->text};
    struct import_counts counts;

    import_apply(im, &counts);
    buf_reset(o.out);
    json_out_open(&o, NULL, '{');
    for (unsigned kind = 0; kind < RECORD_RETIRED; kind++)
        json_out_u64(&o, record_kind_names[kind], counts.applied[kind]);
    json_out_u64(&o, "skipped", counts.skipped);
    json_out_close(&o, '}');
    call_answer_stored_with(call, 200, buf_span(o.out));
}

void manage_import(struct manage *m)
{
    struct import im = {.m = m};
    uint64_t version = 0, exported = 0;
    struct span world = {0};
    const json_t *records = NULL;
    json_t *doc = NULL;
    const struct field fields[] = {
        {"version", FIELD_COUNT, true, .min = MANAGE_EXPORT_VERSION, .max = MANAGE_EXPORT_VERSION,
         .out = &version},
        {"world", FIELD_TEXT, true, .min = 1, .max = ROOM_ID_MAX, .out = &world},
        {"exportedAt", FIELD_COUNT, .max = REGISTRY_COUNT_MAX, .out = &exported},
        {"records", FIELD_ARRAY, true, .max = REGISTRY_COUNT_MAX, .out = &records},
        {"replace", FIELD_BOOL, .out = &im.replace},
    };

    if (!manage_body_read(m->call, fields, sizeof(fields) / sizeof(fields[0]), &doc))
        goto out;
    if (!span_eq(world, m->call->world))
        call_refuse(m->call, REFUSAL_BODY_INVALID, SPAN("world must be the world of the path"));
    else if (read_items(&im, records) && import_judge(&im))
        take_all(&im);
out:
    import_clear(&im);
    json_decref(doc);
}
