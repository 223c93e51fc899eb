/* Wishes become words, and answers news. Worlds are answered in the order in which they were asked
 * for; of a call that came to nothing none is told. */
#include "world/io/redis/tend.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "world/io/redis/scripts.h"

enum {
    HEAD_WORDS = 5,
    WISH_WORDS = 4,
    PROCESS_ID_CHARS = 16,
    NUMBER_MAX = 24,
    SAY_AGAIN_MS = 30000
};

/* One run of the script. */
struct tend_part {
    struct tend *tend;
    size_t first, count; /* of its worlds in the news */
};

struct tend {
    struct redis *redis;
    struct tend_settings settings;
    struct tend_events events;
    struct redis_script script;
    struct buf ttl;
    struct buf call; /* its number, as a word */
    uint64_t calls;
    struct tend_part *parts;
    size_t part_count, parts_left;
    bool broken;     /* a part came to nothing */
    struct buf said; /* why, as it was logged last */
    int64_t said_ms; /* monotonic */
    int64_t sent_ms;
    struct lease_news *news; /* spans owned */
    size_t count;
    struct lease_peer *peers; /* ids and urls lie in peer_texts */
    struct span *peer_texts;  /* owned */
    size_t peer_count;
};

static const char *const op_names[] = {
    [LEASE_KEEP] = "keep", [LEASE_WANT] = "want", [LEASE_FREE] = "free"};

/* ---- what is known from the last call */

static void forget_peers(struct tend *t)
{
    for (size_t i = 0; i < t->peer_count; i++)
        span_free(t->peer_texts[i]);
    free(t->peer_texts);
    free(t->peers);
    t->peer_texts = NULL;
    t->peers = NULL;
    t->peer_count = 0;
}

static void forget(struct tend *t)
{
    for (size_t i = 0; i < t->count; i++) {
        span_free(t->news[i].world);
        span_free(t->news[i].id);
        span_free(t->news[i].url);
        span_free(t->news[i].why);
    }
    free(t->news);
    free(t->parts);
    t->news = NULL;
    t->parts = NULL;
    t->count = t->part_count = t->parts_left = 0;
    t->broken = false;
    forget_peers(t);
}

/* ---- reading */

static bool read_text(const struct redis_answer *list, size_t i, struct span *out)
{
    struct redis_answer item = redis_item(list, i);

    *out = item.text;
    return item.type == REDIS_TEXT;
}

static bool read_number(const struct redis_answer *list, size_t i, int64_t *out)
{
    struct redis_answer item = redis_item(list, i);

    *out = item.integer;
    return item.type == REDIS_INTEGER && item.integer >= 0;
}

static bool read_others(const struct redis_answer *a, struct lease_news *out)
{
    struct span id, url;

    if (a->count != 5 || !read_number(a, 1, &out->epoch) || !read_number(a, 2, &out->left_ms) ||
        !read_text(a, 3, &id) || !read_text(a, 4, &url))
        return false;
    out->said = LEASE_IS_OTHERS;
    out->id = span_copy(id);
    out->url = span_copy(url);
    return true;
}

static bool read_bad(const struct redis_answer *a, struct lease_news *out)
{
    struct span why;

    if (a->count != 2 || !read_text(a, 1, &why))
        return false;
    out->said = LEASE_IS_BAD;
    out->why = span_copy(why);
    return true;
}

/* False: no answer of the script. */
static bool read_news(const struct redis_answer *a, struct lease_news *out)
{
    struct span said;

    if (a->type != REDIS_LIST || a->count == 0 || !read_text(a, 0, &said))
        return false;
    if (span_eq(said, SPAN("ours"))) {
        out->said = LEASE_IS_OURS;
        return a->count == 2 && read_number(a, 1, &out->epoch);
    }
    if (span_eq(said, SPAN("others")))
        return read_others(a, out);
    if (span_eq(said, SPAN("bad")))
        return read_bad(a, out);
    out->said = LEASE_IS_FREE;
    return span_eq(said, SPAN("free")) && a->count == 2 && read_number(a, 1, &out->epoch);
}

/* Members that no process of ours can have written are passed over. */
static void read_peer(struct tend *t, struct span text)
{
    struct span *own = &t->peer_texts[t->peer_count];

    if (span_index(text, ' ') != PROCESS_ID_CHARS || text.len == PROCESS_ID_CHARS + 1)
        return;
    *own = span_copy(text);
    t->peers[t->peer_count++] =
        (struct lease_peer){.id = span_slice(*own, 0, PROCESS_ID_CHARS),
                            .url = span_slice(*own, PROCESS_ID_CHARS + 1, own->len)};
}

static bool read_peers(struct tend *t, const struct redis_answer *list)
{
    struct span text;

    forget_peers(t);
    if (list->type != REDIS_LIST)
        return false;
    t->peers = xcalloc(list->count + 1, sizeof(*t->peers));
    t->peer_texts = xcalloc(list->count + 1, sizeof(*t->peer_texts));
    for (size_t i = 0; i < list->count; i++) {
        if (!read_text(list, i, &text))
            return false;
        read_peer(t, text);
    }
    return true;
}

