/* What can be told of proxies from the clients that come by them. */
#include "shard/core/checks_clients.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/map.h"
#include "shard/core/checks.h"

void checks_proxy(struct checks *c, const struct addr *peer, const char *header, int64_t now)
{
    char text[ADDR_TEXT_MAX];
    struct buf detail = {0};
    addr_format(peer, text);
    buf_addf(&detail, "sends %s", header);
    checks_seen(c, FINDING_PROXY_UNTRUSTED, span_str(text), buf_span(&detail), now);
    buf_clear(&detail);
}

void checks_trust(struct checks *c, const struct addr_set *trusted)
{
    struct addr addr;
    for (size_t i = c->findings.count; i-- > 0;) {
        const struct finding *f = &c->findings.items[i];
        if ((f->check == FINDING_PROXY_UNTRUSTED || f->check == FINDING_ONE_ADDRESS) &&
            addr_parse(f->subject, &addr) == ERR_OK && addr_set_has(trusted, &addr))
            checks_disproved(c, f->check, f->subject);
    }
}

/* ---- one address */

static void start_anew(struct checks *c, const struct addr *from)
{
    char text[ADDR_TEXT_MAX];
    addr_format(&c->clients.lone, text);
    checks_disproved(c, FINDING_ONE_ADDRESS, span_str(text));
    c->clients.lone = *from;
    c->clients.session_count = 0;
}

static void forget_old_sessions(struct checks_clients *k, int64_t now)
{
    for (size_t i = k->session_count; i-- > 0;)
        if (now - k->sessions[i].seen_ms >= CHECKS_LONE_MS)
            k->sessions[i] = k->sessions[--k->session_count];
}

/* The session is the one that came last; when there is no room, the oldest goes. */
static void note_session(struct checks_clients *k, uint64_t id, int64_t now)
{
    size_t at = k->session_count, oldest = 0;
    for (size_t i = 0; i < k->session_count; i++) {
        if (k->sessions[i].id == id)
            at = i;
        if (k->sessions[i].seen_ms < k->sessions[oldest].seen_ms)
            oldest = i;
    }
    if (at == CHECKS_LONE_SESSIONS)
        at = oldest;
    else if (at == k->session_count)
        k->session_count++;
    k->sessions[at].id = id;
    k->sessions[at].seen_ms = now;
}

void checks_came(struct checks *c, const struct addr *from, bool trusted, struct span session,
                 int64_t now)
{
    struct checks_clients *k = &c->clients;
    char text[ADDR_TEXT_MAX];
    if (trusted)
        return;
    if (memcmp(&k->lone, from, sizeof *from) != 0)
        start_anew(c, from);
    forget_old_sessions(k, now);
    note_session(k, session.len > 0 ? map_hash(session) : ++k->unnamed, now);
    if (k->session_count < CHECKS_LONE_SESSIONS)
        return;
    addr_format(from, text);
    checks_seen(c, FINDING_ONE_ADDRESS, span_str(text),
                SPAN("10 sessions or more in the last 10 minutes"), now);
}

/* ---- idle connections that are cut */

/* False: with others, and only the first of them counts. */
static bool note_cut(struct checks_clients *k, int64_t silence_ms, int64_t now)
{
    size_t old = 0;
    if (k->cut_count > 0 && now - k->cuts[k->cut_count - 1].seen_ms < CHECKS_CUT_APART_MS)
        return false;
    while (old < k->cut_count && now - k->cuts[old].seen_ms >= CHECKS_CUTS_MS)
        old++;
    if (old == 0 && k->cut_count == CHECKS_CUTS)
        old = 1;
    k->cut_count -= old;
    memmove(k->cuts, k->cuts + old, k->cut_count * sizeof k->cuts[0]);
    k->cuts[k->cut_count].silence_ms = silence_ms;
    k->cuts[k->cut_count].seen_ms = now;
    k->cut_count++;
    return true;
}

/* How many fell after this silence, or one that is not much longer. */
static size_t count_from(const struct checks_clients *k, int64_t silence_ms)
{
    size_t n = 0;
    for (size_t i = 0; i < k->cut_count; i++)
        n += k->cuts[i].silence_ms >= silence_ms &&
             k->cuts[i].silence_ms - silence_ms <= CHECKS_CUT_SPREAD_MS;
    return n;
}

/* The silence after which most of them fell; 0: each after another. */
static int64_t common_silence(const struct checks_clients *k)
{
    for (size_t i = 0; i < k->cut_count; i++) {
        size_t n = count_from(k, k->cuts[i].silence_ms);
        if (n >= CHECKS_CUTS_MIN && n * 4 > k->cut_count * 3)
            return k->cuts[i].silence_ms;
    }
    return 0;
}

void checks_ping(struct checks *c, int64_t ping_ms)
{
    if (ping_ms == 0 || ping_ms > c->clients.cut_told_ms)
        return;
    c->clients.cut_count = 0;
    checks_disproved(c, FINDING_IDLE_CUT, SPAN(""));
}

void checks_broke_off(struct checks *c, int64_t silence_ms, int64_t ping_ms, int64_t now)
{
    struct checks_clients *k = &c->clients;
    struct buf detail = {0};
    if (silence_ms < CHECKS_CUT_SILENCE_MS || (ping_ms != 0 && silence_ms >= ping_ms))
        return;
    int64_t silence = note_cut(k, silence_ms, now) ? common_silence(k) : 0;
    if (silence == 0)
        return;
    int64_t off = silence - k->cut_told_ms; /* small differences are no news */
    if (off > CHECKS_CUT_SPREAD_MS || off < -CHECKS_CUT_SPREAD_MS)
        k->cut_told_ms = silence;
    buf_addf(&detail, "after about %lld s of silence", (long long)((k->cut_told_ms + 500) / 1000));
    checks_seen(c, FINDING_IDLE_CUT, SPAN(""), buf_span(&detail), now);
    buf_clear(&detail);
}
