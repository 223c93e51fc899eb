/* Redis as one end of a copy. Every world is read in one step; to be written it is leased like any
 * owner's, all of them before the first, so that a refusal changes nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/rng.h"
#include "common/proto/redis_url.h"
#include "world/io/copy/copy.h"
#include "world/io/redis/scripts.h"
#include "world/io/redis/tend.h"
#include "world/io/redis/world_commit.h"
#include "world/io/redis/world_records.h"

enum {
    ID_BYTES = 8,
    ID_CHARS = 2 * ID_BYTES,
    TIMEOUT_MS = 30 * 1000, /* of a command: nobody waits for it */
    UP_MS = 5000,           /* until there must be a connection */
    LEASE_MS = 60 * 1000,
    CLOCK_LEAD_MS = 1000,
};

/* Nobody is there: requests that are passed on meanwhile wait for another owner. */
#define NOWHERE "http://127.0.0.1:1"

/* A world of the set. */
struct target {
    struct span world; /* borrowed from the set */
    struct batch batch;
    int64_t epoch, rev;
};

struct session {
    const struct copy_end *end;
    struct loop *loop;
    struct redis_url url;
    struct redis_settings settings;
    struct redis_stats stats;
    struct redis *redis;
    struct tend *tend;
    char id[ID_CHARS + 1];
    struct redis_script commit, load;
    struct target *targets;
    size_t target_count;
    bool answered; /* what was asked last */
    enum err e;    /* how it went, */
    struct buf *why;
    struct span world; /* whom it was about */
    struct batch *out; /* where records are read to; NULL: they are counted */
    size_t found;
    int64_t rev;
    struct buf worlds; /* names, each with a NUL behind it */
};

/* ---- asking */

static enum err finish(struct session *s)
{
    while (!s->answered)
        loop_turn(s->loop, 100);
    s->answered = false;
    return s->e;
}

static void answered(struct session *s, enum err e)
{
    s->answered = true;
    s->e = e;
}

/* False: it came to nothing, and that is said. */
static bool is_answer(struct session *s, enum err e, const struct redis_answer *a)
{
    if (e == ERR_OK && a->type != REDIS_ERROR)
        return true;
    if (a != NULL)
        buf_addf(s->why, "Redis says: %.*s", SPAN_ARG(a->text));
    else
        buf_add_span(s->why, redis_why(e, NULL));
    answered(s, ERR_IO);
    return false;
}

static void on_worlds(void *ctx, enum err e, const struct redis_answer *a)
{
    struct session *s = ctx;

    if (!is_answer(s, e, a))
        return;
    for (size_t i = 0; a->type == REDIS_LIST && i < a->count; i++) {
        buf_add_span(&s->worlds, redis_item(a, i).text);
        buf_add_char(&s->worlds, '\0');
    }
    answered(s, ERR_OK);
}

static enum err ask_worlds(struct session *s)
{
    const struct redis_call call = {on_worlds, s};
    struct buf key = {0};
    struct span words[2] = {SPAN("SMEMBERS")};

    if (s->end->only.len > 0) {
        buf_add_span(&s->worlds, s->end->only);
        buf_add_char(&s->worlds, '\0');
        return ERR_OK;
    }
    buf_addf(&key, "%.*s:worlds", SPAN_ARG(s->end->prefix));
    words[1] = buf_span(&key);
    redis_command(s->redis, words, 2, &call);
    buf_clear(&key);
    return finish(s);
}

static void on_records(void *ctx, enum err e, const struct redis_answer *a)
{
    struct session *s = ctx;
    struct world_records records;

    if (!is_answer(s, e, a))
        return;
    e = world_records_read(&records, s->end->prefix, s->world, a, s->why);
    if (e == ERR_OK) {
        s->found = records.count;
        s->rev = records.rev;
        for (size_t i = 0; s->out != NULL && i < records.count; i++)
            batch_put(s->out, &records.list[i].record);
        world_records_clear(&records);
    }
    answered(s, e);
}

static enum err ask_records(struct session *s, struct span world, struct batch *out)
{
    const struct redis_call call = {on_records, s};

    s->world = world;
    s->out = out;
    world_records_ask(s->redis, &s->load, s->end->prefix, world, &call);
    return finish(s);
}

/* ---- leases */

