#include "world/io/redis/tend.h"

#include "tests/unit/world/io/redis/fake_redis.h"

#define ID    "00000000000000aa"
#define OTHER "00000000000000bb"

struct heard {
    size_t tended, failed, count, peers;
    struct buf news; /* a line for each */
};

static void on_tended(void *ctx, const struct lease_news *news, size_t count,
                      const struct lease_peer *peers, size_t peer_count, int64_t sent_ms)
{
    struct heard *h = ctx;

    assert_true(sent_ms > 0);
    h->tended++;
    h->count = count;
    h->peers = peer_count;
    buf_reset(&h->news);
    for (size_t i = 0; i < count && count < 10; i++)
        buf_addf(&h->news, "%.*s %d %lld %lld %.*s %.*s %.*s\n", SPAN_ARG(news[i].world),
                 (int)news[i].said, (long long)news[i].epoch, (long long)news[i].left_ms,
                 SPAN_ARG(news[i].id), SPAN_ARG(news[i].url), SPAN_ARG(news[i].why));
    for (size_t i = 0; i < peer_count; i++)
        buf_addf(&h->news, "%.*s at %.*s\n", SPAN_ARG(peers[i].id), SPAN_ARG(peers[i].url));
    buf_add_char(&h->news, '\0');
}

static void on_failed(void *ctx)
{
    struct heard *h = ctx;

    h->failed++;
}

static struct tend *make(struct heard *h)
{
    const struct tend_settings settings = {
        .prefix = SPAN("p"), .id = SPAN(ID), .url = SPAN("http://a"), .ttl_ms = 3000};
    const struct tend_events events = {h, on_tended, on_failed};

    *h = (struct heard){0};
    return tend_new(NULL, &settings, &events);
}

static void end(struct tend *t, struct heard *h)
{
    tend_free(t);
    buf_clear(&h->news);
    fake_clear();
}

static void wishes_become_words(void **state)
{
    const struct lease_wish wishes[] = {{SPAN("w1"), LEASE_KEEP, 17, 18},
                                        {SPAN("w2"), LEASE_WANT, 0, 1795281500082},
                                        {SPAN("w4"), LEASE_FREE, 0, 0}};
    struct heard h;
    struct tend *t = make(&h);

    (void)state;
    tend_send(t, wishes, 3);
    assert_int_equal(fake.count, 1);
    assert_string_equal(fake.calls[0].words,
                        "p|" ID
                        "|http://a|1|3000|keep|w1|17|18|want|w2|0|1795281500082|free|w4|0|0");
    end(t, &h);
}

static void answers_become_news(void **state)
{
    const struct lease_wish wishes[] = {{SPAN("w1"), LEASE_KEEP, 17, 17},
                                        {SPAN("w2"), LEASE_WANT, 0, 0},
                                        {SPAN("w3"), LEASE_FREE, 0, 0},
                                        {SPAN("w4"), LEASE_WANT, 0, 0}};
    const struct redis_answer a =
        FAKE_LIST(FAKE_LIST(FAKE_TEXT(OTHER " http://b"), FAKE_TEXT("what is this"), FAKE_TEXT("")),
                  FAKE_LIST(FAKE_LIST(FAKE_TEXT("ours"), FAKE_NUMBER(17)),
                            FAKE_LIST(FAKE_TEXT("others"), FAKE_NUMBER(9), FAKE_NUMBER(250),
                                      FAKE_TEXT(OTHER), FAKE_TEXT("http://b")),
                            FAKE_LIST(FAKE_TEXT("free"), FAKE_NUMBER(3)),
                            FAKE_LIST(FAKE_TEXT("bad"), FAKE_TEXT("is odd"))));
    struct heard h;
    struct tend *t = make(&h);

    (void)state;
    tend_send(t, wishes, 4);
    fake_answer(0, ERR_OK, &a);
    assert_int_equal(h.tended, 1);
    assert_string_equal(h.news.data, "w1 0 17 0   \n"
                                     "w2 1 9 250 " OTHER " http://b \n"
                                     "w3 2 3 0   \n"
                                     "w4 3 0 0   is odd\n" OTHER " at http://b\n");
    end(t, &h);
}

