#pragma once
/* What a request's headers say that core wants to know. */
#include "common/net/http_server.h"
#include "world/core/api/authz.h"

struct heard {
    struct credentials credentials; /* spans into the head */
    struct span last_event_id;
    bool names_shard;
};
struct heard heard_read(const struct http_head *head, struct span query);
/* The client's address (whence.h). */
struct addr heard_client(const struct http_exchange *x, const struct addr_set *trusted);
