/* Random lives of a shard, watched by a model of the room: whatever happens in whatever order, a
 * session is announced before it speaks, speaks before it leaves, nothing is said twice, nobody's
 * messages overtake each other, and what the node took it delivers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/rng.h"
#include "shard/core/node_state.h"
#include "shard/core/shard.h"

enum { SOCKETS = 4000, SESSIONS = 6, MESSAGES = 20000, STEPS = 400, SEEDS = 300 };
/* Longer than a whole life here. */
enum { PATIENT_MS = 600000 };

/* A socket is known by its number, which is in its request info; a message by its own. */
struct world_of_one {
    struct node *node;
    struct node_settings settings;
    struct rng rng;
    int64_t now;
    size_t queued;

    struct {
        struct handle handle;
        unsigned session;
        bool open, paused;
        unsigned told_on; /* the last link that heard of it */
    } sockets[SOCKETS];
    unsigned socket_count;

    struct handle link;
    unsigned link_number; /* counts dials */
    bool dialling, stands;
    bool here[SESSIONS];  /* announced on the present link and not gone */
    bool known[SESSIONS]; /* announced on any link and not gone */

    unsigned sender[MESSAGES]; /* the session of each message */
    bool heard[MESSAGES];
    unsigned message_count, heard_count;
    unsigned last_heard[SESSIONS];

    uint32_t pings, ponged; /* numbers */

    struct handle shard;
    unsigned reports_under_way;
    uint64_t reported;
};

static const char shard_id[] = "room:world-a:1";

/* The number behind `key` in a frame; the frames of this test have no other digits there. */
static unsigned number_after(struct span text, const char *key)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%.*s", SPAN_ARG(text));
    const char *at = strstr(copy, key);
    assert_non_null(at);
    return (unsigned)strtoul(at + strlen(key), NULL, 10);
}

static unsigned session_of(struct span text)
{
    unsigned s = number_after(text, "\"privateId\":\"s");
    assert_true(s < SESSIONS);
    return s;
}

static void room_hears_join(struct world_of_one *w, struct span text)
{
    unsigned session = session_of(text), socket = number_after(text, "{\"n\":");
    assert_true(socket < w->socket_count && w->sockets[socket].session == session);
    assert_int_not_equal(w->sockets[socket].told_on, w->link_number); /* not twice */
    w->sockets[socket].told_on = w->link_number;
    w->here[session] = w->known[session] = true;
}

static void room_hears_message(struct world_of_one *w, struct span text)
{
    unsigned session = session_of(text), message = number_after(text, "\"payload\":");
    assert_true(w->here[session]);
    assert_true(message < w->message_count && w->sender[message] == session);
    assert_false(w->heard[message]);
    /* Messages are numbered as they are sent, so their order is the order of numbers. */
    assert_true(w->last_heard[session] <= message);
    w->last_heard[session] = message;
    w->heard[message] = true;
    w->heard_count++;
}

static void on_link_send(void *io, struct handle link, struct span text)
{
    struct world_of_one *w = io;
    assert_true(w->stands && handle_eq(link, w->link));
    if (span_starts(text, SPAN("{\"type\":\"shard.clientConnected\""))) {
        room_hears_join(w, text);
    } else if (span_starts(text, SPAN("{\"type\":\"shard.clientMessage\""))) {
        room_hears_message(w, text);
    } else {
        assert_true(span_starts(text, SPAN("{\"type\":\"shard.clientDisconnected\"")));
        unsigned session = session_of(text);
        assert_true(w->here[session]);
        w->here[session] = w->known[session] = false;
    }
}

static unsigned socket_of(const struct world_of_one *w, struct handle client)
{
    for (unsigned i = w->socket_count; i-- > 0;) {
        if (handle_eq(w->sockets[i].handle, client))
            return i;
    }
    fail_msg("core named a client that it was not given");
    return 0;
}

