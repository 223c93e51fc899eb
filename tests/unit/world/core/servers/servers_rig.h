#pragma once
/* Room servers on the recorder: node "n" with a room "r", and servers whose probes the test
 * answers.
 */
#include "tests/unit/world/core/fleet.h"

#define SERVER_A "http://a:1"
#define SERVER_B "http://b:2"
#define BOTH     SERVER_A "," SERVER_B

/* Answers all probes: everybody lives but `dead` (may be NULL, or "*" for all). */
static inline void rig_answer(struct recorder *r, const char *dead)
{
    size_t count = r->probe_count;

    for (size_t i = 0; i < count; i++) {
        const char *origin = r->probed_origins[i];
        bool good = dead == NULL || (strcmp(dead, origin) != 0 && strcmp(dead, "*") != 0);
        core_probed(&r->core, r->probed[i], good, r->now);
        free(r->probed_origins[i]);
    }
    r->probe_count = 0;
}

/* Time goes by; the node is heard every half second if it is `heard`. */
static inline void rig_pass(struct recorder *r, int64_t ms, const char *dead, bool heard)
{
    for (int64_t at = 0; at < ms; at += 250) {
        recorder_pass(r, ms - at < 250 ? ms - at : 250);
        core_tick(&r->core, r->now);
        rig_answer(r, dead);
        if (heard && at % 500 == 0)
            fleet_still(r, "n");
    }
}

static inline struct recorder *rig_servers(const char *list, int64_t failover_ms)
{
    struct recorder *r = recorder_new_with(list);

    r->core.registry.servers.failover_ms = failover_ms;
    core_tick(&r->core, r->now);
    rig_answer(r, NULL);
    return r;
}

/* What node "n" says of its link for the shard; `version`: of the orders that it has, 0: the last.
 */
static inline void rig_link(struct recorder *r, const struct shard *s, enum beat_link link,
                            const char *server, int64_t version)
{
    struct beat_shard held = {
        .shard_id = s->id, .open = 1, .admitted = 1, .link = link, .server = span_str(server)};
    struct said said = {.id = "n", .partial = true, .have_version = version};

    assert_int_equal(fleet_beat(r, &said, &held, 1), 200);
}

static inline void assert_at(const struct room *room, const char *server, bool hold)
{
    struct order order = shard_order(recorder_shard(room, 0), (struct moment){0});

    assert_true(span_eq(order.room_server, span_str(server)));
    assert_int_equal(order.hold, hold);
}

static inline const char *rig_other(const char *server)
{
    return strcmp(server, SERVER_A) == 0 ? SERVER_B : SERVER_A;
}

/* The server that the room is on, as one of the two texts. */
static inline const char *rig_where(const struct room *room)
{
    struct span at = assignment_origin(room);

    assert_true(span_eq(at, SPAN(SERVER_A)) || span_eq(at, SPAN(SERVER_B)));
    return span_eq(at, SPAN(SERVER_A)) ? SERVER_A : SERVER_B;
}

static inline enum server_state rig_state(const struct recorder *r, const char *server)
{
    return servers_find(fleet_world(r), span_str(server))->server->state;
}
