#pragma once
/* What the store's database looks like, and how an older one becomes the present one. Texts only;
 * they are run by store_sqlite_file. A new version is a new `create` and one more step. */

enum { STORE_APPLICATION_ID = 0x54524e57 }; /* "TRNW" */

struct store_schema {
    int version;
    const char *create;       /* makes the tables in an empty database */
    const char *const *steps; /* version - 1 of them; steps[n] leads from version n + 1 to n + 2 */
};

extern const struct store_schema store_schema;
