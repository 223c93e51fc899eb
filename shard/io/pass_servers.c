/* Owns the servers that ROUTES, ROOM_SERVERS and orders name, and the choice among them. */
#include "shard/io/pass_servers.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"

enum { CONNECT_MS = 1500 };

void pass_servers_init(struct pass_servers *s, struct loop *l, int64_t answer_ms)
{
    *s = (struct pass_servers){
        .loop = l,
        .settings = {.connect_ms = CONNECT_MS,
                     .answer_ms = answer_ms,
                     .max_idle = 64,
                     .idle_ms = 4000, /* below Node's keepAliveTimeout of 5 s */
                     .high_water = 256 * 1024},
    };
}

void pass_servers_clear(struct pass_servers *s)
{
    size_t at = 0;
    for (struct map_entry *e; (e = map_next(&s->by_text, &at)) != NULL;) {
        struct pass_server *server = e->value;
        http_pool_free(server->requests);
        url_origin_clear(&server->origin);
        free(server->text);
        free(server);
    }
    map_clear(&s->by_text);
    buf_clear(&s->scratch);
}

static struct url_origin origin_copy(const struct url_origin *origin)
{
    struct url_origin copy = *origin;
    copy.host = xstrdup(origin->host);
    copy.text = xstrdup(origin->text);
    return copy;
}

struct pass_server *pass_servers_get(struct pass_servers *s, const struct url_origin *origin)
{
    buf_reset(&s->scratch);
    url_origin_add(&s->scratch, origin);
    struct pass_server *server = map_get(&s->by_text, buf_span(&s->scratch));
    if (server != NULL || s->by_text.count >= PASS_SERVERS_MAX)
        return server;
    server = xcalloc(1, sizeof *server);
    server->origin = origin_copy(origin);
    server->text = xspandup(buf_span(&s->scratch));
    server->requests = http_pool_new(s->loop, &server->origin, &s->settings);
    map_add(&s->by_text, span_str(server->text), server);
    return server;
}

/* An entry of `tried`. */
struct attempt {
    struct pass_server *server;
};

static bool was_tried(const struct buf *tried, const struct pass_server *server)
{
    struct attempt a;
    for (size_t at = 0; at < tried->len; at += sizeof a) {
        memcpy(&a, tried->data + at, sizeof a);
        if (a.server == server)
            return true;
    }
    return false;
}

struct pass_server *pass_servers_next(struct pass_servers *s, const struct origins *list,
                                      struct span key, struct buf *tried)
{
    struct pass_server *best = NULL;
    uint64_t best_score = 0;
    bool best_is_bad = false;
    for (size_t i = 0; i < list->count; i++) {
        struct pass_server *server = pass_servers_get(s, &list->list[i]);
        if (server == NULL || was_tried(tried, server))
            continue;
        uint64_t score = origin_score(span_str(list->list[i].text), key);
        bool is_bad = loop_now(s->loop) < server->bad_until_ms;
        if (best != NULL && (is_bad != best_is_bad ? is_bad : score <= best_score))
            continue;
        best = server;
        best_score = score;
        best_is_bad = is_bad;
    }
    const struct attempt a = {.server = best};
    if (best != NULL)
        buf_add(tried, &a, sizeof a);
    return best;
}

void pass_server_failed(struct pass_servers *s, struct pass_server *server, const char *why)
{
    int64_t now = loop_now(s->loop);
    if (now >= server->bad_until_ms)
        log_warn("server.unreachable", "server=%s why=%s", server->text, why);
    server->bad_until_ms = now + PASS_OVER_MS;
}
