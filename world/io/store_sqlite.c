/* Reading all records at the start, writing batches from then on. How the file comes to be open is
 * store_sqlite_file's, when a batch is due write_behind's. */
#include "world/io/store_sqlite.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "world/core/record.h"
#include "world/io/data_dir.h"
#include "world/io/moment_now.h"
#include "world/io/store_sqlite_file.h"

/* When the clock has gone back since the last commit, ids may lie ahead of what it says. */
enum { CLOCK_SLACK_MS = 1000 };

/* Commits come often and checkpoints every second, so these are for floods of changes only. */
#define WAL_PAGES_MAX "8192"
#define WAL_KEEP      "16777216" /* bytes that the log keeps on disk for reuse */

/* ---- writing */

static bool done(sqlite3_stmt *step)
{
    bool good = sqlite3_step(step) == SQLITE_DONE;

    (void)sqlite3_reset(step);
    return good;
}

static bool run(struct store_sqlite *s, const char *sql)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static void bind_name(sqlite3_stmt *to, const struct batch_entry *e)
{
    const char *kind = record_kind_names[e->kind];

    (void)sqlite3_bind_text(to, 1, kind, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text64(to, 2, e->world.ptr, e->world.len, SQLITE_STATIC, SQLITE_UTF8);
    (void)sqlite3_bind_blob64(to, 3, e->key.ptr, e->key.len, SQLITE_STATIC);
}

static bool write_entry(struct store_sqlite *s, const struct batch_entry *e)
{
    if (e->remove) {
        bind_name(s->remove, e);
        if (!done(s->remove))
            return false;
    }
    if (!e->put)
        return true;
    bind_name(s->put, e);
    (void)sqlite3_bind_int64(s->put, 4, ++s->seq);
    (void)sqlite3_bind_text64(s->put, 5, e->value.ptr, e->value.len, SQLITE_STATIC, SQLITE_UTF8);
    return done(s->put);
}

static bool write_batch(struct store_sqlite *s, const struct batch *batch)
{
    if (!run(s, "BEGIN IMMEDIATE"))
        return false;
    LIST_EACH (&batch->list, it) {
        if (!write_entry(s, CONTAINER_OF(it, struct batch_entry, node)))
            return false;
    }
    (void)sqlite3_bind_int64(s->clock, 1, clock_wall_ms());
    return done(s->clock) && run(s, "COMMIT");
}

static enum err commit(void *ctx, const struct batch *batch)
{
    struct store_sqlite *s = ctx;
    int64_t now = loop_now(s->loop);

    if (write_batch(s, batch)) {
        if (!timer_is_set(&s->checkpoint))
            wheel_set(loop_wheel(s->loop), &s->checkpoint, now + STORE_CHECKPOINT_MS);
        return ERR_OK;
    }
    log_error("store.failed", "file=%s records=%zu reason=%s", s->path, batch_count(batch),
              sqlite3_errmsg(s->db));
    if (!sqlite3_get_autocommit(s->db))
        (void)run(s, "ROLLBACK");
    return ERR_IO;
}

/* Moves what was committed from the log to the file; both are synced by it. */
static void on_checkpoint(struct timer *timer, int64_t now)
{
    struct store_sqlite *s = CONTAINER_OF(timer, struct store_sqlite, checkpoint);

    if (sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) == SQLITE_OK)
        return;
    log_warn("store.checkpoint", "file=%s reason=%s", s->path, sqlite3_errmsg(s->db));
    wheel_set(loop_wheel(s->loop), timer, now + STORE_CHECKPOINT_MS);
}

/* ---- opening */

static enum err explain(const struct store_sqlite *s, struct buf *why)
{
    buf_addf(why, "%s cannot be used: %s", s->path, sqlite3_errmsg(s->db));
    return ERR_IO;
}

static bool prepare(struct store_sqlite *s, sqlite3_stmt **out, const char *sql)
{
    return sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) == SQLITE_OK;
}

static bool prepare_all(struct store_sqlite *s)
{
    return prepare(s, &s->put,
                   "INSERT INTO records(kind, world, key, seq, value) VALUES(?1, ?2, ?3, ?4, ?5)"
                   " ON CONFLICT(kind, world, key) DO UPDATE SET value = excluded.value") &&
           prepare(s, &s->remove,
                   "DELETE FROM records WHERE kind = ?1 AND world = ?2 AND key = ?3") &&
           prepare(s, &s->clock, "UPDATE meta SET value = ?1 WHERE name = 'clock' AND value < ?1");
}

static bool read_number(struct store_sqlite *s, const char *sql, int64_t *out)
{
    sqlite3_stmt *row = NULL;
    bool found = prepare(s, &row, sql) && sqlite3_step(row) == SQLITE_ROW;

    if (found)
        *out = sqlite3_column_int64(row, 0);
    (void)sqlite3_finalize(row);
    return found;
}

static bool store_epoch(struct store_sqlite *s)
{
    sqlite3_stmt *set = NULL;
    bool good = prepare(s, &set, "UPDATE meta SET value = ?1 WHERE name = 'epoch'") &&
                sqlite3_bind_int64(set, 1, s->epoch) == SQLITE_OK && done(set) &&
                sqlite3_changes(s->db) == 1;

    (void)sqlite3_finalize(set);
    return good;
}

