/* Log lines. The format string is walked here, because each conversion is one field that has to be
 * named and typed. The settings are global: a log line can come from anywhere. */
#include "common/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log_repeats.h"
#include "common/base/log_value.h"
#include "common/base/rng.h"

const char *const log_level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error", NULL};

static struct {
    const char *process;
    enum log_level level;    /* in use */
    enum log_level settings; /* what counts again at until_ms; 0: it is in use, or never */
    int64_t until_ms;
    bool text;
    void (*write)(const char *line, size_t len);
    void (*mark_session)(struct buf *out, struct span id);
    struct log_repeats repeats;
    struct log_about *about;
} log_state = {.level = LOG_INFO};

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

/* Reads the value at *at up to the next blank. */
static bool value_read(struct log_value *v, const char **at, va_list *args)
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

/* An id of a session becomes its mark: whoever can read logs could come in with it. */
static void hide_session(struct log_value *v)
{
    struct buf mark = {.len = 0};
    if (log_state.mark_session != NULL)
        log_state.mark_session(&mark, buf_span(&v->text));
    else
        BUF_ADD_LIT(&mark, "[hidden]");
    buf_clear(&v->text);
    *v = (struct log_value){.text = mark};
}

/* Stops at a conversion that it does not know: the arguments behind it cannot be found. */
static void add_fields(struct buf *line, const char *at, va_list *args)
{
    bool known = true;
    while (known) {
        at += strspn(at, " ");
        size_t key_len = strcspn(at, "= ");
        if (at[key_len] != '=')
            return;
        struct span key = span_of(at, key_len);
        struct log_value v = {.number = false};
        at += key_len + 1;
        known = value_read(&v, &at, args);
        if (known && span_eq(key, SPAN("session")))
            hide_session(&v);
        if (known)
            log_value_put(&v, line, key, log_state.text);
        buf_clear(&v.text);
    }
}

static void add_time(struct buf *line)
{
    int64_t ms = clock_wall_ms();
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    (void)gmtime_r(&seconds, &tm);
    buf_addf(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ms % 1000));
}

static void add_head(struct buf *line, enum log_level level, const char *event)
{
    if (log_state.text) {
        add_time(line);
        buf_addf(line, " %-5s %s", log_level_names[level], event);
        return;
    }
    BUF_ADD_LIT(line, "{\"ts\":\"");
    add_time(line);
    buf_addf(line, "\",\"level\":\"%s\",\"event\":", log_level_names[level]);
    log_add_quoted(line, span_str(event));
    if (log_state.process == NULL)
        return;
    BUF_ADD_LIT(line, ",\"process\":");
    log_add_quoted(line, span_str(log_state.process));
}

static void add_text(struct buf *line, struct span key, struct span text)
{
    struct log_value v = {.number = false};
    buf_add_span(&v.text, text);
    log_value_put(&v, line, key, log_state.text);
    buf_clear(&v.text);
}

/* Requests of several processes are told apart by the first part. */
static void add_number(struct buf *line, struct log_about *about)
{
    static uint64_t last;
    static char process[7];
    char text[32];
    if (last == 0) {
        struct rng rng;
        rng_init(&rng);
        rng_alnum(&rng, process, sizeof process - 1);
    }
    if (about->number == 0)
        about->number = ++last;
    (void)snprintf(text, sizeof text, "%s-%llu", process, (unsigned long long)about->number);
    add_text(line, SPAN("request"), span_str(text));
}

static void add_about(struct buf *line)
{
    struct log_about *about = log_state.about;
    if (about == NULL)
        return;
    if (about->trace == NULL || *about->trace == '\0') {
        add_number(line, about);
        return;
    }
    add_text(line, SPAN("trace"), span_str(about->trace));
    add_text(line, SPAN("span"), span_str(about->span));
}

/* One write a line, so that lines of several processes on one pipe do not mix. A line that cannot
 * be written is lost: there is nobody to tell. */
