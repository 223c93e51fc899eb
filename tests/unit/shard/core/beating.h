#pragma once
/* A node that beats to one world, which is a script: what it is told is read, what it answers is
 * given. */
#include "common/proto/beat_doc.h"
#include "common/proto/orders.h"
#include "shard/core/node_state.h"
#include "shard/core/shard.h"
#include "shard/core/world.h"
#include "tests/unit/shard/core/recorder.h"

#define SHARD         RECORDER_SHARD
#define REPORT(count) "report " SHARD " world=world-a " count "\n"
#define FULL          "\"full\":true"

static inline int beats_setup(void **state)
{
    recorder_setup(state);
    struct recorder *r = *state;
    r->settings.protocol = NODE_PROTOCOL_AUTO;
    r->settings.enforce_seats = true;
    r->show_reports = true;
    recorder_restart(r);
    return 0;
}

/* ---- the world's side */

static inline void answers(struct recorder *r, int status, const char *body)
{
    assert_true(r->beat_under_way);
    r->beat_under_way = false;
    node_beat_answered(r->node, r->world, status, span_str(body), r->now);
    node_check(r->node);
}

#define EPOCH_1   "{\"epoch\":1,\"version\":1,\"intervalMs\":1000"
#define EPOCH_2   "{\"epoch\":2,\"version\":1,\"intervalMs\":1000"
#define UNCHANGED EPOCH_1 ",\"unchanged\":true}"
#define NAMED(more)                                                                                \
    "{\"shardId\":\"" SHARD                                                                        \
    "\",\"roomId\":\"room\",\"status\":\"active\",\"maxConnections\":20" more "}"
#define ORDERS(version, shards)                                                                    \
    "{\"epoch\":1,\"version\":" version ",\"intervalMs\":1000,\"full\":true,\"shards\":[" shards   \
    "],\"drop\":[]}"
#define DROP(version)                                                                              \
    "{\"epoch\":1,\"version\":" version ",\"intervalMs\":1000,\"shards\":[],\"drop\":[\"" SHARD    \
    "\"]}"

/* The node beats within `ms`. */
static inline void beats(struct recorder *r, int64_t ms)
{
    size_t before = r->beats;
    assert_false(r->beat_under_way);
    for (int64_t end = r->now + ms; r->beats == before && r->now < end;)
        passes(r, 10);
    assert_int_equal(r->beats, before + 1);
}

/* It does not. */
static inline void is_silent(struct recorder *r, int64_t ms)
{
    size_t before = r->beats;
    passes(r, ms);
    assert_int_equal(r->beats, before);
}

static inline bool beat_has(struct recorder *r, const char *text)
{
    buf_add_char(&r->beat, '\0');
    r->beat.len--;
    return strstr(r->beat.data, text) != NULL;
}

/* What the last beat says of the shard, but for texts. */
static inline bool beat_shard(struct recorder *r, struct beat_shard *out)
{
    struct beat b;
    struct beat_doc doc;
    const char *why;
    assert_int_equal(beat_read(&b, &doc, buf_span(&r->beat), &why), ERR_OK);
    bool found = false;
    for (size_t at = 0; !found && beat_next_shard(&doc, &at, out);)
        found = span_eq(out->shard_id, SPAN(SHARD));
    out->shard_id = out->server = SPAN("");
    beat_doc_clear(&doc);
    return found;
}

static inline uint64_t beat_open_count(struct recorder *r)
{
    struct beat_shard s;
    assert_true(beat_shard(r, &s));
    return s.open;
}

static inline bool tells_shard(struct recorder *r)
{
    struct beat_shard s;
    return beat_shard(r, &s);
}

static inline enum beat_link beat_link_state(struct recorder *r)
{
    struct beat_shard s;
    assert_true(beat_shard(r, &s));
    return s.link;
}

/* A world that knows our shard, which has one client and a standing link. */
static inline struct handle settles(struct recorder *r)
{
    struct handle h = opens(r, "a", "ann");
    link_comes_up(r);
    beats(r, 100);
    answers(r, 200, ORDERS("1", NAMED("")));
    is_silent(r, 60);
    forget(r);
    return h;
}

static inline struct shard *shard_of(struct recorder *r)
{
    return map_get(&r->node->shard_map, SPAN(SHARD));
}
