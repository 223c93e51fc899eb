/* What a node finds wrong, how long it holds, and what worlds hear of it. */
#include "shard/core/checks.h"

#include <stdio.h>

#include "tests/unit/shard/core/beating.h"

enum { MINUTE_MS = 60 * 1000, PING_MS = 25 * 1000 };

static struct checks *checks_of(struct recorder *r)
{
    return node_checks(r->node);
}

static const struct finding *found(struct recorder *r, enum finding_check check,
                                   const char *subject)
{
    return findings_get(&checks_of(r)->findings, check, span_str(subject));
}

static size_t found_count(struct recorder *r)
{
    return checks_of(r)->findings.count;
}

static void assert_detail(struct recorder *r, enum finding_check check, const char *subject,
                          const char *detail)
{
    const struct finding *f = found(r, check, subject);
    assert_non_null(f);
    assert_true(span_eq(f->detail, span_str(detail)));
}

static struct addr address(const char *text)
{
    struct addr a;
    assert_int_equal(addr_parse(span_str(text), &a), ERR_OK);
    return a;
}

/* ---- what is told */

static void findings_are_told_at_once_and_until_they_are_confirmed(void **state)
{
    struct recorder *r = *state;
    settles(r);
    checks_fact(checks_of(r), FINDING_WEAK_SECRET, SPAN("SHARD_SECRET"), true, SPAN("short"));
    beats(r, 100);
    assert_true(beat_has(r, "\"findings\":[{\"check\":\"weak-secret\",\"subject\":\"SHARD_SECRET\","
                            "\"detail\":\"short\""));
    answers(r, 500, "");
    beats(r, 1500);
    assert_true(beat_has(r, "weak-secret"));
    answers(r, 200, UNCHANGED);
    beats(r, 1500);
    assert_false(beat_has(r, "findings"));
    answers(r, 200, UNCHANGED);
    checks_fact(checks_of(r), FINDING_WEAK_SECRET, SPAN("SHARD_SECRET"), false, SPAN(""));
    beats(r, 100);
    assert_true(beat_has(r, "\"findings\":[]"));
}

static void full_beats_tell_them_all(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    beats(r, 100);
    assert_true(beat_has(r, "\"findings\":[]"));
    assert_true(beat_has(r, "\"nowMs\":1700000123456"));
    answers(r, 200, EPOCH_1 ",\"full\":true,\"shards\":[],\"drop\":[]}");
    beats(r, 1500);
    answers(r, 200, EPOCH_2 ",\"full\":true,\"shards\":[],\"drop\":[]}");
    beats(r, 1500);
    assert_true(beat_has(r, FULL));
    assert_true(beat_has(r, "\"findings\":[]"));
}

/* ---- how long it holds */

static void what_is_not_seen_again_ends_after_ten_minutes(void **state)
{
    struct recorder *r = *state;
    struct addr proxy = address("10.0.0.9");
    checks_fact(checks_of(r), FINDING_DESCRIPTORS, SPAN(""), true, SPAN("1024"));
    checks_proxy(checks_of(r), &proxy, "x-forwarded-for", r->now);
    assert_detail(r, FINDING_PROXY_UNTRUSTED, "10.0.0.9", "sends x-forwarded-for");
    passes(r, 9 * MINUTE_MS);
    checks_proxy(checks_of(r), &proxy, "x-forwarded-for", r->now);
    passes(r, 9 * MINUTE_MS);
    assert_non_null(found(r, FINDING_PROXY_UNTRUSTED, "10.0.0.9"));
    passes(r, MINUTE_MS + 100);
    assert_null(found(r, FINDING_PROXY_UNTRUSTED, "10.0.0.9"));
    assert_non_null(found(r, FINDING_DESCRIPTORS, ""));
}

static void strangers_cannot_fill_the_set(void **state)
{
    struct recorder *r = *state;
    for (int i = 0; i < 1000; i++) {
        struct addr stranger = address("10.0.0.1");
        stranger.bytes[14] = (uint8_t)(i / 256);
        stranger.bytes[15] = (uint8_t)i;
        checks_proxy(checks_of(r), &stranger, "forwarded", r->now);
    }
    assert_int_equal(found_count(r), FINDINGS_OF_CHECK_MAX);
    passes(r, 11 * MINUTE_MS);
    assert_int_equal(found_count(r), 0);
}

