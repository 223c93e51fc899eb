#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/frame.h"
#include "common/base/rng.h"

static void assert_owns_nothing(const struct outq *q)
{
    assert_null(q->one);
    assert_int_equal(q->count + q->cap + q->head + q->done, 0);
    assert_int_equal(q->bytes, 0);
}

/* What writev would send, with `max` iovecs at a time. */
static size_t collect(const struct outq *q, int max, struct buf *out)
{
    struct iovec iov[8];
    int filled = outq_iovecs(q, iov, max);
    assert_true(filled <= max);
    for (int i = 0; i < filled; i++)
        buf_add(out, iov[i].iov_base, iov[i].iov_len);
    return out->len;
}

static void the_zeroed_queue_is_empty_and_owns_nothing(void **state)
{
    (void)state;
    struct outq q = {.count = 0};
    struct iovec iov[2];
    assert_int_equal(outq_iovecs(&q, iov, 2), 0);
    assert_null(outq_pop(&q));
    outq_advance(&q, 0);
    outq_add(&q, NULL, 0);
    outq_clear(&q);
    assert_owns_nothing(&q);
}

static void frames_leave_in_the_order_of_their_coming(void **state)
{
    (void)state;
    struct outq q = {.count = 0};
    outq_push(&q, frame_of(SPAN("ab")));
    outq_push(&q, frame_of(SPAN("cd")));
    outq_push(&q, frame_of(SPAN("ef")));
    assert_int_equal(q.bytes, 6);
    struct buf seen = {.len = 0};
    (void)collect(&q, 8, &seen);
    assert_true(span_eq(buf_span(&seen), SPAN("abcdef")));
    buf_reset(&seen);
    (void)collect(&q, 2, &seen);
    assert_true(span_eq(buf_span(&seen), SPAN("abcd")));
    outq_advance(&q, 6);
    assert_owns_nothing(&q);
    buf_clear(&seen);
}

static void the_oldest_frame_can_be_looked_at(void **state)
{
    (void)state;
    struct outq q = {.count = 0};
    struct frame *a = frame_of(SPAN("first")), *b = frame_of(SPAN("second"));
    assert_null(outq_first(&q));
    outq_push(&q, a);
    assert_ptr_equal(outq_first(&q), a);
    outq_advance(&q, 2);
    outq_push(&q, b);
    assert_ptr_equal(outq_first(&q), a);
    outq_advance(&q, 3);
    assert_ptr_equal(outq_first(&q), b);
    outq_clear(&q);
    assert_owns_nothing(&q);
}

static void any_part_can_be_written(void **state)
{
    (void)state;
    for (size_t part = 0; part <= 9; part++) {
        struct outq q = {.count = 0};
        struct buf seen = {.len = 0};
        outq_push(&q, frame_of(SPAN("abc")));
        outq_push(&q, frame_of(SPAN("")));
        outq_push(&q, frame_of(SPAN("defghi")));
        outq_advance(&q, part);
        assert_int_equal(q.bytes, 9 - part);
        (void)collect(&q, 8, &seen);
        assert_true(span_eq(buf_span(&seen), span_slice(SPAN("abcdefghi"), part, 9)));
        outq_advance(&q, 9 - part);
        assert_owns_nothing(&q);
        buf_clear(&seen);
    }
}

static void a_shared_frame_outlives_each_queue(void **state)
{
    (void)state;
    struct outq a = {.count = 0}, b = {.count = 0};
    struct frame *f = frame_of(SPAN("broadcast"));
    outq_push(&a, frame_ref(f));
    outq_push(&b, frame_ref(f));
    assert_int_equal(f->refs, 3);
    outq_advance(&a, 9);
    outq_clear(&b);
    assert_int_equal(f->refs, 1);
    frame_unref(f);
}

