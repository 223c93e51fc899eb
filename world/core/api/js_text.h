#pragma once
/* JSON values as JavaScript's String() writes them; error texts of the API name rooms so. */
#include "common/base/buf.h"
#include "common/base/json.h"

void js_text_add(struct buf *out, const json_t *value);
/* Number::toString (ECMA-262 section 6.1.6.1.20); `n` is finite. */
void js_text_add_number(struct buf *out, double n);
/* Truthiness; NULL (undefined) is false. */
bool js_is_true(const json_t *value);
/* Nothing but what String.prototype.trim() takes off. `text` is UTF-8 or any bytes. */
bool js_is_blank(struct span text);
