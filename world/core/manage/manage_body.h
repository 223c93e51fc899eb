#pragma once
/* Bodies of the management API: objects whose members are told in a table. Members that are not in
 * it are refused, so that a slip of the pen does not pass for a default. */
#include "common/base/json.h"
#include "world/core/api/call.h"

enum field_type {
    FIELD_TEXT,   /* struct span; min and max are its length in bytes */
    FIELD_COUNT,  /* uint64_t, a whole number from min to max */
    FIELD_BOOL,   /* bool */
    FIELD_CHOICE, /* unsigned, one of `options` by its index */
    FIELD_RANGE,  /* uint64_t[2], an array of two whole numbers from min to max, in order */
    FIELD_ARRAY,  /* const json_t *, at least min and at most max items */
};

struct field {
    const char *name;
    enum field_type type;
    bool required;
    uint64_t min, max;
    const char *const *options; /* NULL-terminated */
    void *out;                  /* keeps what it has when an optional member is absent */
};

/* Reads the request's body, an empty one as {}. Spans point into *doc, which the caller frees with
 * json_decref in every case. False: the request has been answered, with what is wrong and where. */
bool manage_body_read(struct call *call, const struct field *fields, size_t count, json_t **doc);
/* A body without members, or none. False: the request has been answered. */
bool manage_body_none(struct call *call);
/* Reads members of an object inside a body, others aside. Says in `problem` (emptied first) what is
 * wrong; it stays empty when nothing is. */
void manage_body_members(const json_t *object, const struct field *fields, size_t count,
                         struct buf *problem);
