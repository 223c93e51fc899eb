#include "common/proto/report.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_report_is_the_body_of_update_shard(void **state)
{
    (void)state;
    struct buf out = {0};
    report_add(&out, SPAN("r:world-a:1700000000000-1"), SPAN("world-a"), 75);
    struct span want = SPAN("{\"shardId\":\"r:world-a:1700000000000-1\",\"worldId\":\"world-a\","
                            "\"connections\":75}");
    assert_true(span_eq(buf_span(&out), want));
    buf_clear(&out);
}

static void ids_are_escaped(void **state)
{
    (void)state;
    struct buf out = {0};
    report_add(&out, SPAN("a\"\\\n:x:y"), SPAN(""), 0);
    struct span want =
        SPAN("{\"shardId\":\"a\\\"\\\\\\n:x:y\",\"worldId\":\"\",\"connections\":0}");
    assert_true(span_eq(buf_span(&out), want));
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_is_the_body_of_update_shard),
        cmocka_unit_test(ids_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
