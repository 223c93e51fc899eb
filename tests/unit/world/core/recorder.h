#pragma once
/* Core on a port that writes down what it was asked: answers, frames, what was stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/proto/http_head.h"
#include "world/core/api/api.h"

#define SHARD_SECRET "shard-secret-of-the-tests"
static const struct secrets recorder_secrets = {SPAN_INIT(SHARD_SECRET)};
#define JWT_SECRET "jwt-secret-of-the-tests-32-bytes!"
/* Signed with JWT_SECRET: {"worlds":["*"]}, {"worlds":["world-a"]}, {"worlds":["*"],"exp":…} of
 * 1700000000, {}, {"worlds":["*"],"scope":"read"}; and the first one signed with another secret. */
#define TOKEN_HEAD "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
#define TOKEN_ALL  TOKEN_HEAD "eyJ3b3JsZHMiOlsiKiJdfQ.69bAJuGf9stJ026VL1f3FZj-Q42X7eMapuiY60PtKjI"
#define TOKEN_A                                                                                    \
    TOKEN_HEAD "eyJ3b3JsZHMiOlsid29ybGQtYSJdfQ.8_FYDlOcS7moKtAU4zssGS2eibOmsK2Q67y6zbSDkZ4"
#define TOKEN_READ_ALL                                                                             \
    TOKEN_HEAD "eyJ3b3JsZHMiOlsiKiJdLCJzY29wZSI6InJlYWQifQ."                                       \
               "J7TM8iqhB26e0_83F_S3d5-srveeFeF9Mw7Qy4Y-tfE"
#define TOKEN_EXPIRED                                                                              \
    TOKEN_HEAD "eyJ3b3JsZHMiOlsiKiJdLCJleHAiOjE3MDAwMDAwMDB9."                                     \
               "3CF7i8F-lzPMa1UwVKcLncQwnnFkcLn4SjVXiZOnniY"
#define TOKEN_NO_WORLDS TOKEN_HEAD "e30.PC_-AgP7auRz0hk5a9Rd4a20bwYiYYKqLQmi79dyhRc"
#define TOKEN_FORGED    TOKEN_HEAD "eyJ3b3JsZHMiOlsiKiJdfQ.Upi3ltPqg-kVqu9spKFHgcRB3g1poVI8c1uiyu7hCKk"

enum { RECORDED_MAX = 64 };

struct recorded_answer {
    struct handle reply;
    int status;
    char *headers, *body;
};

struct recorded_frame {
    size_t sockets;
    uint32_t first; /* slot of the first socket */
    char *text;
};

struct recorded_record {
    enum record_kind kind;
    char *world, *key, *value;
};

struct recorder {
    struct port port;
    struct core_settings settings;
    struct core core;
    struct moment now;
    uint32_t replies; /* handed out */
    struct recorded_answer answers[RECORDED_MAX];
    size_t answer_count; /* all; the last RECORDED_MAX are kept */
    struct recorded_frame frames[RECORDED_MAX];
    size_t frame_count;
    uint64_t tokens[RECORDED_MAX]; /* syncs that were asked for */
    size_t token_count;
    struct recorded_record records[RECORDED_MAX];
    size_t record_count;
    size_t rooms_put, shards_put, shards_deleted;
    struct handle stream; /* the last that was begun */
    struct buf streamed;  /* what was sent to all streams, with a NUL behind it */
    bool stream_slow;     /* the next send finds it gone */
    bool outside;         /* requests come in there */
    struct addr client;   /* from where they come */
    bool hold;            /* syncs wait for recorder_store */
    enum owner owner;
    unsigned ours_left;   /* asked so often, it is another's; 0: it stays */
    bool not_alone;       /* other processes give epochs, too */
    int64_t outdated;     /* the epoch that core told of last */
    const char *why;      /* the world is broken */
    size_t pass_count;    /* requests that were passed on, */
    struct handle passed; /* the last of them */
    size_t closed_count;  /* sockets of admins that core closed */
    size_t ended_count;   /* streams that core ended */
    int64_t wake_ms;
    struct handle probed[RECORDED_MAX]; /* room servers whose answers are awaited */
    char *probed_origins[RECORDED_MAX];
    size_t probe_count;
};

