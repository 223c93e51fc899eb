/* Keys are blobs: they are bytes to the store, and may hold NUL. `seq` is the order of creation. */
#include "world/io/store_schema.h"

const struct store_schema store_schema = {
    .version = 1,
    .create = "CREATE TABLE records("
              " kind TEXT NOT NULL, world TEXT NOT NULL, key BLOB NOT NULL,"
              " seq INTEGER NOT NULL, value TEXT NOT NULL,"
              " PRIMARY KEY(kind, world, key)) WITHOUT ROWID;"
              "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
              "INSERT INTO meta VALUES('epoch', 0), ('clock', 0);",
};
