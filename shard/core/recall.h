#pragma once
/* What a link had been given and had not sent when it fell comes back and goes to the next one. So
 * a session that parts is kept until its leaving has been sent: what comes back of it needs
 * somebody in whose name it can be said again. */
#include "shard/core/link.h"

/* Keeps a session that has parted, in place of an earlier one of its id. Takes `s`. */
void recall_keep(struct link *l, struct session *s);
/* Before something is written: forgets those whose leaving has been sent. */
void recall_forget_sent(struct link *l);

/* A text comes back; in the order in which they were written. */
void recall_text(struct link *l, struct span text, int64_t now);
/* They all have: what came back waits before what waited already. */
void recall_finish(struct link *l);

/* Frees what is kept. */
void recall_clear(struct link *l);
