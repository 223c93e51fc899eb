/* A text that never changes while the process lives. */
#include "world/io/openapi.h"

#include <string.h>

#include "world/io/request.h"

/* Whoever has seen this very document need not be told again; also by a proxy that weakened the
 * tag. */
static bool is_known(const struct http_head *head)
{
    struct span tags = http_head_get(head, SPAN("if-none-match"));

    return span_eq(tags, SPAN("*")) ||
           (tags.len > 0 && memmem(tags.ptr, tags.len, openapi_etag.ptr, openapi_etag.len) != NULL);
}

static void answer(struct request *r)
{
    struct buf headers = {0};
    struct span body = openapi_json;
    int status = 200;

    if (is_known(r->x->head)) {
        body = (struct span){0};
        status = 304;
    }
    BUF_ADD_LIT(&headers, API_HEADERS_TEXT "Cache-Control: no-cache\r\nETag: ");
    buf_add_span(&headers, openapi_etag);
    BUF_ADD_LIT(&headers, "\r\n");
    stats_count_request(&r->server->core->stats, ROUTE_PROBE, status);
    request_respond(r, status, buf_span(&headers), body);
    buf_clear(&headers);
}

bool openapi_take(struct request *r, struct span path)
{
    struct span method = r->x->head->method;

    if (r->outside || !span_eq(path, SPAN("/openapi.json")))
        return false;
    if (span_eq(method, SPAN("GET")) || span_eq(method, SPAN("HEAD"))) {
        answer(r);
        return true;
    }
    r->server->core->stats.refusals[REFUSAL_METHOD]++;
    stats_count_request(&r->server->core->stats, ROUTE_PROBE, 405);
    request_refuse(r, 405, SPAN("Allow: GET, HEAD\r\n"), SPAN("Method not allowed"));
    return true;
}