static void on_client_send(void *io, struct handle client, struct frame *f)
{
    struct world_of_one *w = io;
    assert_true(w->sockets[socket_of(w, client)].open && f->len >= 2);
}

static void on_client_close(void *io, struct handle client, uint16_t code, struct span reason)
{
    struct world_of_one *w = io;
    unsigned i = socket_of(w, client);
    assert_true(w->sockets[i].open);
    assert_true(code == 0 || reason.len > 0);
    w->sockets[i].open = false;
}

static void on_client_pause(void *io, struct handle client, bool pause)
{
    struct world_of_one *w = io;
    unsigned i = socket_of(w, client);
    assert_true(w->sockets[i].open && w->sockets[i].paused != pause);
    w->sockets[i].paused = pause;
}

static void on_link_dial(void *io, struct handle link, struct span shard, struct span world,
                         struct span room, struct span server)
{
    struct world_of_one *w = io;
    assert_false(w->dialling || w->stands);
    assert_true(span_eq(shard, span_str(shard_id)) && span_eq(world, SPAN("world-a")) &&
                span_eq(room, SPAN("room")) && server.len == 0);
    w->link = link;
    w->link_number++;
    w->dialling = true;
    memset(w->here, 0, sizeof w->here);
}

static struct span on_own_server(void *io, struct span room)
{
    (void)io;
    (void)room;
    return SPAN("http://own:1");
}

static void on_link_close(void *io, struct handle link, uint16_t code)
{
    struct world_of_one *w = io;
    assert_true(handle_eq(link, w->link) && (w->dialling || w->stands) && code == 1000);
    w->dialling = w->stands = false;
}

static size_t on_link_queued(void *io, struct handle link)
{
    struct world_of_one *w = io;
    assert_true(w->stands && handle_eq(link, w->link));
    return w->queued;
}

static void on_link_ping(void *io, struct handle link, uint32_t number)
{
    struct world_of_one *w = io;
    assert_true(w->stands && handle_eq(link, w->link));
    assert_true(number > w->pings);
    w->pings = number;
}

static void on_report(void *io, struct handle shard, struct span id, struct span world,
                      uint64_t connections)
{
    struct world_of_one *w = io;
    assert_true(span_eq(id, span_str(shard_id)) && span_eq(world, SPAN("world-a")));
    assert_int_equal(w->reports_under_way, 0);
    w->shard = shard;
    w->reports_under_way = 1;
    w->reported = connections;
}

static const struct node_port model_port = {
    .client_send = on_client_send,
    .client_close = on_client_close,
    .client_pause = on_client_pause,
    .link_dial = on_link_dial,
    .own_server = on_own_server,
    .link_send = on_link_send,
    .link_close = on_link_close,
    .link_queued = on_link_queued,
    .link_ping = on_link_ping,
    .report = on_report,
};

/* ---- what may happen */

static unsigned any_socket(struct world_of_one *w)
{
    return w->socket_count == 0 ? 0 : (unsigned)rng_below(&w->rng, w->socket_count);
}

static void step_open(struct world_of_one *w)
{
    unsigned i = w->socket_count, session = (unsigned)rng_below(&w->rng, SESSIONS);
    assert_true(i < SOCKETS);
    char id[8], info[32];
    snprintf(id, sizeof id, "s%u", session);
    snprintf(info, sizeof info, "{\"n\":%u}", i);
    enum node_reason why;
    w->socket_count++;
    w->sockets[i].session = session;
    w->sockets[i].open = true;
    enum err e = node_client_open(w->node, span_str(shard_id), span_str(id), span_str(info), w->now,
                                  &w->sockets[i].handle, &why);
    if (e == ERR_OK)
        return;
    assert_int_equal(e, ERR_FULL);
    assert_true(w->queued > 0); /* too much waits for the link */
    w->socket_count--;
    w->sockets[i].open = false;
}

