#pragma once
/* Writes the chunked coding (RFC 9112 section 7.1) into a connection, without a copy in between. */
#include "common/net/conn.h"

/* One part as a chunk; an empty part ends the body. */
void http_chunk_write(struct conn *c, struct span part);