static void bytes_are_never_added_to_a_shared_frame(void **state)
{
    (void)state;
    struct outq q = {.count = 0};
    struct frame *f = frame_new(100);
    frame_add(f, "abc", 3);
    outq_push(&q, frame_ref(f));
    outq_add(&q, "def", 3);
    assert_int_equal(f->len, 3);
    assert_int_equal(q.count, 2);
    assert_int_equal(q.bytes, 6);
    outq_clear(&q);
    frame_unref(f);
}

static void small_bytes_share_a_frame(void **state)
{
    (void)state;
    struct outq q = {.count = 0};
    for (int i = 0; i < 100; i++)
        outq_add(&q, "12345678", 8);
    assert_int_equal(q.count, 1);
    assert_int_equal(q.bytes, 800);
    outq_advance(&q, 5);
    outq_add(&q, "9", 1);
    assert_int_equal(q.bytes, 796);
    outq_clear(&q);
    assert_owns_nothing(&q);
}

static void many_small_bytes_need_few_frames(void **state)
{
    enum { TOTAL = 300000 };
    (void)state;
    struct outq q = {.count = 0};
    for (int i = 0; i < TOTAL / 100; i++) {
        char line[100];
        memset(line, 'a' + i % 26, sizeof line);
        outq_add(&q, line, sizeof line);
    }
    assert_int_equal(q.bytes, TOTAL);
    assert_true(q.count < 10);
    for (size_t at = 0; at < TOTAL; at++) {
        struct iovec iov;
        assert_int_equal(outq_iovecs(&q, &iov, 1), 1);
        assert_int_equal(*(const char *)iov.iov_base, 'a' + (int)(at / 100 % 26));
        outq_advance(&q, 1);
    }
    assert_owns_nothing(&q);
}

static void one_large_run_of_bytes_fits(void **state)
{
    (void)state;
    struct outq q = {.count = 0};
    size_t len = 1 << 20;
    char *data = malloc(len);
    assert_non_null(data);
    memset(data, 'x', len);
    outq_add(&q, "ab", 2);
    outq_add(&q, data, len);
    assert_int_equal(q.bytes, len + 2);
    outq_advance(&q, len + 2);
    assert_owns_nothing(&q);
    free(data);
}

static void popping_hands_the_frame_over(void **state)
{
    (void)state;
    struct outq q = {.count = 0};
    struct frame *a = frame_of(SPAN("abc")), *b = frame_of(SPAN("de"));
    outq_push(&q, a);
    outq_push(&q, b);
    assert_ptr_equal(outq_pop(&q), a);
    assert_int_equal(a->refs, 1);
    assert_int_equal(q.bytes, 2);
    assert_ptr_equal(outq_pop(&q), b);
    assert_null(outq_pop(&q));
    assert_owns_nothing(&q);
    frame_unref(a);
    frame_unref(b);
}

/* Against one long text: what comes out is what went in, whatever the sizes. */
static void random_traffic_comes_out_as_it_went_in(void **state)
{
    (void)state;
    struct rng rng;
    struct outq q = {.count = 0};
    struct buf in = {.len = 0};
    size_t written = 0;
    char chunk[3000];
    rng_seed(&rng, 11);
    for (int step = 0; step < 5000; step++) {
        size_t len = (size_t)rng_below(&rng, rng_below(&rng, 20) == 0 ? sizeof chunk : 100);
        for (size_t i = 0; i < len; i++)
            chunk[i] = (char)rng_below(&rng, 256);
        buf_add(&in, chunk, len);
        if (rng_below(&rng, 2) == 0)
            outq_push(&q, frame_of(span_of(chunk, len)));
        else
            outq_add(&q, chunk, len);
        struct buf out = {.len = 0};
        size_t seen = collect(&q, 1 + (int)rng_below(&rng, 8), &out);
        size_t take = (size_t)rng_below(&rng, seen + 1);
        assert_memory_equal(out.len == 0 ? "" : out.data, in.len == 0 ? "" : in.data + written,
                            seen);
        outq_advance(&q, take);
        written += take;
        assert_int_equal(q.bytes, in.len - written);
        buf_clear(&out);
    }
    outq_clear(&q);
    buf_clear(&in);
}

