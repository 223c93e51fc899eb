/* Sends knocks, a bounded number at a time; what becomes of them is of no consequence. */
#include "world/io/redis/knock.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/errand.h"
#include "common/proto/url.h"

enum { ANSWER_MAX = 4096 };

struct knocking {
    struct list node;
    struct knock *all;
    struct buf target, url;
    struct errand errand;
};

static const struct http_pool_settings pool_settings = {
    .connect_ms = KNOCK_MS,
    .answer_ms = KNOCK_MS,
    .max_idle = 1,
    .idle_ms = KNOCK_MS,
    .high_water = 16 * 1024,
};

static void send_waiting(struct knock *k);

static void knocking_free(struct knocking *w)
{
    list_remove(&w->node);
    errand_clear(&w->errand);
    buf_clear(&w->target);
    buf_clear(&w->url);
    free(w);
}

static void on_done(struct errand *e, enum err why)
{
    struct knocking *w = CONTAINER_OF(e, struct knocking, errand);
    struct knock *k = w->all;
    bool heard = why == ERR_OK && e->status == 204;

    k->under_way_count--;
    k->heard += heard;
    if (!heard)
        log_debug("knock.failed", "url=%.*s status=%d why=%s", SPAN_ARG(buf_span(&w->url)),
                  e->status, err_text(why));
    knocking_free(w);
    send_waiting(k);
}

/* False: the URL is no origin. */
static bool send_knock(struct knocking *w)
{
    struct knock *k = w->all;
    struct http_pool *pool = pools_get(&k->pools, buf_span(&w->url));
    struct buf head = {0};

    if (pool == NULL)
        return false;
    signed_head_add(&head, k->signer, SPAN("POST"), buf_span(&w->target));
    errand_send(&w->errand, k->loop, pool, buf_span(&head), SPAN(""), KNOCK_MS);
    buf_clear(&head);
    return true;
}

static void send_waiting(struct knock *k)
{
    while (k->under_way_count < KNOCK_UNDER_WAY && !list_empty(&k->waiting)) {
        struct knocking *w = CONTAINER_OF(list_first(&k->waiting), struct knocking, node);

        if (!send_knock(w)) {
            knocking_free(w);
            continue;
        }
        list_remove(&w->node);
        list_push(&k->under_way, &w->node);
        k->under_way_count++;
        k->sent++;
    }
}

void knock_init(struct knock *k, struct loop *l, const struct signer *signer)
{
    *k = (struct knock){.loop = l, .signer = signer};
    pools_init(&k->pools, l, &pool_settings);
    k->pools.inside = true;
    list_init(&k->waiting);
    list_init(&k->under_way);
}

void knock_at(struct knock *k, struct span world, struct span url)
{
    struct knocking *w = xcalloc(1, sizeof(*w));

    w->all = k;
    w->errand.done = on_done;
    w->errand.answer_max = ANSWER_MAX;
    BUF_ADD_LIT(&w->target, "/terrane/beat/");
    url_encode(&w->target, world);
    buf_add_span(&w->url, url);
    list_push(&k->waiting, &w->node);
    send_waiting(k);
}

void knock_clear(struct knock *k)
{
    LIST_EACH_SAFE (&k->waiting, it, next)
        knocking_free(CONTAINER_OF(it, struct knocking, node));
    LIST_EACH_SAFE (&k->under_way, it, next)
        knocking_free(CONTAINER_OF(it, struct knocking, node));
    k->under_way_count = 0;
    pools_clear(&k->pools);
}
