/* PROXY headers: a header that is read is within its bounds, is awaited at every cut before its end
 * and no longer, and is the same whatever comes behind it. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/proto/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header h, again;
    char *copy = xspandup(span_of(data, size));
    enum err e = proxy_header_read(&h, copy, size);
    assert(e == ERR_OK || e == ERR_AGAIN || e == ERR_SYNTAX || e == ERR_LIMIT);
    assert(e != ERR_AGAIN || size < PROXY_HEADER_MAX);
    if (e == ERR_OK) {
        assert(h.len > 0 && h.len <= size && h.len <= PROXY_HEADER_MAX);
        assert(copy[0] != 'P' || h.len <= PROXY_HEADER_V1_MAX);
        for (size_t len = 0; len < h.len; len++) {
            char *cut = xspandup(span_of(copy, len));
            e = proxy_header_read(&again, cut, len);
            assert(e == ERR_AGAIN);
            free(cut);
        }
        e = proxy_header_read(&again, copy, h.len);
        assert(e == ERR_OK && again.len == h.len && again.names_peer == h.names_peer);
        assert(memcmp(&again.from, &h.from, sizeof h.from) == 0 && again.port == h.port);
    }
    free(copy);
    return 0;
}
