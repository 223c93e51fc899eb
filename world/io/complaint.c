/* Writes errors; counts and sends nothing. */
#include "world/io/complaint.h"

#include "common/base/json.h"

void complaint_make(struct complaint *c, struct span path, const char *trace, int status,
                    struct span lines, struct span text)
{
    if (api_tells_problems(path)) {
        BUF_ADD_LIT(&c->headers, API_PROBLEM_TEXT);
        problem_open(&c->body, status, text, trace);
    } else {
        BUF_ADD_LIT(&c->headers, API_HEADERS_TEXT);
        BUF_ADD_LIT(&c->body, "{\"error\":");
        json_add_string(&c->body, text);
    }
    buf_add_char(&c->body, '}');
    buf_add_span(&c->headers, lines);
}

void complaint_clear(struct complaint *c)
{
    buf_clear(&c->headers);
    buf_clear(&c->body);
}
