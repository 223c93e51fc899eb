/* JSON texts against jansson: what it accepts must pass, and what passes it must accept, except for
 * what it is known to refuse. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/json.h"
#include "common/proto/json_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lone surrogates, NUL in keys, numbers beyond double, nesting beyond jansson's own limit. */
static bool is_known_refusal(const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);
    return code == json_error_numeric_overflow || code == json_error_stack_overflow ||
           code == json_error_null_byte_in_key || strncmp(error->text, "invalid Unicode", 15) == 0;
}

/* Each key must be one that jansson found too, each value a text of its own. */
static void check_member(void *ctx, const struct json_member *m)
{
    struct buf key = {0};
    json_text_unescape(&key, m->key);
    assert(span_is_utf8(buf_span(&key)));
    assert(json_text_string_is(m->key, buf_span(&key)));
    if (ctx != NULL && (key.len == 0 || memchr(key.data, '\0', key.len) == NULL)) {
        buf_add_char(&key, '\0');
        assert(json_object_get(ctx, key.data) != NULL);
    }
    buf_clear(&key);
    assert(json_text_check(m->value) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size);
    json_error_t error;
    json_t *value = json_loadb(size == 0 ? "" : text.ptr, size,
                               JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
    enum err err = json_text_check(text);
    if (value != NULL) /* jansson overlooks a raw NUL behind a number or literal */
        assert(err == ERR_OK || err == ERR_LIMIT || memchr(data, '\0', size) != NULL);
    else if (err == ERR_OK)
        assert(is_known_refusal(&error));
    if (err == ERR_OK) {
        char kind;
        if (json_text_members(text, &kind, check_member, value) != ERR_OK)
            abort();
        assert(value == NULL || json_is_object(value) == (kind == '{'));
    }
    json_decref(value);
    return 0;
}
