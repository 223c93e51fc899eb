/* The queue itself; how long it may get and how long it may wait is decided by pressure.c and
 * wait.c.
 */
#include "shard/core/backlog.h"

#include <assert.h>
#include <string.h>

#include "shard/core/session.h"

void backlog_init(struct backlog *b)
{
    *b = (struct backlog){.bytes = 0};
    list_init(&b->messages);
}

void backlog_add(struct backlog *b, struct session *s, struct span text, int64_t now)
{
    struct waiting *w = xmalloc(sizeof *w + text.len);
    *w = (struct waiting){.session = s, .since_ms = now, .len = text.len};
    memcpy(w->text, text.ptr, text.len);
    list_push(&b->messages, &w->in_backlog);
    b->bytes += text.len;
    s->queued++;
}

const struct waiting *backlog_first(const struct backlog *b)
{
    struct list *first = list_first(&b->messages);
    return first == NULL ? NULL : CONTAINER_OF(first, struct waiting, in_backlog);
}

struct waiting *backlog_pop(struct backlog *b)
{
    struct list *first = list_first(&b->messages);
    if (first == NULL)
        return NULL;
    struct waiting *w = CONTAINER_OF(first, struct waiting, in_backlog);
    assert(b->bytes >= w->len && w->session->queued > 0);
    list_remove(first);
    b->bytes -= w->len;
    w->session->queued--;
    return w;
}

void backlog_put_back(struct backlog *b, struct backlog *from)
{
    for (struct list *last; !list_empty(&from->messages);) {
        last = from->messages.prev;
        list_remove(last);
        list_push(b->messages.next, last); /* before the first */
    }
    b->bytes += from->bytes;
    from->bytes = 0;
}