static bool begin_epoch(struct store_sqlite *s)
{
    int64_t last = 0, clock = 0, wall_ms = clock_wall_ms();

    if (!read_number(s, "SELECT value FROM meta WHERE name = 'epoch'", &last) ||
        !read_number(s, "SELECT value FROM meta WHERE name = 'clock'", &clock) ||
        !read_number(s, "SELECT coalesce(max(seq), 0) FROM records", &s->seq))
        return false;
    s->epoch = last + 1 > wall_ms ? last + 1 : wall_ms;
    s->id_floor_ms = wall_ms > clock ? clock : clock + CLOCK_SLACK_MS;
    return store_epoch(s);
}

static enum err open_file(struct store_sqlite *s, const struct store_sqlite_settings *settings,
                          struct buf *why)
{
    const char *sync =
        settings->sync_commits ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL";
    enum err e = store_sqlite_file_open(&s->db, s->path, settings->schema, why);

    if (e != ERR_OK)
        return e;
    if (!run(s, sync) || !run(s, "PRAGMA wal_autocheckpoint=" WAL_PAGES_MAX) ||
        !run(s, "PRAGMA journal_size_limit=" WAL_KEEP) || !prepare_all(s) || !begin_epoch(s))
        return explain(s, why);
    (void)fsync(s->dir_fd); /* a new file's name must last, too */
    return ERR_OK;
}

static void close_file(struct store_sqlite *s)
{
    (void)sqlite3_finalize(s->put);
    (void)sqlite3_finalize(s->remove);
    (void)sqlite3_finalize(s->clock);
    store_sqlite_file_close(s->db);
    if (s->dir_fd >= 0)
        (void)close(s->dir_fd);
    free(s->path);
    *s = (struct store_sqlite){0};
}

enum err store_sqlite_open(struct store_sqlite *s, struct loop *l, struct core *core,
                           const struct store_sqlite_settings *settings, struct buf *why)
{
    struct write_target target = {.ctx = s, .commit = commit};
    struct buf path = {0};
    enum err e;

    *s = (struct store_sqlite){
        .loop = l, .core = core, .dir_fd = -1, .checkpoint.fire = on_checkpoint};
    buf_addf(&path, "%s/world.db", settings->dir);
    buf_add_char(&path, '\0');
    s->path = path.data;
    e = data_dir_open(&s->dir_fd, settings->dir, why);
    if (e == ERR_OK)
        e = open_file(s, settings, why);
    if (e == ERR_OK)
        write_behind_init(&s->behind, l, core, &target);
    else
        close_file(s);
    return e;
}

/* ---- loading */

static struct span column(sqlite3_stmt *row, int at)
{
    const void *bytes = sqlite3_column_blob(row, at); /* first: it may convert */

    return span_of(bytes, (size_t)sqlite3_column_bytes(row, at));
}

static enum err visit_kind(struct store_sqlite *s, enum record_kind kind, sqlite3_stmt *rows,
                           const struct store_sqlite_visit *visit, struct buf *why)
{
    enum err e = ERR_OK;
    int step;

    (void)sqlite3_bind_text(rows, 1, record_kind_names[kind], -1, SQLITE_STATIC);
    while ((step = sqlite3_step(rows)) == SQLITE_ROW && e == ERR_OK) {
        struct record record = {.kind = kind,
                                .world = column(rows, 0),
                                .key = column(rows, 1),
                                .value = column(rows, 2)};

        e = visit->record(visit->ctx, &record, why);
    }
    if (e == ERR_OK && step != SQLITE_DONE)
        e = explain(s, why);
    (void)sqlite3_reset(rows);
    return e;
}

enum err store_sqlite_each(struct store_sqlite *s, const struct store_sqlite_visit *visit,
                           struct buf *why)
{
    sqlite3_stmt *rows = NULL;
    enum err e = ERR_OK;

    if (!prepare(s, &rows, "SELECT world, key, value FROM records WHERE kind = ?1 ORDER BY seq"))
        return explain(s, why);
    for (int kind = 0; e == ERR_OK && kind < RECORD_COUNT; kind++)
        e = visit_kind(s, (enum record_kind)kind, rows, visit, why);
    (void)sqlite3_finalize(rows);
    return e;
}

static enum err restore(void *ctx, const struct record *record, struct buf *why)
{
    struct store_sqlite *s = ctx;

    if (core_restore(s->core, record, moment_now(s->loop)) == ERR_OK)
        return ERR_OK;
    buf_addf(why, "%s holds a %s that cannot be used: ", s->path, record_kind_names[record->kind]);
    json_add_string(why, record->key);
    BUF_ADD_LIT(why, " of ");
    json_add_string(why, record->world);
    return ERR_SYNTAX;
}

enum err store_sqlite_load(struct store_sqlite *s, struct buf *why)
{
    const struct store_sqlite_visit visit = {s, restore};

    return store_sqlite_each(s, &visit, why);
}

struct store_port store_sqlite_port(struct store_sqlite *s)
{
    return write_behind_port(&s->behind);
}

enum err store_sqlite_close(struct store_sqlite *s)
{
    enum err e;

    if (s->db == NULL)
        return ERR_OK;
    e = write_behind_flush(&s->behind);
    if (e != ERR_OK)
        log_error("store.lost", "file=%s records=%zu", s->path, batch_count(&s->behind.batch));
    write_behind_clear(&s->behind);
    wheel_cancel(loop_wheel(s->loop), &s->checkpoint);
    close_file(s);
    return e;
}
