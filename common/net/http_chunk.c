/* Chunks. */
#include "common/net/http_chunk.h"

#include "common/proto/http_body.h"

void http_chunk_write(struct conn *c, struct span part)
{
    char head[HTTP_CHUNK_HEAD_MAX];
    conn_write(c, head, http_body_chunk_head(head, part.len));
    conn_write_span(c, part);
    conn_write_span(c, SPAN("\r\n"));
}
