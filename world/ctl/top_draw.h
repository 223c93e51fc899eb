#pragma once
/* The picture of `worldctl top`. Pure: the same view and data give the same cells. */
#include "world/ctl/top_data.h"
#include "world/ctl/top_view.h"

/* Draws all of it on a canvas that has its size; answers how many rows of items it has place for.
 */
int top_draw(struct canvas *c, const struct top_view *v, const struct top_data *d,
             const struct top_rows *rows);
/* The same number, without drawing. */
int top_draw_height(int width, int height, const struct top_data *d);
