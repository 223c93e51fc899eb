#include "world/core/rooms/placement.h"
#include "world/core/rooms/shards.h"

#include "tests/unit/world/core/recorder.h"

static struct placement find(struct recorder *r, struct room *room, bool auto_create)
{
    return placement_find(&r->core.registry, room, (struct span){0}, auto_create,
                          r->settings.max_room_shards, r->now);
}

/* Letters of the shards (a: the oldest) that `n` placements choose. */
static void assert_chosen(struct recorder *r, struct room *room, struct shard *const *shards,
                          const char *letters)
{
    for (size_t i = 0; letters[i] != '\0'; i++) {
        struct shard *s = find(r, room, false).shard;
        if (s != shards[letters[i] - 'a'])
            fail_msg("choice %zu of %s", i, letters);
    }
}

static struct room *room_of(struct recorder *r, unsigned count, const char *strategy,
                            struct shard **shards)
{
    struct room *room = recorder_room(r, "r", count, strategy);

    for (unsigned i = 0; i < count; i++)
        shards[i] = recorder_shard(room, i);
    return room;
}

static void report(struct recorder *r, struct shard *s, unsigned open, const char *status)
{
    assert_int_equal(recorder_report(r, s->id, open, status), 200);
}

static void round_robin_goes_round_in_creation_order(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *shards[4];
    struct room *room = room_of(r, 4, NULL, shards);

    (void)state;
    assert_chosen(r, room, shards, "abcdab");
    /* The turn is at c, the third of those left. */
    report(r, shards[0], 10, NULL);
    assert_chosen(r, room, shards, "dbcd");
    /* The turn is at 0 of {b, c, d}; with only b left it starts anew. */
    assert_chosen(r, room, shards, "bc");
    report(r, shards[2], 0, "maintenance");
    report(r, shards[3], 0, "maintenance");
    assert_chosen(r, room, shards, "bbb");
    report(r, shards[0], 9, NULL);
    assert_chosen(r, room, shards, "abab");
    recorder_free(r);
}

static void a_refusal_does_not_move_the_turn(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *shards[2];
    struct room *room = room_of(r, 2, NULL, shards);

    (void)state;
    assert_chosen(r, room, shards, "a");
    report(r, shards[0], 10, NULL);
    report(r, shards[1], 10, NULL);
    assert_null(find(r, room, false).shard);
    report(r, shards[0], 0, NULL);
    report(r, shards[1], 0, NULL);
    assert_chosen(r, room, shards, "ba");
    recorder_free(r);
}

static void turns_are_each_rooms_own(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *shards[2];
    struct room *room = room_of(r, 2, NULL, shards), *other = recorder_room(r, "other", 2, NULL);

    (void)state;
    assert_chosen(r, room, shards, "a");
    assert_ptr_equal(find(r, other, false).shard, recorder_shard(other, 0));
    assert_chosen(r, room, shards, "b");
    assert_ptr_equal(find(r, other, false).shard, recorder_shard(other, 1));
    recorder_free(r);
}

static void least_connections_goes_by_reports_and_age(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *shards[3];
    struct room *room = room_of(r, 3, "least-connections", shards);

    (void)state;
    assert_chosen(r, room, shards, "aaa");
    report(r, shards[0], 5, NULL);
    report(r, shards[1], 2, NULL);
    report(r, shards[2], 9, NULL);
    assert_chosen(r, room, shards, "bb");
    report(r, shards[1], 5, NULL);
    assert_chosen(r, room, shards, "a");
    report(r, shards[0], 10, NULL);
    report(r, shards[1], 0, "draining"); /* goes at once */
    assert_chosen(r, room, shards, "c");
    recorder_free(r);
}

static void random_is_even_over_the_selectable(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *shards[5];
    struct room *room = room_of(r, 5, "random", shards);
    unsigned hits[5] = {0};

    (void)state;
    report(r, shards[1], 10, NULL);
    report(r, shards[3], 1, "maintenance");
    for (int i = 0; i < 3000; i++) {
        struct shard *s = find(r, room, false).shard;
        for (size_t n = 0; n < 5; n++)
            hits[n] += s == shards[n];
    }
    assert_int_equal(hits[1] + hits[3], 0);
    for (size_t n = 0; n < 5; n += 2)
        assert_in_range(hits[n], 850, 1150); /* five standard deviations around 1 000 */
    recorder_free(r);
}

static void packed_fills_the_fullest_by_share(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *shards[4];
    struct room *room = room_of(r, 3, "packed", shards);

    (void)state;
    assert_chosen(r, room, shards, "aa");
    report(r, shards[1], 5, NULL);
    report(r, shards[2], 5, NULL);
    assert_chosen(r, room, shards, "bb");
    report(r, shards[2], 9, NULL);
    assert_chosen(r, room, shards, "c");
    report(r, shards[2], 10, NULL);
    assert_chosen(r, room, shards, "b");
    /* 7 of 20 are more clients than 5 of 10, but a smaller share; 11 of 20 are a larger one. */
    shards[3] = registry_add_shard(&r->core.registry, room, (struct span){0}, 20, r->now);
    report(r, shards[3], 7, NULL);
    assert_chosen(r, room, shards, "b");
    report(r, shards[3], 11, NULL);
    assert_chosen(r, room, shards, "d");
    recorder_free(r);
}

