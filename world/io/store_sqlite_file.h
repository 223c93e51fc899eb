#pragma once
/* The database file of the store on its way to being open: made when there is none, refused when it
 * is not ours, is damaged or comes from a newer version, brought up to date when it is older. A
 * file that is refused is left as it is. */
#include "common/base/buf.h"
#include "world/io/store_schema.h"

struct sqlite3;

/* Opens the file at `path`, whose folder only this process uses. An older one is first copied to
 * `path`.vN.bak (N is its version), then taken to `schema`'s version in one transaction. The caller
 * closes *db with store_sqlite_file_close. ERR_IO, ERR_SYNTAX (not a usable file): `why` says it
 * for a person. */
MUST_CHECK enum err store_sqlite_file_open(struct sqlite3 **db, const char *path,
                                           const struct store_schema *schema, struct buf *why);
/* Moves everything from the log into the file itself, if it can. NULL is allowed. */
void store_sqlite_file_close(struct sqlite3 *db);
