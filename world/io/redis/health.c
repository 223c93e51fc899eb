/* Redis says by errors what it does not do, and by INFO how it is set. */
#include "world/io/redis/health.h"

#include "common/base/clock.h"
#include "common/proto/redis_url.h"

static bool contains(struct span text, struct span part)
{
    return text.len > 0 && memmem(text.ptr, text.len, part.ptr, part.len) != NULL;
}

static void set(struct health *h, enum finding_check check, bool is_so, struct span detail)
{
    (void)findings_set(h->findings, check, span_str(h->url->servers[0].text), is_so, detail,
                       clock_wall_ms());
}

static bool is_found(const struct health *h, enum finding_check check)
{
    return findings_count(h->findings, check) > 0;
}

/* ---- what INFO says */

/* The value of a line `name:value`; empty: there is none. */
static struct span info_value(struct span text, struct span name)
{
    struct span line;

    while (span_split(&text, '\n', &line)) {
        line = span_trim(line);
        if (span_starts(line, name) && line.len > name.len && line.ptr[name.len] == ':')
            return span_slice(line, name.len + 1, line.len);
    }
    return SPAN("");
}

static void judge_memory(struct health *h, struct span info)
{
    struct span policy = info_value(info, SPAN("maxmemory_policy"));
    struct buf detail = {0};
    uint64_t most = 0;

    if (policy.len == 0 || span_to_u64(info_value(info, SPAN("maxmemory")), &most) != ERR_OK)
        return;
    buf_addf(&detail, "maxmemory %llu, maxmemory-policy %.*s", (unsigned long long)most,
             SPAN_ARG(policy));
    set(h, FINDING_REDIS_EVICTS, most > 0 && !span_eq(policy, SPAN("noeviction")),
        buf_span(&detail));
    buf_clear(&detail);
}

static void judge_persistence(struct health *h, struct span info)
{
    struct span aof = info_value(info, SPAN("aof_enabled"));

    if (aof.len > 0)
        set(h, FINDING_REDIS_FORGETS, span_eq(aof, SPAN("0")), SPAN("appendonly no"));
}

static void on_info(void *ctx, enum err e, const struct redis_answer *a)
{
    struct health *h = ctx;

    h->asked--;
    if (e != ERR_OK)
        return;
    if (a->type != REDIS_TEXT) {
        h->refuses = true;
        return;
    }
    judge_memory(h, a->text);
    judge_persistence(h, a->text);
}

static void ask(struct health *h, int64_t now)
{
    static const struct span sections[] = {SPAN_INIT("memory"), SPAN_INIT("persistence")};
    const struct redis_call call = {.done = on_info, .ctx = h};

    h->ask_ms = now + HEALTH_ASK_MS;
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        const struct span words[] = {SPAN("INFO"), sections[i]};
        h->asked++;
        redis_command(h->redis, words, 2, &call);
    }
}

/* ---- what can be seen */

static void look_at_connection(struct health *h, int64_t now)
{
    struct span trouble = redis_trouble(h->redis);

    if (redis_is_up(h->redis)) {
        h->down_ms = 0;
        set(h, FINDING_REDIS_UNREACHABLE, false, SPAN(""));
        return;
    }
    if (h->down_ms == 0)
        h->down_ms = now;
    if (now - h->down_ms < HEALTH_DOWN_MS)
        return;
    if (contains(trouble, SPAN("it is a replica")))
        set(h, FINDING_REDIS_READ_ONLY, true, trouble);
    else
        set(h, FINDING_REDIS_UNREACHABLE, true, trouble);
}

static void look_at_store(struct health *h)
{
    bool is_elsewhere =
        is_found(h, FINDING_REDIS_UNREACHABLE) || is_found(h, FINDING_REDIS_READ_ONLY);

    if (h->is_full || *h->failing == 0 || is_elsewhere)
        set(h, FINDING_STORE, h->is_full, SPAN("Redis is full (OOM)"));
    else if (h->failed && h->down_ms == 0)
        set(h, FINDING_STORE, true, SPAN("Redis refuses what is to be stored"));
    h->failed = *h->failing != 0;
}

static void on_tick(struct timer *t, int64_t now)
{
    struct health *h = CONTAINER_OF(t, struct health, timer);

    look_at_connection(h, now);
    look_at_store(h);
    if (redis_is_up(h->redis) && !h->refuses && h->asked == 0 && now >= h->ask_ms)
        ask(h, now);
    wheel_set(loop_wheel(h->loop), t, now + HEALTH_TICK_MS);
}

void health_init(struct health *h, struct loop *l, struct redis *redis, const struct redis_url *url,
                 const uint64_t *failing, struct findings *findings)
{
    *h = (struct health){.loop = l,
                         .redis = redis,
                         .url = url,
                         .failing = failing,
                         .findings = findings,
                         .timer.fire = on_tick};
    wheel_set(loop_wheel(l), &h->timer, loop_now(l));
}

/* Whole answers of scripts, too, which name the error somewhere inside. */
void health_refused(struct health *h, struct span why)
{
    static const struct span codes[] = {SPAN_INIT("READONLY"), SPAN_INIT("NOREPLICAS"),
                                        SPAN_INIT("MISCONF")};

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (contains(why, codes[i]))
            set(h, FINDING_REDIS_READ_ONLY, true, why);
    if (contains(why, SPAN("OOM ")))
        h->is_full = true;
}

void health_wrote(struct health *h)
{
    h->is_full = false;
    set(h, FINDING_REDIS_READ_ONLY, false, SPAN(""));
}

void health_up(struct health *h)
{
    h->refuses = false;
    h->ask_ms = 0;
}

void health_stop(struct health *h)
{
    if (h->loop != NULL)
        wheel_cancel(loop_wheel(h->loop), &h->timer);
    h->redis = NULL;
}
