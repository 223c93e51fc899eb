#pragma once
/* A real Redis for one test, in a folder of its own, on a free port of loopback, and a connection
 * to it that also asks what the test wants to know. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/net/redis.h"
#include "common/proto/redis_url.h"
#include "tests/unit/common/net/turn_until.h"
#include "tests/unit/world/core/recorder.h"

struct redis_server {
    struct loop *loop;
    char dir[64];
    uint16_t port;
    pid_t pid;
    struct redis_url url;
    struct redis_settings settings;
    struct redis_stats stats;
    struct redis *redis;
    size_t ups;
    void (*up)(void *ctx);
    void *ctx;
    struct buf said; /* the last answer, as text */
    bool answered;
};

static inline uint16_t free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    (void)close(fd);
    return ntohs(at.sin_port);
}

/* Nothing is kept, so one that starts again is empty. */
static inline void redis_server_start(struct redis_server *s)
{
    char port[8];

    (void)snprintf(port, sizeof(port), "%u", s->port);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves none behind */
        if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)
            _exit(127);
        (void)execlp("redis-check-rdb", "redis-server", "--port", port, "--bind", "127.0.0.1",
                     "--dir", s->dir, "--save", "", "--appendonly", "no", NULL);
        _exit(127);
    }
}

static inline void redis_server_stop(struct redis_server *s)
{
    int status;

    (void)kill(s->pid, SIGKILL);
    (void)waitpid(s->pid, &status, 0);
}

static inline void redis_server_up(void *ctx)
{
    struct redis_server *s = ctx;

    s->ups++;
    if (s->up != NULL)
        s->up(s->ctx);
}

static inline void redis_server_down(void *ctx)
{
    (void)ctx;
}

static inline void redis_server_open(struct redis_server *s, struct loop *l)
{
    const struct redis_events events = {.ctx = s, .up = redis_server_up, .down = redis_server_down};
    char url[64];
    const char *why;

    *s = (struct redis_server){.loop = l, .port = free_port(), .dir = "/tmp/terrane-redis-XXXXXX"};
    assert_non_null(mkdtemp(s->dir));
    redis_server_start(s);
    (void)snprintf(url, sizeof(url), "redis://127.0.0.1:%u", s->port);
    assert_int_equal(redis_url_parse(span_str(url), &s->url, &why), ERR_OK);
    s->settings = (struct redis_settings){.url = &s->url, .timeout_ms = 2000};
    s->redis = redis_new(l, &s->settings, &events, &s->stats);
    TURN_UNTIL(s->loop, s->ups > 0);
}

static inline void redis_server_close(struct redis_server *s)
{
    redis_free(s->redis);
    redis_server_stop(s);
    (void)rmdir(s->dir);
    redis_url_clear(&s->url);
    buf_clear(&s->said);
}

static inline void add_answer(struct buf *out, const struct redis_answer *a)
{
    if (a->type == REDIS_TEXT || a->type == REDIS_ERROR)
        buf_add_span(out, a->text);
    if (a->type == REDIS_INTEGER)
        buf_add_i64(out, a->integer);
    for (size_t i = 0; a->type == REDIS_LIST && i < a->count; i++) {
        struct redis_answer item = redis_item(a, i);

        if (i > 0)
            buf_add_char(out, ' ');
        add_answer(out, &item);
    }
}

static inline void redis_server_said(void *ctx, enum err e, const struct redis_answer *a)
{
    struct redis_server *s = ctx;

    assert_int_equal(e, ERR_OK);
    add_answer(&s->said, a);
    buf_add_char(&s->said, '\0');
    s->answered = true;
}

/* The answer to a command whose words are separated by blanks, as text; lists with blanks. A ~ is a
 * blank within a word. */
static inline const char *redis_server_ask(struct redis_server *s, const char *command)
{
    const struct redis_call call = {redis_server_said, s};
    char *text = xstrdup(command);
    struct span rest = span_str(text), words[16];
    size_t count = 0;

    while (count < 16 && span_split(&rest, ' ', &words[count]))
        count++;
    for (char *c = text; *c != '\0'; c++)
        *c = *c == '~' ? ' ' : *c;
    buf_reset(&s->said);
    s->answered = false;
    redis_command(s->redis, words, count, &call);
    free(text);
    TURN_UNTIL(s->loop, s->answered);
    return s->said.data;
}
