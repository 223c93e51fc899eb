/* What the settings do not say, the host and the listener do. */
#include "shard/io/identity.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/version.h"

static char *name_node(uint16_t port_number)
{
    char host[256] = "node";
    struct buf name = {0};
    (void)gethostname(host, sizeof host - 1);
    buf_addf(&name, "%s-%u", host, port_number);
    char *id = xspandup(buf_span(&name));
    buf_clear(&name);
    return id;
}

static char *text_of(struct buf *url)
{
    char *text = xspandup(buf_span(url));
    buf_clear(url);
    return text;
}

/* On all addresses, it is found by its host's name. */
static char *name_internal(const struct doors *doors)
{
    struct buf url = {0};
    doors_add_internal_url(&url, doors);
    return text_of(&url);
}

static char *name_public(const struct doors *doors, const char *internal_url)
{
    struct buf url = {0};
    if (doors->internal == NULL)
        return xstrdup(internal_url);
    doors_add_public_url(&url, doors);
    return text_of(&url);
}

void identity_init(struct identity *i, const struct settings *s, const struct doors *doors)
{
    i->id = *s->node_id != '\0' ? xstrdup(s->node_id) : name_node(listener_port(doors->listener));
    i->internal_url = *s->internal_url != '\0' ? xstrdup(s->internal_url) : name_internal(doors);
    i->url = *s->node_url != '\0' ? xstrdup(s->node_url) : name_public(doors, i->internal_url);
}

void identity_clear(struct identity *i)
{
    free(i->id);
    free(i->url);
    free(i->internal_url);
    *i = (struct identity){0};
}

void identity_add_version(struct buf *out, const struct identity *i, struct span world_ids)
{
    struct span rest = world_ids, part;
    BUF_ADD_LIT(out, "{\"name\":\"terrane-shard\",\"version\":\"" TERRANE_VERSION "\",\"node\":");
    json_add_string(out, span_str(i->id));
    BUF_ADD_LIT(out, ",\"worlds\":[");
    for (bool first = true; span_split(&rest, ',', &part); first = false) {
        if (!first)
            buf_add_char(out, ',');
        json_add_string(out, span_trim(part));
    }
    BUF_ADD_LIT(out, "],\"internalUrl\":");
    json_add_string(out, span_str(i->internal_url));
    buf_add_char(out, '}');
}
