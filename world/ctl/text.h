#pragma once
/* Text from strangers, on a terminal: names of rooms hold what clients like. */
#include "common/base/buf.h"

/* Appends `s` (bad UTF-8 as U+FFFD) with what could act on a terminal or turn its direction
 * written out: \n, \x1b, \u202e. */
void text_add(struct buf *out, struct span s);
/* Rewrites JSON so that nothing in it acts on a terminal either: those characters as \u escapes. */
void text_add_json(struct buf *out, struct span json);
