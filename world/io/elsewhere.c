/* Lines for another process to read. */
#include "world/io/elsewhere.h"

#include "common/proto/hop.h"

void elsewhere_add_headers(struct buf *out, struct span owner, int64_t epoch)
{
    BUF_ADD_LIT(out, API_HEADERS_TEXT);
    if (owner.len > 0) {
        BUF_ADD_LIT(out, "x-terrane-owner: ");
        hop_add_value(out, owner);
        BUF_ADD_LIT(out, "\r\n");
    }
    if (epoch > 0)
        buf_addf(out, "x-terrane-epoch: %lld\r\n", (long long)epoch);
}
