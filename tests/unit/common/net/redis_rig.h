#pragma once
/* For tests of the connection to Redis: servers whose every byte the test says, and notes of what
 * the connection's owner and the log hear. */
#include "common/net/redis.h"

#include "common/base/log.h"
#include "common/proto/redis_url.h"
#include "tests/unit/common/net/scripted.h"

#define MASTER  "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
#define REPLICA "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:0\r\n"
#define GOOD    MASTER "+PONG\r\n"
#define LOGIN   "*1\r\n$4\r\nROLE\r\n*1\r\n$4\r\nPING\r\n"
enum { LONG_MS = 4000, SHORT_MS = 250 };

static struct loop *loop;
static struct scripted server, other;
static struct redis_url url;
static struct redis_settings settings;
static struct redis_stats stats;
static struct redis *redis;
static struct buf told; /* what the callbacks heard */
static struct buf logged;

/* ---- hearing ---- */

static inline void add_answer(const struct redis_answer *a)
{
    switch (a->type) {
    case REDIS_NIL:
        BUF_ADD_LIT(&told, "nil");
        break;
    case REDIS_INTEGER:
        buf_add_i64(&told, a->integer);
        break;
    case REDIS_ERROR:
        buf_add_char(&told, '-');
        buf_add_span(&told, a->text);
        break;
    case REDIS_TEXT:
        buf_add_span(&told, a->text);
        break;
    case REDIS_LIST:
        for (size_t i = 0; i < a->count; i++) {
            struct redis_answer item = redis_item(a, i);
            buf_add_char(&told, i == 0 ? '[' : ' ');
            add_answer(&item);
        }
        buf_add_char(&told, ']');
    }
}

/* Notes `name:answer` or `name:error`, with both where both came. */
static inline void on_done(void *ctx, enum err e, const struct redis_answer *a)
{
    buf_addf(&told, "%s:", (const char *)ctx);
    if (e != ERR_OK)
        buf_addf(&told, "%s", err_text(e));
    if (a != NULL)
        add_answer(a);
    buf_add_char(&told, ' ');
}

static inline void on_up(void *ctx)
{
    (void)ctx;
    BUF_ADD_LIT(&told, "up ");
}

static inline void on_down(void *ctx)
{
    (void)ctx;
    BUF_ADD_LIT(&told, "down ");
}

static inline void on_log(const char *line, size_t len)
{
    buf_add(&logged, line, len);
}

static inline bool has(const struct buf *b, const char *text)
{
    return b->len > 0 && memmem(b->data, b->len, text, strlen(text)) != NULL;
}

static inline void assert_told(const char *expected)
{
    if (!span_eq(buf_span(&told), span_str(expected)))
        fail_msg("told \"%.*s\", not \"%s\"", SPAN_ARG(buf_span(&told)), expected);
    buf_reset(&told);
}

static inline void assert_got(struct scripted_conn *c, const char *expected)
{
    if (!span_eq(buf_span(&c->got), span_str(expected)))
        fail_msg("got \"%.*s\", not \"%s\"", SPAN_ARG(buf_span(&c->got)), expected);
    buf_reset(&c->got);
}

/* ---- doing ---- */

static inline int set_up(void **state)
{
    (void)state;
    log_open("test", LOG_INFO, LOG_JSON);
    log_capture(on_log);
    loop = loop_new();
    scripted_start(&server, loop);
    scripted_start(&other, loop);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    if (redis != NULL)
        redis_free(redis);
    redis = NULL;
    scripted_stop(&server);
    scripted_stop(&other);
    loop_turn(loop, 0);
    loop_free(loop);
    redis_url_clear(&url);
    buf_clear(&told);
    buf_clear(&logged);
    log_capture(NULL);
    stats = (struct redis_stats){.up = 0};
    return 0;
}

static inline void start_url(const char *text, int64_t timeout_ms)
{
    static const struct redis_events events = {.up = on_up, .down = on_down};
    const char *why = NULL;
    if (redis_url_parse(span_str(text), &url, &why) != ERR_OK)
        fail_msg("%s", why);
    settings = (struct redis_settings){.url = &url, .timeout_ms = timeout_ms};
    redis = redis_new(loop, &settings, &events, &stats);
}

/* The address of the server stands between the two. */
static inline void start(const char *before, const char *after, int64_t timeout_ms)
{
    char text[128];
    (void)snprintf(text, sizeof text, "%s%s%s", before, server.origin.text, after);
    start_url(text, timeout_ms);
}

/* Waits for the n-th connection to say the last of its questions, and answers them. */
static inline struct scripted_conn *login(struct scripted *s, size_t n, const char *last,
                                          const char *answers)
{
    TURN_UNTIL(loop, s->count > n && scripted_has(&s->conns[n], last));
    scripted_say(&s->conns[n], answers);
    return &s->conns[n];
}

static inline struct scripted_conn *up(size_t n)
{
    struct scripted_conn *c = login(&server, n, "PING\r\n", GOOD);
    TURN_UNTIL(loop, redis_is_up(redis));
    buf_reset(&c->got);
    return c;
}

static inline void command(const char *name)
{
    const struct span words[] = {span_str(name)};
    redis_command(redis, words, 1,
                  &(struct redis_call){.done = on_done, .ctx = (void *)(uintptr_t)name});
}

static inline void eval(struct redis_script *script, const char *name)
{
    const struct span words[] = {span_str(name)};
    redis_eval(redis, script, words, 1,
               &(struct redis_call){.done = on_done, .ctx = (void *)(uintptr_t)name});
}
