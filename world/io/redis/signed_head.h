#pragma once
/* The head of an errand from one process of the cluster to another (docs/protocol.md, "Between
 * processes"). */
#include "common/base/buf.h"
#include "common/proto/secret.h"

/* Whose errands these are; both borrowed. */
struct signer {
    const struct secrets *secrets; /* of the cluster */
    struct span id;                /* of this process */
};
/* Appends request line and signature, as errand_send wants a head. */
void signed_head_add(struct buf *out, const struct signer *by, struct span method,
                     struct span target);
