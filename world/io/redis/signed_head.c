/* Nobody's client is behind such an errand: it begins at this host. */
#include "world/io/redis/signed_head.h"

#include "common/base/clock.h"
#include "common/proto/hop_sign.h"

void signed_head_add(struct buf *out, const struct signer *by, struct span method,
                     struct span target)
{
    const struct hop_sign sign = {
        .method = method,
        .target = target,
        .entry = by->id,
        .client_ip = SPAN("127.0.0.1"),
    };
    buf_addf(out, "%.*s %.*s HTTP/1.1\r\n", SPAN_ARG(method), SPAN_ARG(target));
    hop_sign_add(out, by->secrets, &sign, clock_wall_ms());
}
