/* version-trace-parent-flags, all in lower-case hex (Trace Context section 3.2). */
#include "common/proto/trace_id.h"

#include <string.h>

enum { TRACE = 3, PARENT = 36, FLAGS = 53, END = 55, ID_LEN = 32 };

static bool is_hex(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((text[i] < '0' || text[i] > '9') && (text[i] < 'a' || text[i] > 'f'))
            return false;
    }
    return true;
}

static bool is_zero(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '0')
            return false;
    }
    return true;
}

/* Later versions may add parts behind the flags; ff is none. */
static bool has_good_version(struct span s)
{
    if (!is_hex(s.ptr, 2) || (s.ptr[0] == 'f' && s.ptr[1] == 'f'))
        return false;
    return s.len == END || (!is_zero(s.ptr, 2) && s.ptr[END] == '-');
}

static bool is_good(struct span s)
{
    return s.len >= END && has_good_version(s) && s.ptr[TRACE - 1] == '-' &&
           is_hex(s.ptr + TRACE, ID_LEN) && !is_zero(s.ptr + TRACE, ID_LEN) &&
           s.ptr[PARENT - 1] == '-' && is_hex(s.ptr + PARENT, 16) && !is_zero(s.ptr + PARENT, 16) &&
           s.ptr[FLAGS - 1] == '-' && is_hex(s.ptr + FLAGS, 2);
}

struct trace_id trace_id_of(const struct http_head *head)
{
    struct span value = http_head_get(head, SPAN("traceparent"));
    struct trace_id id = {{0}};

    if (value.len > 0 && is_good(value) && http_head_count(head, SPAN("traceparent")) == 1)
        memcpy(id.hex, value.ptr + TRACE, ID_LEN);
    return id;
}
