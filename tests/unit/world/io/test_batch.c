#include "world/io/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/buf.h"

static void put(struct batch *b, const char *key, const char *value)
{
    batch_put(b, &(struct record){RECORD_ROOM, SPAN("world-a"), span_str(key), span_str(value)});
}

static void take_out(struct batch *b, const char *key)
{
    batch_remove(b, RECORD_ROOM, SPAN("world-a"), span_str(key));
}

/* What a batch would do, as text: -key removes, key=value puts. */
static void assert_batch(const struct batch *b, const char *expected)
{
    struct buf text = {0};

    LIST_EACH (&b->list, it) {
        const struct batch_entry *e = CONTAINER_OF(it, struct batch_entry, node);
        if (e->remove)
            buf_addf(&text, "-%.*s ", SPAN_ARG(e->key));
        if (e->put)
            buf_addf(&text, "%.*s=%.*s ", SPAN_ARG(e->key), SPAN_ARG(e->value));
    }
    buf_add_char(&text, '\0');
    assert_string_equal(text.data, expected);
    buf_clear(&text);
}

static void the_newest_of_each_record_is_kept(void **state)
{
    struct batch b;

    (void)state;
    batch_init(&b);
    put(&b, "a", "1");
    put(&b, "b", "2");
    put(&b, "a", "3");
    assert_batch(&b, "a=3 b=2 ");
    take_out(&b, "a");
    assert_batch(&b, "-a b=2 ");
    put(&b, "a", "4"); /* a new one, and the youngest */
    assert_batch(&b, "b=2 -a a=4 ");
    put(&b, "c", "5");
    put(&b, "a", "6");
    assert_batch(&b, "b=2 -a a=6 c=5 ");
    assert_int_equal(batch_count(&b), 3);
    batch_clear(&b);
    assert_batch(&b, "");
    put(&b, "a", "");
    assert_batch(&b, "a= ");
    batch_clear(&b);
}

static void a_batch_behind_another_is_as_if_they_had_been_one(void **state)
{
    struct batch b, newer;

    (void)state;
    batch_init(&b);
    batch_init(&newer);
    put(&b, "a", "1");
    put(&b, "b", "2");
    put(&b, "c", "3");
    take_out(&b, "d");
    put(&newer, "e", "4");
    put(&newer, "a", "5"); /* it keeps its place */
    take_out(&newer, "b"); /* it is not to be made again */
    take_out(&newer, "c");
    put(&newer, "c", "6"); /* another one, the youngest but one */
    put(&newer, "d", "7");
    batch_merge(&b, &newer);
    assert_batch(&newer, "");
    assert_int_equal(batch_count(&newer), 0);
    assert_batch(&b, "a=5 -b e=4 -c c=6 -d d=7 ");
    batch_take(&newer, &b);
    assert_batch(&b, "");
    put(&newer, "a", "8");
    put(&b, "a", "9");
    assert_batch(&newer, "a=8 -b e=4 -c c=6 -d d=7 ");
    assert_batch(&b, "a=9 ");
    batch_clear(&b);
    batch_take(&b, &newer);
    assert_int_equal(batch_count(&b), 5);
    batch_clear(&b);
}

static void records_differ_by_kind_world_and_key(void **state)
{
    static const struct record rows[] = {
        {RECORD_ROOM, SPAN_INIT("world-a"), SPAN_INIT("k"), SPAN_INIT("v")},
        {RECORD_SHARD, SPAN_INIT("world-a"), SPAN_INIT("k"), SPAN_INIT("v")},
        {RECORD_ROOM, SPAN_INIT("world-b"), SPAN_INIT("k"), SPAN_INIT("v")},
        {RECORD_ROOM, SPAN_INIT("world-a"), SPAN_INIT("k\0"), SPAN_INIT("v")},
        {RECORD_ROOM, SPAN_INIT("world-a"), SPAN_INIT(""), SPAN_INIT("v")},
        {RECORD_ROOM, SPAN_INIT("world-ak"), SPAN_INIT(""), SPAN_INIT("v")},
    };
    struct batch b;

    (void)state;
    batch_init(&b);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        batch_put(&b, &rows[i]);
        batch_put(&b, &rows[i]);
        assert_int_equal(batch_count(&b), i + 1);
    }
    batch_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_of_each_record_is_kept),
        cmocka_unit_test(a_batch_behind_another_is_as_if_they_had_been_one),
        cmocka_unit_test(records_differ_by_kind_world_and_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
