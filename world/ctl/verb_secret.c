/* Secrets for AUTH_JWT_SECRET and SHARD_SECRET. */
#include "common/base/base64url.h"
#include "common/base/rng.h"
#include "world/ctl/options.h"
#include "world/ctl/print.h"
#include "world/ctl/verb_token.h"

enum { BYTES = 32, BYTES_MIN = 16, BYTES_MAX = 1024, COUNT_MAX = 1000 };

const struct flag secret_flags[] = {
    {"bytes", "N", "how many random bytes [32]", 0},
    {"count", "N", "how many secrets [1]", 'n'},
    {NULL, NULL, NULL, 0},
};

static void add_secret(struct buf *out, size_t bytes)
{
    char raw[BYTES_MAX];
    rng_bytes(raw, bytes);
    base64url_add(out, span_of(raw, bytes));
    explicit_bzero(raw, sizeof raw);
}

enum ended verb_secret(struct ctl *c)
{
    uint64_t bytes = BYTES, count = 1;
    struct buf out = {0};

    if (!options_count(c, "bytes", BYTES_MIN, BYTES_MAX, &bytes) ||
        !options_count(c, "count", 1, COUNT_MAX, &count))
        return ENDED_USAGE;
    if (c->json)
        BUF_ADD_LIT(&out, "{\"secrets\":[");
    for (uint64_t i = 0; i < count; i++) {
        if (c->json)
            buf_addf(&out, "%s\"", i > 0 ? "," : "");
        add_secret(&out, (size_t)bytes);
        buf_addf(&out, "%s", c->json ? "\"" : "\n");
    }
    if (c->json)
        BUF_ADD_LIT(&out, "]}\n");
    return print_flush(&out) ? ENDED_DONE : ENDED_REFUSED;
}
