/* Lines for another process to read. */
#include "world/io/elsewhere.h"

#include "common/base/clock.h"
#include "common/proto/hop.h"

void elsewhere_add_lines(struct buf *out, struct span owner, int64_t epoch)
{
    if (owner.len > 0) {
        BUF_ADD_LIT(out, "x-terrane-owner: ");
        hop_add_value(out, owner);
        BUF_ADD_LIT(out, "\r\n");
    }
    if (epoch > 0)
        buf_addf(out, "x-terrane-epoch: %lld\r\n", (long long)epoch);
}

void elsewhere_add_request(struct buf *out, const struct http_head *h,
                           const struct elsewhere_request *to)
{
    char client[ADDR_TEXT_MAX], peer[ADDR_TEXT_MAX];

    addr_format(to->client, client);
    addr_format(to->peer, peer);
    hop_add_peer_request(out, h,
                         &(struct hop_peer){.secrets = to->secrets,
                                            .entry = to->id,
                                            .client_ip = span_str(client),
                                            .peer_ip = span_str(peer),
                                            .wall_ms = clock_wall_ms(),
                                            .to_world = true,
                                            .by_world = true,
                                            .epoch = to->epoch,
                                            .upgrade = to->upgrade,
                                            .trusted_peer = to->trusted_peer});
}