/* How often each of the shards is chosen in `n` placements. */
static void count_hits(struct recorder *r, struct room *room, struct shard *const *shards,
                       size_t count, unsigned *hits, int n)
{
    for (size_t i = 0; i < count; i++)
        hits[i] = 0;
    while (n-- > 0) {
        const struct shard *s = find(r, room, false).shard;
        for (size_t i = 0; i < count; i++)
            hits[i] += s == shards[i];
    }
}

static void p2c_takes_the_emptier_of_two(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *shards[4];
    struct room *room = room_of(r, 3, "p2c", shards);
    unsigned hits[4];

    (void)state;
    /* Of three pairs the best is in two, the second best wins one, the worst none. */
    report(r, shards[0], 9, NULL);
    report(r, shards[1], 2, NULL);
    report(r, shards[2], 5, NULL);
    count_hits(r, room, shards, 3, hits, 3000);
    assert_int_equal(hits[0], 0);
    assert_in_range(hits[1], 1870, 2130);
    assert_in_range(hits[2], 870, 1130);
    /* Ties go to the oldest. */
    report(r, shards[0], 5, NULL);
    report(r, shards[1], 5, NULL);
    count_hits(r, room, shards, 3, hits, 3000);
    assert_in_range(hits[0], 1870, 2130);
    assert_int_equal(hits[2], 0);
    /* 8 of 20 is emptier than 5 of 10. */
    shards[3] = registry_add_shard(&r->core.registry, room, (struct span){0}, 20, r->now);
    report(r, shards[3], 8, NULL);
    report(r, shards[0], 10, NULL);
    report(r, shards[1], 10, NULL);
    count_hits(r, room, shards, 4, hits, 50);
    assert_int_equal(hits[3], 50);
    report(r, shards[3], 20, NULL);
    count_hits(r, room, shards, 4, hits, 50);
    assert_int_equal(hits[2], 50); /* the only one */
    recorder_free(r);
}

static struct shard *find_for(struct recorder *r, struct room *room, unsigned n)
{
    char session[16];
    struct placement placement;

    (void)snprintf(session, sizeof(session), "player-%u", n);
    placement = placement_find(&r->core.registry, room, span_str(session), false,
                               r->settings.max_room_shards, r->now);
    return placement.shard;
}

static void hash_keeps_a_session_where_it_is(void **state)
{
    enum { SHARDS = 20, SESSIONS = 1000 };
    struct recorder *r = recorder_new();
    struct shard *shards[SHARDS], *before[SESSIONS];
    struct room *room = room_of(r, SHARDS, "hash", shards);
    unsigned hits[SHARDS] = {0}, moved = 0;

    (void)state;
    for (unsigned n = 0; n < SESSIONS; n++) {
        before[n] = find_for(r, room, n);
        for (unsigned i = 0; i < SHARDS; i++)
            hits[i] += before[n] == shards[i];
    }
    for (unsigned i = 0; i < SHARDS; i++)
        assert_in_range(hits[i], 15, 85); /* five standard deviations around 50 */
    report(r, shards[3], 4, NULL);        /* another count, the same set */
    for (unsigned n = 0; n < SESSIONS; n++)
        assert_ptr_equal(find_for(r, room, n), before[n]);
    report(r, shards[7], 10, NULL);
    for (unsigned n = 0; n < SESSIONS; n++) {
        struct shard *now = find_for(r, room, n);
        assert_ptr_not_equal(now, shards[7]);
        moved += now != before[n];
    }
    assert_in_range(moved, hits[7], SESSIONS / 4);
    /* Those that go without having been selectable move nobody. */
    for (unsigned i = 8; i < SHARDS; i++)
        report(r, shards[i], 1, "draining");
    for (unsigned n = 0; n < SESSIONS; n++)
        before[n] = find_for(r, room, n);
    for (unsigned i = 8; i < SHARDS; i++)
        report(r, shards[i], 0, NULL);
    assert_int_equal(room_shards(room), 8);
    for (unsigned n = 0; n < SESSIONS; n++)
        assert_ptr_equal(find_for(r, room, n), before[n]);
    recorder_free(r);
}

static void hash_without_a_session_is_random(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *shards[3];
    struct room *room = room_of(r, 3, "hash", shards);
    unsigned hits[3];

    (void)state;
    count_hits(r, room, shards, 3, hits, 3000);
    for (size_t i = 0; i < 3; i++)
        assert_in_range(hits[i], 870, 1130);
    recorder_free(r);
}

static void the_strategy_can_change_while_running(void **state)
{
    struct recorder *r = recorder_new();
    struct shard *shards[3];
    struct room *room = room_of(r, 3, NULL, shards);

    (void)state;
    report(r, shards[0], 4, NULL);
    assert_chosen(r, room, shards, "ab");
    recorder_room(r, "r", 3, "least-connections");
    assert_chosen(r, room, shards, "bbb");
    recorder_room(r, "r", 3, "round-robin");
    assert_chosen(r, room, shards, "cab");
    recorder_free(r);
}