static inline char *recorded_text(struct span s)
{
    return xspandup(s);
}

/* What is behind the members that all problems have, with `{"error"` before it: tests tell errors
 * by that, whatever their form. The members in front are judged here. */
static inline char *recorded_problem(int status, struct span body)
{
    static const char error[] = ",\"error\":", detail[] = "\"detail\":";
    char *text = xspandup(body), *at = strstr(text, error), *said = strstr(text, detail), *left;
    char start[128];
    size_t len;

    (void)snprintf(start, sizeof(start),
                   "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"",
                   http_reason(status), status);
    assert_int_equal(strncmp(text, start, strlen(start)), 0);
    assert_non_null(at);
    said += sizeof(detail) - 1;
    len = (size_t)(at - said);
    assert_int_equal(strncmp(at + sizeof(error) - 1, said, len), 0);
    assert_true(at[sizeof(error) - 1 + len] == ',' || at[sizeof(error) - 1 + len] == '}');
    *at = '{';
    left = strdup(at);
    free(text);
    return left;
}

static inline void recorded_reply(void *ctx, struct handle reply, int status, struct span headers,
                                  struct span body)
{
    struct recorder *r = ctx;
    struct recorded_answer *a = &r->answers[r->answer_count++ % RECORDED_MAX];
    bool problem = span_starts(headers, SPAN("Content-Type: " PROBLEM_TYPE "\r\n"));

    free(a->headers);
    free(a->body);
    *a = (struct recorded_answer){.reply = reply,
                                  .status = status,
                                  .headers = recorded_text(headers),
                                  .body = problem ? recorded_problem(status, body)
                                                  : recorded_text(body)};
}

static inline void recorded_pass(void *ctx, struct handle reply)
{
    struct recorder *r = ctx;

    r->pass_count++;
    r->passed = reply;
}

static inline void recorded_begin(void *ctx, struct handle reply, struct span headers)
{
    struct recorder *r = ctx;

    assert_true(headers.len > 0);
    r->stream = reply;
}

static inline bool recorded_send(void *ctx, struct handle stream, struct span text)
{
    struct recorder *r = ctx;

    assert_false(handle_is_none(stream));
    if (r->stream_slow)
        return false;
    buf_add_span(&r->streamed, text);
    *buf_reserve(&r->streamed, 1) = '\0';
    return true;
}

static inline void recorded_end(void *ctx, struct handle stream)
{
    assert_false(handle_is_none(stream));
    ((struct recorder *)ctx)->ended_count++;
}

static inline void recorded_close(void *ctx, struct handle socket)
{
    assert_false(handle_is_none(socket));
    ((struct recorder *)ctx)->closed_count++;
}

static inline void recorded_publish(void *ctx, const struct handle *sockets, size_t count,
                                    struct span text)
{
    struct recorder *r = ctx;
    struct recorded_frame *f = &r->frames[r->frame_count++ % RECORDED_MAX];

    assert_true(count > 0);
    free(f->text);
    *f = (struct recorded_frame){
        .sockets = count, .first = sockets[0].slot, .text = recorded_text(text)};
}

static inline void recorded_put(void *ctx, const struct record *record)
{
    struct recorder *r = ctx;
    struct recorded_record *last = &r->records[r->record_count++ % RECORDED_MAX];

    r->rooms_put += record->kind == RECORD_ROOM;
    r->shards_put += record->kind == RECORD_SHARD;
    free(last->world);
    free(last->key);
    free(last->value);
    *last = (struct recorded_record){.kind = record->kind,
                                     .world = recorded_text(record->world),
                                     .key = recorded_text(record->key),
                                     .value = recorded_text(record->value)};
}

