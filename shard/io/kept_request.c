/* Copies a request's head with all that it points to. */
#include "shard/io/kept_request.h"

#include <assert.h>

static size_t length_of(const struct arrived *a, struct span protocol)
{
    const struct http_head *h = a->head;
    size_t len = h->method.len + a->route->path.len + a->route->query.len + protocol.len + 1;
    for (size_t i = 0; i < h->header_count; i++)
        len += h->headers[i].name.len + h->headers[i].value.len;
    return len;
}

/* The text has room for it. */
static struct span keep(struct kept_request *k, struct span s)
{
    size_t start = k->text.len;
    assert(k->text.cap - start >= s.len);
    buf_add_span(&k->text, s);
    return span_of(k->text.data + start, s.len);
}

static void keep_target(struct kept_request *k, const struct route *r)
{
    size_t start = k->text.len;
    (void)keep(k, r->path);
    if (r->query.ptr != NULL) {
        buf_add_char(&k->text, '?');
        (void)keep(k, r->query);
    }
    k->head.target = span_slice(buf_span(&k->text), start, k->text.len);
}

static void keep_headers(struct kept_request *k, const struct http_head *h)
{
    k->head.header_count = 0;
    for (size_t i = 0; i < h->header_count; i++) {
        struct http_header header = h->headers[i];
        bool is_protocol = span_ieq(header.name, SPAN("sec-websocket-protocol"));
        if (span_ieq(header.name, SPAN("sec-websocket-extensions")) ||
            (is_protocol && k->protocol.len == 0))
            continue;
        header.name = keep(k, header.name);
        header.value = is_protocol ? k->protocol : keep(k, header.value);
        k->head.headers[k->head.header_count++] = header;
        if (is_protocol)
            k->protocol.len = 0; /* once */
    }
}

void kept_request_take(struct kept_request *k, const struct arrived *a, const struct routes *routes,
                       struct span protocol)
{
    struct span key;
    const char *problem = ws_handshake_check(a->x->head, &key);
    assert(problem == NULL);
    (void)problem;
    memcpy(k->key, key.ptr, sizeof k->key);
    (void)buf_reserve(&k->text, length_of(a, protocol));
    k->head = *a->head;
    k->head.method = keep(k, a->head->method);
    k->protocol = keep(k, protocol);
    keep_target(k, a->route);
    keep_headers(k, a->head);
    k->protocol.len = protocol.len;
    k->route = route_of(routes, k->head.target, &k->scratch);
    k->from = *a->from;
    k->x = (struct http_exchange){.head = &k->head, .peer = a->x->peer, .tls = a->x->tls};
}

void kept_request_clear(struct kept_request *k)
{
    buf_clear(&k->text);
    buf_clear(&k->scratch);
}