static bool is_lower(const struct frame *f)
{
    return f->data[0] >= 'a';
}

/* Queues one frame for each character: two bytes of it. */
static void push_all(struct outq *q, const char *letters)
{
    for (; *letters != '\0'; letters++)
        outq_push(q, frame_of(span_of((char[]){*letters, *letters}, 2)));
}

static void the_oldest_that_may_go_are_dropped(void **state)
{
    static const struct {
        const char *queued;
        size_t done, bytes;
        const char *left;
        uint32_t dropped;
    } rows[] = {
        {"abcd", 0, 2, "bbccdd", 1},
        {"abcd", 0, 3, "ccdd", 2},
        {"abcd", 1, 1, "accdd", 1},
        {"abcd", 2, 1, "ccdd", 1},
        {"aBcD", 0, 9, "BBDD", 2},
        {"ABcd", 1, 2, "ABBdd", 1},
        {"ABCDEf", 0, 1, "AABBCCDDEE", 1},
        {"AB", 0, 5, "AABB", 0},
        {"a", 0, 1, "", 1},
        {"a", 1, 1, "a", 0},
        {"", 0, 1, "", 0},
        {"abcdefghi", 3, 4, "beeffgghhii", 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct outq q = {.count = 0};
        struct buf seen = {.len = 0};
        push_all(&q, rows[i].queued);
        outq_advance(&q, rows[i].done);
        assert_int_equal(outq_drop(&q, is_lower, rows[i].bytes), rows[i].dropped);
        while (q.bytes > 0) {
            size_t had = seen.len;
            outq_advance(&q, collect(&q, 8, &seen) - had);
        }
        assert_true(span_eq(buf_span(&seen), span_str(rows[i].left)));
        assert_owns_nothing(&q);
        buf_clear(&seen);
    }
}

static void what_was_dropped_leaves_a_sound_ring(void **state)
{
    (void)state;
    struct rng rng;
    struct outq q = {.count = 0};
    rng_seed(&rng, 7);
    for (int i = 0; i < 5000; i++) {
        switch (rng_below(&rng, 3)) {
        case 0:
            (void)outq_drop(&q, is_lower, (size_t)rng_below(&rng, 6));
            break;
        case 1:
            outq_advance(&q, (size_t)rng_below(&rng, q.bytes + 1) / 2);
            break;
        default:
            push_all(&q, rng_below(&rng, 3) == 0 ? "X" : "abc");
        }
        struct iovec iov[4096];
        size_t sum = 0;
        int count = outq_iovecs(&q, iov, 4096);
        for (int k = 0; k < count; k++)
            sum += iov[k].iov_len;
        assert_int_equal(sum, q.bytes);
    }
    outq_clear(&q);
    assert_owns_nothing(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_zeroed_queue_is_empty_and_owns_nothing),
        cmocka_unit_test(frames_leave_in_the_order_of_their_coming),
        cmocka_unit_test(the_oldest_frame_can_be_looked_at),
        cmocka_unit_test(any_part_can_be_written),
        cmocka_unit_test(a_shared_frame_outlives_each_queue),
        cmocka_unit_test(bytes_are_never_added_to_a_shared_frame),
        cmocka_unit_test(small_bytes_share_a_frame),
        cmocka_unit_test(many_small_bytes_need_few_frames),
        cmocka_unit_test(one_large_run_of_bytes_fits),
        cmocka_unit_test(popping_hands_the_frame_over),
        cmocka_unit_test(random_traffic_comes_out_as_it_went_in),
        cmocka_unit_test(the_oldest_that_may_go_are_dropped),
        cmocka_unit_test(what_was_dropped_leaves_a_sound_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
