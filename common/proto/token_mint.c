/* Header and claims in base64url, and their MAC. */
#include "common/proto/token_mint.h"

#include "common/base/base64url.h"
#include "common/proto/mac.h"
#include "common/proto/secret.h"

enum err token_mint(struct buf *out, struct span secrets, struct span claims)
{
    struct secrets list = {.list = secrets};
    struct span secret = secrets_first(&list);
    size_t from = out->len;
    uint8_t sum[MAC_LEN];
    struct mac *m;

    if (secret.len == 0 || span_index(secret, '\0') < secret.len)
        return ERR_SYNTAX;
    base64url_add(out, SPAN("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"));
    buf_add_char(out, '.');
    base64url_add(out, claims);
    m = mac_begin(secret, (struct span){0});
    mac_add(m, span_slice(buf_span(out), from, out->len));
    mac_end(m, sum);
    mac_forget();
    buf_add_char(out, '.');
    base64url_add(out, span_of(sum, sizeof(sum)));
    return ERR_OK;
}
