#pragma once
/* What --off takes away, outside of the programs: the simulation must miss it. `expiry`, `missing`
 * and `returning` are taken from the cores by the linker (--wrap, see CMakeLists.txt); `seq` and
 * `repeat` by changing beats on their way into the world. */
#include "common/base/buf.h"

enum { OFF_NODES = 64 };

/* Of nodes' processes: the orders that each was sent last, and the numbers given to its beats. */
struct orders_memory {
    struct {
        uint64_t node;                  /* hash of its id */
        int64_t process;                /* its epoch */
        int64_t epoch, version;         /* of the orders sent last; 0: none */
        int64_t seen_process, next_seq; /* the highest epoch seen, and the next number */
    } nodes[OFF_NODES];
    size_t count;
};

/* `seq`: every beat comes as if it were the newest. `repeat`: as if its node had what it was sent.
 * False: it stays as it is. */
bool off_change_beat(struct orders_memory *m, struct span beat, struct buf *out);
/* These orders have been sent in answer to that beat. */
void off_note_orders(struct orders_memory *m, struct span beat, struct span orders);
void off_forget(struct orders_memory *m);
