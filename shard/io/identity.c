/* What the settings do not say, the host and the listener do. */
#include "shard/io/identity.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/version.h"
#include "common/net/own_url.h"

static void name_node(struct settings *s, uint16_t port_number)
{
    char host[256] = "node";
    struct buf name = {0};
    if (s->node_id[0] != '\0')
        return;
    (void)gethostname(host, sizeof host - 1);
    buf_addf(&name, "%s-%u", host, port_number);
    free(s->node_id);
    s->node_id = xspandup(buf_span(&name));
    buf_clear(&name);
}

/* On all addresses, it is found by its host's name. */
static void name_urls(struct settings *s, const struct listener *door)
{
    struct buf url = {0};
    if (s->internal_url[0] == '\0') {
        own_url_add(&url, door);
        free(s->internal_url);
        s->internal_url = xspandup(buf_span(&url));
        buf_clear(&url);
    }
    if (s->node_url[0] == '\0') {
        free(s->node_url);
        s->node_url = xspandup(span_str(s->internal_url));
    }
}

void identity_complete(struct settings *s, const struct listener *door)
{
    name_node(s, listener_port(door));
    name_urls(s, door);
}

void identity_add_version(struct buf *out, const struct settings *s)
{
    struct span rest = span_str(s->world_ids), part;
    BUF_ADD_LIT(out, "{\"name\":\"terrane-shard\",\"version\":\"" TERRANE_VERSION "\",\"node\":");
    json_add_string(out, span_str(s->node_id));
    BUF_ADD_LIT(out, ",\"worlds\":[");
    for (bool first = true; span_split(&rest, ',', &part); first = false) {
        if (!first)
            buf_add_char(out, ',');
        json_add_string(out, span_trim(part));
    }
    BUF_ADD_LIT(out, "],\"internalUrl\":");
    json_add_string(out, span_str(s->internal_url));
    buf_add_char(out, '}');
}
