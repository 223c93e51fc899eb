/* Before SQLite sees a file, its head is read by hand (https://www.sqlite.org/fileformat2.html
 * section 1.3): SQLite itself would touch what it opens. */
#include "world/io/store_sqlite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 100, HEAD_VERSION = 60, HEAD_APPLICATION = 68, FILE_MODE = 0600 };

static const char *const move_away = "nothing was changed; move it away to start with an empty one";

/* path + suffix; the caller frees it. */
static char *path_with(const char *path, const char *suffix)
{
    struct buf text = {0};

    buf_addf(&text, "%s%s", path, suffix);
    buf_add_char(&text, '\0');
    return text.data;
}

static enum err sqlite_failed(struct buf *why, const char *path, const char *what, sqlite3 *db)
{
    buf_addf(why, "%s %s: %s", path, what, sqlite3_errmsg(db));
    return ERR_IO;
}

/* ---- what lies there */

static uint32_t head_number(const char *head, size_t at)
{
    const unsigned char *b = (const unsigned char *)head + at;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static enum err refuse_newer(struct buf *why, const char *path, int64_t version,
                             const struct store_schema *schema)
{
    buf_addf(why, "%s has schema version %lld, this program knows up to %d; nothing was changed",
             path, (long long)version, schema->version);
    return ERR_SYNTAX;
}

static enum err check_head(const char *path, const char *head, ssize_t len,
                           const struct store_schema *schema, struct buf *why)
{
    static const char magic[] = "SQLite format 3"; /* with its NUL */

    if (len < HEAD_BYTES || memcmp(head, magic, sizeof(magic)) != 0) {
        buf_addf(why, "%s is not a database, or is damaged; %s", path, move_away);
        return ERR_SYNTAX;
    }
    if (head_number(head, HEAD_APPLICATION) != STORE_APPLICATION_ID) {
        buf_addf(why, "%s is the database of another program; %s", path, move_away);
        return ERR_SYNTAX;
    }
    if (head_number(head, HEAD_VERSION) > (uint32_t)schema->version)
        return refuse_newer(why, path, head_number(head, HEAD_VERSION), schema);
    return ERR_OK;
}

/* ERR_MISSING: there is nothing. */
static enum err look(const char *path, const struct store_schema *schema, struct buf *why)
{
    char head[HEAD_BYTES];
    ssize_t len;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return ERR_MISSING;
    if (fd < 0) {
        buf_addf(why, "%s cannot be read: %s", path, strerror(errno));
        return ERR_IO;
    }
    len = read(fd, head, sizeof(head));
    (void)close(fd);
    return check_head(path, head, len, schema, why);
}

/* ---- opening and making */

static enum err run(sqlite3 *db, const char *path, const char *sql, struct buf *why)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return ERR_OK;
    return sqlite_failed(why, path, "cannot be used", db);
}

static enum err open_db(sqlite3 **db, const char *path, struct buf *why)
{
    enum err e;

    if (sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        e = sqlite_failed(why, path, "cannot be opened", *db);
        (void)sqlite3_close(*db);
        *db = NULL;
        return e;
    }
    /* Until it is known to be good, closing it must not write to it. */
    (void)sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return run(*db, path, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY", why);
}

/* An empty file for SQLite to fill, so that nobody else can ever read it. */
static enum err make_empty(const char *path, struct buf *why)
{
    int fd;

    (void)unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (fd < 0) {
        buf_addf(why, "%s cannot be made: %s", path, strerror(errno));
        return ERR_IO;
    }
    (void)close(fd);
    return ERR_OK;
}

static enum err move(const char *from, const char *to, struct buf *why)
{
    if (rename(from, to) == 0)
        return ERR_OK;
    buf_addf(why, "%s cannot be made: %s", to, strerror(errno));
    return ERR_IO;
}

static enum err fill(const char *path, const struct store_schema *schema, struct buf *why)
{
    struct buf sql = {0};
    sqlite3 *db = NULL;
    enum err e = open_db(&db, path, why);

    buf_addf(&sql,
             "BEGIN; PRAGMA application_id=%d; PRAGMA user_version=%d;"
             "%s COMMIT",
             STORE_APPLICATION_ID, schema->version, schema->create);
    buf_add_char(&sql, '\0');
    if (e == ERR_OK)
        e = run(db, path, sql.data, why);
    store_sqlite_file_close(db);
    buf_clear(&sql);
    return e;
}

/* Made beside its place and put there whole, so that no half-made file is ever found. */
static enum err make(const char *path, const struct store_schema *schema, struct buf *why)
{
    char *fresh = path_with(path, ".new"), *log = path_with(path, "-wal");
    struct stat at;
    enum err e = ERR_IO;

