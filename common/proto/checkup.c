/* What orders say of a checkup, as JSON. */
#include "common/proto/checkup.h"

#include "common/proto/member.h"
#include "common/proto/orders.h"

void checkup_open(struct buf *out, int64_t id)
{
    BUF_ADD_LIT(out, "{\"id\":");
    buf_add_i64(out, id);
    BUF_ADD_LIT(out, ",\"peers\":[");
}

void checkup_add_peer(struct buf *out, struct span node, struct span url, bool first)
{
    if (!first)
        buf_add_char(out, ',');
    BUF_ADD_LIT(out, "{\"node\":");
    json_add_string(out, node);
    BUF_ADD_LIT(out, ",\"url\":");
    json_add_string(out, url);
    buf_add_char(out, '}');
}

void checkup_open_servers(struct buf *out)
{
    BUF_ADD_LIT(out, "],\"servers\":[");
}

void checkup_add_server(struct buf *out, struct span origin, bool first)
{
    if (!first)
        buf_add_char(out, ',');
    json_add_string(out, origin);
}

void checkup_close(struct buf *out)
{
    BUF_ADD_LIT(out, "]}");
}

static bool read_peer(const json_t *object, struct span *node, struct span *url)
{
    struct member_reader r = {.object = object};

    return member_id(&r, "node", ORDERS_ID_MAX, node) && member_id(&r, "url", ORDERS_URL_MAX, url);
}

static bool read_server(const json_t *value, struct span *origin)
{
    *origin = span_of(json_string_value(value), json_string_length(value));
    return origin->len > 0 && origin->len <= ORDERS_URL_MAX;
}

static bool peers_are_good(const json_t *peers)
{
    struct span node, url;

    for (size_t i = 0; i < json_array_size(peers); i++)
        if (!read_peer(json_array_get(peers, i), &node, &url))
            return false;
    return true;
}

static bool servers_are_good(const json_t *servers)
{
    struct span origin;

    for (size_t i = 0; i < json_array_size(servers); i++)
        if (!read_server(json_array_get(servers, i), &origin))
            return false;
    return true;
}

bool checkup_read(const json_t *object, struct checkup *out)
{
    struct member_reader r = {.object = object};

    *out = (struct checkup){.id = 0};
    return member_time(&r, "id", &out->id) && out->id > 0 &&
           member_array(&r, "peers", &out->peers) && peers_are_good(out->peers) &&
           member_array(&r, "servers", &out->servers) && servers_are_good(out->servers);
}

bool checkup_next_peer(const struct checkup *c, size_t *at, struct span *node, struct span *url)
{
    return *at < json_array_size(c->peers) &&
           read_peer(json_array_get(c->peers, (*at)++), node, url);
}

bool checkup_next_server(const struct checkup *c, size_t *at, struct span *origin)
{
    return *at < json_array_size(c->servers) &&
           read_server(json_array_get(c->servers, (*at)++), origin);
}
