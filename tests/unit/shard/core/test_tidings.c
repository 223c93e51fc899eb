/* Which sessions a world is told of. */
#include "tests/unit/shard/core/beating.h"

/* What the last beat says of our shard: those that left, a bar, those that joined. */
static void tells(struct recorder *r, const char *want)
{
    struct beat b;
    struct beat_doc doc;
    struct beat_shard s;
    struct buf got = {0};
    const char *why;
    bool found = false;
    assert_int_equal(beat_read(&b, &doc, buf_span(&r->beat), &why), ERR_OK);
    for (size_t at = 0; !found && beat_next_shard(&doc, &at, &s);)
        found = span_eq(s.shard_id, SPAN(SHARD));
    if (found)
        buf_addf(&got, "%.*s|%.*s", SPAN_ARG(s.left), SPAN_ARG(s.joined));
    buf_add_char(&got, '\0');
    assert_string_equal(got.data, want);
    buf_clear(&got);
    beat_doc_clear(&doc);
}

static void confirms(struct recorder *r)
{
    answers(r, 200, UNCHANGED);
}

static void who_comes_and_who_goes_is_told_once(void **state)
{
    struct recorder *r = *state;
    struct handle ann = settles(r);
    tells(r, "|[\"ann\"]");
    opens(r, "b", "bob\n");
    opens(r, "b2", "bob\n");
    beats(r, 100);
    tells(r, "|[\"bob\\n\"]");
    confirms(r);
    leaves(r, ann);
    beats(r, 100);
    tells(r, "[\"ann\"]|");
    confirms(r);
    beats(r, 1200);
    tells(r, "");
}

static void session_without_a_name_is_told_by_its_random_id(void **state)
{
    struct recorder *r = *state;
    settles(r);
    leaves(r, opens(r, "b", ""));
    opens(r, "b", "");
    beats(r, 100);
    assert_true(beat_has(r, "\"joined\":[\""));
    assert_false(beat_has(r, "\"left\""));
}

static void session_that_nobody_was_told_of_leaves_in_silence(void **state)
{
    struct recorder *r = *state;
    settles(r);
    leaves(r, opens(r, "b", "bob"));
    beats(r, 100); /* the count of the admitted has grown */
    tells(r, "|");
}

static void who_left_and_came_again_is_there(void **state)
{
    struct recorder *r = *state;
    leaves(r, settles(r));
    opens(r, "a", "ann");
    beats(r, 100);
    tells(r, "[\"ann\"]|[\"ann\"]");
    confirms(r);
}

static void what_was_not_confirmed_is_named_again(void **state)
{
    struct recorder *r = *state;
    leaves(r, settles(r));
    struct handle bob = opens(r, "b", "bob");
    beats(r, 100);
    tells(r, "[\"ann\"]|[\"bob\"]");
    leaves(r, bob); /* the world may have heard of it */
    opens(r, "c", "cat");
    answers(r, 0, "");
    beats(r, 1200);
    assert_true(beat_has(r, "bob"));
    tells(r, "[\"bob\",\"ann\"]|[\"cat\"]");
    confirms(r);
}

static void full_beat_names_all_that_are_here(void **state)
{
    struct recorder *r = *state;
    struct handle ann = settles(r);
    opens(r, "b", "bob");
    beats(r, 100);
    confirms(r);
    leaves(r, ann);
    beats(r, 100);
    answers(r, 200, EPOCH_2 ",\"full\":true}"); /* another world process */
    beats(r, 100);
    assert_true(beat_has(r, FULL));
    tells(r, "|[\"bob\"]");
}

static void session_stays_named_until_the_room_has_heard_that_it_left(void **state)
{
    struct recorder *r = *state;
    struct handle ann = settles(r);
    link_falls(r);
    leaves(r, ann);
    beats(r, 100);
    tells(r, "|");
    confirms(r);
    redials(r); /* that is told, too */
    link_comes_up(r);
    confirms(r);
    beats(r, 100);
    tells(r, "|");
    confirms(r);
    passes(r, 1000);
    tells(r, "[\"ann\"]|");
}

static void longer_ids_are_not_named(void **state)
{
#define ID_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    struct recorder *r = *state;
    r->settings.max_session_id = 100;
    struct handle ann = settles(r), longer;
    opens(r, "b", ID_64);
    longer = opens(r, "c", ID_64 "x");
    beats(r, 100);
    tells(r, "|[\"" ID_64 "\"]");
    confirms(r);
    leaves(r, longer);
    leaves(r, ann);
    beats(r, 100);
    tells(r, "[\"ann\"]|");
}

static void count_sessions(struct recorder *r, size_t *left, size_t *joined)
{
    struct beat b;
    struct beat_doc doc;
    struct beat_shard s;
    struct span id;
    const char *why;
    *left = *joined = 0;
    assert_int_equal(beat_read(&b, &doc, buf_span(&r->beat), &why), ERR_OK);
    for (size_t at = 0; beat_next_shard(&doc, &at, &s);) {
        for (size_t i = 0; beat_next_session(&doc, s.left, &i, &id);)
            ++*left;
        for (size_t i = 0; beat_next_session(&doc, s.joined, &i, &id);)
            ++*joined;
    }
    beat_doc_clear(&doc);
}

static void more_than_a_beat_may_name_wait_for_the_next(void **state)
{
    enum { MANY = TIDINGS_SESSIONS_MAX + 5 };
    struct recorder *r = *state;
    size_t left, joined;
    char name[16];
    r->settings.max_connections = MANY + 1;
    settles(r);
    shard_of(r)->seating.max = MANY + 1;
    struct handle *all = xcalloc(MANY, sizeof *all);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "s%d", i);
        r->client_count = 0;
        all[i] = opens(r, "s", name);
        forget(r);
    }
    beats(r, 100);
    count_sessions(r, &left, &joined);
    assert_int_equal(joined, TIDINGS_SESSIONS_MAX);
    confirms(r);
    for (int i = 0; i < 3; i++)
        leaves(r, all[i]);
    beats(r, 100);
    count_sessions(r, &left, &joined);
    assert_int_equal(left, 3);
    assert_int_equal(joined, 5);
    confirms(r);
    beats(r, 1200);
    count_sessions(r, &left, &joined);
    assert_int_equal(left + joined, 0);
    free(all);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, beats_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(who_comes_and_who_goes_is_told_once),
        TEST(session_without_a_name_is_told_by_its_random_id),
        TEST(session_that_nobody_was_told_of_leaves_in_silence),
        TEST(who_left_and_came_again_is_there),
        TEST(what_was_not_confirmed_is_named_again),
        TEST(full_beat_names_all_that_are_here),
        TEST(session_stays_named_until_the_room_has_heard_that_it_left),
        TEST(longer_ids_are_not_named),
        TEST(more_than_a_beat_may_name_wait_for_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
