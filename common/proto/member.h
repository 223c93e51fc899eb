#pragma once
/* Members of a JSON object that a codec of ours reads: what is absent keeps the value that *out has
 * already, what is there must be of its type and in its bounds. */
#include "common/base/json.h"

/* Counts and times go up to 2^53 - 1, as in every JSON reader. */
#define MEMBER_NUMBER_MAX ((int64_t)9007199254740991)

/* One object under inspection; `bad` is the first member that was at fault, a static text. The
 * object is NULL, or no object: every required member is at fault. */
struct member_reader {
    const json_t *object;
    const char *bad;
};

/* All answer false when the member is at fault; *out is as it was then. */
bool member_text(struct member_reader *r, const char *key, size_t max, struct span *out);
/* A text that must be there and not be empty. */
bool member_id(struct member_reader *r, const char *key, size_t max, struct span *out);
bool member_bool(struct member_reader *r, const char *key, bool *out);
/* A whole number from 0 to MEMBER_NUMBER_MAX. */
bool member_count(struct member_reader *r, const char *key, uint64_t *out);
bool member_time(struct member_reader *r, const char *key, int64_t *out);
/* One of `names` (NULL-terminated), by its index; must be there. */
bool member_choice(struct member_reader *r, const char *key, const char *const *names,
                   unsigned *out);
/* {NULL, …} when it is absent. */
bool member_array(struct member_reader *r, const char *key, const json_t **out);
bool member_object(struct member_reader *r, const char *key, const json_t **out);