static void step_say(struct world_of_one *w)
{
    unsigned i = any_socket(w);
    if (w->socket_count == 0 || !w->sockets[i].open || w->sockets[i].paused)
        return;
    unsigned message = w->message_count++;
    assert_true(message < MESSAGES);
    w->sender[message] = w->sockets[i].session;
    char text[16];
    int len = snprintf(text, sizeof text, "%u", message);
    node_client_message(w->node, w->sockets[i].handle, span_of(text, (size_t)len), false, w->now);
}

static void step_leave(struct world_of_one *w)
{
    unsigned i = any_socket(w);
    if (w->socket_count == 0 || !w->sockets[i].open)
        return;
    w->sockets[i].open = false;
    node_client_closed(w->node, w->sockets[i].handle,
                       rng_below(&w->rng, 2) == 0 ? NODE_PEER_CLOSED : NODE_PEER_GONE, w->now);
}

static void step_room(struct world_of_one *w)
{
    if (!w->stands)
        return;
    unsigned session = (unsigned)rng_below(&w->rng, SESSIONS);
    uint64_t pick = rng_below(&w->rng, 10);
    struct buf text = {.len = 0};
    if (pick < 6)
        buf_addf(&text, "{\"targetClientId\":\"s%u\",\"data\":\"x\"}", session);
    else if (pick < 7)
        buf_addf(&text, "{\"type\":\"shard.closeClient\",\"privateId\":\"s%u\"}", session);
    else
        buf_addf(&text, "{\"broadcast\":%u}", session);
    node_link_frame(w->node, w->link, buf_span(&text), w->now);
    buf_clear(&text);
}

static void step_link(struct world_of_one *w)
{
    if (w->dialling && rng_below(&w->rng, 3) > 0) {
        w->dialling = false;
        w->stands = true;
        w->queued = 0;
        node_link_up(w->node, w->link, w->now);
    } else if (w->dialling || (w->stands && rng_below(&w->rng, 3) == 0)) {
        w->dialling = w->stands = false;
        node_link_down(w->node, w->link, 0, w->now);
    }
}

static void step_queue(struct world_of_one *w)
{
    if (!w->stands)
        return;
    bool was_high = w->queued >= node_link_high_water(&w->settings);
    w->queued = rng_below(&w->rng, 3) == 0 ? rng_below(&w->rng, w->settings.link_buffer + 100) : 0;
    if (was_high && w->queued <= node_link_high_water(&w->settings) / 2)
        node_link_drained(w->node, w->link, w->now);
}

static void step_world(struct world_of_one *w)
{
    if (w->reports_under_way == 0)
        return;
    w->reports_under_way = 0;
    node_reported(w->node, w->shard, rng_below(&w->rng, 4) > 0, w->now);
}

/* A drain may begin, change and end at any time. */
static void step_drain(struct world_of_one *w)
{
    struct shard *shard = map_get(&w->node->shard_map, span_str(shard_id));
    struct drain *d = rng_below(&w->rng, 2) == 0 || shard == NULL ? &w->node->drain : &shard->drain;
    struct order_drain how = {.deadline_ms = 100 + (int64_t)rng_below(&w->rng, 3000),
                              .rate = rng_below(&w->rng, 5)};
    if (rng_below(&w->rng, 3) == 0)
        drain_start(d, &how, w->now);
    else
        drain_stop(d);
}

static void step_pong(struct world_of_one *w)
{
    if (!w->stands || w->ponged == w->pings)
        return;
    w->ponged = w->pings;
    node_link_pong(w->node, w->link, w->ponged, w->now);
}

static void step_time(struct world_of_one *w)
{
    w->now += (int64_t)rng_below(&w->rng, rng_below(&w->rng, 20) == 0 ? 5000 : 200);
    node_tick(w->node, w->now);
}

static void step(struct world_of_one *w)
{
    static void (*const steps[])(struct world_of_one *) = {
        step_open,  step_open,  step_say,   step_say,   step_say,   step_say,
        step_leave, step_leave, step_world, step_room,  step_room,  step_link,
        step_link,  step_time,  step_time,  step_queue, step_drain, step_pong,
    };
    steps[rng_below(&w->rng, sizeof steps / sizeof *steps)](w);
    node_check(w->node);
}