static void on_tended(void *ctx, const struct lease_news *news, size_t count,
                      const struct lease_peer *peers, size_t peer_count, int64_t sent_ms)
{
    struct session *s = ctx;

    (void)peers;
    (void)peer_count;
    (void)sent_ms;
    answered(s, ERR_OK);
    for (size_t i = 0; i < count; i++) {
        s->targets[i].epoch = news[i].said == LEASE_IS_OURS ? news[i].epoch : 0;
        if (s->e != ERR_OK)
            continue;
        if (news[i].said == LEASE_IS_OTHERS)
            buf_addf(s->why, "world \"%.*s\" is in use by the world process at %.*s",
                     SPAN_ARG(news[i].world), SPAN_ARG(news[i].url));
        if (news[i].said == LEASE_IS_BAD)
            buf_add_span(s->why, news[i].why);
        if (news[i].said == LEASE_IS_OTHERS || news[i].said == LEASE_IS_BAD)
            s->e = ERR_DENIED;
    }
}

static void on_tend_failed(void *ctx)
{
    struct session *s = ctx;

    BUF_ADD_LIT(s->why, "Redis does not answer as it should");
    answered(s, ERR_IO);
}

static enum err tend_all(struct session *s, enum lease_op op)
{
    struct lease_wish *wishes = xcalloc(s->target_count + 1, sizeof(*wishes));

    for (size_t i = 0; i < s->target_count; i++)
        wishes[i] = (struct lease_wish){.world = s->targets[i].world, .op = op};
    tend_send(s->tend, wishes, s->target_count);
    free(wishes);
    return finish(s);
}

/* ---- the set, by worlds */

static struct target *find_target(struct session *s, struct map *index, struct span world)
{
    struct target *t = map_get(index, world);

    if (t != NULL)
        return t;
    t = &s->targets[s->target_count++];
    t->world = world;
    batch_init(&t->batch);
    map_add(index, world, t);
    return t;
}

static void split(struct session *s, const struct batch *set)
{
    struct map index = {0};

    s->targets = xcalloc(batch_count(set) + 1, sizeof(*s->targets));
    LIST_EACH (&set->list, it) {
        const struct batch_entry *e = CONTAINER_OF(it, struct batch_entry, node);
        const struct record r = {
            .kind = e->kind, .world = e->world, .key = e->key, .value = e->value};

        batch_put(&find_target(s, &index, e->world)->batch, &r);
    }
    map_clear(&index);
}

/* ---- writing */

static void on_commit(void *ctx, enum err e, const struct redis_answer *a)
{
    struct session *s = ctx;
    struct world_commit_answer said;

    if (!is_answer(s, e, a))
        return;
    said = world_commit_read(a);
    if (said.said != COMMIT_OK)
        buf_addf(s->why, "world \"%.*s\" cannot be written: %.*s", SPAN_ARG(s->world),
                 SPAN_ARG(said.said == COMMIT_BAD ? said.why : SPAN("somebody else writes to it")));
    answered(s, said.said == COMMIT_OK ? ERR_OK : ERR_DENIED);
}

static enum err write_world(struct session *s, const struct target *t)
{
    const struct redis_call call = {on_commit, s};
    const struct world_commit commit = {.prefix = s->end->prefix,
                                        .world = t->world,
                                        .id = span_of(s->id, ID_CHARS),
                                        .epoch = t->epoch,
                                        .low = t->rev,
                                        .high = t->rev,
                                        .clock_ms = clock_wall_ms() + CLOCK_LEAD_MS,
                                        .clear = true,
                                        .batch = &t->batch};

    s->world = t->world;
    world_commit_send(s->redis, &s->commit, &commit, &call);
    return finish(s);
}

static enum err check_target(struct session *s, struct target *t)
{
    enum err e = ask_records(s, t->world, NULL);

    t->rev = s->rev;
    if (e == ERR_OK && s->found > 0 && !s->end->replace)
        return copy_refuse(s->why, t->world);
    return e;
}

static enum err write_all(struct session *s)
{
    enum err e = tend_all(s, LEASE_WANT);

    for (size_t i = 0; e == ERR_OK && i < s->target_count; i++)
        e = check_target(s, &s->targets[i]);
    for (size_t i = 0; e == ERR_OK && i < s->target_count; i++) {
        e = write_world(s, &s->targets[i]);
        if (e == ERR_OK)
            (void)fprintf(stderr, "wrote world %zu of %zu: %.*s\n", i + 1, s->target_count,
                          SPAN_ARG(s->targets[i].world));
    }
    return e;
}