static void rooms_grow_on_demand_up_to_their_maximum(void **state)
{
    /* A room with these shards, all full, and this maxShards: does it grow? */
    static const struct {
        unsigned shards;
        const char *max_shards;
        const char *status;
        bool auto_create, grows;
        enum refusal refusal;
    } rows[] = {
        {0, "", NULL, false, false, REFUSAL_NO_SHARDS},
        {0, "", NULL, true, true, REFUSAL_NONE},
        {2, "", NULL, false, false, REFUSAL_FULL},
        {2, "", NULL, true, true, REFUSAL_NONE},
        {2, ",\"maxShards\":2", NULL, true, false, REFUSAL_FULL},
        {2, ",\"maxShards\":3", NULL, true, true, REFUSAL_NONE},
        {2, ",\"maxShards\":2", "draining", true, false, REFUSAL_NO_ACTIVE},
        {2, ",\"maxShards\":2", "maintenance", true, false, REFUSAL_NO_ACTIVE},
        {2, ",\"maxShards\":3", "maintenance", true, true, REFUSAL_NONE},
        {50, "", NULL, true, false, REFUSAL_FULL}, /* our own bound */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct recorder *r = recorder_new();
        char body[256];
        struct room *room;
        struct placement placement;

        (void)snprintf(body, sizeof(body),
                       "{\"name\":\"r\",\"balancingStrategy\":\"random\",\"public\":true,"
                       "\"maxPlayersPerShard\":1,\"minShards\":%u%s}",
                       rows[i].shards, rows[i].max_shards);
        assert_int_equal(recorder_post(r, "/register-room", body), 200);
        room = world_room(registry_world(&r->core.registry, SPAN("world-a")), SPAN("r"));
        for (unsigned n = 0; n < rows[i].shards; n++)
            recorder_report(r, recorder_shard(room, n)->id, 1, rows[i].status);
        placement = find(r, room, rows[i].auto_create);
        assert_int_equal(placement.shard != NULL, rows[i].grows);
        assert_int_equal(placement.refusal, rows[i].refusal);
        assert_int_equal(room_shards(room), rows[i].shards + rows[i].grows);
        recorder_free(r);
    }
}

/* What the reference does, by scanning; the turn is kept by the caller. */
static struct shard *naive(const struct room *room, uint32_t turn)
{
    struct shard *least = NULL, *nth = NULL;
    uint32_t at = 0, k = 0;

    for (struct candidate *c; (c = candidates_next(&room->candidates, &at)) != NULL;) {
        struct shard *s = shard_of_candidate(c);
        if (s->status != SHARD_ACTIVE || s->open >= s->max)
            continue;
        if (k++ == turn)
            nth = s;
        if (least == NULL || s->open < least->open)
            least = s;
    }
    return room->settings.strategy == STRATEGY_LEAST_CONNECTIONS ? least : nth;
}

static void choices_agree_with_a_scan_under_churn(void **state)
{
    static const char *const statuses[] = {NULL, "active", "maintenance", "draining"};

    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct recorder *r = recorder_new();
        struct room *room = recorder_room(r, "r", 30, seed % 2 == 0 ? "least-connections" : NULL);
        struct rng rng;

        rng_seed(&rng, seed);
        for (int i = 0; i < 1500; i++) {
            uint32_t count = room_shards(room), free_ones = candidates_count(&room->candidates);
            if (count < 10 || rng_below(&rng, 20) == 0) {
                registry_add_shard(&r->core.registry, room, (struct span){0}, 0, r->now);
                continue;
            }
            struct shard *s = recorder_shard(room, (unsigned)rng_below(&rng, count));
            report(r, s, (unsigned)rng_below(&rng, 12), statuses[rng_below(&rng, 4)]);
            free_ones = candidates_count(&room->candidates);
            uint32_t turn = room->turn < free_ones ? room->turn : 0;
            struct shard *want = naive(room, turn);
            assert_ptr_equal(find(r, room, false).shard, want);
        }
        recorder_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_robin_goes_round_in_creation_order),
        cmocka_unit_test(a_refusal_does_not_move_the_turn),
        cmocka_unit_test(turns_are_each_rooms_own),
        cmocka_unit_test(least_connections_goes_by_reports_and_age),
        cmocka_unit_test(random_is_even_over_the_selectable),
        cmocka_unit_test(packed_fills_the_fullest_by_share),
        cmocka_unit_test(p2c_takes_the_emptier_of_two),
        cmocka_unit_test(hash_keeps_a_session_where_it_is),
        cmocka_unit_test(hash_without_a_session_is_random),
        cmocka_unit_test(the_strategy_can_change_while_running),
        cmocka_unit_test(rooms_grow_on_demand_up_to_their_maximum),
        cmocka_unit_test(choices_agree_with_a_scan_under_churn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
