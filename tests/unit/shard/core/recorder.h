#pragma once
/* A node between a recorder and a script: what core asks for is written down as lines of text,
 * which tests compare literally. Clients bear the names that the script gives them; links are L1,
 * L2, … in the order of their dials. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/proto/checkup.h"
#include "shard/core/node.h"

/* What a room hears by link `l`. */
#define JOIN(l, id, of)                                                                            \
    l " {\"type\":\"shard.clientConnected\",\"privateId\":\"" id                                   \
      "\",\"requestInfo\":{\"of\":\"" of "\"}}\n"
#define LEAVE(l, id) l " {\"type\":\"shard.clientDisconnected\",\"privateId\":\"" id "\"}\n"
#define SAYS(l, id, json)                                                                          \
    l " {\"type\":\"shard.clientMessage\",\"privateId\":\"" id "\",\"payload\":" json "}\n"

enum { RECORDER_MAX = 512, RECORDER_START_MS = 1000000 };
#define RECORDER_SHARD "room:world-a:1700000000000-7"

struct recorder {
    struct node *node;
    struct node_settings settings;
    int64_t now;
    struct buf lines;
    bool show_reports;
    size_t queued; /* what link_queued answers */
    struct {
        struct handle handle;
        char name[16];
    } clients[RECORDER_MAX];
    size_t client_count;
    struct handle links[RECORDER_MAX];
    size_t link_count;
    struct handle reports[RECORDER_MAX]; /* shards whose report is not answered yet */
    size_t report_count;
    bool show_beats, beat_under_way;
    size_t beats;
    struct handle world; /* of the last beat */
    struct buf beat;     /* its body */
};

static inline const char *recorder_name(const struct recorder *r, struct handle client)
{
    for (size_t i = 0; i < r->client_count; i++) {
        if (handle_eq(r->clients[i].handle, client))
            return r->clients[i].name;
    }
    fail_msg("core named a client that nobody opened");
    return "";
}

static inline size_t recorder_link(const struct recorder *r, struct handle link)
{
    for (size_t i = 0; i < r->link_count; i++) {
        if (handle_eq(r->links[i], link))
            return i + 1;
    }
    fail_msg("core named a link that it has not dialled");
    return 0;
}

static inline void recorder_client_send(void *io, struct handle client, struct frame *f)
{
    struct recorder *r = io;
    const uint8_t *head = (const uint8_t *)f->data;
    assert_true(f->len >= 2 && (head[1] & 0x80) == 0); /* not masked */
    size_t head_len = head[1] < 126 ? 2 : head[1] == 126 ? 4 : 10;
    assert_true(head[0] == 0x81 || head[0] == 0x82);
    buf_addf(&r->lines, "send %s %s:%.*s\n", recorder_name(r, client),
             head[0] == 0x81 ? "text" : "binary", (int)(f->len - head_len), f->data + head_len);
}

static inline void recorder_client_close(void *io, struct handle client, uint16_t code,
                                         struct span reason)
{
    struct recorder *r = io;
    buf_addf(&r->lines, "close %s %u %.*s\n", recorder_name(r, client), code, SPAN_ARG(reason));
}

static inline void recorder_client_pause(void *io, struct handle client, bool pause)
{
    struct recorder *r = io;
    buf_addf(&r->lines, "%s %s\n", pause ? "pause" : "resume", recorder_name(r, client));
}

static inline void recorder_link_dial(void *io, struct handle link, struct span shard,
                                      struct span world, struct span room, struct span server)
{
    struct recorder *r = io;
    assert_true(r->link_count < RECORDER_MAX);
    r->links[r->link_count++] = link;
    buf_addf(&r->lines, "dial L%zu %.*s world=%.*s room=%.*s%s%.*s\n", r->link_count,
             SPAN_ARG(shard), SPAN_ARG(world), SPAN_ARG(room), server.len > 0 ? " at=" : "",
             SPAN_ARG(server));
}

#define RECORDER_OWN "http://own:1"

static inline struct span recorder_own_server(void *io, struct span room)
{
    (void)room;
    return ((struct recorder *)io)->settings.has_rooms ? SPAN(RECORDER_OWN) : (struct span){0};
}

static inline void recorder_link_send(void *io, struct handle link, struct span text)
{
    struct recorder *r = io;
    buf_addf(&r->lines, "L%zu %.*s\n", recorder_link(r, link), SPAN_ARG(text));
}

