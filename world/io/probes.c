/* The four probes. Their paths lie beside those of worlds and need no authorization. */
#include "world/io/probes.h"

#include "common/base/version.h"
#include "world/io/redis/cluster.h"

#define JSON "Content-Type: application/json\r\n"

enum probe { PROBE_LIVE, PROBE_READY, PROBE_METRICS, PROBE_VERSION, PROBE_NONE };

static enum probe find(struct span path)
{
    static const struct {
        const char *path;
        enum probe probe;
    } rows[] = {
        {"/livez", PROBE_LIVE},
        {"/readyz", PROBE_READY},
        {"/metrics", PROBE_METRICS},
        {"/version", PROBE_VERSION},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (span_eq(path, span_str(rows[i].path)))
            return rows[i].probe;
    }
    return PROBE_NONE;
}

static struct probe_answer answer_ready(const struct metrics *m, bool ready, struct buf *body)
{
    if (!ready) {
        BUF_ADD_LIT(body, "{\"status\":\"stopping\"}");
        return (struct probe_answer){503, SPAN(JSON)};
    }
    if (m->cluster != NULL && !cluster_reaches_redis(m->cluster)) {
        BUF_ADD_LIT(body, "{\"status\":\"failing\",\"failing\":[\"redis\"]}");
        return (struct probe_answer){503, SPAN(JSON)};
    }
    if (m->store != NULL && m->store->failing) {
        BUF_ADD_LIT(body, "{\"status\":\"failing\",\"failing\":[\"store\"]}");
        return (struct probe_answer){503, SPAN(JSON)};
    }
    BUF_ADD_LIT(body, "{\"status\":\"ready\"}");
    return (struct probe_answer){200, SPAN(JSON)};
}

static struct probe_answer answer_metrics(struct metrics *m, const struct http_head *head,
                                          struct buf *body)
{
    struct span accept = http_head_get(head, SPAN("accept")),
                wanted = SPAN("application/openmetrics-text");
    bool open = accept.len > 0 && memmem(accept.ptr, accept.len, wanted.ptr, wanted.len) != NULL;

    metrics_write(m, body, open);
    if (open)
        return (struct probe_answer){200, SPAN("Content-Type: " METRICS_OPENMETRICS_TYPE "\r\n")};
    return (struct probe_answer){200, SPAN("Content-Type: " METRICS_TEXT_TYPE "\r\n")};
}

bool probes_are_inside(struct span path)
{
    return find(path) == PROBE_METRICS;
}

bool probes_answer(struct metrics *m, struct span path, const struct http_head *head, bool ready,
                   struct buf *body, struct probe_answer *answer)
{
    enum probe probe = find(path);

    if (probe == PROBE_NONE)
        return false;
    if (!span_eq(head->method, SPAN("GET")) && !span_eq(head->method, SPAN("HEAD"))) {
        BUF_ADD_LIT(body, "{\"error\":\"Method not allowed\"}");
        *answer = (struct probe_answer){405, SPAN(JSON "Allow: GET, HEAD\r\n")};
        return true;
    }
    switch (probe) {
    case PROBE_READY:
        *answer = answer_ready(m, ready, body);
        break;
    case PROBE_METRICS:
        *answer = answer_metrics(m, head, body);
        break;
    case PROBE_VERSION:
        BUF_ADD_LIT(body, "{\"name\":\"terrane-world\",\"version\":\"" TERRANE_VERSION "\"}");
        *answer = (struct probe_answer){200, SPAN(JSON)};
        break;
    case PROBE_LIVE:
    case PROBE_NONE:
        BUF_ADD_LIT(body, "{\"status\":\"live\"}");
        *answer = (struct probe_answer){200, SPAN(JSON)};
        break;
    }
    return true;
}