/* ---- the end: everybody leaves, the link stands, and the room must know */

static void settle(struct world_of_one *w)
{
    for (unsigned i = 0; i < w->socket_count; i++) {
        if (!w->sockets[i].open)
            continue;
        w->sockets[i].open = false;
        node_client_closed(w->node, w->sockets[i].handle, NODE_PEER_CLOSED, w->now);
    }
    for (int i = 0; i < 500; i++) {
        if (w->dialling) {
            w->dialling = false;
            w->stands = true;
            node_link_up(w->node, w->link, w->now);
        }
        if (w->reports_under_way > 0) {
            w->reports_under_way = 0;
            node_reported(w->node, w->shard, true, w->now);
        }
        w->now += 10;
        node_tick(w->node, w->now);
        node_check(w->node);
    }
}

static void check_end(struct world_of_one *w)
{
    const struct node_stats *s = node_stats(w->node);
    assert_int_equal(s->clients, 0);
    assert_int_equal(s->sessions, 0);
    for (unsigned i = 0; i < SESSIONS; i++)
        assert_false(w->known[i]);
    assert_int_equal(w->reported, 0);
    /* Only waits that run out lose what the node took. */
    assert_true(s->messages_up >= w->heard_count);
    if (w->settings.link_wait_ms < PATIENT_MS)
        return;
    assert_int_equal(w->heard_count, s->messages_up);
}

static void live(uint64_t seed)
{
    struct world_of_one *w = calloc(1, sizeof *w);
    assert_non_null(w);
    rng_seed(&w->rng, seed);
    w->now = 1000;
    w->settings = (struct node_settings){
        .protocol = NODE_PROTOCOL_REFERENCE,
        .beat_ms = 1000,
        .world_id = "world-default",
        .has_rooms = true,
        .report_ms = 1000,
        .link_wait_ms = seed % 3 == 0 ? 2000 : PATIENT_MS,
        .link_first_ms = seed % 3 == 0 ? 500 : PATIENT_MS,
        .link_buffer = seed % 2 == 0 ? 600 : 100000,
        .link_retry_min_ms = 50,
        .link_retry_max_ms = 1000,
        .max_connections = SOCKETS,
        .max_shards = 1,
        .max_room_id = 100,
        .max_session_id = 100,
    };
    w->node = node_new(&model_port, w, &w->settings, seed, w->now);
    for (int i = 0; i < STEPS; i++)
        step(w);
    settle(w);
    check_end(w);
    node_free(w->node);
    free(w);
}

static void random_lives_keep_the_promises(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        live(seed);
}

static void node_may_be_freed_at_any_moment(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct world_of_one *w = calloc(1, sizeof *w);
        assert_non_null(w);
        rng_seed(&w->rng, seed);
        w->settings = (struct node_settings){.protocol = NODE_PROTOCOL_REFERENCE,
                                             .beat_ms = 1000,
                                             .world_id = "world-default",
                                             .has_rooms = true,
                                             .report_ms = 1000,
                                             .link_wait_ms = 15000,
                                             .link_first_ms = 3000,
                                             .link_buffer = 600,
                                             .link_retry_min_ms = 50,
                                             .link_retry_max_ms = 1000,
                                             .max_connections = SOCKETS,
                                             .max_shards = 1,
                                             .max_room_id = 100,
                                             .max_session_id = 100};
        w->node = node_new(&model_port, w, &w->settings, seed, w->now);
        for (uint64_t i = 0; i < seed * 3; i++)
            step(w);
        node_free(w->node);
        free(w);
    }
}

/* The log of thousands of links would only fill the screen. */
static void no_log(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

int main(void)
{
    log_capture(no_log);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_lives_keep_the_promises),
        cmocka_unit_test(node_may_be_freed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