static inline void recorded_remove(void *ctx, enum record_kind kind, struct span world,
                                   struct span key)
{
    assert_true(world.len > 0 && key.ptr != NULL);
    ((struct recorder *)ctx)->shards_deleted += kind == RECORD_SHARD;
}

static inline void recorded_sync(void *ctx, struct span world, uint64_t token)
{
    struct recorder *r = ctx;

    assert_true(world.len > 0);
    assert_true(r->token_count < RECORDED_MAX);
    r->tokens[r->token_count++] = token;
}

static inline enum owner recorded_owner(void *ctx, struct span world)
{
    struct recorder *r = ctx;
    enum owner was = r->owner;

    assert_true(world.len > 0);
    if (r->ours_left > 0 && --r->ours_left == 0)
        r->owner = OWNER_OTHER;
    return was;
}

static inline bool recorded_outdated(void *ctx, struct span world, int64_t seen)
{
    struct recorder *r = ctx;

    assert_true(world.len > 0);
    r->outdated = seen;
    return !r->not_alone;
}

static inline bool recorded_idle(void *ctx, struct span world)
{
    assert_true(world.len > 0);
    return !((struct recorder *)ctx)->not_alone;
}

static inline struct span recorded_why(void *ctx, struct span world)
{
    assert_true(world.len > 0);
    return span_str(((struct recorder *)ctx)->why);
}

static inline void recorded_wake(void *ctx, int64_t due_ms)
{
    ((struct recorder *)ctx)->wake_ms = due_ms;
}

static inline void recorded_probe(void *ctx, struct handle server, struct span origin)
{
    struct recorder *r = ctx;

    assert_true(r->probe_count < RECORDED_MAX);
    r->probed[r->probe_count] = server;
    r->probed_origins[r->probe_count++] = recorded_text(origin);
}

/* A recorder whose worlds have these room servers, in the form of the setting. */
static inline struct recorder *recorder_new_with(const char *servers)
{
    struct recorder *r = xcalloc(1, sizeof(*r));
    struct token_keys *keys = NULL;
    struct rng rng;

    assert_int_equal(token_keys_new(&keys, TOKEN_HS256, SPAN(JWT_SECRET)), ERR_OK);
    r->settings = (struct core_settings){.secrets = &recorder_secrets,
                                         .keys = keys,
                                         .url_template = SPAN("{shardId}"),
                                         .max_room_shards = 50,
                                         .strangers = {.max = 10000, .per_s = 100, .worlds = 1000}};
    r->port = (struct port){
        .reply = {r, recorded_reply, recorded_pass},
        .stream = {r, recorded_begin, recorded_send, recorded_end},
        .feed = {r, recorded_publish, recorded_close},
        .store = {r, recorded_put, recorded_remove, recorded_sync},
        .owner = {r, recorded_owner, recorded_outdated, recorded_idle, recorded_why},
        .ticker = {r, recorded_wake},
        .probe = {r, recorded_probe},
    };
    r->settings.room_servers = span_str(servers);
    r->now = (struct moment){.mono_ms = 1000, .wall_ms = 1760000000000};
    rng_seed(&rng, 7);
    core_init(&r->core, &r->port, &r->settings, &rng, r->now);
    return r;
}

static inline struct recorder *recorder_new(void)
{
    return recorder_new_with("");
}

static inline void recorder_free(struct recorder *r)
{
    for (size_t i = 0; i < r->probe_count; i++)
        free(r->probed_origins[i]);
    for (size_t i = 0; i < RECORDED_MAX; i++) {
        free(r->answers[i].headers);
        free(r->answers[i].body);
        free(r->frames[i].text);
        free(r->records[i].world);
        free(r->records[i].key);
        free(r->records[i].value);
    }
    core_clear(&r->core);
    buf_clear(&r->streamed);
    token_keys_free((struct token_keys *)(uintptr_t)r->settings.keys);
    free(r);
}

/* Completes the syncs asked for so far. */
static inline void recorder_store(struct recorder *r, enum err e)
{
    size_t count = r->token_count;

    r->token_count = 0;
    for (size_t i = 0; i < count; i++)
        core_stored(&r->core, r->tokens[i], e);
}

