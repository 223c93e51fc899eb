/* Joins clients with servers: says to which, and tells core how it ended. The joining itself is
 * common/net/tunnel's, the choice of a server pass_servers'. */
#include "shard/io/pass.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/proto/hop.h"
#include "shard/io/credential.h"
#include "shard/io/io_stats.h"
#include "shard/io/join.h"
#include "shard/io/pass_key.h"

enum {
    CONNECT_MS = 1500,
    HANDSHAKE_MS = 10000, /* a server may look somebody up before it answers */
};

#define JSON_TYPE "Content-Type: application/json\r\n"

/* Where a client or a request is to go, while it is on its way. */
struct aim {
    const struct origins *list;
    struct origins ordered; /* the one server that a world has named, if it is that */
    struct buf key, tried;
    struct pass_server *server; /* being tried */
    struct pass_late *late;     /* who waits for it elsewhere; NULL: an exchange */
    bool denied;                /* a server has answered a late one, and does not want it */
};

static void aim_free(struct aim *aim)
{
    if (aim == NULL)
        return;
    origins_clear(&aim->ordered);
    buf_clear(&aim->key);
    buf_clear(&aim->tried);
    free(aim);
}

/* The next server to try; NULL: none is left. */
static struct pass_server *aim_next(struct passes *all, struct aim *aim)
{
    aim->server = pass_servers_next(&all->servers, aim->list, buf_span(&aim->key), &aim->tried);
    return aim->server;
}

/* What a request is, as far as its server is told. */
struct course {
    struct span room, world, ordered;
};

static struct aim *aim_new(const struct passes *all, const struct arrived *a,
                           const struct course *c)
{
    const struct route_rule *rule = a->route->rule;
    struct aim *aim = xcalloc(1, sizeof *aim);
    struct span bad;
    aim->list = rule->servers.count > 0 ? &rule->servers : all->room_servers;
    if (rule->servers.count == 0 && c->ordered.len > 0 &&
        origins_parse(&aim->ordered, c->ordered, &bad) == ERR_OK)
        aim->list = &aim->ordered;
    if (rule->has_shard)
        buf_add_span(&aim->key, c->room);
    else
        pass_key_add(&aim->key, a->x->head, a->route, a->from);
    return aim;
}

static void add_head(const struct passes *all, struct buf *head, const struct arrived *a,
                     const struct course *c)
{
    static const struct span none = {.len = 0};
    char ip[ADDR_TEXT_MAX], peer[ADDR_TEXT_MAX];
    addr_format(&a->from->client, ip);
    addr_format(&a->x->peer, peer);
    const struct hop_pass to = {
        .path = a->route->resolved,
        .query = a->route->query,
        .shard_id = a->route->shard_id,
        .room = c->room,
        .world = c->world,
        .secret = a->route->rule->secret ? secrets_first(all->secrets) : none,
        .client_ip = span_str(ip),
        .peer_ip = a->from->hopped ? none : span_str(peer),
        .host = sender_host(a->from, a->x->head),
        .subject = buf_span(&a->shown->subject),
        .claims = buf_span(&a->shown->claims),
        .https = a->from->https,
        .upgrade = a->is_socket,
        .trusted_peer = a->from->trusted,
    };
    hop_add_pass_request(head, a->head, &to);
}

/* ---- clients */

/* Kept small: one is there for each client, for as long as it stays. */
struct passing {
    struct passes *all;
    struct handle handle; /* none: a visitor, or core has forgotten it */
    struct tunnel *tunnel;
    struct aim *aim; /* NULL: it is open */
    bool is_visitor;
};

static void try_next(struct passing *p)
{
    const struct pass_server *server = aim_next(p->all, p->aim);
    if (server != NULL)
        tunnel_try(p->tunnel, &server->origin);
    else
        tunnel_refuse(p->tunnel, 502, SPAN(JSON_TYPE),
                      SPAN("{\"error\":\"No server can be reached\"}"));
}

static void leave(struct passing *p, uint16_t code, struct span reason)
{
    struct pass_late *late = p->aim->late;
    p->aim->late = NULL;
    late->passing = NULL;
    late->ops->left(late, code, reason);
}

static void tunnel_failed(void *ctx, struct tunnel *t, enum tunnel_failure why)
{
    struct passing *p = ctx;
    if (why == TUNNEL_DENIED) {
        p->aim->denied = true;
        tunnel_refuse(t, 502, SPAN(""), SPAN(""));
        return;
    }
    p->all->stats->unreachable++;
    pass_server_failed(&p->all->servers, p->aim->server, tunnel_fault(t));
    try_next(p);
}

static void tunnel_opened(void *ctx)
{
    struct passing *p = ctx;
    struct pass_late *late = p->aim->late;
    aim_free(p->aim);
    p->aim = NULL;
    if (late != NULL)
        late->ops->joined(late);
}

