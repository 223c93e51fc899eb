#pragma once
/* Logs: one line an event on stderr, JSON or (on a terminal) text.
 *     log_info("session.open", "room=%.*s sockets=%zu", SPAN_ARG(room), n);
 * `event` is a stable name; `fields` is blank-separated key=conversion pairs, one conversion each:
 * %s %.*s %d %u %zu %ld %lu %lld %llu (PRId64 and PRIu64 are among them) and literal values.
 * Fields end at a conversion that is none of these; without fields, `fields` is "".
 * Strings are escaped, whatever they hold, and cut at 1 KiB. Secrets and tokens are never passed
 * in; should one be all the same, log_redact.h hides it. The value of a field `session` is an id:
 * its mark is written instead.
 * Above debug an event has 20 lines at once and then 10 a second, but those of `process.` all; the
 * others are counted: `log.suppressed event=… count=N` stands before the next line of that event,
 * at most once a second. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_AUTO, LOG_JSON, LOG_TEXT };

/* `process` (borrowed for ever) is written into every line. LOG_AUTO: text on a terminal. */
void log_open(const char *process, enum log_level level, enum log_format format);
/* The end: tells what was suppressed and not told yet. */
void log_close(void);
/* The names of the levels, NULL-terminated. */
extern const char *const log_level_names[];
/* The least level that is logged from now on: what the settings say. Ends log_override. */
void log_set_level(enum log_level level);
/* Another one until that monotonic time (0: until log_set_level), looked at by log_tick. */
void log_override(enum log_level level, int64_t until_ms);
void log_tick(int64_t now);
enum log_level log_least(void);
bool log_wants(enum log_level level);
/* Where finished lines go instead of stderr (tests); NULL: back to stderr. `line` ends in '\n'. */
void log_capture(void (*write)(const char *line, size_t len));
/* Appends what is written for the id of a session (common/proto/session_mark.h). Without it, or
 * with NULL, all are `[hidden]`. */
void log_mark_sessions(void (*mark)(struct buf *out, struct span id));
void log_event(enum log_level level, const char *event, const char *fields, ...) PRINTF_LIKE(3, 4);

/* What is being handled, for all lines meanwhile: `trace` and `span` where a request has them (both
 * or neither; empty: none), else `request`, a number of this process that the first line gives. */
struct log_about {
    const char *trace, *span;
    uint64_t number; /* 0: no line has been written yet */
};
/* Lines are about this from now on (borrowed; NULL: about nothing); answers what they were about
 * before. */
struct log_about *log_enter(struct log_about *about);

#define LOG_AT(level, ...)                                                                         \
    do {                                                                                           \
        if (log_wants(level))                                                                      \
            log_event((level), __VA_ARGS__);                                                       \
    } while (0)
#define log_debug(...) LOG_AT(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  LOG_AT(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  LOG_AT(LOG_WARN, __VA_ARGS__)
#define log_error(...) LOG_AT(LOG_ERROR, __VA_ARGS__) /* a person should look */
