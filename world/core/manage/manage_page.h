#pragma once
/* One page of a list: {"items":[…],"next":cursor}. Things have a serial that grows as they are made
 * and never changes, so whoever follows the cursors meets each thing that is there all the while
 * exactly once, whatever is added or removed meanwhile. */
#include "common/base/json_out.h"
#include "world/core/manage/manage.h"

enum { PAGE_LIMIT = 100, PAGE_LIMIT_MAX = 1000 };

struct page {
    struct manage *m;
    struct buf text;
    struct json_out out; /* items are written here */
    struct buf wanted;   /* is somewhere in the names of the items, whatever their case */
    uint64_t limit, count;
    uint64_t after, last; /* serials: the items come behind it; of the last item */
    bool full;            /* there is more than fits */
};

/* Reads `limit`, `after` and `q`. False: the request has been answered. */
bool page_begin(struct page *p, struct manage *m);
/* Whether the item of that serial and name goes onto the page; the caller, who goes through them in
 * order, writes it then. Once the page is full there is no need to go on. */
bool page_takes(struct page *p, uint64_t serial, struct span name);
/* Ends the items and adds `next`; members of the page may follow in `out`. */
void page_end(struct page *p);
/* Answers with it, after page_end. */
void page_send(struct page *p);
static inline void page_answer(struct page *p)
{
    page_end(p);
    page_send(p);
}