static bool read_answer(struct tend_part *p, const struct redis_answer *a)
{
    struct redis_answer peers, news;

    if (a->type != REDIS_LIST || a->count != 2)
        return false;
    peers = redis_item(a, 0);
    news = redis_item(a, 1);
    if (!read_peers(p->tend, &peers) || news.type != REDIS_LIST || news.count != p->count)
        return false;
    for (size_t i = 0; i < p->count; i++) {
        struct redis_answer item = redis_item(&news, i);

        if (!read_news(&item, &p->tend->news[p->first + i]))
            return false;
    }
    return true;
}

static void complete(struct tend *t)
{
    struct tend done = *t;

    /* Who is told may send again at once. */
    t->news = NULL;
    t->parts = NULL;
    t->peers = NULL;
    t->peer_texts = NULL;
    t->count = t->part_count = t->peer_count = 0;
    if (done.broken)
        t->events.failed(t->events.ctx);
    else
        t->events.tended(t->events.ctx, done.news, done.count, done.peers, done.peer_count,
                         done.sent_ms);
    forget(&done);
}

/* It is tried ten times a second, but said once in a while. */
static void log_broken(struct tend *t, struct span why)
{
    int64_t now = clock_mono_ms();

    if (span_eq(why, buf_span(&t->said)) && now - t->said_ms < SAY_AGAIN_MS)
        return;
    log_error("redis.tend", "reason=%.*s", SPAN_ARG(why));
    buf_reset(&t->said);
    buf_add_span(&t->said, why);
    t->said_ms = now;
}

static void on_answer(void *ctx, enum err e, const struct redis_answer *a)
{
    struct tend_part *p = ctx;
    struct tend *t = p->tend;

    if (e != ERR_OK) {
        t->broken = true;
    } else if (!read_answer(p, a)) {
        t->broken = true;
        log_broken(t, a->type == REDIS_ERROR ? a->text : SPAN("bad-answer"));
    }
    if (--t->parts_left == 0)
        complete(t);
}

/* ---- asking */

/* Adds the words of a wish; the numbers are printed to where they stay. */
static size_t add_wish(struct span *words, char (*numbers)[NUMBER_MAX],
                       const struct lease_wish *wish)
{
    int epoch = snprintf(numbers[0], NUMBER_MAX, "%lld", (long long)wish->epoch);
    int above = snprintf(numbers[1], NUMBER_MAX, "%lld", (long long)wish->above);

    words[0] = span_str(op_names[wish->op]);
    words[1] = wish->world;
    words[2] = span_of(numbers[0], (size_t)epoch);
    words[3] = span_of(numbers[1], (size_t)above);
    return WISH_WORDS;
}

static void send_part(struct tend *t, struct tend_part *p, const struct lease_wish *wishes)
{
    struct span *words = xcalloc(HEAD_WORDS + p->count * WISH_WORDS, sizeof(*words));
    char(*numbers)[NUMBER_MAX] = xcalloc(2 * p->count + 1, sizeof(*numbers));
    struct redis_call call = {.done = on_answer, .ctx = p};
    size_t n = 0;

    words[n++] = t->settings.prefix;
    words[n++] = t->settings.id;
    words[n++] = t->settings.url;
    words[n++] = buf_span(&t->call);
    words[n++] = buf_span(&t->ttl);
    for (size_t i = 0; i < p->count; i++)
        n += add_wish(words + n, numbers + 2 * i, &wishes[i]);
    redis_eval(t->redis, &t->script, words, n, &call);
    free(numbers);
    free(words);
}

struct tend *tend_new(struct redis *redis, const struct tend_settings *settings,
                      const struct tend_events *events)
{
    struct tend *t = xcalloc(1, sizeof(*t));

    assert(settings->id.len == PROCESS_ID_CHARS);
    *t = (struct tend){
        .redis = redis, .settings = *settings, .events = *events, .script.text = tend_lua.ptr};
    buf_add_i64(&t->ttl, settings->ttl_ms);
    return t;
}

void tend_free(struct tend *t)
{
    if (t == NULL)
        return;
    forget(t);
    buf_clear(&t->ttl);
    buf_clear(&t->call);
    buf_clear(&t->said);
    free(t);
}

void tend_send(struct tend *t, const struct lease_wish *wishes, size_t count)
{
    size_t parts = count == 0 ? 1 : (count + TEND_WORLDS - 1) / TEND_WORLDS;

    assert(t->parts_left == 0);
    forget(t);
    buf_reset(&t->call);
    buf_add_u64(&t->call, ++t->calls);
    t->sent_ms = clock_mono_ms();
    t->count = count;
    t->news = xcalloc(count + 1, sizeof(*t->news));
    for (size_t i = 0; i < count; i++)
        t->news[i].world = span_copy(wishes[i].world);
    t->part_count = t->parts_left = parts;
    t->parts = xcalloc(parts, sizeof(*t->parts));
    for (size_t i = 0; i < parts; i++) {
        size_t first = i * TEND_WORLDS, left = count - first;

        t->parts[i] = (struct tend_part){
            .tend = t, .first = first, .count = left < TEND_WORLDS ? left : TEND_WORLDS};
        send_part(t, &t->parts[i], wishes + first);
    }
}