/* ---- */

static void on_up(void *ctx)
{
    (void)ctx;
}

/* ERR_SYNTAX, ERR_IO: `why` says it. session_close in every case. */
static enum err session_open(struct session *s, const struct copy_end *end, struct buf *why)
{
    const struct redis_events events = {.ctx = s, .up = on_up, .down = on_up};
    const struct tend_events tended = {s, on_tended, on_tend_failed};
    struct tend_settings tending = {
        .prefix = end->prefix, .url = SPAN(NOWHERE), .ttl_ms = LEASE_MS};
    int64_t until_ms = clock_mono_ms() + UP_MS;
    unsigned char id[ID_BYTES];
    const char *wrong;

    *s = (struct session){.end = end, .why = why, .loop = loop_new()};
    s->commit.text = commit_lua.ptr;
    s->load.text = load_lua.ptr;
    rng_bytes(id, sizeof(id));
    for (size_t i = 0; i < ID_BYTES; i++)
        (void)snprintf(s->id + 2 * i, 3, "%02x", id[i]);
    if (redis_url_parse(end->text, &s->url, &wrong) != ERR_OK) {
        buf_addf(why, "its URL is wrong: %s", wrong);
        return ERR_SYNTAX;
    }
    s->settings = (struct redis_settings){.url = &s->url, .timeout_ms = TIMEOUT_MS};
    s->redis = redis_new(s->loop, &s->settings, &events, &s->stats);
    tending.id = span_of(s->id, ID_CHARS);
    s->tend = tend_new(s->redis, &tending, &tended);
    while (!redis_is_up(s->redis) && clock_mono_ms() < until_ms)
        loop_turn(s->loop, 20);
    if (redis_is_up(s->redis))
        return ERR_OK;
    if (redis_trouble(s->redis).len > 0)
        buf_add_span(why, redis_trouble(s->redis));
    else
        BUF_ADD_LIT(why, "it cannot be reached: no answer in 5 s");
    return ERR_IO;
}

static void session_close(struct session *s)
{
    if (s->redis != NULL)
        redis_free(s->redis);
    tend_free(s->tend);
    for (size_t i = 0; i < s->target_count; i++)
        batch_clear(&s->targets[i].batch);
    free(s->targets);
    redis_url_clear(&s->url);
    buf_clear(&s->worlds);
    loop_free(s->loop);
}

static enum err read_redis(const struct copy_end *from, struct batch *out, struct buf *why)
{
    struct session s = {0};
    struct span rest, world;
    enum err e = session_open(&s, from, why);

    if (e == ERR_OK)
        e = ask_worlds(&s);
    rest = span_slice(buf_span(&s.worlds), 0, s.worlds.len == 0 ? 0 : s.worlds.len - 1);
    while (e == ERR_OK && s.worlds.len > 0 && span_split(&rest, '\0', &world))
        e = ask_records(&s, world, out);
    session_close(&s);
    return e;
}

static void on_gone(void *ctx, enum err e, const struct redis_answer *a)
{
    (void)a;
    answered(ctx, e);
}

/* The leases go, and what tells of this process. What went wrong before counts more. */
static void leave(struct session *s)
{
    const struct redis_call call = {on_gone, s};
    struct buf said = {0}, key = {0}, member = {0};
    struct span words[3] = {SPAN("ZREM")};

    s->why = &said;
    (void)(tend_all(s, LEASE_FREE) == ERR_OK);
    buf_addf(&key, "%.*s:processes", SPAN_ARG(s->end->prefix));
    buf_addf(&member, "%s " NOWHERE, s->id);
    words[1] = buf_span(&key);
    words[2] = buf_span(&member);
    redis_command(s->redis, words, 3, &call);
    (void)(finish(s) == ERR_OK); /* else it runs out */
    buf_clear(&member);
    buf_clear(&key);
    buf_clear(&said);
}

static enum err write_redis(const struct copy_end *to, const struct batch *set, struct buf *why)
{
    struct session s = {0};
    enum err e = session_open(&s, to, why);

    if (e == ERR_OK) {
        split(&s, set);
        e = write_all(&s);
        leave(&s);
    }
    session_close(&s);
    return e;
}

const struct copy_store copy_redis = {.read = read_redis, .write = write_redis};
