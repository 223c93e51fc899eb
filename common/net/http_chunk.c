/* Chunks. */
#include "common/net/http_chunk.h"

void http_chunk_write(struct conn *c, struct span part)
{
    static const char digits[] = "0123456789abcdef";
    char text[sizeof "ffffffffffffffff\r\n"], *at = text + sizeof text;
    *--at = '\n';
    *--at = '\r';
    size_t len = part.len;
    do {
        *--at = digits[len % 16];
        len /= 16;
    } while (len > 0);
    conn_write(c, at, (size_t)(text + sizeof text - at));
    conn_write_span(c, part);
    conn_write_span(c, SPAN("\r\n"));
}
