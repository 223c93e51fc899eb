#pragma once
/* What is news of a shard to its world: the numbers that a beat tells, and those that the world has
 * confirmed (docs/design.md section 5.1). */
#include "common/base/list.h"
#include "common/proto/beat.h"

struct shard;
struct world;

enum { TIDINGS_ENDED_MAX = 1000 }; /* shards that ended and are told one by one; then a full beat */

/* Embedded in a shard. */
struct tidings {
    struct list in_changed; /* of its world: may be news */
    struct list in_told;    /* of its world: the beat under way tells it */
    struct beat_shard last; /* as told last; without texts */
    uint64_t server;        /* hash of the room server's origin that was told with it */
    bool told, known;       /* in a beat, ever; and the world has confirmed that one */
};

/* What a world is to hear. */
struct news {
    struct list changed;    /* struct tidings.in_changed */
    struct list told;       /* struct tidings.in_told */
    struct list ended;      /* struct ended: shards that are no more, to be told as empty */
    struct list ended_told; /* those that the beat under way tells */
    size_t ended_count;     /* in both */
    bool full;              /* the next beat tells all */
    bool node;              /* something about the node itself */
    bool told_all;          /* the one under way does */
};

void news_init(struct news *n);
void news_clear(struct news *n);
/* Something about the shard has changed, perhaps. */
void news_note(struct news *n, struct shard *shard);
/* It is about to end. */
void news_note_end(struct news *n, struct shard *shard);
/* True if there is anything that the world does not know. Forgets what turned out to be none. */
bool news_are_there(struct news *n);
/* Adds them to a beat that is open; what they were until it is answered is remembered. */
void news_tell(struct news *n, const struct world *w, struct buf *out);
/* The beat that told them was confirmed, or may not have been heard: then they are news again. */
void news_confirm(struct news *n);
void news_repeat(struct news *n);
