#pragma once
/* Writes sync frames of the admin feed: {"type":"sync","value":{…}}. Rooms come before shards;
 * names are whole keys. */
#include "world/core/rooms/registry.h"

struct feed_text {
    struct buf *out;
    const char *section; /* the object that is open in "value"; NULL: none */
    bool more;           /* the open object has members */
};

void feed_text_open(struct feed_text *t, struct buf *out);
/* The socket's own id; before all else. */
void feed_text_id(struct feed_text *t, struct span id);
/* Opens "rooms" or "shards" (a literal), which may stay empty; the calls below do it by
 * themselves. */
void feed_text_section(struct feed_text *t, const char *section);
void feed_text_room(struct feed_text *t, const struct room *room, unsigned fields);
void feed_text_shard(struct feed_text *t, const struct shard *shard, unsigned fields);
/* Members that feed_text_add_removed made. */
void feed_text_removed(struct feed_text *t, const char *section, struct span members);
void feed_text_close(struct feed_text *t);

/* Appends a member that says that the room or shard of that name is gone, with a comma before it
 * unless it is the first. */
void feed_text_add_removed(struct buf *members, struct span name);
