#pragma once
/* What `worldctl top` knows of a world: the newest overview and lists, and what follows from two
 * overviews. */
#include "world/ctl/top_columns.h"

struct top_data {
    struct span world, url;        /* borrowed */
    json_t *overview;              /* NULL: none yet, or the world knows no such route */
    json_t *lists[TOP_PAGE_COUNT]; /* arrays; NULL: none yet */
    bool more[TOP_PAGE_COUNT];     /* there are more items than in the list */
    double placements_s, refusals_s;
    bool rates;         /* these are known */
    struct buf trouble; /* why the world is not reached; empty: it is */
    int64_t now_ms;     /* wall time, the world's if it is known */
};

void top_data_clear(struct top_data *d);
/* Takes an answer to /overview. */
void top_data_overview(struct top_data *d, json_t *overview);
/* Takes an answer to a list (`{"items", "next"}`). False: it is none, and was freed. */
MUST_CHECK bool top_data_list(struct top_data *d, enum top_page page, json_t *answer);
/* A number of the overview by its path, "shards.total"; 0: it is not there. */
double top_data_number(const struct top_data *d, const char *path);
