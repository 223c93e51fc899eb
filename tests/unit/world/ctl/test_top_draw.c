#include "world/ctl/top_draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define OVERVIEW(now, placed, refused)                                                             \
    "{\"world\":\"world-a\",\"now\":" now ",\"rooms\":2,\"shards\":{\"total\":3,\"active\":2,"     \
    "\"draining\":1},\"nodes\":{\"alive\":1,\"dead\":1},\"servers\":{\"up\":1,\"down\":1},"        \
    "\"connections\":80,\"reserved\":2,\"returning\":1,\"capacity\":150,"                          \
    "\"findings\":{\"error\":1,\"warning\":0,\"notice\":0},\"process\":{\"lagMs\":3,"              \
    "\"placements\":" placed ",\"refusals\":{\"no-capacity\":" refused "}}}"

#define ROOMS                                                                                      \
    "{\"items\":[{\"name\":\"lobby\",\"balancingStrategy\":\"round-robin\",\"shards\":{\"total\""  \
    ":1,\"active\":1},\"currentConnections\":5,\"reserved\":0,\"returning\":0,\"maxConnections\":" \
    "75},{\"name\":\"a room with a very long name that no screen has a place for\","               \
    "\"balancingStrategy\":\"hash\",\"shards\":{\"total\":2,\"active\":1,\"draining\":1},"         \
    "\"currentConnections\":74,\"reserved\":1,\"returning\":0,\"maxConnections\":75,"              \
    "\"server\":\"http://127.0.0.1:3000\"}],\"next\":null}"

static struct top_view v;
static struct top_data d;
static struct top_rows rows;
static struct canvas c;

static int begin(void **state)
{
    (void)state;
    d = (struct top_data){.world = SPAN("world-a"), .url = SPAN("http://127.0.0.1:3002")};
    top_view_init(&v);
    top_data_overview(&d, json_decode(SPAN(OVERVIEW("1700000000000", "100", "5"))));
    top_data_overview(&d, json_decode(SPAN(OVERVIEW("1700000002000", "125", "6"))));
    assert_true(top_data_list(&d, TOP_ROOMS, json_decode(SPAN(ROOMS))));
    return 0;
}

static int end(void **state)
{
    (void)state;
    top_view_clear(&v);
    top_data_clear(&d);
    top_rows_clear(&rows);
    canvas_clear(&c);
    return 0;
}

static void draw(int width, int height)
{
    struct top_order order = top_view_order(&v);
    top_rows_make(&rows, d.lists[v.page], &order, d.now_ms);
    canvas_reset(&c, width, height);
    top_view_settle(&v, &rows, top_draw_height(width, height, &d));
    assert_int_equal(top_draw(&c, &v, &d, &rows), top_draw_height(width, height, &d));
}

static void picture_is(const char *const want[], size_t count)
{
    assert_int_equal(c.height, count);
    for (size_t i = 0; i < count; i++) {
        struct buf row = {0};
        canvas_add_row(&c, (int)i, &row);
        if (!span_eq(buf_span(&row), span_str(want[i])))
            fail_msg("row %zu is\n%.*s\nnot\n%s", i, SPAN_ARG(buf_span(&row)), want[i]);
        buf_clear(&row);
    }
}
#define PICTURE_IS(want) picture_is(want, sizeof(want) / sizeof((want)[0]))

static void rooms_fit_80_columns(void **state)
{
    static const char *const want[] = {
        "world-a  http://127.0.0.1:3002",
        "errors 1   (worldctl doctor)   clients 80/150 (53%)   nodes 1/2 alive",
        "room servers down 1   draining shards 1   refusals 0.5/s   placements 12.5/s",
        "lag 3ms   kept seats 3",
        " 1 rooms  2 nodes  3 shards  4 servers   2 shown",
        "ROOM                              STATE            CLIENTS▼ LOAD          SHARDS",
        "a room with a very long name tha… full                75/75 ##########       1/2",
        "lobby                             ok                   5/75 #.........       1/1",
        "",
        "q quit  ? help  Tab page  / filter  s sort  d drain  u undrain",
    };
    (void)state;
    draw(80, 10);
    PICTURE_IS(want);
    assert_int_equal(canvas_at(&c, 6, 0)->ink, INK_PICKED);
    assert_int_equal(canvas_at(&c, 7, 34)->ink, INK_GOOD);
    assert_int_equal(canvas_at(&c, 1, 0)->ink, INK_BAD);
}

