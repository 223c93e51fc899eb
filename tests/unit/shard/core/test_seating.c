/* Seats: who gets in when a shard is full, and whose seat is kept; against a naive model. */
#include "shard/core/node_state.h"
#include "shard/core/seating.h"
#include "shard/core/shard.h"
#include "tests/unit/shard/core/recorder.h"

static struct shard *shard_of(struct recorder *r)
{
    return map_get(&r->node->shard_map, SPAN(RECORDER_SHARD));
}

static void has_seats(struct recorder *r, uint64_t max)
{
    struct shard *shard;
    assert_int_equal(shard_reach(r->node, SPAN(RECORDER_SHARD), r->now, &shard), ERR_OK);
    shard->seating.bounded = true;
    shard->seating.max = max;
}

static int seating_setup(void **state)
{
    recorder_setup(state);
    struct recorder *r = *state;
    r->settings.enforce_seats = true;
    r->settings.max_connections = 1000;
    r->settings.link_first_ms = 600000; /* no room is needed here */
    has_seats(r, 3);
    return 0;
}

static enum err comes(struct recorder *r, const char *session, struct handle *h)
{
    enum node_reason why = NODE_REASON_COUNT;
    enum err e = node_client_open(r->node, SPAN(RECORDER_SHARD), span_str(session), SPAN("{}"),
                                  r->now, h, &why);
    if (e != ERR_OK) {
        assert_int_equal(e, ERR_FULL);
        assert_int_equal(why, NODE_REFUSED_NO_SEAT);
    }
    node_check(r->node);
    return e;
}

static void gets_in(struct recorder *r, const char *session)
{
    struct handle h;
    assert_int_equal(comes(r, session, &h), ERR_OK);
}

static void is_refused(struct recorder *r, const char *session)
{
    struct handle h;
    assert_int_equal(comes(r, session, &h), ERR_FULL);
}

static void goes(struct recorder *r, struct handle h, enum node_reason why)
{
    node_client_closed(r->node, h, why, r->now);
    node_check(r->node);
}

static void newcomer_beyond_the_capacity_is_refused(void **state)
{
    struct recorder *r = *state;
    gets_in(r, "a");
    gets_in(r, "b");
    gets_in(r, "");
    is_refused(r, "c");
    is_refused(r, "");
    assert_int_equal(node_stats(r->node)->reasons[NODE_REFUSED_NO_SEAT], 2);
    assert_int_equal(shard_of(r)->seating.admitted, 3);
    assert_int_equal(shard_of(r)->seating.readmitted, 0);
}

static void session_with_a_socket_gets_in_above_the_capacity_up_to_four(void **state)
{
    struct recorder *r = *state;
    has_seats(r, 1);
    for (int i = 0; i < SEATING_SESSION_SOCKETS; i++)
        gets_in(r, "a");
    is_refused(r, "a");
    assert_int_equal(shard_of(r)->seating.readmitted, 3);
}

static void fifth_socket_of_a_session_takes_a_free_seat(void **state)
{
    struct recorder *r = *state;
    has_seats(r, 2);
    for (int i = 0; i < 5; i++)
        gets_in(r, "a");
    is_refused(r, "a");
    is_refused(r, "b");
    assert_int_equal(shard_of(r)->seating.readmitted, 3);
}

static void who_comes_back_before_its_old_socket_is_missed_takes_no_other_seat(void **state)
{
    struct recorder *r = *state;
    struct handle old, new;
    has_seats(r, 2);
    assert_int_equal(comes(r, "a", &old), ERR_OK);
    assert_int_equal(comes(r, "a", &new), ERR_OK);
    gets_in(r, "promised");
    is_refused(r, "b");
    goes(r, old, NODE_PEER_SILENT);
    is_refused(r, "b");
    goes(r, new, NODE_PEER_CLOSED);
    gets_in(r, "b");
}

static void client_that_changes_its_network_comes_back_into_a_full_shard(void **state)
{
    struct recorder *r = *state;
    struct handle old, new;
    assert_int_equal(comes(r, "a", &old), ERR_OK);
    gets_in(r, "b");
    gets_in(r, "c");
    assert_int_equal(comes(r, "a", &new), ERR_OK);
    goes(r, old, NODE_PEER_SILENT);
    assert_int_equal(seating_kept(&shard_of(r)->seating), 0);
    is_refused(r, "d");
    goes(r, new, NODE_PEER_CLOSED);
    gets_in(r, "d");
}

static void seat_of_a_session_that_broke_off_is_kept_for_a_while(void **state)
{
    struct recorder *r = *state;
    struct handle a;
    assert_int_equal(comes(r, "a", &a), ERR_OK);
    gets_in(r, "b");
    gets_in(r, "c");
    goes(r, a, NODE_PEER_GONE);
    is_refused(r, "d");
    assert_int_equal(comes(r, "a", &a), ERR_OK);
    assert_int_equal(shard_of(r)->seating.readmitted, 1);
    goes(r, a, NODE_PEER_GONE);
    passes(r, SEATING_KEEP_MS - 1);
    is_refused(r, "d");
    passes(r, WHEEL_TICK_MS + 1);
    gets_in(r, "d");
    is_refused(r, "a");
}

