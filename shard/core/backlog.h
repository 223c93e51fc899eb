#pragma once
/* Messages that wait for a link, in the order in which they came. */
#include "common/base/list.h"
#include "common/base/span.h"

struct session;

struct backlog {
    struct list messages; /* struct waiting */
    size_t bytes;         /* of their texts */
};

struct waiting {
    struct list in_backlog;
    struct session *session;
    int64_t since_ms;
    size_t len;
    char text[];
};

void backlog_init(struct backlog *b);
/* Copies `text`, an envelope that is ready to be sent. */
void backlog_add(struct backlog *b, struct session *s, struct span text, int64_t now);
/* The oldest message, or NULL. */
const struct waiting *backlog_first(const struct backlog *b);
/* Takes the oldest message out; NULL when there is none. The caller frees it with free(). */
struct waiting *backlog_pop(struct backlog *b);
/* Moves all of `from` to the front, in its order. */
void backlog_put_back(struct backlog *b, struct backlog *from);
