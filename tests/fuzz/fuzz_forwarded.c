/* Forwarded: reading ends, what is read is clean, and whatever stands before an element that is
 * appended to the input, that element is read as it was written. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/proto/ascii.h"
#include "common/proto/forwarded.h"
#include "common/proto/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct forwarded *f)
{
    struct span host;
    int port;
    assert(f->proto_len <= sizeof f->proto && f->host_len <= sizeof f->host);
    for (size_t i = 0; i < f->proto_len; i++)
        assert(ascii_is_tchar(f->proto[i]));
    enum err e = url_split_authority(span_of(f->host, f->host_len), &host, &port);
    assert(e == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct forwarded f;
    struct buf more = {.len = 0};
    char *copy = xspandup(span_of(data, size));
    struct span rest = span_of(copy, size);
    for (size_t before = size + 1; forwarded_take_last(&rest, &f) == ERR_OK; before = rest.len) {
        assert(rest.len < before);
        check(&f);
    }
    buf_add(&more, copy, size);
    BUF_ADD_LIT(&more, ", for=\"[2001:db8::1]:80\";proto=https;host=\"a:1\"");
    rest = buf_span(&more);
    enum err e = forwarded_take_last(&rest, &f);
    assert(e == ERR_OK && f.from.kind == FORWARDED_ADDR && f.proto_len == 5 && f.host_len == 3);
    assert(rest.len == size);
    buf_clear(&more);
    free(copy);
    return 0;
}