static void findings_that_made_room_for_worse_ones_leave_nothing_behind(void **state)
{
    struct recorder *r = *state;
    struct checks *c = checks_of(r);
    char subject[32];
    for (uint8_t i = 0; i < FINDINGS_OF_CHECK_MAX; i++) {
        struct addr stranger = address("10.0.0.1");
        stranger.bytes[15] = i;
        checks_proxy(c, &stranger, "forwarded", r->now);
    }
    for (int i = 0; i < FINDINGS_OF_CHECK_MAX; i++) {
        (void)snprintf(subject, sizeof subject, "n%d", i);
        struct span id = span_str(subject);
        checks_peer(c, id, id, CHECKS_PEER_SILENT, "timed out", r->now);
        checks_seen(c, FINDING_PEER_SECRET, id, SPAN("403"), r->now);
        checks_seen(c, FINDING_ROOM_SECRET, id, SPAN("closed"), r->now);
        checks_seen(c, FINDING_ROOM_UPGRADE, id, SPAN("404"), r->now);
    }
    assert_int_equal(found_count(r), FINDINGS_MAX);
    assert_null(found(r, FINDING_PROXY_UNTRUSTED, "10.0.0.0"));
    passes(r, 11 * MINUTE_MS);
    assert_int_equal(found_count(r), 0);
}

/* ---- clients */

static void ten_sessions_of_one_address_alone_are_worth_a_notice(void **state)
{
    struct recorder *r = *state;
    struct addr one = address("10.0.0.1"), other = address("10.0.0.2");
    char session[16];
    for (int i = 0; i < 30; i++) /* a few who come and go */
        checks_came(checks_of(r), &one, false, i % 2 == 0 ? SPAN("ann") : SPAN("bob"), r->now);
    assert_int_equal(found_count(r), 0);
    for (int i = 0; i < 8; i++) {
        (void)snprintf(session, sizeof session, "s%d", i);
        checks_came(checks_of(r), &one, false, span_str(session), r->now);
        assert_int_equal(found_count(r), i == 7);
    }
    assert_non_null(found(r, FINDING_ONE_ADDRESS, "10.0.0.1"));
    checks_came(checks_of(r), &other, false, SPAN("eve"), r->now);
    assert_int_equal(found_count(r), 0);
}

static void sessions_without_a_name_are_each_another(void **state)
{
    struct recorder *r = *state;
    struct addr one = address("10.0.0.1");
    for (int i = 0; i < CHECKS_LONE_SESSIONS; i++)
        checks_came(checks_of(r), &one, true, SPAN(""), r->now);
    assert_int_equal(found_count(r), 0); /* the proxy is one of ours */
    for (int i = 0; i < CHECKS_LONE_SESSIONS; i++)
        checks_came(checks_of(r), &one, false, SPAN(""), r->now);
    assert_int_equal(found_count(r), 1);
}

static void ten_sessions_in_more_than_ten_minutes_are_none(void **state)
{
    struct recorder *r = *state;
    struct addr one = address("10.0.0.1");
    for (int i = 0; i < 3 * CHECKS_LONE_SESSIONS; i++) {
        checks_came(checks_of(r), &one, false, SPAN(""), r->now);
        passes(r, MINUTE_MS + MINUTE_MS / 5);
    }
    assert_int_equal(found_count(r), 0);
}

static void break_off(struct recorder *r, int64_t silence_ms)
{
    passes(r, CHECKS_CUT_APART_MS);
    checks_broke_off(checks_of(r), silence_ms, PING_MS, r->now);
}

static void clients_cut_after_the_same_silence_tell_of_a_proxy(void **state)
{
    struct recorder *r = *state;
    break_off(r, 10100);
    break_off(r, 9800);
    break_off(r, 100);   /* busy ones count for nothing, */
    break_off(r, 26000); /* nor do those who had been pinged */
    assert_int_equal(found_count(r), 0);
    break_off(r, 10400);
    assert_detail(r, FINDING_IDLE_CUT, "", "after about 10 s of silence");
    break_off(r, 9900);
    assert_detail(r, FINDING_IDLE_CUT, "", "after about 10 s of silence");
}

static void clients_that_break_off_at_any_time_tell_of_nothing(void **state)
{
    static const int64_t silences[] = {6000, 6100, 12000, 7400, 20000, 24000, 9000, 6500, 15000};
    struct recorder *r = *state;
    for (size_t i = 0; i < sizeof silences / sizeof silences[0]; i++)
        break_off(r, silences[i]);
    assert_int_equal(found_count(r), 0);
    passes(r, 11 * MINUTE_MS); /* they are forgotten */
    for (int i = 0; i < CHECKS_CUTS_MIN; i++)
        break_off(r, 7000);
    assert_int_equal(found_count(r), 1);
}

static void clients_that_fall_together_tell_of_nothing(void **state)
{
    struct recorder *r = *state;
    for (int i = 0; i < 100; i++) {
        passes(r, 5);
        checks_broke_off(checks_of(r), 16000, PING_MS, r->now);
    }
    assert_int_equal(found_count(r), 0);
}

