/* Reads headers; judges nothing. */
#include "world/io/heard.h"

#include "common/proto/whence.h"

struct heard heard_read(const struct http_head *head, struct span query)
{
    struct heard heard = {.credentials.query = query};
    struct credentials *c = &heard.credentials;

    for (size_t i = 0; i < head->header_count; i++) {
        const struct http_header *h = &head->headers[i];
        if (span_ieq(h->name, SPAN("x-access-shard"))) {
            if (c->access_count++ == 0)
                c->access = h->value;
        } else if (span_ieq(h->name, SPAN("authorization"))) {
            if (c->authorization.ptr == NULL)
                c->authorization = h->value;
        } else if (span_ieq(h->name, SPAN("last-event-id"))) {
            heard.last_event_id = h->value;
        } else if (span_ieq(h->name, SPAN("x-shard-id"))) {
            heard.names_shard = true;
        }
    }
    return heard;
}

struct addr heard_client(const struct http_exchange *x, const struct addr_set *trusted)
{
    struct whence whence;

    whence_read(&whence, x->head, &x->peer, trusted);
    return whence.client;
}