static inline void recorder_link_close(void *io, struct handle link, uint16_t code)
{
    struct recorder *r = io;
    buf_addf(&r->lines, "hang up L%zu %u\n", recorder_link(r, link), code);
}

static inline void recorder_link_finish(void *io, struct handle link, uint16_t code)
{
    struct recorder *r = io;
    buf_addf(&r->lines, "finish L%zu %u\n", recorder_link(r, link), code);
}

static inline size_t recorder_link_queued(void *io, struct handle link)
{
    struct recorder *r = io;
    (void)recorder_link(r, link);
    return r->queued;
}

static inline void recorder_link_ping(void *io, struct handle link, uint32_t number)
{
    struct recorder *r = io;
    buf_addf(&r->lines, "ping L%zu %u\n", recorder_link(r, link), number);
}

static inline void recorder_report(void *io, struct handle shard, struct span shard_id,
                                   struct span world, uint64_t connections)
{
    struct recorder *r = io;
    assert_true(r->report_count < RECORDER_MAX);
    r->reports[r->report_count++] = shard;
    if (r->show_reports)
        buf_addf(&r->lines, "report %.*s world=%.*s %u\n", SPAN_ARG(shard_id), SPAN_ARG(world),
                 (unsigned)connections);
}

static inline void recorder_beat(void *io, struct handle world, struct span world_id,
                                 struct span body)
{
    struct recorder *r = io;
    assert_false(r->beat_under_way && span_eq(world_id, SPAN("world-a")));
    r->world = world;
    r->beat_under_way = true;
    r->beats++;
    if (r->show_beats)
        buf_addf(&r->lines, "beat %.*s %.*s\n", SPAN_ARG(world_id), SPAN_ARG(body));
    buf_reset(&r->beat);
    buf_add_span(&r->beat, body);
}

static inline void recorder_fatal(void *io, struct span why)
{
    struct recorder *r = io;
    buf_addf(&r->lines, "fatal %.*s\n", SPAN_ARG(why));
}

static inline int64_t recorder_wall_ms(void *io)
{
    (void)io;
    return 1700000123456;
}

static inline void recorder_checkup(void *io, struct handle world, const struct checkup *asked)
{
    struct recorder *r = io;
    struct span node, url;
    r->world = world;
    buf_addf(&r->lines, "checkup %lld", (long long)asked->id);
    for (size_t at = 0; checkup_next_peer(asked, &at, &node, &url);)
        buf_addf(&r->lines, " %.*s=%.*s", SPAN_ARG(node), SPAN_ARG(url));
    for (size_t at = 0; checkup_next_server(asked, &at, &url);)
        buf_addf(&r->lines, " %.*s", SPAN_ARG(url));
    buf_add_char(&r->lines, '\n');
}

static const struct node_port recorder_port = {
    .client_send = recorder_client_send,
    .client_close = recorder_client_close,
    .client_pause = recorder_client_pause,
    .link_dial = recorder_link_dial,
    .own_server = recorder_own_server,
    .link_send = recorder_link_send,
    .link_close = recorder_link_close,
    .link_finish = recorder_link_finish,
    .link_queued = recorder_link_queued,
    .link_ping = recorder_link_ping,
    .beat = recorder_beat,
    .report = recorder_report,
    .wall_ms = recorder_wall_ms,
    .checkup = recorder_checkup,
    .fatal = recorder_fatal,
};

/* The settings may be changed before recorder_start. */
static inline void recorder_init(struct recorder *r)
{
    *r = (struct recorder){
        .now = RECORDER_START_MS,
        .settings = {.id = "node-1",
                     .epoch = 1700000000000,
                     .url = "http://node-1",
                     .internal_url = "http://10.0.0.1:3010",
                     .version = "1.0.0",
                     .world_ids = "",
                     .protocol = NODE_PROTOCOL_REFERENCE,
                     .beat_ms = 1000,
                     .world_id = "world-default",
                     .has_rooms = true,
                     .drain_ms = 10000,
                     .report_ms = 30000,
                     .link_wait_ms = 15000,
                     .link_first_ms = 3000,
                     .link_buffer = 4000,
                     .link_retry_min_ms = 100,
                     .link_retry_max_ms = 1000,
                     .max_connections = 100,
                     .max_shards = 10,
                     .max_room_id = 64,
                     .max_session_id = 32},
    };
}

static inline void recorder_start(struct recorder *r)
{
    r->node = node_new(&recorder_port, r, &r->settings, 42, r->now);
}