/* PartySocket's waits and the time that it gives a try. */
static void client_whose_first_try_hung_has_its_seat_at_the_second(void **state)
{
    struct recorder *r = *state;
    struct handle a;
    assert_int_equal(comes(r, "a", &a), ERR_OK);
    gets_in(r, "b");
    gets_in(r, "c");
    goes(r, a, NODE_PEER_GONE);
    passes(r, 3000 + 4000 + 3900);
    is_refused(r, "d");
    assert_int_equal(comes(r, "a", &a), ERR_OK);
}

/* Nobody is let in there again, and the shard is to end with its last client. */
static void draining_shard_keeps_no_seats(void **state)
{
    struct recorder *r = *state;
    struct handle a;
    assert_int_equal(comes(r, "a", &a), ERR_OK);
    shard_of(r)->status = ORDER_DRAINING;
    goes(r, a, NODE_PEER_GONE);
    assert_int_equal(seating_kept(&shard_of(r)->seating), 0);
    shard_of(r)->status = ORDER_ACTIVE;
}

static void only_whoever_is_expected_back_keeps_a_seat(void **state)
{
    struct recorder *r = *state;
    static const struct {
        enum node_reason why;
        bool keeps;
    } rows[] = {
        {NODE_PEER_GONE, true},         {NODE_PEER_SILENT, true},      {NODE_PEER_CLOSED, false},
        {NODE_PEER_SLOW, false},        {NODE_PEER_INVALID, false},    {NODE_ROOM_CLOSED, false},
        {NODE_LINK_LOST, true},         {NODE_SHUTDOWN, true},         {NODE_DRAINED, true},
        {NODE_LINK_UNREACHABLE, false}, {NODE_KICKED, false},          {NODE_LINK_OVERFLOW, true},
        {NODE_PEER_FLOODING, false},    {NODE_PEER_UNFINISHED, false}, {NODE_PEER_UNBUFFERED, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct handle a;
        assert_int_equal(comes(r, "a", &a), ERR_OK);
        goes(r, a, rows[i].why);
        assert_int_equal(seating_kept(&shard_of(r)->seating), rows[i].keeps);
        assert_int_equal(comes(r, "", &a), ERR_OK);
        goes(r, a, rows[i].why);
        assert_int_equal(seating_kept(&shard_of(r)->seating), rows[i].keeps);
    }
}

static void nothing_is_enforced_without_a_capacity_or_without_seats(void **state)
{
    struct recorder *r = *state;
    has_seats(r, 0);
    r->settings.enforce_seats = false;
    struct handle a;
    assert_int_equal(comes(r, "a", &a), ERR_OK);
    goes(r, a, NODE_PEER_GONE);
    assert_int_equal(seating_kept(&shard_of(r)->seating), 0);
    r->settings.enforce_seats = true;
    is_refused(r, "a");
    shard_of(r)->seating.bounded = false;
    gets_in(r, "a");
}

static void shard_that_nobody_created_holds_75(void **state)
{
    struct recorder *r = *state;
    seating_adopt(&shard_of(r)->seating);
    for (int i = 0; i < SEATING_ADOPTED_MAX; i++)
        gets_in(r, "");
    is_refused(r, "");
}

/* ---- a naive model: an array of sockets and, per session, when its kept seat ends */

enum { MODEL_SESSIONS = 12, MODEL_SOCKETS = 4000, MODEL_STEPS = 3000, MODEL_SEEDS = 20 };

struct model {
    struct handle handles[MODEL_SOCKETS];
    unsigned sessions[MODEL_SOCKETS]; /* 0: a random one */
    bool open[MODEL_SOCKETS];
    size_t used, open_count;
    int64_t kept_until[MODEL_SESSIONS + 1];
    uint64_t max;
};

static size_t model_sockets(const struct model *m, unsigned session)
{
    size_t count = 0;
    for (size_t i = 0; i < m->used; i++)
        count += m->open[i] && m->sessions[i] == session ? 1 : 0;
    return count;
}

/* Four sockets of a session share a seat. */
static size_t model_seats(const struct model *m)
{
    size_t seats = m->open_count;
    for (unsigned s = 1; s <= MODEL_SESSIONS; s++) {
        size_t sockets = model_sockets(m, s), doubles = sockets > 4 ? 3 : sockets - 1;
        seats -= sockets > 0 ? doubles : 0;
    }
    return seats;
}

static size_t model_kept(const struct model *m, int64_t now)
{
    size_t count = 0;
    for (unsigned s = 1; s <= MODEL_SESSIONS; s++)
        count += m->kept_until[s] > now ? 1 : 0;
    return count;
}

static bool model_lets_in(const struct model *m, unsigned session, int64_t now)
{
    size_t sockets = model_sockets(m, session);
    bool own = session != 0 && (m->kept_until[session] > now || (sockets > 0 && sockets < 4));
    return own || model_seats(m) + model_kept(m, now) < m->max;
}

static void model_comes(struct model *m, struct recorder *r, struct rng *rng)
{
    unsigned session = (unsigned)rng_below(rng, MODEL_SESSIONS + 1);
    char id[16] = "";
    if (session > 0)
        snprintf(id, sizeof id, "s%u", session);
    bool expected = model_lets_in(m, session, r->now);
    assert_int_equal(comes(r, id, &m->handles[m->used]), expected ? ERR_OK : ERR_FULL);
    if (!expected)
        return;
    m->sessions[m->used] = session;
    m->open[m->used++] = true;
    m->open_count++;
    m->kept_until[session] = 0;
}

static void model_goes(struct model *m, struct recorder *r, struct rng *rng)
{
    size_t i = m->used == 0 ? 0 : rng_below(rng, m->used);
    if (m->used == 0 || !m->open[i])
        return;
    bool breaks = rng_below(rng, 2) == 0;
    m->open[i] = false;
    m->open_count--;
    if (breaks && m->sessions[i] != 0 && model_sockets(m, m->sessions[i]) == 0)
        m->kept_until[m->sessions[i]] = r->now + SEATING_KEEP_MS;
    goes(r, m->handles[i], breaks ? NODE_PEER_GONE : NODE_PEER_CLOSED);
}

static void seats_are_what_a_naive_model_says(void **state)
{
    struct recorder *r = *state;
    for (uint64_t seed = 1; seed <= MODEL_SEEDS; seed++) {
        struct model *m = calloc(1, sizeof *m);
        struct rng rng;
        rng_seed(&rng, seed);
        recorder_restart(r);
        assert_non_null(m);
        m->max = seed % 8;
        has_seats(r, m->max);
        for (int i = 0; i < MODEL_STEPS; i++) {
            uint64_t pick = rng_below(&rng, 5);
            if (pick < 2)
                model_comes(m, r, &rng);
            else if (pick < 4)
                model_goes(m, r, &rng);
            else /* whole ticks, so that no seat is kept for longer than it should be */
                passes(r, WHEEL_TICK_MS * (int64_t)rng_below(&rng, 60));
            assert_int_equal(seating_kept(&shard_of(r)->seating), model_kept(m, r->now));
            assert_int_equal(shard_of(r)->client_count, m->open_count);
            forget(r);
        }
        r->report_count = 0;
        free(m);
    }
}

/* ---- churn: 100 joins and leaves a second on 150 seats for a minute */

static void nobody_is_refused_while_a_seat_is_free(void **state)
{
    enum { SEATS = 150, STEP_MS = 10, STEPS = 6000 };
    struct recorder *r = *state;
    struct handle open[SEATS + 1];
    size_t count = 0, refused = 0;
    struct rng rng;
    rng_seed(&rng, 7);
    has_seats(r, SEATS);
    for (int i = 0; i < STEPS; i++) {
        char id[16];
        snprintf(id, sizeof id, "c%d", i);
        bool free_seat = count + seating_kept(&shard_of(r)->seating) < SEATS;
        enum err e = comes(r, id, &open[count]);
        assert_int_equal(e, free_seat ? ERR_OK : ERR_FULL);
        count += e == ERR_OK ? 1 : 0;
        refused += e == ERR_OK ? 0 : 1;
        assert_true(count <= SEATS && shard_of(r)->client_count == count);
        if (count + seating_kept(&shard_of(r)->seating) >= SEATS) {
            size_t leaver = rng_below(&rng, count);
            goes(r, open[leaver], i % 50 == 0 ? NODE_PEER_GONE : NODE_PEER_CLOSED);
            open[leaver] = open[--count];
        }
        passes(r, STEP_MS);
        forget(r);
    }
    assert_true(refused < STEPS / 10);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, seating_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        CASE(newcomer_beyond_the_capacity_is_refused),
        CASE(session_with_a_socket_gets_in_above_the_capacity_up_to_four),
        CASE(fifth_socket_of_a_session_takes_a_free_seat),
        CASE(who_comes_back_before_its_old_socket_is_missed_takes_no_other_seat),
        CASE(client_that_changes_its_network_comes_back_into_a_full_shard),
        CASE(seat_of_a_session_that_broke_off_is_kept_for_a_while),
        CASE(client_whose_first_try_hung_has_its_seat_at_the_second),
        CASE(draining_shard_keeps_no_seats),
        CASE(only_whoever_is_expected_back_keeps_a_seat),
        CASE(nothing_is_enforced_without_a_capacity_or_without_seats),
        CASE(shard_that_nobody_created_holds_75),
        CASE(seats_are_what_a_naive_model_says),
        CASE(nobody_is_refused_while_a_seat_is_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
