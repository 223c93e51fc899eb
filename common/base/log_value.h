#pragma once
/* The value of one field of a log line. Only the log needs it. */
#include "common/base/buf.h"

/* The all-zero struct is empty; its owner clears `text`. */
struct log_value {
    struct buf text;
    bool number; /* one numeric conversion and nothing else */
};

/* Adds the text without secrets (log_redact), cut to 1 024 bytes. */
void log_value_add_string(struct log_value *v, struct span s);
/* Appends it to the line as a member of a JSON object, or as ` key=value`. */
void log_value_put(const struct log_value *v, struct buf *line, struct span key, bool as_text);
/* Appends a JSON string in which nothing acts on a terminal. */
void log_add_quoted(struct buf *out, struct span s);