static void write_stderr(const char *line, size_t len)
{
    ssize_t written;
    do
        written = write(STDERR_FILENO, line, len);
    while (written < 0 && errno == EINTR);
}

void log_open(const char *process, enum log_level level, enum log_format format)
{
    log_state.process = process;
    log_set_level(level);
    log_state.repeats = (struct log_repeats){.used = 0};
    log_state.text = format == LOG_TEXT || (format == LOG_AUTO && isatty(STDERR_FILENO) == 1);
}

void log_set_level(enum log_level level)
{
    log_state.level = log_state.settings = level;
    log_state.until_ms = 0;
}

/* Told while it can be seen: before fewer lines are written, or once more are. */
static void change_level(enum log_level level, const char *why)
{
    enum log_level old = log_state.level;
    if (old > level)
        log_state.level = level;
    if (old != level)
        log_info("process.log_level", "level=%s before=%s why=%s", log_level_names[level],
                 log_level_names[old], why);
    log_state.level = level;
}

void log_override(enum log_level level, int64_t until_ms)
{
    change_level(level, "ordered");
    log_state.until_ms = until_ms;
}

void log_tick(int64_t now)
{
    if (log_state.until_ms == 0 || now < log_state.until_ms)
        return;
    log_state.until_ms = 0;
    change_level(log_state.settings, "over");
}

enum log_level log_least(void)
{
    return log_state.level;
}

bool log_wants(enum log_level level)
{
    return level >= log_state.level;
}

struct log_about *log_enter(struct log_about *about)
{
    struct log_about *before = log_state.about;
    log_state.about = about;
    return before;
}

void log_mark_sessions(void (*mark)(struct buf *out, struct span id))
{
    log_state.mark_session = mark;
}

void log_capture(void (*write)(const char *line, size_t len))
{
    log_state.write = write;
}

static void end_line(struct buf *line)
{
    if (!log_state.text)
        BUF_ADD_LIT(line, "}");
    BUF_ADD_LIT(line, "\n");
    if (log_state.write != NULL)
        log_state.write(line->data, line->len);
    else
        write_stderr(line->data, line->len);
    buf_clear(line);
}

static void tell_suppressed(const struct log_repeat *e, uint64_t count)
{
    struct buf line = {.len = 0};
    struct log_value event = {.number = false}, number = {.number = true};
    add_head(&line, (enum log_level)e->level, "log.suppressed");
    log_value_add_string(&event, span_str(e->event));
    buf_add_u64(&number.text, count);
    log_value_put(&event, &line, SPAN("event"), log_state.text);
    log_value_put(&number, &line, SPAN("count"), log_state.text);
    buf_clear(&event.text);
    buf_clear(&number.text);
    end_line(&line);
}

/* Whether a line of `event` is one too many. */
static bool suppressed(enum log_level level, const char *event)
{
    if (level == LOG_DEBUG || strncmp(event, "process.", strlen("process.")) == 0)
        return false;
    struct log_repeat *e = log_repeats_of(&log_state.repeats, event);
    int64_t now = clock_mono_ms();
    if (!log_repeat_take(e, (int)level, now))
        return true;
    uint64_t count = log_repeat_due(e, now);
    if (count > 0)
        tell_suppressed(e, count);
    return false;
}

void log_close(void)
{
    for (size_t i = 0; i < log_state.repeats.used; i++) {
        struct log_repeat *e = &log_state.repeats.events[i];
        if (e->count > 0)
            tell_suppressed(e, e->count);
        e->count = 0;
    }
}

void log_event(enum log_level level, const char *event, const char *fields, ...)
{
    if (suppressed(level, event))
        return;
    struct buf line = {.len = 0};
    add_head(&line, level, event);
    va_list args;
    va_start(args, fields);
    add_fields(&line, fields, &args);
    va_end(args);
    add_about(&line);
    end_line(&line);
}
