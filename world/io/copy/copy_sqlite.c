/* A DATA_DIR as one end of a copy: opened as a world process opens it, with its lock. */
#include <stdlib.h>
#include <unistd.h>

#include "world/core/record.h"
#include "world/io/copy/copy.h"
#include "world/io/store_sqlite.h"

struct reading {
    struct batch *out;
    struct span only;
};

struct looking {
    struct store_sqlite *store;
    const struct map *worlds; /* that are to be written */
    bool replace;
};

static enum err open_dir(struct store_sqlite *s, struct loop *l, const char *dir, struct buf *why)
{
    const struct store_sqlite_settings settings = {
        .dir = dir, .sync_commits = true, .schema = &store_schema};

    return store_sqlite_open(s, l, NULL, &settings, why);
}

static enum err take_in(void *ctx, const struct record *r, struct buf *why)
{
    struct reading *reading = ctx;

    (void)why;
    copy_add(reading->out, reading->only, r);
    return ERR_OK;
}

static enum err read_dir(const struct copy_end *from, struct batch *out, struct buf *why)
{
    struct reading reading = {out, from->only};
    const struct store_sqlite_visit visit = {&reading, take_in};
    struct store_sqlite s = {0};
    struct loop *l = loop_new();
    char *dir = xspandup(from->text);
    struct buf file = {0};
    enum err e = ERR_MISSING;

    buf_addf(&file, "%s/world.db", dir);
    buf_add_char(&file, '\0');
    if (access(file.data, F_OK) != 0)
        buf_addf(why, "there is no %s", file.data);
    else
        e = open_dir(&s, l, dir, why);
    if (e == ERR_OK)
        e = store_sqlite_each(&s, &visit, why);
    (void)(store_sqlite_close(&s) == ERR_OK); /* nothing was written */
    buf_clear(&file);
    free(dir);
    loop_free(l);
    return e;
}

/* A record that is there already goes, or has all refused. */
static enum err clear_away(void *ctx, const struct record *r, struct buf *why)
{
    struct looking *looking = ctx;
    struct store_port port = store_sqlite_port(looking->store);

    if (map_get(looking->worlds, r->world) == NULL)
        return ERR_OK;
    if (!looking->replace)
        return copy_refuse(why, r->world);
    port.remove(port.ctx, r->kind, r->world, r->key);
    return ERR_OK;
}

static void put_all(struct store_sqlite *s, const struct batch *set)
{
    struct store_port port = store_sqlite_port(s);

    LIST_EACH (&set->list, it) {
        const struct batch_entry *e = CONTAINER_OF(it, struct batch_entry, node);
        const struct record r = {
            .kind = e->kind, .world = e->world, .key = e->key, .value = e->value};

        port.put(port.ctx, &r);
    }
}

static enum err write_dir(const struct copy_end *to, const struct batch *set, struct buf *why)
{
    struct map worlds = {0};
    struct store_sqlite s = {0};
    struct loop *l = loop_new();
    char *dir = xspandup(to->text);
    struct looking looking = {&s, &worlds, to->replace};
    const struct store_sqlite_visit visit = {&looking, clear_away};
    enum err e = open_dir(&s, l, dir, why);

    LIST_EACH (&set->list, it) {
        struct batch_entry *entry = CONTAINER_OF(it, struct batch_entry, node);

        if (map_get(&worlds, entry->world) == NULL)
            map_add(&worlds, entry->world, entry);
    }
    if (e == ERR_OK)
        e = store_sqlite_each(&s, &visit, why);
    if (e == ERR_OK)
        put_all(&s, set);
    if (store_sqlite_close(&s) != ERR_OK) {
        BUF_ADD_LIT(why, "it cannot be written");
        e = ERR_IO;
    }
    map_clear(&worlds);
    free(dir);
    loop_free(l);
    return e;
}

const struct copy_store copy_sqlite = {.read = read_dir, .write = write_dir};
