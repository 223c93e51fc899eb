/* A cache of one entry, which holds the frame it is about: else another one could come to lie at
 * the same address. It is emptied at the end of the turn. */
#include "shard/io/packer.h"

static void drop(struct packer *p)
{
    frame_unref(p->plain);
    frame_unref(p->packed);
    p->plain = p->packed = NULL;
}

static void forget(struct turn_end *t)
{
    drop(CONTAINER_OF(t, struct packer, forget));
}

void packer_init(struct packer *p, struct loop *l, size_t min, struct packer_stats *stats)
{
    *p = (struct packer){.loop = l, .deflate = ws_deflate_new(), .min = min, .stats = stats};
    p->forget.fn = forget;
}

static void pack(struct packer *p, struct frame *plain)
{
    drop(p);
    p->plain = frame_ref(plain);
    p->packed = ws_deflate_frame(p->deflate, plain);
    if (p->packed != NULL) {
        p->stats->plain_bytes += plain->len;
        p->stats->packed_bytes += p->packed->len;
    }
    loop_at_turn_end(p->loop, &p->forget);
}

struct frame *packer_pack(struct packer *p, struct frame *plain, uint8_t window_bits)
{
    /* No two bytes of a message lie further apart than it is long; zlib's own window is the largest
     * that there is. */
    bool fits = window_bits == WS_WINDOW_BITS_MAX || plain->len <= (uint32_t)1 << window_bits;
    if (!fits || plain->len < p->min)
        return plain;
    if (plain != p->plain)
        pack(p, plain);
    return p->packed != NULL ? p->packed : plain;
}

void packer_clear(struct packer *p)
{
    drop(p);
    loop_not_at_turn_end(&p->forget);
    ws_deflate_free(p->deflate);
    p->deflate = NULL;
}
