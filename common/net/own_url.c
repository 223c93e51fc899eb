/* The host's name is the system's to know. */
#include "common/net/own_url.h"

#include <unistd.h>

void own_url_add(struct buf *out, const struct listener *l, bool tls)
{
    struct span address = span_str(listener_address(l));
    char host[256] = "localhost";
    bool everywhere = span_starts(address, SPAN("0.0.0.0:")) || span_starts(address, SPAN("[::]:"));
    buf_add_span(out, tls ? SPAN("https://") : SPAN("http://"));
    if (everywhere && gethostname(host, sizeof host - 1) == 0)
        buf_addf(out, "%s:%u", host, listener_port(l));
    else
        buf_add_span(out, address);
}
