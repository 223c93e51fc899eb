#pragma once
/* Members of what the API answers. One that is not there, or of another type, is nothing: none of
 * what worldctl shows is worth an error. */
#include "common/base/json.h"

/* Empty: none. Borrowed from the object. */
struct span answer_text(const json_t *object, const char *key);
/* 0: none. Without its fraction, and from -2^53 to 2^53. */
int64_t answer_number(const json_t *object, const char *key);
bool answer_true(const json_t *object, const char *key);
