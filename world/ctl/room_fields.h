#pragma once
/* The settings of a room, as PUT takes them (docs/protocol.md, "Management API"). */
#include "common/base/json.h"

enum room_field_type { ROOM_FIELD_STRATEGY, ROOM_FIELD_BOOL, ROOM_FIELD_COUNT };

struct room_field {
    const char *name; /* on the wire */
    enum room_field_type type;
    int64_t min;           /* of a count */
    const char *otherwise; /* JSON: what a room has that says nothing; NULL: no value at all */
};

/* Ends with a name of NULL. */
extern const struct room_field room_fields[];

/* What of `given` is no setting, or no value of one; false, and `problem` says it. */
MUST_CHECK bool room_fields_check(const json_t *given, struct buf *problem);
/* The settings in `object` (a room of the API, or what was given) and no other member; with
 * `complete` the others have what they would have. The caller frees with json_decref. */
json_t *room_fields_of(const json_t *object, bool complete);
/* Appends them as a body. */
void room_fields_add(struct buf *out, const json_t *settings);
