#pragma once
/* What may not stand in the log, whatever a caller passes in: secrets of the settings, tokens and
 * tickets become `[hidden]`; of URLs the user's name, password and query are left out. */
#include "common/base/buf.h"

enum {
    LOG_SECRETS_MAX = 64, /* a new one takes the place of the oldest */
    LOG_SECRET_MIN = 6,   /* bytes; a shorter one is hidden where it is the whole value */
};

/* Copies every entry of a comma-separated list; of a URL of Redis (or a list of hosts in one) the
 * password. From now on none of them is written, wherever in a value it stands. Old ones stay
 * hidden. */
void log_hide(struct span secrets);
/* Wipes and forgets them all. */
void log_hide_none(void);
/* Appends `value` as it may be seen. */
void log_redact(struct buf *out, struct span value);
