#pragma once
/* The last lines of a room's chat, as members of the JSON object `chat`: numbered keys. */
#include "common/base/buf.h"

/* The all-zero struct is valid and empty. */
struct demo_chat {
    struct demo_line *lines; /* ring of DEMO_CHAT_LINES */
    uint64_t said;           /* lines ever; the next key */
};

/* Adds a line, and to `out` the members that tell clients of it (and of the line it pushes out). */
void demo_chat_say(struct demo_chat *c, struct span name, struct span text, struct buf *out);
/* All lines, oldest first, as members. */
void demo_chat_add_all(const struct demo_chat *c, struct buf *out);
void demo_chat_clear(struct demo_chat *c);
