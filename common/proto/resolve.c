/* Questions about clients, and their answers, as JSON. */
#include "common/proto/resolve.h"

#include "common/proto/member.h"

const char *const resolve_reason_names[RESOLVE_REASON_COUNT + 1] = {
    [RESOLVE_UNKNOWN] = "unknown",
    [RESOLVE_FULL] = "full",
    [RESOLVE_DRAINING] = "draining",
    [RESOLVE_UNREACHABLE] = "unreachable",
};

static void add_text(struct buf *out, struct span name, struct span value)
{
    if (value.len == 0)
        return;
    buf_add_span(out, name);
    json_add_string(out, value);
}

void resolve_add(struct buf *out, const struct resolve *r)
{
    BUF_ADD_LIT(out, "{\"shardId\":");
    json_add_string(out, r->shard_id);
    BUF_ADD_LIT(out, ",\"reason\":\"");
    buf_add_span(out, span_str(resolve_reason_names[r->reason]));
    BUF_ADD_LIT(out, "\",\"askerEpoch\":");
    buf_add_i64(out, r->asker_epoch);
    add_text(out, SPAN(",\"asker\":"), r->asker);
    add_text(out, SPAN(",\"session\":"), r->session);
    add_text(out, SPAN(",\"node\":"), r->node);
    buf_add_char(out, '}');
}

enum err resolve_read(struct resolve *out, json_t **doc, struct span text, const char **why)
{
    struct member_reader r;
    unsigned reason = RESOLVE_UNKNOWN;
    bool good;

    *out = (struct resolve){0};
    *doc = json_decode(text);
    r = (struct member_reader){.object = *doc};
    good = member_id(&r, "shardId", ORDERS_ID_MAX, &out->shard_id) &&
           member_choice(&r, "reason", resolve_reason_names, &reason) &&
           member_time(&r, "askerEpoch", &out->asker_epoch) &&
           member_text(&r, "asker", RESOLVE_NODE_MAX, &out->asker) &&
           member_text(&r, "session", ORDERS_SESSION_MAX, &out->session) &&
           member_text(&r, "node", RESOLVE_NODE_MAX, &out->node);
    out->reason = (enum resolve_reason)reason;
    *why = r.bad;
    return good ? ERR_OK : ERR_SYNTAX;
}

void resolved_add(struct buf *out, const struct resolved *r, const struct order_ban *bans,
                  size_t ban_count)
{
    BUF_ADD_LIT(out, "{\"epoch\":");
    buf_add_i64(out, r->epoch);
    BUF_ADD_LIT(out, ",\"version\":");
    buf_add_i64(out, r->version);
    BUF_ADD_LIT(out, ",\"node\":");
    json_add_string(out, r->node);
    BUF_ADD_LIT(out, ",\"url\":");
    json_add_string(out, r->url);
    BUF_ADD_LIT(out, ",\"shard\":");
    orders_add_shard(out, &r->order, bans, ban_count, true);
    buf_add_char(out, '}');
}

enum err resolved_read(struct resolved *out, json_t **doc, const json_t **bans, struct span text)
{
    struct member_reader r;
    const json_t *shard;

    *out = (struct resolved){0};
    *bans = NULL;
    *doc = json_decode_max(text, RESOLVED_VALUES_MAX);
    r = (struct member_reader){.object = *doc};
    if (!member_time(&r, "epoch", &out->epoch) || out->epoch == 0 ||
        !member_time(&r, "version", &out->version) ||
        !member_id(&r, "node", RESOLVE_NODE_MAX, &out->node) ||
        !member_text(&r, "url", ORDERS_URL_MAX, &out->url) || !member_object(&r, "shard", &shard) ||
        !order_read(shard, &out->order, bans))
        return ERR_SYNTAX;
    return ERR_OK;
}