static void settings_that_mend_it_end_it(void **state)
{
    struct recorder *r = *state;
    struct addr one = address("10.0.0.9"), two = address("192.0.2.1");
    struct addr_set trusted = {0};
    struct span bad;
    checks_proxy(checks_of(r), &one, "forwarded", r->now);
    checks_proxy(checks_of(r), &two, "forwarded", r->now);
    for (int i = 0; i < CHECKS_LONE_SESSIONS; i++)
        checks_came(checks_of(r), &one, false, SPAN(""), r->now);
    for (int i = 0; i < CHECKS_CUTS_MIN; i++)
        break_off(r, 9000);
    assert_int_equal(found_count(r), 4);
    assert_int_equal(addr_set_parse(&trusted, SPAN("10.0.0.0/8"), &bad), ERR_OK);
    checks_trust(checks_of(r), &trusted);
    checks_ping(checks_of(r), 10000);
    assert_int_equal(found_count(r), 2);
    assert_non_null(found(r, FINDING_PROXY_UNTRUSTED, "192.0.2.1"));
    checks_ping(checks_of(r), 8000);
    assert_null(found(r, FINDING_IDLE_CUT, ""));
    break_off(r, 9000); /* what was before counts no more */
    assert_null(found(r, FINDING_IDLE_CUT, ""));
    addr_set_clear(&trusted);
}

/* ---- room servers */

#define SERVER "http://10.0.0.5:3000"

static void room(struct recorder *r, enum checks_room what, int status, const char *why)
{
    checks_room(checks_of(r), SPAN(SERVER), what, status, why, r->now);
}

static void a_room_server_has_one_fault_at_a_time(void **state)
{
    struct recorder *r = *state;
    room(r, CHECKS_ROOM_SILENT, 0, "connection refused");
    assert_detail(r, FINDING_ROOM_UNREACHABLE, SERVER, "connection refused");
    room(r, CHECKS_ROOM_REFUSES, 404, "no WebSocket");
    assert_detail(r, FINDING_ROOM_UPGRADE, SERVER, "answered the upgrade with 404");
    room(r, CHECKS_ROOM_REFUSES, 0, "closed without an answer");
    assert_detail(r, FINDING_ROOM_UPGRADE, SERVER, "upgrade failed: closed without an answer");
    room(r, CHECKS_ROOM_REFUSES, 401, "no WebSocket");
    assert_detail(r, FINDING_ROOM_SECRET, SERVER, "answered the upgrade with 401");
    assert_int_equal(found_count(r), 1);
    room(r, CHECKS_ROOM_STANDS, 0, NULL);
    assert_int_equal(found_count(r), 0);
}

/* One that does not know the secret answers 101, too, and then closes: again and again. */
static void an_open_link_does_not_speak_for_the_secret(void **state)
{
    struct recorder *r = *state;
    room(r, CHECKS_ROOM_OPEN, 0, NULL);
    room(r, CHECKS_ROOM_CUTS, 0, NULL);
    uint64_t version = checks_of(r)->findings.version;
    for (int i = 0; i < 10; i++) {
        room(r, CHECKS_ROOM_OPEN, 0, NULL);
        room(r, CHECKS_ROOM_CUTS, 0, NULL);
    }
    assert_non_null(found(r, FINDING_ROOM_SECRET, SERVER));
    assert_int_equal(checks_of(r)->findings.version, version); /* nothing new for worlds */
    room(r, CHECKS_ROOM_STANDS, 0, NULL);
    assert_int_equal(found_count(r), 0);
}

/* ---- other nodes */

#define URL "http://10.0.0.2:3010"

static void a_peer_that_fails_clients_for_long_is_unreachable(void **state)
{
    struct recorder *r = *state;
    for (int s = 0; s <= 14; s++) {
        checks_peer_missed(checks_of(r), SPAN("n2"), SPAN(URL), "timed out", r->now);
        assert_int_equal(found_count(r), 0); /* it may be dying */
        passes(r, 1000);
    }
    checks_peer_missed(checks_of(r), SPAN("n2"), SPAN(URL), "timed out", r->now);
    assert_detail(r, FINDING_PEER_UNREACHABLE, "n2", URL ": timed out");
}

static void a_peer_that_failed_a_client_now_and_then_is_not(void **state)
{
    struct recorder *r = *state;
    for (int i = 0; i < 10; i++) {
        checks_peer_missed(checks_of(r), SPAN("n2"), SPAN(URL), "timed out", r->now);
        passes(r, CHECKS_PEER_QUIET_MS + 100);
    }
    assert_int_equal(found_count(r), 0);
}

