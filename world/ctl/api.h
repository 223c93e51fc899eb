#pragma once
/* The management API (docs/protocol.md, "Management API") of the world that the profile names. All
 * say on stderr what went wrong, one line, and answer how the program ends by it. */
#include "common/base/json.h"
#include "world/ctl/ctl.h"

/* Appends `pattern` with each % replaced by the next argument (a struct span), percent-encoded. */
void api_path(struct buf *out, const char *pattern, ...);
/* Appends `&key=value` (or `?`, when it is the first), the value encoded; nothing for NULL. */
void api_query(struct buf *path, const char *key, const char *value);

/* Asks below /api/v1/worlds/{W}. `body`: JSON, ptr NULL: none. *doc: what was answered, the caller
 * frees it with json_decref; NULL when that was nothing (204), or on failure. `doc` may be NULL. */
MUST_CHECK enum ended api_ask(struct ctl *c, const char *method, struct span path, struct span body,
                              json_t **doc);
MUST_CHECK enum ended api_get(struct ctl *c, struct span path, json_t **doc);
/* The same with a path from the top. */
MUST_CHECK enum ended api_ask_top(struct ctl *c, const char *method, struct span path,
                                  struct span body, json_t **doc);
/* The whole answer, whatever its status; false: it was not reached, *how says how it ends. The
 * caller clears `a` in every case. */
MUST_CHECK bool api_try(struct ctl *c, const char *method, struct span path, struct span body,
                        struct wire_answer *a, enum ended *how);
/* Says what an answer of 400 and more says, and how it ends by that. */
enum ended api_refused(const struct ctl *c, const struct wire_answer *a);
/* Follows a list's cursors up to `limit` items (0: all) and puts them into *items, an array. */
MUST_CHECK enum ended api_list(struct ctl *c, struct span path, uint64_t limit, json_t **items);