static inline void recorder_pass(struct recorder *r, int64_t ms)
{
    r->now.mono_ms += ms;
    r->now.wall_ms += ms;
    if (r->now.mono_ms >= r->wake_ms)
        core_tick(&r->core, r->now);
}

static inline const struct recorded_answer *recorder_last(const struct recorder *r)
{
    assert_true(r->answer_count > 0);
    return &r->answers[(r->answer_count - 1) % RECORDED_MAX];
}

/* A whole request; answers its status, 0 when there is no answer yet. */
static inline int recorder_ask(struct recorder *r, const char *method, const char *path,
                               const struct credentials *credentials, struct span body)
{
    struct api_request request = {
        .reply = {.slot = ++r->replies, .gen = 1},
        .method = span_str(method),
        .path = span_str(path),
        .credentials = *credentials,
        .body = body,
        .outside = r->outside,
        .client = r->client,
    };
    size_t before = r->answer_count;

    api_handle(&r->core, &request, r->now);
    if (!r->hold)
        recorder_store(r, ERR_OK);
    if (r->answer_count == before)
        return 0;
    assert_int_equal(r->answer_count, before + 1);
    assert_int_equal(recorder_last(r)->reply.slot, request.reply.slot);
    return recorder_last(r)->status;
}

/* A request below /api/v1 with a token (NULL: TOKEN_A), whose path may have a query. */
static inline int recorder_manage(struct recorder *r, const char *token, const char *method,
                                  const char *path, const char *body)
{
    struct span target = span_str(path), at = target;
    struct credentials c = {.authorization = span_str(token == NULL ? TOKEN_A : token)};
    size_t mark = span_index(target, '?');
    char *plain = xspandup(span_slice(at, 0, mark));
    int status;

    c.query = span_slice(target, mark + 1, target.len);
    status = recorder_ask(r, method, plain, &c, span_str(body == NULL ? "" : body));
    free(plain);
    return status;
}

/* POST to world-a with the shard secret. */
static inline int recorder_post(struct recorder *r, const char *verb, const char *body)
{
    struct credentials secret = {.access_count = 1, .access = SPAN(SHARD_SECRET)};
    char path[64];

    (void)snprintf(path, sizeof(path), "/parties/world/world-a%s", verb);
    return recorder_ask(r, "POST", path, &secret, span_str(body));
}

/* Registers a room of world-a with these shards, 10 clients each; round-robin unless said. */
static inline struct room *recorder_room(struct recorder *r, const char *name, unsigned shards,
                                         const char *strategy)
{
    char body[256];

    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"%s\",\"balancingStrategy\":\"%s\",\"public\":true,"
                   "\"maxPlayersPerShard\":10,\"minShards\":%u}",
                   name, strategy == NULL ? "round-robin" : strategy, shards);
    assert_int_equal(recorder_post(r, "/register-room", body), 200);
    return world_room(registry_world(&r->core.registry, SPAN("world-a")), span_str(name));
}

/* The n-th shard of a room in creation order. */
static inline struct shard *recorder_shard(const struct room *room, unsigned n)
{
    uint32_t at = 0;
    struct candidate *c = candidates_next(&room->candidates, &at);

    while (n-- > 0)
        c = candidates_next(&room->candidates, &at);
    assert_non_null(c);
    return shard_of_candidate(c);
}

/* Reports a count, and a status if it is not NULL. Answers the status code. */
static inline int recorder_report(struct recorder *r, struct span shard, unsigned open,
                                  const char *status)
{
    char body[512];

    (void)snprintf(body, sizeof(body), "{\"shardId\":\"%.*s\",\"connections\":%u%s%s%s}",
                   SPAN_ARG(shard), open, status == NULL ? "" : ",\"status\":\"",
                   status == NULL ? "" : status, status == NULL ? "" : "\"");
    return recorder_post(r, "/update-shard", body);
}
