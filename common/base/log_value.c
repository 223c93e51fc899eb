/* Values of log lines, with nothing in them that a reader of logs should not know or that could act
 * on a terminal. */
#include "common/base/log_value.h"

#include "common/base/json.h"
#include "common/base/log_redact.h"

/* What strangers send is cut here, so that nobody fills the disk with one long name. */
enum { STRING_MAX = 1024, STRING_LOOKED_AT = 2 * STRING_MAX };

/* The controls that JSON leaves alone but terminals obey: DEL and U+0080 to U+009F. */
static size_t odd_control(struct span s)
{
    if ((unsigned char)s.ptr[0] == 0x7F)
        return 1;
    bool c1 = s.len > 1 && (unsigned char)s.ptr[0] == 0xC2 && (unsigned char)s.ptr[1] < 0xA0;
    return c1 ? 2 : 0;
}

void log_add_quoted(struct buf *out, struct span s)
{
    struct buf quoted = {.len = 0};
    json_add_string(&quoted, s);
    struct span rest = buf_span(&quoted);
    while (rest.len > 0) {
        size_t odd = odd_control(rest);
        if (odd > 0)
            buf_addf(out, "\\u%04x", (unsigned)(unsigned char)rest.ptr[odd - 1]);
        else
            buf_add_char(out, rest.ptr[0]);
        rest = span_slice(rest, odd > 0 ? odd : 1, rest.len);
    }
    buf_clear(&quoted);
}

static bool needs_quotes(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || s.ptr[i] == '"' || s.ptr[i] == '\\')
            return true;
    }
    return s.len == 0;
}

static void add_text_value(struct buf *out, struct span s)
{
    if (needs_quotes(s))
        log_add_quoted(out, s);
    else
        buf_add_span(out, s);
}

void log_value_add_string(struct log_value *v, struct span s)
{
    size_t from = v->text.len;
    log_redact(&v->text, span_slice(s, 0, STRING_LOOKED_AT));
    if (v->text.len - from <= STRING_MAX && s.len <= STRING_LOOKED_AT)
        return;
    v->text.len = v->text.len - from > STRING_MAX ? from + STRING_MAX : v->text.len;
    BUF_ADD_LIT(&v->text, "...");
}

void log_value_put(const struct log_value *v, struct buf *line, struct span key, bool as_text)
{
    struct span text = buf_span(&v->text);
    if (as_text) {
        buf_addf(line, " %.*s=", SPAN_ARG(key));
        add_text_value(line, text);
        return;
    }
    BUF_ADD_LIT(line, ",");
    log_add_quoted(line, key);
    BUF_ADD_LIT(line, ":");
    if (v->number)
        buf_add_span(line, text);
    else
        log_add_quoted(line, text);
}
