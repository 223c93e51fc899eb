/* The table of checks, and sets of findings. */
#include "common/proto/finding.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/json_out.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/proto/member.h"

const struct span finding_level_names[FINDING_LEVEL_COUNT] = {
    [FINDING_ERROR] = SPAN_INIT("error"),
    [FINDING_WARNING] = SPAN_INIT("warning"),
    [FINDING_NOTICE] = SPAN_INIT("notice"),
};

#define KIND(text, how_bad, what, how)                                                             \
    {                                                                                              \
        .name = SPAN_INIT(text), .level = (how_bad), .means = SPAN_INIT(what),                     \
        .cure = SPAN_INIT(how)                                                                     \
    }

const struct finding_kind finding_kinds[FINDING_CHECK_COUNT] = {
    [FINDING_CLOCK] = KIND(
        "clock", FINDING_ERROR,
        "The clocks of two processes are more than 5 seconds apart: tokens, tickets and signed "
        "requests are judged by them, and beyond a minute nothing between the two is believed.",
        "Set the host's clock by NTP (chrony or systemd-timesyncd) and see that it keeps "
        "running."),
    [FINDING_CERTIFICATE] = KIND(
        "certificate", FINDING_WARNING, "A certificate expires within 14 days, or has expired.",
        "Put a new certificate into the file that TLS_CERT or INTERNAL_CERT names (the detail "
        "says which), with its key, and send the process SIGHUP."),
    [FINDING_DESCRIPTORS] =
        KIND("descriptors", FINDING_WARNING,
             "The process may not open as many descriptors as its MAX_CONNECTIONS take: it will "
             "refuse clients before it is full.",
             "Raise the limit to what the detail says (LimitNOFILE= in systemd, ulimit -n, "
             "--ulimit nofile in containers), or lower MAX_CONNECTIONS."),
    [FINDING_WEAK_SECRET] =
        KIND("weak-secret", FINDING_WARNING,
             "A secret is short enough to be guessed: whoever has it "
             "can do anything here.",
             "Make one with `worldctl secret` and put it into the setting that the detail names, "
             "in all processes."),
    [FINDING_ROOM_UNREACHABLE] =
        KIND("room-unreachable", FINDING_ERROR,
             "The node cannot connect to a room server: clients of its rooms are closed with 1011.",
             "Start the room server, or correct its origin in ROOM_SERVERS (or take it out with "
             "`worldctl servers delete`); see that the node's host may connect to it."),
    [FINDING_ROOM_UPGRADE] =
        KIND("room-upgrade", FINDING_ERROR,
             "The room server answers HTTP but refuses WebSockets, so that no link to it stands.",
             "See that the origin is the room server's own and not another service's, and that a "
             "proxy before it passes Upgrade and Connection on."),
    [FINDING_ROOM_SECRET] =
        KIND("room-secret", FINDING_ERROR,
             "The room server does not accept the node's secret: it closes links at once.",
             "Give the room server the first secret of the node's SHARD_SECRET as its own."),
    [FINDING_PEER_UNREACHABLE] =
        KIND("peer-unreachable", FINDING_ERROR,
             "The node cannot connect to another node: clients of that node's shards who arrive "
             "here are refused.",
             "Set INTERNAL_URL of the other node (the subject) to an address at which this node "
             "reaches it, and let their hosts connect to each other."),
    [FINDING_PEER_SECRET] =
        KIND("peer-secret", FINDING_ERROR,
             "Another node does not believe what this one signs: it has another SHARD_SECRET, or "
             "its clock is far off.",
             "Give both nodes the same SHARD_SECRET, and correct the clocks if they are said to be "
             "off."),
    [FINDING_BEAT_REFUSED] =
        KIND("beat-refused", FINDING_ERROR,
             "A world refuses the node's heartbeats: it has another SHARD_SECRET, so that the node "
             "gets no shards of it.",
             "Give the node and the world the same SHARD_SECRET."),
    [FINDING_PROXY_UNTRUSTED] =
        KIND("proxy-untrusted", FINDING_WARNING,
             "A proxy before the node says whom it brings and is not believed: all of its clients "
             "share one address, and one limit for new connections.",
             "Put the subject into TRUSTED_PROXIES, or into PROXY_PROTOCOL if it speaks that, if "
             "it is a proxy of yours; if it is not, somebody makes such headers up and all is "
             "well."),
    [FINDING_ONE_ADDRESS] =
        KIND("one-address", FINDING_NOTICE,
             "All clients come from one address, as they do from behind a proxy that says nothing "
             "about them.",
             "If a proxy is there, have it send X-Forwarded-For (or a PROXY header) and put it "
             "into TRUSTED_PROXIES (or PROXY_PROTOCOL)."),
    [FINDING_IDLE_CUT] =
        KIND("idle-cut", FINDING_WARNING,
             "Something between clients and the node cuts connections that are idle for a time "
             "shorter than PING_INTERVAL.",
             "Set PING_INTERVAL below the time that the detail tells, or the proxy's idle timeout "
             "(nginx: proxy_read_timeout, HAProxy: timeout tunnel) well above PING_INTERVAL."),
    [FINDING_NODE_SECRET] =
        KIND("node-secret", FINDING_ERROR,
             "Somebody calls himself a node and has not got the secret of this world: a node with "
             "another SHARD_SECRET, or a stranger; the two cannot be told apart.",
             "If a node of yours is at that address, give it this world's SHARD_SECRET; if not, "
             "keep that address away from the world's listener."),
    [FINDING_NODE_ID] =
        KIND("node-id", FINDING_ERROR,
             "Two processes call themselves by one NODE_ID: they take each other's shards, and the "
             "earlier one ends.",
             "Give each node a NODE_ID of its own, or none, so that it makes one up."),
    [FINDING_NODE_LOST] =
        KIND("node-lost", FINDING_ERROR,
             "A node has not been heard for so long that its shards have gone to others.",
             "Start the node again, or see why it does not reach the world; `worldctl nodes "
             "delete` forgets it."),
    [FINDING_NODE_VERSION] =
        KIND("node-version", FINDING_WARNING,
             "A node's version is more than one minor version away from the world's.",
             "Bring worlds and nodes to the same version, worlds first."),
    [FINDING_SERVER_DOWN] =
        KIND("server-down", FINDING_ERROR,
             "A room server does not answer the world: it gets no new rooms, and its rooms go to "
             "others as ROOM_FAILOVER says.",
             "Start the room server, or take it out with `worldctl servers delete` (or of "
             "ROOM_SERVERS)."),
    [FINDING_STORE] =
        KIND("store", FINDING_ERROR,
             "What operators change cannot be stored: it counts in memory and would be lost with "
             "the process.",
             "Free disk or memory where the world keeps its data (DATA_DIR, or Redis: maxmemory); "
             "it is tried again by itself."),
    [FINDING_REDIS_UNREACHABLE] =
        KIND("redis-unreachable", FINDING_ERROR,
             "Redis does not answer: worlds that nobody decides for stay without, and changes "
             "wait.",
             "Start Redis, or correct REDIS_URL; see that the world's host may connect to it."),
    [FINDING_REDIS_READ_ONLY] =
        KIND("redis-read-only", FINDING_ERROR,
             "Redis answers and takes no writes: no lease can be taken, and nothing is stored.",
             "Have REDIS_URL name the master (or the sentinels), end MISCONF by letting Redis "
             "write its snapshots, or give it the replicas that min-replicas-to-write asks for."),
    [FINDING_REDIS_EVICTS] =
        KIND("redis-evicts", FINDING_ERROR,
             "Redis throws keys away when its memory is full: rooms, shards and leases may vanish.",
             "Set maxmemory-policy to noeviction in Redis, and maxmemory high enough."),
    [FINDING_REDIS_FORGETS] =
        KIND("redis-forgets", FINDING_WARNING,
             "Redis has no append-only file: what it was told last is lost when it ends.",
             "Set appendonly yes in Redis (docs/redis.md)."),
};

