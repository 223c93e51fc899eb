#include "world/io/write_behind.h"

#include "common/base/clock.h"
#include "tests/unit/world/core/recorder.h"

#define ROOM(name)                                                                                 \
    "{\"name\":\"" name "\",\"balancingStrategy\":\"random\",\"public\":true,"                     \
    "\"maxPlayersPerShard\":5,\"minShards\":1}"

/* A core whose store writes to a target that the test can break. */
struct rig {
    struct recorder *r;
    struct loop *loop;
    struct write_behind behind;
    bool broken;
    bool slow;      /* commits end by write_behind_done */
    size_t flying;  /* records of the one that is under way */
    size_t commits; /* tried */
    size_t written; /* records of those that went well */
    int64_t at_ms[64];
};

static enum err rig_commit(void *ctx, const struct batch *batch)
{
    struct rig *rig = ctx;

    rig->at_ms[rig->commits++ % 64] = loop_now(rig->loop);
    if (rig->broken)
        return ERR_IO;
    if (rig->slow) {
        rig->flying = batch_count(batch);
        return ERR_AGAIN;
    }
    rig->written += batch_count(batch);
    return ERR_OK;
}

static struct rig *rig_new(void)
{
    struct rig *rig = xcalloc(1, sizeof(*rig));
    struct write_target target = {.ctx = rig, .commit = rig_commit};

    rig->r = recorder_new();
    rig->r->hold = true;
    rig->loop = loop_new();
    write_behind_init(&rig->behind, rig->loop, &rig->r->core, &target);
    rig->r->port.store = write_behind_port(&rig->behind);
    return rig;
}

static void rig_free(struct rig *rig)
{
    write_behind_clear(&rig->behind);
    recorder_free(rig->r);
    loop_free(rig->loop);
    free(rig);
}

static void turn_until_answers(struct rig *rig, size_t count)
{
    int64_t deadline = clock_mono_ms() + 5000;

    while (rig->r->answer_count < count) {
        assert_true(clock_mono_ms() < deadline);
        loop_turn(rig->loop, 5);
    }
}

static void a_turns_changes_are_one_commit(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("a")), 0);
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("b")), 0);
    assert_int_equal(rig->commits, 0);
    loop_turn(rig->loop, 0);
    assert_int_equal(rig->commits, 1);
    assert_int_equal(rig->written, 4);
    assert_int_equal(rig->r->answer_count, 2);
    assert_int_equal(recorder_last(rig->r)->status, 200);
    rig_free(rig);
}

static void commits_keep_their_distance(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    for (size_t n = 0; n < 20; n++) {
        assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("a")), 0);
        assert_int_equal(recorder_post(rig->r, "/scale-room",
                                       n % 2 ? "{\"roomId\":\"a\",\"targetShardCount\":1}"
                                             : "{\"roomId\":\"a\",\"targetShardCount\":2}"),
                         0);
        loop_turn(rig->loop, 1);
    }
    turn_until_answers(rig, 40);
    for (size_t n = 1; n < rig->commits; n++)
        assert_true(rig->at_ms[n] - rig->at_ms[n - 1] >= WRITE_BEHIND_GAP_MS);
    assert_int_equal(rig->behind.stats.pending, 0);
    rig_free(rig);
}

static void without_changes_nobody_waits_for_a_commit(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("a")), 0);
    loop_turn(rig->loop, 0);
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("a")), 0);
    assert_int_equal(rig->r->answer_count, 1); /* not inside of the call */
    loop_turn(rig->loop, 0);
    assert_int_equal(rig->r->answer_count, 2);
    assert_int_equal(rig->commits, 1);
    rig_free(rig);
}

static void what_cannot_be_written_waits_and_is_tried_again(void **state)
{
    struct rig *rig = rig_new();
    int64_t deadline = clock_mono_ms() + 5000;

    (void)state;
    rig->broken = true;
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("a")), 0);
    loop_turn(rig->loop, 0);
    assert_int_equal(recorder_last(rig->r)->status, 507);
    assert_int_equal(rig->behind.stats.failing, 1);
    assert_int_equal(rig->behind.stats.errors, 1);
    assert_int_equal(rig->behind.stats.pending, 2);

    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("b")), 0);
    loop_turn(rig->loop, 0);
    assert_int_equal(recorder_last(rig->r)->status, 507);
    assert_int_equal(rig->commits, 1); /* the next try has its time */
    assert_int_equal(recorder_post(rig->r, "/connect", "{\"roomId\":\"b\"}"), 200);

    rig->broken = false;
    while (rig->behind.stats.failing) {
        assert_true(clock_mono_ms() < deadline);
        loop_turn(rig->loop, 20);
    }
    assert_int_equal(rig->written, 4);
    assert_int_equal(rig->behind.stats.pending, 0);
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("b")), 0);
    loop_turn(rig->loop, 0);
    assert_int_equal(recorder_last(rig->r)->status, 200);
    rig_free(rig);
}

/* Until so many commits were tried. */
static void turn_until_commits(struct rig *rig, size_t count)
{
    int64_t deadline = clock_mono_ms() + 5000;

    while (rig->commits < count) {
        assert_true(clock_mono_ms() < deadline);
        loop_turn(rig->loop, 5);
    }
}