static void what_a_dial_says_of_a_peer(void **state)
{
    static const struct {
        enum checks_peer what;
        enum finding_check check;
    } rows[] = {
        {CHECKS_PEER_SILENT, FINDING_PEER_UNREACHABLE},
        {CHECKS_PEER_DENIED, FINDING_PEER_SECRET},
        {CHECKS_PEER_ANOTHER, FINDING_PEER_UNREACHABLE},
        {CHECKS_PEER_LATE, FINDING_PEER_SECRET},
    };
    struct recorder *r = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        checks_peer(checks_of(r), SPAN("n2"), SPAN(URL), rows[i].what, "why", r->now);
        assert_non_null(found(r, rows[i].check, "n2"));
        assert_int_equal(found_count(r), 1);
    }
    checks_peer(checks_of(r), SPAN("n2"), SPAN(URL), CHECKS_PEER_WELL, "", r->now);
    assert_int_equal(found_count(r), 0);
}

/* ---- worlds */

static void a_world_that_refuses_beats_has_another_secret(void **state)
{
    struct recorder *r = *state;
    settles(r);
    beats(r, 1500);
    answers(r, 403, "{}");
    assert_detail(r, FINDING_BEAT_REFUSED, "world-a", "answers heartbeats with 403");
    beats(r, 1500);
    answers(r, 0, "timed out"); /* says nothing of secrets */
    assert_non_null(found(r, FINDING_BEAT_REFUSED, "world-a"));
    beats(r, 1500);
    answers(r, 200, UNCHANGED);
    assert_int_equal(found_count(r), 0);
}

/* ---- checkups */

#define CHECKUP(id)                                                                                \
    EPOCH_1 ",\"unchanged\":true,\"checkup\":{\"id\":" id                                          \
            ",\"peers\":[{\"node\":\"n2\",\"url\":\"" URL "\"}],\"servers\":[\"" SERVER "\"]}}"

static void a_checkup_is_done_once_and_confirmed(void **state)
{
    struct recorder *r = *state;
    settles(r);
    beats(r, 1500);
    answers(r, 200, CHECKUP("7"));
    expect(r, "checkup 7 n2=" URL " " SERVER "\n");
    beats(r, 1500);
    assert_false(beat_has(r, "\"checkup\""));
    answers(r, 200, CHECKUP("7"));
    expect(r, ""); /* it is at it */
    room(r, CHECKS_ROOM_SILENT, 0, "connection refused");
    node_checked(r->node, r->world, r->now);
    beats(r, 100);
    assert_true(beat_has(r, "\"checkup\":7"));
    assert_true(beat_has(r, "room-unreachable"));
    answers(r, 200, CHECKUP("7"));
    expect(r, "");
    beats(r, 1500);
    answers(r, 200, CHECKUP("8"));
    expect(r, "checkup 8 n2=" URL " " SERVER "\n");
}

static void what_a_checkup_does_not_see_again_is_no_more(void **state)
{
    struct recorder *r = *state;
    settles(r);
    struct addr proxy = address("10.0.0.9");
    checks_proxy(checks_of(r), &proxy, "forwarded", r->now);
    room(r, CHECKS_ROOM_SILENT, 0, "connection refused");
    checks_peer(checks_of(r), SPAN("n2"), SPAN(URL), CHECKS_PEER_SILENT, "timed out", r->now);
    beats(r, 1500);
    answers(r, 200, CHECKUP("7"));
    passes(r, 500);
    checks_peer(checks_of(r), SPAN("n2"), SPAN(URL), CHECKS_PEER_SILENT, "timed out", r->now);
    node_checked(r->node, r->world, r->now);
    assert_non_null(found(r, FINDING_PROXY_UNTRUSTED, "10.0.0.9"));
    assert_non_null(found(r, FINDING_PEER_UNREACHABLE, "n2"));
    assert_null(found(r, FINDING_ROOM_UNREACHABLE, SERVER));
    forget(r);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, beats_setup, recorder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(findings_are_told_at_once_and_until_they_are_confirmed),
        TEST(full_beats_tell_them_all),
        TEST(what_is_not_seen_again_ends_after_ten_minutes),
        TEST(strangers_cannot_fill_the_set),
        TEST(findings_that_made_room_for_worse_ones_leave_nothing_behind),
        TEST(ten_sessions_of_one_address_alone_are_worth_a_notice),
        TEST(sessions_without_a_name_are_each_another),
        TEST(ten_sessions_in_more_than_ten_minutes_are_none),
        TEST(clients_cut_after_the_same_silence_tell_of_a_proxy),
        TEST(clients_that_break_off_at_any_time_tell_of_nothing),
        TEST(clients_that_fall_together_tell_of_nothing),
        TEST(settings_that_mend_it_end_it),
        TEST(a_room_server_has_one_fault_at_a_time),
        TEST(an_open_link_does_not_speak_for_the_secret),
        TEST(a_peer_that_fails_clients_for_long_is_unreachable),
        TEST(a_peer_that_failed_a_client_now_and_then_is_not),
        TEST(what_a_dial_says_of_a_peer),
        TEST(a_world_that_refuses_beats_has_another_secret),
        TEST(a_checkup_is_done_once_and_confirmed),
        TEST(what_a_checkup_does_not_see_again_is_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
