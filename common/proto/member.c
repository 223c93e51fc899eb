/* Types and bounds of members; what they mean is the codecs'. */
#include "common/proto/member.h"

static bool fault(struct member_reader *r, const char *key)
{
    if (r->bad == NULL)
        r->bad = key;
    return false;
}

bool member_text(struct member_reader *r, const char *key, size_t max, struct span *out)
{
    struct span text;

    if (json_object_get(r->object, key) == NULL)
        return true;
    if (!json_get_span(r->object, key, &text) || text.len > max)
        return fault(r, key);
    *out = text;
    return true;
}

bool member_id(struct member_reader *r, const char *key, size_t max, struct span *out)
{
    struct span text = {0};

    if (!member_text(r, key, max, &text))
        return false;
    if (text.len == 0)
        return fault(r, key);
    *out = text;
    return true;
}

bool member_bool(struct member_reader *r, const char *key, bool *out)
{
    if (json_object_get(r->object, key) == NULL || json_get_bool(r->object, key, out))
        return true;
    return fault(r, key);
}

bool member_time(struct member_reader *r, const char *key, int64_t *out)
{
    if (json_object_get(r->object, key) == NULL ||
        json_get_int(r->object, key, 0, MEMBER_NUMBER_MAX, out))
        return true;
    return fault(r, key);
}

bool member_count(struct member_reader *r, const char *key, uint64_t *out)
{
    int64_t number = 0;

    if (json_object_get(r->object, key) == NULL)
        return true;
    if (!member_time(r, key, &number))
        return false;
    *out = (uint64_t)number;
    return true;
}

bool member_choice(struct member_reader *r, const char *key, const char *const *names,
                   unsigned *out)
{
    struct span text;

    if (!json_get_span(r->object, key, &text))
        return fault(r, key);
    for (unsigned i = 0; names[i] != NULL; i++) {
        if (span_eq(text, span_str(names[i]))) {
            *out = i;
            return true;
        }
    }
    return fault(r, key);
}

bool member_array(struct member_reader *r, const char *key, const json_t **out)
{
    *out = json_object_get(r->object, key);
    return *out == NULL || json_is_array(*out) || fault(r, key);
}

bool member_object(struct member_reader *r, const char *key, const json_t **out)
{
    *out = json_object_get(r->object, key);
    return *out == NULL || json_is_object(*out) || fault(r, key);
}
