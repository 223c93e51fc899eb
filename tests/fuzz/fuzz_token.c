/* Tokens: arbitrary text is never let in, and its parts may be anything. The first byte says
 * whether the rest is a token, or header and claims (divided by the first NUL) to be encoded and
 * given a signature that does not fit. */
#include <stdlib.h>

#include "common/base/base64url.h"
#include "common/proto/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct token_keys *keys;
    if (keys == NULL && token_keys_new(&keys, TOKEN_HS256, SPAN("0123456789abcdef")) != ERR_OK)
        abort();
    if (size == 0)
        return 0;
    struct span rest = span_of(data + 1, size - 1);
    struct buf token = {0};
    struct token opened;
    if (data[0] % 2 == 0) {
        buf_add_span(&token, rest);
    } else {
        size_t cut = span_index(rest, '\0');
        base64url_add(&token, span_slice(rest, 0, cut));
        buf_add_char(&token, '.');
        base64url_add(&token, span_slice(rest, cut + 1, rest.len));
        BUF_ADD_LIT(&token, ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    }
    if (token_open(keys, buf_span(&token), 1700000000, &opened) == ERR_OK)
        abort(); /* nobody knows the key */
    buf_clear(&token);
    return 0;
}