static struct conn *tunnel_client(void *ctx)
{
    struct pass_late *late = ((struct passing *)ctx)->aim->late;
    return late->ops->client(late);
}

/* What core is told. What we end ourselves it has forgotten before. */
static enum node_reason reason_of(enum tunnel_end how)
{
    switch (how) {
    case TUNNEL_REFUSED:
    case TUNNEL_SERVER_GONE:
        return NODE_UPSTREAM_GONE;
    case TUNNEL_ANSWERED:
        return NODE_UPSTREAM_REFUSED;
    case TUNNEL_CLIENT_CLOSED:
        return NODE_PEER_CLOSED;
    case TUNNEL_SERVER_CLOSED:
        return NODE_ROOM_CLOSED;
    case TUNNEL_CLIENT_GONE:
    case TUNNEL_OURS:
        return NODE_PEER_GONE;
    }
    return NODE_PEER_GONE;
}

static void tunnel_ended(void *ctx, enum tunnel_end how)
{
    struct passing *p = ctx;
    struct ticker *t = p->all->ticker;
    struct handle handle = p->handle;
    bool is_visitor = p->is_visitor;
    if (p->aim != NULL && p->aim->late != NULL && p->aim->denied)
        leave(p, WS_CODE_INTERNAL, SPAN("The server refused"));
    else if (p->aim != NULL && p->aim->late != NULL)
        leave(p, WS_CODE_TRY_LATER, SPAN("No server can be reached"));
    handles_remove(&p->all->table, handle);
    aim_free(p->aim);
    free(p);
    log_debug("pass.ended", "how=%d", (int)how);
    if (is_visitor) {
        node_visitor_closed(t->node);
    } else if (!handle_is_none(handle)) {
        node_client_closed(t->node, handle, reason_of(how), ticker_now(t));
        ticker_touch(t);
    }
}

static const struct tunnel_ops tunnel_ops = {.failed = tunnel_failed,
                                             .ended = tunnel_ended,
                                             .opened = tunnel_opened,
                                             .client = tunnel_client};

static struct passing *passing_new(struct passes *all, const struct arrived *a, struct aim *aim,
                                   struct handle handle)
{
    struct passing *p = xcalloc(1, sizeof *p);
    *p = (struct passing){
        .all = all, .handle = handle, .aim = aim, .is_visitor = !a->route->rule->has_shard};
    if (!p->is_visitor)
        handles_set(&all->table, handle, p);
    return p;
}

static void set_out(struct passes *all, const struct arrived *a, const struct course *c,
                    struct handle handle)
{
    struct buf head = {0};
    struct passing *p = passing_new(all, a, aim_new(all, a, c), handle);
    add_head(all, &head, a, c);
    struct tunnels *tunnels = p->is_visitor ? &all->visitors : &all->shards;
    if (a->late != NULL) {
        p->aim->late = a->late;
        a->late->passing = p;
        p->tunnel =
            tunnel_new_late(tunnels, &head, a->late->key, a->late->protocol, &tunnel_ops, p);
        try_next(p);
        return;
    }
    p->tunnel = tunnel_new(tunnels, a->x, &head, &tunnel_ops, p);
    if (a->shown->ours && span_eq(credential_protocol(a->x->head), SPAN("terrane")))
        tunnel_set_protocol(p->tunnel, SPAN("terrane"));
    try_next(p);
}

static struct span read_session(struct passes *all, const struct arrived *a)
{
    if (a->late != NULL)
        return a->late->session;
    buf_reset(&all->session);
    join_read_session(&all->session, a->route->query);
    return buf_span(all->session.len > 0 ? &all->session : &a->shown->session);
}

static enum err take_client(struct passes *all, const struct arrived *a, enum node_reason *why)
{
    struct handle handle = {0};
    struct course c = {.room = {0}};
    struct ticker *t = all->ticker;
    const struct route *r = a->route;
    if (!r->rule->has_shard) {
        enum err e = node_visitor_open(t->node, why);
        if (e == ERR_OK)
            set_out(all, a, &c, handle);
        return e;
    }
    enum err e = node_client_pass(t->node, r->shard_id, read_session(all, a),
                                  r->rule->servers.count == 0, ticker_now(t), &handle, why);
    ticker_touch(t);
    if (e != ERR_OK)
        return e;
    e = node_reach(t->node, r->shard_id, ticker_now(t), &c.room, &c.world, &c.ordered);
    assert(e == ERR_OK || e == ERR_AGAIN); /* it is in there */
    set_out(all, a, &c, handle);
    return ERR_OK;
}

/* ---- other requests */

struct errand_out {
    struct passes *all;
    struct aim *aim;
};

