#include "world/core/feed/feed.h"

#include "tests/unit/world/core/recorder.h"

#include "common/base/json.h"

static const struct credentials token = {.authorization = {TOKEN_ALL, sizeof(TOKEN_ALL) - 1}};

static enum feed_verdict open_as(struct recorder *r, uint32_t socket, const char *path,
                                 const struct credentials *c, bool names_shard,
                                 struct handle *admin)
{
    struct feed_request request = {
        .socket = {.slot = socket, .gen = 1},
        .path = span_str(path),
        .credentials = *c,
        .names_shard = names_shard,
    };

    return core_feed_open(&r->core, &request, admin, r->now);
}

static struct handle join(struct recorder *r, uint32_t socket)
{
    struct handle admin = {0};

    assert_int_equal(open_as(r, socket, "/parties/world/world-a", &token, false, &admin),
                     FEED_ADMIN);
    return admin;
}

/* Appends what `text` begins with, made short, and cuts it off: the socket's own id, the ids of the
 * room's shards by order of creation, times. */
static void add_short(struct buf *out, struct span *text, const struct room *room)
{
    struct span id, pid = SPAN("\"pId\":\"");

    if (span_starts(*text, pid)) {
        BUF_ADD_LIT(out, "\"pId\":\"P");
        *text = span_slice(*text, pid.len + FEED_ID_LEN, text->len);
        return;
    }
    if (span_starts(*text, SPAN("17600"))) {
        buf_add_char(out, 'T');
        *text = span_slice(*text, 13, text->len);
        return;
    }
    for (unsigned n = 0; room != NULL && n < room_shards(room); n++) {
        id = recorder_shard(room, n)->id;
        if (span_starts(*text, id)) {
            buf_addf(out, "ID%u", n);
            *text = span_slice(*text, id.len, text->len);
            return;
        }
    }
    buf_add_char(out, *text->ptr);
    *text = span_slice(*text, 1, text->len);
}

/* The values of the frames since the last call, one a line: ID0, ID1 … are the room's shards, P the
 * socket's own id, T a time. */
static void assert_frames(struct recorder *r, const struct room *room, const char *want)
{
    struct buf got = {0};

    for (size_t i = 0; i < r->frame_count; i++) {
        struct span text = span_str(r->frames[i].text);
        struct span head = SPAN("{\"type\":\"sync\",\"value\":");
        assert_true(span_starts(text, head));
        text = span_slice(text, head.len, text.len - 1);
        while (text.len > 0)
            add_short(&got, &text, room);
        buf_add_char(&got, '\n');
    }
    buf_add_char(&got, '\0');
    assert_string_equal(got.data, want);
    buf_clear(&got);
    r->frame_count = 0;
}

static void a_new_admin_is_sent_everything(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    join(r, 1);
    assert_frames(r, NULL, "{\"pId\":\"P\",\"rooms\":{},\"shards\":{}}\n");

    struct room *room = recorder_room(r, "r", 1, NULL);
    recorder_room(r, "a.b", 0, "random");
    assert_int_equal(recorder_post(r, "/register-room",
                                   "{\"name\":\"a.b\",\"balancingStrategy\":\"random\",\"public\":"
                                   "false,\"maxPlayersPerShard\":9,\"minShards\":0,"
                                   "\"maxShards\":4}"),
                     200);
    recorder_pass(r, 600);
    r->frame_count = 0;
    join(r, 2);
    assert_frames(r, room,
                  "{\"pId\":\"P\",\"rooms\":{\"r\":{\"name\":\"r\","
                  "\"balancingStrategy\":\"round-robin\",\"public\":true,"
                  "\"maxPlayersPerShard\":10,\"minShards\":1},\"a.b\":{\"name\":"
                  "\"a.b\",\"balancingStrategy\":\"random\",\"public\":false,"
                  "\"maxPlayersPerShard\":9,\"minShards\":0,\"maxShards\":4}},\"shards\":{\"ID0\":{"
                  "\"roomId\":\"r\",\"worldId\":\"world-a\",\"url\":\"ID0\","
                  "\"currentConnections\":0,\"maxConnections\":10,\"status\":\"active\","
                  "\"lastHeartbeat\":T}}}\n");
    recorder_free(r);
}

