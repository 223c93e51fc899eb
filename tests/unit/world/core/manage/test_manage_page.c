#include "world/core/manage/manage_page.h"

#include "tests/unit/world/core/recorder.h"

#define A "/api/v1/worlds/world-a"

/* Fetches the page behind the cursor; answers the items, and the next cursor or an empty text. */
static json_t *fetch(struct recorder *r, const char *path, char cursor[64])
{
    char target[256];
    struct span next;
    json_t *doc;

    (void)snprintf(target, sizeof(target), A "%s%s%s", path,
                   cursor[0] == '\0' ? "" : "&after=", cursor);
    assert_int_equal(recorder_manage(r, NULL, "GET", target, NULL), 200);
    doc = json_decode(span_str(recorder_last(r)->body));
    assert_non_null(doc);
    cursor[0] = '\0';
    if (json_get_span(doc, "next", &next))
        (void)snprintf(cursor, 64, "%.*s", SPAN_ARG(next));
    else
        assert_true(json_is_null(json_object_get(doc, "next")));
    return doc;
}

static void pages_follow_each_other(void **state)
{
    struct recorder *r = recorder_new();
    char cursor[64] = "", name[16];
    size_t seen = 0;

    (void)state;
    for (unsigned i = 0; i < 7; i++) {
        (void)snprintf(name, sizeof(name), "r%u", i);
        (void)recorder_room(r, name, 0, NULL);
    }
    do {
        json_t *doc = fetch(r, "/rooms?limit=3", cursor);
        const json_t *items = json_object_get(doc, "items");
        for (size_t i = 0; i < json_array_size(items); i++, seen++) {
            (void)snprintf(name, sizeof(name), "r%zu", seen);
            assert_string_equal(
                json_string_value(json_object_get(json_array_get(items, i), "name")), name);
        }
        json_decref(doc);
    } while (cursor[0] != '\0');
    assert_int_equal(seen, 7);
    recorder_free(r);
}

static void a_page_goes_on_where_its_last_item_is_gone(void **state)
{
    static const char *const lists[] = {"/shards?limit=2", "/shards?room=r&limit=2"};
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 6, NULL);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char cursor[64] = "";
        json_decref(fetch(r, lists[i], cursor));
        recorder_report(r, recorder_shard(room, 1)->id, 0, "draining");
        json_t *doc = fetch(r, lists[i], cursor);
        const json_t *first = json_array_get(json_object_get(doc, "items"), 0);
        assert_string_equal(json_string_value(json_object_get(first, "shardId")),
                            recorder_shard(room, 1)->id.ptr);
        json_decref(doc);
    }
    recorder_free(r);
}

static void a_page_that_is_just_full_is_the_last(void **state)
{
    struct recorder *r = recorder_new();
    char cursor[64] = "";

    (void)state;
    (void)recorder_room(r, "r", 3, NULL);
    json_decref(fetch(r, "/shards?limit=3", cursor));
    assert_string_equal(cursor, "");
    recorder_free(r);
}

static void pages_have_what_is_looked_for(void **state)
{
    static const struct {
        const char *path;
        size_t items;
    } rows[] = {
        {"/rooms?q=lobby", 2},  {"/rooms?q=LOBBY-B", 1},
        {"/rooms?q=", 3},       {"/rooms?q=obby%2Da", 1},
        {"/rooms?q=none", 0},   {"/rooms?q=lobby&limit=1", 1},
        {"/shards?q=CHESS", 2}, {"/shards?q=chess&room=Lobby-a", 0},
    };
    struct recorder *r = recorder_new();

    (void)state;
    (void)recorder_room(r, "Lobby-a", 0, NULL);
    (void)recorder_room(r, "chess", 2, NULL);
    (void)recorder_room(r, "lobby-b", 0, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char cursor[64] = "";
        json_t *doc = fetch(r, rows[i].path, cursor);
        if (json_array_size(json_object_get(doc, "items")) != rows[i].items)
            fail_msg("%s", rows[i].path);
        assert_int_equal(cursor[0] != '\0', i == 5);
        json_decref(doc);
    }
    recorder_free(r);
}

