/* Lists of origins, and which of them has a room. */
#include "common/proto/origins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct origins parse(const char *text)
{
    struct origins o;
    struct span bad;
    assert_int_equal(origins_parse(&o, span_str(text), &bad), ERR_OK);
    return o;
}

static const char *choice(const struct origins *o, unsigned key)
{
    struct buf name = {0};
    buf_addf(&name, "room-%u", key);
    const char *text = origins_choose(o, buf_span(&name))->text;
    buf_clear(&name);
    return text;
}

static void list_is_split_and_trimmed(void **state)
{
    struct origins o = parse(" http://a:1 ,http://b , http://[::1]:3");
    (void)state;
    assert_int_equal(o.count, 3);
    assert_string_equal(o.list[0].text, "a:1");
    assert_string_equal(o.list[1].text, "b");
    assert_string_equal(o.list[2].host, "::1");
    origins_clear(&o);
}

static void empty_list_chooses_nothing(void **state)
{
    struct origins o = parse("  ");
    (void)state;
    assert_int_equal(o.count, 0);
    assert_null(origins_choose(&o, SPAN("room")));
}

static void part_at_fault_is_named(void **state)
{
    static const struct {
        const char *text, *bad;
    } rows[] = {
        {"http://a:1,,http://b:2", ""},
        {"http://a:1, ftp://b ", "ftp://b"},
        {"a:1", "a:1"},
        {"http://a:1/path", "http://a:1/path"},
        {",", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct origins o;
        struct span bad;
        assert_int_equal(origins_parse(&o, span_str(rows[i].text), &bad), ERR_SYNTAX);
        assert_true(span_eq(bad, span_str(rows[i].bad)));
        assert_int_equal(o.count, 0);
    }
}

static void order_of_the_list_does_not_matter(void **state)
{
    struct origins a = parse("http://a:1,http://b:2,http://c:3");
    struct origins b = parse("http://c:3/,http://a:1,http://b:2");
    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        assert_string_equal(choice(&a, i), choice(&b, i));
    origins_clear(&a);
    origins_clear(&b);
}

static void rooms_are_spread_evenly(void **state)
{
    struct origins o = parse("http://a:1,http://b:2,http://c:3,http://d:4");
    unsigned counts[4] = {0};
    (void)state;
    for (unsigned i = 0; i < 10000; i++)
        counts[choice(&o, i)[0] - 'a']++;
    for (size_t i = 0; i < 4; i++)
        assert_in_range(counts[i], 2300, 2700);
    origins_clear(&o);
}

static void losing_a_server_moves_only_its_own_rooms(void **state)
{
    struct origins all = parse("http://a:1,http://b:2,http://c:3");
    struct origins fewer = parse("http://a:1,http://c:3");
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        const char *before = choice(&all, i);
        if (strcmp(before, "b:2") != 0)
            assert_string_equal(choice(&fewer, i), before);
    }
    origins_clear(&all);
    origins_clear(&fewer);
}

/* Nodes of two versions must send a room to the same server, so the function may never change. */
static void choice_is_the_same_for_ever(void **state)
{
    static const char wanted[] = "acbbccaabccbbacb";
    struct origins o = parse("http://a:1,http://b:2,http://c:3");
    char got[sizeof wanted] = {0};
    (void)state;
    for (unsigned i = 0; i < sizeof wanted - 1; i++)
        got[i] = choice(&o, i)[0];
    assert_string_equal(got, wanted);
    origins_clear(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_is_split_and_trimmed),
        cmocka_unit_test(empty_list_chooses_nothing),
        cmocka_unit_test(part_at_fault_is_named),
        cmocka_unit_test(order_of_the_list_does_not_matter),
        cmocka_unit_test(rooms_are_spread_evenly),
        cmocka_unit_test(losing_a_server_moves_only_its_own_rooms),
        cmocka_unit_test(choice_is_the_same_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