static void the_first_field_goes_at_once_the_rest_after_the_throttle(void **state)
{
    struct recorder *r = recorder_new();

    (void)state;
    join(r, 1);
    r->frame_count = 0;
    struct room *room = recorder_room(r, "r", 1, NULL);
    assert_frames(r, room, "{\"rooms\":{\"r\":{\"name\":\"r\"}}}\n");
    recorder_pass(r, 499);
    assert_frames(r, room, "");
    recorder_pass(r, 1);
    assert_frames(r, room,
                  "{\"rooms\":{\"r\":{\"balancingStrategy\":\"round-robin\",\"public\":true,"
                  "\"maxPlayersPerShard\":10,\"minShards\":1}},\"shards\":{\"ID0\":{\"roomId\":"
                  "\"r\",\"worldId\":\"world-a\",\"url\":\"ID0\",\"currentConnections\":0,"
                  "\"maxConnections\":10,\"status\":\"active\",\"lastHeartbeat\":T}}}\n");
    /* Quiet again: the next change is immediate. */
    struct span id = recorder_shard(room, 0)->id;
    recorder_pass(r, 1);
    recorder_report(r, id, 5, NULL);
    assert_frames(r, room, "{\"shards\":{\"ID0\":{\"currentConnections\":5}}}\n");
    recorder_report(r, id, 6, "maintenance");
    recorder_report(r, id, 7, NULL);
    recorder_pass(r, 500);
    assert_frames(r, room,
                  "{\"shards\":{\"ID0\":{\"currentConnections\":7,\"status\":\"maintenance\","
                  "\"lastHeartbeat\":T}}}\n");
    /* The same count again shows by its heartbeat alone. */
    recorder_report(r, id, 7, NULL);
    assert_frames(r, room, "{\"shards\":{\"ID0\":{\"lastHeartbeat\":T}}}\n");
    recorder_pass(r, 500);
    assert_frames(r, room, "");
    recorder_free(r);
}

static void changed_settings_are_told_field_by_field(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 1, NULL);

    (void)state;
    join(r, 1);
    r->frame_count = 0;
    assert_int_equal(recorder_post(r, "/register-room",
                                   "{\"name\":\"r\",\"balancingStrategy\":\"round-robin\","
                                   "\"public\":false,\"maxPlayersPerShard\":33,\"minShards\":1,"
                                   "\"maxShards\":3}"),
                     200);
    assert_frames(r, room, "{\"rooms\":{\"r\":{\"public\":false}}}\n");
    recorder_pass(r, 500);
    assert_frames(r, room, "{\"rooms\":{\"r\":{\"maxPlayersPerShard\":33,\"maxShards\":3}}}\n");
    /* Taking maxShards away can be seen. */
    recorder_room(r, "r", 1, NULL);
    recorder_pass(r, 500);
    assert_frames(r, room,
                  "{\"rooms\":{\"r\":{\"public\":true}}}\n"
                  "{\"rooms\":{\"r\":{\"maxPlayersPerShard\":10,\"maxShards\":\"$delete\"}}}\n");
    recorder_room(r, "r", 1, NULL);
    recorder_pass(r, 500);
    assert_frames(r, room, "");
    recorder_free(r);
}

static void removed_shards_are_deleted(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 2, NULL);
    struct buf want = {0};
    char gone[64];

    (void)state;
    (void)snprintf(gone, sizeof(gone), "%.*s", SPAN_ARG(recorder_shard(room, 0)->id));
    recorder_report(r, span_str(gone), 3, NULL);
    join(r, 1);
    r->frame_count = 0;
    recorder_pass(r, 1);
    recorder_report(r, span_str(gone), 0, "draining");
    recorder_pass(r, 500);
    assert_int_equal(r->frame_count, 2);
    buf_addf(&want,
             "{\"type\":\"sync\",\"value\":{\"shards\":{\"%s\":{\"currentConnections\":0}}}}",
             gone);
    buf_add_char(&want, '\0');
    assert_string_equal(r->frames[0].text, want.data);
    buf_reset(&want);
    buf_addf(&want, "{\"type\":\"sync\",\"value\":{\"shards\":{\"%s\":\"$delete\"}}}", gone);
    buf_add_char(&want, '\0');
    assert_string_equal(r->frames[1].text, want.data);
    buf_clear(&want);
    recorder_free(r);
}

static void the_sweep_tells_of_all_it_removes(void **state)
{
    struct recorder *r = recorder_new();
    size_t deletes = 0;

    (void)state;
    recorder_room(r, "r", 3, NULL);
    join(r, 1);
    r->frame_count = 0;
    for (int minute = 0; minute < 6; minute++)
        recorder_pass(r, CORE_SWEEP_MS);
    recorder_pass(r, 500);
    assert_int_equal(r->frame_count, 2);
    for (size_t i = 0; i < 2; i++) {
        json_t *frame = json_decode(span_str(r->frames[i].text));
        assert_non_null(frame);
        deletes += json_object_size(json_object_get(json_object_get(frame, "value"), "shards"));
        json_decref(frame);
    }
    assert_int_equal(deletes, 3);
    recorder_free(r);
}