enum finding_check finding_by_name(struct span name)
{
    unsigned check = 0;

    while (check < FINDING_CHECK_COUNT && !span_eq(name, finding_kinds[check].name))
        check++;
    return (enum finding_check)check;
}

/* As much of it as fits, whole characters of UTF-8. */
static struct span cut(struct span text, size_t max)
{
    size_t len = max;

    if (text.len <= max)
        return text;
    while (len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len--;
    return span_slice(text, 0, len);
}

static struct finding *find(const struct findings *f, enum finding_check check, struct span subject)
{
    subject = cut(subject, FINDING_SUBJECT_MAX);
    for (size_t i = 0; i < f->count; i++)
        if (f->items[i].check == check && span_eq(f->items[i].subject, subject))
            return &f->items[i];
    return NULL;
}

static void free_item(struct finding *item)
{
    span_free(item->subject);
    span_free(item->detail);
}

/* Less bad than `check`, and the last of these: it makes room. NULL: there is none. */
static struct finding *lesser(const struct findings *f, enum finding_check check)
{
    struct finding *least = NULL;

    for (size_t i = 0; i < f->count; i++) {
        enum finding_level level = finding_kinds[f->items[i].check].level;
        if (level > finding_kinds[check].level &&
            (least == NULL || level >= finding_kinds[least->check].level))
            least = &f->items[i];
    }
    return least;
}

static void take_out(struct findings *f, struct finding *item)
{
    size_t at = (size_t)(item - f->items);

    free_item(item);
    memmove(item, item + 1, (f->count - at - 1) * sizeof *item);
    f->count--;
    f->version++;
}

/* Room behind those of its check; NULL: there is none. */
static struct finding *make_room(struct findings *f, enum finding_check check)
{
    size_t at = 0;

