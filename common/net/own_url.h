#pragma once
/* Where other processes reach this one when nobody says it. */
#include "common/base/buf.h"
#include "common/net/listener.h"

/* Appends `http://{host}:{port}`, or https if `tls`: the address that is listened on, or the host's
 * name if that is all addresses. */
void own_url_add(struct buf *out, const struct listener *l, bool tls);