static void what_comes_during_a_slow_commit_is_the_next(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    rig->slow = true;
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("a")), 0);
    loop_turn(rig->loop, 0);
    assert_int_equal(rig->flying, 2);
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("b")), 0);
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("b")), 0);
    loop_turn(rig->loop, 2 * WRITE_BEHIND_GAP_MS);
    assert_int_equal(rig->commits, 1);
    assert_int_equal(rig->r->answer_count, 0);
    assert_int_equal(rig->behind.stats.pending, 4);
    assert_int_equal(write_behind_flush(&rig->behind), ERR_AGAIN);

    write_behind_done(&rig->behind, ERR_OK);
    assert_int_equal(rig->r->answer_count, 1);
    assert_int_equal(recorder_last(rig->r)->status, 200);
    assert_false(write_behind_is_idle(&rig->behind));
    turn_until_commits(rig, 2);
    assert_int_equal(rig->flying, 2);
    assert_int_equal(rig->r->answer_count, 1);
    write_behind_done(&rig->behind, ERR_OK);
    assert_int_equal(rig->r->answer_count, 3);
    assert_true(write_behind_is_idle(&rig->behind));
    assert_int_equal(rig->behind.stats.pending, 0);
    rig_free(rig);
}

static void a_sync_without_changes_waits_for_the_commit_under_way(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    rig->slow = true;
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("a")), 0);
    loop_turn(rig->loop, 0);
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("a")), 0);
    loop_turn(rig->loop, 0);
    assert_int_equal(rig->r->answer_count, 0);
    write_behind_done(&rig->behind, ERR_OK);
    assert_int_equal(rig->r->answer_count, 1);
    loop_turn(rig->loop, 0);
    assert_int_equal(rig->r->answer_count, 2);
    assert_int_equal(recorder_last(rig->r)->status, 200);
    assert_int_equal(rig->commits, 1);
    rig_free(rig);
}

static void a_slow_commit_that_fails_is_tried_again_with_what_came_since(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    rig->slow = true;
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("a")), 0);
    loop_turn(rig->loop, 0);
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("b")), 0);
    write_behind_done(&rig->behind, ERR_IO);
    assert_int_equal(rig->r->answer_count, 2);
    assert_int_equal(recorder_last(rig->r)->status, 507);
    assert_int_equal(rig->behind.stats.failing, 1);
    assert_int_equal(rig->behind.stats.pending, 4);

    turn_until_commits(rig, 2);
    assert_int_equal(rig->flying, 4);
    write_behind_done(&rig->behind, ERR_OK);
    assert_int_equal(rig->behind.stats.failing, 0);
    assert_true(write_behind_is_idle(&rig->behind));
    rig_free(rig);
}

static void who_is_patient_outlasts_commits_that_fail(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    rig->behind.target.patience_ms = 60000;
    rig->slow = true;
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("a")), 0);
    loop_turn(rig->loop, 0);
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("b")), 0);
    write_behind_done(&rig->behind, ERR_IO);
    loop_turn(rig->loop, 0);
    assert_int_equal(rig->r->answer_count, 0);

    write_behind_retry(&rig->behind);
    loop_turn(rig->loop, 0);
    assert_int_equal(rig->commits, 2);
    write_behind_done(&rig->behind, ERR_OK);
    assert_int_equal(rig->r->answer_count, 2);
    assert_int_equal(recorder_last(rig->r)->status, 200);
    rig_free(rig);
}

static void patience_ends(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    rig->behind.target.patience_ms = 20;
    rig->broken = true;
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("a")), 0);
    loop_turn(rig->loop, 0);
    assert_int_equal(rig->commits, 1);
    assert_int_equal(rig->r->answer_count, 0);
    turn_until_answers(rig, 1);
    assert_int_equal(recorder_last(rig->r)->status, 507);
    assert_int_equal(rig->behind.stats.failing, 1);
    rig_free(rig);
}

static void what_is_lost_is_not_tried_again(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    rig->slow = true;
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("a")), 0);
    loop_turn(rig->loop, 0);
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("b")), 0);
    write_behind_done(&rig->behind, ERR_DENIED);
    assert_int_equal(rig->r->answer_count + rig->r->pass_count, 2);
    assert_true(write_behind_is_idle(&rig->behind));
    assert_int_equal(rig->behind.stats.pending, 0);
    loop_turn(rig->loop, 2 * WRITE_BEHIND_GAP_MS);
    assert_int_equal(rig->commits, 1);

    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("c")), 0);
    turn_until_commits(rig, 2);
    write_behind_drop(&rig->behind, ERR_DENIED);
    assert_int_equal(rig->r->answer_count + rig->r->pass_count, 3);
    rig_free(rig);
}

static void a_flush_does_not_wait(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("a")), 0);
    assert_int_equal(write_behind_flush(&rig->behind), ERR_OK);
    assert_int_equal(recorder_post(rig->r, "/register-room", ROOM("b")), 0);
    rig->broken = true;
    assert_int_equal(write_behind_flush(&rig->behind), ERR_IO);
    assert_int_equal(recorder_last(rig->r)->status, 507);
    assert_int_equal(rig->written, 2);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turns_changes_are_one_commit),
        cmocka_unit_test(commits_keep_their_distance),
        cmocka_unit_test(without_changes_nobody_waits_for_a_commit),
        cmocka_unit_test(what_cannot_be_written_waits_and_is_tried_again),
        cmocka_unit_test(what_comes_during_a_slow_commit_is_the_next),
        cmocka_unit_test(a_sync_without_changes_waits_for_the_commit_under_way),
        cmocka_unit_test(a_slow_commit_that_fails_is_tried_again_with_what_came_since),
        cmocka_unit_test(who_is_patient_outlasts_commits_that_fail),
        cmocka_unit_test(patience_ends),
        cmocka_unit_test(what_is_lost_is_not_tried_again),
        cmocka_unit_test(a_flush_does_not_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
