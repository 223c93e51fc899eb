#pragma once
/* Compresses messages to clients: a broadcast, which is one frame that core sends to many in a row,
 * once. */
#include "common/net/loop.h"
#include "common/proto/ws_deflate.h"
#include "common/proto/ws_offer.h"
#include "shard/io/io_stats.h"

struct packer {
    struct loop *loop;
    struct ws_deflate *deflate;
    size_t min; /* shorter frames go plain, bytes */
    struct packer_stats *stats;
    struct frame *plain, *packed; /* the last frame and what became of it; NULL, NULL: none.
                                     packed NULL: it stays plain */
    struct turn_end forget;
};

/* Borrows all but what it makes itself. */
void packer_init(struct packer *p, struct loop *l, size_t min, struct packer_stats *stats);
/* What a client with a window of 2^window_bits bytes gets for `plain`: that, or a compressed one.
 * Borrowed until the end of the turn. */
struct frame *packer_pack(struct packer *p, struct frame *plain, uint8_t window_bits);
void packer_clear(struct packer *p);
