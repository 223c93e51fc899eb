#pragma once
/* Writes JSON member by member and minds the commas. A NULL key: an item of an array, or the whole
 * value. Keys are ours and need no escape. */
#include "common/base/json.h"

struct json_out {
    struct buf *out;
    bool more; /* a comma comes before the next member */
};

/* `bracket` is '{' or '[', and the one that closes it. */
void json_out_open(struct json_out *o, const char *key, char bracket);
void json_out_close(struct json_out *o, char bracket);
void json_out_text(struct json_out *o, const char *key, struct span text);
void json_out_u64(struct json_out *o, const char *key, uint64_t n);
void json_out_i64(struct json_out *o, const char *key, int64_t n);
void json_out_bool(struct json_out *o, const char *key, bool b);
void json_out_null(struct json_out *o, const char *key);
/* A whole JSON value. */
void json_out_raw(struct json_out *o, const char *key, struct span json);
