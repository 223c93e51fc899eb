#include "world/io/store_sqlite.h"

#include <errno.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "tests/unit/world/core/recorder.h"

enum { PATH_MAX_HERE = 256, FILE_MAX = 16 << 20, BALLAST = 3584 << 10 };

#define ROOM(name)                                                                                 \
    "{\"name\":\"" name "\",\"balancingStrategy\":\"random\",\"public\":true,"                     \
    "\"maxPlayersPerShard\":5,\"minShards\":1}"

/* ---- a folder for each test */

static char folder[PATH_MAX_HERE];
static char data[PATH_MAX_HERE]; /* DATA_DIR; not made yet */
static char file[PATH_MAX_HERE]; /* world.db in it */

static int make_folder(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    (void)snprintf(folder, sizeof(folder), "%s/terrane-store-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    assert_non_null(mkdtemp(folder));
    (void)snprintf(data, sizeof(data), "%.200s/data", folder);
    (void)snprintf(file, sizeof(file), "%.200s/data/world.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"world.db", "world.db-wal", "world.db.v1.bak",
                                        "world.db.new", "fill"};
    char path[PATH_MAX_HERE + 32];

    (void)state;
    (void)umount2(data, MNT_DETACH); /* what a failed test has left */
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", data, names[i]);
        (void)unlink(path);
    }
    assert_true(rmdir(data) == 0 || errno == ENOENT);
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

static void write_file(const char *path, struct span content)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(content.ptr, 1, content.len, f), content.len);
    assert_int_equal(fclose(f), 0);
}

static struct buf content_of(const char *path)
{
    struct buf out = {0};

    assert_int_equal(file_read(path, FILE_MAX, &out), ERR_OK);
    return out;
}

/* ---- a core on the store */

struct rig {
    struct recorder *r;
    struct loop *loop;
    struct store_sqlite store;
    struct buf why;
};

static enum err rig_open(struct rig *rig, const struct store_schema *schema)
{
    struct store_sqlite_settings settings = {.dir = data, .schema = schema};
    enum err e;

    *rig = (struct rig){.r = recorder_new(), .loop = loop_new()};
    rig->r->hold = true;
    e = store_sqlite_open(&rig->store, rig->loop, &rig->r->core, &settings, &rig->why);
    if (e == ERR_OK) {
        rig->r->core.registry.id_floor_ms = rig->store.id_floor_ms;
        e = store_sqlite_load(&rig->store, &rig->why);
    }
    if (e == ERR_OK)
        rig->r->port.store = store_sqlite_port(&rig->store);
    buf_add_char(&rig->why, '\0');
    return e;
}

static enum err rig_close(struct rig *rig)
{
    enum err e = store_sqlite_close(&rig->store);

    recorder_free(rig->r);
    loop_free(rig->loop);
    buf_clear(&rig->why);
    return e;
}

/* Opens it or fails. */
static void rig_start(struct rig *rig)
{
    if (rig_open(rig, &store_schema) != ERR_OK)
        fail_msg("%s", rig->why.data);
}

static void rig_settle(struct rig *rig)
{
    write_behind_port(&rig->store.behind).sync(&rig->store.behind, SPAN("world-a"), 0);
    assert_int_equal(write_behind_flush(&rig->store.behind), ERR_OK);
}

static void put(struct rig *rig, const char *key, const char *value)
{
    struct store_port port = store_sqlite_port(&rig->store);
    struct record record = {RECORD_ROOM, SPAN("world-a"), span_str(key), span_str(value)};

    port.put(port.ctx, &record);
}

