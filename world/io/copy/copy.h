#pragma once
/* `terrane-world copy FROM TO`: moves, backs up and restores what stores hold (docs/redis.md,
 * "Moving a registry"). A set of records is a batch of puts, each kind in order of creation. */
#include "common/base/buf.h"
#include "world/io/batch.h"

/* What the command line says of one end. */
struct copy_end {
    struct span text;   /* after the scheme: a folder, a path; of Redis the whole URL */
    struct span only;   /* this world alone; empty: all */
    struct span prefix; /* of keys in Redis */
    bool replace;       /* what is there of the worlds goes */
};

/* A way of keeping records. ERR_OK, or `why` says for a person what is wrong. */
struct copy_store {
    enum err (*read)(const struct copy_end *from, struct batch *out, struct buf *why);
    /* ERR_EXISTS: there are records of a world of the set, and nothing was changed. */
    enum err (*write)(const struct copy_end *to, const struct batch *set, struct buf *why);
};
extern const struct copy_store copy_sqlite, copy_redis, copy_lines;

/* Adds the record unless it is of another world than `only`. */
void copy_add(struct batch *out, struct span only, const struct record *r);
/* Says that the world is there already. */
enum err copy_refuse(struct buf *why, struct span world);

/* Runs the command with the words behind `copy`; the exit status: 0, 1 (it failed), 2 (the words
 * are wrong). */
int copy_main(int argc, char **argv);
