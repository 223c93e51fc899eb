/* Values of log lines: read as printf would, with nothing in them that a reader of logs should not
 * know or that could act on a terminal. */
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

static int64_t arg_signed(char size, va_list *args)
{
    if (size == 'q')
        return va_arg(*args, long long);
    return size == 'l' ? va_arg(*args, long) : va_arg(*args, int);
}

static uint64_t arg_unsigned(char size, va_list *args)
{
    if (size == 'q')
        return va_arg(*args, unsigned long long);
    if (size == 'z')
        return va_arg(*args, size_t);
    return size == 'l' ? va_arg(*args, unsigned long) : va_arg(*args, unsigned);
}

/* Reads z, l or ll; ll becomes 'q'. */
static char length_modifier(const char **at)
{
    char size = 0;
    if (**at == 'z' || **at == 'l')
        size = *(*at)++;
    if (size == 'l' && **at == 'l') {
        (*at)++;
        size = 'q';
    }
    return size;
}

/* Adds what the conversion at *at (behind its '%') asks for; false when it is none of ours. */
static bool value_convert(struct log_value *v, const char **at, va_list *args)
{
    if (strncmp(*at, ".*s", 3) == 0) {
        int len = va_arg(*args, int);
        const char *text = va_arg(*args, const char *);
        log_value_add_string(v, span_of(text, text == NULL || len < 0 ? 0 : (size_t)len));
        *at += 3;
        return true;
    }
    if (**at == 's') {
        const char *text = va_arg(*args, const char *);
        log_value_add_string(v, span_str(text == NULL ? "(null)" : text));
        (*at)++;
        return true;
    }
    char size = length_modifier(at);
    char kind = *(*at)++;
    v->number = v->text.len == 0;
    if (kind == 'd' && size != 'z')
        buf_add_i64(&v->text, arg_signed(size, args));
    else if (kind == 'u')
        buf_add_u64(&v->text, arg_unsigned(size, args));
    else
        return false;
    return true;
}

bool log_value_read(struct log_value *v, const char **at, va_list *args)
{
    while (**at != '\0' && **at != ' ') {
        if (**at != '%') {
            v->number = false;
            buf_add_char(&v->text, *(*at)++);
            continue;
        }
        (*at)++;
        if (!value_convert(v, at, args))
            return false;
    }
    return true;
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