/* A statement on the open handle. */
static void tell(struct rig *rig, const char *sql)
{
    char *why = NULL;

    if (sqlite3_exec(rig->store.db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
}

static const struct world *world_of(const struct rig *rig)
{
    return registry_world(&rig->r->core.registry, SPAN("world-a"));
}

/* ---- what is kept */

static void a_registry_survives(void **state)
{
    struct rig rig;
    char id[128];

    (void)state;
    rig_start(&rig);
    (void)recorder_post(rig.r, "/register-room", ROOM("b"));
    (void)recorder_post(rig.r, "/register-room", ROOM("a\\u0000z"));
    (void)recorder_post(rig.r, "/register-room", ROOM("a"));
    (void)recorder_post(rig.r, "/scale-room", "{\"roomId\":\"b\",\"targetShardCount\":3}");
    rig_settle(&rig);
    (void)recorder_post(rig.r, "/scale-room", "{\"roomId\":\"b\",\"targetShardCount\":2}");
    (void)recorder_post(rig.r, "/register-room", ROOM("b")); /* keeps its place */
    (void)snprintf(id, sizeof(id), "%.*s",
                   SPAN_ARG(recorder_shard(world_room(world_of(&rig), SPAN("b")), 1)->id));
    assert_int_equal(rig_close(&rig), ERR_OK);

    rig_start(&rig);
    assert_int_equal(rig.r->core.registry.room_count, 3);
    assert_int_equal(rig.r->core.registry.shard_count, 4);
    struct room *first = CONTAINER_OF(list_first(&world_of(&rig)->room_list), struct room, node);
    assert_true(span_eq(first->name, SPAN("b")));
    assert_int_equal(room_shards(first), 2);
    assert_true(span_eq(recorder_shard(first, 1)->id, span_str(id)));
    assert_non_null(world_room(world_of(&rig), SPAN("a\0z")));
    assert_int_equal(rig_close(&rig), ERR_OK);
}

static void order_of_creation_survives_updates(void **state)
{
#define VALUE(n)                                                                                   \
    "{\"balancingStrategy\":\"random\",\"public\":true,\"maxPlayersPerShard\":" n                  \
    ",\"minShards\":0}"
    static const char *const names[] = {"c", "a", "b"};
    struct store_port port;
    struct rig rig;

    (void)state;
    rig_start(&rig);
    port = store_sqlite_port(&rig.store);
    put(&rig, "b", VALUE("1"));
    put(&rig, "c", VALUE("1"));
    rig_settle(&rig);
    put(&rig, "a", VALUE("1"));
    put(&rig, "c", VALUE("2"));
    port.remove(port.ctx, RECORD_ROOM, SPAN("world-a"), SPAN("b"));
    put(&rig, "b", VALUE("3"));
    rig_settle(&rig);
    assert_int_equal(rig_close(&rig), ERR_OK);

    rig_start(&rig);
    struct list *it = list_first(&world_of(&rig)->room_list);
    for (size_t i = 0; i < 3; i++, it = it->next) {
        const struct room *room = CONTAINER_OF(it, struct room, node);
        assert_true(span_eq(room->name, span_str(names[i])));
    }
    assert_int_equal(world_room(world_of(&rig), SPAN("c"))->settings.max_players, 2);
    assert_int_equal(rig_close(&rig), ERR_OK);
}

static void epochs_rise_and_ids_stay_behind_the_last_commit(void **state)
{
    struct rig rig;
    int64_t epoch, before = clock_wall_ms();

    (void)state;
    rig_start(&rig);
    epoch = rig.store.epoch;
    put(&rig, "a", VALUE("1"));
    rig_settle(&rig);
    tell(&rig, "UPDATE meta SET value = value + 3600000 WHERE name = 'epoch'");
    assert_int_equal(rig_close(&rig), ERR_OK);
    rig_start(&rig);
    assert_int_equal(rig.store.epoch, epoch + 3600001);
    assert_true(rig.store.id_floor_ms >= before);
    tell(&rig, "UPDATE meta SET value = value + 3600000 WHERE name = 'clock'");
    assert_int_equal(rig_close(&rig), ERR_OK);
    rig_start(&rig);
    assert_true(rig.store.id_floor_ms > before + 3600000);
    assert_int_equal(rig_close(&rig), ERR_OK);
}

static void folder_and_file_are_their_owners(void **state)
{
    struct rig rig;
    char log[PATH_MAX_HERE + 8];
    struct stat at;

    (void)state;
    rig_start(&rig);
    put(&rig, "a", VALUE("1"));
    rig_settle(&rig);
    assert_int_equal(stat(data, &at), 0);
    assert_int_equal(at.st_mode & 0777, 0700);
    assert_int_equal(stat(file, &at), 0);
    assert_int_equal(at.st_mode & 0777, 0600);
    (void)snprintf(log, sizeof(log), "%s-wal", file);
    assert_int_equal(stat(log, &at), 0);
    assert_int_equal(at.st_mode & 0777, 0600);
    assert_int_equal(rig_close(&rig), ERR_OK);
}

static void a_folder_has_one_world(void **state)
{
    struct rig rig, other;

    (void)state;
    rig_start(&rig);
    assert_int_equal(rig_open(&other, &store_schema), ERR_DENIED);
    assert_non_null(strstr(other.why.data, "in use by another world process"));
    assert_int_equal(rig_close(&other), ERR_OK);
    assert_int_equal(rig_close(&rig), ERR_OK);
    rig_start(&rig);
    assert_int_equal(rig_close(&rig), ERR_OK);
}

/* ---- what is refused */

static void assert_refused(const char *says)
{
    struct buf before = content_of(file), after;
    struct rig rig;
    enum err e = rig_open(&rig, &store_schema);

    if (e == ERR_OK || strstr(rig.why.data, says) == NULL ||
        strstr(rig.why.data, "world.db") == NULL)
        fail_msg("wanted \"%s\", got: %s", says, rig.why.data);
    (void)rig_close(&rig);
    after = content_of(file);
    assert_true(span_eq(buf_span(&before), buf_span(&after)));
    buf_clear(&before);
    buf_clear(&after);
}

static void files_of_others_are_left_alone(void **state)
{
    static const struct {
        const char *sql, *says;
    } rows[] = {
        {"PRAGMA application_id=7", "another program"},
        {"PRAGMA user_version=99", "schema version 99"},
        {"PRAGMA user_version=0", "no schema version"},
        {"PRAGMA application_id=0; CREATE TABLE mine(x)", "another program"},
        {"DROP TABLE records", "no such table"},
        {"INSERT INTO records VALUES('room', 'world-a', 'k', 1, '{\"half')", "room that cannot be"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig rig;
        rig_start(&rig);
        tell(&rig, rows[i].sql);
        assert_int_equal(rig_close(&rig), ERR_OK);
        struct buf good = content_of(file);
        if (i < 4)
            assert_refused(rows[i].says);
        else {
            enum err e = rig_open(&rig, &store_schema);
            if (e == ERR_OK || strstr(rig.why.data, rows[i].says) == NULL)
                fail_msg("wanted \"%s\", got: %s", rows[i].says, rig.why.data);
            (void)rig_close(&rig);
        }
        buf_clear(&good);
        assert_int_equal(unlink(file), 0);
    }
}

static void what_is_no_database_is_left_alone(void **state)
{
    static const struct span rows[] = {
        SPAN_INIT(""),
        SPAN_INIT("a letter to my aunt"),
        SPAN_INIT("SQLite format 3"),
    };

    (void)state;
    assert_int_equal(mkdir(data, 0700), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_file(file, rows[i]);
        assert_refused("not a database");
    }
}

static void a_damaged_file_is_left_alone(void **state)
{
    struct rig rig;
    struct buf whole, broken = {0};

    (void)state;
    rig_start(&rig);
    for (int n = 0; n < 500; n++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "room-%d", n);
        put(&rig, key, VALUE("1"));
    }
    rig_settle(&rig);
    assert_int_equal(rig_close(&rig), ERR_OK);
    whole = content_of(file);
    for (int kind = 0; kind < 2; kind++) {
        buf_reset(&broken);
        buf_add_span(&broken, buf_span(&whole));
        if (kind == 0)
            memset(broken.data + broken.len / 2, 0xa5, 4096);
        else
            broken.len = broken.len / 2; /* cut off */
        write_file(file, buf_span(&broken));
        assert_refused("damaged");
    }
    buf_clear(&whole);
    buf_clear(&broken);
}

static void a_log_without_its_file_is_not_taken_for_a_new_start(void **state)
{
    char log[PATH_MAX_HERE + 8];
    struct rig rig;

    (void)state;
    assert_int_equal(mkdir(data, 0700), 0);
    (void)snprintf(log, sizeof(log), "%s-wal", file);
    write_file(log, SPAN("changes"));
    assert_int_equal(rig_open(&rig, &store_schema), ERR_IO);
    assert_non_null(strstr(rig.why.data, "is missing"));
    (void)rig_close(&rig);
    assert_int_equal(access(file, F_OK), -1);
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    struct rig rig;

    (void)state;
    (void)snprintf(data, sizeof(data), "%.200s/no/such", folder);
    assert_int_equal(rig_open(&rig, &store_schema), ERR_IO);
    assert_non_null(strstr(rig.why.data, "/no/such cannot be made"));
    (void)rig_close(&rig);
}

/* ---- newer versions of us */

static const struct store_schema next_schema = {
    .version = 3,
    .create = "",
    .steps =
        (const char *const[]){
            "UPDATE records SET value = replace(value, ':1,', ':2,');",
            "ALTER TABLE records ADD COLUMN note TEXT; UPDATE records SET note = 'moved';",
        },
};
static const struct store_schema broken_schema = {
    .version = 3,
    .create = "",
    .steps = (const char *const[]){"UPDATE records SET value = '';", "NO SUCH THING;"},
};

static void an_older_file_is_copied_and_brought_up_to_date(void **state)
{
    struct rig rig;
    char copy[PATH_MAX_HERE + 16];

    (void)state;
    rig_start(&rig);
    put(&rig, "a", VALUE("1"));
    rig_settle(&rig);
    assert_int_equal(rig_close(&rig), ERR_OK);

    assert_int_equal(rig_open(&rig, &next_schema), ERR_OK);
    assert_int_equal(world_room(world_of(&rig), SPAN("a"))->settings.max_players, 2);
    put(&rig, "b", VALUE("1"));
    rig_settle(&rig);
    assert_int_equal(rig_close(&rig), ERR_OK);
    assert_refused("schema version 3");

    (void)snprintf(copy, sizeof(copy), "%s.v1.bak", file);
    assert_int_equal(rename(copy, file), 0);
    rig_start(&rig);
    assert_int_equal(world_room(world_of(&rig), SPAN("a"))->settings.max_players, 1);
    assert_int_equal(rig.r->core.registry.room_count, 1);
    assert_int_equal(rig_close(&rig), ERR_OK);
}

static void a_step_that_fails_changes_nothing(void **state)
{
    struct rig rig;

    (void)state;
    rig_start(&rig);
    put(&rig, "a", VALUE("1"));
    rig_settle(&rig);
    assert_int_equal(rig_close(&rig), ERR_OK);
    assert_int_equal(rig_open(&rig, &broken_schema), ERR_IO);
    assert_non_null(strstr(rig.why.data, "from version 1 to 3"));
    (void)rig_close(&rig);
    rig_start(&rig);
    assert_int_equal(world_room(world_of(&rig), SPAN("a"))->settings.max_players, 1);
    assert_int_equal(rig_close(&rig), ERR_OK);
}

/* ---- full disks */

static void turn_until_stored(struct rig *rig)
{
    int64_t deadline = clock_mono_ms() + 8000;

    while (rig->store.behind.stats.failing || rig->store.behind.stats.pending > 0) {
        assert_true(clock_mono_ms() < deadline);
        loop_turn(rig->loop, 20);
    }
}

/* Registers rooms until one is answered 507; at most `max`. */
static void fill_up(struct rig *rig, int max)
{
    char body[4096];

    for (int n = 0; !rig->store.behind.stats.failing; n++) {
        assert_true(n < max);
        (void)snprintf(body, sizeof(body), ROOM("%03500d"), n);
        assert_int_equal(recorder_post(rig->r, "/register-room", body), 0);
        enum err e = write_behind_flush(&rig->store.behind);
        assert_int_equal(e == ERR_IO, rig->store.behind.stats.failing);
    }
    assert_int_equal(recorder_last(rig->r)->status, 507);
    assert_string_equal(recorder_last(rig->r)->body,
                        "{\"error\":\"The change could not be stored\"}");
    assert_int_equal(recorder_post(rig->r, "/connect", "{\"roomId\":\"new\"}"), 200);
    assert_true(rig->store.behind.stats.pending > 0);
}

/* Everything that is in the registry is in the file. */
static void assert_all_kept(struct rig *rig)
{
    size_t rooms = rig->r->core.registry.room_count, shards = rig->r->core.registry.shard_count;

    assert_int_equal(rig_close(rig), ERR_OK);
    rig_start(rig);
    assert_int_equal(rig->r->core.registry.room_count, rooms);
    assert_int_equal(rig->r->core.registry.shard_count, shards);
    assert_int_equal(rig_close(rig), ERR_OK);
}

static void a_full_file_keeps_changes_until_there_is_room(void **state)
{
    struct rig rig;

    (void)state;
    rig_start(&rig);
    tell(&rig, "PRAGMA max_page_count=20");
    fill_up(&rig, 100);
    tell(&rig, "PRAGMA max_page_count=100000");
    turn_until_stored(&rig);
    assert_all_kept(&rig);
}

/* A disk of that size as DATA_DIR; skips the test where that is not permitted. */
static void mount_disk(const char *options)
{
    assert_int_equal(mkdir(data, 0700), 0);
    if (mount("terrane-test", data, "tmpfs", 0, options) == 0)
        return;
    print_message("a tmpfs cannot be mounted here (%s)\n", strerror(errno));
    skip();
}

static void a_disk_without_room_gets_no_half_made_file(void **state)
{
    struct rig rig;

    (void)state;
    mount_disk("size=8k,mode=0700");
    assert_int_not_equal(rig_open(&rig, &store_schema), ERR_OK);
    assert_non_null(strstr(rig.why.data, "full"));
    (void)rig_close(&rig);
    assert_int_equal(access(file, F_OK), -1);
    assert_int_equal(umount(data), 0);
}

static void a_full_disk_keeps_changes_until_there_is_room(void **state)
{
    char ballast[PATH_MAX_HERE + 8];
    struct rig rig;

    (void)state;
    mount_disk("size=4m,mode=0700");
    (void)snprintf(ballast, sizeof(ballast), "%s/fill", data);
    struct buf zeros = {0};
    memset(buf_reserve(&zeros, BALLAST), 0, BALLAST);
    zeros.len = BALLAST;
    write_file(ballast, buf_span(&zeros));
    buf_clear(&zeros);
    rig_start(&rig);
    fill_up(&rig, 200);
    assert_int_equal(unlink(ballast), 0);
    turn_until_stored(&rig);
    assert_all_kept(&rig);
    assert_int_equal(umount(data), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(a_registry_survives),
        TEST(order_of_creation_survives_updates),
        TEST(epochs_rise_and_ids_stay_behind_the_last_commit),
        TEST(folder_and_file_are_their_owners),
        TEST(a_folder_has_one_world),
        TEST(files_of_others_are_left_alone),
        TEST(what_is_no_database_is_left_alone),
        TEST(a_damaged_file_is_left_alone),
        TEST(a_log_without_its_file_is_not_taken_for_a_new_start),
        TEST(a_folder_that_cannot_be_made_is_named),
        TEST(an_older_file_is_copied_and_brought_up_to_date),
        TEST(a_step_that_fails_changes_nothing),
        TEST(a_full_file_keeps_changes_until_there_is_room),
        TEST(a_disk_without_room_gets_no_half_made_file),
        TEST(a_full_disk_keeps_changes_until_there_is_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