static void bad_parameters_are_told(void **state)
{
    static const char *const rows[] = {
        "limit=0",   "limit=1001", "limit=x",     "limit=",      "after=", "after=1",
        "after=1-2", "after=0-",   "after=0-1-2", "status=open", "status="};
    struct recorder *r = recorder_new();
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)snprintf(path, sizeof(path), A "/shards?%s", rows[i]);
        assert_int_equal(recorder_manage(r, NULL, "GET", path, NULL), 400);
    }
    assert_int_equal(r->core.stats.refusals[REFUSAL_QUERY], sizeof(rows) / sizeof(rows[0]));
    recorder_free(r);
}

static void lists_are_narrowed(void **state)
{
    struct recorder *r = recorder_new();
    struct room *room = recorder_room(r, "r", 3, NULL);
    static const struct {
        const char *path;
        size_t count;
    } rows[] = {
        {"/shards?limit=9", 5},
        {"/shards?room=r", 3},
        {"/shards?room=q&status=active", 2},
        {"/shards?room=r&status=draining", 1},
        {"/shards?status=draining", 1},
        {"/shards?room=x", 0},
        {"/shards?node=n", 0},
    };

    (void)state;
    (void)recorder_room(r, "q", 2, NULL);
    recorder_report(r, recorder_shard(room, 1)->id, 1, "draining");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char cursor[64] = "";
        json_t *doc = fetch(r, rows[i].path, cursor);
        assert_int_equal(json_array_size(json_object_get(doc, "items")), rows[i].count);
        json_decref(doc);
    }
    recorder_free(r);
}

enum { THINGS = 200 };

/* Which of the rooms "r0" to "r199" were seen, and how often. */
static void count_seen(const json_t *doc, unsigned seen[THINGS])
{
    const json_t *items = json_object_get(doc, "items");

    for (size_t i = 0; i < json_array_size(items); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(items, i), "name"));
        seen[strtoul(name + 1, NULL, 10)]++;
    }
}

/* Whatever comes and goes between two pages: what was there all the while is seen once, and nothing
 * twice. */
static void nothing_is_seen_twice_or_missed(void **state)
{
    struct rng rng;

    (void)state;
    rng_seed(&rng, 11);
    for (unsigned round = 0; round < 30; round++) {
        struct recorder *r = recorder_new();
        unsigned seen[THINGS] = {0}, made = 40;
        bool gone[THINGS] = {false};
        char cursor[64] = "", text[64];
        for (unsigned i = 0; i < made; i++) {
            (void)snprintf(text, sizeof(text), "r%u", i);
            (void)recorder_room(r, text, 0, NULL);
        }
        do {
            (void)snprintf(text, sizeof(text), "/rooms?limit=%u", 1 + (unsigned)rng_below(&rng, 9));
            json_t *doc = fetch(r, text, cursor);
            count_seen(doc, seen);
            json_decref(doc);
            for (uint64_t n = rng_below(&rng, 4); n > 0; n--) {
                unsigned victim = (unsigned)rng_below(&rng, made);
                (void)snprintf(text, sizeof(text), A "/rooms/r%u", victim);
                (void)recorder_manage(r, NULL, "DELETE", text, NULL);
                gone[victim] = true;
            }
            if (made < THINGS && rng_below(&rng, 2) == 0) {
                (void)snprintf(text, sizeof(text), "r%u", made++);
                (void)recorder_room(r, text, 0, NULL);
            }
        } while (cursor[0] != '\0');
        for (unsigned i = 0; i < 40; i++) {
            assert_true(seen[i] <= 1);
            assert_true(gone[i] || seen[i] == 1);
        }
        recorder_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_follow_each_other),
        cmocka_unit_test(a_page_goes_on_where_its_last_item_is_gone),
        cmocka_unit_test(a_page_that_is_just_full_is_the_last),
        cmocka_unit_test(pages_have_what_is_looked_for),
        cmocka_unit_test(bad_parameters_are_told),
        cmocka_unit_test(lists_are_narrowed),
        cmocka_unit_test(nothing_is_seen_twice_or_missed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
