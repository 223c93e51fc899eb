/* Each member is written with a comma behind it; the last one's becomes the end of its object. */
#include "common/proto/beat.h"

#include "common/base/json.h"

const struct span beat_link_names[BEAT_LINK_COUNT] = {
    [BEAT_LINK_IDLE] = SPAN_INIT("idle"),
    [BEAT_LINK_DOWN] = SPAN_INIT("down"),
    [BEAT_LINK_UP] = SPAN_INIT("up"),
};

static void add_text(struct buf *out, const char *key, struct span value)
{
    buf_addf(out, "\"%s\":", key);
    json_add_string(out, value);
    buf_add_char(out, ',');
}

static void add_count(struct buf *out, const char *key, uint64_t value)
{
    buf_addf(out, "\"%s\":", key);
    buf_add_u64(out, value);
    buf_add_char(out, ',');
}

static void add_number(struct buf *out, const char *key, int64_t value)
{
    buf_addf(out, "\"%s\":", key);
    buf_add_i64(out, value);
    buf_add_char(out, ',');
}

static void add_flag(struct buf *out, const char *key, bool value)
{
    buf_addf(out, "\"%s\":%s,", key, value ? "true" : "false");
}

static void add_list(struct buf *out, const char *key, struct span list)
{
    if (list.len == 0)
        return;
    buf_addf(out, "\"%s\":", key);
    buf_add_span(out, list);
    buf_add_char(out, ',');
}

/* In place of the comma behind the last member. */
static void end_object(struct buf *out)
{
    out->data[out->len - 1] = '}';
}

void beat_open(struct buf *out, const struct beat *b)
{
    BUF_ADD_LIT(out, "{\"node\":{");
    add_text(out, "id", b->node_id);
    add_number(out, "epoch", b->epoch);
    add_text(out, "url", b->url);
    add_text(out, "internalUrl", b->internal_url);
    add_text(out, "version", b->version);
    add_count(out, "maxConnections", b->max_connections);
    add_count(out, "connections", b->connections);
    add_flag(out, "draining", b->draining);
    if (b->gone)
        add_flag(out, "gone", true);
    add_number(out, "lagMs", b->lag_ms);
    if (b->now_ms > 0)
        add_number(out, "nowMs", b->now_ms);
    if (b->checkup > 0)
        add_number(out, "checkup", b->checkup);
    add_list(out, "findings", b->findings);
    end_object(out);
    buf_add_char(out, ',');
    add_number(out, "seq", b->seq);
    add_flag(out, "full", b->full);
    BUF_ADD_LIT(out, "\"haveOrders\":{");
    add_number(out, "epoch", b->have_epoch);
    add_number(out, "version", b->have_version);
    end_object(out);
    BUF_ADD_LIT(out, ",\"shards\":[");
}

void beat_add_shard(struct buf *out, const struct beat_shard *s, bool first)
{
    if (!first)
        buf_add_char(out, ',');
    buf_add_char(out, '{');
    add_text(out, "shardId", s->shard_id);
    add_count(out, "open", s->open);
    add_count(out, "returning", s->returning);
    add_count(out, "admitted", s->admitted);
    add_count(out, "readmitted", s->readmitted);
    add_count(out, "sessions", s->sessions);
    add_text(out, "link", beat_link_names[s->link]);
    if (s->server.len > 0)
        add_text(out, "server", s->server);
    add_list(out, "left", s->left);
    add_list(out, "joined", s->joined);
    end_object(out);
}

void beat_close(struct buf *out)
{
    BUF_ADD_LIT(out, "]}");
}
