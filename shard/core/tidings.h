#pragma once
/* What is news of a shard to its world: the numbers that a beat tells, and those that the world has
 * confirmed (docs/design.md section 5.1). */
#include "common/base/list.h"
#include "common/proto/beat.h"

struct session;
struct shard;
struct world;

enum {
    TIDINGS_ENDED_MAX = 1000,     /* shards that ended and are told one by one; then a full beat */
    TIDINGS_LEFT_MAX = 20000,     /* the same of sessions that left */
    TIDINGS_SESSIONS_MAX = 20000, /* named in a beat; more wait for the next */
};

/* Embedded in a shard. Sessions are named if their ids are no longer than BEAT_SESSION_MAX, as long
 * as the room may show them, which may be longer than they have sockets. */
struct tidings {
    struct list in_changed;      /* of its world: may be news */
    struct list in_told;         /* of its world: the beat under way tells it */
    struct beat_shard last;      /* as told last; without texts */
    uint64_t server;             /* hash of the room server's origin that was told with it */
    bool told, known;            /* in a beat, ever; and the world has confirmed that one */
    struct list joined;          /* struct session.in_news: came, and no beat has told it */
    struct list joined_told;     /* those that the beat under way tells */
    struct list left, left_told; /* struct departed: those that left, in the same way */
};

/* What a world is to hear. */
struct news {
    struct list changed;      /* struct tidings.in_changed */
    struct list told;         /* struct tidings.in_told */
    struct list ended;        /* struct ended: shards that are no more, to be told as empty */
    struct list ended_told;   /* those that the beat under way tells */
    size_t ended_count;       /* in both */
    size_t left_count;        /* struct departed of all its shards */
    size_t left_to_name;      /* of TIDINGS_SESSIONS_MAX, in the beat that is being written */
    struct buf ids, more_ids; /* likewise: a shard's lists */
    bool full;                /* the next beat tells all */
    bool node;                /* something about the node itself */
    bool told_all;            /* the one under way does */
};

void tidings_init(struct tidings *t);
void tidings_clear(struct shard *shard);
/* The room may show the session from now on; it has heard that it left, or never of it. */
void tidings_came(struct session *s);
void tidings_left(struct session *s);

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
