#pragma once
/* HMAC-SHA-256 (RFC 2104) under shared secrets, which are kept made ready: that costs more than
 * what is signed with them (docs/decisions/014). One text at a time: mac_begin, mac_add, mac_end.
 */
#include "common/base/span.h"

enum { MAC_LEN = 32 };

struct mac;

/* Begins a text under `secret`, which holds no NUL. With a `label` (a text that lives as long as
 * the process; empty: none) the key is HMAC(secret, label), which is of no use for anything else.
 */
struct mac *mac_begin(struct span secret, struct span label);
void mac_add(struct mac *m, struct span text);
/* Ends the text; `m` is gone. */
void mac_end(struct mac *m, uint8_t out[MAC_LEN]);
/* Secrets have changed: wipes what was made ready of those used so far. Not between mac_begin and
 * mac_end. */
void mac_forget(void);