    if (stat(log, &at) == 0 && at.st_size > 0) {
        buf_addf(why, "%s is missing, but the log that belongs to it is there: %s", path, log);
        goto out;
    }
    e = make_empty(fresh, why);
    if (e == ERR_OK)
        e = fill(fresh, schema, why);
    if (e == ERR_OK)
        e = move(fresh, path, why);
out:
    free(fresh);
    free(log);
    return e;
}

/* ---- checking */

/* The first column of the first row. */
static bool ask(sqlite3 *db, const char *sql, struct buf *text, int64_t *number)
{
    sqlite3_stmt *row = NULL;
    bool found =
        sqlite3_prepare_v2(db, sql, -1, &row, NULL) == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW;

    if (found && text != NULL)
        buf_add(text, sqlite3_column_text(row, 0), (size_t)sqlite3_column_bytes(row, 0));
    if (found && number != NULL)
        *number = sqlite3_column_int64(row, 0);
    (void)sqlite3_finalize(row);
    return found;
}

static enum err check(sqlite3 *db, const char *path, const struct store_schema *schema,
                      int64_t *version, struct buf *why)
{
    struct buf verdict = {0};
    enum err e = ERR_OK;

    if (!ask(db, "PRAGMA quick_check(1)", &verdict, NULL)) {
        buf_addf(why, "%s is damaged: %s; %s", path, sqlite3_errmsg(db), move_away);
        e = ERR_SYNTAX;
    } else if (!span_eq(buf_span(&verdict), SPAN("ok"))) {
        buf_addf(why, "%s is damaged: %.*s; %s", path, SPAN_ARG(buf_span(&verdict)), move_away);
        e = ERR_SYNTAX;
    } else if (!ask(db, "PRAGMA user_version", NULL, version)) {
        e = sqlite_failed(why, path, "has no version", db);
    } else if (*version > schema->version) {
        e = refuse_newer(why, path, *version, schema); /* its head was not written back yet */
    } else if (*version < 1) {
        buf_addf(why, "%s has no schema version; %s", path, move_away);
        e = ERR_SYNTAX;
    }
    buf_clear(&verdict);
    return e;
}

/* A new file is not in this mode yet: all of it had to be in one file while it was moved. */
static enum err use_log(sqlite3 *db, const char *path, struct buf *why)
{
    struct buf mode = {0};
    enum err e = ERR_OK;

    if (!ask(db, "PRAGMA journal_mode=WAL", &mode, NULL) || !span_eq(buf_span(&mode), SPAN("wal")))
        e = sqlite_failed(why, path, "cannot have a write-ahead log", db);
    buf_clear(&mode);
    return e;
}

/* ---- bringing up to date */

static enum err copy_pages(sqlite3 *from, const char *path, struct buf *why)
{
    sqlite3 *to = NULL;
    sqlite3_backup *backup;
    enum err e = open_db(&to, path, why);

    if (e != ERR_OK)
        goto out;
    backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup != NULL)
        (void)sqlite3_backup_step(backup, -1);
    if (backup == NULL || sqlite3_backup_finish(backup) != SQLITE_OK)
        e = sqlite_failed(why, path, "cannot be written", to);
out:
    store_sqlite_file_close(to);
    return e;
}

static enum err back_up(sqlite3 *db, const char *path, int64_t version, struct buf *why)
{
    char suffix[32];
    char *copy, *half;
    enum err e;

    (void)snprintf(suffix, sizeof(suffix), ".v%lld.bak", (long long)version);
    copy = path_with(path, suffix);
    half = path_with(copy, ".new");
    e = make_empty(half, why);
    if (e == ERR_OK)
        e = copy_pages(db, half, why);
    if (e == ERR_OK)
        e = move(half, copy, why);
    free(copy);
    free(half);
    return e;
}

static enum err migrate(sqlite3 *db, const char *path, const struct store_schema *schema,
                        int64_t version, struct buf *why)
{
    struct buf end = {0};
    enum err e = version == schema->version ? ERR_OK : back_up(db, path, version, why);

    if (e != ERR_OK || version == schema->version)
        return e;
    buf_addf(&end, "PRAGMA user_version=%d; COMMIT", schema->version);
    buf_add_char(&end, '\0');
    e = run(db, path, "BEGIN EXCLUSIVE", why);
    for (int64_t v = version; e == ERR_OK && v < schema->version; v++)
        e = run(db, path, schema->steps[v - 1], why);
    if (e == ERR_OK)
        e = run(db, path, end.data, why);
    if (e != ERR_OK) {
        buf_addf(why, " (on the way from version %lld to %d)", (long long)version, schema->version);
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    buf_clear(&end);
    return e;
}

/* ---- */

enum err store_sqlite_file_open(struct sqlite3 **db, const char *path,
                                const struct store_schema *schema, struct buf *why)
{
    int64_t version = 0;
    enum err e = look(path, schema, why);

    *db = NULL;
    if (e == ERR_MISSING)
        e = make(path, schema, why);
    if (e == ERR_OK)
        e = open_db(db, path, why);
    if (e == ERR_OK)
        e = check(*db, path, schema, &version, why);
    if (e == ERR_OK)
        e = use_log(*db, path, why);
    if (e == ERR_OK)
        e = migrate(*db, path, schema, version, why);
    if (e == ERR_OK) {
        (void)sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
        return ERR_OK;
    }
    (void)sqlite3_close(*db);
    *db = NULL;
    return e;
}

void store_sqlite_file_close(struct sqlite3 *db)
{
    if (db == NULL)
        return;
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    (void)sqlite3_close(db);
}
