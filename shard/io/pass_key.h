#pragma once
/* The name by which a client without a shard is given a server: the first of its rule's keys that
 * yields something. Pure. */
#include "common/proto/http_head.h"
#include "shard/io/route.h"
#include "shard/io/sender.h"

/* Appends it; nothing when no key yields anything: then all of them share one server. */
void pass_key_add(struct buf *out, const struct http_head *h, const struct route *r,
                  const struct sender *from);
