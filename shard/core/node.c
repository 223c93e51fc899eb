/* The public calls: each finds what a handle means and passes on. Decisions are made in the files
 * of the nouns. */
#include "shard/core/node.h"

#include <assert.h>
#include <stdlib.h>

#include "common/proto/envelope.h"
#include "common/proto/json_text.h"
#include "shard/core/client.h"
#include "shard/core/deliver.h"
#include "shard/core/node_state.h"
#include "shard/core/parting.h"
#include "shard/core/pressure.h"
#include "shard/core/recall.h"
#include "shard/core/replay.h"
#include "shard/core/session.h"
#include "shard/core/shard.h"
#include "shard/core/wait.h"
#include "shard/core/world.h"

struct node *node_new(const struct node_port *port, void *io, const struct node_settings *settings,
                      uint64_t rng_seed_value, int64_t now)
{
    assert(settings->report_ms > 0 && settings->link_retry_min_ms > 0);
    struct node *n = xcalloc(1, sizeof *n);
    n->port = port;
    n->io = io;
    n->settings = settings;
    n->epoch = settings->epoch;
    list_init(&n->shards);
    list_init(&n->worlds);
    wheel_init(&n->wheel, now);
    checks_init(&n->checks, n);
    ending_init(&n->ending);
    drain_init(&n->drain, n, NULL);
    rng_seed(&n->rng, rng_seed_value);
    world_configure(n, now);
    return n;
}

void node_free(struct node *n)
{
    LIST_EACH_SAFE (&n->shards, it, tmp)
        shard_free(CONTAINER_OF(it, struct shard, in_node));
    LIST_EACH_SAFE (&n->worlds, it, tmp)
        world_free(CONTAINER_OF(it, struct world, in_node));
    map_clear(&n->world_map);
    slots_clear(&n->world_slots);
    map_clear(&n->shard_map);
    owners_clear(&n->owners);
    slots_clear(&n->shard_slots);
    slots_clear(&n->link_slots);
    slots_clear(&n->client_slots);
    buf_clear(&n->out);
    buf_clear(&n->scratch);
    buf_clear(&n->beat);
    buf_clear(&n->findings);
    checks_clear(&n->checks);
    free(n);
}

int64_t node_epoch(const struct node *n)
{
    return n->epoch;
}

const struct node_stats *node_stats(const struct node *n)
{
    return &n->stats;
}

void node_check(const struct node *n)
{
    size_t shards = 0, clients = 0, links_up = 0, sessions = 0, parting = 0;
    size_t owned = 0, guests = 0, passing = 0, paused = 0;
    LIST_EACH (&n->shards, it) {
        const struct shard *shard = CONTAINER_OF(it, struct shard, in_node);
        shard_check(shard);
        shards++;
        owned += shard->owned ? 1 : 0;
        guests += shard->dropped ? shard->client_count : 0;
        clients += shard->client_count;
        parting += shard->parting;
        links_up += link_stands(&shard->link) ? 1 : 0;
        sessions += shard->sessions.count + shard->passing_sessions.count;
        passing += shard->passing_count;
        LIST_EACH (&shard->link.ghosts, ghost)
            sessions--;
        LIST_EACH (&shard->clients, client)
            paused += CONTAINER_OF(client, struct client, in_shard)->paused ? 1 : 0;
    }
    LIST_EACH (&n->worlds, it)
        world_check(CONTAINER_OF(it, struct world, in_node));
    const struct node_stats *s = &n->stats;
    assert(s->shards_owned == owned && s->guests == guests);
    assert(s->worlds_unheard + s->worlds_beats + s->worlds_reference == n->world_map.count);
    assert(s->shards == shards && s->clients == clients && s->links_up == links_up);
    assert(s->passing == passing && s->paused == paused);
    assert(s->sessions == sessions && n->client_slots.count == clients);
    assert(n->parting == parting);
    uint64_t closed = 0;
    for (unsigned r = 0; r < NODE_REFUSED_FULL; r++)
        closed += s->reasons[r];
    assert(s->accepted == clients + closed);
}

void node_client_message(struct node *n, struct handle client, struct span data, bool binary,
                         int64_t now)
{
    struct client *c = slots_get(&n->client_slots, client);
    if (c == NULL)
        return;
    assert(!c->session->passes);
    struct span json;
    enum err e = envelope_check_message(data, binary, &n->scratch, &json);
    if (e != ERR_OK) {
        if (e == ERR_LIMIT)
            n->stats.dropped_too_deep++;
        else
            n->stats.dropped_not_json++;
        return;
    }
    struct shard *shard = c->session->shard;
    if (!link_message(&shard->link, c, json, now)) {
        client_close(c, NODE_LINK_OVERFLOW, now);
        world_shard_changed(shard);
        return;
    }
    n->stats.messages_up++;
    n->stats.bytes_up += json.len;
}

void node_client_closed(struct node *n, struct handle client, enum node_reason why, int64_t now)
{
    struct client *c = slots_get(&n->client_slots, client);
    if (c == NULL)
        return;
    struct shard *shard = c->session->shard;
    client_forget(c, why, now);
    world_shard_changed(shard);
    shard_changed(shard);
}

