#pragma once
/* JSON in printable ASCII on one line, as headers can carry it. */
#include "common/base/buf.h"

/* Appends a text that json_text_check has passed, token by token as it is written, without the
 * blanks between them; characters beyond ASCII, and DEL, become \uXXXX, in pairs where needed. */
void json_ascii_add(struct buf *out, struct span json);