static void one_frame_serves_all_admins_of_a_world(void **state)
{
    struct recorder *r = recorder_new();
    struct handle admin, other = {0};

    (void)state;
    join(r, 1);
    admin = join(r, 2);
    assert_int_equal(open_as(r, 3, "/parties/world/world-b", &token, false, &other), FEED_ADMIN);
    r->frame_count = 0;
    recorder_room(r, "r", 0, NULL);
    assert_int_equal(r->frame_count, 1);
    assert_int_equal(r->frames[0].sockets, 2);
    core_feed_close(&r->core, admin);
    core_feed_close(&r->core, admin); /* a stale handle finds nobody */
    recorder_pass(r, 500);
    assert_int_equal(r->frame_count, 2);
    assert_int_equal(r->frames[1].sockets, 1);
    assert_int_equal(r->frames[1].first, 1);
    recorder_free(r);
}

static void without_admins_nothing_is_rendered_or_kept(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 2, NULL);

    (void)state;
    recorder_report(r, recorder_shard(room, 0)->id, 4, NULL);
    assert_true(list_empty(&r->core.feeds.throttled));
    assert_true(list_empty(&room->world->feed.shards));
    struct handle admin = join(r, 1);
    recorder_report(r, recorder_shard(room, 0)->id, 5, NULL);
    recorder_report(r, recorder_shard(room, 1)->id, 5, NULL);
    core_feed_close(&r->core, admin);
    r->frame_count = 0;
    recorder_pass(r, 500);
    assert_int_equal(r->frame_count, 0);
    assert_true(list_empty(&room->world->feed.shards));
    assert_true(list_empty(&r->core.feeds.throttled));
    recorder_free(r);
}

static void only_those_who_may_are_heard(void **state)
{
    static const struct credentials nobody,
        secret = {.access_count = 1, .access = {SHARD_SECRET, sizeof(SHARD_SECRET) - 1}},
        wrong = {.access_count = 1, .access = {"wrong", 5}},
        own = {.authorization = {TOKEN_A, sizeof(TOKEN_A) - 1}},
        query = {
            .query = {"world-auth-token=" TOKEN_ALL, sizeof("world-auth-token=" TOKEN_ALL) - 1}};
    static const struct {
        const char *path;
        const struct credentials *credentials;
        bool names_shard;
        enum feed_verdict verdict;
        size_t worlds; /* made by it */
    } rows[] = {
        {"/parties/world/world-a", &nobody, false, FEED_SILENT, 0},
        {"/parties/world/world-a", &wrong, false, FEED_SILENT, 0},
        {"/parties/world/world-a", &secret, false, FEED_ADMIN, 1},
        {"/parties/world/world-a/any/thing", &own, false, FEED_ADMIN, 1},
        {"/parties/world/world-b", &own, false, FEED_SILENT, 0},
        {"/parties/world/world-b", &query, false, FEED_ADMIN, 1},
        {"/parties/world/world-a", &query, true, FEED_CLOSE, 0},
        {"/parties/world/world-a", &wrong, true, FEED_CLOSE, 0},
        {"/parties/world/world-a", &secret, true, FEED_ADMIN, 1},
        {"/parties/world/nope", &secret, false, FEED_CLOSE, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct recorder *r = recorder_new();
        struct handle admin = {0};
        enum feed_verdict verdict =
            open_as(r, 1, rows[i].path, rows[i].credentials, rows[i].names_shard, &admin);
        if (verdict != rows[i].verdict)
            fail_msg("row %zu", i);
        assert_int_equal(r->core.registry.world_count, rows[i].worlds);
        assert_int_equal(r->frame_count, rows[i].worlds);
        recorder_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_admin_is_sent_everything),
        cmocka_unit_test(the_first_field_goes_at_once_the_rest_after_the_throttle),
        cmocka_unit_test(changed_settings_are_told_field_by_field),
        cmocka_unit_test(removed_shards_are_deleted),
        cmocka_unit_test(the_sweep_tells_of_all_it_removes),
        cmocka_unit_test(one_frame_serves_all_admins_of_a_world),
        cmocka_unit_test(without_admins_nothing_is_rendered_or_kept),
        cmocka_unit_test(only_those_who_may_are_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
