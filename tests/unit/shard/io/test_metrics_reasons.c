/* Whatever is counted by reason is shown. */
#include "shard/io/metrics_reasons.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_line(const char *text, const char *metric, const char *reason, int count)
{
    struct buf line = {.len = 0};
    buf_addf(&line, "\nterrane_shard_%s{reason=\"%s\"} %d\n%c", metric, reason, count, 0);
    if (strstr(text, line.data) == NULL)
        fail_msg("not there: %s", line.data);
    buf_clear(&line);
}

static void every_reason_is_a_sample(void **state)
{
    struct node_stats node = {.clients = 0};
    struct io_stats io = {.forwards_now = 0};
    struct buf out = {.len = 0};
    (void)state;
    for (int r = 0; r < NODE_REASON_COUNT; r++)
        node.reasons[r] = 100 + (uint64_t)r;
    for (int r = 0; r < REFUSAL_COUNT; r++)
        io.refusals[r] = 200 + (uint64_t)r;
    metrics_add_reasons(&out, &node, &io, false);
    buf_add_char(&out, '\0');
    for (int r = 0; r < NODE_REASON_COUNT; r++) {
        const char *name = node_reason_text((enum node_reason)r);
        bool ended = r < NODE_REFUSED_FULL;
        assert_true(ended || strncmp(name, "refused_", 8) == 0);
        assert_line(out.data, ended ? "client_ends_total" : "refusals_total",
                    ended ? name : name + 8, 100 + r);
    }
    for (int r = 0; r < REFUSAL_COUNT; r++)
        assert_line(out.data, "refusals_total", refusal_text((enum refusal)r), 200 + r);
    buf_clear(&out);
}

static void no_two_samples_have_the_same_name(void **state)
{
    (void)state;
    for (int r = NODE_REFUSED_FULL; r < NODE_REASON_COUNT; r++)
        for (int k = 0; k < REFUSAL_COUNT; k++)
            assert_string_not_equal(node_reason_text((enum node_reason)r) + 8,
                                    refusal_text((enum refusal)k));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_is_a_sample),
        cmocka_unit_test(no_two_samples_have_the_same_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
