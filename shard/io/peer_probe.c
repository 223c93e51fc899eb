/* Asks another node who it is. What its answer means for the cluster is core's. */
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/net/errand.h"
#include "common/proto/hop_sign.h"
#include "shard/core/checks.h"
#include "shard/io/checkup.h"
#include "shard/io/probe.h"

enum { ANSWER_MAX = 16 * 1024, STATUS_OK = 200, STATUS_FORBIDDEN = 403 };

struct peer_probe {
    struct probe probe;
    char *id, *url; /* owned */
    struct http_pool *pool;
    struct errand errand;
};

static void peer_probe_free(struct peer_probe *p)
{
    list_remove(&p->probe.node);
    errand_clear(&p->errand);
    free(p->id);
    free(p->url);
    free(p);
}

static void cancel(struct probe *probe)
{
    peer_probe_free(CONTAINER_OF(probe, struct peer_probe, probe));
}

static void tell(struct peer_probe *p, enum checks_peer what, const char *why)
{
    struct ticker *t = p->probe.all->ticker;
    checks_peer(node_checks(t->node), span_str(p->id), span_str(p->url), what, why, ticker_now(t));
    ticker_touch(t);
    probe_over(&p->probe);
    peer_probe_free(p);
}

/* Nodes that announce one URL reach one of them by it. */
static void judge_version(struct peer_probe *p, const json_t *doc)
{
    struct span id;
    struct buf why = {0};
    if (!json_get_span(doc, "node", &id)) {
        tell(p, CHECKS_PEER_ANOTHER, "no node answers there");
    } else if (!span_eq(id, span_str(p->id))) {
        buf_addf(&why, "the node %.*s answers there", SPAN_ARG(id));
        buf_add_char(&why, '\0');
        tell(p, CHECKS_PEER_ANOTHER, why.data);
    } else {
        tell(p, CHECKS_PEER_WELL, "");
    }
    buf_clear(&why);
}

static void judge_refusal(struct peer_probe *p, const json_t *doc)
{
    struct span error;
    struct buf why = {0};
    buf_addf(&why, "%s answers with %d", p->url, p->errand.status);
    buf_add_char(&why, '\0');
    if (p->errand.status != STATUS_FORBIDDEN)
        tell(p, CHECKS_PEER_ANOTHER, "no node answers there");
    else if (json_get_span(doc, "error", &error) && span_eq(error, SPAN(HOP_SIGN_LATE)))
        tell(p, CHECKS_PEER_LATE, "its clock and ours are more than a minute apart");
    else
        tell(p, CHECKS_PEER_DENIED, why.data);
    buf_clear(&why);
}

static void on_done(struct errand *e, enum err why)
{
    struct peer_probe *p = CONTAINER_OF(e, struct peer_probe, errand);
    json_t *doc = why == ERR_OK ? json_decode_max(buf_span(&e->answer), ANSWER_MAX) : NULL;
    if (why == ERR_TIMEOUT)
        tell(p, CHECKS_PEER_SILENT, "timed out");
    else if (why != ERR_OK && why != ERR_FULL)
        tell(p, CHECKS_PEER_SILENT, http_pool_fault(p->pool));
    else if (e->status == STATUS_OK)
        judge_version(p, doc);
    else
        judge_refusal(p, doc);
    json_decref(doc);
}

static void start(struct probe *probe)
{
    struct peer_probe *p = CONTAINER_OF(probe, struct peer_probe, probe);
    const struct checkups *all = probe->all;
    struct buf head = {0};
    const struct hop_sign sign = {
        .method = SPAN("GET"),
        .target = SPAN("/version"),
        .entry = span_str(all->node->id),
        .client_ip = SPAN("127.0.0.1"), /* nobody's behalf */
    };
    p->pool = pools_get(all->peers, span_str(p->url));
    if (p->pool == NULL) {
        tell(p, CHECKS_PEER_SILENT, "not an origin");
        return;
    }
    BUF_ADD_LIT(&head, "GET /version HTTP/1.1\r\n");
    hop_sign_add(&head, all->secrets, &sign, clock_wall_ms());
    errand_send(&p->errand, all->ticker->loop, p->pool, buf_span(&head), SPAN(""), CHECKUP_DIAL_MS);
    buf_clear(&head);
}

static const struct probe_kind kind = {.start = start, .cancel = cancel};

struct probe *peer_probe_new(struct span id, struct span url)
{
    struct peer_probe *p = xcalloc(1, sizeof *p);
    *p = (struct peer_probe){
        .probe.kind = &kind,
        .id = xspandup(id),
        .url = xspandup(url),
        .errand = {.done = on_done, .answer_max = ANSWER_MAX},
    };
    return &p->probe;
}
