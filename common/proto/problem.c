/* The members that all problems have. */
#include "common/proto/problem.h"

#include "common/base/json.h"
#include "common/proto/http_head.h"

void problem_open(struct buf *out, int status, struct span text, const char *trace)
{
    BUF_ADD_LIT(out, "{\"type\":\"about:blank\",\"title\":");
    json_add_string(out, span_str(http_reason(status)));
    BUF_ADD_LIT(out, ",\"status\":");
    buf_add_i64(out, status);
    BUF_ADD_LIT(out, ",\"detail\":");
    json_add_string(out, text);
    BUF_ADD_LIT(out, ",\"error\":");
    json_add_string(out, text);
    if (*trace != '\0')
        buf_addf(out, ",\"trace\":\"%s\"", trace);
}