    if (findings_count(f, check) >= FINDINGS_OF_CHECK_MAX)
        return NULL;
    if (f->count >= FINDINGS_MAX) {
        struct finding *least = lesser(f, check);
        if (least == NULL)
            return NULL;
        take_out(f, least);
    }
    if (f->items == NULL)
        f->items = xcalloc(FINDINGS_MAX, sizeof *f->items);
    while (at < f->count && f->items[at].check <= check)
        at++;
    memmove(&f->items[at + 1], &f->items[at], (f->count - at) * sizeof *f->items);
    f->count++;
    return &f->items[at];
}

/* NULL: there was no room. */
static const struct finding *add(struct findings *f, const struct finding *from)
{
    struct finding *item = make_room(f, from->check);

    if (item == NULL)
        return NULL;
    *item = (struct finding){.check = from->check,
                             .subject = span_copy(cut(from->subject, FINDING_SUBJECT_MAX)),
                             .detail = span_copy(cut(from->detail, FINDING_DETAIL_MAX)),
                             .since_ms = from->since_ms};
    f->version++;
    return item;
}

bool findings_put(struct findings *f, enum finding_check check, struct span subject,
                  struct span detail, int64_t now_ms)
{
    struct finding *known = find(f, check, subject);
    struct finding put = {check, subject, detail, now_ms};
    const struct finding *item;

    assert(check < FINDING_CHECK_COUNT);
    if (known != NULL) {
        detail = cut(detail, FINDING_DETAIL_MAX);
        if (span_eq(known->detail, detail))
            return false;
        detail = span_copy(detail);
        span_free(known->detail);
        known->detail = detail;
        f->version++;
        return true;
    }
    item = add(f, &put);
    if (item == NULL)
        return false;
    log_warn("finding.new", "check=%.*s subject=%.*s detail=%.*s",
             SPAN_ARG(finding_kinds[check].name), SPAN_ARG(item->subject), SPAN_ARG(item->detail));
    return true;
}

static void drop(struct findings *f, struct finding *item)
{
    log_info("finding.gone", "check=%.*s subject=%.*s", SPAN_ARG(finding_kinds[item->check].name),
             SPAN_ARG(item->subject));
    take_out(f, item);
}

bool findings_drop(struct findings *f, enum finding_check check, struct span subject)
{
    struct finding *item = find(f, check, subject);

    if (item != NULL)
        drop(f, item);
    return item != NULL;
}

bool findings_set(struct findings *f, enum finding_check check, struct span subject, bool is_so,
                  struct span detail, int64_t now_ms)
{
    return is_so ? findings_put(f, check, subject, detail, now_ms)
                 : findings_drop(f, check, subject);
}

const struct finding *findings_get(const struct findings *f, enum finding_check check,
                                   struct span subject)
{
    return find(f, check, subject);
}

size_t findings_count(const struct findings *f, enum finding_check check)
{
    size_t count = 0;

    for (size_t i = 0; i < f->count; i++)
        count += f->items[i].check == check;
    return count;
}

void findings_levels(const struct findings *f, size_t counts[FINDING_LEVEL_COUNT])
{
    for (size_t i = 0; i < f->count; i++)
        counts[finding_kinds[f->items[i].check].level]++;
}

static void empty(struct findings *f)
{
    for (size_t i = 0; i < f->count; i++)
        free_item(&f->items[i]);
    f->version += f->count > 0;
    f->count = 0;
}

void findings_clear(struct findings *f)
{
    empty(f);
    free(f->items);
    *f = (struct findings){.count = 0};
}

void findings_write(const struct findings *f, struct buf *out)
{
    struct json_out o = {.out = out};

    json_out_open(&o, NULL, '[');
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *item = &f->items[i];
        json_out_open(&o, NULL, '{');
        json_out_text(&o, "check", finding_kinds[item->check].name);
        json_out_text(&o, "subject", item->subject);
        json_out_text(&o, "detail", item->detail);
        json_out_i64(&o, "since", item->since_ms);
        json_out_close(&o, '}');
    }
    json_out_close(&o, ']');
}

/* False: it is malformed. One that is not known, or there already, is left out. */
static bool take_item(struct findings *f, const json_t *object)
{
    struct member_reader r = {.object = object};
    struct finding item = {.subject = SPAN(""), .detail = SPAN("")};
    struct span name;

    if (!member_id(&r, "check", FINDING_SUBJECT_MAX, &name) ||
        !member_text(&r, "subject", SIZE_MAX, &item.subject) ||
        !member_text(&r, "detail", SIZE_MAX, &item.detail) ||
        !member_time(&r, "since", &item.since_ms))
        return false;
    item.check = finding_by_name(name);
    if (item.check < FINDING_CHECK_COUNT && find(f, item.check, item.subject) == NULL)
        (void)add(f, &item);
    return true;
}

enum err findings_read(struct findings *f, const json_t *array)
{
    empty(f);
    if (!json_is_array(array))
        return ERR_SYNTAX;
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (!take_item(f, json_array_get(array, i))) {
            empty(f);
            return ERR_SYNTAX;
        }
    }
    return ERR_OK;
}