enum err node_http(struct node *n, struct span shard_id, int64_t now, struct span *room,
                   struct span *world, struct span *server)
{
    struct shard *shard = NULL;
    if (n->closing)
        return ERR_FULL;
    enum err e = shard_reach(n, shard_id, now, &shard);
    if (e != ERR_OK)
        return e;
    if (!link_has_server(&shard->link))
        return ERR_MISSING;
    shard->idle_since_ms = now;
    link_need(&shard->link);
    *room = shard->room;
    *world = shard->world->id;
    *server = span_str(shard->link.server);
    return ERR_OK;
}

enum err node_reach(struct node *n, struct span shard_id, int64_t now, struct span *room,
                    struct span *world, struct span *server)
{
    struct shard *shard = NULL;
    if (n->closing)
        return ERR_FULL;
    enum err e = shard_reach(n, shard_id, now, &shard);
    if (e != ERR_OK)
        return e;
    if (shard->client_count == 0)
        shard->idle_since_ms = now;
    *room = shard->room;
    *world = shard->world->id;
    *server = span_str(shard->link.server);
    return shard->link.held ? ERR_AGAIN : ERR_OK;
}

void node_link_up(struct node *n, struct handle link, int64_t now)
{
    struct link *l = slots_get(&n->link_slots, link);
    if (l == NULL)
        return;
    link_up(l, now);
    shard_changed(l->shard);
}

void node_link_frame(struct node *n, struct handle link, struct span text, int64_t now)
{
    struct link *l = slots_get(&n->link_slots, link);
    if (l != NULL)
        deliver(l->shard, text, now);
}

void node_link_unsent(struct node *n, struct handle link, struct span text, int64_t now)
{
    struct link *l = slots_get(&n->link_slots, link);
    if (l != NULL)
        recall_text(l, text, now);
}

void node_link_down(struct node *n, struct handle link, size_t lost, int64_t now)
{
    struct link *l = slots_get(&n->link_slots, link);
    if (l == NULL)
        return;
    link_down(l, lost, now);
    shard_changed(l->shard);
}

void node_link_drained(struct node *n, struct handle link, int64_t now)
{
    struct link *l = slots_get(&n->link_slots, link);
    (void)now;
    if (l != NULL)
        pressure_release(l);
}

void node_link_pong(struct node *n, struct handle link, uint32_t number, int64_t now)
{
    struct link *l = slots_get(&n->link_slots, link);
    if (l == NULL)
        return;
    parting_heard(l->shard, number, now);
    link_heard(l, number, now);
}

void node_beat_answered(struct node *n, struct handle world, int status, struct span body,
                        int64_t now)
{
    struct world *w = slots_get(&n->world_slots, world);
    if (w != NULL)
        world_answered(w, status, body, now);
}

bool node_knocked(struct node *n, struct span world_id)
{
    struct world *w = map_get(&n->world_map, world_id);
    if (w == NULL)
        return false;
    world_knock(w);
    return true;
}

struct checks *node_checks(struct node *n)
{
    return &n->checks;
}

const struct findings *node_findings(const struct node *n)
{
    return &n->checks.findings;
}

void node_checked(struct node *n, struct handle world, int64_t now)
{
    checks_done(&n->checks, slots_get(&n->world_slots, world), now);
}

void node_reported(struct node *n, struct handle handle, bool confirmed, int64_t now)
{
    struct shard *shard = slots_get(&n->shard_slots, handle);
    if (shard != NULL)
        shard_reported(shard, confirmed, now);
}

void node_tick(struct node *n, int64_t now)
{
    wheel_advance(&n->wheel, now);
}

int64_t node_next_ms(const struct node *n)
{
    return wheel_next_ms(&n->wheel);
}

void node_end(struct node *n, int64_t now)
{
    ending_start(n, now);
}

bool node_is_draining(const struct node *n)
{
    return n->closing || n->ending.state != ENDING_NOT;
}

bool node_has_ended(const struct node *n)
{
    return n->ending.state == ENDING_OVER;
}

uint64_t node_end_pass(const struct node *n, uint64_t left, int64_t now, int64_t *next_ms)
{
    return ending_pass(&n->ending, left, now, next_ms);
}

static void shut_shard(struct shard *shard, int64_t now)
{
    struct link *l = &shard->link;
    if (link_stands(l))
        replay_finish(l);
    wait_drop_backlog(l);
    for (struct list *first; (first = list_first(&shard->clients)) != NULL;)
        client_close(CONTAINER_OF(first, struct client, in_shard), NODE_SHUTDOWN, now);
    for (struct list *first; (first = list_first(&shard->passing)) != NULL;)
        client_close(CONTAINER_OF(first, struct client, in_shard), NODE_SHUTDOWN, now);
    pressure_relieve(l);
    link_give_up(l);
    world_shard_changed(shard);
    shard_changed(shard);
}

void node_shutdown(struct node *n, int64_t now)
{
    n->closing = true;
    LIST_EACH (&n->shards, it)
        shut_shard(CONTAINER_OF(it, struct shard, in_node), now);
}

void node_say_gone(struct node *n)
{
    assert(n->closing);
    LIST_EACH (&n->worlds, it)
        world_say_gone(CONTAINER_OF(it, struct world, in_node));
}

bool node_has_said_gone(const struct node *n)
{
    LIST_EACH (&n->worlds, it) {
        const struct world *w = CONTAINER_OF(it, struct world, in_node);
        if (w->mode == WORLD_BEATS && !w->gone)
            return false;
    }
    return true;
}
