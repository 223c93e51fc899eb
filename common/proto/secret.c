/* Lists of shared secrets. Neither keeps nor logs them. */
#include "common/proto/secret.h"

#include <openssl/crypto.h>

bool secret_matches(struct span list, struct span given)
{
    bool found = false;
    struct span entry;
    while (span_split(&list, ',', &entry)) {
        entry = span_trim(entry);
        if (entry.len > 0 && entry.len == given.len)
            found |= CRYPTO_memcmp(entry.ptr, given.ptr, entry.len) == 0;
    }
    return found;
}

struct span secret_first(struct span list)
{
    struct span entry = {0};
    if (!span_split(&list, ',', &entry))
        return entry;
    return span_trim(entry);
}

size_t secret_shortest(struct span list)
{
    size_t shortest = SIZE_MAX;
    struct span entry;
    while (span_split(&list, ',', &entry)) {
        entry = span_trim(entry);
        if (entry.len < shortest)
            shortest = entry.len;
    }
    return shortest == SIZE_MAX ? 0 : shortest;
}