static void forward_failed(void *ctx, struct forward *f, enum forward_failure why);

static void forward_ended(void *ctx)
{
    struct errand_out *o = ctx;
    aim_free(o->aim);
    free(o);
}

static const struct forward_kind to_server = {
    .target = FORWARD_SERVER,
    .name = "server",
    .failed = forward_failed,
    .keeps_421 = true,
    .ended = forward_ended,
    .failed_status = 502,
    .timeout_status = 504,
    .failed_headers = SPAN_INIT(JSON_TYPE),
    .failed_body = "{\"error\":\"The server does not answer\"}",
};

static void forward_next(struct errand_out *o, struct forward *f)
{
    const struct pass_server *server = aim_next(o->all, o->aim);
    if (server != NULL)
        forward_try(f, server->requests);
    else
        forward_refuse(f, 502, SPAN(JSON_TYPE), SPAN("{\"error\":\"No server can be reached\"}"));
}

static void forward_failed(void *ctx, struct forward *f, enum forward_failure why)
{
    struct errand_out *o = ctx;
    (void)why;
    o->all->stats->unreachable++;
    pass_server_failed(&o->all->servers, o->aim->server, forward_fault(f));
    forward_next(o, f);
}

static void send_off(struct passes *all, const struct arrived *a, const struct course *c)
{
    struct buf head = {0};
    struct errand_out *o = xcalloc(1, sizeof *o);
    struct forward *f = a->forward;
    *o = (struct errand_out){.all = all, .aim = aim_new(all, a, c)};
    add_head(all, &head, a, c);
    if (f != NULL) {
        forward_turn(f, &head, &to_server, o);
    } else {
        f = forward_new(all->forwards, a->x, &head, &to_server, o);
        struct responder *r = a->x->user;
        if (a->body_complete)
            r->ops->complete(r);
    }
    forward_next(o, f);
}

static enum err take_request(struct passes *all, const struct arrived *a, enum node_reason *why)
{
    struct course c = {.room = {0}};
    struct ticker *t = all->ticker;
    if (a->route->rule->has_shard) {
        enum err e =
            node_reach(t->node, a->route->shard_id, ticker_now(t), &c.room, &c.world, &c.ordered);
        ticker_touch(t);
        bool waits = e == ERR_AGAIN && a->route->rule->servers.count == 0;
        *why = waits           ? NODE_REFUSED_MOVING
               : e == ERR_FULL ? NODE_REFUSED_FULL
                               : NODE_REFUSED_BAD_ID;
        if (e != ERR_OK && (e != ERR_AGAIN || waits))
            return e;
    }
    send_off(all, a, &c);
    return ERR_OK;
}

/* ---- */

void passes_init(struct passes *all, int64_t client_dead_ms, int64_t answer_ms, size_t buffer)
{
    struct loop *l = all->ticker->loop;
    struct tunnels *both[] = {&all->shards, &all->visitors};
    pass_servers_init(&all->servers, l, answer_ms);
    tunnels_init(&all->shards, l, &all->stats->shards);
    tunnels_init(&all->visitors, l, &all->stats->visitors);
    for (size_t i = 0; i < sizeof both / sizeof both[0]; i++) {
        both[i]->connect_ms = CONNECT_MS;
        both[i]->answer_ms = HANDSHAKE_MS;
        both[i]->keeps_421 = true;
        both[i]->pipes.high_water = (uint32_t)buffer;
        both[i]->pipes.client_dead_ms = (unsigned)client_dead_ms;
        both[i]->pipes.upstream_dead_ms = (unsigned)client_dead_ms;
    }
}

enum err passes_take(struct passes *all, const struct arrived *a, enum node_reason *why)
{
    return a->is_socket ? take_client(all, a, why) : take_request(all, a, why);
}

void passes_forget(struct pass_late *late)
{
    struct passing *p = late->passing;
    if (p == NULL)
        return;
    late->passing = NULL;
    p->aim->late = NULL;
    tunnel_cancel(p->tunnel);
}

bool passes_close(struct passes *all, struct handle client, uint16_t code, struct span reason)
{
    struct passing *p = handles_get(&all->table, client);
    if (p == NULL)
        return false;
    handles_remove(&all->table, client);
    p->handle = (struct handle){0};
    if (p->aim != NULL && p->aim->late != NULL) {
        leave(p, code, reason);
        tunnel_cancel(p->tunnel);
    } else {
        tunnel_close(p->tunnel, code, reason);
    }
    return true;
}

void passes_abort(struct passes *all)
{
    tunnels_abort(&all->shards);
    tunnels_abort(&all->visitors);
    pass_servers_clear(&all->servers);
}

void passes_clear(struct passes *all)
{
    handles_clear(&all->table);
    buf_clear(&all->session);
}
