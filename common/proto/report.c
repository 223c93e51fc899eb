/* The one body of the reference's reporting protocol. */
#include "common/proto/report.h"

#include "common/base/json.h"

void report_add(struct buf *out, struct span shard_id, struct span world, uint64_t connections)
{
    BUF_ADD_LIT(out, "{\"shardId\":");
    json_add_string(out, shard_id);
    BUF_ADD_LIT(out, ",\"worldId\":");
    json_add_string(out, world);
    BUF_ADD_LIT(out, ",\"connections\":");
    buf_add_u64(out, connections);
    buf_add_char(out, '}');
}