/* The log of what core does would only fill the screen. */
static inline void recorder_no_log(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static inline int recorder_setup(void **state)
{
    log_capture(recorder_no_log);
    struct recorder *r = malloc(sizeof *r);
    assert_non_null(r);
    recorder_init(r);
    recorder_start(r);
    *state = r;
    return 0;
}

static inline int recorder_teardown(void **state)
{
    struct recorder *r = *state;
    node_check(r->node);
    node_free(r->node);
    buf_clear(&r->lines);
    buf_clear(&r->beat);
    free(r);
    return 0;
}

/* For tests that need other settings: change them, then call this. */
static inline void recorder_restart(struct recorder *r)
{
    node_free(r->node);
    recorder_start(r);
}

/* The transcript since the last call is exactly this. */
static inline void expect(struct recorder *r, const char *lines)
{
    node_check(r->node);
    buf_add_char(&r->lines, '\0');
    assert_string_equal(r->lines.data, lines);
    buf_reset(&r->lines);
}

static inline void forget(struct recorder *r)
{
    buf_reset(&r->lines);
}

/* ---- the script: each line calls one public function */

static inline struct handle opens_at(struct recorder *r, const char *shard, const char *name,
                                     const char *session)
{
    char info[64];
    snprintf(info, sizeof info, "{\"of\":\"%s\"}", name);
    struct handle h;
    enum node_reason why;
    assert_int_equal(node_client_open(r->node, span_str(shard), span_str(session), span_str(info),
                                      r->now, &h, &why),
                     ERR_OK);
    assert_true(r->client_count < RECORDER_MAX);
    r->clients[r->client_count].handle = h;
    snprintf(r->clients[r->client_count].name, sizeof r->clients[0].name, "%s", name);
    r->client_count++;
    return h;
}

static inline struct handle opens(struct recorder *r, const char *name, const char *session)
{
    return opens_at(r, RECORDER_SHARD, name, session);
}

static inline void says(struct recorder *r, struct handle client, const char *text)
{
    char *copy = xspandup(span_str(text)); /* the data may be changed in place */
    node_client_message(r->node, client, span_of(copy, strlen(text)), false, r->now);
    free(copy);
}

static inline void leaves(struct recorder *r, struct handle client)
{
    node_client_closed(r->node, client, NODE_PEER_CLOSED, r->now);
}

static inline struct handle last_link(const struct recorder *r)
{
    assert_true(r->link_count > 0);
    return r->links[r->link_count - 1];
}

static inline void link_comes_up(struct recorder *r)
{
    node_link_up(r->node, last_link(r), r->now);
}

/* A text comes back of a link that is falling. `line` is one that the recorder wrote. */
static inline void comes_back(struct recorder *r, const char *line)
{
    struct span text = span_str(strchr(line, ' ') + 1);
    node_link_unsent(r->node, last_link(r), span_slice(text, 0, text.len - 1), r->now);
}

static inline void link_falls(struct recorder *r)
{
    node_link_down(r->node, last_link(r), 0, r->now);
}

static inline void room_says(struct recorder *r, const char *text)
{
    node_link_frame(r->node, last_link(r), span_str(text), r->now);
}

static inline void room_pongs(struct recorder *r, uint32_t number)
{
    node_link_pong(r->node, last_link(r), number, r->now);
}

/* Answers the oldest report that is under way. */
static inline void world_answers(struct recorder *r, bool confirms)
{
    assert_true(r->report_count > 0);
    struct handle shard = r->reports[0];
    r->report_count--;
    memmove(r->reports, r->reports + 1, r->report_count * sizeof r->reports[0]);
    node_reported(r->node, shard, confirms, r->now);
}

/* Answers all that are under way now. */
static inline void world_answers_all(struct recorder *r, bool confirms)
{
    for (size_t n = r->report_count; n > 0; n--)
        world_answers(r, confirms);
}

/* Lets time pass, doing what falls due on the way. */
static inline void passes(struct recorder *r, int64_t ms)
{
    int64_t end = r->now + ms;
    for (int64_t next; (next = node_next_ms(r->node)) <= end;) {
        r->now = next > r->now ? next : r->now;
        node_tick(r->node, r->now);
    }
    r->now = end;
    node_tick(r->node, r->now);
}

/* Passes the time to the next dial. */
static inline void redials(struct recorder *r)
{
    size_t dials = r->link_count;
    for (int i = 0; i < 200 && r->link_count == dials; i++)
        passes(r, 10);
    assert_int_equal(r->link_count, dials + 1);
    forget(r);
}