static void forty_columns_keep_what_matters(void **state)
{
    static const char *const want[] = {
        "world-a  http://127.0.0.1:3002",           "errors 1   (worldctl doctor)",
        "clients 80/150 (53%)   nodes 1/2 alive",   "room servers down 1   draining shards 1",
        " 1 rooms  2 nodes  3 shards  4 servers",   "ROOM                            CLIENTS▼",
        "a room with a very long n…         75/75", "q quit  ? help  Tab page  / filter  s s…",
    };
    (void)state;
    draw(40, 8);
    PICTURE_IS(want);
}

static void a_world_that_is_not_reached_is_said(void **state)
{
    struct buf row = {0};
    (void)state;
    BUF_ADD_LIT(&d.trouble, "127.0.0.1:3002: connection refused");
    draw(80, 24);
    canvas_add_row(&c, 1, &row);
    assert_true(
        span_eq(buf_span(&row), SPAN("not reached, trying   127.0.0.1:3002: connection refused")));
    buf_clear(&row);
}

static void the_last_line_asks_and_answers(void **state)
{
    struct buf row = {0};
    (void)state;
    v.page = TOP_NODES;
    assert_true(top_data_list(&d, TOP_NODES,
                              json_decode(SPAN("{\"items\":[{\"node\":\"n1\",\"state\":\"alive\","
                                               "\"draining\":true}],\"next\":\"x\"}"))));
    assert_true(d.more[TOP_NODES]);
    draw(80, 24);
    assert_int_equal(top_view_key(&v, 'd', &rows, 10), TOP_NOTHING);
    draw(80, 24);
    canvas_add_row(&c, 23, &row);
    assert_true(span_eq(buf_span(&row), SPAN("Drain node n1? Newcomers go elsewhere. y/N")));
    buf_clear(&row);
}

static void no_size_is_too_small(void **state)
{
    (void)state;
    for (int width = 0; width < 60; width += 1 + width / 4)
        for (int height = 0; height < 12; height += 1 + height / 4)
            for (int page = 0; page < TOP_PAGE_COUNT; page++) {
                v.page = (enum top_page)page;
                draw(width, height);
                v.mode = TOP_HELP;
                draw(width, height);
                v.mode = TOP_BROWSE;
            }
}

static void a_world_that_began_anew_has_no_rates(void **state)
{
    (void)state;
    assert_true(d.rates);
    top_data_overview(&d, json_decode(SPAN(OVERVIEW("1700000003000", "0", "0"))));
    assert_false(d.rates);
    assert_false(top_data_list(&d, TOP_ROOMS, json_decode(SPAN("{\"error\":\"x\"}"))));
    assert_int_equal(json_array_size(d.lists[TOP_ROOMS]), 2);
}

static void durations_are_short(void **state)
{
    static const struct {
        double ms;
        const char *want;
    } times[] = {{0, "0ms"},       {999, "999ms"},     {1500, "1.5s"},
                 {61000, "1m 1s"}, {3720000, "1h 2m"}, {90000000, "1d 1h"}};
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct buf text = {0};
        top_add_ms(&text, times[i].ms);
        assert_true(span_eq(buf_span(&text), span_str(times[i].want)));
        buf_clear(&text);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rooms_fit_80_columns),
        TEST(forty_columns_keep_what_matters),
        TEST(a_world_that_is_not_reached_is_said),
        TEST(the_last_line_asks_and_answers),
        TEST(no_size_is_too_small),
        TEST(a_world_that_began_anew_has_no_rates),
        TEST(durations_are_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