static void many_worlds_go_in_parts(void **state)
{
    enum { MANY = 2 * TEND_WORLDS + 1 };
    struct redis_answer ours = FAKE_LIST(FAKE_TEXT("ours"), FAKE_NUMBER(5));
    struct redis_answer items[TEND_WORLDS], parts[2] = {FAKE_NO_LIST, FAKE_NO_LIST};
    struct redis_answer a = {.type = REDIS_LIST, .count = 2, .list = parts};
    struct lease_wish *wishes = xcalloc(MANY, sizeof(*wishes));
    struct heard h;
    struct tend *t = make(&h);

    (void)state;
    for (size_t i = 0; i < TEND_WORLDS; i++)
        items[i] = ours;
    for (size_t i = 0; i < MANY; i++)
        wishes[i] = (struct lease_wish){SPAN("w"), LEASE_KEEP, 5, 5};
    parts[1].list = items;
    tend_send(t, wishes, MANY);
    assert_int_equal(fake.count, 3);
    assert_int_equal(fake.calls[1].count, 5 + 4 * TEND_WORLDS);
    assert_int_equal(fake.calls[2].count, 5 + 4);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(h.tended, 0);
        parts[1].count = i < 2 ? TEND_WORLDS : 1;
        fake_answer(i, ERR_OK, &a);
    }
    assert_int_equal(h.tended, 1);
    assert_int_equal(h.count, MANY);
    free(wishes);
    end(t, &h);
}

static void without_wishes_peers_are_told(void **state)
{
    const struct redis_answer a = FAKE_LIST(FAKE_LIST(FAKE_TEXT(OTHER " http://b")), FAKE_NO_LIST);
    struct heard h;
    struct tend *t = make(&h);

    (void)state;
    tend_send(t, NULL, 0);
    fake_answer(0, ERR_OK, &a);
    assert_int_equal(h.tended, 1);
    assert_int_equal(h.peers, 1);
    end(t, &h);
}

static void what_is_no_answer_is_a_failure(void **state)
{
    static const struct redis_answer none = FAKE_NO_LIST, number = FAKE_NUMBER(1);
    const struct redis_answer rows[] = {
        {.type = REDIS_ERROR, .text = SPAN("WRONGTYPE p:processes")},
        number,
        none,
        FAKE_LIST(FAKE_NO_LIST, FAKE_NO_LIST),
        FAKE_LIST(FAKE_NUMBER(1), FAKE_LIST(FAKE_LIST(FAKE_TEXT("free"), FAKE_NUMBER(3)))),
        FAKE_LIST(FAKE_LIST(FAKE_NUMBER(1)),
                  FAKE_LIST(FAKE_LIST(FAKE_TEXT("free"), FAKE_NUMBER(3)))),
        FAKE_LIST(FAKE_NO_LIST, FAKE_LIST(FAKE_NUMBER(1))),
        FAKE_LIST(FAKE_NO_LIST, FAKE_LIST(FAKE_NO_LIST)),
        FAKE_LIST(FAKE_NO_LIST, FAKE_LIST(FAKE_LIST(FAKE_TEXT("what")))),
        FAKE_LIST(FAKE_NO_LIST, FAKE_LIST(FAKE_LIST(FAKE_TEXT("ours")))),
        FAKE_LIST(FAKE_NO_LIST, FAKE_LIST(FAKE_LIST(FAKE_TEXT("ours"), FAKE_TEXT("5")))),
        FAKE_LIST(FAKE_NO_LIST, FAKE_LIST(FAKE_LIST(FAKE_TEXT("others"), FAKE_NUMBER(5)))),
        FAKE_LIST(FAKE_NO_LIST, FAKE_LIST(FAKE_LIST(FAKE_TEXT("bad")))),
    };
    const struct lease_wish wish = {SPAN("w"), LEASE_KEEP, 5, 5};
    struct heard h;
    struct tend *t = make(&h);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tend_send(t, &wish, 1);
        fake_answer(i, ERR_OK, &rows[i]);
        assert_int_equal(h.failed, i + 1);
    }
    assert_int_equal(h.tended, 0);
    end(t, &h);
}

static void one_part_that_fails_fails_all_when_all_have_ended(void **state)
{
    struct lease_wish *wishes = xcalloc(TEND_WORLDS + 1, sizeof(*wishes));
    const struct redis_answer good =
        FAKE_LIST(FAKE_NO_LIST, FAKE_LIST(FAKE_LIST(FAKE_TEXT("free"), FAKE_NUMBER(3))));
    struct heard h;
    struct tend *t = make(&h);

    (void)state;
    for (size_t i = 0; i < TEND_WORLDS + 1; i++)
        wishes[i] = (struct lease_wish){SPAN("w"), LEASE_FREE, 0, 0};
    tend_send(t, wishes, TEND_WORLDS + 1);
    fake_answer(0, ERR_TIMEOUT, NULL);
    assert_int_equal(h.failed, 0);
    fake_answer(1, ERR_OK, &good);
    assert_int_equal(h.failed, 1);
    assert_int_equal(h.tended, 0);
    free(wishes);
    end(t, &h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wishes_become_words),
        cmocka_unit_test(answers_become_news),
        cmocka_unit_test(many_worlds_go_in_parts),
        cmocka_unit_test(without_wishes_peers_are_told),
        cmocka_unit_test(what_is_no_answer_is_a_failure),
        cmocka_unit_test(one_part_that_fails_fails_all_when_all_have_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
