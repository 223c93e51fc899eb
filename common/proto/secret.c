/* Lists of shared secrets. Neither keeps nor logs them. */
#include "common/proto/secret.h"

#include <openssl/crypto.h>

bool secrets_match(const struct secrets *s, struct span given)
{
    struct span list = s->list, entry;
    bool found = false;
    while (span_split(&list, ',', &entry)) {
        entry = span_trim(entry);
        if (entry.len > 0 && entry.len == given.len)
            found |= CRYPTO_memcmp(entry.ptr, given.ptr, entry.len) == 0;
    }
    return found;
}

struct span secrets_first(const struct secrets *s)
{
    struct span list = s->list;
    struct span entry = {0};
    if (!span_split(&list, ',', &entry))
        return entry;
    return span_trim(entry);
}

size_t secrets_shortest(const struct secrets *s)
{
    size_t shortest = SIZE_MAX;
    struct span list = s->list, entry;
    while (span_split(&list, ',', &entry)) {
        entry = span_trim(entry);
        if (entry.len < shortest)
            shortest = entry.len;
    }
    return shortest == SIZE_MAX ? 0 : shortest;
}
